import Foundation
import GRDB
package import HandoffCore

/// The second count of every partition, beside the audit log that it is counted from.
///
/// Counts, and how far was counted, change in one SQL transaction: each record counts once, however
/// often the service is stopped.
package final class CountStore: Sendable {
  private let queue: DatabaseQueue
  private let path: String

  /// Opens the count in the folder of the audit log, and begins it where it is missing.
  ///
  /// - Throws: ``AuditStoreError``.
  package init(folder: String) throws(AuditStoreError) {
    path = Self.path(in: folder)
    do {
      try PrivateFile.prepare(path: path)
      var configuration = Configuration()
      configuration.busyMode = .timeout(AuditStore.busyTimeout)
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        // What a crash takes away of it is counted again.
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        try db.inTransaction(.immediate) {
          try CountSchema.prepare(db)
          return .commit
        }
      }
    } catch {
      throw AuditStoreError(error, path: path)
    }
  }

  /// Whether there is one in the folder.
  package static func exists(in folder: String) -> Bool {
    FileManager.default.fileExists(atPath: path(in: folder))
  }

  private static func path(in folder: String) -> String { "\(folder)/count.sqlite" }

  /// Begins the count of a partition; one that is begun stays as it is.
  package func begin(
    _ partition: Int32, isWhole: Bool
  ) async throws(AuditStoreError) -> CountStanding {
    try await writing { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO partition (id, next_offset, is_whole) VALUES (?, 0, ?)",
        arguments: [partition, isWhole])
      return try CountStanding.find(partition, db)
        ?? CountStanding(partition: partition, nextOffset: 0, isWhole: isWhole)
    }
  }

  /// Where a partition's count stands; `nil` where none is begun.
  package func standing(of partition: Int32) async throws(AuditStoreError) -> CountStanding? {
    try await reading { db in try CountStanding.find(partition, db) }
  }

  /// Where every count stands, in order of the partitions.
  package func standings() async throws(AuditStoreError) -> [CountStanding] {
    try await reading { db in
      try Int32.fetchAll(db, sql: "SELECT id FROM partition ORDER BY id")
        .compactMap { try CountStanding.find($0, db) }
    }
  }

  /// Counts the facts of a partition that stand before `next`, from where it was counted before.
  package func count(
    _ facts: [CountedFact], of partition: Int32, upTo next: Int64
  ) async throws(AuditStoreError) {
    try await writing { db in
      guard var standing = try CountStanding.find(partition, db) else { return }
      var memory = CountRows(partition: partition, db: db)
      for fact in facts { try standing.count.count(fact, &memory) }
      standing.nextOffset = max(standing.nextOffset, next)
      try standing.save(db)
    }
  }

  /// Notes what came of holding a partition's books against its count.
  ///
  /// A difference begins an alert where none is open, and the lack of one ends it; the alert stands
  /// as unsaid until ``noteSaid(_:)``, so that a crash on the way keeps it from nobody.
  package func note(_ comparison: BooksComparison) async throws(AuditStoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE partition SET compared_offset = ?, compared_at = ? WHERE id = ?",
        arguments: [comparison.offset, comparison.at.milliseconds, comparison.partition])
      try comparison.saveDifferences(db)
      let last = try CountAlert.find(comparison.partition, db)
      let isOpen = last.map { $0.resolvedAt == nil } ?? false
      guard isOpen == comparison.differences.isEmpty else { return }
      var alert =
        isOpen
        ? last
        : CountAlert(
          partition: comparison.partition, episode: comparison.offset, revision: 0,
          openedAt: comparison.at, policy: comparison.policy, readUpTo: 0)
      alert?.revision += 1
      alert?.resolvedAt = isOpen ? comparison.at : nil
      alert?.readUpTo = comparison.offset - 1
      try alert?.save(db, isSaid: false)
    }
  }

  /// The alerts whose last word is not said yet.
  package func unsaid() async throws(AuditStoreError) -> [CountAlert] {
    try await reading { db in
      try Row.fetchAll(db, sql: "SELECT * FROM alert WHERE is_said = 0 ORDER BY partition")
        .map(CountAlert.init)
    }
  }

  /// The last word of this alert is on the alerts topic.
  package func noteSaid(_ alert: CountAlert) async throws(AuditStoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE alert SET is_said = 1 WHERE partition = ? AND episode = ? AND revision = ?",
        arguments: [alert.partition, alert.episode, alert.revision])
    }
  }

  /// Releases the file; the store is not used afterwards.
  package func close() throws(AuditStoreError) {
    do { try queue.close() } catch { throw AuditStoreError(error, path: path) }
  }

  private func reading<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(AuditStoreError) -> Value {
    do { return try await queue.read(body) } catch { throw AuditStoreError(error, path: path) }
  }

  private func writing<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(AuditStoreError) -> Value {
    do { return try await queue.write(body) } catch { throw AuditStoreError(error, path: path) }
  }
}

/// The memory of a partition's count, as rows.
private struct CountRows: CountMemory {
  let partition: Int32
  let db: Database

  mutating func handoff(_ id: HandoffID, of person: PatientKey) throws -> CountedHandoff? {
    let statement = try db.cachedStatement(
      sql: "SELECT standing, kind, at FROM handoff WHERE partition = ? AND person = ? AND id = ?")
    return try Row.fetchOne(
      statement, arguments: [partition, person.description, id.description]
    ).map { row in
      guard let standing = CountedHandoff.Standing(rawValue: row["standing"]) else {
        throw AuditStoreError.corrupt(place: "count.sqlite, table handoff")
      }
      return CountedHandoff(
        standing, kind: (row["kind"] as String?).flatMap { HandoffKind($0) },
        at: Timestamp(milliseconds: row["at"]))
    }
  }

  mutating func keep(
    _ handoff: CountedHandoff, _ id: HandoffID, of person: PatientKey
  ) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO handoff (partition, person, id, standing, kind, at)
        VALUES (?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      partition, person.description, id.description, handoff.standing.rawValue,
      handoff.kind?.description, handoff.at.milliseconds,
    ])
  }

  mutating func hasDeparted(_ person: PatientKey) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: "SELECT EXISTS (SELECT 1 FROM departed WHERE partition = ? AND person = ?)")
    return try Bool.fetchOne(statement, arguments: [partition, person.description]) ?? false
  }

  mutating func noteDeparture(of person: PatientKey) throws {
    try db.cachedStatement(sql: "INSERT OR IGNORE INTO departed VALUES (?, ?)")
      .execute(arguments: [partition, person.description])
  }

  mutating func noteArrival(_ id: EventID, of person: PatientKey) throws -> Bool {
    try db.cachedStatement(sql: "INSERT OR IGNORE INTO arrival VALUES (?, ?, ?)")
      .execute(arguments: [partition, person.description, id.description])
    return db.changesCount > 0
  }
}
