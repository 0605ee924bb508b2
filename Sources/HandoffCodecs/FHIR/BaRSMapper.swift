import HandoffCore

/// NHS Booking and Referral Standard, Core 1.5: what a message says of a handoff.
struct BaRSMapper: Sendable {
  let message: FHIRMessage
  var scope: FHIRScope { message.scope }
  var document: FHIRDocument { message.document }
  var context: MappingContext { message.context }

  init(_ message: FHIRMessage) { self.message = message }

  func map() throws(MappingError) -> MappingOutcome {
    switch message.event {
    case "servicerequest-request": return try mapRequest()
    case "servicerequest-response": return try mapAnswer()
    case "booking-request", "booking-response": return try mapBooking()
    default:
      throw MappingError(
        code("fhir.unsupported-event"), field: "\(message.header.path).eventCoding.code",
        explanation: "taken here are the events of BaRS, of ITK3, of NHS 111 referrals and of"
          + " HL7 v2", acknowledgement: .reject)
    }
  }

  // MARK: A sender's request

  private func mapRequest() throws(MappingError) -> MappingOutcome {
    let request = try requiredServiceRequest()
    var result = message.base
    result.take(
      \.person, "person", try message.person(subject: request["subject"], of: request))
    let status = request["status"]
    guard
      let type = BaRSRequests.type(reason: message.reason?.value, status: status?.text)
    else {
      throw MappingError(
        code("fhir.code-unknown"), field: "\(request.path).status",
        explanation: "with this message reason, a request's status is active, revoked or"
          + " entered-in-error, and the reason is new, update or delete")
    }
    guard result.person != nil else { throw missingPatient }
    var fact = MappedFact(type: type, speaker: .sender)
    fact.provenance["type"] =
      [message.reason?.path, status?.path].compactMap(\.self).joined(separator: ", ")
    fact.take(\.from, "from", message.sender)
    fact.take(
      \.to, "to",
      message.addressee ?? scope.reader.party(request["performer"], from: request))
    fact.take(\.handoff, "handoff", try handoff(of: request))
    fact.refer(references(beside: request))
    fact.take(\.journey, "journey", scope.journey(of: request["encounter"], from: request))
    // An onward referral is based on the one that it goes on from.
    fact.take(
      \.parentHandoff, "parentHandoff",
      request.node.all("basedOn").lazy
        .compactMap { scope.id($0, from: request, type: "ServiceRequest") }
        .first { $0.value != fact.handoff })
    fact.take(
      \.supersedes, "supersedes",
      request.node.all("replaces").lazy
        .compactMap { scope.id($0, from: request, type: "ServiceRequest") }.first)
    addNeed(of: request, to: &fact)
    // authoredOn stays the same over updates, so it dates the first message only.
    try scope.setTime(
      of: &fact, from: [type == .handoffRequested ? request["authoredOn"] : nil],
      resource: request, else: message.recordedAt)
    if type == .cancelled || type == .voided {
      fact.take(\.reason, "reason", scope.word(request.node.code("reasonCode")))
    }
    result.facts = [fact]
    return .mapped(result)
  }

  // MARK: A receiver's answer

