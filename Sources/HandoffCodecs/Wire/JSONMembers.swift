/// The members of one JSON object (RFC 8259), their values still as text.
///
/// An envelope is read without building a tree of its data, and nesting costs no stack. Nested
/// values are checked for balance here and for everything else by who reads them.
package struct JSONMembers {
  /// Why bytes are not one JSON object.
  package struct Malformed: Error, Hashable {
    /// The byte at which it shows, from 0.
    package var position: Int
  }

  /// How deep a value may nest.
  package static let depthMax = 64
  /// How many members the object may have.
  package static let countMax = 256

  package private(set) var members: [(name: String, raw: ArraySlice<UInt8>)] = []

  /// Reads the object; two members of one name are refused, because readers differ on which counts.
  package init(_ bytes: [UInt8]) throws(Malformed) {
    var scanner = Scanner(bytes: bytes)
    try scanner.take(UInt8(ascii: "{"))
    var names: Set<String> = []
    if !scanner.takes(UInt8(ascii: "}")) {
      repeat {
        guard let name = Self.unescape(try scanner.string()), names.insert(name).inserted,
          names.count <= Self.countMax
        else { throw scanner.malformed }
        try scanner.take(UInt8(ascii: ":"))
        members.append((name, try scanner.value()))
      } while scanner.takes(UInt8(ascii: ","))
      try scanner.take(UInt8(ascii: "}"))
    }
    guard scanner.isAtEnd else { throw scanner.malformed }
  }

  /// A member's value as it stands; `null` counts as absent.
  package func raw(_ name: String) -> ArraySlice<UInt8>? {
    guard let member = members.first(where: { $0.name == name }),
      !member.raw.elementsEqual("null".utf8)
    else { return nil }
    return member.raw
  }

  /// A member that is a string.
  package func text(_ name: String) -> String? {
    raw(name).flatMap { $0.first == UInt8(ascii: "\"") ? Self.unescape($0) : nil }
  }

  /// A member that is a whole number, or a string that holds one.
  package func integer(_ name: String) -> Int64? {
    guard let raw = raw(name) else { return nil }
    return Int64(text(name) ?? String(decoding: raw, as: UTF8.self))
  }

  /// The text of a JSON string with its quotes; `nil` where an escape or its UTF-8 is wrong.
  static func unescape(_ quoted: ArraySlice<UInt8>) -> String? {
    let inner = quoted.dropFirst().dropLast()
    guard inner.contains(UInt8(ascii: "\\")) else {
      return String(validating: inner, as: UTF8.self)
    }
    var text: [UInt8] = []
    var rest = inner
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "b"): text.append(8)
      case UInt8(ascii: "f"): text.append(12)
      case .some(let plain) where [UInt8]("\"\\/".utf8).contains(plain): text.append(plain)
      case UInt8(ascii: "u"):
        guard let scalar = scalar(&rest) else { return nil }
        text.append(contentsOf: String(scalar).utf8)
      default: return nil
      }
    }
    return String(validating: text, as: UTF8.self)
  }

  /// Four hexadecimal digits, and the low half where they are a high surrogate.
  private static func scalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
    func unit() -> UInt32? {
      guard rest.count >= 4 else { return nil }
      let digits = rest.prefix(4)
      rest = rest.dropFirst(4)
      guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
      return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
    guard let high = unit() else { return nil }
    guard (0xd800..<0xdc00).contains(high) else { return Unicode.Scalar(high) }
    guard rest.starts(with: Array("\\u".utf8)) else { return nil }
    rest = rest.dropFirst(2)
    guard let low = unit(), (0xdc00..<0xe000).contains(low) else { return nil }
    return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
  }

  /// `text` as a JSON string with its quotes.
  package static func quote(_ text: String) -> [UInt8] {
    var quoted: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted.append(contentsOf: [0x5c, byte])
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        quoted.append(contentsOf: (byte < 16 ? "\\u000" : "\\u00").utf8)
        quoted.append(contentsOf: digits.utf8)
      default: quoted.append(byte)
      }
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }
}

/// Steps over the tokens of a JSON text.
private struct Scanner {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var malformed: JSONMembers.Malformed { JSONMembers.Malformed(position: position) }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == bytes.count
    }
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  mutating func takes(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func take(_ byte: UInt8) throws(JSONMembers.Malformed) {
    guard takes(byte) else { throw malformed }
  }

  /// A string with its quotes.
  mutating func string() throws(JSONMembers.Malformed) -> ArraySlice<UInt8> {
    skipSpace()
    let start = position
    try take(UInt8(ascii: "\""))
    while position < bytes.count {
      let byte = bytes[position]
      guard byte >= 0x20 else { throw malformed }
      position += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return bytes[start..<position] }
    }
    position = bytes.count
    throw malformed
  }

  /// Any value, as it stands.
  mutating func value() throws(JSONMembers.Malformed) -> ArraySlice<UInt8> {
    skipSpace()
    let start = position
    var closers: [UInt8] = []
    repeat {
      skipSpace()
      guard position < bytes.count else { throw malformed }
      switch bytes[position] {
      case UInt8(ascii: "\""): _ = try string()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard closers.count < JSONMembers.depthMax else { throw malformed }
        // Two above its opener in ASCII: { and }, [ and ].
        closers.append(bytes[position] + 2)
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard closers.popLast() == bytes[position] else { throw malformed }
        position += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard !closers.isEmpty else { throw malformed }
        position += 1
      default: try literal()
      }
    } while !closers.isEmpty
    return bytes[start..<position]
  }

  /// A number, `true`, `false` or `null`; anything else in its place is found by its reader.
  private mutating func literal() throws(JSONMembers.Malformed) {
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        position += 1
      default:
        guard position > start else { throw malformed }
        return
      }
    }
  }
}
