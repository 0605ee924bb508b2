import Foundation
import GRDB
import HandoffCodecs
package import HandoffCore
import Synchronization

/// What ingest did with one page of frames, to be recorded after its Kafka transaction.
package struct OutboxSettlement: Sendable {
  /// Frames that are in Kafka, as events or as dead letters: deleted here.
  package var published: [Int64] = []
  /// Answers that wait for their request under its correlation token.
  package var parked: [(sequence: Int64, token: Token)] = []
  /// Parked answers of which it is said by now that their request did not come.
  package var judged: [Int64] = []
  /// What the page adds to the totals of each source.
  package var totals: [Code: SourceTotals] = [:]

  package init() {}
}

/// The control totals of a source since it was first started.
package struct SourceTotals: Hashable, Sendable {
  package var frames: UInt64 = 0
  package var events: UInt64 = 0
  package var refusals: UInt64 = 0
  package var lastSequence: UInt64?

  package init() {}
}

extension Outbox {
  /// The oldest frames that are not parked, in order.
  ///
  /// Stops before `byteCountMax` is passed, but gives one frame at least where any waits.
  package func pending(
    limit: Int, byteCountMax: Int = 8 * 1_024 * 1_024
  ) async throws(OutboxError) -> [StoredFrame] {
    try await onQueue { db in
      var frames: [StoredFrame] = []
      var bytes = 0
      let cursor = try Row.fetchCursor(
        db,
        sql: "SELECT * FROM frames WHERE parked_under IS NULL ORDER BY sequence LIMIT ?",
        arguments: [limit])
      while let row = try cursor.next() {
        let frame = try Self.frame(row)
        bytes += frame.bytes.count
        guard frames.isEmpty || bytes <= byteCountMax else { break }
        frames.append(frame)
      }
      return frames
    }
  }

