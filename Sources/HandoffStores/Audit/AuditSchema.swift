import GRDB

/// The tables of the audit log; `Schemas/sql/audit.sql` is this text.
enum AuditSchema {
  /// What `PRAGMA user_version` says.
  static let version = 1

  static let sql = """
    -- The audit log: every record of the audited topics, and the tree over each partition.
    -- SQLite in WAL mode, synchronous=FULL; PRAGMA user_version is 1.

    -- One row for each partition. Record, tree and consumed offset change in one transaction.
    CREATE TABLE log (
      id INTEGER PRIMARY KEY,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      -- The offset to read from: one past the last logged record.
      next_offset INTEGER NOT NULL,
      -- How many records are logged: the size of the RFC 6962 tree.
      tree_size INTEGER NOT NULL,
      -- The roots of the tree's perfect subtrees, 32 bytes each, the largest first.
      edge BLOB NOT NULL,
      -- The newest signed checkpoint (C2SP tlog-checkpoint).
      checkpoint TEXT,
      UNIQUE (topic, partition)
    ) STRICT;

    -- One row for each record, its bytes as Kafka holds them.
    CREATE TABLE record (
      -- log.id * 2^40 + index of the leaf.
      id INTEGER PRIMARY KEY,
      "offset" INTEGER NOT NULL,
      -- Milliseconds since 1970.
      broker_time INTEGER NOT NULL,
      key BLOB,
      -- Count, then each name and value behind its length (HandoffCore, AuditLeaf).
      headers BLOB NOT NULL,
      value BLOB,
      -- SHA-256 of value.
      record_hash BLOB,
      leaf_hash BLOB NOT NULL,
      -- The index of the leaf before this one with the same key.
      previous INTEGER,
      -- From here on: what a record is found by, derived from its bytes.
      ce_type TEXT,
      type TEXT NOT NULL,
      handoff_id TEXT,
      alert_id TEXT,
      sender TEXT,
      receiver TEXT,
      kind TEXT
    ) STRICT;
    CREATE UNIQUE INDEX record_by_offset ON record (id >> 40, "offset");
    CREATE INDEX record_by_time ON record (broker_time);
    CREATE INDEX record_by_key ON record (key);
    CREATE INDEX record_by_type ON record (type, broker_time);
    CREATE INDEX record_by_handoff ON record (handoff_id) WHERE handoff_id IS NOT NULL;
    CREATE INDEX record_by_alert ON record (alert_id) WHERE alert_id IS NOT NULL;
    CREATE INDEX record_by_sender ON record (sender, broker_time) WHERE sender IS NOT NULL;
    CREATE INDEX record_by_receiver ON record (receiver, broker_time) WHERE receiver IS NOT NULL;

    -- Which reader of records derived the searchable columns; one row.
    CREATE TABLE search (version INTEGER NOT NULL) STRICT;

    -- The tree above the leaves, at heights that are multiples of eight: the upper tiles.
    CREATE TABLE node (
      log INTEGER NOT NULL REFERENCES log (id),
      level INTEGER NOT NULL,
      position INTEGER NOT NULL,
      hash BLOB NOT NULL,
      PRIMARY KEY (log, level, position)
    ) STRICT, WITHOUT ROWID;

    -- Who asked what, when and why; written before the answer is given.
    CREATE TABLE access (
      id INTEGER PRIMARY KEY,
      -- Milliseconds since 1970.
      at INTEGER NOT NULL,
      reader TEXT NOT NULL,
      action TEXT NOT NULL,
      question TEXT NOT NULL,
      reason TEXT
    ) STRICT;
    CREATE TRIGGER access_is_not_changed BEFORE UPDATE ON access
      BEGIN SELECT raise(ABORT, 'access records are not changed'); END;
    CREATE TRIGGER access_is_not_deleted BEFORE DELETE ON access
      BEGIN SELECT raise(ABORT, 'access records are not deleted'); END;

    """

  /// Makes the tables in a new database, and refuses one that a newer version made.
  static func prepare(_ db: Database) throws {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    switch found {
    case version: return
    case 0:
      try db.execute(sql: sql)
      try db.execute(
        sql: "INSERT INTO search (version) VALUES (?)", arguments: [AuditDescription.version])
      try db.execute(sql: "PRAGMA user_version = \(version)")
    default: throw AuditStoreError.newerSchema(version: found)
    }
  }
}

/// The id of a record's row: its log and its leaf in one integer, so that rows lie in leaf order.
enum RowID {
  /// A log holds fewer leaves than this: 34 years at a thousand a second.
  static let leafCountMax: Int64 = 1 << 40

  static func of(log: Int64, leaf: UInt64) -> Int64 { log << 40 + Int64(leaf) }

  static func leaf(_ id: Int64) -> UInt64 { UInt64(id & (leafCountMax - 1)) }

  /// The rows of a log, from a leaf on.
  static func range(log: Int64, leaves: Range<UInt64>) -> (first: Int64, last: Int64) {
    (of(log: log, leaf: leaves.lowerBound), of(log: log, leaf: leaves.upperBound) - 1)
  }
}
