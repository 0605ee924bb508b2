package import HandoffCore

extension SourceRecord: WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.SourceRecord" }

  package func write(to writer: inout ProtobufWriter) {
    writer.code(1, source)
    writer.timestamp(2, at)
    switch self {
    case .heartbeat(let heartbeat): writer.nested(3) { heartbeat.write(to: &$0) }
    case .reception(let reception): writer.nested(4) { reception.write(to: &$0) }
    case .refusal(let refusal): writer.nested(5) { refusal.write(to: &$0) }
    case .orphan(let orphan): writer.nested(6) { orphan.write(to: &$0) }
    case .conflict(let conflict): writer.nested(7) { conflict.write(to: &$0) }
    case .condition(let condition): writer.nested(40) { condition.write(to: &$0) }
    }
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var source: Code?
    var at: Timestamp?
    var statement: (number: UInt32, reader: ProtobufReader)?
    while let number = try reader.nextField() {
      switch number {
      case 1: source = try reader.code("source")
      case 2: at = try reader.timestamp("at")
      case 3: statement = (number, try reader.nested("SourceHeartbeat"))
      case 4: statement = (number, try reader.nested("SourceReception"))
      case 5: statement = (number, try reader.nested("SourceRefusal"))
      case 6: statement = (number, try reader.nested("SourceOrphan"))
      case 7: statement = (number, try reader.nested("SourceConflict"))
      case 40: statement = (number, try reader.nested("SourceCondition"))
      default: try reader.skip()
      }
    }
    guard let source else { throw reader.missing("source") }
    guard let at else { throw reader.missing("at") }
    guard var statement else { throw reader.missing("statement") }
    switch statement.number {
    case 3:
      self = .heartbeat(try SourceHeartbeat(source: source, at: at, reading: &statement.reader))
    case 4:
      self = .reception(try SourceReception(source: source, at: at, reading: &statement.reader))
    case 5:
      self = .refusal(try SourceRefusal(source: source, at: at, reading: &statement.reader))
    case 6:
      self = .orphan(try SourceOrphan(source: source, at: at, reading: &statement.reader))
    case 7:
      self = .conflict(try SourceConflict(source: source, at: at, reading: &statement.reader))
    default:
      self = .condition(try SourceCondition(source: source, at: at, reading: &statement.reader))
    }
  }
}

extension SourceHeartbeat {
  func write(to writer: inout ProtobufWriter) {
    writer.timestamp(1, completeUpTo)
    if let lastSequence { writer.present(2, lastSequence) }
    writer.unsigned(3, framesTotal)
    writer.unsigned(4, eventsTotal)
    writer.unsigned(5, refusalsTotal)
  }

  init(source: Code, at: Timestamp, reading reader: inout ProtobufReader) throws(WireError) {
    self.init(
      source: source, at: at, completeUpTo: nil, lastSequence: nil, framesTotal: 0,
      eventsTotal: 0, refusalsTotal: 0)
    while let number = try reader.nextField() {
      switch number {
      case 1: completeUpTo = try reader.timestamp("complete_up_to")
      case 2: lastSequence = try reader.unsigned()
      case 3: framesTotal = try reader.unsigned()
      case 4: eventsTotal = try reader.unsigned()
      case 5: refusalsTotal = try reader.unsigned()
      default: try reader.skip()
      }
    }
  }
}

