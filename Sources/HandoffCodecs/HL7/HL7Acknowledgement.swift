package import HandoffCore

/// Answers to HL7 v2 messages, in original and enhanced mode (HL7 v2.8, chapter 2.9).
///
/// An answer of Baton says at most that the message is safe or refused: AA and CA are transport
/// acknowledgement. It repeats MSH-10 and what the sender calls itself, and no other value.
package enum HL7Acknowledgement {
  /// How an answer is stamped.
  package struct Stamp: Sendable {
    /// MSH-10 of the answer: an id of ours.
    package var controlID: String
    package var at: Timestamp

    package init(controlID: String, at: Timestamp) {
      self.controlID = controlID
      self.at = at
    }
  }

  /// The answer to a message by what became of it; `nil` where none must be sent.
  ///
  /// None is sent to an acknowledgement, and where MSH-15 or MSH-16 asks for none in this case.
  package static func answer(
    to message: some Collection<UInt8>, outcome: MappingOutcome, stamp: Stamp
  ) -> [UInt8]? {
    switch outcome {
    case .mapped, .noHandoffFact: compose(to: message, verdict: .accept, error: nil, stamp: stamp)
    case .refused(let error):
      compose(
        to: message, verdict: error.acknowledgement == .reject ? .reject : .error, error: error,
        stamp: stamp)
    }
  }

  /// The answer where the fault is ours: a full disk, a full outbox, or a frame that was skipped.
  package static func failure(
    to message: some Collection<UInt8>, error: MappingError, stamp: Stamp
  ) -> [UInt8]? {
    compose(
      to: message, verdict: error.acknowledgement == .reject ? .reject : .error, error: error,
      stamp: stamp)
  }

  /// MSA-1 of an answer, such as `AA`; `nil` where it is none.
  package static func verdict(of answer: [UInt8]) -> String? {
    (try? HL7Message(answer))?.value("MSA", 1)
  }

  private enum Verdict: String {
    case accept = "A"
    case error = "E"
    case reject = "R"
  }

  private static func compose(
    to message: some Collection<UInt8>, verdict: Verdict, error: MappingError?, stamp: Stamp
  ) -> [UInt8]? {
    let header = HL7Header(message.prefix(MLLPFrameDecoder.headBytesMax * 4))
    guard header?.isAcknowledgement != true else { return nil }
    guard let mode = mode(for: header, verdict) else { return nil }
    let separators = header?.separators ?? .standard
    var lines = [head(of: header, separators: separators, stamp: stamp)]
    let acknowledged = header.map { $0.raw(10) } ?? []
    lines.append(
      joined(
        [ascii("MSA"), ascii(mode + verdict.rawValue), acknowledged], by: separators.field))
    if let error { lines.append(errorSegment(error, separators: separators)) }
    return lines.flatMap { $0 + [MLLPFrame.carriageReturn] }
  }

  /// `C` for an accept acknowledgement, `A` for an application acknowledgement, `nil` for none.
  ///
  /// In enhanced mode whoever stores the message gives the accept acknowledgement. Where the
  /// sender wants only the other kind it is given that one, so that it does not wait for ever.
  private static func mode(for header: HL7Header?, _ verdict: Verdict) -> String? {
    guard let header, header.acceptCondition != nil || header.applicationCondition != nil else {
      return "A"
    }
    if isWanted(header.acceptCondition, verdict) { return "C" }
    return isWanted(header.applicationCondition, verdict) ? "A" : nil
  }

  /// HL7 table 0155; an empty condition in enhanced mode asks for none.
  private static func isWanted(_ condition: String?, _ verdict: Verdict) -> Bool {
    switch condition {
    case nil, "NE"?: false
    case "ER"?: verdict != .accept
    case "SU"?: verdict == .accept
    default: true
    }
  }

  private static func head(
    of header: HL7Header?, separators: HL7Separators, stamp: Stamp
  ) -> [UInt8] {
    let encoding = [
      separators.component, separators.repetition, separators.escape, separators.subcomponent,
    ]
    let component = String(decoding: [separators.component], as: UTF8.self)
    let trigger = header?.messageType?.split(separator: "^").dropFirst().first.map(String.init)
    let isModern = header?.version.map { !["2.1", "2.2", "2.3"].contains($0) } ?? true
    let code = trigger.flatMap { Code($0) }?.description
    var type = "ACK"
    if let code, isModern { type += component + code + component + "ACK" }
    return joined(
      [
        ascii("MSH"), Array(encoding.prefix { $0 != 0 }), header?.raw(5) ?? [],
        header?.raw(6) ?? [], header?.raw(3) ?? [],
        header?.raw(4) ?? [], ascii(stamp.at.hl7Text), [], ascii(type), ascii(stamp.controlID),
        header.map { $0.raw(11) } ?? ascii("P"), header.map { $0.raw(12) } ?? ascii("2.5"),
      ], by: separators.field)
  }

  /// ERR as of v2.5: location, HL7 error code, severity, application error code, diagnostics.
  private static func errorSegment(_ error: MappingError, separators: HL7Separators) -> [UInt8] {
    let component = String(decoding: [separators.component], as: UTF8.self)
    let place = error.field.flatMap { location(of: $0, component: component) } ?? ""
    let (number, meaning) = tableEntry(for: error)
    let coded = [number, meaning, "HL70357"].joined(separator: component)
    let own = [error.code.description, "", "BATON"].joined(separator: component)
    let text = [error.field, error.explanation].compactMap(\.self).joined(separator: ": ")
    return joined(
      [
        ascii("ERR"), [], ascii(place), ascii(coded), ascii("E"), ascii(own), [],
        HL7Escapes.escape(text, separators: separators),
      ], by: separators.field)
  }

  /// ERL: `PID-3` is `PID^1^3`; a place that is no field has none.
  private static func location(of field: String, component: String) -> String? {
    let parts = field.split(separator: "-")
    guard let segment = parts.first, segment.utf8.count == 3 else { return nil }
    guard parts.count == 2, let number = parts[1].split(separator: ".").first, Int(number) != nil
    else { return parts.count == 1 ? "\(segment)\(component)1" : nil }
    return "\(segment)\(component)1\(component)\(number)"
  }

  /// HL7 table 0357.
  private static func tableEntry(for error: MappingError) -> (String, String) {
    switch error.code.description {
    case "hl7.segment-missing", "hl7.segment-name": ("100", "Segment sequence error")
    case "hl7.field-missing", "identity.patient-missing": ("101", "Required field missing")
    case "hl7.timestamp", "hl7.encoding", "hl7.separators": ("102", "Data type error")
    case "hl7.code-unknown": ("103", "Table value not found")
    case "hl7.unsupported-message": ("200", "Unsupported message type")
    case "hl7.unsupported-event": ("201", "Unsupported event code")
    case "hl7.processing-id": ("202", "Unsupported processing id")
    case "hl7.version-unsupported": ("203", "Unsupported version id")
    case "identity.nhs-number-check-digit", "identity.nhs-number-format",
      "identity.nhs-number-conflict":
      ("102", "Data type error")
    default: ("207", "Application internal error")
    }
  }

  private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func joined(_ fields: [[UInt8]], by separator: UInt8) -> [UInt8] {
    Array(fields.joined(separator: [separator]))
  }
}
