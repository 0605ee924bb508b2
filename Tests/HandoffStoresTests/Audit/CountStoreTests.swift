import Foundation
import GRDB
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@Suite struct `The second count on the disk` {
  private static let policy = RecordHash(ofStored: [1])

  private func facts(_ seed: UInt64) -> [CountedFact] {
    var generator = JourneyGenerator(seed: seed)
    return generator.records(count: 150).compactMap(CountedFact.init)
  }

  private func comparison(
    _ offset: Int64, _ differences: [BooksDifference] = []
  ) -> BooksComparison {
    BooksComparison(
      partition: 1, offset: offset, at: Timestamp(milliseconds: offset * 1_000),
      policy: Self.policy, differences: differences)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `comes to the same in any portions, and over restarts`(seed: UInt64) async throws {
    let folder = try TestSupport.TemporaryFolder()
    let facts = facts(seed)
    let whole = try CountStore(folder: folder.path("whole"))
    _ = try await whole.begin(1, isWhole: true)
    try await whole.count(facts, of: 1, upTo: Int64(facts.count))
    var random = SeededGenerator(seed: seed)
    var next = 0
    while next < facts.count {
      // Opened anew each time, as after a crash.
      let store = try CountStore(folder: folder.path("parts"))
      let standing = try await store.begin(1, isWhole: true)
      #expect(standing.nextOffset == Int64(next))
      let end = min(facts.count, next + Int.random(in: 1...40, using: &random))
      try await store.count(Array(facts[next..<end]), of: 1, upTo: Int64(end))
      next = end
    }
    let parts = try await CountStore(folder: folder.path("parts")).standings()
    let one = try await whole.standings()
    #expect(parts == one)
    #expect(one.first?.count.events == UInt64(facts.count { $0.isEvent }))
    #expect(one.first?.count.requested.lowerBound ?? 0 > 10)
  }

  @Test func `keeps partitions apart`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    for partition in [0, 1] as [Int32] {
      _ = try await store.begin(partition, isWhole: partition == 0)
      try await store.count(facts(5), of: partition, upTo: 500)
    }
    let standings = try await store.standings()
    #expect(standings.map(\.isWhole) == [true, false])
    #expect(standings.first?.count == standings.last?.count)
  }

  @Test func `tells a difference once, keeps it until it is said, and tells its end`() async throws
  {
    let folder = try TestSupport.TemporaryFolder()
    var store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.note(comparison(10))
    #expect(try await store.unsaid().isEmpty)
    let difference = BooksDifference(.requested, counted: 3...4, booked: 5)
    try await store.note(comparison(20, [difference]))
    try await store.note(comparison(30, [difference]))
    let opened = try #require(try await store.unsaid().first)
    #expect(opened.episode == 20 && opened.revision == 1 && opened.resolvedAt == nil)
    #expect(opened.openedAt == Timestamp(milliseconds: 20_000) && opened.policy == Self.policy)
    // Not said yet, and a crash comes between.
    store = try CountStore(folder: folder.path("audit"))
    #expect(try await store.unsaid() == [opened])
    #expect(try await store.standings().first?.differences == [difference])
    try await store.noteSaid(opened)
    #expect(try await store.unsaid().isEmpty)
    try await store.note(comparison(40))
    let resolved = try #require(try await store.unsaid().first)
    #expect(resolved.episode == 20 && resolved.revision == 2)
    #expect(resolved.resolvedAt == Timestamp(milliseconds: 40_000))
    #expect(try await store.standings().first?.differences == [])
    // What was said of an older word says nothing of a newer one.
    try await store.noteSaid(opened)
    #expect(try await store.unsaid() == [resolved])
    try await store.noteSaid(resolved)
    try await store.note(comparison(50, [difference]))
    #expect(try await store.unsaid().map(\.episode) == [50])
  }

  @Test func `says nothing where another instance does`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.note(comparison(20, [Self.difference]), isSaying: false)
    #expect(try await store.alerts().isEmpty)
    #expect(try await store.standings().first?.differences == [Self.difference])
  }

  @Test func `forgets what is over and said once there is a later one`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    for offset in [20, 40, 60] as [Int64] {
      try await store.note(comparison(offset, [Self.difference]))
      for alert in try await store.unsaid() { try await store.noteSaid(alert) }
      try await store.note(comparison(offset + 10))
      for alert in try await store.unsaid() { try await store.noteSaid(alert) }
    }
    #expect(try await store.alerts().map(\.episode) == [60])
    // At the offset at which it began it is the same alert, and goes on.
    try await store.note(comparison(60, [Self.difference]))
    let again = try #require(try await store.unsaid().first)
    #expect(again.episode == 60 && again.revision == 3 && again.resolvedAt == nil)
  }

  @Test func `ends an alert that was opened before it was lost, once both agree`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    let lost = alert(20)
    try await store.takeOver([lost])
    #expect(try await store.alerts() == [lost])
    #expect(try await store.unsaid().isEmpty)
    // It is open, so that nothing new is said of the same.
    try await store.note(comparison(30, [Self.difference]))
    #expect(try await store.alerts() == [lost])
    try await store.note(comparison(40))
    let resolved = try #require(try await store.unsaid().first)
    #expect(resolved.episode == 20 && resolved.revision == 2)
    #expect(resolved.resolvedAt == Timestamp(milliseconds: 40_000))
    // An old word of it changes nothing any more.
    try await store.takeOver([lost])
    #expect(try await store.unsaid() == [resolved])
  }

  @Test func `ends at once what is heard of after both were found to agree`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.note(comparison(30))
    var over = alert(10)
    (over.revision, over.resolvedAt) = (2, Timestamp(milliseconds: 15_000))
    try await store.takeOver([over, alert(20), alert(50)])
    let resolved = try #require(try await store.unsaid().first)
    #expect(try await store.unsaid().count == 1)
    #expect(resolved.episode == 20 && resolved.readUpTo == 29)
    #expect(resolved.resolvedAt == Timestamp(milliseconds: 30_000))
    // What another instance saw further on is open until that is compared here.
    #expect(try await store.alerts().map(\.episode) == [20, 50])
    try await store.note(comparison(60))
    #expect(try await store.unsaid().map(\.episode) == [20, 50])
  }

  @Test func `takes over a later word of another instance`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.note(comparison(20, [Self.difference]))
    var over = try #require(try await store.unsaid().first)
    (over.revision, over.resolvedAt) = (2, Timestamp(milliseconds: 30_000))
    try await store.takeOver([over])
    #expect(try await store.alerts() == [over])
    #expect(try await store.unsaid().isEmpty)
  }

  @Test func `is counted anew where an older version made it, and keeps its alerts`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    try await store.note(comparison(150, [Self.difference]))
    let alerts = try await store.alerts()
    try store.close()
    try setVersion(1, folder.path("audit") + "/count.sqlite")
    #expect(throws: CountStoreError.olderSchema(version: 1)) {
      try CountStore(reading: folder.path("audit"))
    }
    let later = try CountStore(folder: folder.path("audit"))
    #expect(!later.isBegunAnew)
    #expect(try await later.standings().isEmpty)
    #expect(try await later.alerts() == alerts && alerts.count == 1)
    #expect(try await later.unsaid() == alerts)
  }

  @Test func `is left as it is where a newer version made it`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    let standings = try await store.standings()
    try store.close()
    let path = folder.path("audit") + "/count.sqlite"
    let version = try setVersion(9, path)
    for _ in 1...2 {
      #expect(throws: CountStoreError.newerSchema(version: 9)) {
        try CountStore(folder: folder.path("audit"))
      }
      #expect(throws: CountStoreError.newerSchema(version: 9)) {
        try CountStore(reading: folder.path("audit"))
      }
    }
    try setVersion(version, path)
    #expect(try await CountStore(reading: folder.path("audit")).standings() == standings)
  }

  @Test func `is read where there is one, and reading makes none`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let audit = folder.path("audit")
    #expect(throws: CountStoreError.missing(path: audit)) { try CountStore(reading: audit) }
    #expect(!FileManager.default.fileExists(atPath: audit))
    let store = try CountStore(folder: audit)
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    // Beside the service that counts.
    let reader = try CountStore(reading: audit)
    #expect(try await reader.standings() == store.standings())
    await #expect(throws: CountStoreError.self) { try await reader.begin(2, isWhole: true) }
  }

  @Test(arguments: [Data("no database at all".utf8), Data(repeating: 7, count: 40_000)])
  func `is begun anew where its file is damaged`(bytes: Data) async throws {
    let folder = try TestSupport.TemporaryFolder()
    let path = folder.path("audit") + "/count.sqlite"
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try store.close()
    for suffix in ["", "-wal", "-shm"] { try bytes.write(to: URL(filePath: path + suffix)) }
    let anew = try CountStore(folder: folder.path("audit"))
    #expect(anew.isBegunAnew)
    #expect(try await anew.standings().isEmpty)
    _ = try await anew.begin(1, isWhole: true)
    try anew.close()
    let later = try CountStore(folder: folder.path("audit"))
    #expect(!later.isBegunAnew)
    #expect(try await later.standings().map(\.partition) == [1])
  }

  @Test(arguments: [
    "UPDATE partition SET events = -1", "UPDATE partition SET arrived = \(Int64.max)",
    "UPDATE partition SET id = \(1 << 40)", "UPDATE kind SET requested = -5",
    "UPDATE alert SET revision = -1", "UPDATE alert SET partition = \(1 << 40)",
    "UPDATE alert SET policy = x'00'", "DROP TABLE kind", "ALTER TABLE alert DROP COLUMN is_said",
  ])
  func `takes what nobody counted for damage, and is begun anew while it is open`(
    sql: String
  ) async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    try await store.note(comparison(150, [Self.difference]))
    let other = try DatabaseQueue(path: folder.path("audit") + "/count.sqlite")
    try await other.write { db in try db.execute(sql: sql) }
    try other.close()
    var found: CountStoreError?
    do {
      _ = try await store.standings()
      _ = try await store.unsaid()
    } catch {
      found = error
    }
    guard case .corrupt? = found else {
      Issue.record("not taken for damage: \(String(describing: found))")
      return
    }
    try store.beginAnew()
    #expect(try await store.standings().isEmpty)
    #expect(try await store.alerts().isEmpty)
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    #expect(try await store.standings().first?.nextOffset == 150)
  }

  @Test func `takes a handoff whose standing nobody gave for damage`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    let other = try DatabaseQueue(path: folder.path("audit") + "/count.sqlite")
    try await other.write { db in try db.execute(sql: "UPDATE handoff SET standing = 300") }
    await #expect(throws: CountStoreError.corrupt(path: "count.sqlite, column standing")) {
      try await store.count(facts(6), of: 1, upTo: 300)
    }
  }

  private static let difference = BooksDifference(.requested, counted: 3...4, booked: 5)

  /// An open alert as the alerts topic tells of it.
  private func alert(_ episode: Int64) -> CountAlert {
    CountAlert(
      partition: 1, episode: episode, revision: 1,
      openedAt: Timestamp(milliseconds: episode * 1_000), policy: Self.policy,
      readUpTo: episode - 1)
  }

  /// Writes `PRAGMA user_version` where SQLite keeps it: four bytes at 60 of the file; returns what it
  /// was.
  @discardableResult
  private func setVersion(_ version: UInt8, _ path: String) throws -> UInt8 {
    var bytes = try Data(contentsOf: URL(filePath: path))
    let before = bytes[63]
    bytes[63] = version
    try bytes.write(to: URL(filePath: path))
    return before
  }
}
