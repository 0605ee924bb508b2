import HandoffCore

/// Maps one HL7 v2 message to what it says of handoffs (domain.md §2.2).
struct HL7Mapper: Sendable {
  let context: MappingContext

  func map(_ bytes: some Collection<UInt8>) -> MappingOutcome {
    // Enough for any MSH segment; the rest is not needed to name the message in a refusal.
    let header = HL7Header(bytes.prefix(16_384))
    do {
      let message = try HL7Message(bytes, limits: context.limits)
      return try map(HL7Envelope(message, context: context))
    } catch {
      return .refused(error.about(messageID: header?.controlID, messageType: header?.messageType))
    }
  }

  private func map(_ envelope: HL7Envelope) throws(MappingError) -> MappingOutcome {
    switch envelope.type {
    case "ADT": try HL7AdmissionMapper(envelope).map()
    case "REF": try HL7ReferralMapper(envelope).mapRequest()
    case "RRI": try HL7ReferralMapper(envelope).mapAnswer()
    case "ACK": try HL7AnswerMapper(envelope).map()
    case "SIU": try HL7OrderMapper(envelope).mapSchedule()
    case "OMG", "ORM": try HL7OrderMapper(envelope).mapOrder()
    case "ORU", "MDM": try HL7OrderMapper(envelope).mapResult()
    default:
      throw MappingError(
        code("hl7.unsupported-message"), field: "MSH-9",
        explanation: "taken here are ADT, REF, RRI, ACK, SIU, OMG, ORM, ORU and MDM",
        acknowledgement: .reject)
    }
  }
}

/// A message with what its MSH segment says, and how its other fields are read.
struct HL7Envelope: Sendable {
  let message: HL7Message
  let context: MappingContext
  let type: String
  /// MSH-9.2; empty where only the type is given.
  let trigger: String
  /// The message without facts: its ids, its parties' names, its times.
  let base: MappedMessage
  /// EVN-2, or else MSH-7.
  let occurredAt: (time: HL7Time, field: String)?

  init(_ message: HL7Message, context: MappingContext) throws(MappingError) {
    self.message = message
    self.context = context
    guard let header = message.first("MSH"), let type = header.value(9, 1) else {
      throw MappingError(
        code("hl7.field-missing"), field: "MSH-9", explanation: "the message names no type",
        acknowledgement: .reject)
    }
    if let version = header.value(12) { try Self.check(version: version) }
    self.type = type
    trigger = header.value(9, 2) ?? message.value("EVN", 1) ?? ""
    var base = MappedMessage(messageType: trigger.isEmpty ? type : "\(type)^\(trigger)")
    base.messageID = header.value(10)
    base.sendingSystem = header.value(3)
    base.sendingOrganisation = header.value(4)
    base.receivingSystem = header.value(5)
    base.receivingOrganisation = header.value(6)
    base.sequence = header.value(13).flatMap { UInt64($0) }
    let recorded = try Self.time(header, 7, context)
    base.recordedAt = recorded?.timestamp
    let event = try message.first("EVN").flatMap { segment throws(MappingError) in
      try Self.time(segment, 2, context)
    }
    occurredAt = event.map { ($0, "EVN-2") } ?? recorded.map { ($0, "MSH-7") }
    base.isTimeDoubtful = event?.isDoubtful ?? recorded?.isDoubtful ?? false
    if let id = base.messageID {
      guard id.utf8.count <= context.limits.identifierMax else {
        throw MappingError(
          code("hl7.field-too-long"), field: "MSH-10",
          explanation: "the message id is longer than identifierMax"
            + " (\(context.limits.identifierMax)) bytes")
      }
      base.reference = RawReference(
        system: code("MSH-10"), value: id,
        assigner: Self.namespace(base.sendingSystem, base.sendingOrganisation))
    }
    self.base = base
  }

  /// A fact that the sending organisation states of itself, with the time of the message.
  func fact(_ type: EventType, _ speaker: SpeakerRole) -> MappedFact {
    var fact = MappedFact(type: type, speaker: speaker)
    fact.provenance["type"] = "MSH-9"
    fact.occurredAt = occurredAt?.time.timestamp
    fact.provenance["occurredAt"] = occurredAt?.field
    fact.journey = reference("PV1", 50) ?? reference("PID", 18)
    return fact
  }

  /// What MSH-3 and MSH-4 name.
  var sender: RawParty? { party(3, 4) }
  /// What MSH-5 and MSH-6 name.
  var addressee: RawParty? { party(5, 6) }

