import Foundation
import GRDB
import HandoffCodecs
import HandoffCore

/// Compares exported NDJSON lines with the log, byte for byte.
///
/// The line of a record is made again from its row, which ``AuditVerifier`` has proved to be what
/// the checkpoint signs; so every byte of the line is covered, down to its punctuation.
package struct AuditExportVerifier: Sendable {
  /// One line of the file.
  package struct Line: Sendable {
    /// From 1.
    package var number: Int
    package var bytes: [UInt8]

    package init(number: Int, bytes: [UInt8]) {
      self.number = number
      self.bytes = bytes
    }
  }

  /// What became of some lines.
  package struct Result: Sendable {
    /// Lines that are what the log says, and that a checkpoint covers.
    package var covered = 0
    /// Lines that are what the log says, and that no checkpoint covers yet.
    package var uncovered = 0
    package var findings: [AuditFinding] = []

    package init() {}
  }

  private let store: AuditStore
  private let covered: [AuditLogName: UInt64]

  /// Takes the log and the report of its verification, which says how much is covered.
  package init(store: AuditStore, report: AuditReport) {
    self.store = store
    covered = Dictionary(
      report.logs.map { ($0.name, $0.covered) }, uniquingKeysWith: { first, _ in first })
  }

  package func verify(_ lines: [Line]) async throws(AuditStoreError) -> Result {
    let covered = covered
    return try await store.reading { db in
      var result = Result()
      for line in lines { try Self.verify(line, covered, db, &result) }
      return result
    }
  }

  private static func verify(
    _ line: Line, _ covered: [AuditLogName: UInt64], _ db: Database, _ result: inout Result
  ) throws {
    func fail(_ place: String, _ explanation: String) {
      result.findings.append(
        AuditFinding(place: "line \(line.number)\(place)", explanation: explanation))
    }
    let record: NDJSONRecord
    do {
      record = try NDJSON.parse(line.bytes)
    } catch {
      fail("", error.description)
      return
    }
    guard let place = record.coordinates else {
      fail("", "it does not say where in the log the record stands")
      return
    }
    let name = AuditLogName(topic: place.topic, partition: place.partition)
    guard let log = try LogRow.find(name, db),
      let row = try Row.fetchOne(
        db, sql: #"SELECT * FROM record WHERE id >> 40 = ? AND "offset" = ?"#,
        arguments: [log.id, place.offset]
      ).map(RecordRow.init)
    else {
      fail(" (\(name) offset \(place.offset))", "no such record is logged")
      return
    }
    let stored = try row.record(of: name).stored
    let forms = NDJSON.Form.allCases.map { NDJSON.line(stored, form: $0) }
    guard forms.contains(line.bytes) else {
      let member = differingMember(of: line.bytes, from: forms)
      fail(" (\(name) offset \(place.offset)), \(member)", "it is not what was logged")
      return
    }
    if row.leafIndex < covered[name, default: 0] {
      result.covered += 1
    } else {
      result.uncovered += 1
    }
  }

  /// Names the member that differs, or the byte where only the spelling does.
  private static func differingMember(of line: [UInt8], from forms: [[UInt8]]) -> String {
    let place = forms.compactMap { $0.firstDifference(from: line) }.max() ?? 0
    guard let found = try? JSONMembers(line) else { return "byte \(place)" }
    let exact = found.raw("data_base64") != nil || found.raw("data") == nil
    let form = forms[exact ? 0 : 1]
    guard let made = try? JSONMembers(form) else { return "byte \(place)" }
    for (name, raw) in made.members where found.raw(name) != raw { return "member \(name)" }
    return "byte \(place)"
  }
}
