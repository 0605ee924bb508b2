import HandoffCore

extension V2BundleMapper {
  // MARK: REF and RRI

  /// REF (`row` says what), or RRI (`row` is `nil`), whose ServiceRequest says what.
  func referral(
    _ base: MappedMessage, trigger: Found<String>, _ row: Meaning?
  ) throws(MappingError) -> MappingOutcome {
    var result = base
    let request = message.focus("ServiceRequest") ?? document.first("ServiceRequest")
    result.take(
      \.person, "person", try message.person(subject: request?["subject"], of: request))
    switch row {
    case nil: return try referralAnswer(result, trigger: trigger, request)
    case .nothing(let reason)?: return .noHandoffFact(result, reason: reason)
    case .says(let said)?:
      guard let said = said.first, let request else { throw missingRequest }
      return try referralRequest(result, trigger: trigger, said, request)
    }
  }

  private func referralRequest(
    _ base: MappedMessage, trigger: Found<String>, _ said: Said, _ request: FHIRDocument.Resource
  ) throws(MappingError) -> MappingOutcome {
    var result = base
    guard result.person != nil else { throw missingPatient }
    let error = enteredInError(request)
    let isVoided = said.type == .cancelled && error != nil
    var fact = MappedFact(type: isVoided ? .voided : said.type, speaker: .sender)
    fact.provenance["type"] =
      [trigger.path, isVoided ? error?.path : nil].compactMap(\.self).joined(separator: ", ")
    let ids = allIDs(of: request, owner: owner)
    fact.take(\.handoff, "handoff", ids.first)
    guard let handoff = fact.handoff else { throw FHIRResourceMapper.missingID(request) }
    fact.refer(ids, limit: message.context.limits.identifierMax)
    fact.take(\.from, "from", message.sender)
    fact.take(\.to, "to", referredTo(request) ?? message.addressee)
    scope.addNeed(of: request, to: &fact)
    if said.type == .cancelled {
      fact.take(\.reason, "reason", scope.word(request.node.code("reasonCode")))
    }
    try setTime(of: &fact, from: request)
    result.facts = [fact]
    if said.type == .handoffRequested, let old = redirected(ids, from: fact.from, to: fact.to) {
      result.facts[0].take(\.parentHandoff, "parentHandoff", old)
      var onward = MappedFact(type: .redirected, speaker: .receiver)
      onward.provenance["type"] = "\(trigger.path), \(old.path)"
      onward.take(\.to, "to", message.sender)
      onward.take(\.handoff, "handoff", old)
      onward.take(
        \.newHandoff, "newHandoff", Found(handoff, fact.provenance["handoff"] ?? request.path))
      try setTime(of: &onward, from: request)
      result.facts.append(onward)
    }
    return .mapped(result)
  }

  private func referralAnswer(
    _ base: MappedMessage, trigger: Found<String>, _ request: FHIRDocument.Resource?
  ) throws(MappingError) -> MappingOutcome {
    var result = base
    let isCancellation = trigger.value == "I14"
    let status = message.header["response"]?["code"]?.found
    let isRefused = ["fatal-error", "transient-error"].contains(status?.value)
    guard !isCancellation else {
      // The answer to a cancellation confirms it: its status would accept what is cancelled.
      let reason =
        isRefused ? code("hl7.cancellation-refused") : code("hl7.cancellation-confirmed")
      return .noHandoffFact(result, reason: reason)
    }
    var said: Said = .platform(.transportFailed)
    var word = status
    if !isRefused {
      word = answerWord(request)
      switch Self.answers.meaning(of: word?.value) {
      case .says(let row)?:
        guard let first = row.first else { throw unknownAnswer(request) }
        said = first
      case .nothing(let reason)?: return .noHandoffFact(result, reason: reason)
      // With nothing but MSA the answer says that it is there.
      case nil where word == nil: said = .receiver(.received)
      case nil: throw unknownAnswer(request)
      }
      if trigger.value == "I15", said == .receiver(.received) { said = .receiver(.infoRequested) }
    }
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = [trigger.path, word?.path].compactMap(\.self).joined(separator: ", ")
    let addressee = base.receivingOrganisation ?? base.receivingSystem
    let ids = request.map { allIDs(of: $0, owner: addressee) } ?? []
    fact.take(\.handoff, "handoff", ids.first)
    fact.refer(ids, limit: message.context.limits.identifierMax)
    fact.take(\.answers, "answers", message.answers)
    fact.take(\.conversation, "conversation", message.answers)
    guard fact.handoff != nil || fact.answers != nil else { throw missingRequest }
    fact.take(\.from, "from", message.addressee)
    fact.take(\.to, "to", message.sender)
    scope.addNeed(of: request, to: &fact)
    if [.rejected, .infoRequested].contains(said.type) {
      fact.take(\.reason, "reason", scope.word(request?.node.code("reasonCode")))
    }
    try scope.setTime(of: &fact, from: [], resource: request, else: message.recordedAt)
    result.facts = [fact]
    return .mapped(result)
  }

