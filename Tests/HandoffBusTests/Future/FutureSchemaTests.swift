import HandoffCore
import HandoffStores
import TestSupport
import Testing

@testable import HandoffBus
@testable import HandoffCodecs

/// What a later version, or somebody else, may write to our topics.
enum FutureRecord: String, CaseIterable, CustomTestStringConvertible {
  case unknownType, laterVersion, laterCloudEvents, unknownForm, unknownSetValue, notOurs

  var testDescription: String { rawValue }

  /// Under which code every reader names it.
  var fault: WireError.Fault {
    switch self {
    case .unknownType: .typeUnknown
    case .laterVersion, .laterCloudEvents: .versionUnknown
    case .unknownForm: .contentType
    case .unknownSetValue: .fieldInvalid
    case .notOurs: .attributeMissing
    }
  }

  /// `record` as it would come from there.
  func from(_ record: WireRecord) -> WireRecord {
    var record = record
    func replace(_ name: String, _ text: String) {
      record.headers = record.headers.map {
        $0.name == name ? RecordHeader(name, text) : $0
      }
    }
    let type = record.headers.first { $0.name == "ce_type" }?.value ?? []
    let name = String(decoding: type, as: UTF8.self).split(separator: ".").last ?? ""
    switch self {
    case .unknownType: replace("ce_type", "baton.handoff.v1.OfTheFuture")
    case .laterVersion: replace("ce_type", "baton.handoff.v2.\(name)")
    case .laterCloudEvents: replace("ce_specversion", "2.0")
    case .unknownForm: replace("content-type", "application/avro")
    case .unknownSetValue:
      // Each set of the records used here stands in field 3: type, rule.
      record.value = (record.value ?? []) + [0x18, 0x8f, 0x4e]
    case .notOurs: record.headers = []
    }
    record.headers.insert(RecordHeader("ce_dataschema", "urn:baton:handoff:v2"), at: 0)
    return record
  }
}

@Suite struct `Records of the future` {
  private func events(_ seed: UInt64) -> [HandoffEvent] {
    var journeys = JourneyGenerator(seed: seed)
    return journeys.events(count: 60)
  }

  private func stored(_ record: WireRecord, _ offset: Int) -> StoredRecord {
    StoredRecord(
      record: record,
      coordinates: RecordCoordinates(
        topic: Topic.events.name, partition: 0, offset: Int64(offset)),
      brokerAt: JourneyGenerator.start.advanced(by: .seconds(Int64(offset))))
  }

  @Test(arguments: FutureRecord.allCases)
  func `move the reconciler's time and are a verdict about ourselves, and it goes on`(
    future: FutureRecord
  ) throws {
    let records = events(1).map { WireCodec().encode($0) }
    var plain = OfflineReconciler(policies: [.default])
    var mixed = OfflineReconciler(policies: [.default])
    for (index, record) in records.enumerated() {
      let stored = stored(record, 2 * index)
      // Beside each event a copy from the future: read as an event it would be a repeat.
      let copy = self.stored(future.from(record), 2 * index + 1)
      for one in [stored, copy] { try mixed.take(line(one)) }
      try plain.take(line(stored))
      try plain.take(line(self.stored(WireCodec().encodeTick(at: copy.brokerAt), 2 * index + 1)))
    }
    let ofPersons = mixed.verdicts.filter { $0.rule != .s01 }
    #expect(ofPersons == plain.verdicts)
    let ofUs = mixed.verdicts.filter { $0.rule == .s01 }
    #expect(!ofUs.isEmpty && ofUs.allSatisfy { $0.cause?.description == future.fault.rawValue })
    #expect(mixed.selfAlerts.count == records.count)
    for alert in mixed.selfAlerts {
      #expect(alert.kind == .recordUnreadable)
      #expect(alert.cause?.description == future.fault.rawValue)
      #expect(alert.coordinates != nil)
    }
    #expect(plain.selfAlerts.isEmpty)
  }

  private func line(_ stored: StoredRecord) -> NDJSONRecord {
    NDJSONRecord(
      record: stored.record, coordinates: stored.coordinates, brokerAt: stored.brokerAt)
  }

