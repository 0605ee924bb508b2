import Crypto
import Foundation
import GRDB
package import HandoffCore
import Synchronization

/// A frame that was read from an organisation's inbox: it has its reception id already.
package struct InboxFrame: Sendable {
  package var receptionID: ReceptionID
  package var frame: NewFrame
  /// Where in the inbox it stands.
  package var place: RecordCoordinates
  /// What tells one sealing from another: the same again is the same record written again.
  package var sealing: Token
  /// A keyed hash of the content.
  package var content: Token
  /// The sealed record, for the dead letter where the frame must not be taken.
  package var sealed: [UInt8]

  package init(
    receptionID: ReceptionID, frame: NewFrame, place: RecordCoordinates, sealing: Token,
    content: Token, sealed: [UInt8]
  ) {
    self.receptionID = receptionID
    self.frame = frame
    self.place = place
    self.sealing = sealing
    self.content = content
    self.sealed = sealed
  }
}

/// What came of staging one frame of an inbox.
package enum InboxOutcome: Hashable, Sendable {
  case staged
  /// Read before from this very place, and already here or published: our own reading again.
  case known
  /// The connector sealed it again, not knowing that it had arrived: its own redelivery.
  case redelivered
  /// The very same record again: somebody wrote down what was sent, and sent it again.
  case replayed
  /// Another content under a reception id that was taken already.
  case reused
}

extension Outbox {
  /// How many receptions of inboxes are remembered: more than an inbox's retention holds.
  static let inboxMemoryCountMax = 2_000_000

