import ArgumentParser
import Foundation
import HandoffCodecs
import HandoffCore
import HandoffSimulation

/// `baton simulate campaign`: the reducer against the oracle, seed after seed.
struct SimulateCampaignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaign",
    abstract: "Hold the reconciler's rules against an independent oracle, over many seeds.",
    discussion: """
      Each seed is a simulated region with faults. The reducer and the oracle, which were written \
      apart from one text, judge the same records; every alert of either must be the other's, with \
      the same moments to the nanosecond. Printed are the rules (agreed, said by one alone) and how \
      often each fault fired. Of the first difference the records are left out one by one, as long \
      as there is a difference; what remains is written as NDJSON.

        baton simulate campaign --seeds 0..<1000
        baton reconcile --input least.ndjson

      Exit code 1 where the two differ.
      """)

  @OptionGroup var output: OutputOptions

  @Option(name: .long, help: ArgumentHelp("First and last, as 0..<1000.", valueName: "range"))
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

  func validate() throws {
    guard range != nil else {
      throw ValidationError("--seeds must be a range that is not empty, such as 0..<1000.")
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
    var campaign = Campaign(Campaign.Size(days: days, scale: scale))
    for seed in range { campaign.run(seed: seed) }
    let report = CampaignReport(campaign, seeds: seeds)
    let output = Output(output)
    try output.result(report) { CampaignText.report(report, style: output.style) }
    guard let finding = campaign.finding else { return }
    let writer = try NDJSONFile.Writer(least)
    for record in finding.records { try writer.write(NDJSON.line(record)) }
    try writer.close()
    output.line()
    output.line("Seed \(finding.seed): \(finding.difference)")
    output.line("Its \(finding.records.count) records are in \(least).")
    throw ExitCode(ExitStatus.found.rawValue)
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
  /// Persons who moved to another key, whom the oracle does not judge.
  var personsLeftOut: Int
  var rules: [Line]
  var faults: [String: Int]

  init(_ campaign: Campaign, seeds: String) {
    self.seeds = seeds
    seedCount = campaign.seedCount
    differingSeeds = campaign.differingSeeds
    events = campaign.eventCount
    persons = campaign.personCount
    personsLeftOut = campaign.movedCount
    let rules = Set(campaign.equal.keys).union(campaign.onlyReducer.keys)
      .union(campaign.onlyOracle.keys)
    self.rules = rules.sorted().map { rule in
      Line(
        rule: rule.rawValue, agreed: campaign.equal[rule, default: 0],
        onlyReducer: campaign.onlyReducer[rule, default: 0],
        onlyOracle: campaign.onlyOracle[rule, default: 0])
    }
    faults = Dictionary(
      uniqueKeysWithValues: campaign.faultCounts.map { ($0.key.rawValue, $0.value) })
  }
}

/// What a campaign looks like to people.
enum CampaignText {
  static func report(_ report: CampaignReport, style: Style) -> String {
    let rows = report.rules.map {
      [$0.rule, "\($0.agreed)", "\($0.onlyReducer)", "\($0.onlyOracle)"]
    }
    var lines = Table(headers: ["RULE", "AGREED", "REDUCER ONLY", "ORACLE ONLY"], rows: rows).lines
    if let first = lines.first { lines[0] = style.dim(first) }
    let fired = report.faults.sorted { $0.key < $1.key }.map { [$0.key, "\($0.value)"] }
    var faults = Table(headers: ["FAULT", "FIRED"], rows: fired).lines
    if let first = faults.first { faults[0] = style.dim(first) }
    let agreed = report.seedCount - report.differingSeeds.count
    lines += [""] + faults
    lines += [
      "",
      "\(agreed) of \(report.seedCount) seeds (\(report.seeds)) agree: \(report.events) events of "
        + "\(report.persons) people; \(report.personsLeftOut) who moved to another key left out.",
    ]
    return lines.joined(separator: "\n")
  }
}
