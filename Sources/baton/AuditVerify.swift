import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores

/// `baton audit verify`: whether a log, a bundle or an export is what was signed.
struct AuditVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a proof bundle, a whole log, or an export against signed checkpoints.",
    discussion: """
      --bundle needs the file and the public key, nothing else. Without it the log in the data \
      folder is recomputed, row by row; --export then compares every byte of an exported file with \
      it. Exit code 0: everything is what was signed. Exit code 1: something is not, and the place \
      is named.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  @Option(name: .long, help: ArgumentHelp("A proof bundle.", valueName: "file"))
  var bundle: String?

  @Option(name: .long, help: ArgumentHelp("An export, one record a line.", valueName: "file"))
  var export: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Public key file; default is that of the data folder.", valueName: "file"))
  var key: String?

  /// One finding as `--json` prints it.
  private struct FindingRow: Encodable {
    var place, explanation: String
  }

  private struct LogRow: Encodable {
    var log: String
    var records, covered: UInt64
  }

  private struct Outcome: Encodable {
    var verified: Bool
    var findings: [FindingRow]
    var findingCount: Int
    var logs: [LogRow]?
    var records: Int?
    var uncovered: Int?
  }

  func run() async throws {
    guard bundle == nil || export == nil else {
      throw CommandFailure(.usage, "--bundle and --export are two things; give one.")
    }
    let configuration = try settings.load()
    let verifier = try AuditLog.publicKey(at: key, configuration.files)
    do {
      if let bundle {
        try verifyBundle(bundle, verifier)
      } else {
        try await verifyLog(configuration.files, verifier)
      }
    } catch let error as AuditStoreError {
      throw AuditLog.failure(error)
    }
  }

  private func verifyBundle(_ path: String, _ verifier: NoteVerifier) throws {
    let bytes: [UInt8]
    do {
      bytes = Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw CommandFailure.file(path, doing: "read", error)
    }
    let report = ProofBundle.verify(bytes, key: verifier)
    let heads = report.checkpoints.map { "  \($0.origin): \($0.size) records, root \($0.root)" }
    try end(
      Outcome(
        verified: report.isSound, findings: rows(report.findings),
        findingCount: report.findings.count, records: report.recordCount),
      sentence: "\(report.recordCount) record\(report.recordCount == 1 ? " is" : "s are") in the "
        + "log that \(verifier.name) signed:\n" + heads.joined(separator: "\n"),
      subject: path)
  }

  private func verifyLog(_ files: DataFiles, _ verifier: NoteVerifier) async throws {
    let report = try await AuditVerifier(
      folder: files.audit, key: verifier, describe: AuditDescription.ofWire
    ).run()
    var findings = report.findings
    var count = report.findingCount
    var lines = AuditExportVerifier.Result()
    if let export {
      lines = try await verifyExport(export, files, report)
      findings += lines.findings
      count += lines.findings.count
    }
    let logs = report.logs.map { LogRow(log: "\($0.name)", records: $0.size, covered: $0.covered) }
    let size = report.logs.reduce(0) { $0 + $1.size }
    let covered = report.logs.reduce(0) { $0 + $1.covered }
    var sentence =
      "\(size) records in \(logs.count) log\(logs.count == 1 ? "" : "s") are what was logged; \(covered) of them are "
      + "covered by checkpoints that \(verifier.name) signed."
    if export != nil {
      sentence += "\n\(lines.covered) exported lines are what was signed"
      sentence += lines.uncovered > 0 ? ", \(lines.uncovered) are not covered yet." : "."
    }
    try end(
      Outcome(
        verified: count == 0, findings: rows(findings), findingCount: count, logs: logs,
        records: export == nil ? nil : lines.covered,
        uncovered: export == nil ? nil : lines.uncovered),
      sentence: sentence, subject: export ?? files.audit)
  }

  private func verifyExport(
    _ path: String, _ files: DataFiles, _ report: AuditReport
  ) async throws -> AuditExportVerifier.Result {
    let file: FileHandle
    do {
      file = try FileHandle(forReadingFrom: URL(filePath: path))
    } catch {
      throw CommandFailure.file(path, doing: "read", error)
    }
    let store = try AuditLog.open(files)
    let verifier = AuditExportVerifier(store: store, report: report)
    var total = AuditExportVerifier.Result()
    var splitter = LineSplitter()
    var isAtEnd = false
    while !isAtEnd {
      let chunk = try file.read(upToCount: 1 << 20) ?? Data()
      isAtEnd = chunk.isEmpty
      if isAtEnd { splitter.finish() } else { splitter.append(chunk) }
      var lines: [AuditExportVerifier.Line] = []
      do {
        while let line = try splitter.next() {
          lines.append(AuditExportVerifier.Line(number: line.number, bytes: line.bytes))
        }
      } catch {
        total.findings.append(
          AuditFinding(place: "line \(error.line)", explanation: error.description))
        isAtEnd = true
      }
      let result = try await verifier.verify(lines)
      total.covered += result.covered
      total.uncovered += result.uncovered
      total.findings += result.findings
    }
    return total
  }

  private func rows(_ findings: [AuditFinding]) -> [FindingRow] {
    findings.map { FindingRow(place: $0.place, explanation: $0.explanation) }
  }

  /// Prints the outcome; a failed verification is a failure of the command.
  private func end(_ outcome: Outcome, sentence: String, subject: String) throws {
    let output = Output(output)
    try output.json(outcome)
    guard !outcome.verified else {
      return output.line("\(output.style.green("✓ Verified.")) \(sentence)")
    }
    for finding in outcome.findings {
      output.line("\(output.style.red("✗")) \(finding.place): \(finding.explanation)")
    }
    let count = outcome.findingCount
    throw CommandFailure(
      .found,
      "Verification failed: \(count) place\(count == 1 ? " is" : "s are") not what was signed in "
        + "\(subject).",
      advice: "Keep everything as it is; compare with a copy and with checkpoints kept elsewhere.")
  }
}