  /// The patient of PID, or of nobody where the message has no such segment.
  func person() throws(MappingError) -> ClearPerson? {
    guard let pid = message.first("PID") else { return nil }
    return try personReader.person(from: pid)
  }

  var personReader: HL7PersonReader {
    HL7PersonReader(
      context: context, defaultAssigner: base.sendingOrganisation ?? base.sendingSystem)
  }

  /// The patient where a message cannot do without one.
  func requiredPerson() throws(MappingError) -> ClearPerson {
    guard let person = try person() else { throw Self.missing("PID") }
    return person
  }

  /// An entity identifier or extended id; its assigner is `owner` where the field names none.
  ///
  /// Some senders leave component 1 empty and put the id into component 3 (domain.md §5).
  func reference(
    _ segment: HL7Segment?, _ field: Int, owner: String? = nil
  ) -> RawReference? {
    guard let segment, let name = Code("\(segment.name)-\(field)") else { return nil }
    let isExtendedID = ["PV1", "PID", "MRG"].contains(segment.name)
    let first = segment.value(field, 1)
    guard let value = first ?? segment.value(field, 3),
      value.utf8.count <= context.limits.identifierMax
    else { return nil }
    let assigner =
      isExtendedID
      ? segment.value(field, 4, 1) ?? segment.value(field, 4, 2)
      : segment.value(field, 2) ?? (first == nil ? nil : segment.value(field, 3))
    return RawReference(
      system: name, value: value,
      assigner: assigner ?? owner ?? base.sendingOrganisation ?? base.sendingSystem)
  }

  func reference(_ segment: String, _ field: Int, owner: String? = nil) -> RawReference? {
    reference(message.first(segment), field, owner: owner)
  }

  /// A time of some field; refused where it is not one.
  func time(_ segment: HL7Segment?, _ field: Int) throws(MappingError) -> HL7Time? {
    guard let segment else { return nil }
    return try Self.time(segment, field, context)
  }

  /// MSH-3 and MSH-4 as one namespace, as an answer repeats them in MSH-5 and MSH-6.
  static func namespace(_ system: String?, _ organisation: String?) -> String? {
    guard system != nil || organisation != nil else { return nil }
    return "\(system ?? "")|\(organisation ?? "")"
  }

  static func missing(_ segment: String) -> MappingError {
    MappingError(
      code("hl7.segment-missing"), field: segment,
      explanation: "this message type cannot do without the segment")
  }

  private func party(_ system: Int, _ organisation: Int) -> RawParty? {
    let header = message.first("MSH")
    let name = header?.value(organisation, 1) ?? header?.value(organisation, 2)
    let application = header?.value(system, 1) ?? header?.value(system, 2)
    guard name != nil || application != nil else { return nil }
    return RawParty(
      organisation: name ?? application,
      odsCode: context.odsCode(
        name ?? application, type: header?.value(organisation, 3),
        universalID: header?.value(organisation, 2)),
      system: application)
  }

  private static func time(
    _ segment: HL7Segment, _ field: Int, _ context: MappingContext
  ) throws(MappingError) -> HL7Time? {
    guard let text = segment.value(field) else { return nil }
    guard let time = HL7Time(text, localTime: context.localTime) else {
      throw MappingError(
        code("hl7.timestamp"), field: "\(segment.name)-\(field)",
        explanation: "a time is YYYYMMDDHHMMSS, shorter or with a fraction, and a zone like +0100")
    }
    return time
  }

  private static func check(version: String) throws(MappingError) {
    let parts = version.split(separator: ".")
    guard parts.count >= 2, parts[0] == "2", let minor = Int(parts[1]), (1...8).contains(minor)
    else {
      throw MappingError(
        code("hl7.version-unsupported"), field: "MSH-12",
        explanation: "read here are versions 2.1 to 2.8", acknowledgement: .reject)
    }
  }
}

extension MappingContext {
  /// The ODS code of an organisation as a message names it.
  ///
  /// The connector's table comes first; else the name counts as a code only where the message says
  /// so, or the connector is told that its partners write codes.
  func odsCode(_ name: String?, type: String? = nil, universalID: String? = nil) -> ODSCode? {
    guard let name else { return nil }
    if let known = organisations[name] { return known }
    let says = type?.uppercased() == "ODS" || universalID == "2.16.840.1.113883.2.1.3.2.4.18.48"
    return says || namesAreODSCodes ? ODSCode(name) : nil
  }
}
