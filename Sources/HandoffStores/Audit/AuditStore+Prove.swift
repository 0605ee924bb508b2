import Foundation
import GRDB
import HandoffCore

/// Why a proof cannot be made.
package enum ProofError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Nothing is logged there.
  case noSuchRecord
  /// Logged, and not yet covered by a signed checkpoint.
  case notCovered(log: AuditLogName)
  /// More records than a bundle may hold.
  case tooMany(limit: Int)
  /// The older checkpoint is of none of the logs in question, or is not a checkpoint.
  case foreignCheckpoint
  /// The older checkpoint is newer than what is stored here.
  case checkpointAhead(log: AuditLogName)
  case store(AuditStoreError)

  package var description: String {
    switch self {
    case .noSuchRecord: "no such record is logged"
    case .notCovered(let log):
      "\(log): no signed checkpoint covers it yet; the next one will"
    case .tooMany(let limit): "more than \(limit) records; ask for fewer"
    case .foreignCheckpoint: "the older checkpoint is of none of these logs"
    case .checkpointAhead(let log):
      "\(log): the older checkpoint is ahead of this log; this copy of the log is not the newest"
    case .store(let error): error.description
    }
  }
}

extension AuditStore {
  /// What is to be proved.
  package enum ProofSubject: Hashable, Sendable {
    case record(log: AuditLogName, offset: Int64)
    /// Every record of a key, in all logs.
    case key([UInt8])
  }

  /// A bundle holds at most so many records.
  package static let proofRecordCountMax = 10_000

  /// Makes the bundle that proves records to be in the log under its newest checkpoint.
  ///
  /// With `since`, an older signed checkpoint of one of the logs, it also proves that nothing up to
  /// there was changed.
  package func prove(
    _ subject: ProofSubject, since: String? = nil
  ) async throws(ProofError) -> ProofBundle {
    do {
      return try await pool.read { db in try Self.bundle(subject, since: since, db) }
    } catch let error as ProofError {
      throw error
    } catch {
      throw .store(AuditStoreError(error, path: Self.databasePath(in: folder)))
    }
  }

  private static func bundle(
    _ subject: ProofSubject, since: String?, _ db: Database
  ) throws -> ProofBundle {
    let old = try since.map { note in
      guard let parsed = try? SignedNote(note), let checkpoint = Checkpoint(text: parsed.text)
      else { throw ProofError.foreignCheckpoint }
      return checkpoint
    }
    var rows: [Int64: [RecordRow]] = [:]
    for row in try self.rows(of: subject, db) { rows[row.id >> 40, default: []].append(row) }
    var logs: [ProofBundle.Log] = []
    var isOldUsed = false
    var uncovered: AuditLogName?
    for log in try LogRow.all(db) {
      guard let found = rows[log.id] else { continue }
      guard let note = log.checkpoint, let checkpoint = log.state().checkpointed,
        case let covered = found.filter({ $0.leafIndex < checkpoint.size }), !covered.isEmpty
      else {
        uncovered = log.name
        continue
      }
      let tree = RowTree(log: log, db: db)
      var proved = ProofBundle.Log(
        topic: log.name.topic, partition: log.name.partition, checkpoint: note,
        records: try covered.map { try record($0, of: log.name, size: checkpoint.size, tree) })
      if let old, let since, old.origin == checkpoint.origin {
        guard old.size <= checkpoint.size else { throw ProofError.checkpointAhead(log: log.name) }
        isOldUsed = true
        proved.since = since
        proved.consistency = try tree.consistencyProof(oldSize: old.size, newSize: checkpoint.size)
          .path.map { Base64.encode($0.bytes) }
      }
      logs.append(proved)
    }
    if logs.isEmpty {
      throw uncovered.map { ProofError.notCovered(log: $0) } ?? ProofError.noSuchRecord
    }
    guard old == nil || isOldUsed else { throw ProofError.foreignCheckpoint }
    guard case .key(let key) = subject else { return ProofBundle(logs: logs) }
    return ProofBundle(person: String(decoding: key, as: UTF8.self), logs: logs)
  }

  private static func rows(of subject: ProofSubject, _ db: Database) throws -> [RecordRow] {
    switch subject {
    case .record(let log, let offset):
      guard let log = try LogRow.find(log, db) else { return [] }
      return try Row.fetchAll(
        db, sql: #"SELECT * FROM record WHERE id >> 40 = ? AND "offset" = ?"#,
        arguments: [log.id, offset]
      ).map(RecordRow.init)
    case .key(let key):
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM record WHERE key = ? ORDER BY id LIMIT ?",
        arguments: [Data(key), proofRecordCountMax + 1])
      guard rows.count <= proofRecordCountMax else {
        throw ProofError.tooMany(limit: proofRecordCountMax)
      }
      return rows.map(RecordRow.init)
    }
  }

  private static func record(
    _ row: RecordRow, of log: AuditLogName, size: UInt64, _ tree: RowTree
  ) throws -> ProofBundle.Record {
    let record = try row.record(of: log)
    let proof = try tree.inclusionProof(index: row.leafIndex, size: size)
    return ProofBundle.Record(
      leafIndex: row.leafIndex, offset: record.offset, brokerTime: record.brokerTimeMs,
      key: record.key.map { Base64.encode($0) },
      headers: record.headers.map { header in
        ProofBundle.Header(
          name: header.name, value: header.value.map { Base64.encode($0) })
      },
      value: record.value.map { Base64.encode($0) },
      previousLeaf: row.previous.map { UInt64(bitPattern: $0) },
      inclusion: proof.path.map { Base64.encode($0.bytes) })
  }
}