  @Test(arguments: FutureRecord.allCases)
  func `are kept by audit byte for byte, as unknown`(future: FutureRecord) async throws {
    let folder = try TemporaryFolder()
    let store = try AuditStore(folder: folder.path("audit"), describe: AuditDescription.ofWire)
    let log = AuditLogName(topic: Topic.events.name, partition: 0)
    let records = events(2).prefix(5).enumerated().map { index, event in
      let wire = future.from(WireCodec().encode(event))
      return AuditRecord(
        log: log, offset: Int64(index), brokerTimeMs: Int64(index), key: wire.key,
        headers: wire.headers.map { LoggedHeader(name: $0.name, value: $0.value) },
        value: wire.value)
    }
    try await store.append(records)
    var query = AuditQuery()
    query.type = AuditDescription.unknownType
    let found = try await store.records(matching: query).records
    #expect(found.map(\.record) == records)
    try store.close()
  }

  @Test(arguments: FutureRecord.allCases)
  func `are counted by who lists alerts, who is told that some may be missing`(
    future: FutureRecord
  ) throws {
    let verdict = Verdict(
      alertID: AlertID(rawValue: 1), revision: 1, rule: .a07, action: .opened, severity: .high,
      subject: .person(try #require(events(3).first).patientKey),
      beganWith: EventID(rawValue: 1), opened: JourneyGenerator.start,
      knownAt: JourneyGenerator.start, evidence: [], rulesVersion: 1,
      policyHash: RecordHash(ofStored: []), readUpTo: 1)
    let record = WireCodec().encode(verdict)
    var book = AlertBook()
    for wire in [record, future.from(record), record] {
      do throws(WireError) {
        book.take(try WireCodec.verdict(wire))
      } catch {
        book.passOver(error)
      }
    }
    #expect(book.alerts.count == 1)
    #expect(book.unreadable == [future.fault: 1])
    #expect(book.warning?.contains(future.fault.rawValue) == true)
    #expect(AlertBook().warning == nil)
  }

  @Test func `stay as they are in an export, and name no field that a reader would miss`() throws {
    for future in FutureRecord.allCases {
      let stored = stored(future.from(WireCodec().encode(try #require(events(4).first))), 0)
      for form in NDJSON.Form.allCases {
        let line = NDJSON.line(stored, form: form)
        #expect(try NDJSON.parse(line).stored == stored, "\(future) \(form)")
      }
    }
  }

  @Test(arguments: [
    (#""specversion":"1.0","type":"baton.handoff.v2.HandoffSubmission""#, "submission.type"),
    (#""specversion":"2.0","type":"baton.handoff.v1.HandoffSubmission""#, "submission.specversion"),
    (#""specversion":"1.0","type":"com.example.referral""#, "submission.type"),
  ])
  func `as submissions are refused by name, so that they become dead letters`(
    envelope: String, reason: String
  ) {
    let line =
      #"{\#(envelope),"id":"s","source":"/x","data":{"type":"Accepted","answers":{"value":"m"},"#
      + #""occurredAt":"2026-11-23T10:00:00Z"}}"#
    let outcomes = FrameMapper().map(Array(line.utf8)).map(\.outcome)
    guard case .refused(let error)? = outcomes.first else {
      Issue.record("taken")
      return
    }
    #expect(error.code.description == reason)
  }

  @Test func `as submissions with fields or types that nobody knows are refused, with where`() {
    func reason(_ member: String) -> String? {
      let line =
        #"{"specversion":"1.0","id":"s","source":"/x","type":"baton.handoff.v1.HandoffSubmission","#
        + #""dataschema":"urn:x","data":{"answers":{"value":"m"},\#(member),"#
        + #""occurredAt":"2026-11-23T10:00:00Z"}}"#
      guard case .refused(let error)? = FrameMapper().map(Array(line.utf8)).first?.outcome else {
        return nil
      }
      return "\(error.code) \(error.field ?? "")"
    }
    #expect(reason(#""type":"Accepted""#) == nil)
    #expect(
      reason(#""type":"Accepted","ofTheFuture":1"#) == "submission.unknown-field line 1, $.data"
        || reason(#""type":"Accepted","ofTheFuture":1"#) == "submission.unknown-field $.data")
    #expect(reason(#""type":"OfTheFuture""#)?.hasPrefix("submission.field-invalid") == true)
  }
}
