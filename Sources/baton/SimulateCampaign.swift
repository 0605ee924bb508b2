import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffSimulation

/// `baton simulate campaign`: the reducer against the oracle, seed after seed.
struct SimulateCampaignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaign",
    abstract: "Hold the reconciler's rules against an independent oracle, over many seeds.",
    discussion: """
      Each seed is a simulated region with faults. The reducers and the oracles, which were written \
      apart from one text, judge the same records; every alert of either must be the other's, with \
      the same moments to the nanosecond. Printed are the rules (agreed, said by one alone), about \
      people and about sources, and how often each fault was drawn. The reducer's books are held \
      against a second count of the same events. In one seed of four a profile of \
      the policy is switched on and off. Of the first difference about a person the records are left \
      out one by one, as long as there is a difference; what remains is written as NDJSON.

        baton simulate campaign --seeds '0..<1000'
        baton reconcile --input least.ndjson

      With --oracle-policy the oracle judges by another policy than the reducer: what it changes \
      must then be found. Exit code 1 where the two differ.
      """)

  @OptionGroup var output: OutputOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "From the first up to before the last, as '0..<1000'; in quotes: to a shell < is a file.",
      valueName: "range"))
  var seeds = "0..<100"

  @Option(name: .long, help: ArgumentHelp("Days of each simulation.", valueName: "days"))
  var days = 3

  @Option(
    name: .long,
    help: ArgumentHelp("How large, of the region of 1.8 million people.", valueName: "part"))
  var scale = 0.001

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Where the records of the first difference go (NDJSON).", valueName: "file"))
  var least = "least.ndjson"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A policy that the oracle alone judges people by, to see a difference found.",
      valueName: "file"))
  var oraclePolicy: String?

  func validate() throws {
    guard range != nil else {
      throw ValidationError("--seeds must be a range that is not empty, such as '0..<1000'.")
    }
    guard (1...365).contains(days) else {
      throw ValidationError("--days must be from 1 to 365.")
    }
    guard scale > 0, scale <= 1 else {
      throw ValidationError("--scale must be above 0, and at most 1.")
    }
  }

  private var range: Range<UInt64>? {
    let ends = seeds.split(separator: "..<", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = UInt64(ends[0]), let end = UInt64(ends[1]), first < end
    else { return nil }
    return first..<end
  }

  func run() throws {
    guard let range else { return }
    var campaign = Campaign(
      Campaign.Size(
        days: days, scale: scale, oracle: try oraclePolicy.map { try PolicySource(file: $0).policy }
      ))
    for seed in range { campaign.run(seed: seed) }
    let report = CampaignReport(campaign, seeds: seeds)
    let output = Output(output)
    try output.result(report) { CampaignText.report(report, style: output.style) }
    if let finding = campaign.finding {
      let writer = try NDJSONFile.Writer(least)
      for record in finding.records { try writer.write(NDJSON.line(record)) }
      try writer.close()
      output.line()
      output.line("Seed \(finding.seed): \(finding.difference)")
      output.line("Its \(finding.records.count) records are in \(least).")
    }
    if let first = campaign.mergeDifferences.first { output.line("A merge, \(first)") }
    if let first = campaign.booksDifferences.first { output.line("The books, \(first)") }
    if let finding = campaign.sourceFinding {
      output.line("Seed \(finding.seed): \(finding.difference)")
    }
    guard campaign.differingSeeds.isEmpty else { throw ExitCode(ExitStatus.found.rawValue) }
  }
}

/// What a campaign found, as `--json` prints it.
struct CampaignReport: Codable {
  struct Line: Codable {
    var rule: String
    var agreed: Int
    var onlyReducer: Int
    var onlyOracle: Int
  }

