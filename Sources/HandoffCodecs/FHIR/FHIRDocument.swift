import HandoffCore

/// The resources of a FHIR document, found by whatever the others call them.
///
/// A document is a Bundle, with the Bundles inside it laid open, or one resource alone.
struct FHIRDocument: Sendable {
  /// One resource, and where it stands.
  struct Resource: Sendable {
    let node: FHIRNode
    var fullURL: String?
    /// The resource that a contained one lies in: `#id` is looked up there.
    var owner: FHIRNode?

    var type: String { node["resourceType"]?.text ?? "" }
    var path: String { node.path }
    /// The resource's id: its own, or else the UUID that the bundle knows it by.
    ///
    /// BaRS bundles leave `id` out and keep `fullUrl` over a whole conversation.
    var id: Found<String>? {
      node["id"]?.found
        ?? fullURL.map {
          Found(FHIRDocument.bareID($0), node.path.replacing(".resource", with: ".fullUrl"))
        }
    }
    subscript(_ name: String) -> FHIRNode? { node[name] }
  }

  let root: FHIRNode
  /// In the order they stand; the Bundles themselves are not among them.
  let resources: [Resource]

  private let byURL: [String: Int]
  private let byTypeAndID: [String: Int]
  private let byID: [String: Int]
  private let byIdentifier: [String: Int]

  /// `json` is a Bundle or any other resource.
  init(_ json: JSONValue) {
    // A type of the standard may be named; anything else in that place is the sender's text.
    let named = json["resourceType"]?.text ?? ""
    let type = FHIRTypes.all.contains(named) ? named : "Resource"
    root = FHIRNode(value: json, path: type)
    var found: [Resource] = []
    if type == "Bundle" {
      Self.collect(root, into: &found)
    } else {
      found = [Resource(node: root)]
    }
    resources = found
    var urls: [String: Int] = [:]
    var typed: [String: Int] = [:]
    var bare: [String: Int] = [:]
    var identifiers: [String: Int] = [:]
    for (index, resource) in found.enumerated() {
      if let url = resource.fullURL { urls[Self.plain(url)] = urls[Self.plain(url)] ?? index }
      for id in [resource.node["id"]?.text, resource.fullURL.map(Self.bareID)].compactMap(\.self) {
        typed["\(resource.type)/\(id)"] = typed["\(resource.type)/\(id)"] ?? index
        bare[id] = bare[id] ?? index
      }
      for identifier in resource.node.all("identifier") {
        guard let key = Self.key(of: identifier) else { continue }
        identifiers[key] = identifiers[key] ?? index
      }
    }
    byURL = urls
    byTypeAndID = typed
    byID = bare
    byIdentifier = identifiers
  }

  private static func collect(_ bundle: FHIRNode, into found: inout [Resource]) {
    for entry in bundle.all("entry") {
      // Some servers' search Bundles hold the resource itself in place of an entry.
      let inside = entry["resource"] ?? (entry["resourceType"] == nil ? nil : entry)
      guard let node = inside else { continue }
      if node["resourceType"]?.text == "Bundle" {
        collect(node, into: &found)
      } else {
        found.append(Resource(node: node, fullURL: entry["fullUrl"]?.text))
      }
    }
  }

  /// All resources of that type, in order.
  func all(_ type: String) -> [Resource] { resources.filter { $0.type == type } }

  func first(_ type: String) -> Resource? { resources.first { $0.type == type } }

  /// The resource a reference leads to, by `#id`, URL, type and id, or identifier alone.
  func resource(_ reference: FHIRNode?, from source: Resource) -> Resource? {
    guard let reference else { return nil }
    if let text = reference["reference"]?.text {
      if text.hasPrefix("#") { return contained(String(text.dropFirst()), in: source) }
      if let index = byURL[Self.plain(text)] { return resources[index] }
      let (type, id) = Self.typeAndID(text)
      if let type { return byTypeAndID["\(type)/\(id)"].map { resources[$0] } }
      if let index = byID[id] { return resources[index] }
    }
    guard let identifier = reference["identifier"], let key = Self.key(of: identifier) else {
      return nil
    }
    return byIdentifier[key].map { resources[$0] }
  }

  private func contained(_ id: String, in source: Resource) -> Resource? {
    let owner = source.owner ?? source.node
    if id.isEmpty { return Resource(node: owner) }
    return owner.all("contained").first { $0["id"]?.text == id }
      .map { Resource(node: $0, owner: owner) }
  }

  private static func key(of identifier: FHIRNode) -> String? {
    guard let value = identifier["value"]?.text, let system = identifier["system"]?.text else {
      return nil
    }
    return "\(system.lowercased())|\(value)"
  }

  // MARK: References as they are written

  /// Without `_history/…`, version and fragment, and with a UUID in lower case.
  static func plain(_ text: String) -> String {
    var text = text.prefix { $0 != "|" && $0 != "#" }
    if let history = text.firstRange(of: "/_history/") { text = text[..<history.lowerBound] }
    return text.lowercased().hasPrefix("urn:uuid:") ? text.lowercased() : String(text)
  }

  /// What is left of a reference or URL once its path and `urn:uuid:` are gone.
  static func bareID(_ text: String) -> String {
    let text = plain(text)
    let last = text.split(separator: "/").last.map(String.init) ?? text
    for prefix in ["urn:uuid:", "urn:oid:"] where last.lowercased().hasPrefix(prefix) {
      return String(last.dropFirst(prefix.count))
    }
    return last
  }

  /// `Task` and `1` of `https://server/Task/1/_history/2`; no type where none is named.
  static func typeAndID(_ text: String) -> (type: String?, id: String) {
    let id = bareID(text)
    let parts = plain(text).split(separator: "/")
    guard parts.count >= 2, let initial = parts[parts.count - 2].utf8.first,
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(initial)
    else { return (nil, id) }
    return (String(parts[parts.count - 2]), id)
  }

  /// The type of resource that a reference means, where it says so.
  static func type(of reference: FHIRNode) -> String? {
    reference["reference"]?.text.flatMap { typeAndID($0).type } ?? reference["type"]?.text
  }
}
