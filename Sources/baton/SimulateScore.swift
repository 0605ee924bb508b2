import ArgumentParser
import Foundation
import HandoffCodecs
import HandoffCore
import HandoffSimulation

/// `baton simulate score`: what was found of a truth file.
struct SimulateScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Compare alerts with a truth file, rule by rule.",
    discussion: """
      By rule: how many faults should be found, how many were, how many alerts there are, how many \
      of them say something that is not so, and the minutes from when a fault could be known to \
      when it was said. Alerts are verdicts as `baton simulate` and `baton events export` write \
      them, or the canonical lines of `baton reconcile --output`, which say nothing of when they \
      were said.

      Exit code 1 where something was missed, or said in vain.
      """)

  @OptionGroup var output: OutputOptions

  @Argument(help: ArgumentHelp("A folder that `baton simulate` wrote.", valueName: "folder"))
  var folder: String?

  @Option(name: .long, help: ArgumentHelp("The truth file, without a folder.", valueName: "file"))
  var truth: String?

  @Option(name: .long, help: ArgumentHelp("The alerts, without a folder.", valueName: "file"))
  var alerts: String?

  @Flag(name: .long, help: "List every miss and every false alarm, with its handoff.")
  var explain = false

  func validate() throws {
    guard folder != nil || (truth != nil && alerts != nil) else {
      throw ValidationError("Name a folder, or --truth and --alerts.")
    }
  }

  func run() async throws {
    func path(_ named: String?, _ name: String) -> String {
      named ?? URL(filePath: folder ?? "").appending(path: name).path(percentEncoded: false)
    }
    let truths = try await readTruths(path(truth, SimulationFiles.truth))
    let raised = try await readAlerts(path(alerts, SimulationFiles.alerts))
    var report = ScoreReport(Score(truths: truths, alerts: raised))
    let isPerfect = report.findings.isEmpty
    if !explain { report.findings = [] }
    let output = Output(output)
    try output.result(report) { SimulationText.score(report, style: output.style) }
    if !isPerfect { throw ExitCode(ExitStatus.found.rawValue) }
  }

  private func readTruths(_ path: String) async throws -> [Truth] {
    var truths: [Truth] = []
    try await NDJSONFile.lines(of: path) { line in
      guard let read = try? JSONDecoder().decode(TruthLine.self, from: Data(line.bytes)),
        let truth = read.truth
      else { throw refusal(path, line.number, "no truth") }
      truths.append(truth)
    }
    return truths
  }

  private func readAlerts(_ path: String) async throws -> [Score.Raised] {
    var alerts = RaisedAlerts()
    var canonical: [AlertID: Score.Raised] = [:]
    try await NDJSONFile.lines(of: path) { line in
      if let read = try? JSONDecoder().decode(CanonicalAlert.self, from: Data(line.bytes)) {
        guard let raised = read.raised else { throw refusal(path, line.number, "no verdict") }
        if canonical[raised.alertID] == nil { canonical[raised.alertID] = raised }
        return
      }
      do {
        alerts.take(try WireCodec.verdict(try NDJSON.parse(line.bytes).record))
      } catch {
        throw refusal(path, line.number, "no verdict (\(error))")
      }
    }
    return alerts.all + canonical.values
  }

  private func refusal(_ path: String, _ line: Int, _ what: String) -> CommandFailure {
    CommandFailure(
      .badData, "Line \(line) of \(NDJSONFile.name(path)) is \(what).",
      advice: "`baton simulate` writes both files.")
  }
}

/// A verdict as `baton reconcile --output` writes it: in canonical form.
private struct CanonicalAlert: Decodable {
  var alertID: String
  var rule: String
  var action: String
  var subject: String?
  var patientKey: String?
  var handoffID: String?
  var kind: String?
  var opened: Int64

