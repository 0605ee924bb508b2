/// The second count of a partition: how many events, and how many handoffs were asked for.
///
/// What depends on the reducer's memory is left open, so each number is a range and usually one of
/// length nothing: a key that people moved away from, a handoff that is asked for again after so
/// long that the first may be forgotten, and a kind that changed on the way.
public struct PartitionCount: Hashable, Sendable {
  /// A handoff that is asked for again so long after it was first may have been forgotten
  /// meanwhile, and be a new one to the reducer: far less than a policy keeps what has ended, which
  /// is 30 days by default.
  public static let forgottenAfter: Elapsed = .hours(1)

  public var events: UInt64 = 0
  /// Handoffs that were certainly requested here, by the kind that every word on them gives.
  public var requestedByKind: [HandoffKind: UInt64] = [:]
  /// Handoffs that were certainly requested here, and whose kind changed.
  public var mixed: UInt64 = 0
  /// The most that may have been requested beside them.
  public var unsure: UInt64 = 0
  /// Handoffs that certainly came with a person from another key.
  public var arrived: UInt64 = 0
  /// The most that may have come beside them.
  public var unsureArrived: UInt64 = 0

  public init() {}

  /// How many handoffs the books must have as requested, in all.
  public var requested: ClosedRange<UInt64> {
    let certain = requestedByKind.values.reduce(mixed, +)
    return certain...certain + unsure
  }

  /// How many the books must have as requested of a kind.
  public func requested(_ kind: HandoffKind) -> ClosedRange<UInt64> {
    let certain = requestedByKind[kind, default: 0]
    return certain...certain + mixed + unsure
  }

  /// What the books say otherwise at the same offset; empty where both say the same.
  public func differences(from books: Books) -> [BooksDifference] {
    var all = [
      BooksDifference(.events, counted: events...events, booked: books.eventCount),
      BooksDifference(.requested, counted: requested, booked: books.total.requested),
      BooksDifference(
        .transferredIn, counted: arrived...arrived + unsureArrived,
        booked: books.total.transferredIn + books.absorbedCount),
    ]
    for kind in Set(books.byKind.keys).union(requestedByKind.keys).sorted() {
      all.append(
        BooksDifference(
          .requested, kind, counted: requested(kind), booked: books.byKind[kind]?.requested ?? 0))
    }
    return all.filter { !$0.counted.contains($0.booked) }
  }
}

// MARK: Counting

/// What the second count has to know again: whom and what it has counted already.
public protocol CountMemory {
  /// What keeps it from being used; `Never` where nothing does.
  associatedtype Failure: Error

  /// What is known of a handoff of a person; `nil` where it never was heard of.
  mutating func handoff(_ id: HandoffID, of person: PatientKey) throws(Failure) -> CountedHandoff?
  /// Keeps what is known of it now.
  mutating func keep(_ handoff: CountedHandoff, _ id: HandoffID, of person: PatientKey)
    throws(Failure)
  /// Whether the person of this key was ever told to go on under another.
  mutating func hasDeparted(_ person: PatientKey) throws(Failure) -> Bool
  mutating func noteDeparture(of person: PatientKey) throws(Failure)
  /// Notes that a person came by this transfer; false where it was noted before.
  mutating func noteArrival(_ id: EventID, of person: PatientKey) throws(Failure) -> Bool
}

/// What the second count knows of one handoff.
public struct CountedHandoff: Hashable, Sendable {
  /// How it is counted.
  public enum Standing: UInt8, CaseIterable, Hashable, Sendable {
    /// Not at all: only heard of.
    case heardOf
    case requested
    /// Requested, and its kind has changed.
    case mixed
    case arrived
    /// Perhaps requested and perhaps not.
    case unsure
  }

  public var standing: Standing
  public var kind: HandoffKind?
  /// When it was counted.
  public var at: Timestamp

  public init(_ standing: Standing, kind: HandoffKind?, at: Timestamp) {
    self.standing = standing
    self.kind = kind
    self.at = at
  }
}

extension PartitionCount {
  /// Counts one record; those of a partition in the order of their offsets, each once.
  public mutating func count<Memory: CountMemory>(
    _ fact: CountedFact, _ memory: inout Memory
  ) throws(Memory.Failure) {
    if fact.isEvent { events += 1 }
    switch fact.content {
    case .other: break
    case .departure: try memory.noteDeparture(of: fact.person)
    case .request(let id, let kind): try request(id, kind, fact, &memory)
    case .amendment(let id, let kind): try amend(id, kind, fact, &memory)
    case .arrival(let transfer, let handoffs, let isWhole):
      var isCertain = false
      if isWhole, try !memory.hasDeparted(fact.person) {
        isCertain = try memory.noteArrival(transfer, of: fact.person)
      }
      try arrive(handoffs, isCertain: isCertain, fact, &memory)
    }
  }

