/// The anomaly kinds of domain.md §3.1.
public enum Rule: String, CaseIterable, Hashable, Comparable, Sendable {
  case a01 = "A01"
  case a02 = "A02"
  case a03 = "A03"
  case a04 = "A04"
  case a05 = "A05"
  case a06 = "A06"
  case a07 = "A07"
  case a08 = "A08"
  case a09 = "A09"
  case a10 = "A10"
  case a11 = "A11"
  case a12 = "A12"
  case a13 = "A13"
  case a14 = "A14"
  case a15 = "A15"
  case a16 = "A16"
  case a17 = "A17"
  case a18 = "A18"
  case a19 = "A19"
  case a20 = "A20"
  case a21 = "A21"
  case a22 = "A22"
  case a23 = "A23"
  case a24 = "A24"
  case a25 = "A25"
  case a26 = "A26"
  case a27 = "A27"

  public static func < (left: Rule, right: Rule) -> Bool { left.rawValue < right.rawValue }
}

/// How much harm an anomaly can do if nobody acts.
public enum Severity: String, CaseIterable, Hashable, Sendable {
  case info, low, medium, high, critical
}

/// What the reducer says of one alert, at one revision.
///
/// (`alertID`, `revision`) makes delivery idempotent: the same pair is the same verdict.
public struct Verdict: Hashable, Sendable {
  /// What this revision does to the alert.
  public enum Action: String, CaseIterable, Hashable, Sendable {
    case opened, changed, resolved
    /// Not to be judged while a source that could carry the answer is behind.
    case undetermined
  }

  public var alertID: AlertID
  /// Counts up from 1.
  public var revision: UInt32
  public var rule: Rule
  public var action: Action
  public var severity: Severity

  public var patientKey: PatientKey
  public var handoffID: HandoffID?
  /// The event that began this episode.
  public var beganWith: EventID
  public var state: HandoffState?
  public var from: OrganisationID?
  public var to: OrganisationID?
  public var kind: HandoffKind?
  public var priority: Priority?
  /// The limb of the rule, where it has several, such as `hold` or `feedback`.
  public var cause: Code?
  /// How many records the episode rests on, such as repeats of one message.
  public var count: UInt32

  /// The moment it was due, not the moment it became known.
  public var opened: Timestamp
  /// Partition time when the reducer said so.
  ///
  /// Not part of the canonical form.
  public var knownAt: Timestamp
  /// When the answer came (`resolved` only).
  public var resolvedAt: Timestamp?

  public var evidence: [Evidence]
  public var rulesVersion: UInt32
  public var policyHash: RecordHash
  /// The offset read up to.
  ///
  /// Not part of the canonical form.
  public var readUpTo: Int64

  /// How late the answer was: resolved − opened.
  public var lateness: Elapsed? { resolvedAt.map { $0.since(opened) } }

  /// Makes a verdict; see the properties.
  public init(
    alertID: AlertID, revision: UInt32, rule: Rule, action: Action, severity: Severity,
    patientKey: PatientKey, handoffID: HandoffID?, beganWith: EventID, opened: Timestamp,
    knownAt: Timestamp, evidence: [Evidence], rulesVersion: UInt32, policyHash: RecordHash,
    readUpTo: Int64, count: UInt32 = 1
  ) {
    self.alertID = alertID
    self.revision = revision
    self.rule = rule
    self.action = action
    self.severity = severity
    self.patientKey = patientKey
    self.handoffID = handoffID
    self.beganWith = beganWith
    self.opened = opened
    self.knownAt = knownAt
    self.evidence = evidence
    self.rulesVersion = rulesVersion
    self.policyHash = policyHash
    self.readUpTo = readUpTo
    self.count = count
  }
}

/// A record that a verdict rests on.
public struct Evidence: Hashable, Sendable {
  public var eventID: EventID
  public var hash: RecordHash
  /// Where it was read.
  ///
  /// Not part of the canonical form.
  public var coordinates: RecordCoordinates?

  public init(eventID: EventID, hash: RecordHash, coordinates: RecordCoordinates? = nil) {
    self.eventID = eventID
    self.hash = hash
    self.coordinates = coordinates
  }
}

/// Where one handoff stands (domain.md §2.3).
public enum HandoffState: String, CaseIterable, Hashable, Sendable {
  case requested = "Requested"
  case inTransit = "InTransit"
  case delivered = "Delivered"
  case received = "Received"
  case onHold = "OnHold"
  case accepted = "Accepted"
  case booked = "Booked"
  case started = "Started"
  /// Not terminal while feedback is owed.
  case completed = "Completed"
  case closed = "Closed"
  case rejected = "Rejected"
  case redirected = "Redirected"
  case cancelled = "Cancelled"
  case voided = "Voided"
  case failed = "Failed"
  case expired = "Expired"

  /// Whether nothing but late evidence, voiding and next steps can follow.
  public var isTerminal: Bool {
    switch self {
    case .closed, .rejected, .redirected, .cancelled, .voided, .failed, .expired: true
    case .requested, .inTransit, .delivered, .received, .onHold, .accepted, .booked, .started,
      .completed:
      false
    }
  }
}
