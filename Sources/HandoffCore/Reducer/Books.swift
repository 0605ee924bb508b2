/// In which bucket of the books a handoff is, by its current state.
public enum Bucket: UInt8, CaseIterable, Hashable, Sendable {
  case open, completed, rejected, redirected, cancelled, voided, failed, expired

  /// Completed with feedback owed counts as completed (domain.md §8).
  public init(_ state: HandoffState) {
    self =
      switch state {
      case .requested, .inTransit, .delivered, .received, .onHold, .accepted, .booked, .started:
        .open
      case .completed, .closed: .completed
      case .rejected: .rejected
      case .redirected: .redirected
      case .cancelled: .cancelled
      case .voided: .voided
      case .failed: .failed
      case .expired: .expired
      }
  }
}

/// One page of the books: every handoff once on each side.
public struct Ledger: Hashable, Sendable {
  public var requested: UInt64 = 0
  public var transferredIn: UInt64 = 0
  public var transferredOut: UInt64 = 0
  /// By ``Bucket``, in the order of its cases.
  public var buckets = [UInt64](repeating: 0, count: Bucket.allCases.count)

  public init() {}

  public subscript(bucket: Bucket) -> UInt64 {
    get { buckets[Int(bucket.rawValue)] }
    set { buckets[Int(bucket.rawValue)] = newValue }
  }

  /// requested + transferred in = the sum of the buckets + transferred out.
  public var isBalanced: Bool {
    requested + transferredIn == buckets.reduce(0, +) + transferredOut
  }
}

/// The books of a partition, in all, by kind and by place, and what happened to its events.
public struct Books: Hashable, Sendable {
  public var total = Ledger()
  public var byKind: [HandoffKind: Ledger] = [:]
  /// `nil`: the register under which they were requested gives neither party a place.
  public var byPlace: [Code?: Ledger] = [:]
  /// Handoffs that ended and were forgotten; they stay in their buckets.
  public var forgotten: UInt64 = 0
  public var eventCount: UInt64 = 0
  /// The bus's own second delivery of a record: ignored.
  public var redeliveredCount: UInt64 = 0
  /// A sender's repeat.
  public var repeatedCount: UInt64 = 0
  /// Events without a handoff.
  public var unlinkedCount: UInt64 = 0
  /// Illegal events that nothing made legal in time.
  public var lapsedCount: UInt64 = 0
  /// Events for a key that was merged away: sent on.
  public var forwardedCount: UInt64 = 0
  /// Events that were sent on so long ago that nothing is left to compare them with: ignored.
  public var staleCount: UInt64 = 0
  /// Handoffs that came with a transfer and were known under the new key already.
  public var absorbedCount: UInt64 = 0

  /// How many places have a page of their own; more share the page of no place.
  public static let placeCountMax = 10_000

  public init() {}

  /// Every page balances, and the kinds add up to the whole, and so do the places.
  public var isBalanced: Bool {
    total.isBalanced && byKind.values.allSatisfy(\.isBalanced)
      && byPlace.values.allSatisfy(\.isBalanced)
      && byKind.values.reduce(0) { $0 + $1.requested } == total.requested
      && byPlace.values.reduce(0) { $0 + $1.requested } == total.requested
  }

  mutating func enter(_ entry: BookEntry, in policies: [Policy]) {
    edit(entry.kind, entry.place(in: policies)) { page in
      page.requested += 1
      page[Bucket(entry.state)] += 1
    }
  }

  /// Takes a handoff off one side and the other; it came by a request or by a transfer.
  mutating func leave(_ entry: BookEntry, in policies: [Policy]) {
    edit(entry.kind, entry.place(in: policies)) { page in
      if entry.isTransferred { page.transferredIn.lower() } else { page.requested.lower() }
      page[Bucket(entry.state)].lower()
    }
  }

