import HandoffCore

/// Cuts a file into HL7 v2 messages: several MSH in a row, batches, or frames as they were captured.
enum HL7File {
  /// One message of the file, or what is wrong where one should stand.
  struct Part: Sendable {
    var range: Range<Int>
    /// A fault of the file itself, such as a batch that counts more messages than it holds.
    var fault: MappingError?
  }

  /// The messages in the order they stand.
  ///
  /// FHS, BHS, BTS and FTS (chapter 2.10.3) belong to no message. A batch whose BTS-1, or a file
  /// whose FTS-1, counts other than what came yields one more part with that fault: a lost message
  /// has to be seen.
  static func split(_ bytes: [UInt8], limits: MappingLimits) -> [Part] {
    var parts: [Part] = []
    var start: Int?
    var batchCount = 0
    var batches = 0
    var position = 0
    // Lines that belong to no message are one part however many they are.
    var isStray = false
    func close(at end: Int) {
      guard let first = start else { return }
      parts.append(Part(range: first..<end))
      start = nil
      batchCount += 1
    }
    while position < bytes.count, parts.count <= limits.messagesMax {
      let lineStart = position
      var end = position
      while end < bytes.count, !isLineEnd(bytes[end]) { end += 1 }
      // What was captured from MLLP keeps its framing bytes.
      var content = bytes[lineStart..<end].drop { $0 <= 0x20 }
      if lineStart == 0, content.starts(with: [0xEF, 0xBB, 0xBF]) {
        content = content.dropFirst(3).drop { $0 <= 0x20 }
      }
      switch String(decoding: content.prefix(3), as: UTF8.self) {
      case "MSH":
        close(at: content.startIndex)
        start = content.startIndex
      case "FHS": close(at: lineStart)
      case "BHS":
        close(at: lineStart)
        batchCount = 0
        batches += 1
      case "BTS":
        close(at: lineStart)
        if let fault = countFault(content, batchCount, of: "batch", "messages") {
          parts.append(Part(range: lineStart..<end, fault: fault))
        }
        batchCount = 0
      case "FTS":
        close(at: lineStart)
        // Messages without a BHS before them are one batch.
        if let fault = countFault(content, max(batches, 1), of: "file", "batches") {
          parts.append(Part(range: lineStart..<end, fault: fault))
        }
        batches = 0
      default:
        if start == nil, content.contains(where: { $0 > 0x20 }) {
          if isStray {
            parts[parts.count - 1].range = parts[parts.count - 1].range.lowerBound..<end
          } else {
            parts.append(Part(range: lineStart..<end, fault: headless))
          }
          isStray = true
        }
      }
      if start != nil { isStray = false }
      position = end
      while position < bytes.count, isLineEnd(bytes[position]) { position += 1 }
    }
    close(at: bytes.count)
    return parts
  }

  private static func isLineEnd(_ byte: UInt8) -> Bool {
    byte == 0x0D || byte == 0x0A || byte == MLLPFrame.end
  }

  /// A trailer that counts other than what came; its first field is the count.
  private static func countFault(
    _ line: ArraySlice<UInt8>, _ counted: Int, of whole: String, _ parts: String
  ) -> MappingError? {
    guard let separator = line.dropFirst(3).first else { return nil }
    let fields = line.split(separator: separator, omittingEmptySubsequences: false)
    guard fields.count > 1,
      let declared = Int(String(decoding: fields[1].filter { $0 > 0x20 }, as: UTF8.self)),
      declared != counted
    else { return nil }
    return MappingError(
      whole == "file" ? code("hl7.file-count") : code("hl7.batch-count"),
      field: whole == "file" ? "FTS-1" : "BTS-1",
      explanation: "the \(whole) holds \(counted) \(parts), and its trailer counts another number")
  }

  private static let headless = MappingError(
    code("hl7.segment-missing"), field: "MSH",
    explanation: "segments stand before the first MSH segment", acknowledgement: .reject)
}
