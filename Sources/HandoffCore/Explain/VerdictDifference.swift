/// What another policy makes of the same history: which alerts appear, which vanish, which move.
///
/// Alerts are compared by id, which is of rule, subject and the event that began the episode, so the
/// same episode has the same id under both. The policy itself is no difference.
public struct VerdictDifference: Hashable, Sendable {
  public enum Change: String, CaseIterable, Hashable, Sendable {
    /// Only the policy after says it.
    case appears
    /// Only the policy before says it.
    case vanishes
    /// Both do, due at another moment.
    case moves
    /// Due at the same moment, and otherwise another: resolved at another, or not at all.
    case ends
  }

  /// One alert that is not the same.
  public struct Entry: Hashable, Sendable {
    public var change: Change
    /// The last word on the alert under each policy; at least one is there.
    public var before: Verdict?
    public var after: Verdict?

    fileprivate init(change: Change, before: Verdict?, after: Verdict?) {
      self.change = change
      self.before = before
      self.after = after
    }
  }

  /// How many alerts of one rule and kind change in one way.
  public struct Count: Hashable, Sendable {
    public var rule: Rule
    /// `nil` for alerts that are about no handoff of a kind.
    public var kind: HandoffKind?
    public var change: Change
    public var count: Int
  }

  /// By rule, then by when it was due, then by id.
  public let entries: [Entry]
  /// Alerts that are the same under both.
  public let unchangedCount: Int

  public init(before: some Sequence<Verdict>, after: some Sequence<Verdict>) {
    let (old, new) = (LiveAlerts(before), LiveAlerts(after))
    var entries: [Entry] = []
    var unchanged = 0
    for verdict in old.all {
      guard let other = new[verdict.alertID] else {
        entries.append(Entry(change: .vanishes, before: verdict, after: nil))
        continue
      }
      if verdict.opened != other.opened {
        entries.append(Entry(change: .moves, before: verdict, after: other))
      } else if verdict.resolvedAt != other.resolvedAt || verdict.action != other.action {
        entries.append(Entry(change: .ends, before: verdict, after: other))
      } else {
        unchanged += 1
      }
    }
    for verdict in new.all where old[verdict.alertID] == nil {
      entries.append(Entry(change: .appears, before: nil, after: verdict))
    }
    self.entries = entries.sorted { $0.order < $1.order }
    unchangedCount = unchanged
  }

  public var isEmpty: Bool { entries.isEmpty }

  /// By rule, kind and change, in this order.
  public var counts: [Count] {
    var counts: [Count] = []
    for entry in entries {
      let verdict = entry.verdict
      if let index = counts.firstIndex(where: {
        $0.rule == verdict?.rule && $0.kind == verdict?.kind && $0.change == entry.change
      }) {
        counts[index].count += 1
      } else if let verdict {
        counts.append(
          Count(rule: verdict.rule, kind: verdict.kind, change: entry.change, count: 1))
      }
    }
    return counts.sorted { $0.order < $1.order }
  }
}

extension VerdictDifference.Entry {
  /// The alert as the policy after has it, or before where it vanishes.
  public var verdict: Verdict? { after ?? before }

  fileprivate var order: (String, Timestamp, AlertID) {
    guard let verdict else { return ("", .distantPast, AlertID(rawValue: 0)) }
    return (verdict.rule.rawValue, verdict.opened, verdict.alertID)
  }
}

extension VerdictDifference.Count {
  fileprivate var order: (String, String, String) {
    (rule.rawValue, kind?.description ?? "", change.rawValue)
  }
}
