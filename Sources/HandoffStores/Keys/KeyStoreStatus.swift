import Foundation
import GRDB

/// What stands in a key store, as far as it may be told: counts and ids, never a secret.
package struct KeyStoreStatus: Hashable, Sendable, Codable {
  /// An epoch of the patient keys.
  package struct Epoch: Hashable, Sendable, Codable {
    package var epoch: Int
    /// Milliseconds since 1970.
    package var beganAt: Int64
    /// When nobody was left who could move to it by themselves; `nil`: they are on their way.
    package var movedAt: Int64?
    /// Patient keys of this epoch.
    package var people: Int
    /// Those that a later epoch's key has taken over.
    package var movedOn: Int
    /// Those that a merge or link took to another key.
    package var merged: Int
    /// Those whose key was destroyed and who were not heard of since: they stay where they are.
    package var destroyed: Int
    /// Those that cannot move by themselves, because only their pseudonym is known.
    package var unknown: Int
  }

  /// A key-encryption key.
  package struct KeyEncryptionKey: Hashable, Sendable, Codable {
    package var id: String
    /// Keys that are wrapped with it.
    package var count: Int
  }

  package var epochs: [Epoch]
  package var keyEncryptionKeys: [KeyEncryptionKey]
  /// Days whose dead letters can be opened.
  package var deadLetterDays: Int
  /// Destructions so far.
  package var destructions: Int
}

extension KeyStore {
  /// What stands in the store at `path`; `nil` where there is none.
  ///
  /// Needs no key.
  package static func status(path: String) throws(KeyStoreError) -> KeyStoreStatus? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      var configuration = Self.configuration()
      configuration.prepareDatabase { _ in }
      configuration.readonly = true
      let database = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? database.close() }  // It was only read.
      return try database.read { db in
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard version <= layout else { throw KeyStoreError.newer(version: version) }
        guard version == layout else { return nil }
        return try status(db)
      }
    } catch {
      throw KeyStoreError(error)
    }
  }

  private static func status(_ db: Database) throws -> KeyStoreStatus {
    let epochs = try Row.fetchAll(db, sql: "SELECT * FROM epochs ORDER BY epoch").map { row in
      try epoch(row, db)
    }
    let keks = try Row.fetchAll(
      db,
      sql: """
        SELECT k.id AS id, (SELECT count(*) FROM data_keys d WHERE d.kek = k.id)
          + (SELECT count(*) FROM epochs e WHERE e.kek = k.id) AS count
        FROM keks k ORDER BY k.id
        """
    ).map { KeyStoreStatus.KeyEncryptionKey(id: $0["id"], count: $0["count"]) }
    func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: sql) ?? 0 }
    return KeyStoreStatus(
      epochs: epochs, keyEncryptionKeys: keks,
      deadLetterDays: try count(
        "SELECT count(*) FROM data_keys WHERE name > 'dead-letters/' AND name < 'dead-letters0'"),
      destructions: try count("SELECT count(*) FROM destructions"))
  }

  private static func epoch(_ row: Row, _ db: Database) throws -> KeyStoreStatus.Epoch {
    let number: Int = row["epoch"]
    let (low, high) = names(of: UInt16(truncatingIfNeeded: number))
    let counts = try Row.fetchOne(
      db,
      sql: """
        SELECT count(*) AS people,
          coalesce(sum(moved_to IS NOT NULL AND substr(moved_to, 1, ?) <> ?), 0) AS moved,
          coalesce(sum(moved_to IS NOT NULL AND substr(moved_to, 1, ?) = ?), 0) AS merged,
          coalesce(sum(moved_to IS NULL AND wrapped IS NULL), 0) AS destroyed,
          coalesce(sum(moved_to IS NULL AND wrapped IS NOT NULL AND basis IS NULL), 0) AS unknown
        FROM data_keys WHERE name > ? AND name < ?
        """, arguments: [low.count, low, low.count, low, low, high])
    return KeyStoreStatus.Epoch(
      epoch: number, beganAt: row["began_at"], movedAt: row["moved_at"],
      people: counts?["people"] ?? 0, movedOn: counts?["moved"] ?? 0,
      merged: counts?["merged"] ?? 0, destroyed: counts?["destroyed"] ?? 0,
      unknown: counts?["unknown"] ?? 0)
  }
}
