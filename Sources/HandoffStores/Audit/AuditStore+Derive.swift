import Foundation
import GRDB

extension AuditStore {
  /// Derives the searchable columns anew where an older reader of records derived them.
  ///
  /// They are an index, which can always be made again from the records; nothing that is signed
  /// changes.
  static func deriveAnew(_ db: Database, _ describe: AuditDescriber) throws {
    guard try derivedBy(db) != AuditDescription.version else { return }
    let names = Dictionary(uniqueKeysWithValues: try LogRow.all(db).map { ($0.id, $0.name) })
    var last: Int64 = 0
    while true {
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM record WHERE id > ? ORDER BY id LIMIT ?",
        arguments: [last, 1_000]
      ).map(RecordRow.init)
      guard let end = rows.last else { break }
      last = end.id
      for row in rows {
        guard let name = names[row.id >> 40], let record = try? row.record(of: name) else {
          continue  // Not readable: the verification names it.
        }
        let derived = RecordRow.Searchable(describe(record))
        if derived != row.searchable { try update(row.id, derived, db) }
      }
    }
    try db.execute(sql: "UPDATE search SET version = ?", arguments: [AuditDescription.version])
  }

  /// Which version of the reader derived the columns that are stored.
  static func derivedBy(_ db: Database) throws -> Int? {
    try Int.fetchOne(db, sql: "SELECT version FROM search")
  }

  private static func update(
    _ id: Int64, _ derived: RecordRow.Searchable, _ db: Database
  ) throws {
    try db.execute(
      sql: """
        UPDATE record SET ce_type = ?, type = ?, handoff_id = ?, alert_id = ?, sender = ?,
          receiver = ?, kind = ? WHERE id = ?
        """,
      arguments: [
        derived.ceType, derived.type, derived.handoffID, derived.alertID, derived.sender,
        derived.receiver, derived.kind, id,
      ])
  }
}
