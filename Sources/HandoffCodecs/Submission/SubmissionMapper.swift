import HandoffCore

/// Maps one submission of a thin client: a CloudEvent whose `data` is `HandoffSubmission`
/// (Schemas/baton/handoff/v1/submission.proto) in proto3 JSON.
struct SubmissionMapper: Sendable {
  let context: MappingContext

  static let type = "baton.handoff.v1.HandoffSubmission"

  func map(_ json: JSONValue) -> MappingOutcome {
    let id = json["id"]?.text
    do throws(MappingError) {
      guard json["type"]?.text == Self.type else {
        throw MappingError(
          code("submission.type"), field: "$.type",
          explanation: "taken here are events of type \(Self.type)", acknowledgement: .reject)
      }
      guard json["specversion"]?.text == "1.0" else {
        throw MappingError(
          code("submission.specversion"), field: "$.specversion",
          explanation: "read here is CloudEvents 1.0", acknowledgement: .reject)
      }
      guard id != nil, let source = json["source"]?.text else {
        throw MappingError(
          code("submission.field-missing"), field: id == nil ? "$.id" : "$.source",
          explanation: "a CloudEvent names its id and its source")
      }
      guard let data = json["data"] else {
        throw MappingError(
          code("submission.field-missing"), field: "$.data",
          explanation: "the submission stands in data, as JSON")
      }
      return try SubmissionReader.whole(data, "$.data", context) { reader throws(MappingError) in
        try map(&reader, id: id, source: source)
      }
    } catch {
      return .refused(error.about(messageID: id, messageType: "HandoffSubmission"))
    }
  }

  private func map(
    _ reader: inout SubmissionReader, id: String?, source: String
  ) throws(MappingError) -> MappingOutcome {
    var result = MappedMessage(messageType: "HandoffSubmission")
    let own = try reader.text("messageId")
    result.messageID = own ?? id
    result.provenance["messageID"] = own == nil ? "$.id" : "$.data.messageId"
    guard let name = try reader.text("type") else {
      throw reader.missing("type", "an event type, such as HandoffRequested")
    }
    guard let type = EventType(rawValue: name), !Self.typesNotTaken.contains(type) else {
      throw SubmissionReader.wrong("\(reader.path).type", "no event type that may be submitted")
    }
    var fact = MappedFact(type: type, speaker: try speaker(&reader, of: type))
    let system = try reader.text("system")
    result.sendingSystem = system ?? source
    result.provenance["sendingSystem"] = system == nil ? "$.source" : "$.data.system"
    result.person = try reader.object("person", person)
    fact.priorPerson = try reader.object("priorPerson", person)
    fact.spokenBy = try reader.object("spokenBy", party)
    fact.from = try reader.object("from", party)
    fact.to = try reader.object("to", party)
    fact.cc = try reader.objects("cc", party)
    let speaker = fact.spokenBy ?? (fact.speaker == .receiver ? fact.to : fact.from)
    result.sendingOrganisation = speaker?.odsCode?.description ?? speaker?.organisation
    try readReferences(&reader, into: &fact)
    try readNeed(&reader, into: &fact)
    let occurred = try reader.time("occurredAt")
    guard let occurred else { throw reader.missing("occurredAt", "when it happened") }
    fact.occurredAt = occurred.timestamp
    result.isTimeDoubtful = occurred.isDoubtful
    result.recordedAt = try reader.time("recordedAt")?.timestamp
    result.sequence = try reader.number("sequence")
    result.reference = result.messageID.map {
      RawReference(
        system: code("HandoffSubmission.messageId"), value: $0, assigner: result.sendingSystem)
    }
    try check(fact, of: result, reader)
    prove(&fact)
    let place = fact.spokenBy != nil ? "spokenBy" : fact.speaker == .receiver ? "to" : "from"
    for name in result.unproven {
      switch name {
      case "messageType": result.provenance[name] = "$.type"
      case "reference": result.provenance[name] = result.provenance["messageID"]
      case "sendingOrganisation": result.provenance[name] = "$.data.\(place)"
      default: result.provenance[name] = "$.data.\(name)"
      }
    }
    result.facts = [fact]
    return .mapped(result)
  }

