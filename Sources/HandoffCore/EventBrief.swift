/// What every event is asked for, whoever it is about: whom it concerns, what it is known again by, and
/// what it says of its handoff.
///
/// Less than two thirds of a ``HandoffEvent``, and but one list, so that a reader fills it without an
/// allocation. What else an event says is left where it stands until somebody asks, see ``HeldEvent``.
public struct EventBrief: Hashable, Sendable {
  package var id: EventID
  package var patientKey: PatientKey
  package var newPatientKey: PatientKey?
  package var handoffID: HandoffID?
  package var source: Code
  package var originalAt: Timestamp?
  /// Whether it says where it stood before a merge forwarded it.
  package var isForwarded = false
  /// What it says of its handoff, witnessed by nobody yet.
  package var said: Fact
  // Of what is only compared the last bytes, as a reducer keeps them (decision 0126).
  private(set) var receptionTail: UInt32 = 0
  private(set) var messageTail: UInt64?
  private var versionTail: UInt32?
  private var answersTail: UInt32?

  /// The brief of a whole event.
  package init(_ event: borrowing HandoffEvent) {
    id = event.id
    patientKey = event.patientKey
    newPatientKey = event.newPatientKey
    handoffID = event.handoffID
    source = event.source
    originalAt = event.originalAt
    isForwarded = event.original != nil
    said = Fact(event, witness: .none, policy: 0, isRetry: false)
    said.version = 0
    occurredAt = event.occurredAt
    receptionID = event.receptionID
    messageKey = event.messageKey
    version = event.version
    answers = event.answers
  }

  /// Of no event: for a reader to fill.
  fileprivate init() {
    id = EventID(rawValue: 0)
    patientKey = PatientKey(epoch: 1, high: 0, low: 0)
    source = .unread
    said = Fact(
      witness: .none, type: .handoffRequested, speaker: .platform, rail: .unread, policy: 0)
  }

  package var type: EventType {
    get { said.type }
    set { said.type = newValue }
  }

  package var occurredAt: Timestamp {
    get { said.witness.occurredAt }
    set { said.witness.occurredAt = newValue }
  }

  // What these give back has the last bytes only.

  package var receptionID: ReceptionID {
    get { ReceptionID(tail: receptionTail) }
    set { receptionTail = newValue.tail }
  }

  package var messageKey: Token? {
    get { messageTail.map { Token(tail: $0) } }
    set { messageTail = newValue?.tail }
  }

  package var contentMac: Token {
    get { Token(tail: said.contentHash) }
    set { said.contentHash = newValue.tail }
  }

  package var version: Token? {
    get { versionTail.map { Token(tail: UInt64($0)) } }
    set { versionTail = newValue.map { Fact.version($0) } }
  }

  package var answers: Token? {
    get { answersTail.map { Token(tail: UInt64($0)) } }
    set { answersTail = newValue.map { Fact.version($0) } }
  }

  /// See ``HandoffEvent/movesTo``.
  var movesTo: PatientKey? { type.target(of: newPatientKey, from: patientKey) }

  /// What the handoff is told, by a record: ``said``, which was copied, and who witnessed it.
  @inline(__always) func witness(_ fact: inout Fact, by witness: Witness, policy: UInt16) {
    fact.witness = witness
    fact.policy = policy
    fact.version = versionTail ?? answersTail ?? 0
  }
}

extension Code {
  /// What stands in a place until it is read.
  package static let unread = Code(known: "none")
}

extension Witness {
  fileprivate static let none = Witness(
    eventID: EventID(rawValue: 0), hash: RecordHashPrefix(rawValue: 0),
    arrivedAt: Timestamp(nanoseconds: 0), occurredAt: Timestamp(nanoseconds: 0), offset: 0)
}

/// An event that can be asked for as a whole.
package protocol WholeEvent: Sendable {
  var event: HandoffEvent { get }
}

extension HandoffEvent: WholeEvent {
  package var event: HandoffEvent { self }
}

/// An event behind one reference, never changed: a record is handed on many times between being read
/// and being judged, and a copy of an event costs as much as a step of judging it.
public final class HeldEvent: Sendable {
  /// What every event is asked for.
  package let brief: EventBrief
  private let whole: any WholeEvent

  /// Holds an event that was made.
  public init(_ value: HandoffEvent) {
    brief = EventBrief(value)
    whole = value
  }

  /// Holds what `read` puts into a brief of an event, and what gives all of it.
  package init<Failure: Error>(
    of whole: any WholeEvent, _ read: (inout EventBrief) throws(Failure) -> Void
  ) throws(Failure) {
    var brief = EventBrief()
    try read(&brief)
    self.brief = brief
    self.whole = whole
  }

  /// The event; read anew at each call where it came as bytes.
  public var value: HandoffEvent { whole.event }
}
