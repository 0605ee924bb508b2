/// What a listener must know of a FHIR resource to answer it, read without mapping it.
package struct FHIRGlance: Hashable, Sendable {
  package var resourceType: String
  package var id: String?
  /// `Bundle.type`.
  package var bundleType: String?
  /// `MessageHeader.event[x]`: the coding's system and code, or the URI.
  package var eventSystem: String?
  package var eventCode: String?
  package var eventURI: String?

  /// Reads one document in JSON, or in XML.
  ///
  /// - Throws: ``MappingError`` where the bytes are no resource in that form.
  package init(
    _ bytes: [UInt8], isXML: Bool = false, limits: MappingLimits = MappingLimits()
  ) throws(MappingError) {
    guard FrameFormat.detect(bytes) != .empty else {
      throw MappingError(code("format.empty"), explanation: "the body is empty")
    }
    let start = FrameFormat.start(of: bytes)
    let json =
      isXML
      ? try Self.resource(bytes[start...], limits)
      : try JSONParser.parse(bytes[start...], limits: limits)
    guard let type = json["resourceType"]?.text else {
      throw MappingError(
        code("fhir.not-a-resource"), field: "resourceType",
        explanation: "the body is no FHIR resource: it names no resourceType")
    }
    resourceType = type
    id = json["id"]?.text
    bundleType = json["type"]?.text
    // What stands once is no array in XML.
    let entries = json["entry"].map { $0.elements.isEmpty ? [$0] : $0.elements } ?? []
    let header = entries.lazy.compactMap { $0["resource"] }
      .first { $0["resourceType"]?.text == "MessageHeader" }
    eventSystem = header?["eventCoding"]?["system"]?.text
    eventCode = header?["eventCoding"]?["code"]?.text
    eventURI = header?["eventUri"]?.text
  }

  private static func resource(
    _ bytes: ArraySlice<UInt8>, _ limits: MappingLimits
  ) throws(MappingError) -> JSONValue {
    let root = try XMLReader.parse(bytes, limits: limits)
    guard root.namespace == FHIRXML.namespace else {
      throw MappingError(
        code("fhir.not-a-resource"),
        explanation: "the root element is not of the namespace \(FHIRXML.namespace)")
    }
    return FHIRXML.resource(root)
  }
}