  var raised: Score.Raised? {
    guard let id = AlertID(alertID), let rule = Rule(rawValue: rule) else { return nil }
    let about: Verdict.Subject
    if let key = patientKey.flatMap({ PatientKey($0) }) {
      about = Verdict.Subject(key, handoffID: handoffID.flatMap { HandoffID($0) })
    } else if let code = subject?.split(separator: ":", maxSplits: 1).last.flatMap({ Code($0) }),
      subject?.hasPrefix("source:") == true
    {
      about = .source(code)
    } else {
      about = .bus
    }
    let time = Timestamp(nanoseconds: opened)
    return Score.Raised(
      alertID: id, rule: rule, subject: about, kind: kind.flatMap { HandoffKind($0) },
      opened: time, knownAt: time)
  }
}

/// What a run and a score look like to people.
enum SimulationText {
  static func summary(_ summary: SimulationSummary) -> String {
    let faults = summary.faults.values.reduce(0, +)
    return "\(summary.journeys) journeys, \(summary.events) events, \(summary.verdicts) verdicts; "
      + "\(faults) faults and look-alikes of \(summary.faults.count) kinds; the books "
      + (summary.booksBalanced ? "balance." : "DO NOT BALANCE.") + memory(summary.memory)
  }

  /// How much was held week by week.
  private static func memory(_ samples: [SimulatedBus.Sample]) -> String {
    guard !samples.isEmpty else { return "" }
    let rows = samples.map { sample in
      [
        "\(sample.days)", "\(sample.persons)", "\(sample.personBytes / 1024)",
        "\(sample.sourceBytes / 1024)",
      ]
    }
    let table = Table(headers: ["DAYS", "PERSONS", "PERSONS KIB", "SOURCES KIB"], rows: rows)
    return "\n\n" + table.lines.joined(separator: "\n")
  }

  static func score(_ report: ScoreReport, style: Style) -> String {
    func share(_ value: Double?) -> String {
      value.map { "\((($0 * 1000).rounded() / 10))%" } ?? "-"
    }
    func minutes(_ value: Double?) -> String { value.map { "\(($0 * 10).rounded() / 10)" } ?? "-" }
    let rows = report.rules.map { line in
      [
        line.rule, "\(line.expected)", "\(line.found)", "\(line.raised)", "\(line.falseAlarms)",
        share(line.recall), share(line.precision), minutes(line.minutesP50),
        minutes(line.minutesP95),
      ] + line.foundWithin.dropLast().map { share($0.share) }
    }
    let headers = [
      "RULE", "EXPECTED", "FOUND", "RAISED", "FALSE", "RECALL", "PRECISION", "MIN P50", "MIN P95",
      "AT ONCE", "5 MIN", "15 MIN", "1 H", "4 H",
    ]
    var lines = Table(headers: headers, rows: rows).lines
    if let first = lines.first { lines[0] = style.dim(first) }
    let off = report.confusion.filter { $0.expected != $0.raised }
    if !off.isEmpty {
      lines += ["", style.dim("EXPECTED  RAISED   COUNT")]
      lines += off.map { cell in
        "\(cell.expected ?? "nothing")".padding(toLength: 10, withPad: " ", startingAt: 0)
          + "\(cell.raised ?? "nothing")".padding(toLength: 9, withPad: " ", startingAt: 0)
          + "\(cell.count)"
      }
    }
    lines += ["", style.dim("BY FAULT")] + faults(report, share, minutes)
    if !report.advice.isEmpty { lines += ["", style.dim("TO DO BETTER")] + report.advice }
    if !report.findings.isEmpty { lines += [""] + report.findings }
    return lines.joined(separator: "\n")
  }

  private static func faults(
    _ report: ScoreReport, _ share: (Double?) -> String, _ minutes: (Double?) -> String
  ) -> [String] {
    let rows = report.rules.flatMap { line in
      line.faults.map { fault in
        [
          line.rule, fault.fault, "\(fault.expected)", "\(fault.found)",
          minutes(fault.minutesP50), minutes(fault.minutesP95),
        ]
      }
    }
    return Table(
      headers: ["RULE", "FAULT", "EXPECTED", "FOUND", "MIN P50", "MIN P95"], rows: rows
    ).lines
  }
}
