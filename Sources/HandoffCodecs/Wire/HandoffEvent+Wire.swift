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
    writer.short(21, kind)
    writer.short(22, priority)
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
    writer.identifier(100, version)
    writer.identifier(101, answers)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    // What is read in place of these never gets out unread: ``FieldsFound`` tells.
    self.init(
      id: EventID(rawValue: 0), receptionID: ReceptionID(rawValue: 0), type: .handoffRequested,
      patientKey: PatientKey(epoch: 1, high: 0, low: 0), handoffID: nil,
      contentMac: Token(rawValue: 0), speaker: .platform, spokenBy: nil,
      occurredAt: Timestamp(nanoseconds: 0), source: .unread, rail: .unread)
    try readFields(from: &reader)
  }
}

/// The most of repeated fields that one event may have: more is a fault of its writer.
private let repeatedMax = 64

/// Which of the fields that an event must have were there, where an empty one was not; and how many of
/// those that may be repeated.
private struct FieldsFound {
  var referenceCount = 0
  var copyCount = 0
  private static let names: [(number: UInt32, name: StaticString)] = [
    (1, "event_id"), (2, "reception_id"), (3, "type"), (4, "patient_key"), (7, "content_mac"),
    (16, "speaker"), (25, "occurred_at"), (35, "source"), (36, "rail"),
  ]
  private static let all: UInt64 = names.reduce(0) { $0 | 1 << UInt64($1.number) }
  private var found: UInt64 = 0

  /// Notes whether there was a value that was read: of several the last.
  @inline(__always) mutating func note<Value>(_ number: UInt32, _ value: Value?) -> Value? {
    let bit: UInt64 = 1 << UInt64(number)
    found = value == nil ? found & ~bit : found | bit
    return value
  }

  var firstMissing: StaticString? {
    guard found != Self.all else { return nil }
    return Self.names.first { found >> UInt64($0.number) & 1 == 0 }?.name
  }
}

extension EventFields {
  /// Reads one `HandoffEvent` message to its end into what nothing was read into before.
  @inline(__always) mutating func readFields(from reader: inout ProtobufReader) throws(WireError) {
    var found = FieldsFound()
    while let number = try reader.nextField() {
      switch number {
      case 1...15: try readIdentifiers(number, from: &reader, &found)
      case 16...24: try readParties(number, from: &reader, &found)
      case 25...41: try readCircumstances(number, from: &reader, &found)
      case 100: version = try reader.identifier("version")
      case 101: answers = try reader.identifier("answers")
      default: try reader.skip()
      }
    }
    if let missing = found.firstMissing { throw reader.missing(missing) }
  }

  @inline(__always) private mutating func readIdentifiers(
    _ number: UInt32, from reader: inout ProtobufReader, _ found: inout FieldsFound
  ) throws(WireError) {
    switch number {
    case 1: if let value: EventID = found.note(1, try reader.identifier("event_id")) { id = value }
    case 2:
      if let value: ReceptionID = found.note(2, try reader.identifier("reception_id")) {
        receptionID = value
      }
    case 3: if let value: EventType = found.note(3, try reader.numbered("type")) { type = value }
    case 4:
      if let value: PatientKey = found.note(4, try reader.patientKey("patient_key")) {
        patientKey = value
      }
    case 5: handoffID = try reader.identifier("handoff_id")
    case 6: messageKey = try reader.identifier("message_key")
    case 7:
      if let value: Token = found.note(7, try reader.identifier("content_mac")) {
        contentMac = value
      }
    case 8:
      guard found.referenceCount < repeatedMax else { throw reader.invalid("external_references") }
      found.referenceCount += 1
      add(try reader.externalReference("external_references"))
    case 9: conversationID = try reader.identifier("conversation_id")
    case 10: journeyID = try reader.identifier("journey_id")
    case 11: causationID = try reader.identifier("causation_id")
    case 12: supersedes = try reader.identifier("supersedes")
    case 13: parentHandoffID = try reader.identifier("parent_handoff_id")
    case 14: newHandoffID = try reader.identifier("new_handoff_id")
    case 15: newPatientKey = try reader.patientKey("new_patient_key")
    default: try reader.skip()
    }
  }

  @inline(__always) private mutating func readParties(
    _ number: UInt32, from reader: inout ProtobufReader, _ found: inout FieldsFound
  ) throws(WireError) {
    switch number {
    case 16:
      if let value: SpeakerRole = found.note(16, try reader.numbered("speaker")) { speaker = value }
    case 17: spokenBy = try reader.organisation("spoken_by")
    case 18: setFrom(try reader.party("from"))
    case 19: setTo(try reader.party("to"))
    case 20:
      guard found.copyCount < repeatedMax else { throw reader.invalid("cc") }
      found.copyCount += 1
      addCopy(to: try reader.party("cc"))
    case 21: kind = try reader.kind("kind")
    case 22: priority = try reader.priority("priority")
    case 23: needCode = try reader.code("need_code")
    case 24: needKey = try reader.identifier("need_key")
    default: try reader.skip()
    }
  }

  @inline(__always) private mutating func readCircumstances(
    _ number: UInt32, from reader: inout ProtobufReader, _ found: inout FieldsFound
  ) throws(WireError) {
    switch number {
    case 25:
      if let value: Timestamp = found.note(25, try reader.timestamp("occurred_at")) {
        occurredAt = value
      }
    case 26: recordedAt = try reader.timestamp("recorded_at")
    case 27: sequence = try reader.unsigned()
    case 28: isBackfill = try reader.flag()
    case 29: reason = try reader.code("reason")
    case 30: outcome = try reader.code("outcome")
    case 31: bookedFor = try reader.timestamp("booked_for")
    case 32: dischargeReadyAt = try reader.timestamp("discharge_ready_at")
    case 33:
      let pathway = try reader.unsigned(UInt8.self, "discharge_pathway")
      guard pathway <= 3 else { throw reader.invalid("discharge_pathway") }
      dischargePathway = pathway
    case 34: isFeedbackOwed = try reader.flag()
    case 35: if let value: Code = found.note(35, try reader.code("source")) { source = value }
    case 36: if let value: Code = found.note(36, try reader.code("rail")) { rail = value }
    case 37: payloadReference = try reader.identifier("payload_reference")
    case 38: classification = try reader.code("classification")
    case 39: setSealedIdentity(try reader.byteSlice())
    case 40: setOriginal(try reader.coordinates("original"))
    case 41: originalAt = try reader.timestamp("original_broker_at")
    default: try reader.skip()
    }
  }
}
