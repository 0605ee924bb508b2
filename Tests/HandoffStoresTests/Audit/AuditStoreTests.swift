import Foundation
import GRDB
import HandoffCore
import TestSupport
import Testing

@testable import HandoffStores

@Suite struct AuditStoreTests {
  @Test func `the checked-in schema is the one the code creates`() throws {
    let sample = try AuditSample()
    let file = try String(
      contentsOf: PackageRoot.url.appending(path: "Schemas/sql/audit.sql"), encoding: .utf8)
    let reference = try DatabaseQueue()
    try reference.write { try $0.execute(sql: file) }
    let list = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    let created = try DatabaseQueue(path: "\(sample.path)/audit.sqlite").read {
      try Row.fetchAll($0, sql: list)
    }
    #expect(try created == reference.read { try Row.fetchAll($0, sql: list) })
    #expect(created.count >= 12)
  }

  @Test(arguments: [1, 7, 256, 300])
  func `records in batches of any size give the same tree, and each is logged once`(
    size: Int
  ) async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(300)
    for start in stride(from: 0, to: 300, by: size) {
      let batch = Array(records[start..<min(300, start + size)])
      #expect(try await sample.store.append(batch).appended == batch.count)
      // The broker gives part of it again, as after a restart.
      let again = Array(records[max(0, start - 3)..<min(300, start + size)])
      #expect(
        try await sample.store.append(again) == AuditAppendResult(ignored: again.count))
    }
    let log = try #require(try await sample.store.log(AuditSample.log))
    #expect(log.size == 300)
    #expect(log.nextOffset == records[299].offset + 1)
    #expect(log.root == AuditSample.root(of: records))
    #expect(try await sample.verify().findings.map(\.place) == ["handoff.events.v1/3 checkpoint"])
  }

  @Test func `two partitions have two trees, and a reopened store goes on where it was`()
    async throws
  {
    let sample = try AuditSample()
    let other = AuditLogName(topic: "handoff.alerts.v1", partition: 0)
    try await sample.store.append(
      AuditSample.records(100) + AuditSample.records(40, of: other))
    try sample.store.close()
    let reopened = try AuditStore(existing: sample.path, describe: AuditDescription.ofWire)
    #expect(try await reopened.logs().map(\.size) == [40, 100])
    #expect(try await reopened.logs().map(\.name) == [other, AuditSample.log])
    try await reopened.append(Array(AuditSample.records(120).dropFirst(100)))
    _ = try await reopened.publish(by: sample.signer)
    let report = try await sample.verify()
    #expect(report.isSound, "\(report.findings)")
    #expect(report.logs.map(\.covered) == [40, 120])
  }

  @Test func `a record that is not what was logged at its offset stops the log`() async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(10)
    try await sample.store.append(records)
    for change: (inout AuditRecord) -> Void in [
      { $0.value = [0] }, { $0.value = nil }, { $0.key = nil }, { $0.brokerTimeMs += 1 },
      { $0.headers = [] }, { $0.offset = 2 },
    ] {
      var changed = records[4]
      change(&changed)
      let next = try AuditSample.record(99)
      await #expect(
        throws: AuditStoreError.diverged(log: AuditSample.log, offset: changed.offset)
      ) { try await sample.store.append([next, changed]) }
    }
    // Nothing of the refused batches stays.
    #expect(try await sample.store.log(AuditSample.log)?.size == 10)
  }

  @Test func `queries find by each condition, in pages`() async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(200)
    try await sample.store.append(records)
    func count(_ change: (inout AuditQuery) -> Void) async throws -> Int {
      var query = AuditQuery()
      query.limit = 10_000
      change(&query)
      return try await sample.store.records(matching: query).records.count
    }
    let key = try #require(records[0].key)
    #expect(try await count { $0.key = key } == records.count { $0.key == key })
    #expect(try await count { $0.type = "Tick" } == records.count { $0.offset % 7 == 3 })
    #expect(try await count { $0.type = "A07" } == records.count { $0.offset % 7 == 6 })
    #expect(try await count { $0.type = "A07.opened" } == records.count { $0.offset % 7 == 6 })
    #expect(try await count { $0.type = "A07.resolved" } == 0)
    #expect(try await count { $0.type = "unknown" } == records.count { $0.offset % 7 == 5 })
    #expect(try await count { $0.alertPrefix = AlertID(rawValue: 6).description } == 1)
    let handoff = HandoffID(rawValue: 3)
    #expect(
      try await count { $0.handoffPrefix = handoff.description }
        == records.count { $0.offset / 4 == 2 && ![3, 5, 6].contains($0.offset % 7) })
    // Their ids are small numbers: all begin with zeros, none with anything else.
    #expect(
      try await count { $0.handoffPrefix = "0000" }
        > count { $0.handoffPrefix = handoff.description })
    #expect(try await count { $0.handoffPrefix = "00001" } == 0)
    let receiver = OrganisationID.ods(try #require(ODSCode("RNU")))
    #expect(
      try await count { $0.organisation = receiver }
        == records.count { ![3, 5, 6].contains($0.offset % 7) })
    #expect(
      try await count {
        $0.from = Timestamp(milliseconds: records[10].brokerTimeMs)
        $0.to = Timestamp(milliseconds: records[20].brokerTimeMs)
      } == 10)
    #expect(try await count { $0.topic = "handoff.alerts.v1" } == 0)

    var paged: [LoggedRecord] = []
    var query = AuditQuery()
    query.limit = 33
    repeat {
      let page = try await sample.store.records(matching: query)
      #expect(page.records.count <= 33)
      paged += page.records
      query.after = page.next.flatMap { AuditCursor($0.text) }
    } while query.after != nil
    #expect(paged.map(\.record) == records)
    #expect(paged.map(\.leafIndex) == Array(0..<200))
  }

  @Test(arguments: TimeBounds.allCases)
  func `a page of a topic in a stretch of time is read in that order, and nothing is sorted`(
    bounds: TimeBounds
  ) async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(60)
    let others = try AuditSample.records(60, of: Self.alerts)
    try await sample.store.append(records + others)
    var query = AuditQuery()
    query.topic = AuditSample.log.topic
    query.limit = 7
    let end = bounds.apply(to: &query, from: records[5].brokerTimeMs, to: records[50].brokerTimeMs)
    var paged: [AuditRecord] = []
    repeat {
      let asked = query
      let plan = try await sample.store.pool.read { db in
        let (sql, arguments) = AuditStore.select(asked, try LogRow.all(db))
        return try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: arguments)
          .map { $0["detail"] as String }
      }
      #expect(plan.count == 1 && plan.allSatisfy { $0.contains("USING INDEX record_by_time") })
      let page = try await sample.store.records(matching: query)
      paged += page.records.map(\.record)
      query.after = page.next
    } while query.after != nil
    #expect(paged == Array(records[end]))
  }

  /// How a question bounds time.
  enum TimeBounds: CaseIterable {
    case from, to, both, cursorBefore, cursorWithin

    /// Asks for a stretch; returns which of the 60 records are in it.
    func apply(to query: inout AuditQuery, from: Int64, to: Int64) -> Range<Int> {
      if self != .to { query.from = Timestamp(milliseconds: from) }
      if self == .to || self == .both { query.to = Timestamp(milliseconds: to) }
      switch self {
      case .from: return 5..<60
      case .to: return 0..<50
      case .both: return 5..<50
      case .cursorBefore:
        query.after = AuditCursor(brokerTimeMs: from - 2, id: 0)
        return 5..<60
      case .cursorWithin:
        query.after = AuditCursor(brokerTimeMs: to, id: .max)
        return 51..<60
      }
    }
  }

  @Test func `the start of so many records is found from the newest side, for all topics the same`()
    async throws
  {
    let sample = try AuditSample()
    let records = try AuditSample.records(100)
    try await sample.store.append(records + AuditSample.records(40, of: Self.alerts))
    let topics = [AuditSample.log.topic, Self.alerts.topic]
    let early = Timestamp(milliseconds: 5)
    func start(_ topics: [String], _ countMax: Int) async throws -> Int64 {
      try await sample.store.start(of: topics, from: early, countMax: countMax).milliseconds
    }
    #expect(try await start(topics, 100) == early.milliseconds)
    #expect(try await start([], 1) == early.milliseconds)
    for count in [1, 10, 99] {
      let start = try await start([AuditSample.log.topic], count)
      #expect(records.count { $0.brokerTimeMs >= start } == count)
    }
    // The alerts all came before the last ten events.
    let ofAlerts = try await start([Self.alerts.topic], 10)
    #expect(records.count { $0.brokerTimeMs >= ofAlerts } == 70)
    for order in [topics, topics.reversed()] {
      let start = try await start(order, 10)
      #expect(records.count { $0.brokerTimeMs >= start } == 10)
    }
    let late = Timestamp(milliseconds: records[97].brokerTimeMs)
    #expect(try await sample.store.start(of: topics, from: late, countMax: 10) == late)
  }

  @Test func `the start leaves a millisecond out that holds more than may be read`() async throws {
    let sample = try AuditSample()
    var records = try AuditSample.records(20)
    for index in 5..<15 { records[index].brokerTimeMs = records[5].brokerTimeMs }
    try await sample.store.append(records)
    let start = try await sample.store.start(
      of: [AuditSample.log.topic], from: .distantPast, countMax: 8)
    #expect(records.count { $0.brokerTimeMs >= start.milliseconds } == 5)
  }

  @Test func `the records of a type are found in the order of their log, from any leaf on`()
    async throws
  {
    let sample = try AuditSample()
    let records = try AuditSample.records(200)
    try await sample.store.append(AuditSample.records(50, of: Self.alerts) + records)
    var found: [LoggedRecord] = []
    var leaf: UInt64 = 0
    repeat {
      let page = try await sample.store.records(
        of: AuditSample.log, type: "A07", fromLeaf: leaf, limit: 3)
      found += page
      leaf = page.last.map { $0.leafIndex + 1 } ?? .max
    } while leaf < .max
    #expect(found.map(\.record) == records.filter { $0.offset % 7 == 6 })
  }

  private static let alerts = AuditLogName(topic: "handoff.alerts.v1", partition: 0)

  @Test func `an access is on record and cannot be changed`() async throws {
    let sample = try AuditSample()
    let access = AuditAccess(
      at: Timestamp(milliseconds: 5), reader: "auditor", action: "query", question: "{}",
      reason: "case 7")
    try await sample.store.recordAccess(access)
    #expect(try await sample.store.accesses(limit: 10) == [access])
    #expect(throws: DatabaseError.self) { try sample.tamper("UPDATE access SET reader = 'x'") }
    #expect(throws: DatabaseError.self) { try sample.tamper("DELETE FROM access") }
  }

  @Test func `a folder that cannot be written, and one without a log, are named`() throws {
    #expect(throws: AuditStoreError.notWritable(path: "/proc/none/audit.sqlite")) {
      try AuditStore(folder: "/proc/none", describe: AuditDescription.ofWire)
    }
    #expect(throws: AuditStoreError.missing(path: "/nowhere")) {
      try AuditStore(existing: "/nowhere", describe: AuditDescription.ofWire)
    }
  }

  @Test func `columns that another version derived are derived anew, and are named until then`()
    async throws
  {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(40))
    _ = try await sample.store.publish(by: sample.signer)
    try sample.store.close()
    try sample.tamper("UPDATE search SET version = 0")
    try sample.tamper("UPDATE record SET type = 'unknown', handoff_id = NULL, kind = 'old'")
    #expect(try await sample.places().contains("table search, column version"))
    _ = try AuditStore(existing: sample.path, describe: AuditDescription.ofWire)
    #expect(try await sample.verify().isSound)
  }

  @Test func `a database of a newer version is refused`() throws {
    let sample = try AuditSample()
    try sample.store.close()
    try sample.tamper("PRAGMA user_version = 99")
    #expect(throws: AuditStoreError.newerSchema(version: 99)) {
      try AuditStore(existing: sample.path, describe: AuditDescription.ofWire)
    }
  }
}
