/// One handoff of a person: what is settled, and what may still be put in another order.
public struct Handoff: Hashable, Sendable {
  public var id: HandoffID
  /// The fold of every event known.
  public var current: HandoffFacts
  /// The fold of the events that nothing can overtake any more; `nil` while ``window`` is empty.
  public var settled: HandoffFacts?
  /// Events that arrived within W_reorder, in the order in which they happened.
  public var window: [Fact]
  /// Whether its request came for another key of the person.
  public var isTransferred: Bool

  public init(
    id: HandoffID, current: HandoffFacts, settled: HandoffFacts? = nil, window: [Fact] = [],
    isTransferred: Bool = false
  ) {
    self.isTransferred = isTransferred
    self.id = id
    self.current = current
    self.settled = settled
    self.window = window
  }
}

/// What is remembered of an event to know it again: about 60 bytes, for the policy's `memory`.
///
/// Reception, message key and content are compared and never said. A reducer keeps the last bytes
/// of them, as ids whose other bytes are zero (decision 0126).
public struct SeenEvent: Hashable, Sendable {
  public var eventID: EventID
  public var receptionID: ReceptionID
  public var messageKey: Token?
  public var contentMac: Token
  public var type: EventType
  public var arrivedAt: Timestamp
  public var hash: RecordHashPrefix
  public var offset: Int64
  /// The partition that ``offset`` is of; `nil` means the reducer's own.
  public var partition: Int32?
  /// Who said it; `nil` for the platform, and for what was stored before version 4 of the rules.
  public var spokenBy: OrganisationID?

  public init(
    eventID: EventID, receptionID: ReceptionID, messageKey: Token?, contentMac: Token,
    type: EventType, arrivedAt: Timestamp, hash: RecordHashPrefix, offset: Int64,
    partition: Int32? = nil, spokenBy: OrganisationID? = nil
  ) {
    self.partition = partition
    self.spokenBy = spokenBy
    self.eventID = eventID
    self.receptionID = receptionID
    self.messageKey = messageKey
    self.contentMac = contentMac
    self.type = type
    self.arrivedAt = arrivedAt
    self.hash = hash
    self.offset = offset
  }

  /// As a reducer keeps it.
  var abridged: SeenEvent {
    var event = self
    event.receptionID = ReceptionID(tail: receptionID.tail)
    event.messageKey = messageKey.map { Token(tail: $0.tail) }
    event.contentMac = Token(tail: contentMac.tail)
    return event
  }
}

/// A message that came again (A01), or whose id came with other content (A03); or a key in use that
/// a merge has done away with (A16).
public struct Repetition: Hashable, Sendable {
  /// `a01`, `a02`, `a03` or `a16`.
  public var rule: Rule
  /// The message key, or the event's id where the message has none; of A16 what stands for who uses
  /// the key.
  public var subject: Token
  public var handoffID: HandoffID?
  public var beganWith: EventID
  /// The arrival that was counted last: several events of one message count once.
  public var lastReceptionID: ReceptionID
  public var count: UInt32
  /// When the first repeat of the episode arrived.
  public var opened: Timestamp
  /// When the latest arrived.
  public var lastAt: Timestamp
  /// The first of its kind and the latest repeat.
  public var first: Witness
  public var latest: Witness
  /// The limb of the rule (A16).
  public var cause: Code?

  public init(
    rule: Rule, subject: Token, handoffID: HandoffID?, beganWith: EventID,
    lastReceptionID: ReceptionID, count: UInt32, opened: Timestamp, lastAt: Timestamp,
    first: Witness, latest: Witness, cause: Code? = nil
  ) {
    self.cause = cause
    self.rule = rule
    self.subject = subject
    self.handoffID = handoffID
    self.beganWith = beganWith
    self.lastReceptionID = lastReceptionID
    self.count = count
    self.opened = opened
    self.lastAt = lastAt
    self.first = first
    self.latest = latest
  }
}

