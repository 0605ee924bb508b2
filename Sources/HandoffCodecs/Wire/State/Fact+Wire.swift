import HandoffCore

extension Fact {
  func write(to writer: inout ProtobufWriter) {
    writer.witness(1, witness)
    writer.numbered(2, type)
    writer.numbered(3, speaker)
    writer.organisation(4, spokenBy)
    writer.organisation(5, from)
    writer.organisation(6, to)
    writer.short(7, kind)
    writer.short(8, priority)
    writer.identifier(9, needKey)
    writer.identifier(10, journeyID)
    writer.identifier(11, parentHandoffID)
    writer.identifier(12, newHandoffID)
    writer.code(13, reason)
    writer.code(14, rail)
    writer.moment(15, present: bookedFor)
    writer.moment(16, present: dischargeReadyAt)
    if let isFeedbackOwed { writer.present(17, isFeedbackOwed ? 1 as UInt8 : 0) }
    writer.flag(18, isBackfill)
    writer.flag(19, isRetry)
    writer.unsigned(20, policy)
    writer.code(21, needCode)
    for service in cc { writer.organisation(22, service) }
    if contentHash != 0 { writer.fixed64(23, contentHash) }
    writer.unsigned(100, version)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var parts = FactParts()
    while let number = try reader.nextField() { try parts.read(number, from: &reader) }
    guard let witness = parts.witness else { throw reader.missing("witness") }
    guard let type = parts.type else { throw reader.missing("type") }
    guard let speaker = parts.speaker else { throw reader.missing("speaker") }
    guard let rail = parts.rail else { throw reader.missing("rail") }
    self.init(
      witness: witness, type: type, speaker: speaker, rail: rail, policy: parts.policy,
      isBackfill: parts.isBackfill, isRetry: parts.isRetry)
    spokenBy = parts.spokenBy
    from = parts.from
    to = parts.to
    kind = parts.kind
    priority = parts.priority
    needKey = parts.needKey
    needCode = parts.needCode
    cc = parts.cc
    contentHash = parts.contentHash
    version = parts.version
    journeyID = parts.journeyID
    parentHandoffID = parts.parentHandoffID
    newHandoffID = parts.newHandoffID
    reason = parts.reason
    bookedFor = parts.bookedFor
    dischargeReadyAt = parts.dischargeReadyAt
    isFeedbackOwed = parts.isFeedbackOwed
  }
}

/// The fields of a fact while it is read.
private struct FactParts {
  var witness: Witness?
  var type: EventType?
  var speaker: SpeakerRole?
  var spokenBy: OrganisationID?
  var from: OrganisationID?
  var to: OrganisationID?
  var kind: HandoffKind?
  var priority: Priority?
  var needKey: Token?
  var needCode: Code?
  var cc: [OrganisationID] = []
  var contentHash: UInt64 = 0
  var version: UInt32 = 0
  var journeyID: Token?
  var parentHandoffID: HandoffID?
  var newHandoffID: HandoffID?
  var reason: Code?
  var rail: Code?
  var bookedFor: Timestamp?
  var dischargeReadyAt: Timestamp?
  var isFeedbackOwed: Bool?
  var isBackfill = false
  var isRetry = false
  var policy: UInt16 = 0

  mutating func read(_ number: UInt32, from reader: inout ProtobufReader) throws(WireError) {
    switch number {
    case 1: witness = try reader.witness("witness")
    case 2: type = try reader.numbered("type")
    case 3: speaker = try reader.numbered("speaker")
    case 4: spokenBy = try reader.organisation("spoken_by")
    case 5: from = try reader.organisation("from")
    case 6: to = try reader.organisation("to")
    case 7: kind = try reader.kind("kind")
    case 8: priority = try reader.priority("priority")
    case 9: needKey = try reader.identifier("need_key")
    case 10: journeyID = try reader.identifier("journey_id")
    case 11: parentHandoffID = try reader.identifier("parent_handoff_id")
    case 12: newHandoffID = try reader.identifier("new_handoff_id")
    case 13: reason = try reader.code("reason")
    case 14: rail = try reader.code("rail")
    case 15: bookedFor = try reader.moment()
    case 16: dischargeReadyAt = try reader.moment()
    case 17: isFeedbackOwed = try reader.flag()
    case 18: isBackfill = try reader.flag()
    case 19: isRetry = try reader.flag()
    case 20: policy = try reader.unsigned(UInt16.self, "policy")
    case 21: needCode = try reader.code("need_code")
    case 22: try cc.append(from: &reader)
    case 23: contentHash = try reader.contentTail()
    case 100: version = try reader.unsigned(UInt32.self, "version")
    default: try reader.skip()
    }
  }
}

extension Mark {
  func write(to writer: inout ProtobufWriter) {
    writer.numbered(1, step)
    writer.witness(2, witness)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var step: Step?
    var witness: Witness?
    while let number = try reader.nextField() {
      switch number {
      case 1: step = try reader.numbered("step")
      case 2: witness = try reader.witness("witness")
      default: try reader.skip()
      }
    }
    guard let step else { throw reader.missing("step") }
    guard let witness else { throw reader.missing("witness") }
    self.init(step: step, witness: witness)
  }
}

extension Finding {
  func write(to writer: inout ProtobufWriter) {
    writer.numbered(1, rule)
    writer.code(2, cause)
    writer.witness(3, witness)
    writer.moment(4, due)
    writer.flag(5, wasTerminal)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var rule: Rule?
    var cause: Code?
    var witness: Witness?
    var due = Timestamp(nanoseconds: 0)
    var wasTerminal = false
    while let number = try reader.nextField() {
      switch number {
      case 1: rule = try reader.numbered("rule")
      case 2: cause = try reader.code("cause")
      case 3: witness = try reader.witness("witness")
      case 4: due = try reader.moment()
      case 5: wasTerminal = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let rule else { throw reader.missing("rule") }
    guard let witness else { throw reader.missing("witness") }
    self.init(rule: rule, cause: cause, witness: witness, due: due, wasTerminal: wasTerminal)
  }
}

extension Array<OrganisationID> {
  /// Adds one service that shares the care, of which there is a bounded number.
  mutating func append(from reader: inout ProtobufReader) throws(WireError) {
    guard count < Fact.ccMax, let service = try reader.organisation("cc") else {
      throw reader.invalid("cc")
    }
    append(service)
  }
}
