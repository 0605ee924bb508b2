// A24, an amendment that was not seen: after delivery the receiver says nothing by T_ack; it comes
// when care has begun or ended; or an answer names a version that was replaced. Guards: any later
// word of the receiver that names the version that stands, or none; a receipt of an older version is
// no act on it, and proves nothing of the newer one.

extension HandoffFacts {
  /// What the receiver says after an amendment: it has seen it, unless it names an older version.
  mutating func hearOfVersion(_ fact: Fact) {
    guard isOfOldVersion(fact) else {
      isAmendmentSeen = true
      if !findings.isEmpty { findings.removeAll { $0.rule == .a24 } }
      return
    }
    guard fact.type != .received, !state.isTerminal else { return }
    find(.a24, cause: .olderVersion, fact, due: fact.witness.arrivedAt)
  }

  /// An amendment takes the place of the version before it.
  mutating func replaceVersion(by fact: Fact) {
    guard version != fact.version else { return }
    retire(version)
    version = fact.version
  }

  /// The deadline of an amendment that the receiver was not heard about.
  func forEachAmendmentDeadline(
    _ clocks: HeldClocks, _ context: ClockContext, _ body: (Deadline) -> Void
  ) {
    guard !isAmendmentSeen, !isBackfill, let amended = witness(of: .amended), !state.isTerminal,
      // It was answered: from the older version.
      !findings.contains(where: { $0.rule == .a24 && $0.cause == .olderVersion })
    else { return }
    let due = context.due(clocks.value.acknowledge, from: amended.arrivedAt, for: to)
    body(Deadline(.a24, began: amended, due: due))
  }

  private func isOfOldVersion(_ fact: Fact) -> Bool {
    fact.version != 0 && fact.version != version && oldVersions.contains(fact.version)
  }

  private mutating func retire(_ old: UInt32) {
    guard old != 0, !oldVersions.contains(old) else { return }
    oldVersions.append(old)
    if oldVersions.count > Self.oldVersionsMax { oldVersions.removeFirst() }
  }
}

extension Code {
  static let olderVersion = Code(known: "older-version")
}