  private func mapAnswer() throws(MappingError) -> MappingOutcome {
    let request = message.focus("ServiceRequest") ?? document.first("ServiceRequest")
    var result = message.base
    result.take(
      \.person, "person", try message.person(subject: request?["subject"], of: request))
    let answers = message.answers
    let handoff = try request.map { resource throws(MappingError) in
      try self.handoff(of: resource)
    }
    guard answers != nil || handoff != nil else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(message.header.path).response.identifier",
        explanation: "nothing names the request that this answers")
    }
    let encounter = try receiversEncounter(request: request)
    guard var fact = try answeredFact(request: request, encounter: encounter) else {
      return .noHandoffFact(result, reason: code("bars.no-handoff-meaning"))
    }
    fact.take(\.from, "from", message.addressee)
    fact.take(\.to, "to", message.sender)
    fact.take(\.handoff, "handoff", handoff)
    fact.take(\.answers, "answers", answers)
    fact.take(\.conversation, "conversation", answers)
    if let request {
      fact.refer(references(beside: request))
      fact.take(\.journey, "journey", scope.journey(of: request["encounter"], from: request))
      addNeed(of: request, to: &fact)
    }
    try scope.setTime(
      of: &fact, from: [], resource: encounter, else: message.recordedAt)
    result.facts = [fact]
    return .mapped(result)
  }

  /// What the receiver says; `nil` where it is nothing a handoff rests on.
  private func answeredFact(
    request: FHIRDocument.Resource?, encounter: FHIRDocument.Resource?
  ) throws(MappingError) -> MappedFact? {
    if let response = message.header["response"]?["code"]?.found, response.value != "ok" {
      guard
        let verdict = FHIROutcomeMapper(context: context).verdict(
          document.first("OperationOutcome")?.node, fallback: response)
      else { return nil }
      var fact = MappedFact(type: verdict.type, speaker: .platform)
      fact.take(\.reason, "reason", verdict.reason)
      fact.provenance["type"] = response.path
      return fact
    }
    if let status = request?["status"], status.text == "revoked" {
      // The receiver sends the request back revoked when the patient did not attend.
      var fact = MappedFact(type: .notAttended, speaker: .receiver)
      fact.provenance["type"] = status.path
      return fact
    }
    guard let encounter else {
      var fact = MappedFact(type: .received, speaker: .receiver)
      fact.provenance["type"] = message.base.provenance["messageType"]
      return fact
    }
    guard let meaning = FHIRStates.barsEncounter.meaning(of: encounter["status"]?.text) else {
      throw MappingError(
        code("fhir.code-unknown"), field: "\(encounter.path).status",
        explanation: "an Encounter is planned, triaged, in-progress, arrived, finished or cancelled"
      )
    }
    guard case .says(let said) = meaning, let said = said.first else { return nil }
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = encounter["status"]?.path
    let word = scope.word(
      encounter.node.code(
        "reasonCode", systemEnding: ["rejected-reasons-bars", "rejection-reason-bars"])
        ?? encounter.node.code("reasonCode"))
    if said.type == .rejected { fact.take(\.reason, "reason", word) }
    if said.type == .completed { fact.take(\.outcome, "outcome", word) }
    return fact
  }

  /// The Encounter of the receiver: a bundle may also hold the sender's (domain.md §5).
  ///
  /// MessageHeader.focus names it. Where it does not, the request's own Encounter is the sender's,
  /// and so is one with a history of statuses beside one without.
  private func receiversEncounter(
    request: FHIRDocument.Resource?
  ) throws(MappingError) -> FHIRDocument.Resource? {
    if let named = message.focus("Encounter") { return named }
    let sendersOwn = request.flatMap { document.resource($0["encounter"], from: $0) }?.path
    var candidates = document.all("Encounter").filter { $0.path != sendersOwn }
    if candidates.count > 1 {
      candidates = candidates.filter { $0["statusHistory"] == nil }
    }
    guard candidates.count <= 1 else {
      throw MappingError(
        code("bars.encounter-ambiguous"), field: "\(message.header.path).focus",
        explanation: "several Encounters could be the receiver's, and focus names none of them")
    }
    return candidates.first
  }

  // MARK: Parts

  private func requiredServiceRequest() throws(MappingError) -> FHIRDocument.Resource {
    guard let request = message.focus("ServiceRequest") ?? document.first("ServiceRequest") else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a referral message holds a ServiceRequest")
    }
    return request
  }

  func handoff(of request: FHIRDocument.Resource) throws(MappingError) -> Found<RawReference> {
    guard let handoff = scope.ownID(of: request) else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(request.path).identifier",
        explanation: "the ServiceRequest has neither an identifier nor an id")
    }
    return handoff
  }

  func references(beside request: FHIRDocument.Resource) -> [Found<RawReference>?] {
    scope.ids(of: request)
      + document.all("Encounter").flatMap { encounter in
        encounter.node.all("identifier").map { scope.identifier($0, of: "Encounter") }
      }
  }

  private func addNeed(of request: FHIRDocument.Resource, to fact: inout MappedFact) {
    let useCase = request.node.code("category", systemEnding: ["usecases-categories-bars"])
    scope.addNeed(of: request, useCase: useCase, to: &fact)
  }

  var missingPatient: MappingError {
    MappingError(
      code("identity.patient-missing"), field: "Bundle.entry",
      explanation: "the request names no patient that the Bundle holds")
  }
}
