package import HandoffCore

extension Verdict: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.Verdict" }

  /// The most records that one verdict names; a reducer that rests on more says so by `count`.
  package static let evidenceMax = 1_024

  package func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, alertID)
    writer.unsigned(2, revision)
    writer.numbered(3, rule)
    writer.numbered(4, action)
    writer.numbered(5, severity)
    writer.patientKey(6, patientKey)
    writer.identifier(7, handoffID)
    writer.identifier(8, beganWith)
    writer.numbered(9, state)
    writer.organisation(10, from)
    writer.organisation(11, to)
    writer.short(12, kind)
    writer.short(13, priority)
    writer.code(14, cause)
    writer.unsigned(15, count)
    writer.timestamp(16, opened)
    writer.timestamp(17, knownAt)
    writer.timestamp(18, resolvedAt)
    for item in evidence { writer.nested(19) { item.write(to: &$0) } }
    writer.unsigned(20, rulesVersion)
    writer.hash(21, policyHash)
    writer.signed(22, readUpTo)
    switch subject {
    case .handoff, .person: break
    case .source(let code):
      writer.unsigned(23, SubjectKind.source.rawValue)
      writer.code(24, code)
    case .bus: writer.unsigned(23, SubjectKind.bus.rawValue)
    }
    writer.code(60, hangsOn)
    writer.organisation(61, successor)
    writer.hash(62, registerHash)
    writer.code(70, profile)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var parts = VerdictParts()
    while let number = try reader.nextField() {
      switch number {
      case 1...8, 23, 24: try parts.readSubject(number, from: &reader)
      case 9...15: try parts.readHandoff(number, from: &reader)
      case 16...22, 60...62, 70: try parts.readGrounds(number, from: &reader)
      default: try reader.skip()
      }
    }
    self = try parts.verdict(reader)
  }
}

/// The fields of a verdict while it is read.
private struct VerdictParts {
  var alertID: AlertID?
  var revision: UInt32 = 0
  var rule: Rule?
  var action: Verdict.Action?
  var severity: Severity?
  /// 0 in every verdict about a person, and in all that were written before there were others.
  var kindOfSubject: UInt32 = 0
  var source: Code?
  var patientKey: PatientKey?
  var handoffID: HandoffID?
  var beganWith: EventID?
  var state: HandoffState?
  var from: OrganisationID?
  var to: OrganisationID?
  var kind: HandoffKind?
  var priority: Priority?
  var cause: Code?
  var count: UInt32 = 0
  var opened: Timestamp?
  var knownAt: Timestamp?
  var resolvedAt: Timestamp?
  var evidence: [Evidence] = []
  var rulesVersion: UInt32 = 0
  var policyHash: RecordHash?
  var profile: Code?
  var readUpTo: Int64 = 0
  var hangsOn: Code?
  var successor: OrganisationID?
  var registerHash: RecordHash?

  mutating func readSubject(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 1: alertID = try reader.identifier("alert_id")
    case 2: revision = try reader.unsigned(UInt32.self, "revision")
    case 3: rule = try reader.numbered("rule")
    case 4: action = try reader.numbered("action")
    case 5: severity = try reader.numbered("severity")
    case 6: patientKey = try reader.patientKey("patient_key")
    case 7: handoffID = try reader.identifier("handoff_id")
    case 8: beganWith = try reader.identifier("began_with")
    case 23: kindOfSubject = try reader.unsigned(UInt32.self, "subject")
    case 24: source = try reader.code("source")
    default: try reader.skip()
    }
  }

  mutating func readHandoff(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 9: state = try reader.numbered("state")
    case 10: from = try reader.organisation("from")
    case 11: to = try reader.organisation("to")
    case 12: kind = try reader.kind("kind")
    case 13: priority = try reader.priority("priority")
    case 14: cause = try reader.code("cause")
    case 15: count = try reader.unsigned(UInt32.self, "count")
    default: try reader.skip()
    }
  }

  mutating func readGrounds(
    _ number: UInt32, from reader: inout ProtobufReader
  ) throws(WireError) {
    switch number {
    case 16: opened = try reader.timestamp("opened")
    case 17: knownAt = try reader.timestamp("known_at")
    case 18: resolvedAt = try reader.timestamp("resolved_at")
    case 19:
      guard evidence.count < Verdict.evidenceMax else { throw reader.invalid("evidence") }
      var nested = try reader.nested("Evidence")
      evidence.append(try Evidence(reading: &nested))
    case 20: rulesVersion = try reader.unsigned(UInt32.self, "rules_version")
    case 21: policyHash = try reader.hash("policy_hash")
    case 22: readUpTo = try reader.signed(Int64.self, "read_up_to")
    case 60: hangsOn = try reader.code("hangs_on")
    case 61: successor = try reader.organisation("successor")
    case 62: registerHash = try reader.hash("register_hash")
    case 70: profile = try reader.code("profile")
    default: try reader.skip()
    }
  }

  func verdict(_ reader: ProtobufReader) throws(WireError) -> Verdict {
    guard let alertID else { throw reader.missing("alert_id") }
    guard revision > 0 else { throw reader.missing("revision") }
    guard let rule else { throw reader.missing("rule") }
    guard let action else { throw reader.missing("action") }
    guard let severity else { throw reader.missing("severity") }
    guard let opened else { throw reader.missing("opened") }
    guard let knownAt else { throw reader.missing("known_at") }
    guard rulesVersion > 0 else { throw reader.missing("rules_version") }
    guard let policyHash else { throw reader.missing("policy_hash") }
    var verdict = Verdict(
      alertID: alertID, revision: revision, rule: rule, action: action, severity: severity,
      subject: try subject(reader), beganWith: beganWith, opened: opened, knownAt: knownAt,
      evidence: evidence, rulesVersion: rulesVersion, policyHash: policyHash, readUpTo: readUpTo,
      count: count)
    verdict.profile = profile
    verdict.state = state
    verdict.from = from
    verdict.to = to
    verdict.kind = kind
    verdict.priority = priority
    verdict.cause = cause
    verdict.resolvedAt = resolvedAt
    verdict.hangsOn = hangsOn
    verdict.successor = successor
    verdict.registerHash = registerHash
    return verdict
  }

  private func subject(_ reader: ProtobufReader) throws(WireError) -> Verdict.Subject {
    guard kindOfSubject != 0 else {
      guard let patientKey else { throw reader.missing("patient_key") }
      guard beganWith != nil else { throw reader.missing("began_with") }
      return Verdict.Subject(patientKey, handoffID: handoffID)
    }
    switch SubjectKind(rawValue: kindOfSubject) {
    case .source:
      guard let source else { throw reader.missing("source") }
      return .source(source)
    case .bus: return .bus
    case nil: throw reader.invalid("subject")
    }
  }
}

/// The numbers of `Verdict.Subject` in the schema.
private enum SubjectKind: UInt32 {
  case source = 1
  case bus = 2
}

extension Evidence {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, eventID)
    writer.hash(2, hash)
    writer.coordinates(3, coordinates)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var eventID: EventID?
    var hash: RecordHash?
    var coordinates: RecordCoordinates?
    while let number = try reader.nextField() {
      switch number {
      case 1: eventID = try reader.identifier("event_id")
      case 2: hash = try reader.hash("record_hash")
      case 3: coordinates = try reader.coordinates("coordinates")
      default: try reader.skip()
      }
    }
    guard let hash else { throw reader.missing("record_hash") }
    self.init(eventID: eventID, hash: hash, coordinates: coordinates)
  }
}
