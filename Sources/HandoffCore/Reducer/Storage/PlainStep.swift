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
    _ event: borrowing HandoffEvent, _ witness: Witness, by rules: PlainRules, books: inout Books,
    at slot: UInt32
  ) -> Bool {
    guard event.type.isPlain, let id = event.handoffID, event.movesTo == nil else { return false }
    let before = packed(at: slot)
    var reader = PackedReader(before, reusing: &lists)
    defer { reader.giveBack(&lists) }
    var handoff = Handoff(id: id, current: HandoffFacts())
    var arrivals = 0..<0
    if !before.isEmpty {
      guard Person.hasNothingElse(&reader) else { return false }
      arrivals = reader.arrivals(writer.texts)
      guard reader.isNews(event, at: witness.arrivedAt, rules), reader.count() == 1 else {
        return false
      }
      handoff = reader.lastHandoff(
        writer.texts,
        settledBy: SettlingPoint(now: witness.arrivedAt, policies: rules.policies))
      guard handoff.id == id, !handoff.current.isNearItsEnd else { return false }
    }
    let entry = BookEntry(handoff)
    let policy = Int(handoff.current.policy)
    handoff.settle(
      at: witness.arrivedAt, rules.policies.span[policy].windows, in: rules.policies)
    let fact = Fact(event, witness: witness, policy: rules.inForce, isRetry: false)
    // What has settled is kept beside the handoff where the event is the first of its window.
    let settled = handoff.current
    let isFirst = handoff.window.isEmpty
    if isFirst {
      handoff.current.fold(fact, in: rules.policies)
    } else {
      handoff.add(fact, in: rules.policies)
    }
    var next: Timestamp?
    guard handoff.current.isPlain, handoff.current.isQuiet(rules, at: witness.arrivedAt, &next)
    else { return false }
    books.update(from: entry, to: BookEntry(handoff), in: rules.policies)
    let last = reader.lastSeen
    reader.seen.append(SeenEvent(event, witness))
    writer.begin(borrowing: &reader.seen)
    writer.plainPerson(copying: arrivals, of: before, after: last)
    if isFirst {
      writer.handoff(
        id, isTransferred: handoff.isTransferred, handoff.current, settled: settled, window: fact)
    } else {
      writer.handoff(handoff)
    }
    let packed = writer.packed
    writer.end(lending: &reader.seen)
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
    if let first = seen.first, first.arrivedAt.advanced(by: memory) <= now { return false }
    let seen = seen.span
    for index in seen.indices {
      if seen[index].eventID == event.id || seen[index].contentMac.tail == event.contentMac.tail {
        return false
      }
      if let key = event.messageKey, seen[index].messageKey?.tail == key.tail { return false }
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
