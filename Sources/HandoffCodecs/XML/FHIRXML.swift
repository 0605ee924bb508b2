/// FHIR's XML as the values that its JSON would give (R4 §2.1.2, XML representation).
///
/// All primitives become strings, and what stands once is no array: ``FHIRNode`` reads both.
enum FHIRXML {
  static let namespace = "http://hl7.org/fhir"

  /// The resource of a root element.
  static func resource(_ element: XMLTree) -> JSONValue {
    var members = members(of: element)
    members["resourceType"] = .string(element.name)
    return .object(members)
  }

  private static func members(of element: XMLTree) -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    for attribute in element.attributes { members[attribute.name] = .string(attribute.value) }
    for child in element.children where child.namespace == namespace || child.namespace == nil {
      let (value, extra) = value(of: child)
      if let value { add(value, to: child.name, in: &members) }
      if let extra { add(extra, to: "_\(child.name)", in: &members) }
    }
    return members
  }

  /// The value, and what stands beside a primitive.
  private static func value(of element: XMLTree) -> (JSONValue?, JSONValue?) {
    let own = element.children.filter { $0.namespace == namespace || $0.namespace == nil }
    // Names of resources alone begin with a capital.
    if own.count == 1, let first = own[0].name.utf8.first,
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first)
    {
      return (resource(own[0]), nil)
    }
    guard let text = element.attribute("value") else {
      let members = members(of: element)
      let isExtended =
        !members.isEmpty && members.keys.allSatisfy { $0 == "extension" || $0 == "id" }
      // Nothing but extensions may be a primitive without a value or an element: it is both.
      return (members.isEmpty ? nil : .object(members), isExtended ? .object(members) : nil)
    }
    var beside = members(of: element)
    beside["value"] = nil
    return (.string(text), beside.isEmpty ? nil : .object(beside))
  }

  private static func add(
    _ value: JSONValue, to name: String, in members: inout [String: JSONValue]
  ) {
    switch members[name] {
    case nil: members[name] = value
    case .array(let elements)?: members[name] = .array(elements + [value])
    case let single?: members[name] = .array([single, value])
    }
  }
}
