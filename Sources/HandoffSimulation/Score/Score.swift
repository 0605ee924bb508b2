package import HandoffCore

/// How well alerts tell the truth, rule by rule.
///
/// An alert and a truth match where they are of one rule and one subject, each once. What is left
/// of the truths was missed, what is left of the alerts was a false alarm.
package struct Score: Sendable {
  /// One alert of a run, by its first word.
  package struct Raised: Hashable, Sendable {
    package var alertID: AlertID
    package var rule: Rule
    package var subject: Verdict.Subject
    package var kind: HandoffKind?
    package var opened: Timestamp
    package var knownAt: Timestamp

    package init(
      alertID: AlertID, rule: Rule, subject: Verdict.Subject, kind: HandoffKind?,
      opened: Timestamp, knownAt: Timestamp
    ) {
      self.alertID = alertID
      self.rule = rule
      self.subject = subject
      self.kind = kind
      self.opened = opened
      self.knownAt = knownAt
    }
  }

  /// What one rule did.
  package struct Row: Hashable, Sendable {
    package var rule: Rule
    package var expected = 0
    package var found = 0
    package var raised = 0
    package var falseAlarms = 0
    /// Minutes from when it could be known to when it was said, sorted.
    package var minutes: [Double] = []
    /// The same of each fault that it should find.
    package var faults: [Fault: Finding] = [:]

    /// Found of expected; `nil` where nothing was.
    package var recall: Double? { expected == 0 ? nil : Double(found) / Double(expected) }
    /// True of raised; `nil` where nothing was.
    package var precision: Double? {
      raised == 0 ? nil : Double(raised - falseAlarms) / Double(raised)
    }

    /// The delay that so many of a hundred were found within; `nil` where none was found.
    package func minutes(percentile: Int) -> Double? {
      minutes.percentile(percentile)
    }
  }

  /// What a rule found of one kind of fault.
  package struct Finding: Hashable, Sendable {
    package var expected = 0
    package var found = 0
    package var minutes: [Double] = []
  }

  package private(set) var rows: [Rule: Row] = [:]
  package private(set) var missed: [Truth] = []
  package private(set) var falseAlarms: [(alert: Raised, near: Truth?)] = []
  /// Expected rule to raised rule, on one subject; `nil` for nothing expected, or nothing raised.
  package private(set) var confusion: [Pair: Int] = [:]

  /// A cell of the confusion matrix.
  package struct Pair: Hashable, Sendable {
    package var expected: Rule?
    package var raised: Rule?
  }

  package init(truths: [Truth], alerts: [Raised]) {
    var waiting: [Subject: [Truth]] = [:]
    for truth in truths { waiting[Subject(truth.rule, truth.subject), default: []].append(truth) }
    var unmatched: [Raised] = []
    for alert in alerts.sorted(by: { ($0.opened, $0.alertID) < ($1.opened, $1.alertID) }) {
      rows[alert.rule, default: Row(rule: alert.rule)].raised += 1
      if let truth = Self.take(alert, from: &waiting) {
        note(alert, truth)
      } else {
        unmatched.append(alert)
      }
    }
    settle(waiting, unmatched, truths)
    for rule in rows.keys {
      rows[rule]?.minutes.sort()
      for fault in rows[rule]?.faults.keys.map(\.self) ?? [] {
        rows[rule]?.faults[fault]?.minutes.sort()
      }
    }
  }

  /// Under what truths are found: bus-wide rules by themselves, the rest by subject.
  private struct Subject: Hashable {
    var rule: Rule?
    var subject: Verdict.Subject?

    init(_ rule: Rule?, _ subject: Verdict.Subject) {
      self.rule = rule
      self.subject = Self.plain(subject)
    }

    /// A handoff is the same under whichever key its person stands.
    private static func plain(_ subject: Verdict.Subject) -> Verdict.Subject? {
      guard let id = subject.handoffID,
        let nobody = PatientKey(epoch: 1, hash: [UInt8](repeating: 0, count: 32))
      else { return subject }
      return .handoff(id, of: nobody)
    }
  }

  private static func take(
    _ alert: Raised, from waiting: inout [Subject: [Truth]]
  ) -> Truth? {
    // About one handoff or about its person: rules differ in which they name.
    var subjects = [Subject(alert.rule, alert.subject)]
    if let key = alert.subject.patientKey { subjects.append(Subject(alert.rule, .person(key))) }
    for subject in subjects {
      guard var truths = waiting[subject], !truths.isEmpty else { continue }
      // Of several episodes the one whose moment is nearest.
      let index = truths.indices.min {
        alert.distance(to: truths[$0]) < alert.distance(to: truths[$1])
      }
      guard let index else { continue }
      let truth = truths.remove(at: index)
      // One alert about the bus stands for every record that it counts.
      waiting[subject] = alert.rule.standsForMany ? waiting[subject] : truths
      return truth
    }
    return nil
  }

  private mutating func note(_ alert: Raised, _ truth: Truth) {
    guard !alert.rule.standsForMany else { return }
    rows[alert.rule]?.expected += 1
    rows[alert.rule]?.found += 1
    let delay = max(0, alert.knownAt.since(truth.knowableAt).nanoseconds)
    let minutes = Double(delay) / 60_000_000_000
    rows[alert.rule]?.minutes.append(minutes)
    var finding = rows[alert.rule]?.faults[truth.fault] ?? Finding()
    finding.expected += 1
    finding.found += 1
    finding.minutes.append(minutes)
    rows[alert.rule]?.faults[truth.fault] = finding
    confusion[Pair(expected: truth.rule, raised: alert.rule), default: 0] += 1
  }

  private mutating func settle(
    _ waiting: [Subject: [Truth]], _ unmatched: [Raised], _ truths: [Truth]
  ) {
    let near = Dictionary(
      truths.map { (Subject(nil, $0.subject).subject, $0) }, uniquingKeysWith: { first, _ in first }
    )
    var wrong: [Verdict.Subject?: [Rule]] = [:]
    for alert in unmatched {
      let subject = Subject(nil, alert.subject).subject
      rows[alert.rule]?.falseAlarms += 1
      let person = alert.subject.patientKey.map { Verdict.Subject.person($0) }
      falseAlarms.append((alert, near[subject] ?? near[person]))
      wrong[subject, default: []].append(alert.rule)
    }
    for truth in waiting.values.joined() {
      guard let rule = truth.rule else { continue }
      rows[rule, default: Row(rule: rule)].expected += 1
      rows[rule]?.faults[truth.fault, default: Finding()].expected += 1
      if rule.standsForMany, (rows[rule]?.raised ?? 0) > 0 {
        rows[rule]?.found += 1
        rows[rule]?.faults[truth.fault]?.found += 1
        continue
      }
      missed.append(truth)
      let subject = Subject(nil, truth.subject).subject
      let other = wrong[subject]?.first
      if other != nil { wrong[subject]?.removeFirst() }
      confusion[Pair(expected: rule, raised: other), default: 0] += 1
    }
    for rule in wrong.values.joined() {
      confusion[Pair(expected: nil, raised: rule), default: 0] += 1
    }
    missed.sort { ($0.knowableAt, "\($0.subject)") < ($1.knowableAt, "\($1.subject)") }
  }
}

extension Rule {
  /// One alert of it stands for every bad record that it counts, whosever it was.
  fileprivate var standsForMany: Bool { isAboutOurselves && self < .s09 }
}

extension Score.Raised {
  fileprivate func distance(to truth: Truth) -> Int64 {
    abs(opened.since(truth.knowableAt).nanoseconds / 2)
  }
}

/// The alerts of a run, gathered from verdicts as they come.
package struct RaisedAlerts: Sendable {
  private var alerts: [AlertID: Score.Raised] = [:]

  package init() {}

  /// Takes a verdict: the first word that opens an alert counts.
  ///
  /// *Undetermined* raises nothing: it says that nothing can be said.
  package mutating func take(_ verdict: Verdict) {
    guard verdict.action == .opened || verdict.action == .changed,
      alerts[verdict.alertID] == nil
    else { return }
    alerts[verdict.alertID] = Score.Raised(
      alertID: verdict.alertID, rule: verdict.rule, subject: verdict.subject, kind: verdict.kind,
      opened: verdict.opened, knownAt: verdict.knownAt)
  }

  package var all: [Score.Raised] { alerts.values.sorted { $0.alertID < $1.alertID } }
}
