import Foundation
import GRDB
package import HandoffCore
import Synchronization

/// Where every frame is made durable before its sender hears anything.
///
/// One SQLite file (WAL, `synchronous=FULL`), one connection, owned by one process. Callers that
/// come while a commit is running share the next one, so that many senders cost one fsync.
/// Frames hold identity in clear: the file is readable by its owner alone, deleted content is
/// overwritten (`secure_delete`), and the write-ahead log is truncated whenever nothing waits.
package final class Outbox: Sendable {
  /// One caller of ``commit(_:claim:)`` waiting for its group.
  struct Waiting {
    var frames: [NewFrame]
    var claim: FileClaim?
    var continuation: CheckedContinuation<Result<[ReceptionID], OutboxError>, Never>
  }

  struct State {
    var waiting: [Waiting] = []
    var isDrainScheduled = false
    var isClosed = false
    var level = OutboxLevel(rowCount: 0, byteCount: 0)
    var ids = ReceptionIDGenerator()
    var commitCount = 0
  }

  let database: DatabaseQueue
  let state: Mutex<State>
  let limits: OutboxLimits
  private let now: @Sendable () -> Timestamp
  private let wakeUp: AsyncStream<Void>.Continuation

  /// Yields after frames were committed or unparked; for one reader, the ingest loop.
  package let arrivals: AsyncStream<Void>

  /// Opens the outbox at `path`, and makes it and its folder where they are missing.
  ///
  /// - Throws: ``OutboxError/inUse`` where another process has it, ``OutboxError/notWritable``
  ///   where permissions forbid it.
  package init(
    path: String, limits: OutboxLimits = OutboxLimits(), now: @escaping @Sendable () -> Timestamp
  ) throws(OutboxError) {
    self.limits = limits
    self.now = now
    (arrivals, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    do {
      try PrivateFile.prepare(path: path)
      let database = try DatabaseQueue(path: path, configuration: Self.configuration(limits))
      let level = try database.write { db in
        try Self.createTables(db)
        return try Self.level(db)
      }
      self.database = database
      state = Mutex(State(level: level))
    } catch {
      throw OutboxError(error)
    }
    wakeUp.yield()
  }

  /// Makes `frames` durable together, and gives each its reception id, in their order.
  ///
  /// Returns only when they are on the disk. With a `claim`, the claim is stored in the same
  /// transaction.
  package func commit(
    _ frames: [NewFrame], claim: FileClaim? = nil
  ) async throws(OutboxError) -> [ReceptionID] {
    let bytes = frames.reduce(0) { $0 + $1.bytes.count }
    guard frames.allSatisfy({ $0.bytes.count <= limits.frameByteCountMax }) else {
      throw .full(limit: .frameBytes)
    }
    let result: Result<[ReceptionID], OutboxError> = await withCheckedContinuation {
      let waiting = Waiting(frames: frames, claim: claim, continuation: $0)
      let admission = state.withLock { $0.admit(waiting, bytes: bytes, limits: limits) }
      switch admission {
      case .refused(let error): waiting.continuation.resume(returning: .failure(error))
      case .joined: break
      case .first: database.asyncWriteWithoutTransaction { db in self.drain(db) }
      }
    }
    return try result.get()
  }

  /// Refuses further frames, waits for what is under way and truncates the write-ahead log.
  package func close() async {
    state.withLock { $0.isClosed = true }
    wakeUp.finish()
    await withCheckedContinuation { continuation in
      database.asyncWriteWithoutTransaction { db in
        Self.truncateLog(db)
        continuation.resume()
      }
    }
    try? database.close()  // Fails only while statements run, and none can.
  }

  /// What waits, parked frames included.
  package var level: OutboxLevel { state.withLock { $0.level } }

  /// Whether ``close()`` was called.
  package var isClosed: Bool { state.withLock { $0.isClosed } }

  /// How many transactions have taken frames in: below the number of callers when they share.
  package var commitCount: Int { state.withLock { $0.commitCount } }

  /// Commits everything that waits at this moment in one transaction, on the database's queue.
  private func drain(_ db: Database) {
    let (group, ids) = state.withLock { state in
      let group = state.waiting
      state.waiting = []
      state.isDrainScheduled = false
      var random = SystemRandomNumberGenerator()
      let time = now()
      let ids = group.map { caller in
        caller.frames.map { _ in state.ids.next(at: time, using: &random) }
      }
      return (group, ids)
    }
    var failure: OutboxError?
    do {
      try db.inTransaction {
        for (caller, ids) in zip(group, ids) { try Self.insert(caller, ids: ids, into: db) }
        return .commit
      }
    } catch {
      failure = OutboxError(error)
    }
    let hasFailed = failure != nil
    let frames = group.flatMap(\.frames)
    state.withLock {
      $0.commitCount += 1
      if hasFailed {
        $0.release(rows: frames.count, bytes: frames.reduce(0) { $0 + $1.bytes.count })
      }
    }
    for (caller, ids) in zip(group, ids) {
      caller.continuation.resume(returning: failure.map { .failure($0) } ?? .success(ids))
    }
    if !hasFailed { wakeUp.yield() }
  }

  private static func insert(_ caller: Waiting, ids: [ReceptionID], into db: Database) throws {
    for (frame, id) in zip(caller.frames, ids) {
      try db.execute(
        sql: """
          INSERT INTO frames (
            reception_id, source, rail, received_at, byte_count, bytes, refusal, refusal_field)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          Data(id.bytes), frame.source.description, frame.rail.description,
          frame.receivedAt.nanoseconds, frame.bytes.count, Data(frame.bytes),
          frame.refusal?.reason.description, frame.refusal?.field,
        ])
      try db.execute(
        sql: """
          INSERT INTO totals (source, frames) VALUES (?, 1)
          ON CONFLICT (source) DO UPDATE SET frames = frames + 1
          """, arguments: [frame.source.description])
    }
    if let claim = caller.claim {
      try db.execute(
        sql: "INSERT OR IGNORE INTO claims (claim) VALUES (?)", arguments: [Data(claim.bytes)])
    }
  }

  /// Wakes the reader of ``arrivals``.
  func wake() { wakeUp.yield() }
}

extension Outbox.State {
  /// What became of a caller at the door.
  enum Admission {
    case refused(OutboxError)
    /// A commit is scheduled already and takes this caller along.
    case joined
    /// The caller has to schedule the commit.
    case first
  }

  mutating func admit(
    _ waiting: Outbox.Waiting, bytes: Int, limits: OutboxLimits
  ) -> Admission {
    guard !isClosed else { return .refused(.closed) }
    guard level.rowCount + waiting.frames.count <= limits.rowCountMax else {
      return .refused(.full(limit: .rows))
    }
    guard level.byteCount + bytes <= limits.byteCountMax else {
      return .refused(.full(limit: .bytes))
    }
    level.rowCount += waiting.frames.count
    level.byteCount += bytes
    self.waiting.append(waiting)
    guard !isDrainScheduled else { return .joined }
    isDrainScheduled = true
    return .first
  }

  mutating func release(rows: Int, bytes: Int) {
    level.rowCount -= rows
    level.byteCount -= bytes
  }
}
