import HandoffCore

/// Reads XML 1.0 with namespaces within bounds; its errors name the place and never the content.
///
/// Not Foundation's: what is not read here cannot be abused. There are no document types and so no
/// entities but the five of the standard, nothing is fetched, and depth, count and size have limits.
struct XMLReader: Sendable {
  private let bytes: ArraySlice<UInt8>
  private let limits: MappingLimits
  private var position: Int
  private var count = 0
  /// Prefixes in force, innermost last.
  private var namespaces: [(prefix: String, name: String)] = [
    ("xml", "http://www.w3.org/XML/1998/namespace")
  ]

  static func parse(
    _ bytes: ArraySlice<UInt8>, limits: MappingLimits
  ) throws(MappingError) -> XMLTree {
    guard bytes.count <= limits.messageBytesMax else {
      throw MappingError(
        code("xml.too-long"),
        explanation: "the document is longer than the limit messageBytesMax of"
          + " \(limits.messageBytesMax) bytes")
    }
    // Checked once as a whole: every piece cut between markup is then text too.
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw MappingError(code("xml.encoding"), explanation: "the document is not UTF-8")
    }
    var reader = XMLReader(bytes: bytes, limits: limits)
    try reader.skipMisc(isProlog: true)
    guard reader.next == UInt8(ascii: "<") else {
      throw reader.error("xml.syntax", "the root element is expected here")
    }
    let root = try reader.element(depth: 0)
    try reader.skipMisc(isProlog: false)
    guard reader.position == bytes.endIndex else {
      throw reader.error("xml.syntax", "something follows the root element")
    }
    return root
  }

  private init(bytes: ArraySlice<UInt8>, limits: MappingLimits) {
    self.bytes = bytes
    self.limits = limits
    position = bytes.startIndex
  }

  private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private func error(_ name: StaticString, _ explanation: String) -> MappingError {
    MappingError(
      code(name), field: "byte \(position - bytes.startIndex + 1)", explanation: explanation)
  }

  private func isAt(_ text: StaticString) -> Bool {
    bytes[position...].starts(with: text.description.utf8)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  private mutating func skipBlanks() {
    while let byte = next, Self.isBlank(byte) { position += 1 }
  }

  /// Past the end of `text`.
  private mutating func skip(past text: StaticString) throws(MappingError) -> ArraySlice<UInt8> {
    let pattern = Array(text.description.utf8)
    let start = position
    while position + pattern.count <= bytes.endIndex {
      if bytes[position] == pattern[0], bytes[position...].starts(with: pattern) {
        defer { position += pattern.count }
        return bytes[start..<position]
      }
      position += 1
    }
    throw error("xml.syntax", "the document ends too early")
  }

  /// Blanks, comments and instructions outside the root element.
  private mutating func skipMisc(isProlog: Bool) throws(MappingError) {
    while true {
      skipBlanks()
      if isAt("<!--") {
        position += 4
        _ = try skip(past: "-->")
      } else if isAt("<?") {
        try instruction()
      } else if isAt("<!") {
        throw error("xml.doctype", "a document type is not taken: it could bring entities")
      } else {
        return
      }
    }
  }

  private mutating func instruction() throws(MappingError) {
    position += 2
    let text = try skip(past: "?>")
    guard text.starts(with: "xml".utf8), let encoding = text.firstRange(of: Array("encoding".utf8))
    else { return }
    let named = text[encoding.upperBound...].filter { !Self.isBlank($0) && $0 != 0x3D }
      .drop { $0 == 0x22 || $0 == 0x27 }.prefix { $0 != 0x22 && $0 != 0x27 }
    guard
      ["utf-8", "us-ascii", "utf8"].contains(String(decoding: named, as: UTF8.self).lowercased())
    else {
      throw MappingError(
        code("xml.encoding"), field: "XML declaration",
        explanation: "taken here is UTF-8", acknowledgement: .reject)
    }
  }

  // MARK: Elements

  private mutating func element(depth: Int) throws(MappingError) -> XMLTree {
    guard depth < limits.nestingMax else {
      throw error("xml.nesting", "the document nests deeper than nestingMax (\(limits.nestingMax))")
    }
    try countOne()
    position += 1
    let tag = try name()
    let scope = namespaces.count
    defer { namespaces.removeSubrange(scope...) }
    let attributes = try self.attributes()
    var element = XMLTree(name: Self.local(tag), namespace: try namespace(of: tag))
    element.attributes = attributes
    if isAt("/>") {
      position += 2
      return element
    }
    guard next == UInt8(ascii: ">") else { throw error("xml.syntax", "a tag does not end here") }
    position += 1
    try content(of: &element, depth: depth)
    let end = try name()
    guard end == tag else { throw error("xml.syntax", "an end tag is not that of its element") }
    skipBlanks()
    guard next == UInt8(ascii: ">") else { throw error("xml.syntax", "a tag does not end here") }
    position += 1
    return element
  }

  /// Up to and past the `</` of the end tag.
  private mutating func content(
    of element: inout XMLTree, depth: Int
  ) throws(MappingError) {
    var text: [UInt8] = []
    while true {
      let start = position
      while let byte = next, byte != UInt8(ascii: "<"), byte != UInt8(ascii: "&") { position += 1 }
      text += bytes[start..<position]
      if isAt("</") {
        position += 2
        element.text = Self.trimmed(text)
        return
      } else if isAt("<!--") {
        position += 4
        _ = try skip(past: "-->")
      } else if isAt("<![CDATA[") {
        position += 9
        text += try skip(past: "]]>")
      } else if isAt("<?") {
        position += 2
        _ = try skip(past: "?>")
      } else if isAt("<!") {
        throw error("xml.syntax", "a declaration stands inside an element")
      } else if next == UInt8(ascii: "<") {
        element.children.append(try self.element(depth: depth + 1))
      } else if next == UInt8(ascii: "&") {
        text += try reference()
      } else {
        throw error("xml.syntax", "the document ends too early")
      }
    }
  }

  private mutating func countOne() throws(MappingError) {
    count += 1
    guard count <= limits.jsonValuesMax else {
      throw error(
        "xml.too-many-nodes",
        "the document holds more elements and attributes than jsonValuesMax"
          + " (\(limits.jsonValuesMax))")
    }
  }

  // MARK: Names and attributes

  private mutating func name() throws(MappingError) -> String {
    let start = position
    while let byte = next, Self.isNameByte(byte) { position += 1 }
    let name = bytes[start..<position]
    guard let first = name.first, !(0x30...0x39).contains(first), first != UInt8(ascii: "-"),
      first != UInt8(ascii: "."), name.count <= limits.identifierMax
    else { throw error("xml.syntax", "a name is expected here") }
    return String(decoding: name, as: UTF8.self)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: ":"), 0x80...0xFF:
      true
    default: false
    }
  }

  private static func local(_ name: String) -> String {
    name.split(separator: ":", maxSplits: 1).last.map(String.init) ?? name
  }

  private func namespace(of name: String) throws(MappingError) -> String? {
    let parts = name.split(separator: ":", maxSplits: 1)
    let prefix = parts.count == 2 ? String(parts[0]) : ""
    if let known = namespaces.last(where: { $0.prefix == prefix }) {
      return known.name.isEmpty ? nil : known.name
    }
    guard prefix.isEmpty else {
      throw error("xml.namespace", "the prefix of a name is not declared")
    }
    return nil
  }

  /// Attributes without the declarations of namespaces, which take effect here.
  private mutating func attributes() throws(MappingError) -> [XMLTree.Attribute] {
    var attributes: [XMLTree.Attribute] = []
    var names: Set<String> = []
    while true {
      let hadBlanks = next.map(Self.isBlank) ?? false
      skipBlanks()
      guard let byte = next, byte != UInt8(ascii: ">"), byte != UInt8(ascii: "/") else {
        return attributes
      }
      guard hadBlanks else { throw error("xml.syntax", "a blank is missing before an attribute") }
      try countOne()
      let name = try self.name()
      skipBlanks()
      guard next == UInt8(ascii: "=") else {
        throw error("xml.syntax", "an attribute has no value")
      }
      position += 1
      skipBlanks()
      let value = try quoted()
      guard names.insert(name).inserted else {
        throw error("xml.duplicate-name", "an element has two attributes of one name")
      }
      if name == "xmlns" {
        namespaces.append(("", value))
      } else if name.hasPrefix("xmlns:") {
        namespaces.append((String(name.dropFirst(6)), value))
      } else {
        attributes.append(.init(name: Self.local(name), value: value))
      }
    }
  }

  private mutating func quoted() throws(MappingError) -> String {
    guard let quote = next, quote == 0x22 || quote == 0x27 else {
      throw error("xml.syntax", "the value of an attribute stands in quotes")
    }
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case quote:
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "<"): throw error("xml.syntax", "the value of an attribute holds a tag")
      case UInt8(ascii: "&"): text += try reference()
      default:
        text.append(Self.isBlank(byte) ? 0x20 : byte)
        position += 1
      }
    }
    throw error("xml.syntax", "the document ends too early")
  }

  // MARK: Text

  /// `&amp;` and the other four, `&#65;` and `&#x41;`; there are no other entities here.
  private mutating func reference() throws(MappingError) -> [UInt8] {
    let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";"))
    guard let end else { throw error("xml.entity", "a reference does not end") }
    let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
    let named = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
    if let text = named[name] {
      position = end + 1
      return Array(text.utf8)
    }
    let digits = name.dropFirst(name.hasPrefix("#x") ? 2 : 1)
    let isDigits = digits.utf8.allSatisfy { hexadecimalValue($0) != nil }
    guard name.hasPrefix("#"), isDigits,
      let value = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10),
      let scalar = Unicode.Scalar(value), Self.isCharacter(scalar)
    else { throw error("xml.entity", "only the five entities of XML itself are taken") }
    position = end + 1
    return Array(String(Character(scalar)).utf8)
  }

  private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x20 || [0x09, 0x0A, 0x0D].contains(scalar.value)
  }

  private static func trimmed(_ text: [UInt8]) -> String {
    guard let first = text.firstIndex(where: { !isBlank($0) }),
      let last = text.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(decoding: text[first...last], as: UTF8.self)
  }
}
