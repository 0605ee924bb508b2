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
    let type: EventType
    switch envelope.trigger {
    case "I12": type = .handoffRequested
    case "I13": type = .handoffAmended
    case "I14": type = isEnteredInError ? .voided : .cancelled
    case "I15":
      // A question about a referral changes nothing; its answer, an RRI, may.
      return .noHandoffFact(
        try envelope.message(requiringPerson: false), reason: code("hl7.status-request"))
    default: throw Self.unsupportedEvent
    }
    var result = try envelope.message(requiringPerson: true)
    var fact = envelope.factFromSender(type)
    if let known = referredTo { fact.set(to: known) }
    addReferences(to: &fact, owner: envelope.senderName)
    guard let handoff = fact.handoff else { throw missingReference }
    addNeed(to: &fact)
    if type == .cancelled || type == .voided {
      fact.set(reason: status.map { "RF1-1:\($0)" }, field: "RF1-1")
      if isEnteredInError { fact.provenance["type"] = "MSH-9, RF1-1, RF1-10" }
    }
    result.facts = [fact]
    if type == .handoffRequested, let old = redirected {
      result.facts[0].parentHandoff = old
      result.facts[0].provenance["parentHandoff"] = "RF1-11"
      result.facts.append(redirection(of: old, to: handoff))
    }
    return .mapped(result)
  }

  /// RRI I12 to I15: what the receiver says is in RF1-1, unless MSA-1 refuses the message itself.
  func mapAnswer() throws(MappingError) -> MappingOutcome {
    var result = try envelope.message(requiringPerson: false)
    guard ["I12", "I13", "I14", "I15"].contains(envelope.trigger) else {
      throw Self.unsupportedEvent
    }
    let answers = HL7AnswerMapper(envelope).reference
    if let refusal = HL7AnswerMapper(envelope).refusal() {
      if envelope.trigger == "I14" {
        return .noHandoffFact(result, reason: code("hl7.cancellation-refused"))
      }
      var fact = refusal
      addReferences(to: &fact, owner: envelope.addresseeName)
      result.facts = [fact]
      return .mapped(result)
    }
    if envelope.trigger == "I14" {
      // The answer to a cancellation confirms it: read as RF1-1 it would accept what is cancelled.
      return .noHandoffFact(result, reason: code("hl7.cancellation-confirmed"))
    }
    let type = try answeredType()
    var fact = envelope.factFromReceiver(type, type == .expired ? .platform : .receiver)
    if status != nil { fact.provenance["type"] = "RF1-1" }
    addReferences(to: &fact, owner: envelope.addresseeName)
    guard fact.handoff != nil || answers != nil else { throw missingReference }
    addNeed(to: &fact)
    fact.set(answers: answers)
    fact.conversation = answers
    fact.provenance["conversation"] = fact.provenance["answers"]
    if type == .rejected || type == .infoRequested {
      fact.set(reason: message.value("RF1", 10), field: "RF1-10")
      if fact.reason == nil, status == "C" { fact.set(reason: "RF1-1:C", field: "RF1-1") }
    }
    result.facts = [fact]
    return .mapped(result)
  }

  /// HL7 table 0283, as its letter or its word, and what is seen beside it.
  ///
  /// `C` is no code of the table: a receiver that has cancelled the work does not do it.
  private func answeredType() throws(MappingError) -> EventType {
    switch status {
    case "A"?, "ACCEPTED"?: return .accepted
    case "P"?, "PENDING"?: return envelope.trigger == "I15" ? .infoRequested : .received
    case nil: return .received
    case "R"?, "REJECTED"?, "C"?, "CANCELLED"?: return .rejected
    case "E"?, "EXPIRED"?: return .expired
    default:
      throw MappingError(
        code("hl7.code-unknown"), field: "RF1-1",
        explanation: "an answer says A, P, R or E (HL7 table 0283)")
    }
  }

  private var status: String? { message.value("RF1", 1)?.uppercased() }

  /// Whether status or reason say that the referral should never have been.
  private var isEnteredInError: Bool {
    let words: Set = ["EIE", "ERR", "ENTERED-IN-ERROR", "ENTEREDINERROR"]
    return [status, message.value("RF1", 10)?.uppercased()].contains { words.contains($0 ?? "") }
  }

  /// RF1-6, else RF1-11, else ORC-2 is the handoff; every other id is kept beside it.
  private func addReferences(to fact: inout MappedFact, owner: String?) {
    let candidates = [
      envelope.reference("RF1", 6, owner: owner), envelope.reference("RF1", 11, owner: owner),
      envelope.reference("ORC", 2, owner: owner),
    ].compactMap(\.self)
    fact.set(handoff: candidates.first)
    fact.set(
      references: candidates + [
        envelope.reference("ORC", 3), envelope.reference("PV1", 19), envelope.reference("PV1", 50),
      ])
  }

  private func addNeed(to fact: inout MappedFact) {
    guard let referral = message.first("RF1") else { return }
    let coded = [3, 5].compactMap { field in
      referral.value(field).flatMap { context.kinds["RF1-\(field):\($0)"] ?? context.kinds[$0] }
        .map { ($0, "RF1-\(field)") }
    }.first
    fact.kind = coded?.0 ?? context.defaultKind
    fact.provenance["kind"] = coded?.1 ?? connectorProvenance
    let urgency = referral.value(2).flatMap { context.priorities[$0.lowercased()] }
    fact.priority = urgency ?? context.defaultPriority
    fact.provenance["priority"] = urgency == nil ? connectorProvenance : "RF1-2"
    fact.needCode = referral.value(3).flatMap { Code($0) }
    fact.provenance["needCode"] = fact.needCode == nil ? nil : "RF1-3"
  }

  /// PRD-10 of the provider referred to, where the connector knows it: MSH-6 may be a hub.
  private var referredTo: HL7Party? {
    for provider in message.all("PRD")
    where provider.repetitions(1).contains(where: { $0.value(1) == "RT" }) {
      guard let name = provider.value(10), let known = context.organisations[name] else { continue }
      return HL7Party(
        party: RawParty(
          organisation: name, odsCode: known, system: envelope.base.receivingSystem),
        fields: envelope.base.receivingSystem == nil ? "PRD-10" : "PRD-10, MSH-5")
    }
    return nil
  }

  // MARK: Referral onwards

  /// The referral that this new one comes from: RF1-11 as a third party's id (domain.md §2.2, 11).
  ///
  /// RF1-11 is otherwise the addressee's id of the same referral. Only an assigner that stands in
  /// the connector's `organisations`, and that is neither end, makes it another's referral: a word
  /// that could be an ODS code (`EXTID`) is none by that.
  private var redirected: RawReference? {
    guard let old = envelope.reference("RF1", 11), message.value("RF1", 6) != nil,
      let owner = message.value("RF1", 11, 2), let code = context.organisations[owner],
      code != envelope.sender?.party.odsCode, code != envelope.addressee?.party.odsCode,
      code != referredTo?.party.odsCode
    else { return nil }
    return old
  }

  /// The sender of the new referral was the receiver of the old one.
  private func redirection(of old: RawReference, to new: RawReference) -> MappedFact {
    var fact = envelope.fact(.redirected, .receiver)
    fact.provenance["type"] = "MSH-9, RF1-11"
    fact.set(to: envelope.sender)
    fact.set(handoff: old)
    fact.newHandoff = new
    fact.provenance["newHandoff"] = new.system.description
    return fact
  }

  private var missingReference: MappingError {
    MappingError(
      code("hl7.field-missing"), field: "RF1-6",
      explanation: "nothing names the referral: RF1-6, RF1-11 and ORC-2 are empty")
  }

  private static var unsupportedEvent: MappingError {
    HL7Envelope.unsupportedEvent(
      "of referrals, the events I12, I13, I14 and I15 are taken here")
  }
}
