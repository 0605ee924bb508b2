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

  /// What a verdict is about.
  public enum Subject: Hashable, Sendable {
    case handoff(HandoffID, of: PatientKey)
    case person(PatientKey)
    /// A source of events, by its code.
    case source(Code)
    /// The bus itself: an alert about ourselves.
    case bus

    public init(_ key: PatientKey, handoffID: HandoffID?) {
      self = handoffID.map { .handoff($0, of: key) } ?? .person(key)
    }

    public var patientKey: PatientKey? {
      switch self {
      case .handoff(_, let key), .person(let key): key
      case .source, .bus: nil
      }
    }

    public var handoffID: HandoffID? {
      if case .handoff(let id, _) = self { id } else { nil }
    }

    /// What its records are keyed by: the patient key, the source's code, or `baton`.
    public var recordKey: String {
      switch self {
      case .handoff(_, let key), .person(let key): key.description
      case .source(let code): code.description
      case .bus: "baton"
      }
    }
  }

  public var alertID: AlertID
  /// Counts up from 1.
  public var revision: UInt32
  public var rule: Rule
  public var action: Action
  public var severity: Severity

  public var subject: Subject
  /// The event that began this episode; `nil` where no event of a person did.
  public var beganWith: EventID?
  public var state: HandoffState?
  public var from: OrganisationID?
  public var to: OrganisationID?
  public var kind: HandoffKind?
  public var priority: Priority?
  /// The limb of the rule, where it has several, such as `hold` or `feedback`.
  public var cause: Code?
  /// The source that could carry the answer and is behind (`undetermined` only).
  public var hangsOn: Code?
  /// Who took over the work of a party that is closed (A17).
  public var successor: OrganisationID?
  /// The register of organisations that it rests on (A17).
  public var registerHash: RecordHash?
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
  /// The profile of that policy that was in force, such as `winter`.
  public var profile: Code?
  /// The offset read up to.
  ///
  /// Not part of the canonical form.
  public var readUpTo: Int64

  /// How late the answer was: resolved − opened.
  public var lateness: Elapsed? { resolvedAt.map { $0.since(opened) } }

  /// The person, where it is about one.
  public var patientKey: PatientKey? { subject.patientKey }
  /// The handoff, where it is about one.
  public var handoffID: HandoffID? { subject.handoffID }

  /// Makes a verdict; see the properties.
  public init(
    alertID: AlertID, revision: UInt32, rule: Rule, action: Action, severity: Severity,
    subject: Subject, beganWith: EventID?, opened: Timestamp,
    knownAt: Timestamp, evidence: [Evidence], rulesVersion: UInt32, policyHash: RecordHash,
    readUpTo: Int64, count: UInt32 = 1
  ) {
    self.alertID = alertID
    self.revision = revision
    self.rule = rule
    self.action = action
    self.severity = severity
    self.subject = subject
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
  /// The event it holds; `nil` for a record that holds none.
  public var eventID: EventID?
  /// Of the record's value; of what a reducer of people remembers, the half that it keeps.
  public var hash: RecordHash
  /// Where it was read.
  ///
  /// Not part of the canonical form.
  public var coordinates: RecordCoordinates?

  public init(eventID: EventID?, hash: RecordHash, coordinates: RecordCoordinates? = nil) {
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
