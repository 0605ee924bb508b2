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

/// The books of a partition, in all and by kind, and what happened to its events.
public struct Books: Hashable, Sendable {
  public var total = Ledger()
  public var byKind: [HandoffKind: Ledger] = [:]
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

  public init() {}

  /// Every page balances, and the kinds add up to the whole.
  public var isBalanced: Bool {
    total.isBalanced && byKind.values.allSatisfy(\.isBalanced)
      && byKind.values.reduce(0) { $0 + $1.requested } == total.requested
  }

  mutating func enter(kind: HandoffKind?, state: HandoffState) {
    edit(kind) { page in
      page.requested += 1
      page[Bucket(state)] += 1
    }
  }

  /// Takes a handoff off one side and the other; it came by a request or by a transfer.
  mutating func leave(kind: HandoffKind?, state: HandoffState, isTransferred: Bool) {
    edit(kind) { page in
      if isTransferred { page.transferredIn.lower() } else { page.requested.lower() }
      page[Bucket(state)].lower()
    }
  }

  mutating func transferIn(kind: HandoffKind?, state: HandoffState) {
    edit(kind) { page in
      page.transferredIn += 1
      page[Bucket(state)] += 1
    }
  }

  mutating func transferOut(kind: HandoffKind?, state: HandoffState) {
    edit(kind) { page in
      page.transferredOut += 1
      page[Bucket(state)].lower()
    }
  }

  mutating func move(kind: HandoffKind?, from: HandoffState, to: HandoffState) {
    let (old, new) = (Bucket(from), Bucket(to))
    guard old != new else { return }
    edit(kind) { page in
      page[old].lower()
      page[new] += 1
    }
  }

  private mutating func edit(_ kind: HandoffKind?, _ change: (inout Ledger) -> Void) {
    change(&total)
    change(&byKind[kind ?? .unspecified, default: Ledger()])
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

  init(_ handoff: Handoff) {
    isRequested = handoff.current.isRequested
    isTransferred = handoff.isTransferred
    kind = handoff.current.kind
    state = handoff.current.state
  }
}

extension Books {
  mutating func update(from before: BookEntry, to after: BookEntry) {
    switch (before.isRequested, after.isRequested) {
    case (false, false): break
    case (false, true): enter(kind: after.kind, state: after.state)
    case (true, false):
      leave(kind: before.kind, state: before.state, isTransferred: before.isTransferred)
    case (true, true):
      guard before.kind != after.kind else {
        return move(kind: after.kind, from: before.state, to: after.state)
      }
      leave(kind: before.kind, state: before.state, isTransferred: before.isTransferred)
      if after.isTransferred {
        transferIn(kind: after.kind, state: after.state)
      } else {
        enter(kind: after.kind, state: after.state)
      }
    }
  }
}
