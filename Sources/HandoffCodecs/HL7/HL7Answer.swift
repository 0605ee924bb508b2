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
  func map() throws(MappingError) -> MappingOutcome {
    guard message.first("MSA") != nil else { throw HL7Envelope.missing("MSA") }
    guard let answers = reference else {
      throw MappingError(
        code("hl7.field-missing"), field: "MSA-2",
        explanation: "the acknowledgement does not name the message it answers")
    }
    let fact: MappedFact
    switch verdict {
    case "AA"?: fact = make(.received, .receiver)
    case "CA"?: fact = make(.transportAccepted, .platform)
    default:
      guard let refusal = try refusal() else {
        throw MappingError(
          code("hl7.code-unknown"), field: "MSA-1",
          explanation: "an acknowledgement says AA, AE, AR, CA, CE or CR (HL7 table 0008)")
      }
      fact = refusal
    }
    var result = envelope.base
    var answered = fact
    answered.answers = answers
    answered.conversation = answers
    result.person = try envelope.person()
    result.facts = [answered]
    return .mapped(result)
  }

  /// What MSA-1 says where the message was not taken; `nil` where it was, or there is no MSA.
  func refusal() throws(MappingError) -> MappedFact? {
    guard let verdict, ["AE", "AR", "CE", "CR"].contains(verdict) else { return nil }
    // Table 0357, 204: unknown key identifier, by which a system says it does not know the patient.
    let isPatientUnknown =
      verdict.hasPrefix("A")
      && message.all("ERR").contains { error in
        error.value(3) == "204" && (error.value(2, 1) ?? "PID") == "PID"
      }
    var fact =
      isPatientUnknown
      ? make(.recipientRefusedPatient, .receiver) : make(.transportFailed, .platform)
    let detail = message.all("ERR").lazy.compactMap { $0.value(3) }.first
    fact.reason =
      Code([verdict, detail].compactMap(\.self).joined(separator: ":")) ?? Code(verdict)
    fact.provenance["reason"] = detail == nil ? "MSA-1" : "ERR-3"
    fact.answers = reference
    fact.conversation = reference
    return fact
  }

  private var verdict: String? { message.value("MSA", 1)?.uppercased() }

  private func make(_ type: EventType, _ speaker: SpeakerRole) -> MappedFact {
    var fact = envelope.fact(type, speaker)
    fact.provenance["type"] = "MSA-1"
    fact.from = envelope.addressee
    fact.to = envelope.sender
    return fact
  }
}
