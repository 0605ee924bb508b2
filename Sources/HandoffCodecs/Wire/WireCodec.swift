package import HandoffCore
import SwiftProtobuf

/// In which form data is written; every reader takes both.
package enum WireFormat: String, CaseIterable, Hashable, Sendable {
  case protobuf, json
}

/// Values of ours to records of CloudEvents in Kafka's binary mode, and back.
///
/// The headers are always in this order: `ce_specversion`, `ce_id`, `ce_source`, `ce_type`,
/// `ce_time`, `ce_subject` where there is one, `content-type`.
package struct WireCodec: Sendable {
  /// The largest value that is read; brokers refuse more than 1 MiB unless told otherwise.
  package static let valueBytesMax = 4 << 20

  package var format: WireFormat

  package init(format: WireFormat = .protobuf) {
    self.format = format
  }

  // MARK: Writing

  package func encode(_ event: HandoffEvent) -> WireRecord {
    record(
      event, key: event.patientKey.description, id: event.id.description,
      source: Self.source(event.source), time: event.occurredAt,
      subject: event.handoffID?.description)
  }

  /// A tick for one partition, which the caller names to the producer.
  ///
  /// Its value is empty and not null: a null value is a deletion mark, which compaction and
  /// mirrors drop, and time would stand still behind them.
  package func encodeTick(at time: Timestamp) -> WireRecord {
    record(
      Tick(), key: Self.tickKey, id: "\(time.nanoseconds)", source: Self.busSource, time: time,
      subject: nil)
  }

  /// A copy of a source's state for one partition.
  package func encode(_ state: SourceState, at time: Timestamp) -> WireRecord {
    record(
      state, key: "source.\(state.source)", id: "\(time.nanoseconds)",
      source: Self.source(state.source), time: time, subject: nil)
  }

  /// A person on the way from one key to another; its partition is that of the new key.
  package func encode(_ transfer: PersonTransfer) -> WireRecord {
    record(
      transfer, key: transfer.to.description, id: transfer.id.description,
      source: Self.busSource, time: transfer.cause.occurredAt, subject: nil)
  }

  /// A record that a reducer wants written to the events topic.
  package func encode(_ outgoing: Outgoing) -> WireRecord {
    switch outgoing {
    case .transfer(let transfer): encode(transfer)
    case .event(let event): encode(event)
    }
  }

  /// A switch of rules for one partition.
  package func encode(_ activation: RulesActivation, at time: Timestamp) -> WireRecord {
    record(
      activation, key: Self.rulesKey, id: "\(time.nanoseconds)", source: Self.busSource,
      time: time, subject: nil)
  }

  package func encode(_ verdict: Verdict) -> WireRecord {
    record(
      verdict, key: verdict.subject.recordKey,
      id: "\(verdict.alertID).\(verdict.revision)", source: Self.busSource,
      time: verdict.resolvedAt ?? verdict.opened, subject: verdict.handoffID?.description)
  }

  package func encode(_ statement: SourceRecord) -> WireRecord {
    let id: String =
      switch statement {
      case .heartbeat(let heartbeat): "\(heartbeat.at.nanoseconds)"
      case .reception(let reception): reception.receptionID.description
      case .refusal(let refusal):
        "\(refusal.receptionID)\(refusal.isWarning ? ".warning" : "")"
      case .orphan(let orphan):
        "\(orphan.receptionID).\(orphan.isResolved ? "resolved" : "orphan")"
      case .conflict(let conflict): "\(conflict.receptionID).\(conflict.reference)"
      case .condition(let condition): "\(condition.at.nanoseconds).\(condition.subject)"
      }
    return record(
      statement, key: statement.source.description, id: id,
      source: Self.source(statement.source), time: statement.at, subject: nil)
  }

  package func encode(_ entry: CorrelationEntry) -> WireRecord {
    record(
      entry, key: entry.token.description, id: entry.eventID.description,
      source: Self.busSource, time: entry.occurredAt, subject: entry.handoffID?.description)
  }

  package func encode(_ letter: DeadLetter) -> WireRecord {
    record(
      letter, key: letter.source.description, id: letter.receptionID.description,
      source: Self.source(letter.source), time: letter.at, subject: nil)
  }

  /// Any message of ours as a record.
  func record(
    _ message: some WireMessage, key: String, id: String, source: String, time: Timestamp?,
    subject: String?
  ) -> WireRecord {
    let type = "\(type(of: message).wireName)"
    var value = message.protobuf
    var contentType = Self.protobufHeader
    if format == .json, let json = WireJSON.json(fromProtobuf: value, type: type) {
      value = json
      contentType = Self.jsonHeader
    }
    var headers = [
      Self.versionHeader, RecordHeader("ce_id", id), RecordHeader("ce_source", source),
      RecordHeader("ce_type", type),
    ]
    headers.reserveCapacity(7)
    if let time { headers.append(RecordHeader("ce_time", RFC3339.text(time))) }
    if let subject { headers.append(RecordHeader("ce_subject", subject)) }
    headers.append(contentType)
    return WireRecord(key: Array(key.utf8), value: value, headers: headers)
  }

  // What every record says alike is made once.
  private static let versionHeader = RecordHeader("ce_specversion", "1.0")
  private static let protobufHeader = RecordHeader("content-type", CloudEvent.protobufType)
  private static let jsonHeader = RecordHeader("content-type", CloudEvent.jsonType)

  /// The key of ticks: no patient key looks like it.
  package static let tickKey = "tick"
  /// The key of rules activations.
  package static let rulesKey = "rules"
  static let busSource = "/baton"

  private static func source(_ code: Code) -> String { "/sources/\(code)" }

  // MARK: Reading

  /// SHA-256 of a stored value; a null value hashes as an empty one.
  package static func recordHash(_ value: [UInt8]?) -> RecordHash {
    RecordHash(sha256Of: value ?? [])
  }

  /// A record of the events topic.
  package static func eventRecord(_ stored: StoredRecord) throws(WireError) -> EventRecord {
    try eventRecord(
      coordinates: stored.coordinates, brokerAt: stored.brokerAt, key: stored.record.key,
      value: stored.record.value, headers: stored.record.headers)
  }

  /// The same from its parts, as a consumer hands them over.
  package static func eventRecord(
    coordinates: RecordCoordinates, brokerAt: Timestamp, key: [UInt8]?, value: [UInt8]?,
    headers: [RecordHeader]
  ) throws(WireError) -> EventRecord {
    let event = try CloudEvent(value, headers: headers)
    let content: EventRecord.Content
    switch try MessageType(event.type) {
    case .handoffEvent:
      content = .event(try heldEvent(event, key: key))
    case .tick:
      _ = try message(Tick.self, event)
      content = .tick
    case .sourceState:
      let state = try message(SourceState.self, event)
      try check(key: key, is: "source.\(state.source)")
      content = .sourceState(state)
    case .rulesActivation:
      content = .rulesActivation(try message(RulesActivation.self, event))
    case .personTransfer:
      let transfer = try message(PersonTransfer.self, event)
      try check(key: key, is: transfer.to.description)
      guard event.id.count == 32, transfer.id.isSpelled(by: event.id, at: 0) else {
        throw WireError(.idMismatch, "ce_id")
      }
      content = .transfer(transfer)
    case .other:
      throw WireError(.typeUnknown, "ce_type")
    }
    return EventRecord(
      content: content, brokerAt: brokerAt, coordinates: coordinates, hash: recordHash(value))
  }

  package static func verdict(_ record: WireRecord) throws(WireError) -> Verdict {
    let verdict = try message(Verdict.self, record)
    try check(key: record.key, is: verdict.subject.recordKey)
    return verdict
  }

  package static func sourceRecord(_ record: WireRecord) throws(WireError) -> SourceRecord {
    let statement = try message(SourceRecord.self, record)
    try check(key: record.key, is: statement.source.description)
    return statement
  }

  /// A record of the sources topic.
  package static func sourceTopicRecord(
    _ stored: StoredRecord
  ) throws(WireError) -> SourceTopicRecord {
    let event = try CloudEvent(stored.record.value, headers: stored.record.headers)
    let content: SourceTopicRecord.Content
    switch try MessageType(event.type) {
    case .tick:
      _ = try message(Tick.self, event)
      content = .tick
    case .rulesActivation:
      content = .rulesActivation(try message(RulesActivation.self, event))
    case .handoffEvent, .sourceState, .personTransfer:
      throw WireError(.typeUnknown, "ce_type")
    case .other: content = .statement(try sourceRecord(stored.record))
    }
    return SourceTopicRecord(
      content: content, brokerAt: stored.brokerAt, coordinates: stored.coordinates,
      hash: recordHash(stored.record.value))
  }

  package static func correlationEntry(
    _ record: WireRecord
  ) throws(WireError) -> CorrelationEntry {
    let entry = try message(CorrelationEntry.self, record)
    try check(key: record.key, is: entry.token.description)
    return entry
  }

  package static func deadLetter(_ record: WireRecord) throws(WireError) -> DeadLetter {
    let letter = try message(DeadLetter.self, record)
    try check(key: record.key, is: letter.source.description)
    return letter
  }

  @inline(__always) private static func heldEvent(
    _ event: CloudEvent, key: [UInt8]?
  ) throws(WireError) -> HeldEvent {
    let held: HeldEvent
    switch event.form {
    case .protobuf:
      var reader = ProtobufReader(event.data, message: HandoffEvent.wireName)
      held = try HeldEvent(of: EncodedEvent(bytes: event.data)) { brief throws(WireError) in
        try brief.readFields(from: &reader)
      }
    case .json: held = HeldEvent(try message(HandoffEvent.self, event))
    }
    guard let key, Self.key(key, names: held.brief.patientKey) else {
      throw WireError(.keyMismatch, "key")
    }
    guard event.id.count == 32, held.brief.id.isSpelled(by: event.id, at: 0) else {
      throw WireError(.idMismatch, "ce_id")
    }
    return held
  }

  /// A record that holds one kind of message only.
  static func message<Message: WireMessage>(
    _ type: Message.Type, _ record: WireRecord
  ) throws(WireError) -> Message {
    let event = try CloudEvent(record.value, headers: record.headers)
    guard event.type.elementsEqual("\(Message.wireName)".utf8) else {
      _ = try MessageType(event.type)  // Says so where it is a newer version or none of ours.
      throw WireError(.typeUnknown, "ce_type")
    }
    return try message(type, event)
  }

  private static func message<Message: WireMessage>(
    _ type: Message.Type, _ event: CloudEvent
  ) throws(WireError) -> Message {
    switch event.form {
    case .protobuf:
      return try Message(protobuf: event.data)
    case .json:
      return try Message(
        protobuf: try WireJSON.protobuf(fromJSON: event.data, type: "\(Message.wireName)"))
    }
  }

  /// Whether `key` is the written form of `patientKey`, told without writing it: this is done for
  /// every event that is read.
  private static func key(_ key: [UInt8], names patientKey: PatientKey) -> Bool {
    // An epoch has up to five digits, the first of them no zero; from the last to the first.
    var epoch = patientKey.epoch
    var position = key.count - 65
    guard position > 0, key[position] == UInt8(ascii: ".") else { return false }
    while epoch > 0, position > 0 {
      position -= 1
      guard key[position] == UInt8(ascii: "0") + UInt8(epoch % 10) else { return false }
      epoch /= 10
    }
    return epoch == 0 && position == 0
      && Token(rawValue: patientKey.high).isSpelled(by: key, at: key.count - 64)
      && Token(rawValue: patientKey.low).isSpelled(by: key, at: key.count - 32)
  }

  private static func check(key: [UInt8]?, is expected: String) throws(WireError) {
    guard let key, key.elementsEqual(expected.utf8) else { throw WireError(.keyMismatch, "key") }
  }

  /// What `ce_type` names, among the messages of the events topic.
  private enum MessageType {
    case handoffEvent, tick, sourceState, rulesActivation, personTransfer
    /// Ours, but no record of the events topic.
    case other

    private static let names: [(name: [UInt8], type: MessageType)] = [
      (Array("\(Tick.wireName)".utf8), .tick),
      (Array("\(SourceState.wireName)".utf8), .sourceState),
      (Array("\(RulesActivation.wireName)".utf8), .rulesActivation),
      (Array("\(PersonTransfer.wireName)".utf8), .personTransfer),
    ]

    private static let event = Array("\(HandoffEvent.wireName)".utf8)

    init(_ bytes: [UInt8]) throws(WireError) {
      if bytes.equals(Self.event) {
        self = .handoffEvent
        return
      }
      for (name, type) in Self.names where name == bytes {
        self = type
        return
      }
      let package = Array("baton.handoff.v".utf8)
      guard bytes.starts(with: package) else { throw WireError(.typeUnknown, "ce_type") }
      let version = bytes.dropFirst(package.count).prefix { $0 != UInt8(ascii: ".") }
      guard version.elementsEqual("1".utf8) else { throw WireError(.versionUnknown, "ce_type") }
      self = .other
    }
  }
}