  static func createInboxTable(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS inbox_receptions (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          reception_id BLOB NOT NULL UNIQUE,
          topic TEXT NOT NULL,
          partition INTEGER NOT NULL,
          "offset" INTEGER NOT NULL,
          sealing BLOB NOT NULL,
          content BLOB NOT NULL
        );
        """)
    let columns = try Row.fetchAll(db, sql: "PRAGMA table_info(frames)").map {
      $0["name"] as String
    }
    for (name, type) in [
      ("inbox_topic", "TEXT"), ("inbox_partition", "INTEGER"), ("inbox_offset", "INTEGER"),
    ] where !columns.contains(name) {
      try db.execute(sql: "ALTER TABLE frames ADD COLUMN \(name) \(type)")
    }
  }

  /// Takes frames of inboxes in, in their order, each once; returns what came of each.
  ///
  /// One SQL transaction holds the frames and the memory of them, so that nothing is taken twice
  /// however often it is read. What must not be taken is in line as a dead letter instead.
  ///
  /// - Throws: ``OutboxError/full(limit:)`` where they do not fit: read them again later.
  package func stage(
    _ frames: [InboxFrame], refusing refusal: @escaping @Sendable (InboxOutcome) -> FrameRefusal,
    memoryCountMax: Int = Outbox.inboxMemoryCountMax
  ) async throws(OutboxError) -> [InboxOutcome] {
    let bytes = frames.reduce(0) { $0 + max($1.frame.bytes.count, $1.sealed.count) }
    let (level, isClosed) = state.withLock { ($0.level, $0.isClosed) }
    guard !isClosed else { throw .closed }
    guard level.rowCount + frames.count <= limits.rowCountMax else { throw .full(limit: .rows) }
    guard level.byteCount + bytes <= limits.byteCountMax else { throw .full(limit: .bytes) }
    let (outcomes, added) = try await onQueue { db in
      var outcomes: [InboxOutcome] = []
      var added = OutboxLevel(rowCount: 0, byteCount: 0)
      try db.inTransaction {
        for frame in frames {
          let outcome = try Self.outcome(of: frame, db)
          outcomes.append(outcome)
          switch outcome {
          case .known, .redelivered: continue
          case .staged:
            try Self.remember(frame, db)
            try Self.insert(frame.frame, id: frame.receptionID, place: frame.place, into: db)
            added.byteCount += frame.frame.bytes.count
          case .replayed, .reused:
            var letter = frame
            letter.receptionID = Self.letterID(of: frame.place)
            letter.frame.bytes = frame.sealed
            letter.frame.refusal = refusal(outcome)
            guard try Self.outcome(of: letter, db) == .staged else {
              outcomes[outcomes.count - 1] = .known
              continue
            }
            try Self.remember(letter, db)
            try Self.insert(letter.frame, id: letter.receptionID, place: letter.place, into: db)
            added.byteCount += letter.frame.bytes.count
          }
          added.rowCount += 1
        }
        try Self.forget(beyond: memoryCountMax, db)
        return .commit
      }
      return (outcomes, added)
    }
    state.withLock {
      $0.level.rowCount += added.rowCount
      $0.level.byteCount += added.byteCount
    }
    if added.rowCount > 0 { wake() }
    return outcomes
  }

  /// The reception id of a dead letter whose own id cannot be used: that of its place, so that it
  /// is the same when it is read again.
  package static func letterID(of place: RecordCoordinates) -> ReceptionID {
    let text = "\(place.topic)/\(place.partition)/\(place.offset)"
    let hash = SHA256.hash(data: Data(text.utf8)).prefix(16)
    // UUIDv8 (RFC 9562 §5.8): of our own making, and no time.
    let value = hash.reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
    let mask: UInt128 = ~(0xf << 76 | 0b11 << 62)
    return ReceptionID(rawValue: value & mask | 8 << 76 | 0b10 << 62)
  }

  private static func outcome(of frame: InboxFrame, _ db: Database) throws -> InboxOutcome {
    let row = try Row.fetchOne(
      db, sql: "SELECT * FROM inbox_receptions WHERE reception_id = ?",
      arguments: [Data(frame.receptionID.bytes)])
    guard let row else {
      let isTaken =
        try Bool.fetchOne(
          db, sql: "SELECT EXISTS (SELECT 1 FROM frames WHERE reception_id = ?)",
          arguments: [Data(frame.receptionID.bytes)]) ?? false
      // An id that a connector inside has given: no chance, so somebody chose it.
      return isTaken ? .reused : .staged
    }
    let isSamePlace =
      row["topic"] as String == frame.place.topic
      && row["partition"] as Int32 == frame.place.partition
      && row["offset"] as Int64 == frame.place.offset
    if isSamePlace { return .known }
    if row["sealing"] as Data == Data(frame.sealing.bytes) { return .replayed }
    return row["content"] as Data == Data(frame.content.bytes) ? .redelivered : .reused
  }

  private static func remember(_ frame: InboxFrame, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO inbox_receptions (reception_id, topic, partition, "offset", sealing, content)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        Data(frame.receptionID.bytes), frame.place.topic, frame.place.partition,
        frame.place.offset, Data(frame.sealing.bytes), Data(frame.content.bytes),
      ])
  }

  private static func forget(beyond countMax: Int, _ db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM inbox_receptions
        WHERE number <= (SELECT coalesce(max(number), 0) FROM inbox_receptions) - ?
        """, arguments: [countMax])
  }

  private static func insert(
    _ frame: NewFrame, id: ReceptionID, place: RecordCoordinates, into db: Database
  ) throws {
    try insertFrames([frame], ids: [id], into: db)
    try db.execute(
      sql: """
        UPDATE frames SET inbox_topic = ?, inbox_partition = ?, inbox_offset = ?
        WHERE reception_id = ?
        """,
      arguments: [place.topic, place.partition, place.offset, Data(id.bytes)])
  }

  /// The place of a stored frame in its inbox; `nil` for a frame of a connector inside.
  static func place(_ row: Row) -> RecordCoordinates? {
    guard let topic = row["inbox_topic"] as String?,
      let partition = row["inbox_partition"] as Int32?, let offset = row["inbox_offset"] as Int64?
    else { return nil }
    return RecordCoordinates(topic: topic, partition: partition, offset: offset)
  }
}
