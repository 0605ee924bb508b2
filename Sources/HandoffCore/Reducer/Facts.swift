/// A record that said something: enough to prove it and to time it.
public struct Witness: BitwiseCopyable, Hashable, Sendable {
  public var eventID: EventID
  public var hash: RecordHashPrefix
  /// Broker time of the record, never below partition time: what answers are judged by.
  public var arrivedAt: Timestamp
  /// When it happened, as the source says: what clinical clocks start from.
  public var occurredAt: Timestamp
  /// Where it stands in ``partition``.
  public var offset: Int64
  /// The partition it was read from; `nil` means the reducer's own.
  public var partition: Int32?

  public init(
    eventID: EventID, hash: RecordHashPrefix, arrivedAt: Timestamp, occurredAt: Timestamp,
    offset: Int64, partition: Int32? = nil
  ) {
    self.partition = partition
    self.eventID = eventID
    self.hash = hash
    self.arrivedAt = arrivedAt
    self.occurredAt = occurredAt
    self.offset = offset
  }
}

/// What the lifecycle needs of an event: without identity, references and the hashes of repeats.
public struct Fact: Hashable, Sendable {
  public var witness: Witness
  public var type: EventType
  public var speaker: SpeakerRole
  public var spokenBy: OrganisationID?
  public var from: OrganisationID?
  public var to: OrganisationID?
  public var kind: HandoffKind?
  public var priority: Priority?
  /// Services that share the care, beside the receiver.
  public var cc: [OrganisationID] = []
  /// The low 48 bits of the content's MAC: equal for the same request sent again.
  public var contentHash: UInt64 = 0
  public var needKey: Token?
  public var needCode: Code?
  public var journeyID: Token?
  public var parentHandoffID: HandoffID?
  public var newHandoffID: HandoffID?
  public var reason: Code?
  public var rail: Code
  public var bookedFor: Timestamp?
  public var dischargeReadyAt: Timestamp?
  public var isFeedbackOwed: Bool?
  public var isBackfill: Bool
  /// The same request again after Failed: ``witness`` says when it was tried again, as `occurredAt`.
  public var isRetry: Bool
  /// The version that a request or amendment makes, or that an answer is about: the low bits of its
  /// name, 0 where none is said.
  public var version: UInt32 = 0
  /// The most services that are taken for sharing the care.
  public static let ccMax = 16
  /// Which of ``PartitionState/activations`` was in force when it arrived.
  public var policy: UInt16

  public init(
    witness: Witness, type: EventType, speaker: SpeakerRole, rail: Code, policy: UInt16,
    isBackfill: Bool = false, isRetry: Bool = false
  ) {
    self.witness = witness
    self.type = type
    self.speaker = speaker
    self.rail = rail
    self.policy = policy
    self.isBackfill = isBackfill
    self.isRetry = isRetry
  }

  /// In place, where an event would be copied to be lent.
  @inline(__always)
  init(_ event: borrowing HandoffEvent, witness: Witness, policy: UInt16, isRetry: Bool) {
    self.witness = witness
    self.policy = policy
    self.isRetry = isRetry
    type = event.type
    speaker = event.speaker
    rail = event.rail
    isBackfill = event.isBackfill
    spokenBy = event.spokenBy
    from = event.from?.organisation
    to = event.to?.organisation
    kind = event.kind
    priority = event.priority
    needKey = event.needKey
    needCode = event.needCode
    if !event.cc.isEmpty { cc = event.cc.prefix(Fact.ccMax).map(\.organisation) }
    contentHash = event.contentMac.tail
    journeyID = event.journeyID
    parentHandoffID = event.parentHandoffID
    newHandoffID = event.newHandoffID
    reason = event.reason
    bookedFor = event.bookedFor
    dischargeReadyAt = event.dischargeReadyAt
    isFeedbackOwed = event.isFeedbackOwed
    version = Self.version(event.version ?? event.answers)
  }