  /// A submission has a member for each property, under the property's own name.
  private func prove(_ fact: inout MappedFact) {
    for name in fact.unproven { fact.provenance[name] = "$.data.\(name)" }
  }

  private func speaker(
    _ reader: inout SubmissionReader, of type: EventType
  ) throws(MappingError) -> SpeakerRole {
    guard let text = try reader.text("speaker") else { return Self.usualSpeaker(of: type) }
    guard let role = SpeakerRole(rawValue: text) else {
      throw SubmissionReader.wrong("\(reader.path).speaker", "sender, receiver or platform")
    }
    return role
  }

  private func readReferences(
    _ reader: inout SubmissionReader, into fact: inout MappedFact
  ) throws(MappingError) {
    fact.handoff = try reader.object("handoff", reference)
    fact.references = try reader.objects("references", reference)
    fact.conversation = try reader.object("conversation", reference)
    fact.journey = try reader.object("journey", reference)
    fact.supersedes = try reader.object("supersedes", reference)
    fact.parentHandoff = try reader.object("parentHandoff", reference)
    fact.newHandoff = try reader.object("newHandoff", reference)
    fact.answers = try reader.object("answers", reference)
  }

  private func readNeed(
    _ reader: inout SubmissionReader, into fact: inout MappedFact
  ) throws(MappingError) {
    fact.kind = try reader.slug("kind") { HandoffKind($0) }
    fact.priority = try reader.slug("priority") { Priority($0) }
    fact.needCode = try reader.code("needCode")
    fact.reason = try reader.code("reason")
    fact.outcome = try reader.code("outcome")
    fact.bookedFor = try reader.time("bookedFor")?.timestamp
    fact.dischargeReadyAt = try reader.time("dischargeReadyAt")?.timestamp
    fact.isFeedbackOwed = try reader.flag("isFeedbackOwed")
    fact.isBackfill = try reader.flag("isBackfill") ?? false
    if let pathway = try reader.number("dischargePathway") {
      guard let small = UInt8(exactly: pathway), small <= 3 else {
        throw SubmissionReader.wrong("\(reader.path).dischargePathway", "a pathway is 0 to 3")
      }
      fact.dischargePathway = small
    }
    if fact.type == .handoffRequested {
      if fact.kind == nil { fact.provenance["kind"] = connectorProvenance }
      if fact.priority == nil { fact.provenance["priority"] = connectorProvenance }
      fact.kind = fact.kind ?? context.defaultKind
      fact.priority = fact.priority ?? context.defaultPriority
    }
  }

  private func check(
    _ fact: MappedFact, of message: MappedMessage, _ reader: SubmissionReader
  ) throws(MappingError) {
    if Self.isLifecycle(fact.type) {
      guard fact.handoff != nil || (fact.answers != nil && fact.type != .handoffRequested) else {
        throw reader.missing("handoff", "the sender's id of the handoff")
      }
      guard fact.type != .handoffRequested || message.person != nil else {
        throw reader.missing("person", "a request names the person")
      }
    } else {
      guard message.person != nil else { throw reader.missing("person", "the person it is about") }
    }
    if fact.type == .handoffRequested {
      guard fact.from != nil else { throw reader.missing("from", "who hands over") }
      guard fact.to != nil else { throw reader.missing("to", "who is asked to take over") }
    }
    if fact.type == .redirected, fact.newHandoff == nil {
      throw reader.missing("newHandoff", "where the handoff went")
    }
    if fact.type == .patientMerged || fact.type == .identityLinked, fact.priorPerson == nil {
      throw reader.missing("priorPerson", "the identity that is given up or linked")
    }
  }