  /// Parked frames that were received before `time`: no request has come for them.
  ///
  /// With `judged` only those of which that was said already, or only those of which it was not.
  package func parked(
    receivedBefore time: Timestamp, judged: Bool? = nil, limit: Int
  ) async throws(OutboxError) -> [StoredFrame] {
    try await onQueue { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM frames
          WHERE parked_under IS NOT NULL AND received_at < ?1
            AND (?2 IS NULL OR (judged_under IS NOT NULL) = ?2)
          ORDER BY sequence LIMIT ?3
          """, arguments: [time.nanoseconds, judged, limit]
      ).map(Self.frame)
    }
  }

  /// Puts parked frames back in line: those under `tokens`, or all with `nil`.
  ///
  /// - Returns: how many.
  @discardableResult
  package func unpark(_ tokens: [Token]?) async throws(OutboxError) -> Int {
    if let tokens, tokens.isEmpty { return 0 }
    let count = try await onQueue { db in
      var count = 0
      try db.inTransaction {
        if let tokens {
          for token in tokens {
            try db.execute(
              sql: "UPDATE frames SET parked_under = NULL WHERE parked_under = ?",
              arguments: [Data(token.bytes)])
            count += db.changesCount
          }
        } else {
          try db.execute(
            sql: "UPDATE frames SET parked_under = NULL WHERE parked_under IS NOT NULL")
          count = db.changesCount
        }
        return .commit
      }
      return count
    }
    state.withLock { $0.level.parkedCount -= count }
    if count > 0 { wake() }
    return count
  }

  /// Records what became of a page, in one transaction.
  package func settle(_ settlement: OutboxSettlement) async throws(OutboxError) {
    let change = try await onQueue { db in
      var change = OutboxLevel(rowCount: 0, byteCount: 0)
      try db.inTransaction {
        for sequence in settlement.published {
          let row = try Row.fetchOne(
            db,
            sql: """
              DELETE FROM frames WHERE sequence = ?
              RETURNING byte_count, parked_under IS NOT NULL AS parked
              """, arguments: [sequence])
          guard let row else { continue }
          change.rowCount -= 1
          change.byteCount -= row["byte_count"] as Int
          change.parkedCount -= row["parked"] as Int
        }
        for (sequence, token) in settlement.parked {
          try db.execute(
            sql: """
              UPDATE frames SET parked_under = ?, announced = 1
              WHERE sequence = ? AND parked_under IS NULL
              """, arguments: [Data(token.bytes), sequence])
          change.parkedCount += db.changesCount
        }
        for sequence in settlement.judged {
          try db.execute(
            sql: "UPDATE frames SET judged_under = parked_under WHERE sequence = ?",
            arguments: [sequence])
        }
        for (source, delta) in settlement.totals {
          try Self.add(delta, to: source, db)
        }
        return .commit
      }
      return change
    }
    let isEmpty = state.withLock {
      $0.release(rows: -change.rowCount, bytes: -change.byteCount)
      $0.level.parkedCount += change.parkedCount
      return $0.level.rowCount == 0
    }
    if isEmpty { try await onQueue { Self.truncateLog($0) } }
  }

  /// The control totals by source.
  package func totals() async throws(OutboxError) -> [Code: SourceTotals] {
    try await onQueue { db in
      var totals: [Code: SourceTotals] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT * FROM totals") {
        guard let source = Code(row["source"] as String) else { throw OutboxError.corrupt }
        var total = SourceTotals()
        total.frames = UInt64(clamping: row["frames"] as Int64)
        total.events = UInt64(clamping: row["events"] as Int64)
        total.refusals = UInt64(clamping: row["refusals"] as Int64)
        total.lastSequence = (row["last_sequence"] as Int64?).map { UInt64(bitPattern: $0) }
        totals[source] = total
      }
      return totals
    }
  }

  /// When the oldest frame of each source that still waits to be published was received.
  package func oldestPending() async throws(OutboxError) -> [Code: Timestamp] {
    try await onQueue { db in
      var oldest: [Code: Timestamp] = [:]
      let sql = """
        SELECT source, min(received_at) AS at FROM frames WHERE parked_under IS NULL
        GROUP BY source
        """
      for row in try Row.fetchAll(db, sql: sql) {
        guard let source = Code(row["source"] as String) else { throw OutboxError.corrupt }
        oldest[source] = Timestamp(nanoseconds: row["at"])
      }
      return oldest
    }
  }

  /// Whether the messages of a file were taken in already.
  package func isClaimed(_ claim: FileClaim) async throws(OutboxError) -> Bool {
    try await onQueue { db in
      try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM claims WHERE claim = ?)",
        arguments: [Data(claim.bytes)]) ?? false
    }
  }

  /// Forgets a claim once its file has been moved away.
  package func release(_ claim: FileClaim) async throws(OutboxError) {
    try await onQueue { db in
      try db.execute(sql: "DELETE FROM claims WHERE claim = ?", arguments: [Data(claim.bytes)])
    }
  }

  /// Runs `body` on the database's own queue; cancelling the caller does not stop it half-way.
  func onQueue<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(OutboxError) -> Value {
    let result: Result<Value, OutboxError> = await withCheckedContinuation { continuation in
      database.asyncWriteWithoutTransaction { db in
        do {
          continuation.resume(returning: .success(try body(db)))
        } catch {
          continuation.resume(returning: .failure(OutboxError(error)))
        }
      }
    }
    return try result.get()
  }

  private static func frame(_ row: Row) throws -> StoredFrame {
    guard let id = ReceptionID(bytes: row["reception_id"] as Data),
      let source = Code(row["source"] as String), let rail = Code(row["rail"] as String)
    else { throw OutboxError.corrupt }
    var refusal: FrameRefusal?
    if let text = row["refusal"] as String? {
      guard let reason = Code(text) else { throw OutboxError.corrupt }
      refusal = FrameRefusal(reason: reason, field: row["refusal_field"])
    }
    let transport = try (row["transport"] as String?).map { text in
      do {
        return try JSONDecoder().decode(TransportHeaders.self, from: Data(text.utf8))
      } catch {
        throw OutboxError.corrupt
      }
    }
    var frame = StoredFrame(
      sequence: row["sequence"], receptionID: id, source: source, rail: rail,
      receivedAt: Timestamp(nanoseconds: row["received_at"]), bytes: Array(row["bytes"] as Data),
      refusal: refusal, transport: transport)
    frame.place = place(row)
    frame.isAnnounced = (row["announced"] as Int?) == 1
    frame.judgedUnder = (row["judged_under"] as Data?).flatMap { Token(bytes: $0) }
    return frame
  }

  private static func add(_ delta: SourceTotals, to source: Code, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO totals (source, events, refusals, last_sequence) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (source) DO UPDATE SET events = events + ?2, refusals = refusals + ?3,
          last_sequence = coalesce(?4, last_sequence)
        """,
      arguments: [
        source.description, Int64(clamping: delta.events), Int64(clamping: delta.refusals),
        delta.lastSequence.map { Int64(bitPattern: $0) },
      ])
  }
}
