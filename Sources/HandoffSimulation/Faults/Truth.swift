package import HandoffCore

/// What really happened: one thing that should be found, or that only looks so.
package struct Truth: Hashable, Sendable {
  package var fault: Fault
  /// The rule that should speak; `nil` for what is benign: expect nothing.
  package var rule: Rule?
  package var subject: Verdict.Subject
  package var kind: HandoffKind?
  /// When it happened.
  package var happenedAt: Timestamp
  /// When it can be known at the earliest: a deadline, or the arrival of what gives it away.
  package var knowableAt: Timestamp

  package init(
    fault: Fault, rule: Rule?, subject: Verdict.Subject, kind: HandoffKind? = nil,
    happenedAt: Timestamp, knowableAt: Timestamp
  ) {
    self.fault = fault
    self.rule = rule
    self.subject = subject
    self.kind = kind
    self.happenedAt = happenedAt
    self.knowableAt = knowableAt
  }
}
