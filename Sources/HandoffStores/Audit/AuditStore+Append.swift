import Foundation
import GRDB
import HandoffCore

extension AuditStore {
  /// Logs records, each after those before it: rows, trees and offsets in one SQL transaction.
  ///
  /// Records of a log that were logged before are compared and ignored.
  ///
  /// - Throws: ``AuditStoreError/diverged(log:offset:)`` where a record that was logged before is
  ///   not what was logged; nothing of the batch is stored then, nor after any other error.
  @discardableResult
  package func append(
    _ records: [AuditRecord]
  ) async throws(AuditStoreError) -> AuditAppendResult {
    if records.isEmpty { return AuditAppendResult() }
    let described = records.map { ($0, describe($0)) }
    return try await writing { db in
      var batch = AuditBatch(db)
      for (record, description) in described { try batch.append(record, description) }
      try batch.finish()
      return batch.result
    }
  }
}

/// One SQL transaction's worth of appends.
private struct AuditBatch {
  /// A key within a log.
  private struct Subject: Hashable {
    var log: Int64
    var key: [UInt8]
  }

  private let db: Database
  private var logs: [AuditLogName: LogRow] = [:]
  /// The last leaf of each key that this batch touched.
  private var lastLeaves: [Subject: UInt64] = [:]
  var result = AuditAppendResult()

  init(_ db: Database) { self.db = db }

  mutating func append(_ record: AuditRecord, _ description: AuditDescription) throws {
    var log = try open(record.log)
    guard record.offset >= log.nextOffset else {
      try compare(record, in: log)
      result.ignored += 1
      return
    }
    let index = log.frontier.size
    guard index < UInt64(RowID.leafCountMax) else {
      throw AuditStoreError.corrupt(place: "\(log.name): the log is full")
    }
    let subject = record.key.map { Subject(log: log.id, key: $0) }
    let previous = try subject.flatMap { try lastLeaf(of: $0) }
    let headers = AuditLeaf.canonicalBytes(of: record.headers)
    let recordHash = record.value.map { RecordHash(ofStored: $0) }
    let leaf = AuditLeaf(
      topic: log.name.topic, partition: log.name.partition, offset: record.offset,
      brokerTimeMs: record.brokerTimeMs, key: AuditLeaf.Key(record.key),
      headersHash: RecordHash(ofStored: headers), recordHash: recordHash, previous: previous
    ).hash
    try insertRecord(
      id: RowID.of(log: log.id, leaf: index), record, headers: headers, recordHash: recordHash,
      leaf: leaf, previous: previous, RecordRow.Searchable(description))
    for node in log.frontier.append(leaf) { try insert(node, log: log.id) }
    log.nextOffset = record.offset + 1
    logs[record.log] = log
    if let subject { lastLeaves[subject] = index }
    result.appended += 1
  }

  func finish() throws {
    for log in logs.values { try log.save(db) }
  }

  private mutating func open(_ name: AuditLogName) throws -> LogRow {
    if let log = logs[name] { return log }
    let log: LogRow
    if let found = try LogRow.find(name, db) {
      log = found
    } else {
      try db.execute(
        sql: """
          INSERT INTO log (topic, partition, next_offset, tree_size, edge) VALUES (?, ?, 0, 0, x'')
          """, arguments: [name.topic, name.partition])
      log = LogRow(id: db.lastInsertedRowID, name: name)
    }
    logs[name] = log
    return log
  }

  private func lastLeaf(of subject: Subject) throws -> UInt64? {
    if let known = lastLeaves[subject] { return known }
    let ids = RowID.range(log: subject.log, leaves: 0..<UInt64(RowID.leafCountMax))
    let statement = try db.cachedStatement(
      sql: "SELECT max(id) FROM record WHERE key = ? AND id BETWEEN ? AND ?")
    return try Int64.fetchOne(
      statement, arguments: [Data(subject.key), ids.first, ids.last]
    ).map(RowID.leaf)
  }

  private func insertRecord(
    id: Int64, _ record: AuditRecord, headers: [UInt8], recordHash: RecordHash?,
    leaf: MerkleHash, previous: UInt64?, _ searchable: RecordRow.Searchable
  ) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO record (id, "offset", broker_time, key, headers, value, record_hash, leaf_hash,
          previous, ce_type, type, handoff_id, alert_id, sender, receiver, kind)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      id, record.offset, record.brokerTimeMs, record.key.map { Data($0) }, Data(headers),
      record.value.map { Data($0) }, recordHash.map { Data($0.bytes) }, Data(leaf.bytes),
      previous.map { Int64($0) }, searchable.ceType, searchable.type, searchable.handoffID,
      searchable.alertID, searchable.sender, searchable.receiver, searchable.kind,
    ])
  }

  private func insert(_ node: TileNode, log: Int64) throws {
    try db.execute(
      sql: "INSERT INTO node (log, level, position, hash) VALUES (?, ?, ?, ?)",
      arguments: [log, node.level, Int64(node.index), Data(node.hash.bytes)])
  }

  /// A record given again must be the one that was logged.
  private func compare(_ record: AuditRecord, in log: LogRow) throws {
    let row = try Row.fetchOne(
      db, sql: #"SELECT * FROM record WHERE id >> 40 = ? AND "offset" = ?"#,
      arguments: [log.id, record.offset]
    ).map(RecordRow.init)
    guard let row, row.brokerTimeMs == record.brokerTimeMs, row.key == record.key,
      row.headers == AuditLeaf.canonicalBytes(of: record.headers),
      row.recordHash == record.value.map({ RecordHash(ofStored: $0).bytes })
    else { throw AuditStoreError.diverged(log: record.log, offset: record.offset) }
  }
}