  private mutating func request<Memory: CountMemory>(
    _ id: HandoffID, _ kind: HandoffKind?, _ fact: CountedFact, _ memory: inout Memory
  ) throws(Memory.Failure) {
    guard try !memory.hasDeparted(fact.person) else {
      unsure += 1
      return
    }
    let heard = try memory.handoff(id, of: fact.person)
    guard var known = heard, known.standing != .heardOf else {
      // Of a kind that only an amendment gave, nobody can say which word counts.
      let amended = heard?.kind
      let isMixed = amended != nil && amended != kind
      if isMixed { mixed += 1 } else { requestedByKind[kind.known, default: 0] += 1 }
      return try memory.keep(
        CountedHandoff(isMixed ? .mixed : .requested, kind: kind, at: fact.at), id,
        of: fact.person)
    }
    if known.standing == .unsure || known.at.advanced(by: Self.forgottenAfter) <= fact.at {
      unsure += 1
    }
    // Asked for again without a kind, and happened before: then that may be the word that counts.
    if kind != known.kind, mix(&known) { try memory.keep(known, id, of: fact.person) }
  }

  private mutating func amend<Memory: CountMemory>(
    _ id: HandoffID, _ kind: HandoffKind?, _ fact: CountedFact, _ memory: inout Memory
  ) throws(Memory.Failure) {
    guard let kind else { return }
    guard var known = try memory.handoff(id, of: fact.person) else {
      return try memory.keep(
        CountedHandoff(.heardOf, kind: kind, at: fact.at), id, of: fact.person)
    }
    if kind != known.kind, mix(&known) { try memory.keep(known, id, of: fact.person) }
  }

  private mutating func arrive<Memory: CountMemory>(
    _ handoffs: [HandoffID], isCertain: Bool, _ fact: CountedFact,
    _ memory: inout Memory
  ) throws(Memory.Failure) {
    if isCertain {
      arrived += UInt64(handoffs.count)
    } else {
      unsureArrived += UInt64(handoffs.count)
    }
    for id in handoffs {
      let known = try memory.handoff(id, of: fact.person)
      guard known == nil || known?.standing == .heardOf else { continue }
      try memory.keep(
        CountedHandoff(isCertain ? .arrived : .unsure, kind: nil, at: fact.at), id,
        of: fact.person)
    }
  }

  /// Takes a handoff off the page of its kind where another word gives another; says whether.
  private mutating func mix(_ known: inout CountedHandoff) -> Bool {
    guard known.standing == .requested else { return false }
    // A stored count that lost the page shows as a difference, and does not trap.
    let page = requestedByKind[known.kind.known, default: 0]
    requestedByKind[known.kind.known] = page - min(page, 1)
    mixed += 1
    known.standing = .mixed
    return true
  }
}

extension HandoffKind? {
  /// As the books name it.
  fileprivate var known: HandoffKind { self ?? .unspecified }
}

/// A number of the books that the second count does not come to.
public struct BooksDifference: Hashable, Sendable {
  /// Which number.
  public enum Side: String, CaseIterable, Hashable, Sendable {
    /// Events that were read.
    case events
    /// Handoffs requested.
    case requested
    /// Handoffs that came from another key, and those of them that were known here already.
    case transferredIn = "transferred-in"
  }

  public var side: Side
  /// `nil`: all kinds together.
  public var kind: HandoffKind?
  public var counted: ClosedRange<UInt64>
  public var booked: UInt64

  public init(
    _ side: Side, _ kind: HandoffKind? = nil, counted: ClosedRange<UInt64>, booked: UInt64
  ) {
    self.side = side
    self.kind = kind
    self.counted = counted
    self.booked = booked
  }

  /// How many too many the books have; negative: too few; 0: none.
  public var excess: Int64 {
    if booked > counted.upperBound { return Int64(clamping: booked - counted.upperBound) }
    if booked < counted.lowerBound { return -Int64(clamping: counted.lowerBound - booked) }
    return 0
  }
}

extension Code {
  /// The cause of S06 where a restart finds other open handoffs than the books have.
  public static let recount = Code(known: "recount")
  /// The cause of S06 where the books are not what audit counts from the events.
  public static let secondCount = Code(known: "second-count")
}
