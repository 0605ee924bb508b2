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
    /// What part of all that was expected had been found so many minutes after it could be known.
    package var foundWithin: [Share]
    /// By what was injected.
    package var faults: [FaultLine]
  }

  /// A point of a curve.
  package struct Share: Codable, Hashable, Sendable {
    package var minutes: Int
    package var share: Double

    /// The points of every curve: at once, five minutes, a quarter, an hour, four, a day.
    package static let minutes = [0, 5, 15, 60, 240, 1440]
  }

  /// What a rule found of one kind of fault.
  package struct FaultLine: Codable, Hashable, Sendable {
    package var fault: String
    package var expected: Int
    package var found: Int
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
  /// What it would take to do better, for rules that fall short.
  package var advice: [String]

  package init(_ score: Score) {
    rules = score.rows.values.sorted { $0.rule < $1.rule }.map { row in
      Line(
        rule: row.rule.rawValue, expected: row.expected, found: row.found, raised: row.raised,
        falseAlarms: row.falseAlarms, recall: row.recall, precision: row.precision,
        minutesP50: row.minutes(percentile: 50), minutesP95: row.minutes(percentile: 95),
        foundWithin: Self.curve(row), faults: Self.faults(row))
    }
    advice = score.rows.values.sorted { $0.rule < $1.rule }.compactMap(\.advice)
    confusion = score.confusion.map { pair, count in
      Cell(expected: pair.expected?.rawValue, raised: pair.raised?.rawValue, count: count)
    }.sorted {
      ($0.expected ?? "~", $0.raised ?? "~") < ($1.expected ?? "~", $1.raised ?? "~")
    }
    findings = score.missed.map(Self.words(missed:)) + score.falseAlarms.map(Self.words(false:))
  }

  private static func curve(_ row: Score.Row) -> [Share] {
    guard row.expected > 0 else { return [] }
    return Share.minutes.map { limit in
      // Half a minute counts as at once: batches and ticks.
      let count = row.minutes.count { $0 <= Double(limit) + 0.5 }
      return Share(minutes: limit, share: Double(count) / Double(row.expected))
    }
  }

  private static func faults(_ row: Score.Row) -> [FaultLine] {
    row.faults.map { fault, finding in
      FaultLine(
        fault: fault.rawValue, expected: finding.expected, found: finding.found,
        minutesP50: finding.minutes.percentile(50), minutesP95: finding.minutes.percentile(95))
    }.sorted { $0.fault < $1.fault }
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