  /// RF1-1 in its own code, wherever a converter keeps it beside the status; else the status.
  private func answerWord(_ request: FHIRDocument.Resource?) -> Found<String>? {
    guard let request else { return nil }
    let kept = request.node.all("extension") + (request["_status"]?.all("extension") ?? [])
    let codings =
      kept.flatMap { $0.codings("valueCodeableConcept") + [$0["valueCoding"]].compactMap(\.self) }
      + ["category", "orderDetail"].flatMap { request.node.codings($0) }
    let own = codings.first { $0["system"]?.text?.hasSuffix("0283") ?? false }
    return own?["code"]?.found ?? request["status"]?.found
  }

  private func enteredInError(_ request: FHIRDocument.Resource) -> Found<String>? {
    if let status = request["status"]?.found, status.value == "entered-in-error" { return status }
    let words: Set = ["EIE", "ERR", "ENTERED-IN-ERROR"]
    return request.node.code("reasonCode").flatMap {
      words.contains($0.value.uppercased()) ? $0 : nil
    }
  }

  /// A provider referred to of whom an ODS code is known: the addressee may be a hub.
  private func referredTo(_ request: FHIRDocument.Resource) -> Found<RawParty>? {
    let system = message.base.receivingSystem
    return request.node.all("performer").lazy
      .compactMap { scope.reader.party($0, from: request, system: system) }
      .first { $0.value.odsCode != nil }
  }

  /// The referral that a new one comes from: its second id, of an organisation that is neither end.
  private func redirected(
    _ ids: [Found<RawReference>], from: RawParty?, to: RawParty?
  ) -> Found<RawReference>? {
    ids.dropFirst().first { id in
      guard let code = id.value.assigner.flatMap({ message.context.organisations[$0] }) else {
        return false
      }
      return code != from?.odsCode && code != to?.odsCode
        && code != message.addressee?.value.odsCode
    }
  }

  /// Every id of a request, the first being the handoff's own.
  private func allIDs(of request: FHIRDocument.Resource, owner: String?) -> [Found<RawReference>] {
    let identifiers = request.node.all("identifier").compactMap {
      owned(scope.identifier($0, of: request.type), by: owner)
    }
    return identifiers.isEmpty ? [scope.ownID(of: request)].compactMap(\.self) : identifiers
  }

  private func setTime(
    of fact: inout MappedFact, from request: FHIRDocument.Resource
  ) throws(MappingError) {
    let isFirst = fact.type == .handoffRequested || fact.type == .redirected
    try scope.setTime(
      of: &fact,
      from: [document.first("Provenance")?["occurredDateTime"]]
        + (isFirst ? [request["authoredOn"]] : []),
      resource: nil, else: message.recordedAt)
  }

  private func unknownAnswer(_ request: FHIRDocument.Resource?) -> MappingError {
    MappingError(
      code("fhir.code-unknown"), field: "\(request?.path ?? "Bundle.entry").status",
      explanation: "an answer says A, P, R or E (HL7 table 0283), or a status of FHIR")
  }

  private var missingRequest: MappingError {
    MappingError(
      code("fhir.resource-missing"), field: "Bundle.entry",
      explanation: "a referral is a ServiceRequest, and none is here")
  }

  // MARK: SIU

