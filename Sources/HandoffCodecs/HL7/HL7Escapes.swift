/// The escape sequences of HL7 v2, chapter 2.7.
enum HL7Escapes {
  /// The text meant, without blanks around it.
  ///
  /// Formatting commands become blanks or line ends, and what is no sequence of the standard stays
  /// as it is written.
  static func unescape(_ bytes: ArraySlice<UInt8>, separators: HL7Separators) -> String {
    guard bytes.contains(separators.escape) else { return trimmed(bytes) }
    var result: [UInt8] = []
    var rest = bytes
    while let start = rest.firstIndex(of: separators.escape) {
      result += rest[..<start]
      let after = rest.index(after: start)
      guard let end = rest[after...].firstIndex(of: separators.escape),
        let meant = meaning(of: rest[after..<end], separators: separators)
      else {
        result.append(separators.escape)
        rest = rest[after...]
        continue
      }
      result += meant
      rest = rest[rest.index(after: end)...]
    }
    result += rest
    return trimmed(result[...])
  }

  private static func meaning(
    of sequence: ArraySlice<UInt8>, separators: HL7Separators
  ) -> [UInt8]? {
    guard let first = sequence.first else { return nil }
    if sequence.count == 1 {
      switch first {
      case UInt8(ascii: "F"): return [separators.field]
      case UInt8(ascii: "S"): return [separators.component]
      case UInt8(ascii: "T"): return [separators.subcomponent]
      case UInt8(ascii: "R"): return [separators.repetition]
      case UInt8(ascii: "E"): return [separators.escape]
      case UInt8(ascii: "H"), UInt8(ascii: "N"), UInt8(ascii: "P"): return []
      default: return nil
      }
    }
    switch first {
    case UInt8(ascii: "X"): return hexadecimalBytes(sequence.dropFirst())
    case UInt8(ascii: "."):
      let command = String(decoding: sequence.dropFirst().prefix(2), as: UTF8.self)
      switch command {
      case "br", "sp", "ce": return [UInt8(ascii: "\n")]
      case "fi", "nf", "in", "ti", "sk": return [UInt8(ascii: " ")]
      default: return nil
      }
    default: return nil
    }
  }

  private static func hexadecimalBytes(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var rest = digits
    while !rest.isEmpty {
      guard let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
    let start = bytes.firstIndex { $0 > 0x20 } ?? bytes.endIndex
    let end = bytes.lastIndex { $0 > 0x20 }.map { bytes.index(after: $0) } ?? start
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}

extension HL7Escapes {
  /// The same text where separators stand for themselves.
  static func escape(_ text: String, separators: HL7Separators) -> [UInt8] {
    var result: [UInt8] = []
    for byte in text.utf8 {
      let letter: String? =
        switch byte {
        case separators.field: "F"
        case separators.component: "S"
        case separators.subcomponent: "T"
        case separators.repetition: "R"
        case separators.escape: "E"
        default: nil
        }
      if let letter {
        result += [separators.escape] + Array(letter.utf8) + [separators.escape]
      } else {
        result.append(byte < 0x20 ? 0x20 : byte)
      }
    }
    return result
  }
}
