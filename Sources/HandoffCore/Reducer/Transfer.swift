import Crypto

/// Everything that the reducer of one key held of a person, on its way to another key.
///
/// A merge, a link of identities and a re-key after a rotation are each an event on the old key that
/// names the new one. The old key's reducer writes this record in the transaction that leaves an
/// alias behind; the new key's reducer takes it in as it takes an event.
public struct PersonTransfer: Hashable, Sendable {
  /// Derived from the cause and the key that it was an event of: the same on every replay.
  public var id: EventID
  public var to: PatientKey
  /// The keys that it went through, the first is where it began: more than one where the new key
  /// had itself been merged away.
  public var path: [PatientKey]
  /// What moved the person, as its first reducer saw it.
  public var cause: Witness
  /// Whether two records of one person became one; false for a re-key and a link of identities.
  public var isMerge: Bool
  /// The person under the first key.
  public var person: Person
  /// What the ordinals in ``person`` refer to.
  public var activations: [RulesActivation]
  /// Of the reducer that wrote it; 0 is a version before 5, which did not say.
  ///
  /// Two of one version about the same cause are the same bytes.
  public var rulesVersion: UInt32

  public init(
    id: EventID, to: PatientKey, path: [PatientKey], cause: Witness, isMerge: Bool,
    person: Person, activations: [RulesActivation],
    rulesVersion: UInt32 = PersonReducer.rulesVersion
  ) {
    self.rulesVersion = rulesVersion
    self.id = id
    self.to = to
    self.path = path
    self.cause = cause
    self.isMerge = isMerge
    self.person = person
    self.activations = activations
  }

  /// The most keys that a transfer goes through: as many merges of one person into another.
  public static let pathMax = 64
  /// The most events to know again that go with a person; older ones are forgotten on the way.
  public static let seenMax = 4_000
}

/// What the reducer wants written to the events topic, in the transaction of its cause.
public enum Outgoing: Hashable, Sendable {
  /// To the partition of ``PersonTransfer/to``.
  case transfer(PersonTransfer)
  /// An event that came for a key that was merged away, under the key that it was merged into.
  case event(HandoffEvent)

  /// Under which key it goes out.
  public var key: PatientKey {
    switch self {
    case .transfer(let transfer): transfer.to
    case .event(let event): event.patientKey
    }
  }
}

/// What ties a key to another that stands, or stood, for the same person.
public struct KeyLink: Hashable, Sendable {
  public enum Direction: UInt8, CaseIterable, Hashable, Sendable {
    /// This key is an alias: what comes for it belongs to the other.
    case movedTo
    /// The other's handoffs are here.
    case cameFrom
  }

  public var direction: Direction
  /// Where to, or where from at first.
  public var key: PatientKey
  public var transferID: EventID
  /// Every key that the transfer went through.
  public var path: [PatientKey]
  public var isMerge: Bool
  /// What moved the person.
  public var cause: Witness
  /// The record of the transfer, to be compared when it comes again (`cameFrom` only).
  public var recordHash: RecordHash?
  /// Whether handoffs were open under both keys when it came (`cameFrom` only).
  public var hadOpenOnBoth: Bool
  /// Of the reducer that wrote the transfer; 0 for those before version 5 (`cameFrom` only).
  public var rulesVersion: UInt32

  public init(
    direction: Direction, key: PatientKey, transferID: EventID, path: [PatientKey], isMerge: Bool,
    cause: Witness, recordHash: RecordHash? = nil, hadOpenOnBoth: Bool = false,
    rulesVersion: UInt32 = 0
  ) {
    self.rulesVersion = rulesVersion
    self.direction = direction
    self.key = key
    self.transferID = transferID
    self.path = path
    self.isMerge = isMerge
    self.cause = cause
    self.recordHash = recordHash
    self.hadOpenOnBoth = hadOpenOnBoth
  }
}