extension SourceReception {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, receptionID)
    writer.identifier(2, messageKey)
    writer.identifier(3, contentMac)
    if let sequence { writer.present(4, sequence) }
    writer.identifier(50, eventMac)
    writer.identifier(51, subject)
    writer.timestamp(52, recordedAt)
    writer.timestamp(53, occurredAt)
    writer.flag(54, isTimeDoubtful)
    writer.flag(55, isBackfill)
  }

  init(source: Code, at: Timestamp, reading reader: inout ProtobufReader) throws(WireError) {
    var receptionID: ReceptionID?
    self.init(
      source: source, receptionID: ReceptionID(rawValue: 0), messageKey: nil, contentMac: nil,
      sequence: nil, at: at)
    while let number = try reader.nextField() {
      switch number {
      case 1: receptionID = try reader.identifier("reception_id")
      case 2: messageKey = try reader.identifier("message_key")
      case 3: contentMac = try reader.identifier("content_mac")
      case 4: sequence = try reader.unsigned()
      case 50: eventMac = try reader.identifier("event_mac")
      case 51: subject = try reader.identifier("subject")
      case 52: recordedAt = try reader.timestamp("recorded_at")
      case 53: occurredAt = try reader.timestamp("occurred_at")
      case 54: isTimeDoubtful = try reader.flag()
      case 55: isBackfill = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let receptionID else { throw reader.missing("reception_id") }
    self.receptionID = receptionID
  }
}

extension SourceRefusal {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, receptionID)
    writer.code(2, reason)
    writer.text(3, field)
    if let sequence { writer.present(50, sequence) }
    writer.flag(51, isWarning)
  }

  init(source: Code, at: Timestamp, reading reader: inout ProtobufReader) throws(WireError) {
    var receptionID: ReceptionID?
    var reason: Code?
    var field = ""
    var sequence: UInt64?
    var isWarning = false
    while let number = try reader.nextField() {
      switch number {
      case 1: receptionID = try reader.identifier("reception_id")
      case 2: reason = try reader.code("reason")
      case 3: field = try reader.text("field")
      case 50: sequence = try reader.unsigned()
      case 51: isWarning = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let reason else { throw reader.missing("reason") }
    self.init(
      source: source, receptionID: receptionID, reason: reason,
      field: field.isEmpty ? nil : field, at: at)
    self.sequence = sequence
    self.isWarning = isWarning
  }
}

extension SourceOrphan {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, receptionID)
    writer.identifier(2, reference)
    writer.code(3, system)
    writer.timestamp(4, receivedAt)
    writer.flag(5, isResolved)
  }

  init(source: Code, at: Timestamp, reading reader: inout ProtobufReader) throws(WireError) {
    var receptionID: ReceptionID?
    var reference: Token?
    var system: Code?
    var receivedAt: Timestamp?
    var isResolved = false
    while let number = try reader.nextField() {
      switch number {
      case 1: receptionID = try reader.identifier("reception_id")
      case 2: reference = try reader.identifier("reference")
      case 3: system = try reader.code("system")
      case 4: receivedAt = try reader.timestamp("received_at")
      case 5: isResolved = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let reference else { throw reader.missing("reference") }
    guard let system else { throw reader.missing("system") }
    self.init(
      source: source, receptionID: receptionID, reference: reference, system: system,
      receivedAt: receivedAt ?? at, isResolved: isResolved, at: at)
  }
}

extension SourceConflict {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, receptionID)
    writer.identifier(2, reference)
    writer.code(3, system)
    writer.patientKey(4, knownKey)
    writer.patientKey(5, namedKey)
  }

  init(source: Code, at: Timestamp, reading reader: inout ProtobufReader) throws(WireError) {
    var receptionID: ReceptionID?
    var reference: Token?
    var system: Code?
    var knownKey: PatientKey?
    var namedKey: PatientKey?
    while let number = try reader.nextField() {
      switch number {
      case 1: receptionID = try reader.identifier("reception_id")
      case 2: reference = try reader.identifier("reference")
      case 3: system = try reader.code("system")
      case 4: knownKey = try reader.patientKey("known_key")
      case 5: namedKey = try reader.patientKey("named_key")
      default: try reader.skip()
      }
    }
    guard let receptionID else { throw reader.missing("reception_id") }
    guard let reference else { throw reader.missing("reference") }
    guard let system else { throw reader.missing("system") }
    guard let knownKey else { throw reader.missing("known_key") }
    guard let namedKey else { throw reader.missing("named_key") }
    self.init(
      source: source, receptionID: receptionID, reference: reference, system: system,
      knownKey: knownKey, namedKey: namedKey, at: at)
  }
}

extension SourceCondition {
  func write(to writer: inout ProtobufWriter) {
    writer.code(1, subject)
    switch reading {
    case .certificate(let endsAt, let fault):
      writer.nested(2) {
        $0.timestamp(1, endsAt)
        $0.code(2, fault)
      }
    case .fill(let entries, let entriesMax):
      writer.nested(3) {
        $0.unsigned(1, entries)
        $0.unsigned(2, entriesMax)
      }
    }
  }

  init(source: Code, at: Timestamp, reading reader: inout ProtobufReader) throws(WireError) {
    var subject: Code?
    var reading: Reading?
    while let number = try reader.nextField() {
      switch number {
      case 1: subject = try reader.code("subject")
      case 2:
        var nested = try reader.nested("CertificateReading")
        reading = try Self.certificate(&nested)
      case 3:
        var nested = try reader.nested("FillReading")
        reading = try Self.fill(&nested)
      default: try reader.skip()
      }
    }
    guard let subject else { throw reader.missing("subject") }
    guard let reading else { throw reader.missing("reading") }
    self.init(source: source, subject: subject, reading: reading, at: at)
  }

  private static func certificate(_ reader: inout ProtobufReader) throws(WireError) -> Reading {
    var endsAt: Timestamp?
    var fault: Code?
    while let number = try reader.nextField() {
      switch number {
      case 1: endsAt = try reader.timestamp("ends_at")
      case 2: fault = try reader.code("fault")
      default: try reader.skip()
      }
    }
    return .certificate(endsAt: endsAt, fault: fault)
  }

  private static func fill(_ reader: inout ProtobufReader) throws(WireError) -> Reading {
    var entries: UInt64 = 0
    var entriesMax: UInt64 = 0
    while let number = try reader.nextField() {
      switch number {
      case 1: entries = try reader.unsigned()
      case 2: entriesMax = try reader.unsigned()
      default: try reader.skip()
      }
    }
    return .fill(entries: entries, entriesMax: entriesMax)
  }
}
