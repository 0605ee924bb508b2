import Foundation
import GRDB
package import HandoffCore

/// Something in a log that is not what was signed: where, and how it shows.
package struct AuditFinding: Hashable, Sendable, CustomStringConvertible {
  /// Topic, partition, offset and column; or a file and the place in it; or a line.
  package var place: String
  package var explanation: String

  package init(place: String, explanation: String) {
    self.place = place
    self.explanation = explanation
  }

  package var description: String { "\(place): \(explanation)" }
}

/// What a verification found.
package struct AuditReport: Sendable {
  /// One log, and how much of it is proved.
  package struct Log: Hashable, Sendable {
    package var name: AuditLogName
    package var size: UInt64
    /// How many leaves the newest checkpoint covers.
    package var covered: UInt64
  }

  /// Findings beyond this are counted only: one lost file can be a million of them.
  package static let findingCountMax = 200

  package var logs: [Log] = []
  package private(set) var findings: [AuditFinding] = []
  /// All of them, also those not kept.
  package private(set) var findingCount = 0

  package var isSound: Bool { findingCount == 0 }

  mutating func add(_ place: String, _ explanation: String) {
    findingCount += 1
    guard findings.count < Self.findingCountMax else { return }
    findings.append(AuditFinding(place: place, explanation: explanation))
  }
}

/// Recomputes a stored log from the ground up: rows → leaves → tiles → root → signed checkpoint.
///
/// Every leaf is held three times: in its row, in a hash tile and in an entry bundle. Whichever of
/// them hashes to the signed root is believed, and the others are compared with it; so a changed
/// byte in one is named by its column or its place in its file.
package struct AuditVerifier: Sendable {
  let folder: String
  let key: NoteVerifier
  let describe: AuditDescriber

  package init(folder: String, key: NoteVerifier, describe: @escaping AuditDescriber) {
    self.folder = folder
    self.key = key
    self.describe = describe
  }

  /// Verifies every log of the folder, writing nothing.
  ///
  /// - Throws: ``AuditStoreError`` where it cannot be read at all.
  package func run() async throws(AuditStoreError) -> AuditReport {
    let path = AuditStore.databasePath(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: folder) }
    do {
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(AuditStore.busyTimeout)
      let database = try DatabaseQueue(path: path, configuration: configuration)
      return try await database.read { db in try verify(db) }
    } catch let error as DatabaseError where error.isCorruption {
      var report = AuditReport()
      report.add("audit.sqlite", "SQLite cannot read the file: \(error.resultCode)")
      return report
    } catch {
      throw AuditStoreError(error, path: path)
    }
  }

  private func verify(_ db: Database) throws -> AuditReport {
    var report = AuditReport()
    for line in try String.fetchAll(db, sql: "PRAGMA integrity_check(20)") where line != "ok" {
      report.add("audit.sqlite", "SQLite's integrity check: \(line)")
    }
    if try AuditStore.derivedBy(db) != AuditDescription.version {
      report.add(
        "table search, column version",
        "another version derived the searchable columns; any command that opens the log mends it")
    }
    let logs = try Row.fetchAll(db, sql: "SELECT * FROM log ORDER BY topic, partition")
      .map(StoredLog.init)
    // First, because what a log's missing row leads to would fill the list of findings.
    try findStrays(beside: logs, db, &report)
    for log in logs {
      var verification = LogVerification(
        log: log, files: LogFolder(auditFolder: folder, log: log.name), key: key,
        describe: describe, db: db, report: report)
      try verification.run()
      report = verification.report
    }
    if logs.isEmpty && report.isSound { report.add("audit.sqlite", "nothing is logged in it") }
    return report
  }

  /// Rows and folders that belong to no log: the log's own row was changed or taken away.
  private func findStrays(
    beside logs: [StoredLog], _ db: Database, _ report: inout AuditReport
  ) throws {
    let ids = Set(logs.map(\.id))
    for id in try Int64.fetchAll(db, sql: "SELECT DISTINCT id >> 40 FROM record")
    where !ids.contains(id) {
      report.add("table log", "records of log \(id) are stored, its row is missing")
    }
    let known = Set(logs.map(\.name.description))
    let root = LogFolder.root(in: folder)
    let manager = FileManager.default
    for topic in ((try? manager.contentsOfDirectory(atPath: root)) ?? []).sorted() {
      let partitions = (try? manager.contentsOfDirectory(atPath: "\(root)/\(topic)")) ?? []
      for partition in partitions.sorted() where !known.contains("\(topic)/\(partition)") {
        report.add("log/\(topic)/\(partition)", "files without a row in table log")
      }
    }
  }
}

extension DatabaseError {
  /// Whether the file itself is damaged.
  var isCorruption: Bool { [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(resultCode) }
}

/// A row of the table `log`, nothing of it believed.
struct StoredLog {
  let id: Int64
  let name: AuditLogName
  let nextOffset: Int64
  let treeSize: Int64
  let edge: [UInt8]
  let checkpoint: String?

  init(_ row: Row) {
    id = row["id"]
    name = AuditLogName(
      topic: row["topic"], partition: Int32(truncatingIfNeeded: row["partition"] as Int64))
    nextOffset = row["next_offset"]
    treeSize = row["tree_size"]
    edge = Array(row["edge"] as Data)
    checkpoint = row["checkpoint"]
  }
}
