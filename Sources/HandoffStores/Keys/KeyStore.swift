package import Crypto
import Foundation
import GRDB
package import HandoffCore
import Synchronization

/// What a data key seals.
package enum DataKeyName: Hashable, Sendable, CustomStringConvertible {
  /// All that is said of one person; erasing it erases the person.
  case person(PatientKey)
  /// The dead letters of one day, `yyyy-mm-dd` in UTC; erased with them.
  case deadLetters(day: String)

  package var description: String {
    switch self {
    case .person(let key): "person/\(key)"
    case .deadLetters(let day): "dead-letters/\(day)"
    }
  }
}

/// Why the key store did not give a key.
package enum KeyStoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The key-encryption key is not the one the store was made with.
  case wrongKeyEncryptionKey
  /// A stored key does not open, though the store's own mark does: it was altered.
  case corrupt
  case notWritable
  case diskFull
  case inUse
  case failed(code: Int32)

  package var description: String {
    switch self {
    case .wrongKeyEncryptionKey:
      "key store: the key-encryption key is not the one it was made with"
    case .corrupt: "key store: a stored key was altered"
    case .notWritable: "key store: file or folder cannot be written"
    case .diskFull: "key store: no space left on the disk"
    case .inUse: "key store: in use by another process"
    case .failed(let code): "key store: SQLite error \(code)"
    }
  }
}

/// The data keys (AES-256), one a person, each wrapped by the key-encryption key.
///
/// A key is made when its name is first asked for, and is on the disk before it is given out:
/// nothing is ever sealed under a key that a crash could take away. The name is authenticated
/// with the wrapping, so a row cannot be moved to another person.
package final class KeyStore: Sendable {
  private let database: DatabaseQueue
  private let wrapping: SymmetricKey
  private let cache: Mutex<[DataKeyName: SymmetricKey]>
  /// How many opened keys are held in memory.
  private let cacheCountMax: Int

  private static let mark = "mark/1"

  /// Opens the store at `path`, and makes it where it is missing.
  package init(
    path: String, keyEncryptionKey: SymmetricKey, cacheCountMax: Int = 50_000
  ) throws(KeyStoreError) {
    wrapping = keyEncryptionKey
    self.cacheCountMax = cacheCountMax
    cache = Mutex([:])
    do {
      try PrivateFile.prepare(path: path)
      var configuration = Configuration()
      configuration.label = "baton.keys"
      configuration.prepareDatabase { db in
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.execute(sql: "PRAGMA synchronous = FULL")
        try db.execute(sql: "PRAGMA secure_delete = ON")
      }
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.write { db in
        try db.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS data_keys (
              name TEXT PRIMARY KEY,
              wrapped BLOB NOT NULL
            ) WITHOUT ROWID
            """)
        if let stored = try Self.wrapped(Self.mark, db) {
          guard Self.unwrap(stored, name: Self.mark, with: keyEncryptionKey) != nil else {
            throw KeyStoreError.wrongKeyEncryptionKey
          }
        } else {
          try Self.insert(
            SymmetricKey(size: .bits256), name: Self.mark, with: keyEncryptionKey, db)
        }
      }
    } catch {
      throw KeyStoreError(error)
    }
  }

  /// The keys of `names`, made where they are missing, in one commit.
  package func keys(
    for names: Set<DataKeyName>
  ) async throws(KeyStoreError) -> [DataKeyName: SymmetricKey] {
    var found = cache.withLock { cache in cache.filter { names.contains($0.key) } }
    let missing = names.filter { found[$0] == nil }
    guard !missing.isEmpty else { return found }
    let wrapping = wrapping
    let loaded = try await onQueue { db in
      var loaded: [DataKeyName: SymmetricKey] = [:]
      try db.inTransaction {
        for name in missing {
          if let stored = try Self.wrapped(name.description, db) {
            guard let key = Self.unwrap(stored, name: name.description, with: wrapping) else {
              throw KeyStoreError.corrupt
            }
            loaded[name] = key
          } else {
            let key = SymmetricKey(size: .bits256)
            try Self.insert(key, name: name.description, with: wrapping, db)
            loaded[name] = key
          }
        }
        return .commit
      }
      return loaded
    }
    found.merge(loaded) { $1 }
    cache.withLock { cache in
      if cache.count + loaded.count > cacheCountMax { cache.removeAll(keepingCapacity: true) }
      cache.merge(loaded) { $1 }
    }
    return found
  }

  /// The key of `name` where it exists: for opening what was sealed.
  package func existingKey(
    for name: DataKeyName
  ) async throws(KeyStoreError) -> SymmetricKey? {
    if let key = cache.withLock({ $0[name] }) { return key }
    let wrapping = wrapping
    return try await onQueue { db in
      guard let stored = try Self.wrapped(name.description, db) else { return nil }
      guard let key = Self.unwrap(stored, name: name.description, with: wrapping) else {
        throw KeyStoreError.corrupt
      }
      return key
    }
  }

  /// Destroys a key, and with it all that was sealed under it.
  package func erase(_ name: DataKeyName) async throws(KeyStoreError) {
    cache.withLock { $0[name] = nil }
    try await onQueue { db in
      try db.execute(
        sql: "DELETE FROM data_keys WHERE name = ?", arguments: [name.description])
      // The log must not keep what the table has overwritten.
      _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
  }

  /// Closes the database.
  package func close() {
    try? database.close()  // Fails only while statements run; then the process's end closes it.
  }

  private static func wrapped(_ name: String, _ db: Database) throws -> Data? {
    try Data.fetchOne(
      db, sql: "SELECT wrapped FROM data_keys WHERE name = ?", arguments: [name])
  }

  private static func insert(
    _ key: SymmetricKey, name: String, with wrapping: SymmetricKey, _ db: Database
  ) throws {
    let plain = key.withUnsafeBytes { Data($0) }
    let box = try AES.GCM.seal(plain, using: wrapping, authenticating: Data(name.utf8))
    // `combined` is nil only for nonces of other than 12 bytes, which are not used.
    guard let combined = box.combined else { throw KeyStoreError.corrupt }
    try db.execute(
      sql: "INSERT INTO data_keys (name, wrapped) VALUES (?, ?)", arguments: [name, combined])
  }

  private static func unwrap(
    _ stored: Data, name: String, with wrapping: SymmetricKey
  ) -> SymmetricKey? {
    guard let box = try? AES.GCM.SealedBox(combined: stored),
      let plain = try? AES.GCM.open(box, using: wrapping, authenticating: Data(name.utf8))
    else { return nil }
    return SymmetricKey(data: plain)
  }

  private func onQueue<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(KeyStoreError) -> Value {
    let result: Result<Value, KeyStoreError> = await withCheckedContinuation { continuation in
      database.asyncWriteWithoutTransaction { db in
        do {
          continuation.resume(returning: .success(try body(db)))
        } catch {
          continuation.resume(returning: .failure(KeyStoreError(error)))
        }
      }
    }
    return try result.get()
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
