package import Crypto
import Foundation
import GRDB
package import HandoffCore

extension DataKeyName {
  /// The patient key of a row's name; `nil` where it is of something else.
  static func person(in name: some StringProtocol) -> PatientKey? {
    name.hasPrefix("person/") ? PatientKey(name.dropFirst("person/".count)) : nil
  }
}

extension KeyStore {
  /// Notes the epoch of the secrets file; it must be the one that the store began with.
  package func adopt(base epoch: UInt16, at time: Timestamp) async throws(KeyStoreError) {
    try await onQueue { db in
      try db.inTransaction(.immediate) {
        let first = try Int.fetchOne(db, sql: "SELECT min(epoch) FROM epochs")
        if let first {
          guard first == Int(epoch) else {
            throw KeyStoreError.epochMismatch(
              file: epoch, store: UInt16(truncatingIfNeeded: first))
          }
        } else {
          try db.execute(
            sql: "INSERT INTO epochs (epoch, began_at, moved_at) VALUES (?, ?, ?)",
            arguments: [Int(epoch), time.milliseconds, time.milliseconds])
        }
        return .commit
      }
    }
  }

  /// Begins the next epoch under a secret of its own; ingest moves people to it.
  ///
  /// - Throws: ``KeyStoreError/epochUnfinished(_:)`` while people are on their way to this one.
  @discardableResult
  package func beginEpoch(
    secret: SymmetricKey = SymmetricKey(size: .bits256), at time: Timestamp
  ) async throws(KeyStoreError) -> UInt16 {
    let keks = keks
    let epoch = try await onQueue { db in
      var next = 0
      try db.inTransaction(.immediate) {
        guard
          let row = try Row.fetchOne(
            db, sql: "SELECT epoch, moved_at FROM epochs ORDER BY epoch DESC LIMIT 1")
        else { throw KeyStoreError.failed(code: -1) }
        let current: Int = row["epoch"]
        let movedAt: Int64? = row["moved_at"]
        guard movedAt != nil else {
          throw KeyStoreError.epochUnfinished(UInt16(truncatingIfNeeded: current))
        }
        // The greatest number is kept for the key of nobody.
        guard current < Int(UInt16.max) - 1 else { throw KeyStoreError.failed(code: -1) }
        next = current + 1
        try db.execute(
          sql: "INSERT INTO epochs (epoch, kek, wrapped, began_at) VALUES (?, ?, ?, ?)",
          arguments: [
            next, keks.current,
            try Wrapping.wrap(secret, name: Self.epochName(next), keks: keks),
            time.milliseconds,
          ])
        return .commit
      }
      return UInt16(next)
    }
    forget()
    return epoch
  }

  static func epochName(_ epoch: Int) -> String { "epoch/\(epoch)" }

  /// The epochs as they stand in the file.
  func readBook(_ db: Database) throws -> EpochBook {
    let rows = try Row.fetchAll(db, sql: "SELECT * FROM epochs ORDER BY epoch")
    guard let first = rows.first, let last = rows.last else {
      return EpochBook(base: 1, current: 1)
    }
    func number(_ row: Row) -> UInt16 { UInt16(truncatingIfNeeded: row["epoch"] as Int) }
    let movedAt: Int64? = last["moved_at"]
    var book = EpochBook(
      base: number(first), current: number(last), isMoving: movedAt == nil,
      beganAt: last["began_at"])
    for row in rows.dropFirst() {
      let epoch: Int = row["epoch"]
      let (stored, id): (Data?, String?) = (row["wrapped"], row["kek"])
      guard let wrapped = stored, let kek = id else { throw KeyStoreError.corrupt }
      guard let wrapping = keks.keys[kek] else {
        throw KeyStoreError.missingKeyEncryptionKey(id: kek)
      }
      let name = Self.epochName(epoch)
      guard let secret = Wrapping.unwrap(wrapped, name: name, with: wrapping) else {
        throw KeyStoreError.corrupt
      }
      book.secrets[UInt16(truncatingIfNeeded: epoch)] = secret
    }
    for row in rows.dropLast() {
      let (low, high) = Self.names(of: number(row))
      let isLeft = try Bool.fetchOne(
        db,
        sql: """
          SELECT EXISTS (SELECT 1 FROM data_keys WHERE name > ? AND name < ?
            AND (moved_to IS NULL OR moved_to < ?))
          """, arguments: [low, high, high])
      if isLeft ?? false { book.leaving.append(number(row)) }
    }
    return book
  }

  /// Between which names the people of an epoch stand: `person/1.` and `person/1/`.
  static func names(of epoch: UInt16) -> (low: String, high: String) {
    ("person/\(epoch).", "person/\(epoch)/")
  }

  package func noteMerges(_ merges: [PatientKey: PatientKey]) async throws(KeyStoreError) {
    guard !merges.isEmpty else { return }
    try await onQueue { db in
      try db.inTransaction(.immediate) {
        for (old, new) in merges.sorted(by: { $0.key < $1.key }) where old != new {
          let row = try KeyRow.fetch(DataKeyName.person(old).description, db)
          if row?.movedTo == nil { try Self.noteMove(old, to: new, db) }
        }
        return .commit
      }
    }
  }

  private static func noteMove(_ old: PatientKey, to new: PatientKey, _ db: Database) throws {
    let (name, target) = (DataKeyName.person(old), DataKeyName.person(new))
    try db.execute(
      sql: """
        INSERT INTO data_keys (name, moved_to) VALUES (?, ?)
        ON CONFLICT (name) DO UPDATE SET moved_to = excluded.moved_to
        """, arguments: [name.description, target.description])
  }

