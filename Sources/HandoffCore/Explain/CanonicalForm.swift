extension Verdict {
  /// The verdict as one line of JSON with its fields in a fixed order: what two runs are compared by.
  ///
  /// Without what only tells how it was read: when it became known, offsets, the offset read up to.
  /// Evidence is by record hash, sorted. Every value is a number, a hash or a code, so that nothing
  /// needs escaping.
  public var canonicalLine: String {
    var fields = [
      text("alertID", alertID.description), number("revision", Int64(revision)),
      text("rule", rule.rawValue), text("action", action.rawValue),
      text("severity", severity.rawValue), text("subject", otherSubject),
      text("patientKey", patientKey?.description), text("handoffID", handoffID?.description),
      text("beganWith", beganWith?.description),
      text("state", state?.rawValue), text("from", from?.description),
      text("to", to?.description), text("kind", kind?.description),
      text("priority", priority?.description), text("cause", cause?.description),
      number("count", Int64(count)), number("opened", opened.nanoseconds),
      number("resolvedAt", resolvedAt?.nanoseconds),
    ]
    let hashes = evidence.map(\.hash).sorted().map { "\"\($0)\"" }
    fields.append("\"evidence\":[" + hashes.joined(separator: ",") + "]")
    fields.append(number("rulesVersion", Int64(rulesVersion)))
    fields.append(text("policyHash", policyHash.description))
    fields.append(text("hangsOn", hangsOn?.description))
    fields.append(text("successor", successor?.description))
    fields.append(text("registerHash", registerHash?.description))
    fields.append(text("profile", profile?.description))
    return "{" + fields.compactMap(\.self).joined(separator: ",") + "}"
  }

  /// Named only where it is no person: lines about persons are as they were before there were others.
  private var otherSubject: String? {
    switch subject {
    case .handoff, .person: nil
    case .source(let code): "source:\(code)"
    case .bus: "bus"
    }
  }

  private func text(_ name: String, _ value: String?) -> String? {
    value.map { "\"\(name)\":\"\($0)\"" }
  }

  private func number(_ name: String, _ value: Int64?) -> String? {
    value.map { "\"\(name)\":\($0)" }
  }
}

/// The canonical form of a run (architecture.md, "The reconciler").
public enum CanonicalForm {
  /// Each verdict once by id and revision, in that order, a line each, with a newline after each.
  ///
  /// Where one id and revision comes with two contents, which is a defect, both stand.
  public static func text(of verdicts: some Sequence<Verdict>) -> String {
    lines(verdicts).map { $0 + "\n" }.joined()
  }

  /// The lines of ``text(of:)``.
  public static func lines(_ verdicts: some Sequence<Verdict>) -> [String] {
    let keyed = verdicts.map { ($0.alertID, $0.revision, $0.canonicalLine) }
    var lines: [String] = []
    for (_, _, line) in keyed.sorted(by: <) where lines.last != line { lines.append(line) }
    return lines
  }
}

/// The alerts as they stand after a run of verdicts, delivered any number of times, in any order.
public struct LiveAlerts: Hashable, Sendable {
  private var latest: [AlertID: Verdict] = [:]

  public init() {}

  public init(_ verdicts: some Sequence<Verdict>) {
    for verdict in verdicts { insert(verdict) }
  }

  /// Takes a verdict in; false where its revision, or a later one, is known.
  @discardableResult
  public mutating func insert(_ verdict: Verdict) -> Bool {
    if let known = latest[verdict.alertID], known.revision >= verdict.revision { return false }
    latest[verdict.alertID] = verdict
    return true
  }

  /// The latest verdict of an alert.
  public subscript(id: AlertID) -> Verdict? { latest[id] }

  public var count: Int { latest.count }

  /// The latest verdict of every alert, by id.
  public var all: [Verdict] { latest.values.sorted { $0.alertID < $1.alertID } }

  /// Those that stand, by when they were due.
  public var open: [Verdict] {
    latest.values.filter { $0.action == .opened || $0.action == .changed }
      .sorted { ($0.opened, $0.alertID) < ($1.opened, $1.alertID) }
  }

  /// Those that are not to be judged while a source is behind, by when they were due.
  public var undetermined: [Verdict] {
    latest.values.filter { $0.action == .undetermined }
      .sorted { ($0.opened, $0.alertID) < ($1.opened, $1.alertID) }
  }
}
