package import HandoffCore

/// An alert about ourselves: something in the bus, not in the care, is not as it must be.
package struct SelfAlert: Hashable, Sendable {
  /// What is wrong.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    /// A record could not be read; it counts as a tick.
    case recordUnreadable = "record-unreadable"
    /// A record lies in a partition that its key does not belong to; it counts as a tick.
    case wrongPartition = "wrong-partition"
    /// A record is not stamped by a writer of ours; it moves nothing.
    case recordForged = "record-forged"
    /// A frame from outside the boundary was refused: damaged, sent again, or another's.
    case frameRefused = "frame-refused"
    /// The log is shorter than what was already read from it.
    case logTruncated = "log-truncated"
    /// Our clock is more than five minutes off the broker's.
    case clockSkewed = "clock-skewed"
    /// The policy in force on the log is one that nobody gave us.
    case policyUnknown = "policy-unknown"
    /// The books of a partition do not balance.
    case booksUnbalanced = "books-unbalanced"
    /// A transfer on the log is not the one that its cause gives.
    case transferDiffers = "transfer-differs"

    /// The rule under which it is a verdict on the alerts topic.
    package var rule: Rule {
      switch self {
      case .recordUnreadable: .s01
      case .wrongPartition: .s02
      case .logTruncated: .s03
      case .clockSkewed: .s04
      case .policyUnknown: .s05
      case .booksUnbalanced: .s06
      case .transferDiffers: .s07
      case .recordForged, .frameRefused: .s08
      }
    }
  }

  package var kind: Kind
  /// Where, as far as it has a place.
  package var coordinates: RecordCoordinates?
  /// The cause as a code, such as `wire.malformed`; never a value.
  package var cause: Code?

  package init(_ kind: Kind, at coordinates: RecordCoordinates? = nil, cause: Code? = nil) {
    self.kind = kind
    self.coordinates = coordinates
    self.cause = cause
  }
}

extension Verdict {
  /// What only a process can see of the bus, and no reducer in its records (decision 0020).
  ///
  /// The same episode has the same id, so that saying it again after a crash says nothing new.
  init(of alert: SelfAlert, at time: Timestamp, episode: String, policyHash: RecordHash) {
    let rule = alert.kind.rule
    self.init(
      alertID: AlertID(
        rule: rule, partition: alert.coordinates?.partition ?? 0, episode: Array(episode.utf8),
        cause: alert.cause),
      revision: 1, rule: rule, action: .opened, severity: rule.severity, subject: .bus,
      beganWith: nil, opened: time, knownAt: time, evidence: [],
      rulesVersion: PersonReducer.rulesVersion, policyHash: policyHash,
      readUpTo: alert.coordinates?.offset ?? 0)
    cause = alert.cause
  }
}
