/// A JSON document as it is written: members keep their order, numbers their digits.
///
/// Tests read and write contracts with it, so that neither Foundation's rounding nor the product's
/// own reader stands between them and the text.
public indirect enum JSONTree: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONTree])
  case object([Member])

  /// A name and its value.
  public struct Member: Hashable, Sendable {
    public var name: String
    public var value: JSONTree

    public init(_ name: String, _ value: JSONTree) {
      self.name = name
      self.value = value
    }
  }

  /// What is not JSON, by its place.
  public struct Malformed: Error {
    public let position: Int
  }

  /// Reads one document.
  public init(_ bytes: [UInt8]) throws(Malformed) {
    var reader = JSONTreeReader(bytes: bytes)
    self = try reader.document()
  }

  /// Reads one document.
  public init(_ text: String) throws(Malformed) { try self.init(Array(text.utf8)) }

  /// A member's value; `null` where there is none.
  public subscript(_ name: String) -> JSONTree {
    get { members.first { $0.name == name }?.value ?? .null }
    set {
      var members = members
      if let place = members.firstIndex(where: { $0.name == name }) {
        members[place].value = newValue
      } else {
        members.append(Member(name, newValue))
      }
      self = .object(members)
    }
  }

  /// The same without a member.
  public func without(_ name: String) -> JSONTree { .object(members.filter { $0.name != name }) }

  public var members: [Member] {
    if case .object(let members) = self { members } else { [] }
  }

  public var elements: [JSONTree] {
    if case .array(let elements) = self { elements } else { [] }
  }

  public var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// Whether everything in `other` is in here too, with the same value.
  public func contains(_ other: JSONTree) -> Bool {
    switch (self, other) {
    case (.object, .object(let members)):
      members.allSatisfy { self[$0.name].contains($0.value) }
    case (.array(let here), .array(let there)):
      here.count == there.count && zip(here, there).allSatisfy { $0.contains($1) }
    default: self == other
    }
  }

  /// Written for people: two spaces a level, one member a line.
  public var pretty: String { pretty(indent: "") + "\n" }

  /// Written on one line.
  public var compact: String {
    switch self {
    case .array(let elements): "[" + elements.map(\.compact).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.name) + ":" + $0.value.compact }.joined(separator: ",")
        + "}"
    default: pretty(indent: "")
    }
  }

  private func pretty(indent: String) -> String {
    let inner = indent + "  "
    switch self {
    case .null: return "null"
    case .bool(let flag): return flag ? "true" : "false"
    case .number(let digits): return digits
    case .string(let text): return Self.quoted(text)
    case .array(let elements):
      guard !elements.isEmpty else { return "[]" }
      let isShort = elements.allSatisfy { $0.isScalar }
      let texts = elements.map { $0.pretty(indent: inner) }
      let line = "[" + texts.joined(separator: ", ") + "]"
      if isShort, line.count + indent.count <= 96 { return line }
      return "[\n" + texts.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let members):
      guard !members.isEmpty else { return "{}" }
      let lines = members.map {
        inner + Self.quoted($0.name) + ": " + $0.value.pretty(indent: inner)
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension JSONTree: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral text: String) { self = .string(text) }
  public init(booleanLiteral flag: Bool) { self = .bool(flag) }
  public init(integerLiteral number: Int) { self = .number(String(number)) }
  public init(arrayLiteral elements: JSONTree...) { self = .array(elements) }
  public init(dictionaryLiteral members: (String, JSONTree)...) {
    self = .object(members.map { Member($0.0, $0.1) })
  }
}

/// Steps over the tokens of a JSON text.
private struct JSONTreeReader {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var malformed: JSONTree.Malformed { JSONTree.Malformed(position: position) }

  mutating func document() throws(JSONTree.Malformed) -> JSONTree {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw malformed }
    return value
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func takes(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONTree.Malformed) -> JSONTree {
    guard depth < 100 else { throw malformed }
    if takes("{") {
      var members: [JSONTree.Member] = []
      if takes("}") { return .object([]) }
      repeat {
        skipSpace()
        let name = try string()
        guard takes(":") else { throw malformed }
        members.append(JSONTree.Member(name, try value(depth: depth + 1)))
      } while takes(",")
      guard takes("}") else { throw malformed }
      return .object(members)
    }
    if takes("[") {
      var elements: [JSONTree] = []
      if takes("]") { return .array([]) }
      repeat { elements.append(try value(depth: depth + 1)) } while takes(",")
      guard takes("]") else { throw malformed }
      return .array(elements)
    }
    skipSpace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
      return .string(try string())
    }
    return try literal()
  }

  private mutating func literal() throws(JSONTree.Malformed) -> JSONTree {
    let start = position
    while position < bytes.count, !Array(",]} \n\r\t:".utf8).contains(bytes[position]) {
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    switch text {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    default:
      guard Double(text) != nil else { throw malformed }
      return .number(text)
    }
  }

  private mutating func string() throws(JSONTree.Malformed) -> String {
    guard takes("\"") else { throw malformed }
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape()
      default: text.append(byte)
      }
    }
    throw malformed
  }

  private mutating func escape() throws(JSONTree.Malformed) -> [UInt8] {
    guard position < bytes.count else { throw malformed }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "u"): return Array(String(Character(try scalar())).utf8)
    default: return [byte]
    }
  }

  private mutating func scalar() throws(JSONTree.Malformed) -> Unicode.Scalar {
    let high = try unit()
    if let scalar = Unicode.Scalar(high) { return scalar }
    guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\") else { throw malformed }
    position += 2
    let low = try unit()
    let value = 0x10000 + (high & 0x3ff) << 10 + (low & 0x3ff)
    guard let scalar = Unicode.Scalar(value) else { throw malformed }
    return scalar
  }

  private mutating func unit() throws(JSONTree.Malformed) -> UInt32 {
    guard position + 4 <= bytes.count,
      let value = UInt32(
        String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw malformed }
    position += 4
    return value
  }
}
