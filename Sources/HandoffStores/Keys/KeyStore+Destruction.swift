import Foundation
import GRDB
package import HandoffCore

/// That a person's keys were destroyed: when, by whom, why.
package struct Destruction: Hashable, Sendable, Codable {
  /// The patient keys, in their written form: those that merges, links and epochs gave one person.
  package var keys: [String]
  /// Those of them whose data key was there, and is gone now.
  package var destroyed: Int
  /// Who did it, as the operator gave it.
  package var by: String
  /// Milliseconds since 1970.
  package var at: Int64
}

extension KeyStore {
  /// Destroys the data keys of a person, and with them all that was ever sealed under them.
  ///
  /// Reaches every key that a merge, link or new epoch connects with `keys`. What remains is a
  /// row that says when it happened and by whom. The file and its log are searched for the
  /// destroyed bytes before this returns. What comes in about the person later is sealed under a
  /// new key.
  ///
  /// - Throws: ``KeyStoreError/destructionUnfinished`` where the bytes still stand in the file;
  ///   the keys are unusable already then, and the same call may be made again.
  package func destroy(
    _ keys: Set<PatientKey>, by operatorName: String, reason: Code?, at time: Timestamp
  ) async throws(KeyStoreError) -> Destruction {
    let path = path
    let destruction = try await onQueue { db in
      var (destruction, traces) = (
        Destruction(keys: [], destroyed: 0, by: operatorName, at: time.milliseconds), [Data]()
      )
      try db.inTransaction(.immediate) {
        let names = try Self.connected(with: keys, db)
        for name in names.sorted() {
          guard let row = try KeyRow.fetch(name, db) else { continue }
          destruction.keys.append(String(name.dropFirst("person/".count)))
          // Of a row that was altered nothing can be searched for: it may hold anything.
          if (try? self.open(row)) != nil {
            traces += [row.wrapped, row.basis].compactMap(\.self)
          }
          if row.wrapped != nil { destruction.destroyed += 1 }
          try db.execute(
            sql: "UPDATE data_keys SET kek = NULL, wrapped = NULL, basis = NULL WHERE name = ?",
            arguments: [name])
          try db.execute(
            sql: "INSERT INTO destructions (name, at, by, reason) VALUES (?, ?, ?, ?)",
            arguments: [name, time.milliseconds, operatorName, reason?.description])
        }
        return .commit
      }
      try Self.erase(traces, path: path, db)
      return destruction
    }
    forget()
    return destruction
  }

  /// The patient keys that ``destroy(_:by:reason:at:)`` would reach.
  package func reach(of keys: Set<PatientKey>) async throws(KeyStoreError) -> [PatientKey] {
    try await onQueue { db in
      try Self.connected(with: keys, db).sorted().compactMap { name in
        try KeyRow.fetch(name, db).flatMap { DataKeyName.person(in: $0.name) }
      }
    }
  }

  /// The patient keys in the store with this hash, whatever their epoch.
  package func patientKeys(
    withHash hash: [UInt8]
  ) async throws(KeyStoreError) -> Set<PatientKey> {
    try await onQueue { db in
      let epochs = try Int.fetchAll(db, sql: "SELECT epoch FROM epochs")
      let keys = epochs.compactMap {
        PatientKey(epoch: UInt16(truncatingIfNeeded: $0), hash: hash)
      }
      return Set(
        try keys.filter { try KeyRow.fetch(DataKeyName.person($0).description, db) != nil })
    }
  }

  /// Destroys the keys of the dead letters of every day before `day`; returns how many.
  @discardableResult
  package func eraseDeadLetters(before day: String) async throws(KeyStoreError) -> Int {
    let count = try await onQueue { db in
      try db.execute(
        sql: "DELETE FROM data_keys WHERE name > 'dead-letters/' AND name < ?",
        arguments: [DataKeyName.deadLetters(day: day).description])
      let count = db.changesCount
      if count > 0 { _ = try Self.truncateLog(db) }
      return count
    }
    if count > 0 { forget() }
    return count
  }

  /// All names that lead to one of `keys`, or that one of them leads to.
  private static func connected(
    with keys: Set<PatientKey>, _ db: Database
  ) throws -> Set<String> {
    var names = Set(keys.map { DataKeyName.person($0).description })
    var next = Array(names)
    while let name = next.popLast() {
      var found = try String.fetchAll(
        db, sql: "SELECT name FROM data_keys WHERE moved_to = ?", arguments: [name])
      found += try KeyRow.fetch(name, db)?.movedTo.map { [$0] } ?? []
      next += found.filter { names.insert($0).inserted }
    }
    return names
  }

  /// Sees that `traces` stand nowhere in the files any more.
  private static func erase(_ traces: [Data], path: String, _ db: Database) throws {
    let isLogEmpty = try truncateLog(db)
    if isLogEmpty, try !stands(traces, in: [path, path + "-wal"]) { return }
    // A page that was split may keep a copy of a cell between its cells: write all anew.
    try db.execute(sql: "VACUUM")
    guard try truncateLog(db), try !stands(traces, in: [path, path + "-wal"]) else {
      throw KeyStoreError.destructionUnfinished
    }
  }

  /// Whether any of `traces` stands in any of the files.
  static func stands(_ traces: [Data], in paths: [String]) throws -> Bool {
    guard !traces.isEmpty else { return false }
    let longest = traces.map(\.count).max() ?? 0
    for path in paths {
      guard let file = FileHandle(forReadingAtPath: path) else { continue }
      defer { try? file.close() }  // It was only read.
      var tail = Data()
      while let chunk = try file.read(upToCount: 8 << 20), !chunk.isEmpty {
        let text = tail + chunk
        if traces.contains(where: { text.range(of: $0) != nil }) { return true }
        tail = Data(text.suffix(longest))
      }
    }
    return false
  }
}
