extension Person {
  /// Takes over what another key knew of the same person.
  ///
  /// Its handoffs have our ordinals already. A handoff known under both keys becomes one.
  mutating func absorb(_ other: Person, _ policies: [Policy], books: inout Books) {
    for var theirs in other.handoffs {
      theirs.isTransferred = theirs.isTransferred || theirs.current.isRequested
      guard let index = handoffs.firstIndex(where: { $0.id == theirs.id }) else {
        handoffs.append(theirs)
        continue
      }
      let before = handoffs[index].current.isRequested ? handoffs[index] : theirs
      let entry = BookEntry(before)
      handoffs[index] = handoffs[index].merged(with: theirs, in: policies)
      books.update(from: entry, to: BookEntry(handoffs[index]), in: policies)
    }
    handoffs.sort { $0.id < $1.id }
    absorbMemory(of: other)
    links += other.links.filter { link in
      link.direction == .cameFrom && !links.contains { $0.transferID == link.transferID }
    }
  }

  private mutating func absorbMemory(of other: Person) {
    seen = (seen + other.seen).enumerated()
      .sorted { ($0.element.arrivedAt, $0.offset) < ($1.element.arrivedAt, $1.offset) }
      .map(\.element)
    for theirs in other.repetitions {
      let index = repetitions.firstIndex {
        $0.rule == theirs.rule && $0.subject == theirs.subject && $0.handoffID == theirs.handoffID
      }
      if let index { repetitions[index].merge(theirs) } else { repetitions.append(theirs) }
    }
    alerts += other.alerts
    let known = Set(stay.map(\.witness.eventID))
    stay += other.stay.filter { !known.contains($0.witness.eventID) }
    stay.sort(by: StayMark.precedes)
    unlinkedCount += other.unlinkedCount
    guard let said = other.readinessSaid else { return }
    if let mine = readinessSaid, (said.occurredAt, said.eventID) < (mine.occurredAt, mine.eventID) {
      return
    }
    readinessSaid = said
    dischargeReadyAt = other.dischargeReadyAt
  }

  /// Counts a use of a key that a merge has done away with, or a merge that was not followed (A16).
  mutating func noteUse(
    _ cause: Code, by what: String, _ event: HandoffEvent, _ witness: Witness,
    _ windows: RuleWindows
  ) {
    let subject = Token(standingFor: "\(cause) \(what)")
    let position = repetitions.firstIndex { $0.rule == .a16 && $0.subject == subject }
    if let position { return count(at: position, event, witness, windows) }
    repetitions.append(
      Repetition(
        rule: .a16, subject: subject, handoffID: nil, beganWith: event.id,
        lastReceptionID: event.receptionID, count: 1, opened: witness.arrivedAt,
        lastAt: witness.arrivedAt, first: witness, latest: witness, cause: cause))
  }

  /// Whether one need is open twice, each under a handoff that does not know of the other.
  var hasDoubledNeed: Bool {
    handoffs.indices.contains { left in
      handoffs[left].isOpen
        && handoffs[(left + 1)...].contains { right in
          right.isOpen && handoffs[left].isSameNeed(as: right)
            && handoffs[left].current.parentHandoffID != right.id
            && right.current.parentHandoffID != handoffs[left].id
        }
    }
  }
}

extension Handoff {
  /// Requested, and not ended.
  var isOpen: Bool { current.isRequested && Bucket(current.state) == .open }

  /// Whether two handoffs of a person are about one need.
  ///
  /// Need keys are made with the patient key. Where one of the two came from another key, only the
  /// need itself can be compared.
  func isSameNeed(as other: Handoff) -> Bool {
    if let mine = current.needKey, mine == other.current.needKey { return true }
    guard isTransferred != other.isTransferred, let mine = current.needCode else { return false }
    return mine == other.current.needCode
  }

  /// One of what two keys knew of this handoff: the request, and what was still loose of the other.
  ///
  /// Where both keys had the request, the one that got further goes on.
  func merged(with other: Handoff, in policies: [Policy]) -> Handoff {
    let isOtherFirst =
      current.isRequested == other.current.isRequested
      ? other.latest > latest : other.current.isRequested
    var base = isOtherFirst ? other : self
    let rest = isOtherFirst ? self : other
    base.isTransferred = current.isRequested ? isTransferred : other.isTransferred
    let known = Set(base.window.map(\.witness.eventID) + base.current.marks.map(\.witness.eventID))
    for finding in rest.current.findings { base.adopt(finding) }
    for fact in rest.window + rest.current.pending.filter({ !rest.window.contains($0) })
    where !known.contains(fact.witness.eventID) {
      base.add(fact, in: policies)
    }
    return base
  }

  private var latest: Timestamp {
    current.marks.map(\.witness.occurredAt).max() ?? .distantPast
  }

  private mutating func adopt(_ finding: Finding) {
    func isNew(_ findings: [Finding]) -> Bool {
      !findings.contains { known in
        guard known.rule == finding.rule, known.cause == finding.cause else { return false }
        // About what nobody requested one stands for each time that it was said.
        return current.isRequested || known.witness.eventID == finding.witness.eventID
      }
    }
    if isNew(current.findings) { current.findings.append(finding) }
    if let settled, isNew(settled.findings) { self.settled?.findings.append(finding) }
  }
}

extension Repetition {
  /// One episode of what were two.
  fileprivate mutating func merge(_ other: Repetition) {
    count += other.count
    if (other.opened, other.first.eventID) < (opened, first.eventID) {
      (opened, first, beganWith) = (other.opened, other.first, other.beganWith)
    }
    if other.lastAt > lastAt {
      (lastAt, latest, lastReceptionID) = (other.lastAt, other.latest, other.lastReceptionID)
    }
  }
}
