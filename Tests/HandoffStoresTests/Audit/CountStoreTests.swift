import Foundation
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

  @Test func `is thrown away and begun anew where another version made it`() async throws {
    let folder = try TestSupport.TemporaryFolder()
    let store = try CountStore(folder: folder.path("audit"))
    _ = try await store.begin(1, isWhole: true)
    try await store.count(facts(6), of: 1, upTo: 150)
    try store.close()
    try setVersion(9, folder.path("audit") + "/count.sqlite")
    #expect(try await CountStore(folder: folder.path("audit")).standings().isEmpty)
  }

  /// Writes `PRAGMA user_version` where SQLite keeps it: four bytes at 60 of the file.
  private func setVersion(_ version: UInt8, _ path: String) throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[63] = version
    try bytes.write(to: URL(filePath: path))
  }
}
