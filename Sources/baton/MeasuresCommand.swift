import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import Telemetry

/// `baton measures`: what the principles come to, over a recorded stretch.
struct MeasuresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measures",
    abstract: "How well handoffs go: loops closed, duplicated, dropped, waits, by group and week.",
    discussion: """
      Events are judged as `baton reconcile --input` judges them, and measured with their alerts. \
      Groups with fewer than five are suppressed, and so much beside them that they cannot be told \
      from the whole. --by quintile needs --strata: a CSV file with the columns key and quintile, \
      the key being a patient key or an organisation such as ods:RTH; it is read, and written \
      nowhere.

      --metrics prints what Prometheus reads, such as node_exporter's textfile collector: \
      what is suppressed is not in it.

        baton measures --input events.ndjson --by provider --week
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .long,
    help: ArgumentHelp("Recorded events (NDJSON); - is standard input.", valueName: "file"))
  var input: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Groups: place, pcn, rail, kind, quintile or provider.", valueName: "dimension"),
    transform: dimension(named:))
  var by: MeasureDimension?

  @Flag(name: .long, help: "Weeks apart, by the Monday in which each begins.")
  var week = false

  @Flag(name: .long, help: "Print CSV.")
  var csv = false

  @Flag(name: .long, help: "Print Prometheus' text format.")
  var metrics = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Policy file (YAML); more for those that the records switch to.",
      valueName: "file"))
  var policy: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Organisation register (YAML): places and networks.", valueName: "file"))
  var register: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("Deprivation quintiles (CSV).", valueName: "file"))
  var strata: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Go on until this time (2026-11-23T17:00:00Z).", valueName: "time"))
  var until: String?

  @Option(
    name: .long, help: ArgumentHelp("Partitions of the events topic.", valueName: "count"))
  var partitions: Int32?

  func validate() throws {
    if [csv, metrics, output.json].count(where: \.self) > 1 {
      throw ValidationError("--csv, --metrics and --json exclude each other.")
    }
    if metrics, week { throw ValidationError("--week does not go with --metrics.") }
    if by == .quintile, strata == nil { throw ValidationError("--by quintile needs --strata.") }
    if let partitions, partitions < 1 {
      throw ValidationError("--partitions must be at least 1.")
    }
  }

  func run() async throws {
    let configuration = try settings.load()
    let end = try until.map(time(named: "--until"))
    var history = try RecordedHistory(
      input, configuration: configuration, policies: policy, registers: register,
      partitions: partitions)
    var measures = Measures(
      policy: history.policy, register: history.register,
      strata: try strata.map(MeasureStrata.init(file:)) ?? MeasureStrata())
    let (reconciler, _) = try await history.judged(until: end) { line in
      if let event = line.event { measures.take(event) }
    }
    for verdict in reconciler.verdicts { measures.take(verdict) }
    let report = MeasureReport(measures, by: by, weekly: week)
    try print(report)
  }

  private func print(_ report: MeasureReport) throws {
    if metrics {
      Output(output).write(Metric.text(report.metrics(by: by)))
      return
    }
    let rows = report.rows.map(MeasureRow.init)
    if csv {
      for line in [MeasureRow.header] + rows.map(\.csv) { Output(output).write(line + "\n") }
      return
    }
    let output = Output(output)
    try output.json(rows)
    output.table(
      ["MEASURE", "PRINCIPLE", "WEEK", "GROUP", "VALUE", "OF"], rows.map(\.cells))
  }
}

private func dimension(named text: String) throws -> MeasureDimension {
  guard let dimension = MeasureDimension(rawValue: text) else {
    let known = MeasureDimension.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("Not a way to group; known are \(known).")
  }
  return dimension
}

/// One row of the report, in each of its forms.
private struct MeasureRow: Encodable {
  static let header = "measure,principle,week,group,suppressed,part,whole,p50_seconds,p90_seconds"

  var measure: String
  var metric: String
  var principle: String
  var definition: String
  var week: String?
  /// `nil` for all groups together.
  var group: String?
  var suppressed = false
  var part: Int?
  var whole: Int?
  var p50Seconds: Int64?
  var p90Seconds: Int64?
  private let form: Measure.Form

  init(_ row: MeasureReport.Row) {
    measure = row.measure.rawValue
    metric = row.measure.metricName
    principle = row.measure.principle
    definition = row.measure.definition
    week = row.group.week?.description
    group = row.group.value
    form = row.measure.form
    switch row.value {
    case .ratio(let part, let whole): (self.part, self.whole) = (part, whole)
    case .centiles(let count, let p50, let p90):
      (whole, p50Seconds, p90Seconds) = (count, p50, p90)
    case .nothing: whole = 0
    case .suppressed: suppressed = true
    }
  }

  private enum CodingKeys: String, CodingKey {
    case measure, metric, principle, definition, week, group, suppressed, part, whole, p50Seconds,
      p90Seconds
  }

  var csv: String {
    let numbers = [part.map { Int64($0) }, whole.map { Int64($0) }, p50Seconds, p90Seconds]
    let words = [measure, principle, week ?? "", group ?? "", suppressed ? "yes" : ""]
    return (words + numbers.map { $0.map { "\($0)" } ?? "" }).joined(separator: ",")
  }

  var cells: [String] {
    [measure, principle, week ?? "-", group ?? "all", value, whole.map { "\($0)" } ?? "-"]
  }

  private var value: String {
    if suppressed { return "suppressed" }
    if let p50Seconds, let p90Seconds {
      return "P50 \(Self.text(p50Seconds)), P90 \(Self.text(p90Seconds))"
    }
    guard let part, let whole, whole > 0 else { return "-" }
    let share = Double(part) / Double(whole)
    return form == .perThousand
      ? String(format: "%.1f per 1,000", share * 1000) : String(format: "%.1f %%", share * 100)
  }

  private static func text(_ seconds: Int64) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7_200: "\(seconds / 60) min"
    case ..<172_800: String(format: "%.1f h", Double(seconds) / 3_600)
    default: String(format: "%.1f d", Double(seconds) / 86_400)
    }
  }
}

extension NDJSONRecord {
  /// The event that the line holds; `nil` for other records and what cannot be read.
  fileprivate var event: HandoffEvent? {
    let stored = StoredRecord(
      record: record,
      coordinates: coordinates
        ?? RecordCoordinates(topic: Topic.events.name, partition: 0, offset: 0),
      brokerAt: brokerAt ?? .distantPast)
    return (try? WireCodec.eventRecord(stored))?.content.event
  }
}

extension MeasureStrata {
  /// Reads a table of `key,quintile`; the header line may be missing.
  fileprivate init(file: String) throws {
    self.init()
    let text = String(decoding: try PolicySource.bytes(of: file), as: UTF8.self)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      if cells == [""] || cells == ["key", "quintile"] { continue }
      guard cells.count == 2, let quintile = UInt8(cells[1]), (1...5).contains(quintile) else {
        throw CommandFailure(
          .badData, "Line \(index + 1) of \(file) is not a key and a quintile from 1 to 5.")
      }
      if let key = PatientKey(cells[0]) {
        ofPersons[key] = quintile
      } else if let organisation = OrganisationID(cells[0]) {
        ofOrganisations[organisation] = quintile
      } else {
        throw CommandFailure(
          .badData,
          "Line \(index + 1) of \(file): the key is neither a patient key nor an organisation.",
          advice: "Write keys as `baton events` shows them, and organisations as ods:RTH.")
      }
    }
  }
}
