import GRDB

/// The tables of the second count.
///
/// All of it is derived from the audit log and the books: the file may be deleted, and is counted
/// anew.
enum CountSchema {
  /// What `PRAGMA user_version` says; of an older version only the alerts are kept, and the rest is
  /// counted anew.
  static let version = 2

  static let sql = """
    -- One row for each partition of the events topic.
    CREATE TABLE partition (
      id INTEGER PRIMARY KEY,
      -- Everything before it is counted.
      next_offset INTEGER NOT NULL,
      -- 0: the log begins after the topic did, so that nothing can be compared.
      is_whole INTEGER NOT NULL,
      -- The count, without its kinds.
      events INTEGER NOT NULL DEFAULT 0,
      mixed INTEGER NOT NULL DEFAULT 0,
      unsure INTEGER NOT NULL DEFAULT 0,
      arrived INTEGER NOT NULL DEFAULT 0,
      unsure_arrived INTEGER NOT NULL DEFAULT 0,
      -- The offset at which it was last held against the books, and partition time there.
      compared_offset INTEGER,
      compared_at INTEGER
    ) STRICT;

    CREATE TABLE kind (
      partition INTEGER NOT NULL,
      kind TEXT NOT NULL,
      requested INTEGER NOT NULL,
      PRIMARY KEY (partition, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE handoff (
      partition INTEGER NOT NULL,
      person TEXT NOT NULL,
      id TEXT NOT NULL,
      standing INTEGER NOT NULL,
      kind TEXT,
      -- Milliseconds since 1970.
      at INTEGER NOT NULL,
      PRIMARY KEY (partition, person, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE departed (
      partition INTEGER NOT NULL,
      person TEXT NOT NULL,
      PRIMARY KEY (partition, person)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE arrival (
      partition INTEGER NOT NULL,
      person TEXT NOT NULL,
      id TEXT NOT NULL,
      PRIMARY KEY (partition, person, id)
    ) STRICT, WITHOUT ROWID;

    -- What the books said otherwise at the last comparison.
    CREATE TABLE difference (
      partition INTEGER NOT NULL,
      side TEXT NOT NULL,
      -- Empty: all kinds together.
      kind TEXT NOT NULL,
      counted_min INTEGER NOT NULL,
      counted_max INTEGER NOT NULL,
      booked INTEGER NOT NULL,
      PRIMARY KEY (partition, side, kind)
    ) STRICT, WITHOUT ROWID;

    -- The alerts about ourselves: the last word on each episode, said or yet to be said. What is over
    -- and said is forgotten once the partition has a later one.
    CREATE TABLE alert (
      partition INTEGER NOT NULL,
      -- The offset at which the episode began, which names it.
      episode INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      opened_at INTEGER NOT NULL,
      resolved_at INTEGER,
      policy BLOB NOT NULL,
      read_up_to INTEGER NOT NULL,
      is_said INTEGER NOT NULL,
      PRIMARY KEY (partition, episode)
    ) STRICT, WITHOUT ROWID;

    """

  /// Makes the tables; of those of an older version the alerts are taken over.
  ///
  /// - Throws: ``CountStoreError/newerSchema(version:)``; nothing is changed then.
  static func prepare(_ db: Database) throws {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard found <= version else { throw CountStoreError.newerSchema(version: found) }
    guard found < version else { return }
    let tables = try String.fetchAll(
      db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    let alerts = tables.contains("alert") ? try CountAlert.all(db) : []
    for table in tables { try db.execute(sql: "DROP TABLE \"\(table)\"") }
    try db.execute(sql: sql)
    for (alert, isSaid) in alerts { try alert.save(db, isSaid: isSaid) }
    try db.execute(sql: "PRAGMA user_version = \(version)")
  }

  /// Refuses tables that this version does not read.
  static func check(_ db: Database) throws {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard found <= version else { throw CountStoreError.newerSchema(version: found) }
    guard found == version else { throw CountStoreError.olderSchema(version: found) }
  }
}
