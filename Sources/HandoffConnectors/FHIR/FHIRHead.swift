import Foundation
import HTTPTypes
import HandoffCodecs

/// The header fields of a request, read and checked.
struct FHIRHead: Sendable {
  var transport = TransportHeaders()
  /// `Content-Length`, where it is given.
  var contentLength: Int?
  var bodyFormat = FHIRFormat.json
  var answerFormat: FHIRFormat

  /// Checks what a request with a body must have.
  init(
    _ fields: HTTPFields, route: FHIRRoute, answerFormat: FHIRFormat
  ) throws(FHIRRefusal) {
    self.answerFormat = answerFormat
    guard route.resourceType != nil else { return }
    guard let format = FHIRFormat(contentType: fields[.contentType]) else {
      throw .unsupportedMediaType
    }
    bodyFormat = format
    if let encoding = fields[.contentEncoding], encoding.lowercased() != "identity" {
      throw .unsupportedMediaType
    }
    if let text = fields[.contentLength] {
      guard let length = Int(text), length >= 0 else {
        throw .badRequest(field: "Content-Length", "is not a length")
      }
      contentLength = length
    }
    transport.requestID = try Self.uuid(fields, .requestID)
    transport.correlationID = try Self.uuid(fields, .correlationID)
    if route == .processMessage, transport.requestID == nil {
      throw .badRequest(
        field: "X-Request-ID", "is missing: by it a message that is sent again is known")
    }
    try readTarget(fields)
  }

  /// A UUID in lower case: senders write one in either, and it is the same.
  private static func uuid(
    _ fields: HTTPFields, _ name: HTTPField.Name
  ) throws(FHIRRefusal) -> String? {
    let values = fields[values: name]
    guard let text = values.first else { return nil }
    guard values.count == 1, text.utf8.count == 36, let uuid = UUID(uuidString: text) else {
      throw .badRequest(field: name.canonicalName, "must be one UUID")
    }
    return uuid.uuidString.lowercased()
  }

  /// Base64 of a FHIR Identifier, by which BaRS names the service that is meant.
  private mutating func readTarget(_ fields: HTTPFields) throws(FHIRRefusal) {
    struct Identifier: Decodable {
      var system: String?
      var value: String?
    }
    guard let text = fields[.targetIdentifier] else { return }
    guard text.utf8.count <= 2_048, let data = Data(base64Encoded: text),
      let identifier = try? JSONDecoder().decode(Identifier.self, from: data),
      let value = identifier.value, (1...256).contains(value.utf8.count),
      (identifier.system?.utf8.count ?? 0) <= 256
    else {
      throw .badRequest(
        field: "NHSD-Target-Identifier", "must be base64 of an Identifier with system and value")
    }
    transport.targetSystem = identifier.system
    transport.targetValue = value
  }
}

extension HTTPField.Name {
  /// The name as it is written here; it is valid by its spelling, and traps on a slip of ours.
  private static func known(_ name: String) -> HTTPField.Name {
    guard let known = HTTPField.Name(name) else {
      preconditionFailure("\(name) is not the name of a header field")
    }
    return known
  }

  static let requestID = known("X-Request-ID")
  static let correlationID = known("X-Correlation-ID")
  static let targetIdentifier = known("NHSD-Target-Identifier")
}
