internal import HandoffCodecs
internal import HandoffCore

/// A score for people and programs.
package struct ScoreReport: Codable, Hashable, Sendable {
  /// One rule.
  package struct Line: Codable, Hashable, Sendable {
    package var rule: String
    package var expected: Int
    package var found: Int
    package var raised: Int
    package var falseAlarms: Int
    package var recall: Double?
    package var precision: Double?
    /// From when it could be known to when it was said.
    package var minutesP50: Double?
    package var minutesP95: Double?
  }

  /// A cell of the confusion matrix; no rule stands for nothing expected, or nothing raised.
  package struct Cell: Codable, Hashable, Sendable {
    package var expected: String?
    package var raised: String?
    package var count: Int
  }

  package var rules: [Line]
  package var confusion: [Cell]
  /// Every miss and every false alarm, with its handoff.
  package var findings: [String]

  package init(_ score: Score) {
    rules = score.rows.values.sorted { $0.rule < $1.rule }.map { row in
      Line(
        rule: row.rule.rawValue, expected: row.expected, found: row.found, raised: row.raised,
        falseAlarms: row.falseAlarms, recall: row.recall, precision: row.precision,
        minutesP50: row.minutes(percentile: 50), minutesP95: row.minutes(percentile: 95))
    }
    confusion = score.confusion.map { pair, count in
      Cell(expected: pair.expected?.rawValue, raised: pair.raised?.rawValue, count: count)
    }.sorted {
      ($0.expected ?? "~", $0.raised ?? "~") < ($1.expected ?? "~", $1.raised ?? "~")
    }
    findings = score.missed.map(Self.words(missed:)) + score.falseAlarms.map(Self.words(false:))
  }

  private static func words(missed truth: Truth) -> String {
    let rule = truth.rule?.rawValue ?? "-"
    return "missed \(rule): \(truth.fault.rawValue), \(name(truth.subject)), "
      + "\(truth.kind?.description ?? "no kind"), knowable \(RFC3339.text(truth.knowableAt))"
  }

  private static func words(false alarm: (alert: Score.Raised, near: Truth?)) -> String {
    let alert = alarm.alert
    let near = alarm.near.map { "; there: \($0.fault.rawValue) \($0.rule?.rawValue ?? "benign")" }
    return "false alarm \(alert.rule.rawValue): \(name(alert.subject)), "
      + "\(alert.kind?.description ?? "no kind"), opened \(RFC3339.text(alert.opened))"
      + (near ?? "")
  }

  private static func name(_ subject: Verdict.Subject) -> String {
    switch subject {
    case .handoff(let id, _): "handoff \(id)"
    case .person(let key): "person \(key)"
    case .source(let code): "source \(code)"
    case .bus: "the bus"
    }
  }
}
