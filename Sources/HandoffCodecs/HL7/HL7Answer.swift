import HandoffCore

/// MSA: what a partner's system says of a message, seen by a connector that listens beside it.
struct HL7AnswerMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  /// The message that MSA-2 names, in the namespace of whom the answer is addressed to.
  var reference: RawReference? {
    guard let id = message.value("MSA", 2), id.utf8.count <= envelope.context.limits.identifierMax
    else { return nil }
    return RawReference(
      system: code("MSH-10"), value: id,
      assigner: HL7Envelope.namespace(
        envelope.base.receivingSystem, envelope.base.receivingOrganisation))
  }

  /// An ACK.
  ///
  /// AA comes from the receiver's system and is receipt; CA says only that the bytes are safe.
  /// From version 2.3.1 on MSH-9.2 repeats the event of the message that is answered, and an AA to
  /// something that the receiver said is the referrer's: it acknowledges feedback, or nothing.
  func map() throws(MappingError) -> MappingOutcome {
    guard message.first("MSA") != nil else { throw HL7Envelope.missing("MSA") }
    guard let answers = reference else {
      throw MappingError(
        code("hl7.field-missing"), field: "MSA-2",
        explanation: "the acknowledgement does not name the message it answers")
    }
    var result = try envelope.message(requiringPerson: false)
    var fact: MappedFact
    switch verdict {
    case "AA"? where Self.feedbackEvents.contains(envelope.trigger):
      fact = envelope.factFromSender(.feedbackAcknowledged)
      fact.provenance["type"] = "MSA-1, MSH-9"
    case "AA"? where Self.bookingEvents.contains(envelope.trigger):
      return .noHandoffFact(result, reason: code("hl7.booking-acknowledged"))
    case "AA"?: fact = make(.received, .receiver)
    case "CA"?: fact = make(.transportAccepted, .platform)
    default:
      guard let refusal = refusal() else {
        throw MappingError(
          code("hl7.code-unknown"), field: "MSA-1",
          explanation: "an acknowledgement says AA, AE, AR, CA, CE or CR (HL7 table 0008)")
      }
      fact = refusal
    }
    answer(answers, &fact)
    result.facts = [fact]
    return .mapped(result)
  }

  /// What MSA-1 says where the message was not taken; `nil` where it was, or there is no MSA.
  func refusal() -> MappedFact? {
    guard let verdict, ["AE", "AR", "CE", "CR"].contains(verdict) else { return nil }
    // Table 0357, 204: unknown key identifier, by which a system says it does not know the patient.
    let isPatientUnknown =
      verdict.hasPrefix("A")
      && message.all("ERR").contains { error in
        Self.errorCode(of: error) == "204"
          && (error.value(2, 1) ?? error.value(1, 1) ?? "PID") == "PID"
      }
    var fact =
      isPatientUnknown
      ? make(.recipientRefusedPatient, .receiver) : make(.transportFailed, .platform)
    let detail =
      message.all("ERR").lazy.compactMap { Self.errorCode(of: $0) }.first
      ?? message.value("MSA", 6)
    fact.reason =
      Code([verdict, detail].compactMap(\.self).joined(separator: ":")) ?? Code(verdict)
    let detailField =
      message.all("ERR").contains { Self.errorCode(of: $0) != nil }
      ? "ERR-3, ERR-1" : "MSA-6"
    fact.provenance["reason"] = detail == nil ? "MSA-1" : "MSA-1, \(detailField)"
    if isPatientUnknown { fact.provenance["type"] = "MSA-1, ERR-3, ERR-2, ERR-1" }
    if let reference { answer(reference, &fact) }
    return fact
  }

  private func answer(_ reference: RawReference, _ fact: inout MappedFact) {
    fact.set(answers: reference)
    fact.conversation = reference
    fact.provenance["conversation"] = "MSA-2"
  }

  /// ERR-3, or where versions before 2.5 put it: ERR-1.4.
  private static func errorCode(of error: HL7Segment) -> String? {
    error.value(3) ?? error.value(1, 4)
  }

  private var verdict: String? { message.value("MSA", 1)?.uppercased() }

  private func make(_ type: EventType, _ speaker: SpeakerRole) -> MappedFact {
    var fact = envelope.factFromReceiver(type, speaker)
    fact.provenance["type"] = "MSA-1"
    return fact
  }

  /// Results and documents: ORU^R01, MDM with content.
  private static let feedbackEvents: Set = ["R01", "T02", "T04", "T06", "T08", "T10"]
  private static let bookingEvents = Set((12...26).map { "S\($0)" })
}
