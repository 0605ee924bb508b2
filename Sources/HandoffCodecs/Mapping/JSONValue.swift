/// A JSON document, read within bounds (RFC 8259).
///
/// Not Foundation's: that one has no limit but the stack's, takes a name given twice, and quotes
/// the input in its errors.
enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// As it is written: ids may be numbers too long for any type.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// A member of an object; `nil` for anything else, and for a member that is `null`.
  subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self, let value = members[name], value != .null else {
      return nil
    }
    return value
  }

  /// An element of an array.
  subscript(_ index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// A string that is not empty.
  var text: String? {
    guard case .string(let text) = self, !text.isEmpty else { return nil }
    return text
  }

  /// The elements of an array; none for anything else.
  var elements: [JSONValue] {
    guard case .array(let elements) = self else { return [] }
    return elements
  }
}
