import HandoffCodecs
import HandoffCore

/// What another policy would make of a history, for people and as JSON.
struct WhatIfReport: Encodable {
  private struct Count: Encodable {
    var rule: String
    var kind: String?
    var change: String
    var count: Int
  }

  private struct Alert: Encodable {
    var alertID: String
    var change: String
    var rule: String
    var kind: String?
    var handoffID: String?
    var openedBefore: String?
    var openedAfter: String?
    var resolvedBefore: String?
    var resolvedAfter: String?
  }

  private var unchanged: Int
  private var counts: [Count]
  private var alerts: [Alert]

  init(_ difference: VerdictDifference) {
    unchanged = difference.unchangedCount
    counts = difference.counts.map {
      Count(
        rule: $0.rule.rawValue, kind: $0.kind?.description, change: $0.change.rawValue,
        count: $0.count)
    }
    alerts = difference.entries.compactMap { entry in
      guard let verdict = entry.verdict else { return nil }
      return Alert(
        alertID: "\(verdict.alertID)", change: entry.change.rawValue,
        rule: verdict.rule.rawValue, kind: verdict.kind?.description,
        handoffID: verdict.handoffID?.description,
        openedBefore: entry.before.map { RFC3339.text($0.opened) },
        openedAfter: entry.after.map { RFC3339.text($0.opened) },
        resolvedBefore: entry.before?.resolvedAt.map(RFC3339.text),
        resolvedAfter: entry.after?.resolvedAt.map(RFC3339.text))
    }
  }

  func print(_ output: Output) throws {
    try output.json(self)
    guard !alerts.isEmpty else {
      return output.line("Nothing would be otherwise: \(same).")
    }
    output.table(
      ["RULE", "KIND", "CHANGE", "ALERTS"],
      counts.map { [$0.rule, $0.kind ?? "-", $0.change, "\($0.count)"] })
    output.line()
    output.table(
      ["CHANGE", "RULE", "KIND", "OPENED BEFORE", "OPENED AFTER", "ALERT"],
      alerts.map {
        [
          $0.change, $0.rule, $0.kind ?? "-", $0.openedBefore ?? "-", $0.openedAfter ?? "-",
          $0.alertID,
        ]
      })
    output.line("\(same).")
  }

  private var same: String {
    unchanged == 1 ? "1 alert is the same" : "\(unchanged) alerts are the same"
  }
}
