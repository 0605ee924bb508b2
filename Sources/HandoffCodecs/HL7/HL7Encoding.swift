import HandoffCore

/// The character sets of MSH-18 (HL7 table 0211) that are read here.
enum HL7Encoding {
  /// The message in UTF-8.
  ///
  /// Bytes that the declared set does not have are refused and never guessed: a wrong letter in an
  /// id is another id. Where MSH-18 is empty, ASCII is the standard's default, and UTF-8, which
  /// contains it, is what senders mean.
  static func decode(
    _ bytes: [UInt8], separators: HL7Separators
  ) throws(MappingError) -> [UInt8] {
    switch declared(in: bytes, separators: separators) {
    case nil, "UNICODE UTF-8"?, "UTF-8"?, "UTF8"?, "UNICODE"?:
      guard isUTF8(bytes) else { throw wrongBytes }
      return bytes
    case "ASCII"?, "US-ASCII"?, "ISO IR6"?, "ISO IR 6"?:
      guard bytes.allSatisfy({ $0 < 0x80 }) else { throw wrongBytes }
      return bytes
    case "8859/1"?, "ISO-8859-1"?, "8859-1"?, "ISO8859-1"?, "LATIN1"?:
      guard !bytes.contains(where: { (0x80..<0xA0).contains($0) }) else { throw wrongBytes }
      return Array(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })).utf8)
    case "8859/15"?, "ISO-8859-15"?, "8859-15"?, "ISO8859-15"?, "LATIN9"?:
      guard !bytes.contains(where: { (0x80..<0xA0).contains($0) }) else { throw wrongBytes }
      let scalars = bytes.map { latin9[$0] ?? Unicode.Scalar($0) }
      return Array(String(String.UnicodeScalarView(scalars)).utf8)
    default:
      throw MappingError(
        code("hl7.encoding-unsupported"), field: "MSH-18",
        explanation: "read here are ASCII, 8859/1, 8859/15 and UNICODE UTF-8",
        acknowledgement: .reject)
    }
  }

  /// Where ISO 8859-15 differs from 8859-1.
  private static let latin9: [UInt8: Unicode.Scalar] = [
    0xA4: "€", 0xA6: "Š", 0xA8: "š", 0xB4: "Ž", 0xB8: "ž", 0xBC: "Œ", 0xBD: "œ", 0xBE: "Ÿ",
  ]

  private static func declared(in bytes: [UInt8], separators: HL7Separators) -> String? {
    let header = bytes.prefix { $0 != 0x0D && $0 != 0x0A }
    return HL7Segment(line: header, separators: separators)?.value(18)?.uppercased()
  }

  private static func isUTF8(_ bytes: [UInt8]) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
  }

  private static var wrongBytes: MappingError {
    MappingError(
      code("hl7.encoding"), field: "MSH-18",
      explanation: "the message holds bytes that the character set of MSH-18 does not have;"
        + " an empty MSH-18 is read as UTF-8",
      acknowledgement: .reject)
  }
}
