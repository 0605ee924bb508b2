/// What of a JSON or XML document no value came from.
enum DocumentLostContent {
  /// Elements with content in the order they stand, by their place; never a value.
  ///
  /// What names the type of a resource is read of each, and the system of a code or an id with it:
  /// they are not lost. A document that cannot be read loses nothing here: it is refused as a whole.
  static func paths(_ bytes: [UInt8], after message: MappedMessage) -> [String] {
    let body = FrameEnvelope.open(bytes)?.body ?? 0
    let content = Array(bytes[body...])
    let start = FrameFormat.start(of: content)
    var leaves: [String] = []
    switch FrameFormat.detect(content) {
    case .json:
      guard let json = try? JSONParser.parse(content[start...], limits: MappingLimits()) else {
        return []
      }
      collect(json, path: json["resourceType"]?.text ?? "$", into: &leaves)
    case .xml:
      guard let root = try? XMLReader.parse(content[start...], limits: MappingLimits()) else {
        return []
      }
      if root.namespace == FHIRXML.namespace {
        collect(FHIRXML.resource(root), path: root.name, into: &leaves)
      } else {
        collect(XMLPlace(root), into: &leaves)
      }
    default: return []
    }
    let used = fields(of: message)
    return leaves.filter { !isUsed($0, used) }
  }

  private static func collect(_ value: JSONValue, path: String, into leaves: inout [String]) {
    switch value {
    case .null: break
    case .bool, .number, .string: leaves.append(path)
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        collect(element, path: "\(path)[\(index)]", into: &leaves)
      }
    case .object(let members):
      for name in members.keys.sorted() where name != "resourceType" {
        if let member = members[name] { collect(member, path: "\(path).\(name)", into: &leaves) }
      }
    }
  }

  private static func collect(_ place: XMLPlace, into leaves: inout [String]) {
    for attribute in place.element.attributes {
      leaves.append("\(place.path)/@\(attribute.name)")
    }
    if !place.element.text.isEmpty { leaves.append(place.path) }
    var counts: [String: Int] = [:]
    for child in place.element.children {
      counts[child.name, default: 0] += 1
      let path = "\(place.path)/\(child.name)[\(counts[child.name] ?? 1)]"
      collect(XMLPlace(child, path: path), into: &leaves)
    }
  }

  // MARK: What was used

  private static func fields(of message: MappedMessage) -> Set<String> {
    var fields: Set<String> = []
    let provenances = [message.provenance] + message.facts.map(\.provenance)
    for value in provenances.flatMap(\.values) {
      for field in value.split(separator: ", ") { fields.insert(plain(String(field))) }
    }
    return fields
  }

  /// The first of several is the same place as the only one.
  private static func plain(_ path: String) -> String {
    path.replacing("[0]", with: "").replacing("[1]", with: path.contains("/") ? "" : "[1]")
  }

  private static func isUsed(_ leaf: String, _ used: Set<String>) -> Bool {
    let path = plain(leaf)
    if used.contains(path) { return true }
    let isXPath = path.contains("/")
    guard let cut = path.lastIndex(of: isXPath ? "/" : ".") else { return false }
    let parent = path[..<cut]
    let name = path[path.index(after: cut)...]
    // The namespace of something that was read was read with it.
    let partners =
      switch name {
      case "system": ["value", "code"]
      case "@root": ["@extension"]
      case "fullUrl": ["resource.id"]
      default: [String]()
      }
    return partners.contains { used.contains("\(parent)\(isXPath ? "/" : ".")\($0)") }
      || used.contains(String(parent))
  }
}