  package func earlier(
    among keys: Set<PatientKey>
  ) async throws(KeyStoreError) -> [PatientKey: EarlierPerson] {
    guard !keys.isEmpty else { return [:] }
    return try await onQueue { db in
      var found: [PatientKey: EarlierPerson] = [:]
      for key in keys {
        guard let row = try KeyRow.fetch(DataKeyName.person(key).description, db) else {
          continue
        }
        guard let next = row.movedTo.flatMap(DataKeyName.person(in:)) else {
          found[key] = .staying
          continue
        }
        // A merge before this epoch began; what moved to this epoch has its new key already.
        guard next.epoch <= key.epoch else { continue }
        found[key] = .merged(into: try Self.end(of: next, db))
      }
      return found
    }
  }

  /// Where merges and re-keys have taken a key by now.
  private static func end(of key: PatientKey, _ db: Database) throws -> PatientKey {
    var key = key
    // A chain is as long as there were merges and epochs; a circle of merges must not hold us.
    for _ in 0..<64 {
      let row = try KeyRow.fetch(DataKeyName.person(key).description, db)
      guard let next = row?.movedTo.flatMap(DataKeyName.person(in:)) else { return key }
      key = next
    }
    return key
  }

  package func peopleToMove(
    after key: PatientKey?, limit: Int
  ) async throws(KeyStoreError) -> [(key: PatientKey, basis: PersonBasis)] {
    try await onQueue { db in
      let epochs = try Int.fetchAll(db, sql: "SELECT epoch FROM epochs ORDER BY epoch")
      var people: [(key: PatientKey, basis: PersonBasis)] = []
      for epoch in epochs.dropLast() {
        guard epoch >= Int(key?.epoch ?? 0), people.count < limit else { continue }
        let (low, high) = Self.names(of: UInt16(truncatingIfNeeded: epoch))
        let isBegun = key.map { Int($0.epoch) == epoch } ?? false
        let from = key.flatMap { isBegun ? DataKeyName.person($0).description : nil } ?? low
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT * FROM data_keys WHERE name > ? AND name < ? AND moved_to IS NULL
              AND wrapped IS NOT NULL AND basis IS NOT NULL ORDER BY name
            """, arguments: [from, high])
        while people.count < limit, let row = try rows.next().map(KeyRow.init) {
          // An altered row cannot move; `baton keys status --check` counts such.
          guard let dataKey = try? self.open(row), let sealed = row.basis,
            let basis = Wrapping.basis(sealed, name: row.name, with: dataKey),
            let person = DataKeyName.person(in: row.name)
          else { continue }
          people.append((person, basis))
        }
      }
      return people
    }
  }

  package func prepare(_ moves: [PersonMove]) async throws(KeyStoreError) {
    try await onQueue { db in
      try db.inTransaction(.immediate) {
        for move in moves { try self.copy(move.old, to: move.new, db) }
        return .commit
      }
    }
  }

  /// The new name gets the data key of the old one, unless it has one of its own.
  private func copy(_ old: PatientKey, to new: PatientKey, _ db: Database) throws {
    let name = DataKeyName.person(new).description
    guard let row = try KeyRow.fetch(DataKeyName.person(old).description, db),
      try KeyRow.fetch(name, db)?.wrapped == nil, let key = try open(row)
    else { return }
    let basis = row.basis.flatMap { Wrapping.basis($0, name: row.name, with: key) }
    try db.execute(
      sql: """
        INSERT INTO data_keys (name, kek, wrapped, basis) VALUES (?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET
          kek = excluded.kek, wrapped = excluded.wrapped, basis = excluded.basis
        """,
      arguments: [
        name, keks.current, try Wrapping.wrap(key, name: name, keks: keks),
        try basis.map { try Wrapping.seal($0, name: name, with: key) },
      ])
  }

  package func settle(_ moves: [PersonMove]) async throws(KeyStoreError) {
    try await onQueue { db in
      try db.inTransaction(.immediate) {
        for move in moves {
          try Self.noteMove(move.from, to: move.to, db)
          // Merged before: from now on the way leads over the key of the current epoch.
          if move.mergedInto != nil { try Self.noteMove(move.old, to: move.new, db) }
        }
        return .commit
      }
    }
  }

  package func finishMoving() async throws(KeyStoreError) {
    try await onQueue { db in
      let now = Int64(Date().timeIntervalSince1970 * 1_000)
      try db.execute(
        sql: "UPDATE epochs SET moved_at = ? WHERE moved_at IS NULL", arguments: [now])
    }
    forget()
  }

  package func hasUnknownPeople() async throws(KeyStoreError) -> Bool {
    try await onQueue { db in
      let current = try Int.fetchOne(db, sql: "SELECT max(epoch) FROM epochs") ?? 1
      let (low, high) = Self.names(of: UInt16(truncatingIfNeeded: current))
      return try Bool.fetchOne(
        db,
        sql: """
          SELECT EXISTS (SELECT 1 FROM data_keys
            WHERE name > 'person/' AND name < 'person0' AND NOT (name > ? AND name < ?)
              AND wrapped IS NOT NULL AND basis IS NULL AND moved_to IS NULL)
          """, arguments: [low, high]) ?? false
    }
  }

  package func withoutBasis(
    among keys: Set<PatientKey>
  ) async throws(KeyStoreError) -> Set<PatientKey> {
    try await onQueue { db in
      try keys.filter { key in
        guard let row = try KeyRow.fetch(DataKeyName.person(key).description, db) else {
          return false
        }
        return row.wrapped != nil && row.basis == nil && row.movedTo == nil
      }
    }
  }
}
