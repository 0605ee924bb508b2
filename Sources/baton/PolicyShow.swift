import ArgumentParser
import HandoffBus
import HandoffCodecs
import HandoffCore

extension PolicyCommand {
  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A policy as a table: every clock with its source, windows, calendars.",
      discussion: """
        Without --file it shows the policy as configured, or the one that ships with Baton. Another \
        may be in force by `baton policy activate`: the metric baton_policy_in_force of a \
        reconciler says which. --yaml prints it as a commented file to begin one's own with.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Option(name: .long, help: ArgumentHelp("The policy (YAML).", valueName: "file"))
    var file: String?

    @Option(
      name: .long, help: ArgumentHelp("Only this kind of handoff.", valueName: "kind"))
    var kind: String?

    @Option(
      name: .long, help: ArgumentHelp("As it is under this profile.", valueName: "name"))
    var profile: String?

    @Flag(name: .long, help: "Print it as a policy file.")
    var yaml = false

    func run() async throws {
      let name = try file ?? settings.load().policyFile
      var policy = try name.map { try PolicySource(file: $0).policy } ?? .default
      let output = Output(output)
      if yaml { return output.write(PolicyDocument.render(policy)) }
      if let profile { policy = try policy.under(named: profile, of: name ?? "that ships") }
      let rows = policy.rows.filter { row in kind.map { "\(row.kind)" == $0 } ?? true }
      guard !rows.isEmpty else {
        throw CommandFailure(
          .usage, "The policy has no row of that kind; the fallback holds for it.",
          advice: "It knows: \(policy.kinds.map { "\($0)" }.joined(separator: ", ")).")
      }
      try output.json(Shown(policy, rows))
      show(policy, rows, output)
    }

    private func show(_ policy: Policy, _ rows: [Policy.Row], _ output: Output) {
      let profile = policy.profile.map { ", under profile \($0)" } ?? ""
      output.line("Policy version \(policy.version), SHA-256 \(policy.hash)\(profile)")
      output.line()
      output.table(
        ["KIND", "PRIORITY"] + PolicyClock.allCases.map { $0.rawValue.uppercased() }
          + ["BASIS", "SOURCE"],
        rows.map { line("\($0.kind)", $0.priority.map { "\($0)" } ?? "all", $0.clocks) }
          + (kind == nil ? [line("(any other)", "all", policy.fallback)] : []))
      guard kind == nil else { return }
      for (rail, length) in policy.railDelivery.sorted(by: { $0.key < $1.key }) {
        output.line("Delivery by \(rail): \(length)")
      }
      output.line()
      output.table(
        ["WINDOW", "LENGTH", "WHAT"],
        PolicyWindow.all.map { [$0.key, "\($0.length(in: policy.windows))", $0.comment] })
      output.line()
      let services = policy.calendar.alwaysOpen.union(policy.calendar.services.keys).sorted()
      output.line("Calendar: Monday to Friday, \(policy.calendar.holidays.count) holidays known.")
      for service in services {
        output.line("  \(service): \(policy.calendar.hoursText(of: service) ?? "")")
      }
      for profile in policy.profiles {
        let loosens = profile.loosensBecause.map { "; loosens: \($0)" } ?? ""
        output.line("Profile \(profile.name): \(profile.note)\(loosens)")
      }
    }

    private func line(_ kind: String, _ priority: String, _ clocks: Clocks) -> [String] {
      let lengths = PolicyClock.allCases.map { clock in
        let length = clock.length(in: clocks)?.description ?? "-"
        let isReady = clock == .start && clocks.start != nil && clocks.startAnchor != .request
        return isReady ? "ready+\(length)" : length
      }
      return [kind, priority] + lengths + [clocks.basis.rawValue, clocks.note]
    }

    private struct Shown: Encodable {
      struct Row: Encodable {
        var kind: String?
        var priority: String?
        var clocks: [String: String]
        var startFrom: String
        var feedbackOwed: Bool
        var document: Bool
        var basis: String
        var source: String

        init(_ kind: HandoffKind?, _ priority: Priority?, _ clocks: Clocks) {
          self.kind = kind.map { "\($0)" }
          self.priority = priority.map { "\($0)" }
          self.clocks = Dictionary(
            uniqueKeysWithValues: PolicyClock.allCases.compactMap { clock in
              clock.length(in: clocks).map { (clock.rawValue, "\($0)") }
            })
          startFrom = clocks.startAnchor.rawValue
          feedbackOwed = clocks.isFeedbackOwed
          document = clocks.isDocument
          basis = clocks.basis.rawValue
          source = clocks.note
        }
      }

      var version: UInt32
      var hash: String
      var profile: String?
      var profiles: [String]
      var rows: [Row]
      var fallback: Row
      var railDelivery: [String: String]
      var windows: [String: String]
      var services: [String: String]

      init(_ policy: Policy, _ rows: [Policy.Row]) {
        version = policy.version
        hash = "\(policy.hash)"
        profile = policy.profile.map { "\($0)" }
        profiles = policy.profiles.map { "\($0.name)" }
        self.rows = rows.map { Row($0.kind, $0.priority, $0.clocks) }
        fallback = Row(nil, nil, policy.fallback)
        railDelivery = Dictionary(
          uniqueKeysWithValues: policy.railDelivery.map { ("\($0.key)", "\($0.value)") })
        windows = Dictionary(
          uniqueKeysWithValues: PolicyWindow.all.map {
            ($0.key, "\($0.length(in: policy.windows))")
          })
        let calendar = policy.calendar
        services = Dictionary(
          uniqueKeysWithValues: calendar.alwaysOpen.union(calendar.services.keys).map {
            ("\($0)", calendar.hoursText(of: $0) ?? "")
          })
      }
    }
  }
}