/// An alert that was said, so that its next revision can be told from a new one.
public struct EmittedAlert: Hashable, Sendable {
  public var id: AlertID
  public var rule: Rule
  public var handoffID: HandoffID?
  public var beganWith: EventID
  /// What stands in for the event in the id of A01 and A03: the message.
  public var subject: Token?
  public var cause: Code?
  public var revision: UInt32
  public var isOpen: Bool
  public var opened: Timestamp
  public var count: UInt32
  /// The source that could carry the answer and is not complete up to ``opened``: not judged yet.
  public var hangsOn: Code?
  /// Whether it was said that it is not judged yet.
  public var isUndetermined = false
  /// When it was answered, too late as far as is known, while ``hangsOn`` may know of an earlier answer.
  public var answeredAt: Timestamp?

  /// Whether something must still resolve it: it is open, or waits to be judged.
  var isStanding: Bool { isOpen || hangsOn != nil }

  public init(
    id: AlertID, rule: Rule, handoffID: HandoffID?, beganWith: EventID, subject: Token?,
    cause: Code?, revision: UInt32, isOpen: Bool, opened: Timestamp, count: UInt32
  ) {
    self.id = id
    self.rule = rule
    self.handoffID = handoffID
    self.beganWith = beganWith
    self.subject = subject
    self.cause = cause
    self.revision = revision
    self.isOpen = isOpen
    self.opened = opened
    self.count = count
  }
}

/// Everything the reducer holds of one person; nothing else of the past matters for the future.
public struct Person: Hashable, Sendable {
  public var key: PatientKey
  /// In the order of their ids.
  public var handoffs: [Handoff] = []
  /// In the order of arrival.
  public var seen: [SeenEvent] = []
  /// In the order in which they began.
  public var repetitions: [Repetition] = []
  /// In the order in which they were first said.
  public var alerts: [EmittedAlert] = []
  /// The latest word on readiness for discharge, by when it happened.
  public var readinessSaid: Witness?
  /// From when T_start of a discharge runs: the date that was said, or the moment of its withdrawal.
  public var dischargeReadyAt: Timestamp?
  /// The keys that stand, or stood, for the same person; in the order in which they were learned.
  public var links: [KeyLink] = []
  /// What was said of the stay, in the order in which it happened.
  public var stay: [StayMark] = []
  /// Events of the stay and evidence without a handoff: kept only as counted and seen.
  public var unlinkedCount: UInt32 = 0

  public init(key: PatientKey) {
    self.key = key
  }

  /// As a reducer keeps it: of ids that are only compared, the last bytes.
  public var abridged: Person {
    var person = self
    person.seen = seen.map(\.abridged)
    return person
  }
}

/// What a partition holds beside its persons.
public struct PartitionState: Hashable, Sendable {
  /// The greatest broker timestamp seen.
  public var time: Timestamp
  /// The offset after the last record applied.
  public var nextOffset: Int64
  public var books: Books
  /// Every policy that was in force here, the first at the start, and those that judge what came
  /// from other partitions; a handoff keeps its own.
  public var activations: [RulesActivation]
  /// Which of them is in force.
  public var inForce: UInt16
  /// The latest word on each source, by its code.
  public var sources: [Code: SourceState]
  /// By source, the organisations whose word it has carried; at most 1,024 pairs in all.
  public var carriage: [Code: Set<OrganisationID>] = [:]
  /// What is wrong with the bus itself here, in the order in which it began; empty nearly always.
  public var defects: [Defect] = []

  public init(
    time: Timestamp = .distantPast, nextOffset: Int64 = 0, books: Books = Books(),
    activations: [RulesActivation], sources: [Code: SourceState] = [:], inForce: UInt16? = nil
  ) {
    self.inForce = inForce ?? UInt16(clamping: activations.count - 1)
    self.time = time
    self.nextOffset = nextOffset
    self.books = books
    self.activations = activations
    self.sources = sources
  }
}
