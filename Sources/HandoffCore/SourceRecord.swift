/// One record of the sources topic (F6): what a connector says of itself.
public enum SourceRecord: Hashable, Sendable {
  case heartbeat(SourceHeartbeat)
  case reception(SourceReception)
  case refusal(SourceRefusal)
  case orphan(SourceOrphan)
  case conflict(SourceConflict)
  case condition(SourceCondition)

  public var source: Code {
    switch self {
    case .heartbeat(let heartbeat): heartbeat.source
    case .reception(let reception): reception.source
    case .refusal(let refusal): refusal.source
    case .orphan(let orphan): orphan.source
    case .conflict(let conflict): conflict.source
    case .condition(let condition): condition.source
    }
  }

  /// When the connector said so, by its own clock.
  public var at: Timestamp {
    switch self {
    case .heartbeat(let heartbeat): heartbeat.at
    case .reception(let reception): reception.at
    case .refusal(let refusal): refusal.at
    case .orphan(let orphan): orphan.at
    case .conflict(let conflict): conflict.at
    case .condition(let condition): condition.at
    }
  }
}

/// A connector is alive; everything it received up to `completeUpTo` has been handed over.
public struct SourceHeartbeat: Hashable, Sendable {
  public var source: Code
  public var at: Timestamp
  public var completeUpTo: Timestamp?
  public var lastSequence: UInt64?
  /// Frames taken in since the source was first started.
  public var framesTotal: UInt64
  public var eventsTotal: UInt64
  public var refusalsTotal: UInt64

  public init(
    source: Code, at: Timestamp, completeUpTo: Timestamp?, lastSequence: UInt64?,
    framesTotal: UInt64, eventsTotal: UInt64, refusalsTotal: UInt64
  ) {
    self.source = source
    self.at = at
    self.completeUpTo = completeUpTo
    self.lastSequence = lastSequence
    self.framesTotal = framesTotal
    self.eventsTotal = eventsTotal
    self.refusalsTotal = refusalsTotal
  }
}

/// One arrival: what the source reducer counts repeats and gaps by.
public struct SourceReception: Hashable, Sendable {
  public var source: Code
  public var receptionID: ReceptionID
  public var messageKey: Token?
  public var contentMac: Token?
  public var sequence: UInt64?
  public var at: Timestamp
  /// The content code of the first event of the message: the same however a sender stamps it anew.
  public var eventMac: Token?
  /// Stands for the person the message is about, where it names one: two of one message id are A03.
  public var subject: Token?
  /// When the sender made the message, by its own clock (MSH-7).
  public var recordedAt: Timestamp?
  /// The latest moment at which it says that something happened.
  public var occurredAt: Timestamp?
  /// A time without zone lies in the hour that comes twice.
  public var isTimeDoubtful = false
  /// History that is loaded later: its times are not held against the clock.
  public var isBackfill = false

  public init(
    source: Code, receptionID: ReceptionID, messageKey: Token?, contentMac: Token?,
    sequence: UInt64?, at: Timestamp
  ) {
    self.source = source
    self.receptionID = receptionID
    self.messageKey = messageKey
    self.contentMac = contentMac
    self.sequence = sequence
    self.at = at
  }
}

/// One arrival that could not be mapped, and was answered as such.
public struct SourceRefusal: Hashable, Sendable {
  public var source: Code
  public var receptionID: ReceptionID
  /// Why, as a code of ours such as `hl7.segment-missing`.
  public var reason: Code
  /// Which field, as its standard names it: `PID-3`, `Bundle.entry[2]`.
  public var field: String?
  public var at: Timestamp
  /// Its sequence number, where it could be read.
  public var sequence: UInt64?
  /// It was taken in all the same, such as a number whose check digit is wrong, kept as untraced.
  public var isWarning = false

  public init(
    source: Code, receptionID: ReceptionID, reason: Code, field: String?, at: Timestamp
  ) {
    self.source = source
    self.receptionID = receptionID
    self.reason = reason
    self.field = field
    self.at = at
  }
}

/// An answer whose request nobody has sent (A13); said once for each reference, and once more when
/// the request has come after all.
public struct SourceOrphan: Hashable, Sendable {
  public var source: Code
  public var receptionID: ReceptionID
  /// What it answers, as a keyed hash.
  public var reference: Token
  /// Where the reference was read, such as `MSH-10`.
  public var system: Code
  /// When the answer was received: the source's onboarding date is held against it.
  public var receivedAt: Timestamp
  /// The request has come, and the answer is published with it.
  public var isResolved: Bool
  public var at: Timestamp

  public init(
    source: Code, receptionID: ReceptionID, reference: Token, system: Code,
    receivedAt: Timestamp, isResolved: Bool, at: Timestamp
  ) {
    self.source = source
    self.receptionID = receptionID
    self.reference = reference
    self.system = system
    self.receivedAt = receivedAt
    self.isResolved = isResolved
    self.at = at
  }
}

/// An id that belongs to one person, or to a handoff of one person, arrived with another person:
/// evidence for A16.
///
/// Nothing was linked and nothing was moved.
public struct SourceConflict: Hashable, Sendable {
  public var source: Code
  public var receptionID: ReceptionID
  /// The id, as a keyed hash.
  public var reference: Token
  /// Where it was read, such as `PID-3`.
  public var system: Code
  /// The person that the id belongs to.
  public var knownKey: PatientKey
  /// The person that the message is about.
  public var namedKey: PatientKey
  public var at: Timestamp

  public init(
    source: Code, receptionID: ReceptionID, reference: Token, system: Code,
    knownKey: PatientKey, namedKey: PatientKey, at: Timestamp
  ) {
    self.source = source
    self.receptionID = receptionID
    self.reference = reference
    self.system = system
    self.knownKey = knownKey
    self.namedKey = namedKey
    self.at = at
  }
}

/// How something stands that will one day stop a source or ingest itself: said when it changes, and
/// once a day.
///
/// Nothing happened yet: whoever judges holds the reading against a time or a level of its own. A
/// source that only has conditions sends no heartbeats, and its silence means nothing.
public struct SourceCondition: Hashable, Sendable {
  /// The connector, or ``ingest`` where it is of no connector.
  public var source: Code
  /// Which thing of the source, such as `certificate`, `kafka/ingest` or `correlation`.
  ///
  /// A newer record of the same source and subject takes the place of an older one.
  public var subject: Code
  public var reading: Reading
  public var at: Timestamp

  /// What was read.
  public enum Reading: Hashable, Sendable {
    /// A certificate, or one of those by which others are believed: the first of its chain ends
    /// at `endsAt`, `nil` where that cannot be read. `fault` says why it cannot be used already:
    /// `certificate.expired`, `certificate.early`, `certificate.unusable`.
    case certificate(endsAt: Timestamp?, fault: Code?)
    /// A table that stops intake when it is full.
    case fill(entries: UInt64, entriesMax: UInt64)
  }

  /// Stands in as the source for what belongs to ingest itself.
  public static let ingest = Code(known: "baton-ingest")

  public init(source: Code, subject: Code, reading: Reading, at: Timestamp) {
    self.source = source
    self.subject = subject
    self.reading = reading
    self.at = at
  }
}
