import HandoffCore

/// NHS Booking and Referral Standard, Core 1.5: what a message says of a handoff.
struct BaRSMapper: Sendable {
  private let message: FHIRMessage
  private var bundle: FHIRBundle { message.bundle }
  private var context: MappingContext { message.context }

  init(_ message: FHIRMessage) { self.message = message }

  func map() throws(MappingError) -> MappingOutcome {
    switch message.event {
    case "servicerequest-request": try mapRequest()
    case "servicerequest-response": try mapAnswer()
    case "booking-request", "booking-response": try mapBooking()
    default:
      throw MappingError(
        code("fhir.unsupported-event"), field: "\(message.header.path).eventCoding.code",
        explanation: "taken here are servicerequest-request, servicerequest-response,"
          + " booking-request and booking-response", acknowledgement: .reject)
    }
  }

  // MARK: A sender's request

  private func mapRequest() throws(MappingError) -> MappingOutcome {
    let request = try requiredServiceRequest()
    var result = message.base
    result.person = try message.person(subject: request.resource["subject"])
    if isValidation(request) {
      // A 999 service asks another to check its triage: nobody's care changes hands.
      return .noHandoffFact(result, reason: code("bars.validation"))
    }
    let type = try requestedType(request)
    guard result.person != nil else { throw missingPatient }
    var fact = MappedFact(type: type, speaker: .sender)
    fact.provenance["type"] = "ServiceRequest.status"
    fact.from = message.sender
    fact.to = message.addressee ?? performer(of: request)
    fact.handoff = try handoff(of: request)
    fact.provenance["handoff"] = fact.handoff?.system.description
    fact.references = references(beside: request)
    fact.journey = journey(of: request)
    addNeed(of: request, to: &fact)
    // authoredOn stays the same over updates, so it dates the first message only.
    let authored = type == .handoffRequested ? "authoredOn" : nil
    try setTime(of: &fact, from: request, member: authored)
    if type == .cancelled || type == .voided {
      fact.reason = FHIRCoding.codings(request.resource["reasonCode"]).first?["code"]?.text
        .flatMap { Code($0) }
    }
    result.facts = [fact]
    return .mapped(result)
  }

  private func requestedType(_ request: FHIRBundle.Entry) throws(MappingError) -> EventType {
    switch (message.reason, request.resource["status"]?.text) {
    case ("delete"?, _), (_, "entered-in-error"?): return .voided
    case (_, "revoked"?): return .cancelled
    case ("update"?, "active"?), ("update"?, "on-hold"?): return .handoffAmended
    case ("new"?, "active"?), (nil, "active"?): return .handoffRequested
    default:
      throw MappingError(
        code("fhir.code-unknown"), field: "\(request.path).status",
        explanation: "with this message reason, a request's status is active, revoked or"
          + " entered-in-error, and the reason is new, update or delete")
    }
  }

  // MARK: A receiver's answer