  /// What the trigger says of the Appointment, whatever its status says.
  func schedule(
    _ base: MappedMessage, trigger: Found<String>, _ said: [Said]
  ) throws(MappingError) -> MappingOutcome {
    var result = base
    guard let appointment = message.focus("Appointment") ?? document.first("Appointment"),
      let said = said.first
    else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a booking is an Appointment, and none is here")
    }
    let booking = FHIRBooking(appointment, scope: scope)
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = trigger.path
    let addressee = base.receivingOrganisation ?? base.receivingSystem
    let request = document.first("ServiceRequest")
    fact.take(
      \.handoff, "handoff",
      owned(booking.handoff ?? request.flatMap { scope.ownID(of: $0) }, by: addressee))
    let own = appointment.node.all("identifier").map { owned($0, of: "Appointment") }
    let visits = document.all("Encounter").flatMap { $0.node.all("identifier") }
      .map { owned($0, of: "Encounter") }
    fact.refer(own + visits, limit: message.context.limits.identifierMax)
    fact.take(\.from, "from", message.addressee)
    fact.take(\.to, "to", message.sender)
    if let reason = Self.reasons[trigger.value] {
      // No time any more: the start's clock counts from the request again.
      fact.take(\.reason, "reason", Found(reason, trigger.path))
    } else if said.type == .booked {
      let start = try scope.reader.time(appointment["start"])
      fact.take(\.bookedFor, "bookedFor", start?.map { $0.timestamp })
    }
    try scope.setTime(
      of: &fact, from: [document.first("Provenance")?["occurredDateTime"]], resource: nil,
      else: message.recordedAt)
    let patients = booking.patients
    if patients.count < 2 {
      result.take(
        \.person, "person", try message.person(subject: patients.first, of: appointment))
    }
    guard fact.handoff != nil || !fact.references.isEmpty else {
      return .noHandoffFact(result, reason: code("siu.no-handoff-reference"))
    }
    result.facts = patients.count < 2 ? [fact] : try each(fact, patients, of: appointment)
    return .mapped(result)
  }

  /// A group's appointment is one for each of its patients.
  private func each(
    _ fact: MappedFact, _ patients: [FHIRNode], of appointment: FHIRDocument.Resource
  ) throws(MappingError) -> [MappedFact] {
    var facts: [MappedFact] = []
    for patient in patients {
      var own = fact
      own.take(
        \.person, "person", try scope.reader.person(patient, from: appointment, owner: owner))
      guard own.person != nil else { throw missingPatient }
      facts.append(own)
    }
    return facts
  }

  // MARK: Merges

  /// One for each pair that a Patient.link names: MRG as the mapping guide writes it.
  func merges(
    _ base: MappedMessage, trigger: Found<String>
  ) throws(MappingError) -> MappingOutcome {
    var result = base
    var pairs: Set<[String]> = []
    for patient in document.all("Patient") {
      for link in patient.node.all("link") {
        guard let type = link["type"]?.text, ["replaced-by", "replaces"].contains(type) else {
          continue
        }
        let other = document.resource(link["other"], from: patient)
        let linked = try scope.reader.person(link["other"], from: patient, owner: owner)
        guard let linked else { throw missingPatient }
        let own = try scope.reader.person(patient, owner: owner)
        let isGivenUp = type == "replaced-by"
        // Both ends may name the same merge.
        let paths = [patient.path, other?.path ?? link.path]
        guard pairs.insert(isGivenUp ? paths : paths.reversed()).inserted else { continue }
        var fact = MappedFact(type: .patientMerged, speaker: .sender)
        fact.provenance["type"] = "\(trigger.path), \(link.path).type"
        fact.take(\.from, "from", message.sender)
        fact.take(\.person, "person", isGivenUp ? linked : own)
        fact.take(\.priorPerson, "priorPerson", isGivenUp ? own : linked)
        try scope.setTime(
          of: &fact, from: [document.first("Provenance")?["occurredDateTime"]], resource: nil,
          else: message.recordedAt)
        result.facts.append(fact)
      }
    }
    guard !result.facts.isEmpty else {
      throw MappingError(
        code("fhir.field-missing"), field: "Patient.link",
        explanation: "a merge names the identity that is given up: by a link replaced-by, or "
          + "replaces")
    }
    return .mapped(result)
  }
}
