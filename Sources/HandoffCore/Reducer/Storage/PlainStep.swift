// The plain step: the next event of somebody of whom nothing is remembered but one handoff. Whether it
// is a repeat, what it does to the handoff and when that falls due is found out as ever; of the rest of
// judging there is nothing to do, and so no person is made of the bytes.

/// What a plain step is judged by.
struct PlainRules {
  var policies: [Policy]
  /// Which of them is in force.
  var inForce: UInt16
}

extension PersonTable {
  /// Applies an event of which nothing can be said but that it happened; false, and nothing is
  /// changed, where the person must be judged whole.
  mutating func stepPlainly(
    _ held: HeldEvent, _ witness: Witness, by rules: PlainRules, books: inout Books,
    at slot: UInt32
  ) -> Bool {
    guard held.value.type.isPlain, let id = held.value.handoffID, held.value.movesTo == nil else {
      return false
    }
    let bytes = packed(at: slot)
    var reader = PackedReader(bytes, reusing: &lists)
    defer { reader.giveBack(&lists) }
    var handoff = Handoff(id: id, current: HandoffFacts())
    var arrivals = 0..<0
    if !bytes.isEmpty {
      guard Person.hasNothingElse(&reader) else { return false }
      arrivals = reader.readArrivals()
      guard reader.isNews(held.value, at: witness.arrivedAt, rules), reader.count() == 1 else {
        return false
      }
      let point = SettlingPoint(now: witness.arrivedAt, policies: rules.policies)
      reader.lastHandoff(into: &handoff, writer.texts, settledBy: point)
      guard handoff.id == id, !handoff.current.isNearItsEnd, handoff.current.pending.isEmpty else {
        return false
      }
    }
    let fact = Fact(held.value, witness: witness, policy: rules.inForce, isRetry: false)
    // What has settled is kept beside the handoff where the event is the first of its window.
    let before = handoff.current
    let isFirst = handoff.window.isEmpty
    if isFirst {
      handoff.current.fold(fact, in: rules.policies)
    } else {
      let policy = Int(handoff.current.policy)
      handoff.settle(
        at: witness.arrivedAt, rules.policies.span[policy].windows, in: rules.policies)
      handoff.add(fact, in: rules.policies)
    }
    var next: Timestamp?
    guard handoff.current.isPlain, handoff.current.isQuiet(rules, at: witness.arrivedAt, &next)
    else { return false }
    books.update(
      from: before, to: handoff.current, isTransferred: handoff.isTransferred, in: rules.policies)
    let last = reader.lastArrival
    let arrival = PackedArrival(held.value, witness)
    reader.arrivals.append(arrival)
    writer.begin(borrowing: &reader.arrivals)
    writer.plainPerson(
      copying: arrivals, of: bytes, arrival, saidBy: fact.spokenBy, after: last)
    if isFirst {
      writer.handoff(
        id, isTransferred: handoff.isTransferred, handoff.current, settled: before, window: fact)
    } else {
      writer.handoff(handoff)
    }
    let packed = writer.packed
    writer.end(lending: &reader.arrivals)
    restore(packed, next, at: slot)
    return true
  }
}

extension PackedReader {
  /// Whether nothing that is remembered could be the same message or content, and nothing is to be
  /// forgotten; what looks alike is compared with care elsewhere.
  fileprivate func isNews(
    _ event: borrowing HandoffEvent, at now: Timestamp, _ rules: PlainRules
  ) -> Bool {
    let memory = rules.policies.span[Int(rules.inForce)].windows.memory
    if let first = arrivals.first, first.arrivedAt.advanced(by: memory) <= now { return false }
    let (contentTail, messageTail) = (event.contentMac.tail, event.messageKey?.tail)
    for arrival in arrivals {
      if arrival.eventID == event.id || arrival.contentTail == contentTail { return false }
      if let messageTail, arrival.messageTail == messageTail { return false }
    }
    return true
  }
}

extension EventType {
  /// Whether it speaks of a handoff and of nothing else.
  fileprivate var isPlain: Bool { isLifecycle && self != .recipientRefusedPatient }
}

extension HandoffFacts {
  /// Requested and under way, with nothing found and nothing held back.
  fileprivate var isPlain: Bool {
    isRequested && !isNearItsEnd && findings.isEmpty && pending.isEmpty
  }

  /// Whether it has an end, which other rules look at.
  fileprivate var isNearItsEnd: Bool { state.isTerminal || state == .completed }

  /// Whether no clock has run out; says when the first will.
  fileprivate func isQuiet(
    _ rules: PlainRules, at now: Timestamp, _ next: inout Timestamp?
  ) -> Bool {
    let context = ClockContext(
      policies: rules.policies, ordinal: Int(policy), dischargeReadyAt: nil, hasNextStep: false)
    var first: Timestamp?
    forEachDeadline(context) { first.lower(to: $0.due) }
    next = first
    return first.map { $0 > now } ?? true
  }
}
