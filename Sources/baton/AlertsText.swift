import HandoffBus
import HandoffCodecs
import HandoffCore

extension AlertRow {
  init(_ verdict: Verdict) {
    self.init(
      alert: verdict.alertID.description, revision: verdict.revision, rule: verdict.rule.rawValue,
      action: verdict.action.rawValue, severity: verdict.severity.rawValue,
      subject: verdict.subject.kindName, source: verdict.subject.source?.description,
      patientKey: verdict.patientKey?.description, handoff: verdict.handoffID?.description,
      state: verdict.state?.rawValue, from: verdict.from?.description,
      to: verdict.to?.description, kind: verdict.kind?.description,
      priority: verdict.priority?.description, cause: verdict.cause?.description,
      hangsOn: verdict.hangsOn?.description,
      count: verdict.count, opened: RFC3339.text(verdict.opened),
      knownAt: RFC3339.text(verdict.knownAt), resolvedAt: verdict.resolvedAt.map(RFC3339.text),
      latenessSeconds: verdict.lateness.map { Double($0.nanoseconds) / 1e9 },
      happened: Explanation(verdict).whatHappened,
      evidence: verdict.evidence.map {
        Record(
          event: $0.eventID?.description, hash: $0.keptHash, topic: $0.coordinates?.topic,
          partition: $0.coordinates?.partition, offset: $0.coordinates?.offset)
      },
      rulesVersion: verdict.rulesVersion, policyHash: verdict.policyHash.description,
      readUpTo: verdict.readUpTo)
  }
}

extension Verdict.Subject {
  /// What it is about, in one word.
  fileprivate var kindName: String {
    switch self {
    case .handoff: "handoff"
    case .person: "person"
    case .source: "source"
    case .bus: "bus"
    }
  }

  fileprivate var source: Code? {
    if case .source(let code) = self { code } else { nil }
  }
}

/// Alerts in words for people: what happened, how we know, what to do.
struct AlertText {
  let style: Style

  static let headers = ["ALERT", "RULE", "SEVERITY", "STATE", "SINCE", "WHAT HAPPENED"]

  /// One row of the list; no colours, as they would spoil the columns.
  func cells(_ verdict: Verdict) -> [String] {
    [
      String(verdict.alertID.description.prefix(12)), verdict.rule.rawValue,
      verdict.severity.rawValue, word(verdict), minute(verdict.opened),
      Explanation(verdict).whatHappened,
    ]
  }

  /// A few lines, as an alert is raised.
  func block(_ verdict: Verdict) -> String {
    let explanation = Explanation(verdict)
    let id = style.dim("alert \(verdict.alertID.description.prefix(12))")
    var lines = [
      "\(mark(verdict)) \(style.bold(explanation.whatHappened))  \(verdict.rule.rawValue) \(id)"
    ]
    if verdict.action != .resolved { lines.append("    → \(explanation.whatToDo)") }
    return lines.joined(separator: "\n")
  }

  /// The whole page of one alert.
  func full(_ alert: Alert) -> String {
    let verdict = alert.latest
    let explanation = Explanation(verdict)
    var lines = [
      "\(mark(verdict)) \(style.bold(explanation.whatHappened))", "",
      style.bold("How we know"), "  \(explanation.howWeKnow)",
    ]
    for evidence in verdict.evidence { lines.append("  \(text(evidence))") }
    lines += ["", style.bold("What to do"), "  \(explanation.whatToDo)", "", style.bold("History")]
    for revision in alert.revisions {
      let time = revision.resolvedAt ?? revision.opened
      // An alert is due at one time, and may be known of much later.
      let isLater = revision.knownAt > time
      let known = isLater ? ", known at \(RFC3339.text(revision.knownAt))" : ""
      lines.append("  \(RFC3339.text(time))  \(revision.action.rawValue)\(known)")
    }
    lines += ["", style.bold("Reference")]
    for (name, value) in facts(verdict) { lines.append("  \(style.dim(name))  \(value)") }
    return lines.joined(separator: "\n")
  }

  private func facts(_ verdict: Verdict) -> [(String, String)] {
    var facts: [(String, String)] = [
      ("alert", verdict.alertID.description), ("rule", verdict.rule.rawValue),
      ("severity", verdict.severity.rawValue),
    ]
    if let cause = verdict.cause { facts.append(("cause", "\(cause)")) }
    if let handoff = verdict.handoffID { facts.append(("handoff", "\(handoff)")) }
    if let person = verdict.patientKey { facts.append(("person", "\(person)")) }
    if let source = verdict.subject.source { facts.append(("source", "\(source)")) }
    facts.append(("policy", "\(verdict.policyHash)"))
    facts.append(("rules version", "\(verdict.rulesVersion)"))
    facts.append(("read up to offset", "\(verdict.readUpTo)"))
    return facts
  }

  private func text(_ evidence: Evidence) -> String {
    let place = evidence.coordinates.map {
      "\($0.topic) partition \($0.partition) offset \($0.offset)"
    }
    let what = evidence.eventID.map { "event \($0.description.prefix(12))" } ?? "record"
    let dots = evidence.isHalf ? "…" : ""
    return "\(what) at \(place ?? "an unknown place"), "
      + style.dim("sha256 \(evidence.keptHash)\(dots)")
  }

  private func mark(_ verdict: Verdict) -> String {
    if verdict.action == .resolved { return style.green("✓ resolved") }
    let text = "● \(verdict.severity.rawValue)"
    return verdict.severity.rank >= Severity.high.rank ? style.red(text) : style.yellow(text)
  }

  private func word(_ verdict: Verdict) -> String {
    verdict.action == .resolved ? "resolved" : "open"
  }

  private func minute(_ time: Timestamp) -> String { String(RFC3339.text(time).prefix(16)) + "Z" }
}

extension Evidence {
  /// Of what is remembered half a hash is kept (decision 0155).
  fileprivate var isHalf: Bool { hash.low == 0 }

  /// The digits of the hash as far as it was kept: 32 or 64.
  fileprivate var keptHash: String { isHalf ? hash.prefix.description : hash.description }
}