  private func person(_ reader: inout SubmissionReader) throws(MappingError) -> ClearPerson {
    var person = ClearPerson()
    if let number = try reader.text("nhsNumber") {
      try NHSNumberReader(context: context, field: "\(reader.path).nhsNumber", assigner: nil)
        .read(number, into: &person)
    }
    let status = try reader.text("nhsNumberStatus")
    if person.nhsNumberStatus == .present {
      person.nhsNumberStatus = NHSNumberStatusCode.status(status)
    }
    person.localIDs += try reader.objects("localIds") { local throws(MappingError) in
      guard let value = try local.text("value") else { throw local.missing("value", "the id") }
      return .init(
        value: value, assigner: try local.text("assigner"), type: try local.text("type"))
    }
    person.familyName = try reader.text("familyName")
    person.givenName = try reader.text("givenName")
    person.birthDate = try reader.text("birthDate")
    person.postcode = try reader.text("postcode")
    guard person.isIdentified else {
      throw MappingError(
        code("identity.patient-missing"), field: reader.path,
        explanation: "a person is named by an NHS number or a local id")
    }
    return person
  }

  private func reference(_ reader: inout SubmissionReader) throws(MappingError) -> RawReference {
    guard let value = try reader.text("value") else { throw reader.missing("value", "the id") }
    return RawReference(
      system: try reader.code("system") ?? code("HandoffSubmission"), value: value,
      assigner: try reader.text("assigner"))
  }

  private func party(_ reader: inout SubmissionReader) throws(MappingError) -> RawParty {
    let ods = try reader.slug("odsCode") { ODSCode($0) }
    let service = try reader.slug("openReferralServiceId") { Token($0) }
    let name = try reader.text("name")
    let system = try reader.text("system")
    let role = try reader.code("role")
    guard ods != nil || service != nil || name != nil else {
      throw reader.missing("odsCode", "a party is named by odsCode, openReferralServiceId or name")
    }
    return RawParty(
      organisation: name ?? ods?.description ?? service?.uuidString,
      odsCode: ods ?? (service == nil ? context.odsCode(name) : nil), openReferral: service,
      system: system, role: role)
  }
}

extension SubmissionMapper {
  /// What only Baton itself says, or what is said of no person.
  private static let typesNotTaken: Set<EventType> = [
    .handoffTransferred, .orgChanged, .wardClosed, .wardOpened,
  ]

  /// Whether the type is of a handoff rather than of a person's stay.
  private static func isLifecycle(_ type: EventType) -> Bool {
    switch type {
    case .handoffRequested, .handoffAmended, .transportAccepted, .delivered, .transportFailed,
      .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected,
      .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent,
      .feedbackAcknowledged, .cancelled, .voided, .expired, .disposition:
      true
    case .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
      .bedAssigned, .bedFreed, .bedMoved, .patientMerged, .patientMoved, .patientDied,
      .identityLinked, .handoffTransferred, .orgChanged, .wardClosed, .wardOpened,
      .feedbackReceived, .patientChased:
      false
    }
  }

  /// Who says such a thing where the submission does not tell (domain.md §2.3).
  private static func usualSpeaker(of type: EventType) -> SpeakerRole {
    switch type {
    case .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected,
      .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent:
      .receiver
    case .transportAccepted, .delivered, .transportFailed, .expired: .platform
    case .handoffRequested, .handoffAmended, .feedbackAcknowledged, .cancelled, .voided,
      .disposition, .readyForDischarge, .dischargeReadinessWithdrawn, .discharged,
      .dischargeCancelled, .bedAssigned, .bedFreed, .bedMoved, .patientMerged, .patientMoved,
      .patientDied, .identityLinked, .handoffTransferred, .orgChanged, .wardClosed, .wardOpened,
      .feedbackReceived, .patientChased:
      .sender
    }
  }
}
