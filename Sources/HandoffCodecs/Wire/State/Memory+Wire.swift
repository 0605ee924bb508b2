import HandoffCore

extension SeenEvent {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, eventID)
    writer.identifier(2, receptionID)
    writer.identifier(3, messageKey)
    writer.identifier(4, contentMac)
    writer.numbered(5, type)
    writer.moment(6, arrivedAt)
    writer.hash(7, prefix: hash)
    writer.signed(8, offset)
    writer.signed(9, present: partition)
    writer.organisation(10, spokenBy)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var eventID: EventID?
    var receptionID: ReceptionID?
    var messageKey: Token?
    var contentMac: Token?
    var type: EventType?
    var arrivedAt = Timestamp(nanoseconds: 0)
    var hash: RecordHashPrefix?
    var offset: Int64 = 0
    var partition: Int32?
    var spokenBy: OrganisationID?
    while let number = try reader.nextField() {
      switch number {
      case 1: eventID = try reader.identifier("event_id")
      case 2: receptionID = try reader.identifier("reception_id")
      case 3: messageKey = try reader.identifier("message_key")
      case 4: contentMac = try reader.identifier("content_mac")
      case 5: type = try reader.numbered("type")
      case 6: arrivedAt = try reader.moment()
      case 7: hash = try reader.hashPrefix("record_hash")
      case 8: offset = try reader.signed(Int64.self, "offset")
      case 9: partition = try reader.partition()
      case 10: spokenBy = try reader.organisation("spoken_by")
      default: try reader.skip()
      }
    }
    guard let eventID else { throw reader.missing("event_id") }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let contentMac else { throw reader.missing("content_mac") }
    guard let type else { throw reader.missing("type") }
    guard let hash else { throw reader.missing("record_hash") }
    self.init(
      eventID: eventID, receptionID: receptionID, messageKey: messageKey, contentMac: contentMac,
      type: type, arrivedAt: arrivedAt, hash: hash, offset: offset, partition: partition,
      spokenBy: spokenBy)
  }
}

extension Repetition {
  func write(to writer: inout ProtobufWriter) {
    writer.numbered(1, rule)
    writer.identifier(2, subject)
    writer.identifier(3, handoffID)
    writer.identifier(4, beganWith)
    writer.identifier(5, lastReceptionID)
    writer.unsigned(6, count)
    writer.moment(7, opened)
    writer.moment(8, lastAt)
    writer.witness(9, first)
    writer.witness(10, latest)
    writer.code(11, cause)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var rule: Rule?
    var subject: Token?
    var handoffID: HandoffID?
    var beganWith: EventID?
    var lastReceptionID: ReceptionID?
    var count: UInt32 = 0
    var opened = Timestamp(nanoseconds: 0)
    var lastAt = Timestamp(nanoseconds: 0)
    var first: Witness?
    var latest: Witness?
    var cause: Code?
    while let number = try reader.nextField() {
      switch number {
      case 1: rule = try reader.numbered("rule")
      case 2: subject = try reader.identifier("subject")
      case 3: handoffID = try reader.identifier("handoff_id")
      case 4: beganWith = try reader.identifier("began_with")
      case 5: lastReceptionID = try reader.identifier("last_reception_id")
      case 6: count = try reader.unsigned(UInt32.self, "count")
      case 7: opened = try reader.moment()
      case 8: lastAt = try reader.moment()
      case 9: first = try reader.witness("first")
      case 10: latest = try reader.witness("latest")
      case 11: cause = try reader.code("cause")
      default: try reader.skip()
      }
    }
    guard let rule else { throw reader.missing("rule") }
    guard let subject else { throw reader.missing("subject") }
    guard let beganWith else { throw reader.missing("began_with") }
    guard let lastReceptionID else { throw reader.missing("last_reception_id") }
    guard let first else { throw reader.missing("first") }
    guard let latest else { throw reader.missing("latest") }
    self.init(
      rule: rule, subject: subject, handoffID: handoffID, beganWith: beganWith,
      lastReceptionID: lastReceptionID, count: count, opened: opened, lastAt: lastAt,
      first: first, latest: latest, cause: cause)
  }
}

extension EmittedAlert {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, id)
    writer.numbered(2, rule)
    writer.identifier(3, handoffID)
    writer.identifier(4, beganWith)
    writer.identifier(5, subject)
    writer.code(6, cause)
    writer.unsigned(7, revision)
    writer.flag(8, isOpen)
    writer.moment(9, opened)
    writer.unsigned(10, count)
    writer.code(60, hangsOn)
    writer.flag(61, isUndetermined)
    writer.moment(62, present: answeredAt)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var id: AlertID?
    var rule: Rule?
    var handoffID: HandoffID?
    var beganWith: EventID?
    var subject: Token?
    var cause: Code?
    var revision: UInt32 = 0
    var isOpen = false
    var opened = Timestamp(nanoseconds: 0)
    var count: UInt32 = 0
    var hangsOn: Code?
    var isUndetermined = false
    var answeredAt: Timestamp?
    while let number = try reader.nextField() {
      switch number {
      case 1: id = try reader.identifier("alert_id")
      case 2: rule = try reader.numbered("rule")
      case 3: handoffID = try reader.identifier("handoff_id")
      case 4: beganWith = try reader.identifier("began_with")
      case 5: subject = try reader.identifier("subject")
      case 6: cause = try reader.code("cause")
      case 7: revision = try reader.unsigned(UInt32.self, "revision")
      case 8: isOpen = try reader.flag()
      case 9: opened = try reader.moment()
      case 10: count = try reader.unsigned(UInt32.self, "count")
      case 60: hangsOn = try reader.code("hangs_on")
      case 61: isUndetermined = try reader.flag()
      case 62: answeredAt = try reader.moment()
      default: try reader.skip()
      }
    }
    guard let id else { throw reader.missing("alert_id") }
    guard let rule else { throw reader.missing("rule") }
    guard let beganWith else { throw reader.missing("began_with") }
    self.init(
      id: id, rule: rule, handoffID: handoffID, beganWith: beganWith, subject: subject,
      cause: cause, revision: revision, isOpen: isOpen, opened: opened, count: count)
    self.hangsOn = hangsOn
    self.isUndetermined = isUndetermined
    self.answeredAt = answeredAt
  }
}
