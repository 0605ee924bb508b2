package import HandoffCore

extension HandoffEvent: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.HandoffEvent" }

  package func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, id)
    writer.identifier(2, receptionID)
    writer.numbered(3, type)
    writer.patientKey(4, patientKey)
    writer.identifier(5, handoffID)
    writer.identifier(6, messageKey)
    writer.identifier(7, contentMac)
    for reference in externalReferences { writer.externalReference(8, reference) }
    writer.identifier(9, conversationID)
    writer.identifier(10, journeyID)
    writer.identifier(11, causationID)
    writer.identifier(12, supersedes)
    writer.identifier(13, parentHandoffID)
    writer.identifier(14, newHandoffID)
    writer.patientKey(15, newPatientKey)
    writer.numbered(16, speaker)
    writer.organisation(17, spokenBy)
    writer.party(18, from)
    writer.party(19, to)
    for party in cc { writer.party(20, party) }
    writer.text(21, kind?.description)
    writer.text(22, priority?.description)
    writer.code(23, needCode)
    writer.identifier(24, needKey)
    writer.timestamp(25, occurredAt)
    writer.timestamp(26, recordedAt)
    if let sequence { writer.present(27, sequence) }
    writer.flag(28, isBackfill)
    writer.code(29, reason)
    writer.code(30, outcome)
    writer.timestamp(31, bookedFor)
    writer.timestamp(32, dischargeReadyAt)
    if let dischargePathway { writer.present(33, dischargePathway) }
    if let isFeedbackOwed { writer.present(34, isFeedbackOwed ? 1 as UInt8 : 0) }
    writer.code(35, source)
    writer.code(36, rail)
    writer.identifier(37, payloadReference)
    writer.code(38, classification)
    writer.bytes(39, sealedIdentity)
    writer.coordinates(40, original)
    writer.timestamp(41, originalAt)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var parts = EventParts()
    while let number = try reader.nextField() {
      switch number {
      case 1...15: try parts.readIdentifiers(number, from: &reader)
      case 16...24: try parts.readParties(number, from: &reader)
      case 25...41: try parts.readCircumstances(number, from: &reader)
      default: try reader.skip()
      }
    }
    self = try parts.event(reader)
  }
}

/// The most of repeated fields that one event may have: more is a fault of its writer.
private let repeatedMax = 64

/// The fields of an event while it is read: nothing is mandatory before the end.
private struct EventParts {
  var id: EventID?
  var receptionID: ReceptionID?
  var type: EventType?
  var patientKey: PatientKey?
  var contentMac: Token?
  var speaker: SpeakerRole?
  var occurredAt: Timestamp?
  var source: Code?
  var rail: Code?
  /// Takes everything optional at once; the placeholders in it never get out.
  var rest: HandoffEvent = blank

  /// Without a key no event is whole, and the blank one's is never read.
  private static let blank: HandoffEvent = {
    guard let key = PatientKey(epoch: 1, hash: [UInt8](repeating: 0, count: 32)),
      let code = Code("none")
    else { preconditionFailure("A hash of 32 bytes and a code of letters are legal") }
    return HandoffEvent(
      id: EventID(rawValue: 0), receptionID: ReceptionID(rawValue: 0), type: .handoffRequested,
      patientKey: key, handoffID: nil, contentMac: Token(rawValue: 0), speaker: .platform,
      spokenBy: nil, occurredAt: Timestamp(nanoseconds: 0), source: code, rail: code)
  }()

  mutating func readIdentifiers(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 1: id = try reader.identifier("event_id")
    case 2: receptionID = try reader.identifier("reception_id")
    case 3: type = try reader.numbered("type")
    case 4: patientKey = try reader.patientKey("patient_key")
    case 5: rest.handoffID = try reader.identifier("handoff_id")
    case 6: rest.messageKey = try reader.identifier("message_key")
    case 7: contentMac = try reader.identifier("content_mac")
    case 8:
      guard rest.externalReferences.count < repeatedMax else {
        throw reader.invalid("external_references")
      }
      rest.externalReferences.append(try reader.externalReference("external_references"))
    case 9: rest.conversationID = try reader.identifier("conversation_id")
    case 10: rest.journeyID = try reader.identifier("journey_id")
    case 11: rest.causationID = try reader.identifier("causation_id")
    case 12: rest.supersedes = try reader.identifier("supersedes")
    case 13: rest.parentHandoffID = try reader.identifier("parent_handoff_id")
    case 14: rest.newHandoffID = try reader.identifier("new_handoff_id")
    case 15: rest.newPatientKey = try reader.patientKey("new_patient_key")
    default: try reader.skip()
    }
  }

  mutating func readParties(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 16: speaker = try reader.numbered("speaker")
    case 17: rest.spokenBy = try reader.organisation("spoken_by")
    case 18: rest.from = try reader.party("from")
    case 19: rest.to = try reader.party("to")
    case 20:
      guard rest.cc.count < repeatedMax else { throw reader.invalid("cc") }
      rest.cc.append(try reader.party("cc"))
    case 21: rest.kind = try reader.kind("kind")
    case 22: rest.priority = try reader.priority("priority")
    case 23: rest.needCode = try reader.code("need_code")
    case 24: rest.needKey = try reader.identifier("need_key")
    default: try reader.skip()
    }
  }

  mutating func readCircumstances(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 25: occurredAt = try reader.timestamp("occurred_at")
    case 26: rest.recordedAt = try reader.timestamp("recorded_at")
    case 27: rest.sequence = try reader.unsigned()
    case 28: rest.isBackfill = try reader.flag()
    case 29: rest.reason = try reader.code("reason")
    case 30: rest.outcome = try reader.code("outcome")
    case 31: rest.bookedFor = try reader.timestamp("booked_for")
    case 32: rest.dischargeReadyAt = try reader.timestamp("discharge_ready_at")
    case 33:
      let pathway = try reader.unsigned(UInt8.self, "discharge_pathway")
      guard pathway <= 3 else { throw reader.invalid("discharge_pathway") }
      rest.dischargePathway = pathway
    case 34: rest.isFeedbackOwed = try reader.flag()
    case 35: source = try reader.code("source")
    case 36: rail = try reader.code("rail")
    case 37: rest.payloadReference = try reader.identifier("payload_reference")
    case 38: rest.classification = try reader.code("classification")
    case 39: rest.sealedIdentity = try reader.byteArray()
    case 40: rest.original = try reader.coordinates("original")
    case 41: rest.originalAt = try reader.timestamp("original_broker_at")
    default: try reader.skip()
    }
  }

  func event(_ reader: ProtobufReader) throws(WireError) -> HandoffEvent {
    guard let id else { throw reader.missing("event_id") }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let type else { throw reader.missing("type") }
    guard let patientKey else { throw reader.missing("patient_key") }
    guard let contentMac else { throw reader.missing("content_mac") }
    guard let speaker else { throw reader.missing("speaker") }
    guard let occurredAt else { throw reader.missing("occurred_at") }
    guard let source else { throw reader.missing("source") }
    guard let rail else { throw reader.missing("rail") }
    var event = rest
    event.id = id
    event.receptionID = receptionID
    event.type = type
    event.patientKey = patientKey
    event.contentMac = contentMac
    event.speaker = speaker
    event.occurredAt = occurredAt
    event.source = source
    event.rail = rail
    return event
  }
}
