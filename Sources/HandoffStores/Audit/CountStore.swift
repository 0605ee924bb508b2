import Foundation
import GRDB
package import HandoffCore
import Synchronization

/// The second count of every partition, beside the audit log that it is counted from.
///
/// Counts, and how far was counted, change in one SQL transaction: each record counts once, however
/// often the service is stopped.
package final class CountStore: Sendable {
  private let queue: Mutex<DatabaseQueue>
  private let path: String
  /// Whether the file that was there could not be read, and is counted anew.
  package let isBegunAnew: Bool

  /// Opens the count in the folder of the audit log, and begins it where it is missing or damaged.
  ///
  /// - Throws: ``CountStoreError``.
  package init(folder: String) throws(CountStoreError) {
    path = Self.path(in: folder)
    do {
      queue = Mutex(try Self.open(path))
      isBegunAnew = false
      return
    } catch {
      guard case .corrupt = error else { throw error }
    }
    try Self.delete(path)
    queue = Mutex(try Self.open(path))
    isBegunAnew = true
  }

  /// Opens a count that is there, for reading alone.
  ///
  /// - Throws: ``CountStoreError``.
  package init(reading folder: String) throws(CountStoreError) {
    path = Self.path(in: folder)
    isBegunAnew = false
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: folder) }
    do {
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(AuditStore.busyTimeout)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.read { db in try CountSchema.check(db) }
      self.queue = Mutex(queue)
    } catch {
      throw CountStoreError(error, path: path)
    }
  }

  /// Throws the file away and begins anew: for one that cannot be read back.
  ///
  /// - Throws: ``CountStoreError``; nothing can be counted then until it is called again.
  package func beginAnew() throws(CountStoreError) {
    try? queue.withLock { queue in try queue.close() }
    try Self.delete(path)
    let made = try Self.open(path)
    queue.withLock { $0 = made }
  }

  private static func open(_ path: String) throws(CountStoreError) -> DatabaseQueue {
    do {
      try PrivateFile.prepare(path: path)
      var configuration = Configuration()
      configuration.busyMode = .timeout(AuditStore.busyTimeout)
      // What is said of an alert must not be unsaid by a power cut.
      configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.inTransaction(.immediate) {
          try CountSchema.prepare(db)
          return .commit
        }
      }
      return queue
    } catch {
      throw CountStoreError(error, path: path)
    }
  }

  /// Deletes the file, what belongs to it first: a log without its file is no log of the next.
  private static func delete(_ path: String) throws(CountStoreError) {
    for file in ["\(path)-wal", "\(path)-shm", path]
    where FileManager.default.fileExists(atPath: file) {
      do {
        try FileManager.default.removeItem(atPath: file)
      } catch {
        throw .store(.notWritable(path: file))
      }
    }
  }

  private static func path(in folder: String) -> String { "\(folder)/count.sqlite" }

  /// Begins the count of a partition; one that is begun stays as it is.
  package func begin(
    _ partition: Int32, isWhole: Bool
  ) async throws(CountStoreError) -> CountStanding {
    try await writing { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO partition (id, next_offset, is_whole) VALUES (?, 0, ?)",
        arguments: [partition, isWhole])
      return try CountStanding.find(partition, db)
        ?? CountStanding(partition: partition, nextOffset: 0, isWhole: isWhole)
    }
  }

  /// Where a partition's count stands; `nil` where none is begun.
  package func standing(of partition: Int32) async throws(CountStoreError) -> CountStanding? {
    try await reading { db in try CountStanding.find(partition, db) }
  }

  /// Where every count stands, in order of the partitions.
  package func standings() async throws(CountStoreError) -> [CountStanding] {
    try await reading { db in
      try Int32.fetchAll(db, sql: "SELECT id FROM partition ORDER BY id")
        .compactMap { try CountStanding.find($0, db) }
    }
  }

  /// Counts the facts of a partition that stand before `next`, from where it was counted before.
  package func count(
    _ facts: [CountedFact], of partition: Int32, upTo next: Int64
  ) async throws(CountStoreError) {
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
  /// Where `isSaying`, a difference begins an alert if none is open, and the lack of one ends all
  /// that are; an alert stands as unsaid until ``noteSaid(_:)``, so that a crash on the way keeps it
  /// from nobody.
  package func note(
    _ comparison: BooksComparison, isSaying: Bool = true
  ) async throws(CountStoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE partition SET compared_offset = ?, compared_at = ? WHERE id = ?",
        arguments: [comparison.offset, comparison.at.milliseconds, comparison.partition])
      try comparison.saveDifferences(db)
      guard isSaying else { return }
      let open = try CountAlert.open(comparison.partition, db)
      guard !comparison.differences.isEmpty else {
        for var alert in open {
          alert.turn(isOpen: false, at: comparison.at, offset: comparison.offset)
          try alert.save(db, isSaid: false)
        }
        return
      }
      guard open.isEmpty else { return }
      // What was over at this very offset goes on: a name is of one episode.
      var alert =
        try CountAlert.find(comparison.partition, episode: comparison.offset, db)?.alert
        ?? CountAlert(
          partition: comparison.partition, episode: comparison.offset, revision: 0,
          openedAt: comparison.at, policy: comparison.policy, readUpTo: 0)
      alert.turn(isOpen: true, at: comparison.at, offset: comparison.offset)
      try alert.save(db, isSaid: false)
    }
  }

  /// Takes over what the alerts topic says and this count does not know: of a count that was lost,
  /// or of another instance that spoke before.
  ///
  /// An open alert of a partition whose books have been found right since is ended.
  package func takeOver(_ alerts: [CountAlert]) async throws(CountStoreError) {
    guard !alerts.isEmpty else { return }
    try await writing { db in
      for var alert in alerts {
        let known = try CountAlert.find(alert.partition, episode: alert.episode, db)?.alert
        guard alert.revision > known?.revision ?? 0 else { continue }
        guard alert.resolvedAt == nil else {
          if known != nil { try alert.save(db, isSaid: true) }
          continue
        }
        let standing = try CountStanding.find(alert.partition, db)
        var isSaid = true
        if let standing, let offset = standing.comparedOffset, let at = standing.comparedAt,
          offset > alert.readUpTo, standing.differences.isEmpty
        {
          alert.turn(isOpen: false, at: at, offset: offset)
          isSaid = false
        }
        try alert.save(db, isSaid: isSaid)
      }
    }
  }

  /// The last word on every episode that is not forgotten.
  package func alerts() async throws(CountStoreError) -> [CountAlert] {
    try await reading { db in try CountAlert.all(db).map(\.alert) }
  }

  /// The alerts whose last word is not said yet.
  package func unsaid() async throws(CountStoreError) -> [CountAlert] {
    try await reading { db in try CountAlert.all(db).filter { !$0.isSaid }.map(\.alert) }
  }

  /// The last word of this alert is on the alerts topic.
  package func noteSaid(_ alert: CountAlert) async throws(CountStoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE alert SET is_said = 1 WHERE partition = ? AND episode = ? AND revision = ?",
        arguments: [alert.partition, alert.episode, alert.revision])
      // The newest stays: were it to begin again at the same offset, it is the same alert.
      try db.execute(
        sql: """
          DELETE FROM alert WHERE partition = ?1 AND is_said = 1 AND resolved_at IS NOT NULL
            AND episode < (SELECT max(episode) FROM alert WHERE partition = ?1)
          """, arguments: [alert.partition])
    }
  }

  /// Releases the file; the store is not used afterwards.
  package func close() throws(CountStoreError) {
    do { try queue.withLock { queue in try queue.close() } } catch {
      throw CountStoreError(error, path: path)
    }
  }

  private func reading<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(CountStoreError) -> Value {
    do { return try await queue.withLock { $0 }.read(body) } catch {
      throw CountStoreError(error, path: path)
    }
  }

  private func writing<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(CountStoreError) -> Value {
    do { return try await queue.withLock { $0 }.write(body) } catch {
      throw CountStoreError(error, path: path)
    }
  }
}

/// The memory of a partition's count, as rows.
private struct CountRows: CountMemory {
  typealias Failure = any Error

  let partition: Int32
  let db: Database

  mutating func handoff(_ id: HandoffID, of person: PatientKey) throws -> CountedHandoff? {
    let statement = try db.cachedStatement(
      sql: "SELECT standing, kind, at FROM handoff WHERE partition = ? AND person = ? AND id = ?")
    return try Row.fetchOne(
      statement, arguments: [partition, person.description, id.description]
    ).map { row in
      guard let standing = CountedHandoff.Standing(rawValue: try fitting(row, "standing")) else {
        throw CountStoreError.corrupt(path: "count.sqlite, table handoff")
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
