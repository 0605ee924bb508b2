/// What a frame or file holds, told by its first bytes.
package enum FrameFormat: String, CaseIterable, Hashable, Sendable {
  /// HL7 v2: one message, several, or a batch.
  case hl7
  /// One JSON document.
  case json
  /// JSON documents line by line.
  case ndjson
  case xml
  case utf16
  case empty
  case unknown

  /// Looks past a byte order mark, blanks and MLLP framing.
  package static func detect(_ bytes: [UInt8]) -> FrameFormat {
    let head = bytes.prefix(4)
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return .utf16 }
    let content = bytes[start(of: bytes)...]
    guard let first = content.first else { return .empty }
    // Without a byte order mark, UTF-16 shows as every other byte being zero.
    if head.count == 4, head[0] == 0 || head[1] == 0, head[2] == 0 || head[3] == 0 {
      return .utf16
    }
    switch first {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      return isLines(content) ? .ndjson : .json
    case UInt8(ascii: "<"): return .xml
    default:
      let name = String(decoding: content.prefix(3), as: UTF8.self)
      return ["MSH", "FHS", "BHS"].contains(name) ? .hl7 : .unknown
    }
  }

  /// Index of the first byte of content.
  static func start(of bytes: [UInt8]) -> Int {
    let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return bytes[mark...].firstIndex { $0 > 0x20 } ?? bytes.endIndex
  }

  /// Whether the first line is a document of its own and another line follows.
  ///
  /// A document printed over several lines does not close on its first one.
  private static func isLines(_ content: ArraySlice<UInt8>) -> Bool {
    let line = content.prefix { $0 != 0x0A }
    guard line.count < content.count, content[line.endIndex...].contains(where: { $0 > 0x20 })
    else { return false }
    var limits = MappingLimits()
    limits.nestingMax = 256
    return (try? JSONParser.parse(line, limits: limits)) != nil
  }
}
