import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import KafkaClient

/// `baton alerts`: what went wrong with whose handoff, how that is known, and what to do.
struct AlertsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "List, watch and explain the alerts of the reconciler.",
    discussion: """
      An alert opens when a deadline has passed or something came twice, changes, and resolves \
      when the answer comes, which then says how late it was. There is no acknowledging or \
      assigning here yet; it would never change what the reconciler says.

        baton alerts list --open --severity high
        baton alerts watch
        baton alerts show 4f1c2a
      """,
    subcommands: [List.self, Watch.self, Show.self],
    defaultSubcommand: List.self
  )

  /// Which alerts.
  struct Filters: ParsableArguments {
    @Option(
      name: .long,
      help: ArgumentHelp(
        "Only these rules, such as A07; S01 to S11 are about the bus itself.", valueName: "rule"))
    var rule: [String] = []

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Only this severity and above: info, low, medium, high, critical.", valueName: "severity"))
    var severity: String?

    @Flag(name: .long, help: "Only alerts on which somebody still has to act.")
    var open = false

    /// Says of a verdict whether it is wanted; fails naming the option that is wrong.
    func accepts() throws -> (Verdict) -> Bool {
      let rules = try rule.map { name in
        guard let rule = Rule(rawValue: name.uppercased()) else {
          throw CommandFailure(.usage, "--rule is none of A01 to A27 and S01 to S11.")
        }
        return rule
      }
      let least = try severity.map { name in
        guard let severity = Severity(rawValue: name.lowercased()) else {
          let known = Severity.allCases.map(\.rawValue).joined(separator: ", ")
          throw CommandFailure(.usage, "--severity is not one of \(known).")
        }
        return severity.rank
      }
      return { [open] verdict in
        (rules.isEmpty || rules.contains(verdict.rule))
          && least.map { verdict.severity.rank >= $0 } ?? true
          && (!open || verdict.action != .resolved)
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the alerts, the gravest and then the oldest first.")

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var filters: Filters
    @OptionGroup var grouping: AlertGroupingOptions

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      let accepts = try filters.accepts()
      let output = Output(output)
      let groups = try grouping.grouping(configuration)
      try await reachingKafka(bootstrap) {
        let feed = AlertFeed(KafkaConfiguration(configuration, client: "alerts"))
        let book = try await feed.read()
        if let warning = book.warning { Progress.line("warning: \(warning)") }
        if book.alerts.isEmpty, try await !feed.exists() {
          throw CommandFailure.noTopic(.alerts, on: bootstrap, so: "nothing is judged")
        }
        let alerts = book.alerts.filter { accepts($0.latest) }
        let text = AlertText(style: output.style)
        let open = alerts.count(where: \.isOpen)
        let groups = groups?.groups(of: alerts.map(\.latest))
        var names: [AlertID: String] = [:]
        for group in groups ?? [] {
          for member in group.members { names[member.alertID] = group.name }
        }
        for alert in alerts {
          var row = AlertRow(alert.latest)
          row.group = names[alert.latest.alertID]
          try output.json(row)
        }
        if let groups {
          if !groups.isEmpty {
            output.table(AlertText.groupHeaders, groups.map { text.cells($0) })
            output.line(
              "\(counted(alerts.count, "alert", "alerts")), \(open) open, of "
                + "\(counted(groups.count, "cause", "causes")). `baton alerts list --each` lists each, "
                + "`baton alerts show ID` explains.")
            return
          }
        } else if !alerts.isEmpty {
          output.table(AlertText.headers, alerts.map { text.cells($0.latest) })
        }
        output.line(
          alerts.isEmpty
            ? "No alerts."
            : "\(alerts.count) alerts, \(open) open. `baton alerts show ID` explains.")
      }
    }
  }

  struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print alerts as they are raised, changed and resolved, until stopped.")

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var filters: Filters

    @OptionGroup var grouping: AlertGroupingOptions

    @Flag(name: .long, help: "Begin with the first alert there is.")
    var fromBeginning = false

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      let accepts = try filters.accepts()
      let output = Output(output)
      let text = AlertText(style: output.style)
      var notices = try grouping.grouping(configuration).map { AlertNotices($0) }
      try await reachingKafka(bootstrap) {
        let feed = AlertFeed(KafkaConfiguration(configuration, client: "alerts"))
        if notices != nil, !fromBeginning {
          notices?.remember(try await feed.read().alerts.map(\.latest))
        }
        try await feed.watch(
          from: fromBeginning ? .beginning : .now,
          unreadable: { Progress.line("warning: a record cannot be read here (\($0))") }
        ) { verdict, _ in
          guard accepts(verdict) else { return }
          try output.json(AlertRow(verdict))
          guard notices != nil else { return output.line(text.block(verdict)) }
          for notice in notices?.take([verdict]) ?? [] {
            output.line(text.block(notice.group))
          }
        }
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Explain one alert: what happened, how we know, what to do.")

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The alert's id, or how it begins.", valueName: "id"))
    var id: String

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      let output = Output(output)
      try await reachingKafka(bootstrap) {
        let book = try await AlertFeed(KafkaConfiguration(configuration, client: "alerts")).read()
        if let warning = book.warning { Progress.line("warning: \(warning)") }
        let found = book.alerts(withPrefix: id)
        guard let alert = found.first, !id.isEmpty else {
          throw CommandFailure(
            .noInput, "No alert's id begins like that.",
            advice: "`baton alerts list` shows the ids.")
        }
        guard found.count == 1 else {
          throw CommandFailure(
            .usage, "\(found.count) alerts' ids begin like that.", advice: "Give more of the id.")
        }
        for revision in alert.revisions { try output.json(AlertRow(revision)) }
        output.line(AlertText(style: output.style).full(alert))
      }
    }
  }
}

/// One revision of an alert as `--json` prints it.
struct AlertRow: Encodable {
  struct Record: Encodable {
    var event: String?
    var hash: String
    var topic: String?
    var partition: Int32?
    var offset: Int64?
  }

  var alert: String
  var revision: UInt32
  var rule: String
  var action: String
  var severity: String
  /// `handoff`, `person`, `source` or `bus`.
  var subject: String
  var source: String?
  var patientKey: String?
  var handoff: String?
  var state: String?
  var from: String?
  var to: String?
  var kind: String?
  var priority: String?
  var cause: String?
  /// The source that is waited for; `undetermined` only.
  var hangsOn: String?
  /// What it is listed under: the alert of a silent source, or a party, rule and hour.
  var group: String?
  var count: UInt32
  var opened: String
  var knownAt: String
  var resolvedAt: String?
  var latenessSeconds: Double?
  var happened: String
  var evidence: [Record]
  var rulesVersion: UInt32
  var policyHash: String
  var readUpTo: Int64
}
