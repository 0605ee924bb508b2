import Foundation
import GRDB
import HandoffCore

/// The verification of one log.
struct LogVerification {
  /// Where the hashes of leaves are stored, in the order in which they are believed.
  enum LeafSource: CaseIterable {
    case entries, tiles, hashColumn, columns
  }

  let log: StoredLog
  let files: LogFolder
  let key: NoteVerifier
  let describe: AuditDescriber
  let db: Database
  var report: AuditReport

  /// How many leaves the newest checkpoint covers.
  var covered: UInt64 = 0
  /// Signed heads before the newest: the tree must have passed through them.
  var older: [Checkpoint] = []
  /// The tree as the believed leaves make it.
  var frontier = MerkleFrontier()
  /// The entries of the upper tiles, by level.
  var nodes: [Int: [MerkleHash]] = [:]
  /// The tile files that are there.
  var tiles: [Tile] = []

  init(
    log: StoredLog, files: LogFolder, key: NoteVerifier, describe: @escaping AuditDescriber,
    db: Database, report: AuditReport
  ) {
    self.log = log
    self.files = files
    self.key = key
    self.describe = describe
    self.db = db
    self.report = report
  }

  var name: AuditLogName { log.name }

  mutating func run() throws {
    listTiles()
    let ids = RowID.range(log: log.id, leaves: 0..<UInt64(RowID.leafCountMax))
    let lastID = try Int64.fetchOne(
      db, sql: "SELECT max(id) FROM record WHERE id BETWEEN ? AND ?",
      arguments: [ids.first, ids.last])
    let rowEnd = lastID.map { RowID.leaf($0) + 1 } ?? 0

    let checkpoints = try readCheckpoints()
    let newest = checkpoints.max { $0.size < $1.size }
    if newest == nil, rowEnd > 0 {
      report.add("\(name) checkpoint", "no signed checkpoint covers this log")
    }
    covered = newest?.size ?? 0
    older = checkpoints.filter { $0.size < covered }
    var trusted: LeafSource?
    if let newest {
      trusted = try LeafSource.allCases.first { try root(of: $0) == newest.root }
      if trusted == nil {
        report.add(
          "\(name)", "no copy of its \(covered) leaves has the root that the checkpoint signs")
      }
    }
    var offset = Int64(-1)
    for start in stride(from: 0, to: max(covered, rowEnd), by: Tile.fullWidth) {
      let block = start / UInt64(Tile.fullWidth)
      try scan(block: block, rowEnd: rowEnd, trusted: trusted ?? .columns, lastOffset: &offset)
    }
    try verifyNodes()
    try verifyUpperTiles()
    verifyState(rowEnd: rowEnd, lastOffset: offset)
    report.logs.append(
      AuditReport.Log(name: name, size: frontier.size, covered: covered))
  }

  /// Checks signature and origin of both copies of the checkpoint; gives those that hold.
  private mutating func readCheckpoints() throws -> [Checkpoint] {
    var checkpoints: [Checkpoint] = []
    let copies = [
      ("column checkpoint of table log", log.checkpoint), ("file checkpoint", try checkpointFile()),
    ]
    guard copies.contains(where: { $0.1 != nil }) else { return [] }
    for (place, text) in copies {
      guard let text else {
        report.add("\(name) \(place)", "missing")
        continue
      }
      do {
        let checkpoint = try Checkpoint(signedNote: text, verifiedBy: key)
        if checkpoint.origin == name.origin(signer: key.name) {
          checkpoints.append(checkpoint)
        } else {
          report.add("\(name) \(place)", "it is of another log")
        }
        // A line that a stranger signed is no part of what this key vouches for.
        if try SignedNote(text).signatures.count > 1 {
          report.add("\(name) \(place)", "it carries a signature of another key")
        }
      } catch {
        report.add("\(name) \(place)", error.description)
      }
    }
    return checkpoints
  }

  /// The file's text; damaged UTF-8 reads as text that no signature fits.
  private func checkpointFile() throws -> String? { try files.readCheckpoint() }

  private mutating func verifyState(rowEnd: UInt64, lastOffset: Int64) {
    func differs(_ column: String, _ explanation: String) {
      report.add("\(name) table log, column \(column)", explanation)
    }
    if UInt64(bitPattern: log.treeSize) != frontier.size {
      differs("tree_size", "says \(log.treeSize), there are \(frontier.size) leaves")
    }
    if log.edge != frontier.roots.flatMap(\.bytes) {
      differs("edge", "it is not the edge of the tree that the leaves make")
    }
    if frontier.size > 0, log.nextOffset != lastOffset + 1 {
      differs("next_offset", "it does not follow the last logged offset, \(lastOffset)")
    }
  }
}
