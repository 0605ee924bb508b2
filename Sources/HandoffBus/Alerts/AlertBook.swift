package import HandoffCodecs
package import HandoffCore

/// One alert: its newest revision, and how it came there.
package struct Alert: Hashable, Sendable {
  /// Every revision known, by number.
  package private(set) var revisions: [Verdict]

  /// The newest revision.
  package var latest: Verdict { revisions[revisions.count - 1] }
  package var id: AlertID { latest.alertID }
  /// Whether somebody still has to act.
  package var isOpen: Bool { latest.action != .resolved }

  init(_ verdict: Verdict) { revisions = [verdict] }

  /// Returns whether the revision was new.
  mutating func take(_ verdict: Verdict) -> Bool {
    let place = revisions.firstIndex { $0.revision >= verdict.revision } ?? revisions.count
    if place < revisions.count, revisions[place].revision == verdict.revision { return false }
    revisions.insert(verdict, at: place)
    return true
  }
}

/// The alerts as the verdicts make them: delivered twice or out of order, the result is the same.
package struct AlertBook: Sendable {
  package private(set) var byID: [AlertID: Alert] = [:]
  /// Records of the topic that could not be read, by the code of the fault.
  package private(set) var unreadable: [WireError.Fault: Int] = [:]

  package init() {}

  /// Returns whether the verdict says something new: the same (id, revision) is the same verdict.
  @discardableResult
  package mutating func take(_ verdict: Verdict) -> Bool {
    guard byID[verdict.alertID] != nil else {
      byID[verdict.alertID] = Alert(verdict)
      return true
    }
    return byID[verdict.alertID]?.take(verdict) ?? false
  }

  /// Counts a record that is no verdict this version can read: another writer's, or a newer one's.
  package mutating func passOver(_ error: WireError) {
    unreadable[error.fault, default: 0] += 1
  }

  /// What to tell of records that could not be read; `nil` where there are none.
  package var warning: String? {
    guard !unreadable.isEmpty else { return nil }
    let count = unreadable.values.reduce(0, +)
    let codes = unreadable.keys.map(\.rawValue).sorted().joined(separator: ", ")
    return "\(count) record\(count == 1 ? "" : "s") of \(Topic.alerts.name) cannot be read here "
      + "(\(codes)): alerts may be missing from this answer"
  }

  /// All alerts, the gravest and then the oldest first.
  package var alerts: [Alert] {
    byID.values.sorted { left, right in
      let ranks = (left.latest.severity.rank, right.latest.severity.rank)
      if ranks.0 != ranks.1 { return ranks.0 > ranks.1 }
      return (left.latest.opened, left.id) < (right.latest.opened, right.id)
    }
  }

  /// The alerts whose id begins with `prefix`, in hexadecimal: what a person types.
  package func alerts(withPrefix prefix: String) -> [Alert] {
    let wanted = prefix.lowercased().filter { $0 != "-" }
    return byID.values.filter { $0.id.description.hasPrefix(wanted) }
      .sorted { $0.id < $1.id }
  }
}

extension Severity {
  /// 0 for the least.
  package var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
