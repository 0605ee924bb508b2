import Foundation
import GRDB
import HandoffCore

extension Outbox {
  static func configuration(_ limits: OutboxLimits) -> Configuration {
    var configuration = Configuration()
    configuration.label = "baton.outbox"
    let pages = limits.fileByteCountMax.map { max(1, $0 / 4096) }
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA page_size = 4096")
      // One owner: a second process is refused instead of publishing the same frames too.
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try db.execute(sql: "PRAGMA journal_mode = WAL")
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA secure_delete = ON")
      if let pages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
    }
    return configuration
  }

  /// The tables; frames leave no trace in them once they are published.
  static func createTables(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS frames (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT,
          reception_id BLOB NOT NULL UNIQUE,
          source TEXT NOT NULL,
          rail TEXT NOT NULL,
          received_at INTEGER NOT NULL,
          byte_count INTEGER NOT NULL,
          parked_under BLOB,
          judged_under BLOB,
          announced INTEGER,
          refusal TEXT,
          refusal_field TEXT,
          transport TEXT,
          bytes BLOB NOT NULL
        );
        CREATE INDEX IF NOT EXISTS frames_parked ON frames (parked_under)
          WHERE parked_under IS NOT NULL;
        CREATE INDEX IF NOT EXISTS frames_pending ON frames (sequence)
          WHERE parked_under IS NULL;
        CREATE TABLE IF NOT EXISTS claims (claim BLOB PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS requests (
          key BLOB PRIMARY KEY,
          content BLOB NOT NULL,
          received_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS requests_age ON requests (received_at);
        CREATE TABLE IF NOT EXISTS totals (
          source TEXT PRIMARY KEY,
          frames INTEGER NOT NULL DEFAULT 0,
          events INTEGER NOT NULL DEFAULT 0,
          refusals INTEGER NOT NULL DEFAULT 0,
          last_sequence INTEGER
        ) WITHOUT ROWID;
        """)
    // A file of an earlier version has no such columns yet.
    let columns = try db.columns(in: "frames").map(\.name)
    for (name, type) in [
      ("transport", "TEXT"), ("judged_under", "BLOB"), ("announced", "INTEGER"),
    ]
    where !columns.contains(name) {
      try db.execute(sql: "ALTER TABLE frames ADD COLUMN \(name) \(type)")
    }
  }

  static func level(_ db: Database) throws -> OutboxLevel {
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT count(*) AS rows, coalesce(sum(byte_count), 0) AS bytes,
          count(parked_under) AS parked FROM frames
        """)
    return OutboxLevel(
      rowCount: row?["rows"] ?? 0, byteCount: row?["bytes"] ?? 0,
      parkedCount: row?["parked"] ?? 0)
  }

  /// Writes the log back and empties it: deleted frames must not survive in it.
  static func truncateLog(_ db: Database) {
    // A failure leaves the log as it is: the next time nothing waits, it is tried again.
    _ = try? Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
  }
}

extension OutboxError {
  /// Sorts an error of SQLite or of the file system by what the caller can do.
  init(_ error: any Error) {
    switch error {
    case let error as OutboxError: self = error
    case is PrivateFile.NotWritable: self = .notWritable
    case let error as DatabaseError:
      switch error.resultCode {
      case .SQLITE_FULL: self = .diskFull
      case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: self = .notWritable
      case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse
      case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt
      case .SQLITE_MISUSE: self = .closed
      default: self = .failed(code: error.extendedResultCode.rawValue)
      }
    default: self = .failed(code: -1)
    }
  }
}
