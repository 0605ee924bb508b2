import HandoffCore

/// REF (a sender's request) and RRI (the receiver's answer to it).
struct HL7ReferralMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }
  private var context: MappingContext { envelope.context }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  /// REF I12 to I15.
  ///
  /// MSH-9 decides: senders leave RF1-1 at `P` even where they cancel (domain.md §5).
  func mapRequest() throws(MappingError) -> MappingOutcome {
    var result = envelope.base
    let type: EventType
    switch envelope.trigger {
    case "I12": type = .handoffRequested
    case "I13": type = .handoffAmended
    case "I14": type = isEnteredInError ? .voided : .cancelled
    case "I15":
      result.person = try envelope.person()
      // A question about a referral changes nothing; its answer, an RRI, may.
      return .noHandoffFact(result, reason: code("hl7.status-request"))
    default: throw Self.unsupportedEvent
    }
    result.person = try envelope.requiredPerson()
    var fact = envelope.fact(type, .sender)
    fact.from = envelope.sender
    fact.to = referredTo ?? envelope.addressee
    addReferences(to: &fact, owner: senderName)
    guard fact.handoff != nil else { throw missingReference }
    addNeed(to: &fact)
    if type == .cancelled || type == .voided {
      fact.reason = status.flatMap { Code("RF1-1:\($0)") }
    }
    result.facts = [fact]
    return .mapped(result)
  }

  /// RRI I12 to I15: what the receiver says is in RF1-1, unless MSA-1 refuses the message itself.
  func mapAnswer() throws(MappingError) -> MappingOutcome {
    var result = envelope.base
    result.person = try envelope.person()
    guard ["I12", "I13", "I14", "I15"].contains(envelope.trigger) else {
      throw Self.unsupportedEvent
    }
    let answers = HL7AnswerMapper(envelope).reference
    if let refusal = try HL7AnswerMapper(envelope).refusal() {
      if envelope.trigger == "I14" {
        return .noHandoffFact(result, reason: code("hl7.cancellation-refused"))
      }
      var fact = refusal
      addReferences(to: &fact, owner: addresseeName)
      result.facts = [fact]
      return .mapped(result)
    }
    if envelope.trigger == "I14" {
      // The answer to a cancellation confirms it: read as RF1-1 it would accept what is cancelled.
      return .noHandoffFact(result, reason: code("hl7.cancellation-confirmed"))
    }
    guard let type = try answeredType() else {
      return .noHandoffFact(result, reason: code("hl7.cancellation-confirmed"))
    }
    var fact = envelope.fact(type, type == .expired ? .platform : .receiver)
    if status != nil { fact.provenance["type"] = "RF1-1" }
    fact.from = envelope.addressee
    fact.to = envelope.sender
    addReferences(to: &fact, owner: addresseeName)
    guard fact.handoff != nil || answers != nil else { throw missingReference }
    addNeed(to: &fact)
    fact.answers = answers
    fact.conversation = answers
    if type == .rejected || type == .infoRequested {
      fact.reason = message.value("RF1", 10).flatMap { Code($0) }
      fact.provenance["reason"] = fact.reason == nil ? nil : "RF1-10"
    }
    result.facts = [fact]
    return .mapped(result)
  }

  /// HL7 table 0283, with what is seen beside it; `nil` where it confirms a cancellation.
  private func answeredType() throws(MappingError) -> EventType? {
    switch status {
    case "A"?: return .accepted
    case "P"?: return envelope.trigger == "I15" ? .infoRequested : .received
    case nil: return .received
    case "R"?: return .rejected
    case "E"?: return .expired
    case "C"?: return nil
    default:
      throw MappingError(
        code("hl7.code-unknown"), field: "RF1-1",
        explanation: "an answer says A, P, R or E (HL7 table 0283)")
    }
  }

  private var status: String? { message.value("RF1", 1)?.uppercased() }

  private var isEnteredInError: Bool {
    ["EIE", "ERR", "ENTERED-IN-ERROR", "ENTEREDINERROR"].contains(status ?? "")
  }

  private var senderName: String? {
    envelope.base.sendingOrganisation ?? envelope.base.sendingSystem
  }
  private var addresseeName: String? {
    envelope.base.receivingOrganisation ?? envelope.base.receivingSystem
  }

  /// RF1-6, else RF1-11, else ORC-2 is the handoff; every other id is kept beside it.
  private func addReferences(to fact: inout MappedFact, owner: String?) {
    let candidates = [
      envelope.reference("RF1", 6, owner: owner), envelope.reference("RF1", 11, owner: owner),
      envelope.reference("ORC", 2, owner: owner),
    ].compactMap(\.self)
    fact.handoff = candidates.first
    fact.provenance["handoff"] = fact.handoff?.system.description
    fact.references =
      Array(candidates.dropFirst())
      + [
        envelope.reference("ORC", 3), envelope.reference("PV1", 19), envelope.reference("PV1", 50),
      ].compactMap(\.self)
  }

  private func addNeed(to fact: inout MappedFact) {
    guard let referral = message.first("RF1") else { return }
    let coded = [3, 5].compactMap { field in
      referral.value(field).flatMap { context.kinds["RF1-\(field):\($0)"] ?? context.kinds[$0] }
        .map { ($0, "RF1-\(field)") }
    }.first
    fact.kind = coded?.0 ?? context.defaultKind
    fact.provenance["kind"] = coded?.1
    let urgency = referral.value(2).flatMap { context.priorities[$0.lowercased()] }
    fact.priority = urgency ?? context.defaultPriority
    if urgency != nil { fact.provenance["priority"] = "RF1-2" }
    fact.needCode = referral.value(3).flatMap { Code($0) }
    if fact.needCode != nil { fact.provenance["needCode"] = "RF1-3" }
  }

  /// PRD-10 of the provider referred to, where the connector knows it: MSH-6 may be a hub.
  private var referredTo: RawParty? {
    for provider in message.all("PRD")
    where provider.repetitions(1).contains(where: { $0.value(1) == "RT" }) {
      guard let name = provider.value(10), let known = context.organisations[name] else { continue }
      return RawParty(
        organisation: name, odsCode: known, system: envelope.base.receivingSystem)
    }
    return nil
  }

  private var missingReference: MappingError {
    MappingError(
      code("hl7.field-missing"), field: "RF1-6",
      explanation: "nothing names the referral: RF1-6, RF1-11 and ORC-2 are empty")
  }

  private static var unsupportedEvent: MappingError {
    MappingError(
      code("hl7.unsupported-event"), field: "MSH-9",
      explanation: "of referrals, the events I12, I13, I14 and I15 are taken here",
      acknowledgement: .reject)
  }
}