  var seeds: String
  var seedCount: Int
  var differingSeeds: [UInt64]
  var events: Int
  var persons: Int
  /// Keys of persons who moved to another, of whom only the merge is judged.
  var personsLeftOut: Int
  var merges: Int
  /// Events whose books were held against a second count, and what differs.
  var booked: Int
  var booksDifferences: [String]
  var rules: [Line]
  /// The same of people whose silence waits for sources.
  var waitingRules: [Line]
  /// By rule, how often both said that it cannot be judged.
  var undetermined: [String: Int]
  /// What connectors said of themselves.
  var statements: Int
  var sourceRules: [Line]
  /// How often a profile of the policy was switched.
  var switches: Int
  var faults: [String: Int]

  init(_ campaign: Campaign, seeds: String) {
    self.seeds = seeds
    seedCount = campaign.seedCount
    differingSeeds = campaign.differingSeeds
    events = campaign.eventCount
    persons = campaign.personCount
    personsLeftOut = campaign.movedCount
    merges = campaign.mergeCount
    booked = campaign.bookedCount
    booksDifferences = campaign.booksDifferences
    rules = Self.lines(campaign.equal, campaign.onlyReducer, campaign.onlyOracle)
    waitingRules = Self.lines(
      campaign.equalOfWaiting, campaign.onlyReducerOfWaiting, campaign.onlyOracleOfWaiting)
    undetermined = Dictionary(
      uniqueKeysWithValues: campaign.equalUndetermined.map { ($0.key.rawValue, $0.value) })
    statements = campaign.statementCount
    sourceRules = Self.lines(
      campaign.equalOfSources, campaign.onlyReducerOfSources, campaign.onlyOracleOfSources)
    switches = campaign.switchCount
    faults = Dictionary(
      uniqueKeysWithValues: campaign.faultCounts.map { ($0.key.rawValue, $0.value) })
  }

  private static func lines(
    _ equal: [Rule: Int], _ onlyReducer: [Rule: Int], _ onlyOracle: [Rule: Int]
  ) -> [Line] {
    Set(equal.keys).union(onlyReducer.keys).union(onlyOracle.keys).sorted().map { rule in
      Line(
        rule: rule.rawValue, agreed: equal[rule, default: 0],
        onlyReducer: onlyReducer[rule, default: 0], onlyOracle: onlyOracle[rule, default: 0])
    }
  }
}

/// What a campaign looks like to people.
enum CampaignText {
  static func report(_ report: CampaignReport, style: Style) -> String {
    var lines = table(report.rules, of: "RULE", style)
    lines += [""] + table(report.waitingRules, of: "WITH SOURCES", style)
    lines += [""] + counts(report.undetermined, ["UNDETERMINED", "AGREED"], style)
    lines += [""] + table(report.sourceRules, of: "OF SOURCES", style)
    lines += [""] + counts(report.faults, ["FAULT", "DRAWN"], style)
    let agreed = report.seedCount - report.differingSeeds.count
    lines += [
      "",
      "\(agreed) of \(report.seedCount) seeds (\(report.seeds)) agree: \(report.events) events of "
        + "\(report.persons) people, \(report.statements) statements of sources, "
        + "\(report.switches) switches. Of \(report.personsLeftOut) keys of people who moved to "
        + "another, \(report.merges) merges were judged, and nothing else. The books of "
        + "\(report.booked) events were counted again: \(report.booksDifferences.count) differ.",
    ]
    return lines.joined(separator: "\n")
  }

  private static func counts(
    _ counts: [String: Int], _ headers: [String], _ style: Style
  ) -> [String] {
    let rows = counts.sorted { $0.key < $1.key }.map { [$0.key, "\($0.value)"] }
    return dimmed(Table(headers: headers, rows: rows).lines, style)
  }

  private static func dimmed(_ lines: [String], _ style: Style) -> [String] {
    lines.enumerated().map { $0.offset == 0 ? style.dim($0.element) : $0.element }
  }

  private static func table(
    _ rules: [CampaignReport.Line], of name: String, _ style: Style
  ) -> [String] {
    let rows = rules.map {
      [$0.rule, "\($0.agreed)", "\($0.onlyReducer)", "\($0.onlyOracle)"]
    }
    return dimmed(
      Table(headers: [name, "AGREED", "REDUCER ONLY", "ORACLE ONLY"], rows: rows).lines, style)
  }
}