  private func mapAnswer() throws(MappingError) -> MappingOutcome {
    let request = bundle.all("ServiceRequest").first
    var result = message.base
    result.person = try message.person(subject: request?.resource["subject"])
    if let request, isValidation(request) {
      return .noHandoffFact(result, reason: code("bars.validation"))
    }
    let answers = message.header.resource["response"]?["identifier"]?.text
      .map { RawReference(system: code("Bundle.id"), value: $0) }
    let handoff = try request.map { entry throws(MappingError) in try self.handoff(of: entry) }
    guard answers != nil || handoff != nil else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(message.header.path).response.identifier",
        explanation: "nothing names the request that this answers")
    }
    let encounter = try receiversEncounter(request: request)
    guard var fact = try answeredFact(request: request, encounter: encounter) else {
      return .noHandoffFact(result, reason: code("bars.no-handoff-meaning"))
    }
    fact.from = message.addressee
    fact.to = message.sender
    fact.handoff = handoff
    fact.provenance["handoff"] = handoff?.system.description
    fact.answers = answers
    fact.conversation = answers
    if let request {
      fact.references = references(beside: request)
      fact.journey = journey(of: request)
      addNeed(of: request, to: &fact)
    }
    if let encounter {
      try setTime(of: &fact, from: encounter, member: nil)
    } else {
      fact.occurredAt = message.base.recordedAt
    }
    result.facts = [fact]
    return .mapped(result)
  }

  /// What the receiver says; `nil` where it is nothing a handoff rests on.
  private func answeredFact(
    request: FHIRBundle.Entry?, encounter: FHIRBundle.Entry?
  ) throws(MappingError) -> MappedFact? {
    let response = message.header.resource["response"]?["code"]?.text
    if let response, response != "ok" {
      guard
        let (type, reason) = FHIROutcomeMapper(context: context).verdict(
          bundle.all("OperationOutcome").first?.resource, fallback: response)
      else { return nil }
      var fact = MappedFact(type: type, speaker: .platform)
      fact.reason = reason
      fact.provenance["type"] = "MessageHeader.response.code"
      return fact
    }
    if request?.resource["status"]?.text == "revoked" {
      // The receiver sends the request back revoked when the patient did not attend.
      var fact = MappedFact(type: .notAttended, speaker: .receiver)
      fact.provenance["type"] = "ServiceRequest.status"
      return fact
    }
    guard let encounter else { return MappedFact(type: .received, speaker: .receiver) }
    let type: EventType
    switch encounter.resource["status"]?.text {
    case "planned"?, "triaged"?: type = .received
    case "in-progress"?: type = .accepted
    case "arrived"?: type = .started
    case "finished"?: type = .completed
    // Before it began this refuses the work; the reducer knows whether it had begun.
    case "cancelled"?: type = .rejected
    case "onleave"?, "entered-in-error"?, "unknown"?: return nil
    default:
      throw MappingError(
        code("fhir.code-unknown"), field: "\(encounter.path).status",
        explanation: "an Encounter is planned, triaged, in-progress, arrived, finished or cancelled"
      )
    }
    var fact = MappedFact(type: type, speaker: .receiver)
    fact.provenance["type"] = "Encounter.status"
    if type == .rejected || type == .completed {
      let concept = encounter.resource["reasonCode"]
      let word =
        FHIRCoding.code(concept, systemEnding: ["rejected-reasons-bars", "rejection-reason-bars"])
        ?? FHIRCoding.codings(concept).first?["code"]?.text
      if type == .rejected { fact.reason = word.flatMap { Code($0) } }
      if type == .completed { fact.outcome = word.flatMap { Code($0) } }
      if word != nil { fact.provenance["reason"] = "Encounter.reasonCode" }
    }
    return fact
  }

  /// The Encounter of the receiver: a bundle may also hold the sender's (domain.md §5).
  ///
  /// MessageHeader.focus names it. Where it does not, the request's own Encounter is the sender's,
  /// and so is one with a history of statuses beside one without.
  private func receiversEncounter(
    request: FHIRBundle.Entry?
  ) throws(MappingError) -> FHIRBundle.Entry? {
    for focus in message.header.resource["focus"]?.elements ?? [] {
      if let entry = bundle.entry(focus), entry.resourceType == "Encounter" { return entry }
    }
    let sendersOwn = request.flatMap { bundle.entry($0.resource["encounter"]) }?.index
    var candidates = bundle.all("Encounter").filter { $0.index != sendersOwn }
    if candidates.count > 1 {
      candidates = candidates.filter { $0.resource["statusHistory"] == nil }
    }
    guard candidates.count <= 1 else {
      throw MappingError(
        code("bars.encounter-ambiguous"), field: "\(message.header.path).focus",
        explanation: "several Encounters could be the receiver's, and focus names none of them")
    }
    return candidates.first
  }

  // MARK: Bookings

  /// A booking, in either direction.
  ///
  /// Only the answer proves that the receiver keeps the slot. A request for it is the sender's
  /// word, which the reducer keeps as evidence.
  private func mapBooking() throws(MappingError) -> MappingOutcome {
    guard let appointment = bundle.all("Appointment").first else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a booking message holds an Appointment")
    }
    let patient = (appointment.resource["participant"]?.elements ?? []).lazy
      .compactMap { $0["actor"] }.first { bundle.entry($0)?.resourceType == "Patient" }
    var result = message.base
    result.person = try message.person(subject: patient)
    let answers = message.header.resource["response"]?["identifier"]?.text
      .map { RawReference(system: code("Bundle.id"), value: $0) }
    let isAnswer = message.event == "booking-response" || answers != nil
    let handoff = try bookedHandoff(appointment)
    switch appointment.resource["status"]?.text {
    case "booked"?, "arrived"?, "fulfilled"?, "checked-in"?: break
    case "noshow"?: break
    case "cancelled"?, "entered-in-error"?:
      // The lifecycle has no event for a booking given up: A09 finds that nothing followed it.
      return .noHandoffFact(result, reason: code("bars.booking-cancelled"))
    case "proposed"?, "pending"?, "waitlist"?:
      return .noHandoffFact(result, reason: code("bars.booking-proposed"))
    default:
      throw MappingError(
        code("fhir.code-unknown"), field: "\(appointment.path).status",
        explanation: "an Appointment is booked, cancelled, noshow or entered-in-error")
    }
    guard handoff != nil || answers != nil else {
      return .noHandoffFact(result, reason: code("bars.no-handoff-reference"))
    }
    guard result.person != nil || isAnswer else { throw missingPatient }
    let isMissed = appointment.resource["status"]?.text == "noshow"
    var fact = MappedFact(
      type: isMissed ? .notAttended : .booked, speaker: isAnswer ? .receiver : .sender)
    fact.provenance["type"] = "Appointment.status"
    fact.from = isAnswer ? message.addressee : message.sender
    fact.to = isAnswer ? message.sender : message.addressee
    fact.handoff = handoff
    fact.provenance["handoff"] = handoff?.system.description
    fact.answers = answers
    fact.conversation = answers
    fact.references = [appointment.id.map { reference("Appointment.id", $0) }].compactMap(\.self)
    try setTime(of: &fact, from: appointment, member: isAnswer ? nil : "created")
    let start = try message.reader.time(
      appointment.resource["start"], field: "\(appointment.path).start")
    fact.bookedFor = isMissed ? nil : start?.timestamp
    fact.provenance["bookedFor"] = fact.bookedFor == nil ? nil : "Appointment.start"
    result.facts = [fact]
    return .mapped(result)
  }

  private func bookedHandoff(
    _ appointment: FHIRBundle.Entry
  ) throws(MappingError) -> RawReference? {
    if let request = bundle.all("ServiceRequest").first { return try handoff(of: request) }
    guard let text = appointment.resource["basedOn"]?[0]?["reference"]?.text else { return nil }
    return reference("ServiceRequest.id", FHIRBundle.bareID(text))
  }

  // MARK: Parts

  private func requiredServiceRequest() throws(MappingError) -> FHIRBundle.Entry {
    for focus in message.header.resource["focus"]?.elements ?? [] {
      if let entry = bundle.entry(focus), entry.resourceType == "ServiceRequest" { return entry }
    }
    guard let request = bundle.all("ServiceRequest").first else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a referral message holds a ServiceRequest")
    }
    return request
  }

  private func isValidation(_ request: FHIRBundle.Entry) -> Bool {
    FHIRCoding.codings(request.resource["category"]).contains { $0["code"]?.text == "validation" }
  }

  /// ServiceRequest.identifier, else its id.
  private func handoff(of request: FHIRBundle.Entry) throws(MappingError) -> RawReference {
    for identifier in request.resource["identifier"]?.elements ?? [] {
      guard let value = identifier["value"]?.text else { continue }
      return reference(
        "ServiceRequest.identifier", value, assigner: identifier["system"]?.text)
    }
    guard let id = request.id, id.utf8.count <= context.limits.identifierMax else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(request.path).identifier",
        explanation: "the ServiceRequest has neither an identifier nor an id")
    }
    return reference("ServiceRequest.id", id)
  }

  private func references(beside request: FHIRBundle.Entry) -> [RawReference] {
    var references: [RawReference] = []
    if request.resource["identifier"]?[0]?["value"] != nil, let id = request.id {
      references.append(reference("ServiceRequest.id", id))
    }
    for encounter in bundle.all("Encounter") {
      for identifier in encounter.resource["identifier"]?.elements ?? [] {
        guard let value = identifier["value"]?.text else { continue }
        references.append(
          reference("Encounter.identifier", value, assigner: identifier["system"]?.text))
      }
    }
    return references.filter { $0.value.utf8.count <= context.limits.identifierMax }
  }

  private func reference(
    _ system: StaticString, _ value: String, assigner: String? = nil
  ) -> RawReference {
    RawReference(system: code(system), value: value, assigner: assigner)
  }

  private func journey(of request: FHIRBundle.Entry) -> RawReference? {
    let own = bundle.entry(request.resource["encounter"])
    let encounters = [own].compactMap(\.self) + bundle.all("Encounter")
    return encounters.lazy.compactMap { $0.resource["episodeOfCare"]?[0]?["reference"]?.text }
      .first.map { reference("EpisodeOfCare", FHIRBundle.bareID($0)) }
  }

  private func performer(of request: FHIRBundle.Entry) -> RawParty? {
    message.reader.party(request.resource["performer"]?[0], in: bundle)
  }

  private func addNeed(of request: FHIRBundle.Entry, to fact: inout MappedFact) {
    let useCase = FHIRCoding.code(
      request.resource["category"], systemEnding: ["usecases-categories-bars"])
    let needs = FHIRCoding.codings(request.resource["code"]).compactMap { $0["code"]?.text }
    fact.kind =
      ([useCase].compactMap(\.self) + needs).lazy.compactMap { context.kinds[$0] }.first
      ?? context.defaultKind
    if useCase != nil { fact.provenance["kind"] = "ServiceRequest.category" }
    fact.priority =
      request.resource["priority"]?.text.flatMap { context.priorities[$0.lowercased()] }
      ?? context.defaultPriority
    fact.needCode = needs.first.flatMap { Code($0) }
    if fact.needCode != nil { fact.provenance["needCode"] = "ServiceRequest.code" }
  }

  /// A member of the resource, else when the resource last changed, else when the message was made.
  private func setTime(
    of fact: inout MappedFact, from entry: FHIRBundle.Entry, member: String?
  ) throws(MappingError) {
    let reader = message.reader
    let stated = try member.flatMap { name throws(MappingError) in
      try reader.time(entry.resource[name], field: "\(entry.path).\(name)")
    }
    let changed = try reader.time(
      entry.resource["meta"]?["lastUpdated"], field: "\(entry.path).meta.lastUpdated")
    if let stated {
      fact.occurredAt = stated.timestamp
      fact.provenance["occurredAt"] = "\(entry.resourceType).\(member ?? "")"
    } else if let changed {
      fact.occurredAt = changed.timestamp
      fact.provenance["occurredAt"] = "\(entry.resourceType).meta.lastUpdated"
    } else {
      fact.occurredAt = message.base.recordedAt
      fact.provenance["occurredAt"] = "Bundle.timestamp"
    }
  }

  private var missingPatient: MappingError {
    MappingError(
      code("identity.patient-missing"), field: "Bundle.entry",
      explanation: "the request names no patient that the Bundle holds")
  }
}
