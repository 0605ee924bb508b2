import HandoffCore

/// An element of an XML document, names resolved, without comments and instructions.
struct XMLTree: Sendable {
  struct Attribute: Hashable, Sendable {
    /// Without its prefix.
    var name: String
    var value: String
  }

  /// Without its prefix.
  var name: String
  var namespace: String?
  var attributes: [Attribute] = []
  var children: [XMLTree] = []
  /// Text directly inside this element, without blanks around it.
  var text: String = ""

  /// The value of an attribute that is not empty.
  func attribute(_ name: String) -> String? {
    attributes.first { $0.name == name && !$0.value.isEmpty }?.value
  }
}

/// An element and its place, as an XPath without prefixes would name it.
struct XMLPlace: Sendable {
  let element: XMLTree
  let path: String

  init(_ element: XMLTree, path: String? = nil) {
    self.element = element
    self.path = path ?? element.name
  }

  /// The children of that name, in order.
  func all(_ name: String) -> [XMLPlace] {
    var index = 0
    return element.children.compactMap { child in
      guard child.name == name else { return nil }
      index += 1
      return XMLPlace(child, path: "\(path)/\(name)[\(index)]")
    }
  }

  /// The first child of that name.
  subscript(_ name: String) -> XMLPlace? {
    element.children.first { $0.name == name }.map { XMLPlace($0, path: "\(path)/\(name)[1]") }
  }

  /// The first element reached by those names, one inside the other.
  func at(_ names: String...) -> XMLPlace? {
    var place = self
    for name in names {
      guard let next = place[name] else { return nil }
      place = next
    }
    return place
  }

  /// The text of the element, where it is not empty.
  var found: Found<String>? {
    element.text.isEmpty ? nil : Found(element.text, path)
  }

  /// An attribute that is not empty.
  func attribute(_ name: String) -> Found<String>? {
    element.attribute(name).map { Found($0, "\(path)/@\(name)") }
  }
}
