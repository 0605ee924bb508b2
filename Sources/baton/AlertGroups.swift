import ArgumentParser
import HandoffBus
import HandoffCodecs
import HandoffCore

/// Whether people see causes or alerts.
struct AlertGroupingOptions: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "One line a cause: a silent source with what hangs on it, a sender, rule and hour.",
      discussion: "What people see unless --each is given; --json prints the alerts either way."))
  var grouped = true

  @Flag(name: .long, help: "One line an alert, the same as --no-grouped.")
  var each = false

  /// How alerts are grouped, by the policy that is configured; `nil` where each is wanted.
  func grouping(_ configuration: BatonConfiguration) throws -> AlertGrouping? {
    guard grouped, !each else { return nil }
    let policy = try configuration.policyFile.map { try PolicySource(file: $0).policy }
    return AlertGrouping(policy: policy ?? .default)
  }
}

/// One group as `--json` prints it, beside the alerts themselves.
struct AlertGroupRow: Encodable {
  /// The party, rule and hour, or the alert of a silent source, in one word.
  var group: String
  var rule: String
  var severity: String
  var party: String
  var isOpen: Bool
  var alerts: Int
  var open: Int
  var opened: String
  /// The alert that stands for it.
  var lead: String
  var members: [String]

  init(_ group: AlertGroup) {
    let key = group.key
    self.group =
      key.alert?.description ?? "\(key.party)/\(key.rule.rawValue)/\(key.hour)"
    rule = key.rule.rawValue
    severity = group.severity.rawValue
    party = key.party
    isOpen = group.isOpen
    alerts = group.count
    open = group.openCount
    opened = RFC3339.text(group.opened)
    lead = group.lead.alertID.description
    members = group.members.map(\.alertID.description)
  }
}

extension AlertText {
  static let groupHeaders = ["ALERT", "RULE", "SEVERITY", "OPEN", "SINCE", "WHAT HAPPENED"]

  /// One row of the list of causes.
  func cells(_ group: AlertGroup) -> [String] {
    let cells = cells(group.lead)
    return [
      cells[0], cells[1], cells[2], "\(group.openCount) of \(group.count)", cells[4],
      cells[5] + rest(of: group),
    ]
  }

  /// A few lines, as a cause is told of for the first time, or as over.
  func block(_ group: AlertGroup) -> String { block(group.lead) + rest(of: group) }

  private func rest(of group: AlertGroup) -> String {
    let hanging = group.hanging
    guard !hanging.isEmpty else { return "" }
    let counts = hanging.map { "\($0.count) \($0.rule.rawValue)" }.joined(separator: ", ")
    return group.key.alert == nil ? " And \(counts) more of it." : " On it hang \(counts)."
  }
}
