import Foundation
import GRDB
import HandoffCore

/// One row of the table `log`.
struct LogRow {
  var id: Int64
  var name: AuditLogName
  var nextOffset: Int64
  var frontier: MerkleFrontier
  var checkpoint: String?

  init(_ row: Row) throws {
    id = row["id"]
    name = AuditLogName(topic: row["topic"], partition: row["partition"])
    nextOffset = row["next_offset"]
    checkpoint = row["checkpoint"]
    let size = UInt64(clamping: row["tree_size"] as Int64)
    guard let frontier = LogRow.frontier(size: size, edge: row["edge"]) else {
      throw AuditStoreError.corrupt(place: "\(name), column edge of table log")
    }
    self.frontier = frontier
  }

  init(id: Int64, name: AuditLogName) {
    self.id = id
    self.name = name
    nextOffset = 0
    frontier = MerkleFrontier()
  }

  static func all(_ db: Database) throws -> [LogRow] {
    try Row.fetchAll(db, sql: "SELECT * FROM log ORDER BY topic, partition").map(LogRow.init)
  }

  static func find(_ name: AuditLogName, _ db: Database) throws -> LogRow? {
    try Row.fetchOne(
      db, sql: "SELECT * FROM log WHERE topic = ? AND partition = ?",
      arguments: [name.topic, name.partition]
    ).map(LogRow.init)
  }

  static func frontier(size: UInt64, edge: Data) -> MerkleFrontier? {
    guard edge.count % MerkleHash.byteCount == 0 else { return nil }
    let bytes = Array(edge)
    let roots = stride(from: 0, to: bytes.count, by: MerkleHash.byteCount).compactMap {
      MerkleHash(bytes: bytes[$0..<$0 + MerkleHash.byteCount])
    }
    return MerkleFrontier(size: size, roots: roots)
  }

  func state() -> AuditLogState {
    AuditLogState(
      name: name, nextOffset: nextOffset, size: frontier.size, root: frontier.root,
      checkpoint: checkpoint)
  }

  /// Writes offset and tree back.
  func save(_ db: Database) throws {
    try db.execute(
      sql: "UPDATE log SET next_offset = ?, tree_size = ?, edge = ? WHERE id = ?",
      arguments: [
        nextOffset, Int64(frontier.size), Data(frontier.roots.flatMap(\.bytes)), id,
      ])
  }
}

/// One row of the table `record`, as stored: nothing in it is believed before it is checked.
struct RecordRow {
  var id: Int64
  var offset: Int64
  var brokerTimeMs: Int64
  var key: [UInt8]?
  var headers: [UInt8]
  var value: [UInt8]?
  var recordHash: [UInt8]?
  var leafHash: [UInt8]
  var previous: Int64?
  var searchable: Searchable

  /// The columns that are derived from the record's bytes.
  struct Searchable: Hashable {
    var ceType: String?
    var type: String
    var handoffID: String?
    var alertID: String?
    var sender: String?
    var receiver: String?
    var kind: String?

    init(_ description: AuditDescription) {
      ceType = description.eventType
      type = description.type
      handoffID = description.handoff?.description
      alertID = description.alert?.description
      sender = description.from?.description
      receiver = description.to?.description
      kind = description.kind?.description
    }

    init(_ row: Row) {
      ceType = row["ce_type"]
      type = row["type"]
      handoffID = row["handoff_id"]
      alertID = row["alert_id"]
      sender = row["sender"]
      receiver = row["receiver"]
      kind = row["kind"]
    }

    /// Column names beside their values, for saying which differs.
    var columns: [(name: String, value: String?)] {
      [
        ("ce_type", ceType), ("type", type), ("handoff_id", handoffID), ("alert_id", alertID),
        ("sender", sender), ("receiver", receiver), ("kind", kind),
      ]
    }
  }

  init(_ row: Row) {
    id = row["id"]
    offset = row["offset"]
    brokerTimeMs = row["broker_time"]
    key = (row["key"] as Data?).map(Array.init)
    headers = Array(row["headers"] as Data)
    value = (row["value"] as Data?).map(Array.init)
    recordHash = (row["record_hash"] as Data?).map(Array.init)
    leafHash = Array(row["leaf_hash"] as Data)
    previous = row["previous"]
    searchable = Searchable(row)
  }

  var leafIndex: UInt64 { RowID.leaf(id) }

  /// The record as Kafka gave it.
  func record(of log: AuditLogName) throws -> AuditRecord {
    guard let headers = AuditLeaf.headers(of: headers) else {
      throw AuditStoreError.corrupt(place: "\(log) offset \(offset), column headers")
    }
    return AuditRecord(
      log: log, offset: offset, brokerTimeMs: brokerTimeMs, key: key, headers: headers,
      value: value)
  }

  /// The entry that the columns of this row make.
  func leaf(of log: AuditLogName) -> AuditLeaf {
    AuditLeaf(
      topic: log.topic, partition: log.partition, offset: offset, brokerTimeMs: brokerTimeMs,
      key: AuditLeaf.Key(key), headersHash: RecordHash(ofStored: headers),
      recordHash: recordHash.flatMap { RecordHash(bytes: $0) },
      previous: previous.map { UInt64(bitPattern: $0) })
  }

  func logged(in log: AuditLogName) throws -> LoggedRecord {
    guard let leafHash = MerkleHash(bytes: leafHash) else {
      throw AuditStoreError.corrupt(place: "\(log) offset \(offset), column leaf_hash")
    }
    return LoggedRecord(
      record: try record(of: log), description: description(), leafIndex: leafIndex,
      recordHash: recordHash.flatMap { RecordHash(bytes: $0) }, leafHash: leafHash,
      previous: previous.map { UInt64(bitPattern: $0) })
  }

  private func description() -> AuditDescription {
    AuditDescription(
      eventType: searchable.ceType, type: searchable.type,
      handoff: searchable.handoffID.flatMap { HandoffID($0) },
      alert: searchable.alertID.flatMap { AlertID($0) },
      from: searchable.sender.flatMap { OrganisationID($0) },
      to: searchable.receiver.flatMap { OrganisationID($0) },
      kind: searchable.kind.flatMap { HandoffKind($0) })
  }

  static func leaves(
    _ leaves: Range<UInt64>, ofLog log: Int64, _ db: Database
  ) throws -> [RecordRow] {
    let ids = RowID.range(log: log, leaves: leaves)
    return try Row.fetchAll(
      db, sql: "SELECT * FROM record WHERE id BETWEEN ? AND ? ORDER BY id",
      arguments: [ids.first, ids.last]
    ).map(RecordRow.init)
  }
}

/// The tree of a log as its rows hold it.
struct RowTree: MerkleHashSource {
  let log: LogRow
  let db: Database

  func hashes(level: Int, range: Range<UInt64>) throws -> [MerkleHash] {
    let stored: [Data]
    if level == 0 {
      let ids = RowID.range(log: log.id, leaves: range)
      stored = try Data.fetchAll(
        db, sql: "SELECT leaf_hash FROM record WHERE id BETWEEN ? AND ? ORDER BY id",
        arguments: [ids.first, ids.last])
    } else {
      stored = try Data.fetchAll(
        db,
        sql: """
          SELECT hash FROM node WHERE log = ? AND level = ? AND position >= ? AND position < ?
          ORDER BY position
          """,
        arguments: [log.id, level, Int64(range.lowerBound), Int64(range.upperBound)])
    }
    let hashes = stored.compactMap { MerkleHash(bytes: $0) }
    guard hashes.count == range.count else {
      throw AuditStoreError.corrupt(place: "\(log.name), tree level \(level)")
    }
    return hashes
  }
}
