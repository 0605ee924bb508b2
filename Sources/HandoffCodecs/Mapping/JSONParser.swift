import HandoffCore

/// Reads JSON with bounded depth and size; its errors name the place and never the content.
struct JSONParser: Sendable {
  private let bytes: ArraySlice<UInt8>
  private let limits: MappingLimits
  private var position: Int
  private var valueCount = 0

  /// Reads one document that fills `bytes`.
  static func parse(
    _ bytes: ArraySlice<UInt8>, limits: MappingLimits
  ) throws(MappingError) -> JSONValue {
    guard bytes.count <= limits.messageBytesMax else {
      throw MappingError(
        code("json.too-long"),
        explanation: "the document is longer than the limit messageBytesMax of"
          + " \(limits.messageBytesMax) bytes")
    }
    var parser = JSONParser(bytes: bytes, limits: limits)
    let value = try parser.value(depth: 0)
    parser.skipBlanks()
    guard parser.position == bytes.endIndex else {
      throw parser.error("json.syntax", "something follows the end of the document")
    }
    return value
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

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func value(depth: Int) throws(MappingError) -> JSONValue {
    guard depth < limits.nestingMax else {
      throw error(
        "json.nesting", "the document nests deeper than nestingMax (\(limits.nestingMax))")
    }
    valueCount += 1
    guard valueCount <= limits.jsonValuesMax else {
      throw error(
        "json.too-many-values",
        "the document holds more than jsonValuesMax values"
          + " (\(limits.jsonValuesMax))")
    }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{")?: return try object(depth: depth)
    case UInt8(ascii: "[")?: return try array(depth: depth)
    case UInt8(ascii: "\"")?: return .string(try string())
    case UInt8(ascii: "t")?: return try literal("true", .bool(true))
    case UInt8(ascii: "f")?: return try literal("false", .bool(false))
    case UInt8(ascii: "n")?: return try literal("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
      return try number()
    case nil: throw error("json.syntax", "the document ends too early")
    default: throw error("json.syntax", "a value is expected here")
    }
  }

  private mutating func object(depth: Int) throws(MappingError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    position += 1
    skipBlanks()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else {
        throw error("json.syntax", "the name of a member is expected here")
      }
      let name = try string()
      skipBlanks()
      try expect(UInt8(ascii: ":"), "a colon is expected here")
      let member = try value(depth: depth + 1)
      guard members.updateValue(member, forKey: name) == nil else {
        throw error("json.duplicate-name", "the object has two members of one name")
      }
      skipBlanks()
      if next == UInt8(ascii: ",") {
        position += 1
        continue
      }
      try expect(UInt8(ascii: "}"), "a comma or the end of the object is expected here")
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(MappingError) -> JSONValue {
    var elements: [JSONValue] = []
    position += 1
    skipBlanks()
    if next == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if next == UInt8(ascii: ",") {
        position += 1
        continue
      }
      try expect(UInt8(ascii: "]"), "a comma or the end of the array is expected here")
      return .array(elements)
    }
  }

  private mutating func expect(_ byte: UInt8, _ explanation: String) throws(MappingError) {
    guard next == byte else { throw error("json.syntax", explanation) }
    position += 1
  }

  private mutating func literal(
    _ text: StaticString, _ value: JSONValue
  ) throws(MappingError) -> JSONValue {
    let expected = Array(text.description.utf8)
    guard bytes[position...].starts(with: expected) else {
      throw error("json.syntax", "a value is expected here")
    }
    position += expected.count
    return value
  }

  private mutating func number() throws(MappingError) -> JSONValue {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let whole = digits()
    guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
      throw error("json.syntax", "a number is not written like this")
    }
    if next == UInt8(ascii: ".") {
      position += 1
      guard digits() > 0 else { throw error("json.syntax", "a number is not written like this") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard digits() > 0 else { throw error("json.syntax", "a number is not written like this") }
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func string() throws(MappingError) -> String {
    position += 1
    var content: [UInt8] = []
    var start = position
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        content += bytes[start..<position]
        guard let text = String(validating: content, as: UTF8.self) else {
          throw error("json.encoding", "a string is not UTF-8")
        }
        position += 1
        return text
      case UInt8(ascii: "\\"):
        content += bytes[start..<position]
        position += 1
        content += try escape()
        start = position
      case 0..<0x20: throw error("json.syntax", "a string holds a control character")
      default: position += 1
      }
    }
    throw error("json.syntax", "a string does not end")
  }

  private mutating func escape() throws(MappingError) -> [UInt8] {
    guard let byte = next else { throw error("json.syntax", "a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("json.syntax", "a backslash begins no escape here")
    }
  }

  private mutating func unicodeEscape() throws(MappingError) -> [UInt8] {
    var unit = try codeUnit()
    if (0xD800..<0xDC00).contains(unit) {
      guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
        throw error("json.encoding", "half of a surrogate pair stands alone")
      }
      position += 2
      let low = try codeUnit()
      guard (0xDC00..<0xE000).contains(low) else {
        throw error("json.encoding", "half of a surrogate pair stands alone")
      }
      unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(unit) else {
      throw error("json.encoding", "half of a surrogate pair stands alone")
    }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func codeUnit() throws(MappingError) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ hexadecimalValue($0) != nil }) else {
      throw error("json.syntax", "four hexadecimal digits are expected here")
    }
    position += 4
    return digits.reduce(0) { $0 << 4 | UInt32(hexadecimalValue($1) ?? 0) }
  }
}

/// The value of one hexadecimal digit of either case.
func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
