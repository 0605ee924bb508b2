import Foundation
import HandoffCore

/// The plain files of one log: tiles as C2SP tlog-tiles lays them out, and the newest checkpoint.
struct LogFolder {
  let path: String

  init(auditFolder: String, log: AuditLogName) {
    path = "\(Self.root(in: auditFolder))/\(log.topic)/\(log.partition)"
  }

  static func root(in auditFolder: String) -> String { "\(auditFolder)/log" }

  func path(of tile: Tile) -> String { "\(path)/\(tile.path)" }

  func write(_ bytes: [UInt8], _ tile: Tile) throws {
    try DurableFile.write(bytes, to: path(of: tile))
    // A full tile holds what its partial ones held; the specification lets those go then.
    if !tile.isPartial {
      try? FileManager.default.removeItem(atPath: path(of: tile) + ".p")
    }
  }

  func read(_ tile: Tile) throws -> [UInt8]? { try DurableFile.read(path(of: tile)) }

  func writeCheckpoint(_ note: String) throws {
    try DurableFile.write(Array(note.utf8), to: "\(path)/checkpoint")
  }

  /// The checkpoint file's text; `nil` where there is no file.
  func readCheckpoint() throws -> String? {
    try DurableFile.read("\(path)/checkpoint").map { String(decoding: $0, as: UTF8.self) }
  }

  /// The paths of all tile files, relative to the log's folder, sorted.
  func tilePaths() -> [String] {
    let files = FileManager.default.enumerator(atPath: "\(path)/tile")?.allObjects as? [String]
    return (files ?? []).filter { file in
      var isFolder: ObjCBool = false
      let isThere = FileManager.default.fileExists(
        atPath: "\(path)/tile/\(file)", isDirectory: &isFolder)
      return isThere && !isFolder.boolValue && !file.hasSuffix(DurableFile.temporarySuffix)
    }.map { "tile/\($0)" }.sorted()
  }
}
