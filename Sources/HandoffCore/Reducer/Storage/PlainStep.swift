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
    guard held.brief.type.isPlain, let id = held.brief.handoffID, held.brief.movesTo == nil else {
      return false
    }
    var reader = PackedReader(packed(at: slot), reusing: &lists)
    defer { reader.giveBack(&lists) }
    guard !reader.bytes.isEmpty else {
      let begun = BegunStep(
        held: held, witness: witness, rules: rules, id: id, isTransferred: false, arrivals: 0..<0)
      return stepSettled(begun, HandoffFacts(), marks: nil, &reader, books: &books, at: slot)
    }
    guard Person.hasNothingElse(&reader) else { return false }
    let arrivals = reader.readArrivals()
    guard reader.isNews(held.brief, at: witness.arrivedAt, rules), reader.count() == 1 else {
      return false
    }
    let handoff = reader.lastHandoff()
    guard handoff.id == id else { return false }
    let point = SettlingPoint(now: witness.arrivedAt, policies: rules.policies)
    var current = HandoffFacts()
    swap(&current.marks, &lists.marks)
    defer {
      swap(&current.marks, &lists.marks)
      lists.marks.removeAll(keepingCapacity: true)
    }
    let (isSettled, marks) = reader.facts(&current, of: handoff, writer.texts, settledBy: point)
    guard !current.isNearItsEnd, current.pending.isEmpty else { return false }
    let begun = BegunStep(
      held: held, witness: witness, rules: rules, id: id, isTransferred: handoff.isTransferred,
      arrivals: arrivals)
    if isSettled {
      return stepSettled(begun, current, marks: marks, &reader, books: &books, at: slot)
    }
    let whole = reader.handoff(handoff, current, writer.texts)
    return stepWithinWindow(begun, whole, &reader, books: &books, at: slot)
  }

  /// A plain step as far as it has been looked into.
  private struct BegunStep {
    let held: HeldEvent
    let witness: Witness
    let rules: PlainRules
    let id: HandoffID
    let isTransferred: Bool
    /// Where the arrivals stand in what the person was packed as.
    let arrivals: Range<Int>

    /// What the handoff is told: of what the event says, which was copied.
    @inline(__always) func witness(_ fact: inout Fact) {
      held.brief.witness(&fact, by: witness, policy: rules.inForce)
    }
  }

  /// The step of a handoff whose earlier events have all settled: what was known is kept beside it.
  private mutating func stepSettled(
    _ step: borrowing BegunStep, _ before: HandoffFacts, marks: WrittenMarks?,
    _ reader: inout PackedReader, books: inout Books, at slot: UInt32
  ) -> Bool {
    var fact = step.held.brief.said
    step.witness(&fact)
    var folded = before
    folded.fold(fact, in: step.rules.policies)
    // Of what may change the compiler copies all with every look at it.
    let current = folded
    var next: Timestamp?
    guard current.isPlain, current.isQuiet(step.rules, at: step.witness.arrivedAt, &next) else {
      return false
    }
    books.update(
      from: before, to: current, isTransferred: step.isTransferred, in: step.rules.policies)
    let kept = current.hasMarks(of: before) ? marks : nil
    begin(step, saidBy: fact.spokenBy, &reader)
    if kept != nil { writer.know(&reader.witnesses) }
    writer.handoff(
      step.id, isTransferred: step.isTransferred, current, settled: before, window: fact,
      marks: kept)
    keep(next, &reader, at: slot)
    return true
  }

  /// The step of a handoff of which other events may still be put behind this one.
  private mutating func stepWithinWindow(
    _ step: borrowing BegunStep, _ whole: consuming Handoff, _ reader: inout PackedReader,
    books: inout Books, at slot: UInt32
  ) -> Bool {
    var fact = step.held.brief.said
    step.witness(&fact)
    let rules = step.rules
    let before = whole.current
    let windows = rules.policies.span[Int(before.policy)].windows
    whole.settle(at: step.witness.arrivedAt, windows, in: rules.policies)
    whole.add(fact, in: rules.policies)
    var next: Timestamp?
    guard whole.current.isPlain,
      whole.current.isQuiet(rules, at: step.witness.arrivedAt, &next)
    else { return false }
    books.update(
      from: before, to: whole.current, isTransferred: step.isTransferred, in: rules.policies)
    begin(step, saidBy: fact.spokenBy, &reader)
    writer.handoff(whole)
    keep(next, &reader, at: slot)
    return true
  }

  /// Begins to write the person as it is after the step, up to the handoff.
  private mutating func begin(
    _ step: borrowing BegunStep, saidBy speaker: OrganisationID?, _ reader: inout PackedReader
  ) {
    let last = reader.lastArrival
    let arrival = PackedArrival(step.held.brief, step.witness)
    reader.arrivals.append(arrival)
    writer.begin(borrowing: &reader.arrivals)
    writer.plainPerson(
      copying: step.arrivals, of: reader.bytes, arrival, saidBy: speaker, after: last)
  }

  private mutating func keep(_ next: Timestamp?, _ reader: inout PackedReader, at slot: UInt32) {
    let packed = writer.takePacked()
    writer.end(lending: &reader.arrivals)
    restore(packed, next, at: slot)
  }
}

extension PackedReader {
  /// Whether nothing that is remembered could be the same message or content, and nothing is to be
  /// forgotten; what looks alike is compared with care elsewhere.
  fileprivate func isNews(
    _ event: borrowing EventBrief, at now: Timestamp, _ rules: PlainRules
  ) -> Bool {
    let memory = rules.policies.span[Int(rules.inForce)].windows.memory
    if let first = arrivals.first, first.arrivedAt.advanced(by: memory) <= now { return false }
    for arrival in arrivals {
      if arrival.eventID == event.id || arrival.contentTail == event.said.contentHash {
        return false
      }
      if let messageTail = event.messageTail, arrival.messageTail == messageTail { return false }
    }
    return true
  }
}

extension EventType {
  /// Whether it speaks of a handoff and of nothing else.
  fileprivate var isPlain: Bool { isLifecycle && self != .recipientRefusedPatient }
}

extension HandoffFacts {
  /// Whether its marks begin with all that others have.
  fileprivate borrowing func hasMarks(of other: borrowing HandoffFacts) -> Bool {
    guard marks.count >= other.marks.count else { return false }
    for index in other.marks.indices where marks[index] != other.marks[index] { return false }
    return true
  }

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
