import Foundation
import GRDB
package import HandoffCore

/// A checkpoint that was signed and stored.
package struct PublishedCheckpoint: Hashable, Sendable {
  package var log: AuditLogName
  package var checkpoint: Checkpoint
  /// The signed note.
  package var note: String
}

extension AuditStore {
  /// Signs a checkpoint of every log that grew since its last one.
  ///
  /// Tiles first, then the checkpoint in the database, then its file: a crash between leaves files
  /// that the next call writes again with the same bytes.
  ///
  /// - Throws: ``AuditStoreError/corrupt(place:)`` where a tree no longer contains what was signed
  ///   before: the signer never signs two histories.
  package func publish(
    by signer: NoteSigner
  ) async throws(AuditStoreError) -> [PublishedCheckpoint] {
    var published: [PublishedCheckpoint] = []
    for log in try await logs() where log.size > log.checkpointSize || log.checkpoint == nil {
      guard log.size > 0 else { continue }
      published.append(try await publish(log.name, by: signer))
    }
    return published
  }

  private func publish(
    _ name: AuditLogName, by signer: NoteSigner
  ) async throws(AuditStoreError) -> PublishedCheckpoint {
    let files = LogFolder(auditFolder: folder, log: name)
    let published = try await reading { db in
      guard let log = try LogRow.find(name, db) else {
        throw AuditStoreError.corrupt(place: "\(name): no row in table log")
      }
      let tree = RowTree(log: log, db: db)
      let old = try Self.lastSigned(of: log, by: signer.verifier, tree)
      try Self.writeTiles(of: log, from: old, to: files, db)
      let checkpoint = Checkpoint(
        origin: name.origin(signer: signer.verifier.name), size: log.frontier.size,
        root: log.frontier.root)
      return PublishedCheckpoint(
        log: name, checkpoint: checkpoint, note: try checkpoint.signed(by: signer).description)
    }
    try await writing { db in
      try db.execute(
        sql: "UPDATE log SET checkpoint = ? WHERE topic = ? AND partition = ?",
        arguments: [published.note, name.topic, name.partition])
    }
    do { try files.writeCheckpoint(published.note) } catch {
      throw AuditStoreError(error, path: files.path)
    }
    return published
  }

  /// The size signed last, after checking that the tree still begins with it.
  private static func lastSigned(
    of log: LogRow, by verifier: NoteVerifier, _ tree: RowTree
  ) throws -> UInt64 {
    guard let note = log.checkpoint else {
      guard try tree.root(size: log.frontier.size) == log.frontier.root else {
        throw AuditStoreError.corrupt(place: "\(log.name): the tree and its edge differ")
      }
      return 0
    }
    guard let old = try? Checkpoint(signedNote: note, verifiedBy: verifier),
      old.size <= log.frontier.size, try tree.root(size: old.size) == old.root,
      try tree.root(size: log.frontier.size) == log.frontier.root
    else {
      throw AuditStoreError.corrupt(
        place: "\(log.name): the tree does not contain its last checkpoint, which this key signed")
    }
    return old.size
  }

  /// Writes the tiles that the tree has got since it had `old` leaves.
  private static func writeTiles(
    of log: LogRow, from old: UInt64, to files: LogFolder, _ db: Database
  ) throws {
    let tree = RowTree(log: log, db: db)
    for tile in Tile.changed(from: old, to: log.frontier.size) {
      let first = tile.index * UInt64(Tile.fullWidth)
      let range = first..<first + UInt64(tile.width)
      switch tile.content {
      case .hashes(let level):
        try files.write(Tile.bytes(of: tree.hashes(level: level, range: range)), tile)
      case .entries:
        let rows = try RecordRow.leaves(range, ofLog: log.id, db)
        try files.write(Tile.bytes(ofEntries: rows.map { $0.leaf(of: log.name).bytes }), tile)
      }
    }
  }

  /// Brings the files of every log in line with the database, and gives the newest checkpoints.
  ///
  /// To be called at start: a crash may have come between the database and the files, and files
  /// that are missing are made again from the rows.
  @discardableResult
  package func restoreFiles() async throws(AuditStoreError) -> [(log: AuditLogName, note: String)] {
    let folder = folder
    return try await reading { db in
      var newest: [(log: AuditLogName, note: String)] = []
      for log in try LogRow.all(db) {
        guard let note = log.checkpoint else { continue }
        newest.append((log.name, note))
        let files = LogFolder(auditFolder: folder, log: log.name)
        if try files.readCheckpoint() == note { continue }
        try Self.writeTiles(of: log, from: 0, to: files, db)
        try files.writeCheckpoint(note)
      }
      return newest
    }
  }
}