  /// The low bits of a version's name.
  @inline(__always) static func version(_ name: Token?) -> UInt32 {
    UInt32(truncatingIfNeeded: name?.rawValue ?? 0)
  }
}

/// A step of the lifecycle that a clock or a verdict refers to, and who witnessed it.
public struct Mark: BitwiseCopyable, Hashable, Sendable {
  public enum Step: UInt8, BitwiseCopyable, CaseIterable, Hashable, Sendable {
    case requested, transportAccepted, acknowledged, held, released, accepted, booked
    case notAttended, started, completed, feedbackSent, feedbackAcknowledged, amended, ended
    case disposition
  }

  public var step: Step
  public var witness: Witness

  public init(step: Step, witness: Witness) {
    self.step = step
    self.witness = witness
  }
}

/// Something that a flagged cell of the transition table, or a speaker out of turn, brought to
/// light about a handoff.
public struct Finding: Hashable, Sendable {
  public var rule: Rule
  public var cause: Code?
  public var witness: Witness
  /// From when on it is an alert.
  public var due: Timestamp
  /// Whether the handoff had already ended, so that its end answers nothing.
  public var wasTerminal: Bool

  public init(rule: Rule, cause: Code?, witness: Witness, due: Timestamp, wasTerminal: Bool) {
    self.rule = rule
    self.cause = cause
    self.witness = witness
    self.due = due
    self.wasTerminal = wasTerminal
  }
}

/// What is known of one handoff: the fold of its events in the order in which they happened.
public struct HandoffFacts: Hashable, Sendable {
  public var state: HandoffState = .requested
  /// Where InfoRequested found it, for the Amended that returns there.
  public var stateBeforeHold: HandoffState = .requested
  /// Where the event that ended it found it.
  public var stateBeforeEnd: HandoffState = .requested
  /// False while only answers are known: they wait in ``pending``.
  public var isRequested = false
  public var isBackfill = false
  public var isFeedbackOwed = false
  public var isDocument = false
  /// Whether the end was said by the platform, so that any word of the receiver refutes it.
  public var isEndedByPlatform = false
  public var policy: UInt16 = 0
  /// How the request travelled that the transport accepted.
  public var rail: Code?
  public var from: OrganisationID?
  public var to: OrganisationID?
  public var acceptedBy: OrganisationID?
  public var kind: HandoffKind?
  public var priority: Priority?
  public var needKey: Token?
  public var needCode: Code?
  public var journeyID: Token?
  public var parentHandoffID: HandoffID?
  public var newHandoffID: HandoffID?
  public var endReason: Code?
  /// Services that share the care: what they accept or start is no second acceptance (A05).
  public var cc: [OrganisationID] = []
  /// Of the request: the same content again is a repeat and no amendment.
  public var requestHash: UInt64 = 0
  public var bookedFor: Timestamp?
  public var dischargeReadyAt: Timestamp?
  /// The finished pauses of T_accept, capped.
  public var paused: Elapsed = .zero
  /// Whether the receiver was heard after the amendment that ``marks`` hold (A24).
  public var isAmendmentSeen = false
  /// The name of the version that stands, 0 where it has none; see ``Fact/version``.
  public var version: UInt32 = 0
  /// The names of those that amendments replaced; the oldest go first.
  public var oldVersions: [UInt32] = []
  /// The most old versions that an answer is held against.
  public static let oldVersionsMax = 8
  /// At most one of each step, the first or the latest as the step has it.
  public var marks: [Mark] = []
  public var findings: [Finding] = []
  /// Illegal so far, in order; tried again after every change of state.
  public var pending: [Fact] = []
  /// Events that changed nothing, by why.
  public var sameCount: UInt32 = 0
  public var lateCount: UInt32 = 0
  public var duplicateCount: UInt32 = 0

  public init() {}

  /// The witness of a step, if it was taken.
  public func witness(of step: Mark.Step) -> Witness? {
    for mark in marks where mark.step == step { return mark.witness }
    return nil
  }
}
