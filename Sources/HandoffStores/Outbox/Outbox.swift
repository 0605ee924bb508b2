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
    var request: RequestClaim?
    var continuation: CheckedContinuation<Result<RequestOutcome, OutboxError>, Never>

    var byteCount: Int { frames.reduce(0) { $0 + $1.bytes.count } }
  }

  struct State {
    var waiting: [Waiting] = []
    var isDrainScheduled = false
    var isClosed = false
    var level = OutboxLevel(rowCount: 0, byteCount: 0)
    var ids = ReceptionIDGenerator()
    var commitCount = 0
    /// Rows of `requests`: no less than there are, after a commit that failed.
    var requestCount = 0
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
      let (level, requestCount) = try database.write { db in
        try Self.createTables(db)
        try Self.createInboxTable(db)
        let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM requests") ?? 0
        return (try Self.level(db), count)
      }
      self.database = database
      state = Mutex(State(level: level, requestCount: requestCount))
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
    guard case .taken(let ids) = try await commit(frames, claim: claim, request: nil) else {
      preconditionFailure("only a numbered request can be a repeat")
    }
    return ids
  }

  /// The same for a numbered request, whose number is stored in the same transaction.
  ///
  /// A number that is known takes nothing in.
  package func commit(
    _ frames: [NewFrame], request: RequestClaim
  ) async throws(OutboxError) -> RequestOutcome {
    try await commit(frames, claim: nil, request: request)
  }

  private func commit(
    _ frames: [NewFrame], claim: FileClaim?, request: RequestClaim?
  ) async throws(OutboxError) -> RequestOutcome {
    let bytes = frames.reduce(0) { $0 + $1.bytes.count }
    guard frames.allSatisfy({ $0.bytes.count <= limits.frameByteCountMax }) else {
      throw .full(limit: .frameBytes)
    }
    let result: Result<RequestOutcome, OutboxError> = await withCheckedContinuation {
      let waiting = Waiting(
        frames: frames, claim: claim, request: request, continuation: $0)
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
    var outcomes: [RequestOutcome] = []
    do {
      try db.inTransaction {
        for (caller, ids) in zip(group, ids) {
          if let request = caller.request, let isSame = try Self.isKnown(request, db) {
            outcomes.append(.repeated(isSame: isSame))
          } else {
            try insert(caller, ids: ids, into: db)
            outcomes.append(.taken(ids))
          }
        }
        return .commit
      }
    } catch {
      failure = OutboxError(error)
    }
    settle(group, failure.map { Result.failure($0) } ?? .success(outcomes))
  }

  /// Gives back the room of what was not taken in, and tells every caller.
  private func settle(_ group: [Waiting], _ result: Result<[RequestOutcome], OutboxError>) {
    let outcomes = (try? result.get()) ?? []
    let unused = group.enumerated().filter { index, _ in
      guard index < outcomes.count, case .taken = outcomes[index] else { return true }
      return false
    }.map(\.element)
    state.withLock { state in
      state.commitCount += 1
      for caller in unused { state.release(rows: caller.frames.count, bytes: caller.byteCount) }
    }
    for (index, caller) in group.enumerated() {
      caller.continuation.resume(returning: result.map { $0[index] })
    }
    if unused.count < group.count { wakeUp.yield() }
  }

  /// Whether the number of the request was used before, and for the same content.
  private static func isKnown(_ request: RequestClaim, _ db: Database) throws -> Bool? {
    try Data.fetchOne(
      db, sql: "SELECT content FROM requests WHERE key = ?", arguments: [Data(request.key)]
    ).map { $0 == Data(request.content) }
  }

  private func insert(_ caller: Waiting, ids: [ReceptionID], into db: Database) throws {
    try Self.insertFrames(caller.frames, ids: ids, into: db)
    if let claim = caller.claim {
      try db.execute(
        sql: "INSERT OR IGNORE INTO claims (claim) VALUES (?)", arguments: [Data(claim.bytes)])
    }
    if let request = caller.request { try remember(request, in: db) }
  }

  static func insertFrames(
    _ frames: [NewFrame], ids: [ReceptionID], into db: Database
  ) throws {
    for (frame, id) in zip(frames, ids) {
      try db.execute(
        sql: """
          INSERT INTO frames (
            reception_id, source, rail, received_at, byte_count, bytes, refusal, refusal_field,
            transport)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          Data(id.bytes), frame.source.description, frame.rail.description,
          frame.receivedAt.nanoseconds, frame.bytes.count, Data(frame.bytes),
          frame.refusal?.reason.description, frame.refusal?.field,
          try frame.transport.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) },
        ])
      try db.execute(
        sql: """
          INSERT INTO totals (source, frames) VALUES (?, 1)
          ON CONFLICT (source) DO UPDATE SET frames = frames + 1
          """, arguments: [frame.source.description])
    }
  }

  /// Stores the number of a request, and forgets those that are too old or too many.
  private func remember(_ request: RequestClaim, in db: Database) throws {
    let time = now()
    try db.execute(
      sql: "INSERT INTO requests (key, content, received_at) VALUES (?, ?, ?)",
      arguments: [Data(request.key), Data(request.content), time.nanoseconds])
    let oldest = time.advanced(by: Elapsed(nanoseconds: -limits.requestAgeMax.nanoseconds))
    try db.execute(
      sql: """
        DELETE FROM requests WHERE key IN (
          SELECT key FROM requests WHERE received_at < ? ORDER BY received_at LIMIT 1000)
        """, arguments: [oldest.nanoseconds])
    let count = state.withLock { $0.requestCount } + 1 - db.changesCount
    guard count > limits.requestCountMax else { return state.withLock { $0.requestCount = count } }
    // A tenth at once, so that a full table is not sorted through at every request.
    let surplus = count - limits.requestCountMax + limits.requestCountMax / 10
    try db.execute(
      sql: """
        DELETE FROM requests WHERE key IN (
          SELECT key FROM requests ORDER BY received_at LIMIT ?)
        """, arguments: [surplus])
    state.withLock { $0.requestCount = count - db.changesCount }
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
