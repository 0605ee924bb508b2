import Crypto
import Foundation
import GRDB

/// A row of the table of data keys.
struct KeyRow {
  var name: String
  /// The key-encryption key; `nil` where the data key was destroyed.
  var kek: String?
  var wrapped: Data?
  var basis: Data?
  /// The name that a re-key, merge or link took this person to.
  var movedTo: String?

  init(_ row: Row) {
    name = row["name"]
    kek = row["kek"]
    wrapped = row["wrapped"]
    basis = row["basis"]
    movedTo = row["moved_to"]
  }

  static func fetch(_ name: String, _ db: Database) throws -> KeyRow? {
    try Row.fetchOne(db, sql: "SELECT * FROM data_keys WHERE name = ?", arguments: [name])
      .map(KeyRow.init)
  }
}

/// How keys stand in the file: AES-256-GCM, with the row's name as additional data.
enum Wrapping {
  static func wrap(_ key: SymmetricKey, name: String, keks: KeyEncryptionKeys) throws -> Data {
    guard let wrapping = keks.keys[keks.current] else {
      throw KeyStoreError.missingKeyEncryptionKey(id: keks.current)
    }
    return try wrap(key, name: name, with: wrapping)
  }

  static func wrap(
    _ key: SymmetricKey, name: String, with wrapping: SymmetricKey
  ) throws -> Data {
    try seal(key.withUnsafeBytes { Data($0) }, bound: name, with: wrapping)
  }

  static func unwrap(
    _ stored: Data, name: String, with wrapping: SymmetricKey
  ) -> SymmetricKey? {
    guard let plain = open(stored, bound: name, with: wrapping), plain.count == 32 else {
      return nil
    }
    return SymmetricKey(data: plain)
  }

  static func seal(_ basis: PersonBasis, name: String, with key: SymmetricKey) throws -> Data {
    try seal(Data(basis.bytes), bound: "basis/" + name, with: key)
  }

  static func basis(_ stored: Data, name: String, with key: SymmetricKey) -> PersonBasis? {
    open(stored, bound: "basis/" + name, with: key).flatMap { PersonBasis(bytes: Array($0)) }
  }

  private static func seal(
    _ plain: Data, bound: String, with key: SymmetricKey
  ) throws -> Data {
    let box = try AES.GCM.seal(plain, using: key, authenticating: Data(bound.utf8))
    // `combined` is nil only for nonces of other than 12 bytes, which are not used.
    guard let combined = box.combined else { throw KeyStoreError.corrupt }
    return combined
  }

  private static func open(_ stored: Data, bound: String, with key: SymmetricKey) -> Data? {
    guard let box = try? AES.GCM.SealedBox(combined: stored) else { return nil }
    return try? AES.GCM.open(box, using: key, authenticating: Data(bound.utf8))
  }
}

extension KeyStore {
  /// The layout of the file, as `PRAGMA user_version`; 0 is a new file, or one of the first layout.
  static let layout = 2

  static func configuration(pageCountMax: Int? = nil) -> Configuration {
    var configuration = Configuration()
    configuration.label = "baton.keys"
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      // What is deleted is overwritten: a destroyed key must not survive in a free page.
      try db.execute(sql: "PRAGMA secure_delete = ON")
      if let pageCountMax { try db.execute(sql: "PRAGMA max_page_count = \(pageCountMax)") }
    }
    return configuration
  }

  static func migrate(_ db: Database) throws {
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard version <= layout else { throw KeyStoreError.newer(version: version) }
    guard version < layout else { return }
    let isFirst = try db.tableExists("data_keys")
    if isFirst { try db.execute(sql: "ALTER TABLE data_keys RENAME TO data_keys_1") }
    try db.execute(
      sql: """
        CREATE TABLE data_keys (
          name TEXT PRIMARY KEY,
          kek TEXT,
          wrapped BLOB,
          basis BLOB,
          moved_to TEXT
        ) WITHOUT ROWID;
        CREATE INDEX data_keys_moved ON data_keys (moved_to) WHERE moved_to IS NOT NULL;
        CREATE TABLE keks (id TEXT PRIMARY KEY, mark BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE epochs (
          epoch INTEGER PRIMARY KEY,
          kek TEXT,
          wrapped BLOB,
          began_at INTEGER NOT NULL,
          moved_at INTEGER
        );
        CREATE TABLE destructions (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL,
          at INTEGER NOT NULL,
          by TEXT NOT NULL,
          reason TEXT
        );
        """)
    if isFirst {
      // The first layout had one key-encryption key, that of the secrets file, and its mark in
      // the same table.
      let id = KeyEncryptionKeys.ofSecretsFile
      try db.execute(
        sql: """
          INSERT INTO keks (id, mark) SELECT ?, wrapped FROM data_keys_1 WHERE name = ?
          """, arguments: [id, mark])
      try db.execute(
        sql: """
          INSERT INTO data_keys (name, kek, wrapped)
          SELECT name, ?, wrapped FROM data_keys_1 WHERE name <> ?
          """, arguments: [id, mark])
      try db.execute(sql: "DROP TABLE data_keys_1")
    }
    try db.execute(sql: "PRAGMA user_version = \(layout)")
  }

  /// What a mark is bound to.
  private static let mark = "mark/1"

  /// Sees that every key-encryption key in use is there and is the right one.
  static func check(_ keks: KeyEncryptionKeys, _ db: Database) throws {
    let marks = try Row.fetchAll(db, sql: "SELECT id, mark FROM keks")
    for row in marks {
      let id: String = row["id"]
      guard let key = keks.keys[id] else {
        throw KeyStoreError.missingKeyEncryptionKey(id: id)
      }
      guard Wrapping.unwrap(row["mark"], name: mark, with: key) != nil else {
        throw KeyStoreError.wrongKeyEncryptionKey(id: id)
      }
    }
    guard let current = keks.keys[keks.current],
      !marks.contains(where: { $0["id"] == keks.current })
    else { return }
    try db.execute(
      sql: "INSERT INTO keks (id, mark) VALUES (?, ?)",
      arguments: [
        keks.current,
        try Wrapping.wrap(SymmetricKey(size: .bits256), name: mark, with: current),
      ])
  }

  /// Writes the log back and empties it; false where somebody still reads it.
  static func truncateLog(_ db: Database) throws -> Bool {
    let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    return row.map { $0[0] == 0 } ?? false
  }
}

extension KeyStoreError {
  init(_ error: any Error) {
    if let error = error as? KeyStoreError {
      self = error
      return
    }
    switch OutboxError(error) {
    case .diskFull: self = .diskFull
    case .notWritable: self = .notWritable
    case .inUse: self = .inUse
    case .failed(let code): self = .failed(code: code)
    case .corrupt: self = .corrupt
    case .full, .closed: self = .failed(code: -1)
    }
  }
}
