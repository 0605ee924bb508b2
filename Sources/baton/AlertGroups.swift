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
      discussion: "What people see without --each; --json names the group of each alert."))
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

extension AlertGroup {
  /// The alert of a silent source, or the party, rule and hour, in one word.
  var name: String { key.alert?.description ?? "\(key.party)/\(key.rule.rawValue)/\(key.hour)" }
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
    let open = group.hanging.map { "\($0.count) \($0.rule.rawValue)" }.joined(separator: ", ")
    let parts =
      (open.isEmpty ? [] : ["\(open) open"])
      + (group.resolvedCount == 0 ? [] : ["\(group.resolvedCount) resolved"])
    guard !parts.isEmpty else { return "" }
    return (group.key.alert == nil ? " More of it: " : " On it hang: ")
      + parts.joined(separator: ", ") + "."
  }
}
