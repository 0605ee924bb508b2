import Crypto
import Foundation
import GRDB

/// What a rotation of the key-encryption key did.
package struct RewrapReport: Hashable, Sendable, Codable {
  /// The key-encryption key that everything is wrapped with now.
  package var current: String
  /// Keys that were wrapped anew.
  package var rewrapped = 0
  /// Keys that were under the current one already.
  package var already = 0
  /// Keys that do not open: altered, and left as they are.
  package var damaged = 0
  /// Older key-encryption keys that nothing needs any more.
  package var retired: [String] = []
}

extension KeyStore {
  /// Wraps every key with the current key-encryption key, in batches, while others work.
  ///
  /// Each batch is one commit and each row says what it is wrapped with, so that a run that was
  /// cut off goes on where it was. At the end every row is opened once more, and a key-encryption
  /// key that no row is under is forgotten by the store: only then may it go.
  package func rewrap(
    batch limit: Int = 500, progress: @Sendable (RewrapReport) -> Void = { _ in }
  ) async throws(KeyStoreError) -> RewrapReport {
    var report = RewrapReport(current: keks.current)
    var place = ""
    while true {
      let after = place
      let step = try await onQueue { db in try self.rewrapBatch(after: after, limit: limit, db) }
      report.rewrapped += step.rewrapped
      guard let last = step.last else { break }
      place = last
      progress(report)
    }
    report.rewrapped += try await onQueue { db in try self.rewrapEpochs(db) }
    let rewrapped = report.rewrapped
    let checked = try await onQueue { db in try self.retire(db) }
    report.already = max(0, checked.opened - rewrapped)
    report.damaged = checked.damaged
    report.retired = checked.retired
    progress(report)
    return report
  }

  private func rewrapBatch(
    after place: String, limit: Int, _ db: Database
  ) throws -> (rewrapped: Int, last: String?) {
    var (count, last): (Int, String?) = (0, nil)
    try db.inTransaction(.immediate) {
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM data_keys WHERE name > ? AND kek <> ? AND wrapped IS NOT NULL
          ORDER BY name LIMIT ?
          """, arguments: [place, self.keks.current, limit]
      ).map(KeyRow.init)
      for row in rows {
        last = row.name
        let key: SymmetricKey?
        do {
          key = try self.open(row)
        } catch KeyStoreError.corrupt {
          continue  // Counted by the check at the end.
        }
        guard let key else { continue }
        try db.execute(
          sql: "UPDATE data_keys SET kek = ?, wrapped = ? WHERE name = ?",
          arguments: [
            self.keks.current, try Wrapping.wrap(key, name: row.name, keks: self.keks), row.name,
          ])
        count += 1
      }
      return .commit
    }
    return (count, last)
  }

  private func rewrapEpochs(_ db: Database) throws -> Int {
    var count = 0
    try db.inTransaction(.immediate) {
      let rows = try Row.fetchAll(
        db,
        sql: "SELECT epoch, kek, wrapped FROM epochs WHERE wrapped IS NOT NULL AND kek <> ?",
        arguments: [self.keks.current])
      for row in rows {
        let (epoch, kek, wrapped): (Int, String, Data) = (
          row["epoch"], row["kek"], row["wrapped"]
        )
        let name = Self.epochName(epoch)
        guard let wrapping = self.keks.keys[kek] else {
          throw KeyStoreError.missingKeyEncryptionKey(id: kek)
        }
        guard let secret = Wrapping.unwrap(wrapped, name: name, with: wrapping) else {
          throw KeyStoreError.corrupt
        }
        try db.execute(
          sql: "UPDATE epochs SET kek = ?, wrapped = ? WHERE epoch = ?",
          arguments: [
            self.keks.current, try Wrapping.wrap(secret, name: name, keks: self.keks), epoch,
          ])
        count += 1
      }
      return .commit
    }
    return count
  }

  /// Opens every row, and drops the marks of key-encryption keys that no row is under.
  private func retire(
    _ db: Database
  ) throws -> (opened: Int, damaged: Int, retired: [String]) {
    var counts = (opened: 0, damaged: 0)
    var retired: [String] = []
    try db.inTransaction(.immediate) {
      counts = try self.openAll(db)
      retired = try String.fetchAll(
        db,
        sql: """
          SELECT id FROM keks WHERE id <> ?
            AND id NOT IN (SELECT kek FROM data_keys WHERE kek IS NOT NULL)
            AND id NOT IN (SELECT kek FROM epochs WHERE kek IS NOT NULL) ORDER BY id
          """, arguments: [self.keks.current])
      for id in retired {
        try db.execute(sql: "DELETE FROM keks WHERE id = ?", arguments: [id])
      }
      return .commit
    }
    // What older keys had wrapped must not stand in the log for whoever still has such a key.
    _ = try Self.truncateLog(db)
    return (counts.opened, counts.damaged, retired)
  }

  /// Opens every row: how many open, and how many do not.
  package func checkAll() async throws(KeyStoreError) -> (opened: Int, damaged: Int) {
    try await onQueue { db in try self.openAll(db) }
  }

  private func openAll(_ db: Database) throws -> (opened: Int, damaged: Int) {
    var counts = (opened: 0, damaged: 0)
    let rows = try Row.fetchCursor(db, sql: "SELECT * FROM data_keys WHERE wrapped IS NOT NULL")
    while let row = try rows.next().map(KeyRow.init) {
      do {
        guard let key = try open(row) else { continue }
        if let sealed = row.basis {
          guard Wrapping.basis(sealed, name: row.name, with: key) != nil else {
            throw KeyStoreError.corrupt
          }
        }
        counts.opened += 1
      } catch KeyStoreError.corrupt {
        counts.damaged += 1
      }
    }
    let book = try readBook(db)
    counts.opened += book.secrets.count
    return counts
  }
}
