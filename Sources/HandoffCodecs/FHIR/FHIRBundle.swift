import HandoffCore

/// A FHIR R4 message Bundle: its resources, found by what the others call them.
struct FHIRBundle: Sendable {
  /// One entry, and where it stands.
  struct Entry: Sendable {
    var index: Int
    var fullURL: String?
    var resource: JSONValue

    var resourceType: String { resource["resourceType"]?.text ?? "" }
    /// Such as `Bundle.entry[2].resource`.
    var path: String { "Bundle.entry[\(index)].resource" }
    /// The resource's id: its own, or else the UUID that the bundle knows it by.
    ///
    /// BaRS bundles leave `id` out and keep `fullUrl` over a whole conversation.
    var id: String? { resource["id"]?.text ?? fullURL.map(FHIRBundle.bareID) }
  }

  let id: String?
  let timestamp: String?
  let entries: [Entry]

  init(_ json: JSONValue) {
    id = json["id"]?.text
    timestamp = json["timestamp"]?.text ?? json["meta"]?["lastUpdated"]?.text
    entries = (json["entry"]?.elements ?? []).enumerated().compactMap { index, entry in
      guard let resource = entry["resource"] else { return nil }
      return Entry(index: index, fullURL: entry["fullUrl"]?.text, resource: resource)
    }
  }

  /// All entries of that type, in order.
  func all(_ resourceType: String) -> [Entry] {
    entries.filter { $0.resourceType == resourceType }
  }

  /// The entry a reference leads to, by full URL or by type and id.
  func entry(_ reference: JSONValue?) -> Entry? {
    guard let text = reference?["reference"]?.text else { return nil }
    if let exact = entries.first(where: { $0.fullURL == text }) { return exact }
    let bare = Self.bareID(text)
    let parts = text.split(separator: "/")
    let type = parts.count >= 2 ? String(parts[parts.count - 2]) : nil
    return entries.first { entry in
      (type == nil || entry.resourceType == type)
        && (entry.resource["id"]?.text == bare || entry.fullURL.map(Self.bareID) == bare)
    }
  }

  /// What is left of a reference or URL once its path and `urn:uuid:` are gone.
  static func bareID(_ text: String) -> String {
    let last = text.split(separator: "/").last.map(String.init) ?? text
    let prefix = "urn:uuid:"
    return last.lowercased().hasPrefix(prefix) ? String(last.dropFirst(prefix.count)) : last
  }
}

/// Codes of CodeableConcepts.
enum FHIRCoding {
  /// Every coding of a concept, or of a list of concepts.
  static func codings(_ concept: JSONValue?) -> [JSONValue] {
    guard let concept else { return [] }
    if case .array(let concepts) = concept { return concepts.flatMap { codings($0) } }
    return concept["coding"]?.elements ?? []
  }

  /// The code of the first coding of that system; systems are compared by how they end, since the
  /// national ones are spelt in several ways (`rejected-reasons-bars`, `rejection-reason-bars`).
  static func code(_ concept: JSONValue?, systemEnding endings: [String]) -> String? {
    codings(concept).first { coding in
      let system = coding["system"]?.text?.lowercased() ?? ""
      return endings.contains { system.hasSuffix($0) }
    }?["code"]?.text
  }
}
