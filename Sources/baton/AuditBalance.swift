import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores

/// `baton audit balance`: whether the reconcilers' books are what audit counts from the events.
struct AuditBalanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "balance",
    abstract: "Show the second count of every partition beside the reconcilers' books.",
    discussion: """
      `baton audit run` counts events, handoffs requested and handoffs that came with a person, \
      from the log alone, and holds the books that each reconciler publishes against that, at the \
      offset that they speak for. A range is what depends on a reconciler's memory: people whose \
      key was merged away, and handoffs that were asked for again after they may be forgotten.

      Exits with 1 where books and count differ; that is also an alert, S06.
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let files = try settings.load().files
    let standings: [CountStanding]
    do {
      standings = try await CountStore(reading: files.audit).standings()
    } catch {
      throw AuditLog.failure(error)
    }
    try print(standings)
    let wrong = standings.filter { !$0.differences.isEmpty }.map { "\($0.partition)" }
    guard wrong.isEmpty else {
      throw CommandFailure(
        .found, "The books of partition \(wrong.joined(separator: ", ")) are not what was counted.",
        advice: "Rebuild that partition's state from the events, and report a defect of Baton.")
    }
  }

  private func print(_ standings: [CountStanding]) throws {
    let output = Output(output)
    for standing in standings { try output.json(BalanceRow(standing)) }
    guard !standings.isEmpty else { return output.line("No books have been published yet.") }
    output.table(
      ["PARTITION", "UP TO", "AT", "EVENTS", "REQUESTED", "CAME", "BOOKS"],
      standings.map { standing in
        [
          "\(standing.partition)", standing.comparedOffset.map { "\($0)" } ?? "-",
          standing.comparedAt.map { AuditTime.text($0.milliseconds) } ?? "-",
          "\(standing.count.events)", text(standing.count.requested),
          text(standing.count.arrived...standing.count.arrived + standing.count.unsureArrived),
          verdict(standing, output),
        ]
      })
    for standing in standings {
      for difference in standing.differences {
        let kind = difference.kind.map { " of kind \($0)" } ?? ""
        output.line(
          "Partition \(standing.partition): \(difference.side.rawValue)\(kind): counted "
            + "\(text(difference.counted)), in the books \(difference.booked).")
      }
    }
  }

  private func verdict(_ standing: CountStanding, _ output: Output) -> String {
    if !standing.isWhole { return "not compared: the log begins after the topic did" }
    guard standing.comparedOffset != nil else { return "not compared yet" }
    return standing.differences.isEmpty ? output.style.green("agree") : output.style.red("differ")
  }

  private func text(_ range: ClosedRange<UInt64>) -> String {
    range.lowerBound == range.upperBound
      ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
  }
}

/// One partition as `--json` prints it, one a line.
private struct BalanceRow: Encodable {
  struct Difference: Encodable {
    var side: String
    var kind: String?
    var countedMin: UInt64
    var countedMax: UInt64
    var booked: UInt64
  }

  var partition: Int32
  var countedUpTo: Int64
  var comparedOffset: Int64?
  var comparedAtMs: Int64?
  var comparable: Bool
  var events: UInt64
  var requestedMin: UInt64
  var requestedMax: UInt64
  var arrivedMin: UInt64
  var arrivedMax: UInt64
  var differences: [Difference]

  init(_ standing: CountStanding) {
    partition = standing.partition
    countedUpTo = standing.nextOffset
    comparedOffset = standing.comparedOffset
    comparedAtMs = standing.comparedAt?.milliseconds
    comparable = standing.isWhole
    events = standing.count.events
    requestedMin = standing.count.requested.lowerBound
    requestedMax = standing.count.requested.upperBound
    arrivedMin = standing.count.arrived
    arrivedMax = standing.count.arrived + standing.count.unsureArrived
    differences = standing.differences.map {
      Difference(
        side: $0.side.rawValue, kind: $0.kind?.description, countedMin: $0.counted.lowerBound,
        countedMax: $0.counted.upperBound, booked: $0.booked)
    }
  }
}