  mutating func transferIn(_ entry: BookEntry, in policies: [Policy]) {
    edit(entry.kind, entry.place(in: policies)) { page in
      page.transferredIn += 1
      page[Bucket(entry.state)] += 1
    }
  }

  mutating func transferOut(_ entry: BookEntry, in policies: [Policy]) {
    edit(entry.kind, entry.place(in: policies)) { page in
      page.transferredOut += 1
      page[Bucket(entry.state)].lower()
    }
  }

  /// Moves a handoff to another bucket of its pages.
  private mutating func move(_ entry: BookEntry, to state: HandoffState, in policies: [Policy]) {
    let (old, new) = (Bucket(entry.state), Bucket(state))
    guard old != new else { return }
    edit(entry.kind, entry.place(in: policies)) { page in
      page[old].lower()
      page[new] += 1
    }
  }

  /// The page of a place: its own, or that of none where there are too many; pages are never taken
  /// away, so that it stays the same.
  func page(of place: Code?) -> Code? {
    byPlace[place] != nil || byPlace.count < Self.placeCountMax ? place : nil
  }

  private mutating func edit(
    _ kind: HandoffKind?, _ place: Code?, _ change: (inout Ledger) -> Void
  ) {
    change(&total)
    change(&byKind[kind ?? .unspecified, default: Ledger()])
    change(&byPlace[page(of: place), default: Ledger()])
  }
}

extension UInt64 {
  /// Counts down, not below nothing: damaged stored books show as unbalanced, and do not trap.
  fileprivate mutating func lower() {
    if self > 0 { self -= 1 }
  }
}

/// What the books need of a handoff: not its facts, whose arrays a second reference would copy.
struct BookEntry {
  var isRequested: Bool
  var isTransferred: Bool
  var kind: HandoffKind?
  var state: HandoffState
  private var from: OrganisationID?
  private var to: OrganisationID?
  private var policy: UInt16

  init(_ handoff: borrowing Handoff) {
    self.init(handoff.current, isTransferred: handoff.isTransferred)
  }

  init(_ facts: borrowing HandoffFacts, isTransferred: Bool) {
    self.isTransferred = isTransferred
    isRequested = facts.isRequested
    kind = facts.kind
    state = facts.state
    from = facts.from
    to = facts.to
    policy = facts.policy
  }

  /// The place of the sender, or of the receiver where the sender has none, by the register under
  /// which it was requested: a later register moves nothing in the books.
  func place(in policies: [Policy]) -> Code? {
    policies.span[Int(policy)].register?.place(of: [from, to])
  }

  /// Whether both are on the same pages.
  func isFiled(as other: BookEntry) -> Bool {
    kind == other.kind && from == other.from && to == other.to && policy == other.policy
  }
}

extension Books {
  /// Enters what a step has done to a handoff, which mostly is nothing that the books know of.
  mutating func update(
    from before: borrowing HandoffFacts, to after: borrowing HandoffFacts, isTransferred: Bool,
    in policies: [Policy]
  ) {
    let isUnchanged =
      before.isRequested && after.isRequested && Bucket(before.state) == Bucket(after.state)
      && before.kind == after.kind && before.from == after.from && before.to == after.to
      && before.policy == after.policy
    if isUnchanged { return }
    update(
      from: BookEntry(before, isTransferred: isTransferred),
      to: BookEntry(after, isTransferred: isTransferred), in: policies)
  }

  mutating func update(
    from before: BookEntry, to after: BookEntry, in policies: [Policy]
  ) {
    switch (before.isRequested, after.isRequested) {
    case (false, false): break
    case (false, true): enter(after, in: policies)
    case (true, false): leave(before, in: policies)
    case (true, true):
      guard !before.isFiled(as: after) else {
        return move(before, to: after.state, in: policies)
      }
      leave(before, in: policies)
      if after.isTransferred {
        transferIn(after, in: policies)
      } else {
        enter(after, in: policies)
      }
    }
  }
}
