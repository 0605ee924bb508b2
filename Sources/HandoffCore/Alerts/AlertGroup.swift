/// Alerts that have one cause, as one line for people: one sender, or one source, one rule and one
/// hour; or a silent source with everything that hangs on it.
public struct AlertGroup: Hashable, Sendable {
  /// What tells it from every other: the same on every replay, in whatever order alerts come.
  public struct Key: Hashable, Comparable, Sendable {
    /// The sender as people know it, a source's code, or `baton`.
    public var party: String
    public var rule: Rule
    /// Hours since the Unix epoch in which its alerts were due.
    public var hour: Int64
    /// Of a silent source the alert itself: it may last for many hours.
    public var alert: AlertID?

    public static func < (left: Key, right: Key) -> Bool {
      (left.hour, left.rule, left.party, left.alert ?? AlertID(rawValue: 0))
        < (right.hour, right.rule, right.party, right.alert ?? AlertID(rawValue: 0))
    }
  }

  public var key: Key
  /// The alert that stands for it: the silent source; else the gravest and then the oldest that is
  /// open; of those that are over, the one that was resolved last.
  public var lead: Verdict
  /// The newest verdict of each alert in it, ``lead`` included, by when it was due.
  public var members: [Verdict]

  /// How many alerts stand behind the line.
  public var count: Int { members.count }
  public var openCount: Int { members.count { $0.action != .resolved } }
  public var isOpen: Bool { openCount > 0 }
  /// When the first of them was due.
  public var opened: Timestamp { members.first?.opened ?? lead.opened }
  public var severity: Severity { lead.severity }

  /// How many open alerts hang on it, by rule, without the one that stands for it.
  public var hanging: [(rule: Rule, count: Int)] {
    var counts: [Rule: Int] = [:]
    for member in others where member.action != .resolved {
      counts[member.rule, default: 0] += 1
    }
    return counts.sorted { $0.key < $1.key }.map { (rule: $0.key, count: $0.value) }
  }

  /// How many that are resolved hung on it, without the one that stands for it.
  public var resolvedCount: Int { others.count { $0.action == .resolved } }

  private var others: some Sequence<Verdict> {
    members.lazy.filter { [lead] in $0.alertID != lead.alertID }
  }
}

/// Groups alerts by their cause: handling, which no reducer knows of (domain.md §3.1, §8).
///
/// A function of the alerts as they stand, so that order, repeats, replays and restarts make no
/// difference.
public struct AlertGrouping: Sendable {
  private let policy: Policy

  /// `policy` says which organisations' answers a source can carry.
  public init(policy: Policy) { self.policy = policy }

  /// The groups of the newest verdict of each alert, the gravest and then the oldest first.
  public func groups(of verdicts: some Sequence<Verdict>) -> [AlertGroup] {
    let verdicts = Array(verdicts)
    let silences = verdicts.compactMap(Silence.init).sorted {
      ($0.since, $0.verdict.alertID) < ($1.since, $1.verdict.alertID)
    }
    var byKey: [AlertGroup.Key: [Verdict]] = [:]
    for verdict in verdicts {
      let cause = silences.first { hangs(verdict, on: $0) }
      byKey[Self.key(cause?.verdict ?? verdict), default: []].append(verdict)
    }
    return byKey.map { key, members in group(key, members) }.sorted(by: Self.isBefore)
  }

  /// A source that was silent, and from when to when.
  private struct Silence {
    var source: Code
    var verdict: Verdict
    var since: Timestamp
    var until: Timestamp

    init?(_ verdict: Verdict) {
      guard verdict.rule == .a18, case .source(let code) = verdict.subject else { return nil }
      source = code
      self.verdict = verdict
      since = verdict.opened
      until = verdict.resolvedAt ?? .distantFuture
    }
  }

  /// Whether a missing answer would have come over a source that was silent when it was due.
  private func hangs(_ verdict: Verdict, on silence: Silence) -> Bool {
    guard verdict.patientKey != nil, verdict.rule.isSilence,
      let receiver = verdict.to
    else { return false }
    let source = policy.source(silence.source)
    // It had been silent for three intervals when that became an alert.
    let begin = silence.since.advanced(by: Elapsed(nanoseconds: 0 &- source.silence.nanoseconds))
    return source.organisations.contains(receiver) && begin <= verdict.opened
      && verdict.opened <= silence.until
  }

  private static func key(_ verdict: Verdict) -> AlertGroup.Key {
    let party: String =
      switch verdict.subject {
      case .source(let code): code.description
      case .bus: "baton"
      case .handoff, .person: verdict.from?.spoken ?? "unknown"
      }
    return AlertGroup.Key(
      party: party, rule: verdict.rule, hour: verdict.opened.minute / 60,
      alert: verdict.rule == .a18 ? verdict.alertID : nil)
  }

  private func group(_ key: AlertGroup.Key, _ members: [Verdict]) -> AlertGroup {
    let sorted = members.sorted { ($0.opened, $0.alertID) < ($1.opened, $1.alertID) }
    let lead =
      sorted.first { $0.alertID == key.alert }
      ?? sorted.filter { $0.action != .resolved }.max { $0.severity.weight < $1.severity.weight }
      ?? sorted.max { ($0.resolvedAt ?? $0.opened) < ($1.resolvedAt ?? $1.opened) }
    guard let lead else { preconditionFailure("a group has a member") }
    return AlertGroup(key: key, lead: lead, members: sorted)
  }

  private static func isBefore(_ left: AlertGroup, _ right: AlertGroup) -> Bool {
    let (one, other) = (left.severity.weight, right.severity.weight)
    return one == other ? (left.opened, left.key) < (right.opened, right.key) : one > other
  }
}

/// What people are told of groups while they watch: each fires once and resolves once.
public struct AlertNotices: Sendable {
  /// One line for people.
  public enum Notice: Hashable, Sendable {
    case fired(AlertGroup)
    case resolved(AlertGroup)

    public var group: AlertGroup {
      switch self {
      case .fired(let group), .resolved(let group): group
      }
    }
  }

  private let grouping: AlertGrouping
  private var alerts = LiveAlerts()
  /// The groups that were told of, and whether they stood open then.
  private var told: [AlertGroup.Key: Bool] = [:]

  public init(_ grouping: AlertGrouping) { self.grouping = grouping }

  /// Takes what there was before anybody watched: nobody is told of it again.
  public mutating func remember(_ verdicts: some Sequence<Verdict>) {
    for verdict in verdicts { alerts.insert(verdict) }
    _ = settle()
  }

  /// Takes new verdicts and says what follows from them, in the order of the groups.
  ///
  /// A group that comes to hang on a silent source is told of no more: the source was.
  public mutating func take(_ verdicts: some Sequence<Verdict>) -> [Notice] {
    var isNews = false
    for verdict in verdicts where alerts.insert(verdict) { isNews = true }
    return isNews ? settle() : []
  }

  private mutating func settle() -> [Notice] {
    var notices: [Notice] = []
    for group in grouping.groups(of: alerts.all) where told[group.key] != group.isOpen {
      // One that is over before anybody could be told that it began is told of once, as over.
      notices.append(group.isOpen ? .fired(group) : .resolved(group))
      told[group.key] = group.isOpen
    }
    return notices
  }
}

extension Severity {
  /// 0 for the least.
  var weight: Int {
    switch self {
    case .info: 0
    case .low: 1
    case .medium: 2
    case .high: 3
    case .critical: 4
    }
  }
}
