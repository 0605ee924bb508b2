import HandoffCore

/// Maps a frame or a file, whatever of the formats taken here it holds.
///
/// Every message becomes exactly one of mapped, without handoff fact, or refused; a file that
/// holds no message at all is one refusal. Nothing is thrown: a bad message does not keep its
/// neighbours from being read.
package struct FrameMapper: Sendable {
  package let context: MappingContext

  package init(_ context: MappingContext = MappingContext()) {
    self.context = context
  }

  /// The messages in the order they stand.
  ///
  /// `answered` is what the connector knows the bytes to be the HTTP answer to.
  package func map(_ bytes: [UInt8], answering answered: RawReference? = nil) -> [MappedFrame] {
    guard bytes.count <= context.limits.fileBytesMax else {
      return [
        whole(
          bytes, "format.too-long",
          "the file is longer than the limit fileBytesMax of \(context.limits.fileBytesMax) bytes")
      ]
    }
    if let (headers, body) = FrameEnvelope.open(bytes) {
      return [mapEnvelope(bytes, headers: headers, body: body, answering: answered)]
    }
    switch FrameFormat.detect(bytes) {
    case .hl7: return mapHL7(bytes)
    case .json: return [mapJSON(bytes, answering: answered)]
    case .ndjson: return mapLines(bytes)
    case .xml: return [mapXML(bytes, answering: answered)]
    case .utf16:
      return [
        whole(bytes, "format.unsupported-utf16", "UTF-16 is not taken here; send UTF-8 or 8859/1")
      ]
    case .empty: return [whole(bytes, "format.empty", "there is no message")]
    case .unknown:
      return [
        whole(
          bytes, "format.unknown",
          "taken here are HL7 v2 (beginning with MSH, FHS or BHS), JSON, NDJSON and XML")
      ]
    }
  }

  private func mapHL7(_ bytes: [UInt8]) -> [MappedFrame] {
    let parts = HL7File.split(bytes, limits: context.limits)
    guard !parts.isEmpty else {
      return [whole(bytes, "format.empty", "the batch holds no message")]
    }
    let mapper = HL7Mapper(context: context)
    var frames: [MappedFrame] = []
    for part in parts {
      guard frames.count < context.limits.messagesMax else { return frames + [tooMany(frames)] }
      let outcome = part.fault.map { MappingOutcome.refused($0) } ?? mapper.map(bytes[part.range])
      frames.append(MappedFrame(index: frames.count, range: part.range, outcome: outcome))
    }
    return frames
  }

  /// One message with the headers of its transport; a file of several messages has none.
  private func mapEnvelope(
    _ bytes: [UInt8], headers: FrameHeaders, body: Int, answering answered: RawReference?
  ) -> MappedFrame {
    let inner = Array(bytes[body...])
    let answered = headers.answered ?? answered
    let outcome: MappingOutcome
    switch FrameFormat.detect(inner) {
    case _ where headers.isReport: outcome = MESHMapper(context: context).report(headers)
    case .json: outcome = mapJSON(inner, answering: answered).outcome
    case .xml: outcome = mapXML(inner, answering: answered).outcome
    case .hl7:
      let frames = mapHL7(inner)
      outcome =
        frames.count == 1
        ? frames[0].outcome
        : whole(bytes, "format.too-many-messages", "an envelope holds one message").outcome
    case .empty where headers.status != nil:
      outcome = FHIROutcomeMapper(context: context).bare(headers, answering: answered)
    default:
      outcome = whole(bytes, "format.unknown", "an envelope holds HL7 v2, JSON or XML").outcome
    }
    return MappedFrame(index: 0, range: 0..<bytes.count, outcome: headers.applied(to: outcome))
  }

  private func mapXML(_ bytes: [UInt8], answering answered: RawReference?) -> MappedFrame {
    let start = FrameFormat.start(of: bytes)
    return MappedFrame(
      index: 0, range: 0..<bytes.count,
      outcome: XMLMapper(context: context).map(bytes[start...], answering: answered))
  }

  private func mapJSON(_ bytes: [UInt8], answering answered: RawReference?) -> MappedFrame {
    let start = FrameFormat.start(of: bytes)
    return MappedFrame(
      index: 0, range: 0..<bytes.count,
      outcome: mapDocument(bytes[start...], line: nil, answering: answered))
  }

  /// One document a line; empty lines hold none.
  private func mapLines(_ bytes: [UInt8]) -> [MappedFrame] {
    var frames: [MappedFrame] = []
    var position = FrameFormat.start(of: bytes)
    var line = bytes[..<position].filter { $0 == 0x0A }.count
    while position < bytes.count {
      let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.endIndex
      line += 1
      let content = bytes[position..<end]
      if content.contains(where: { $0 > 0x20 }) {
        guard frames.count < context.limits.messagesMax else { return frames + [tooMany(frames)] }
        frames.append(
          MappedFrame(
            index: line - 1, range: position..<end,
            outcome: mapDocument(content, line: line, answering: nil)))
      }
      position = end + 1
    }
    return frames
  }

  private func mapDocument(
    _ bytes: ArraySlice<UInt8>, line: Int?, answering answered: RawReference?
  ) -> MappingOutcome {
    do throws(MappingError) {
      let json = try JSONParser.parse(bytes, limits: context.limits)
      guard case .object = json else {
        throw MappingError(
          code("json.not-an-object"), explanation: "a message is a JSON object",
          acknowledgement: .reject)
      }
      if json["specversion"] != nil {
        return located(SubmissionMapper(context: context).map(json), line: line)
      }
      if MESHTracking.isTracking(json) {
        return located(MESHMapper(context: context).map(json), line: line)
      }
      if json["resourceType"] != nil {
        return located(FHIRMapper(context: context).map(json, answering: answered), line: line)
      }
      throw MappingError(
        code("json.unknown-message"),
        explanation: "the object is neither FHIR (resourceType) nor a CloudEvent (specversion)",
        acknowledgement: .reject)
    } catch {
      return located(.refused(error), line: line)
    }
  }

  /// Puts the line before the field of a refusal.
  private func located(_ outcome: MappingOutcome, line: Int?) -> MappingOutcome {
    guard let line, case .refused(var error) = outcome else { return outcome }
    error.field = ["line \(line)", error.field].compactMap(\.self).joined(separator: ", ")
    return .refused(error)
  }

  private func whole(
    _ bytes: [UInt8], _ name: StaticString, _ explanation: String
  ) -> MappedFrame {
    MappedFrame(
      index: 0, range: 0..<bytes.count,
      outcome: .refused(
        MappingError(code(name), explanation: explanation, acknowledgement: .reject)))
  }

  private func tooMany(_ frames: [MappedFrame]) -> MappedFrame {
    let end = frames.last?.range.upperBound ?? 0
    return MappedFrame(
      index: (frames.last?.index ?? -1) + 1, range: end..<end,
      outcome: .refused(
        MappingError(
          code("format.too-many-messages"),
          explanation: "the file holds more than messagesMax (\(context.limits.messagesMax))"
            + " messages; the rest was not read")))
  }
}
