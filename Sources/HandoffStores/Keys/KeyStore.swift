package import Crypto
import Foundation
import GRDB
package import HandoffCore
import Synchronization

/// The data keys (AES-256), one a person, each wrapped by a key-encryption key.
///
/// A key is made when its name is first asked for, and is on the disk before it is given out:
/// nothing is ever sealed under a key that a crash could take away. The name is authenticated
/// with the wrapping, so a row cannot be moved to another person. Ingest and `baton keys` may have
/// the file open at once: every change is one SQLite transaction, and ``epochs()`` and
/// ``keys(for:bases:)`` notice what the other did.
package final class KeyStore: DataKeys {
  let database: DatabaseQueue
  let keks: KeyEncryptionKeys
  let path: String
  private let memory: Mutex<Memory>
  /// How many opened keys are held in memory.
  private let cacheCountMax: Int

  /// What is held in memory, and may be thrown away at any time.
  private struct Memory {
    var keys: [DataKeyName: Cached] = [:]
    /// SQLite's count of changes by others when ``keys`` was last known to be true.
    var dataVersion: Int64?
    var book: EpochBook?
  }

  private struct Cached {
    var key: SymmetricKey
    var hasBasis: Bool
  }

  /// Opens the store at `path`, and makes it where it is missing.
  ///
  /// - Throws: where the file cannot be used, or any of its keys is wrapped with a key-encryption
  ///   key that `keks` has not or has another of.
  package init(
    path: String, keks: KeyEncryptionKeys, cacheCountMax: Int = 50_000, pageCountMax: Int? = nil
  ) throws(KeyStoreError) {
    self.path = path
    self.keks = keks
    self.cacheCountMax = cacheCountMax
    memory = Mutex(Memory())
    do {
      try PrivateFile.prepare(path: path)
      database = try DatabaseQueue(
        path: path, configuration: Self.configuration(pageCountMax: pageCountMax))
      try database.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.inTransaction(.immediate) {
          try Self.migrate(db)
          try Self.check(keks, db)
          return .commit
        }
      }
    } catch {
      throw KeyStoreError(error)
    }
  }

  /// Opens a store whose keys are wrapped with the key of the secrets file alone.
  package convenience init(
    path: String, keyEncryptionKey: SymmetricKey, cacheCountMax: Int = 50_000
  ) throws(KeyStoreError) {
    try self.init(
      path: path, keks: KeyEncryptionKeys(keyEncryptionKey), cacheCountMax: cacheCountMax)
  }

  /// Closes the database.
  package func close() {
    memory.withLock { $0 = Memory() }
    try? database.close()  // Fails only while statements run; then the process's end closes it.
  }

  // MARK: Keys

  package func keys(
    for names: Set<DataKeyName>, bases: [PatientKey: PersonBasis]
  ) async throws(KeyStoreError) -> [DataKeyName: SymmetricKey] {
    try await onQueue { db in
      try self.noticeOthers(db)
      var (found, missing) = self.cached(names, bases)
      guard !missing.isEmpty else { return found }
      var loaded: [DataKeyName: Cached] = [:]
      try db.inTransaction(.immediate) {
        for name in missing {
          var basis: PersonBasis?
          if case .person(let key) = name { basis = bases[key] }
          loaded[name] = try self.load(name, basis, db)
        }
        return .commit
      }
      found.merge(loaded.mapValues(\.key)) { $1 }
      self.remember(loaded)
      return found
    }
  }

  package func existingKey(
    for name: DataKeyName
  ) async throws(KeyStoreError) -> SymmetricKey? {
    try await onQueue { db in
      try self.noticeOthers(db)
      let known = self.memory.withLock { $0.keys[name] }
      if let known { return known.key }
      guard let row = try KeyRow.fetch(name.description, db) else { return nil }
      return try self.open(row)
    }
  }

  private func cached(
    _ names: Set<DataKeyName>, _ bases: [PatientKey: PersonBasis]
  ) -> ([DataKeyName: SymmetricKey], [DataKeyName]) {
    memory.withLock { memory in
      var found: [DataKeyName: SymmetricKey] = [:]
      var missing: [DataKeyName] = []
      for name in names {
        var isBasisNew = false
        let known = memory.keys[name]
        if case .person(let key) = name { isBasisNew = bases[key] != nil }
        if let known, known.hasBasis || !isBasisNew {
          found[name] = known.key
        } else {
          missing.append(name)
        }
      }
      return (found, missing)
    }
  }

  /// The key of a row, which is made, or given a key again after its destruction, where need be.
  private func load(
    _ name: DataKeyName, _ basis: PersonBasis?, _ db: Database
  ) throws -> Cached {
    let text = name.description
    guard let row = try KeyRow.fetch(text, db), row.wrapped != nil else {
      let key = SymmetricKey(size: .bits256)
      try db.execute(
        sql: """
          INSERT INTO data_keys (name, kek, wrapped, basis) VALUES (?, ?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET
            kek = excluded.kek, wrapped = excluded.wrapped, basis = excluded.basis
          """,
        arguments: [
          text, keks.current, try Wrapping.wrap(key, name: text, keks: keks),
          try basis.map { try Wrapping.seal($0, name: text, with: key) },
        ])
      return Cached(key: key, hasBasis: basis != nil)
    }
    guard let key = try open(row) else { throw KeyStoreError.corrupt }
    guard row.basis == nil, let basis else { return Cached(key: key, hasBasis: row.basis != nil) }
    try db.execute(
      sql: "UPDATE data_keys SET basis = ? WHERE name = ?",
      arguments: [try Wrapping.seal(basis, name: text, with: key), text])
    return Cached(key: key, hasBasis: true)
  }

  /// The data key of a row; `nil` where it was destroyed.
  func open(_ row: KeyRow) throws -> SymmetricKey? {
    guard let wrapped = row.wrapped, let kek = row.kek else { return nil }
    guard let wrapping = keks.keys[kek] else {
      throw KeyStoreError.missingKeyEncryptionKey(id: kek)
    }
    guard let key = Wrapping.unwrap(wrapped, name: row.name, with: wrapping) else {
      throw KeyStoreError.corrupt
    }
    return key
  }

  private func remember(_ loaded: [DataKeyName: Cached]) {
    memory.withLock { memory in
      if memory.keys.count + loaded.count > cacheCountMax {
        memory.keys.removeAll(keepingCapacity: true)
      }
      memory.keys.merge(loaded) { $1 }
    }
  }

  // MARK: Memory

  /// Forgets what is in memory where another process has changed the file since.
  func noticeOthers(_ db: Database) throws {
    let version = try Int64.fetchOne(db, sql: "PRAGMA data_version")
    memory.withLock { memory in
      guard memory.dataVersion != version else { return }
      memory = Memory(dataVersion: version)
    }
  }

  /// Forgets opened keys and the epochs: something was destroyed, or an epoch began.
  func forget() {
    memory.withLock { $0 = Memory(dataVersion: $0.dataVersion) }
  }

  package func epochs() async throws(KeyStoreError) -> EpochBook {
    try await onQueue { db in
      try self.noticeOthers(db)
      if let book = self.memory.withLock({ $0.book }) { return book }
      let book = try self.readBook(db)
      self.memory.withLock { $0.book = book }
      return book
    }
  }

  /// Runs `body` on the database's queue.
  func onQueue<Value: Sendable>(
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