extension HandoffEvent {
  /// The key that it moves the person to; `nil` where it moves nobody.
  ///
  /// PatientMoved names one only for a re-key after a rotation; without one it moves a visit (A45).
  public var movesTo: PatientKey? {
    type.target(of: newPatientKey, from: patientKey)
  }
}

extension EventType {
  /// The key that an event of this type moves a person to who is known under `old`.
  func target(of new: PatientKey?, from old: PatientKey) -> PatientKey? {
    switch self {
    case .patientMerged, .identityLinked, .patientMoved: new == old ? nil : new
    default: nil
    }
  }
}

extension Identifier<EventKind> {
  /// HMAC-SHA-256 of the moving event and the key that it came for, under a constant that keeps
  /// this hash apart from every other use; the first 128 bits.
  init(transferBy cause: EventID, of key: PatientKey) {
    var mac = HMAC<SHA256>(key: SymmetricKey(data: Array("baton transfer id v1".utf8)))
    mac.update(data: cause.bytes + Array(key.description.utf8))
    let value = mac.finalize().prefix(16).reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
    self.init(rawValue: value)
  }
}

extension Identifier<TokenKind> {
  /// What stands for a code or a key where a token is asked for; not secret.
  init(standingFor text: String) {
    var mac = HMAC<SHA256>(key: SymmetricKey(data: Array("baton stand-in v1".utf8)))
    mac.update(data: Array(text.utf8))
    let value = mac.finalize().prefix(16).reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
    self.init(rawValue: value)
  }
}

extension Person {
  /// The key that stands for this one now; `nil` where it stands for itself.
  public var alias: KeyLink? { links.first { $0.direction == .movedTo } }

  /// The ordinals of every activation that the person refers to.
  var ordinals: Set<UInt16> { Set(handoffs.flatMap(\.policies)).union(stay.compactMap(\.policy)) }

  /// Changes every record that is remembered.
  mutating func forEachWitness(_ body: (inout Witness) -> Void) {
    for index in handoffs.indices {
      handoffs[index].current.forEachWitness(body)
      handoffs[index].settled?.forEachWitness(body)
      for position in handoffs[index].window.indices {
        body(&handoffs[index].window[position].witness)
      }
    }
    for index in repetitions.indices {
      body(&repetitions[index].first)
      body(&repetitions[index].latest)
    }
    for index in links.indices { body(&links[index].cause) }
    for index in stay.indices { body(&stay[index].witness) }
    if var said = readinessSaid {
      body(&said)
      readinessSaid = said
    }
  }

  /// Names the partition that its records stand in, before it leaves it.
  mutating func name(partition: Int32) {
    forEachWitness { $0.partition = $0.partition ?? partition }
    for index in seen.indices { seen[index].partition = seen[index].partition ?? partition }
  }

  /// Replaces every ordinal.
  mutating func renumber(_ ordinals: [UInt16: UInt16]) {
    for index in handoffs.indices { handoffs[index].renumber(ordinals) }
    for index in stay.indices {
      stay[index].policy = stay[index].policy.map { ordinals[$0] ?? $0 }
    }
  }
}

extension HandoffFacts {
  fileprivate mutating func forEachWitness(_ body: (inout Witness) -> Void) {
    for index in marks.indices { body(&marks[index].witness) }
    for index in findings.indices { body(&findings[index].witness) }
    for index in pending.indices { body(&pending[index].witness) }
  }

  fileprivate mutating func renumber(_ ordinals: [UInt16: UInt16]) {
    policy = ordinals[policy] ?? policy
    for index in pending.indices {
      pending[index].policy = ordinals[pending[index].policy] ?? pending[index].policy
    }
  }
}

extension Handoff {
  fileprivate mutating func renumber(_ ordinals: [UInt16: UInt16]) {
    current.renumber(ordinals)
    settled?.renumber(ordinals)
    for index in window.indices {
      window[index].policy = ordinals[window[index].policy] ?? window[index].policy
    }
  }
}
