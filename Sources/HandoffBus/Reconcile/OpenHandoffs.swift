internal import HandoffCore

/// What a walk over everybody finds open: the books know it by kind alone, and not since when.
struct OpenHandoffs: Hashable, Sendable {
  /// When the oldest was requested.
  private(set) var oldest: Timestamp?
  private(set) var byKind: [HandoffKind: UInt64] = [:]
  /// By the place of the sender, or of the receiver where the sender has none; `nil` for neither.
  private(set) var byPlace: [Code?: UInt64] = [:]

  mutating func add(_ person: Person, _ register: OrganisationRegister?) {
    for handoff in person.handoffs where handoff.isOpen {
      let current = handoff.current
      byKind[current.kind ?? .unspecified, default: 0] += 1
      byPlace[register?.place(of: [current.from, current.to]), default: 0] += 1
    }
    if let requested = person.oldestOpen { oldest = min(oldest ?? requested, requested) }
  }
}

extension ReconcilerStatus.Partition {
  mutating func note(_ look: OpenHandoffs) {
    oldestOpen = look.oldest
    openByPlace = look.byPlace
  }
}
