import HandoffCore

/// HL7 v2 messages that somebody turned into FHIR: the trigger event says what happened.
struct V2BundleMapper: Sendable {
  let message: FHIRMessage
  var document: FHIRDocument { message.document }
  var scope: FHIRScope { message.scope }

  init(_ message: FHIRMessage) { self.message = message }

  static func isV2(_ message: FHIRMessage) -> Bool {
    message.eventSystem?.hasSuffix("v2-0003") ?? false
  }

  /// `A01`, wherever the converter put it: in the code, or in a display such as `ADT^A01^ADT_A01`.
  private var trigger: Found<String>? {
    for node in [coding?["code"], coding?["display"]] {
      guard let text = node?.found else { continue }
      let words = text.value.split { !$0.isLetter && !$0.isNumber }
      if let word = words.first(where: { Self.isTrigger($0) }) {
        return Found(String(word), text.path)
      }
    }
    return nil
  }

  private var coding: FHIRNode? { message.header["eventCoding"] ?? message.header["event"] }

  /// RRI and REF share their triggers: the answer says so in MSH-9.1, or names what it answers.
  private var isReferralAnswer: Bool {
    let words = [coding?["code"], coding?["display"]].compactMap { $0?.text }
      .flatMap { $0.split { !$0.isLetter && !$0.isNumber } }
    if words.contains("REF") { return false }
    return words.contains("RRI") || message.header["response"] != nil
  }

  private static func isTrigger(_ word: Substring) -> Bool {
    let bytes = Array(word.utf8)
    return bytes.count == 3 && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[0])
      && bytes[1...].allSatisfy { (0x30...0x39).contains($0) }
  }

  func map() throws(MappingError) -> MappingOutcome {
    var result = message.base
    guard let trigger else {
      result.take(\.person, "person", try stayPerson())
      return .noHandoffFact(result, reason: code("fhir.no-handoff-meaning"))
    }
    result.messageType = trigger.value
    let row = Self.triggers.meaning(of: trigger.value)
    switch (trigger.value.first, row) {
    case ("I"?, let row?):
      return try referral(result, trigger: trigger, isReferralAnswer ? nil : row)
    case ("S"?, .says(let said)?): return try schedule(result, trigger: trigger, said)
    case (_, .says(let said)?) where said.first?.type == .patientMerged:
      return try merges(result, trigger: trigger)
    case (_, .says(let said)?):
      guard let said = said.first else { break }
      return try stay(result, trigger: trigger, said)
    case (_, .nothing(let reason)?):
      result.take(\.person, "person", try stayPerson())
      result.facts = result.person == nil ? [] : try death(of: result)
      return result.facts.isEmpty ? .noHandoffFact(result, reason: reason) : .mapped(result)
    default: break
    }
    result.take(\.person, "person", try stayPerson())
    return .noHandoffFact(result, reason: code("adt.no-handoff-meaning"))
  }

  private func stayPerson() throws(MappingError) -> Found<ClearPerson>? {
    let encounter = document.first("Encounter")
    return try message.person(subject: encounter?["subject"], of: encounter)
  }

  // MARK: The stay

  private func stay(
    _ base: MappedMessage, trigger: Found<String>, _ said: Said
  ) throws(MappingError) -> MappingOutcome {
    var result = base
    let encounters = trigger.value == "A17" ? document.all("Encounter") : []
    guard encounters.count < 2 else {
      // A swap of beds: two patients, each with an Encounter.
      result.facts = []
      for encounter in encounters {
        var fact = try stayFact(said, trigger: trigger, encounter: encounter)
        fact.take(
          \.person, "person",
          try scope.reader.person(encounter["subject"], from: encounter, owner: owner))
        guard fact.person != nil else { throw missingPatient }
        result.facts.append(fact)
      }
      return .mapped(result)
    }
    let encounter = document.first("Encounter")
    let hasMoved = said.type == .patientMoved
    let patients = document.all("Patient")
    let survivor = try hasMoved ? movedTo(encounter) : nil
    let subject = try stayPerson()
    result.take(\.person, "person", survivor?.person ?? subject)
    guard result.person != nil else { throw missingPatient }
    var fact = try stayFact(said, trigger: trigger, encounter: encounter)
    if said.speaker == .receiver, fact.handoff == nil, fact.references.isEmpty {
      return .noHandoffFact(result, reason: code("v2.no-handoff-reference"))
    }
    if hasMoved, let survivor, patients.count == 2,
      let prior = patients.first(where: { $0.path != survivor.path })
    {
      fact.take(\.priorPerson, "priorPerson", try scope.reader.person(prior, owner: owner))
    }
    result.facts = [fact] + (hasMoved ? [] : try death(of: result))
    return .mapped(result)
  }

  /// PV1-36 as the mapping guide writes it: the Encounter's discharge disposition.
  private func addDisposition(of encounter: FHIRDocument.Resource?, to fact: inout MappedFact) {
    let disposition = encounter?["hospitalization"]?.code("dischargeDisposition")
    if fact.type == .discharged { fact.take(\.outcome, "outcome", scope.word(disposition)) }
    fact.take(
      \.dischargePathway, "dischargePathway",
      disposition?.map { message.context.dischargePathways[$0] })
  }

  /// The patient to whom a visit has moved: its Encounter's subject.
  private func movedTo(
    _ encounter: FHIRDocument.Resource?
  ) throws(MappingError) -> (path: String, person: Found<ClearPerson>)? {
    guard let encounter, let patient = document.resource(encounter["subject"], from: encounter),
      patient.type == "Patient"
    else { return nil }
    return (patient.path, try scope.reader.person(patient, owner: owner))
  }

  private func stayFact(
    _ said: Said, trigger: Found<String>, encounter: FHIRDocument.Resource?
  ) throws(MappingError) -> MappedFact {
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = trigger.path
    let requests = document.all("ServiceRequest")
    let visits = (encounter?.node.all("identifier") ?? []).map { owned($0, of: "Encounter") }
    let limit = message.context.limits.identifierMax
    if said.speaker == .receiver {
      fact.take(\.handoff, "handoff", requests.lazy.compactMap { scope.ownID(of: $0) }.first)
      fact.take(\.to, "to", message.sender)
      fact.take(\.from, "from", said.type == .interim ? message.addressee : nil)
    } else {
      fact.take(\.from, "from", message.sender)
    }
    if let reason = Self.reasons[trigger.value] {
      fact.take(\.reason, "reason", Found(reason, trigger.path))
    }
    fact.refer(visits + requests.flatMap { scope.ids(of: $0) }, limit: limit)
    try setTime(of: &fact, encounter: encounter)
    if [.discharged, .readyForDischarge].contains(said.type) {
      addDisposition(of: encounter, to: &fact)
    }
    if said.type == .readyForDischarge {
      fact.take(
        \.dischargeReadyAt, "dischargeReadyAt",
        fact.occurredAt.map { Found($0, fact.provenance["occurredAt"] ?? "") })
    }
    return fact
  }

  /// A visit number is the sender's own where nothing says whose it is, as in PV1-19.
  func owned(_ identifier: FHIRNode, of type: String) -> Found<RawReference>? {
    owned(scope.identifier(identifier, of: type), by: owner)
  }

  /// An id that says itself whose it is, else the one of `owner`.
  func owned(_ reference: Found<RawReference>?, by owner: String?) -> Found<RawReference>? {
    var reference = reference
    if reference?.value.assigner == nil { reference?.value.assigner = owner }
    return reference
  }

  /// Whose ids they are where nobody says it.
  var owner: String? { message.base.sendingOrganisation ?? message.base.sendingSystem }

  var missingPatient: MappingError {
    MappingError(
      code("identity.patient-missing"), field: "Bundle.entry",
      explanation: "the message names no patient that the Bundle holds")
  }

  /// Provenance.occurred[x] is EVN-2, else the Encounter's own period, else the message's time.
  private func setTime(
    of fact: inout MappedFact, encounter: FHIRDocument.Resource?
  ) throws(MappingError) {
    let provenance = document.first("Provenance")
    let period = encounter?["period"]
    let isEnd = fact.type == .discharged
    try scope.setTime(
      of: &fact,
      from: [provenance?["occurredDateTime"], isEnd ? period?["end"] : period?["start"]],
      resource: nil, else: message.recordedAt)
  }

  private func death(of result: MappedMessage) throws(MappingError) -> [MappedFact] {
    guard let patient = document.first("Patient") else { return [] }
    let date = patient["deceasedDateTime"]
    guard date != nil || patient["deceasedBoolean"]?.isTrue == true else { return [] }
    var fact = MappedFact(type: .patientDied, speaker: .sender)
    fact.provenance["type"] = (date ?? patient["deceasedBoolean"])?.path
    fact.take(\.from, "from", message.sender)
    try scope.setTime(of: &fact, from: [date], resource: nil, else: message.recordedAt)
    return [fact]
  }
}
