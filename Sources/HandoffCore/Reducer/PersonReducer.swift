/// The person reducer of one partition: records and partition time in, verdicts out.
///
/// A value without clock, I/O or hash-order dependence: the same records give the same verdicts,
/// however they are batched, and with or without ticks. What it remembers is ``state`` and the
/// ``Person`` of each key; everything else is derived from them.
///
/// Beside verdicts it gives ``Outgoing`` records: a person whom an event moves to another key, and
/// events that come for a key after that. They go out in the transaction of their cause.
public struct PersonReducer: Sendable {
  /// The version of the rules in this code: counted up when the same records give other verdicts or
  /// other transfers.
  ///
  /// Every verdict names it, whichever version the log's activation names: a log that is judged
  /// again says by which rules.
  public static let rulesVersion: UInt32 = 6

  struct Journal: Sendable {
    /// A person as it was before the batch changed it for the first time.
    struct Entry: Sendable {
      var key: PatientKey
      /// Packed; `nil` where there was nobody.
      var packed: [UInt8]?
      var nextDue: Timestamp?
    }

    var state: PartitionState
    var policies: [Policy]
    var hanging: [Code: [PatientKey: Timestamp]]
    /// In the order in which they were touched; somebody forgotten and met again stands twice, and
    /// so does whom two parts of the batch touched.
    var entries: [Entry] = []
    /// The first entry of the part that is under way.
    var partStart = 0
  }

  public let topic: String
  public let partition: Int32
  public internal(set) var state: PartitionState
  /// By ordinal of ``PartitionState/activations``.
  var policies: [Policy]
  /// Policies whose bytes are known, by hash.
  var known: [RecordHash: Policy]
  /// Registers whose bytes are known, by hash.
  var registers: [RecordHash: OrganisationRegister] = [:]
  var persons = PersonTable()
  var journal: Journal?
  /// Counts the batches and their parts, to tell whom the open one has noted.
  var batchNumber: UInt32 = 0
  /// Of the first part of the batch that is open, or was open last.
  var firstPartNumber: UInt32 = 0
  /// Policies and registers that were activated without having been provided: judged by the one
  /// before.
  public internal(set) var missingPolicies: [RecordHash] = []
  /// By organisation, the sources that the policy in force says speak for it.
  var declared: [OrganisationID: [Code]] = [:]
  /// By source, who waits for it, and up to when it must be complete for the earliest.
  ///
  /// Derived from the persons: who waits no more may still stand here, and is passed over.
  var hanging: [Code: [PatientKey: Timestamp]] = [:]
  /// Kept so that what is only fetched is read; it means nothing.
  var fetched: UInt8 = 0
  /// What is to be written to the events topic, in order; ``takeOutgoing()`` empties it.
  var outgoing: [Outgoing] = []

  /// Makes an empty reducer, with the policy in force until a record activates another.
  public init(policy: Policy, topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
    policies = [policy]
    known = [policy.hash: policy]
    if let register = policy.register { registers = [register.hash: register] }
    declared = Completeness.declared(by: policy)
    state = PartitionState(
      activations: [
        RulesActivation(
          rulesVersion: PersonReducer.rulesVersion, policyHash: policy.hash,
          registerHash: policy.register?.hash)
      ])
  }

  /// Makes a policy known before the record that activates it is applied.
  public mutating func provide(_ policy: Policy) {
    known[policy.hash] = policy
  }

  /// Makes a register known before the record that activates it is applied.
  public mutating func provide(_ register: OrganisationRegister) {
    registers[register.hash] = register
  }

  /// Applies one record of the partition; the next in offset order.
  ///
  /// Partition time advances to the record first, and every deadline due by then fires; an answer
  /// at the very deadline therefore opens and resolves. A record stamped below partition time is
  /// applied at partition time; one that none of our writers wrote moves no time.
  public mutating func apply(_ record: EventRecord) -> [Verdict] {
    var verdicts: [Verdict] = []
    apply(record, into: &verdicts)
    return verdicts
  }

  /// The same, adding to verdicts that the caller keeps.
  public mutating func apply(_ record: EventRecord, into verdicts: inout [Verdict]) {
    if case .event(let event) = record.content {
      return take(
        event, hash: record.hash.prefix, at: record.coordinates.offset, record.brokerAt,
        { record }, into: &verdicts)
    }
    if record.isOurs || state.time == .distantPast {
      advance(to: record.brokerAt, into: &verdicts)
    }
    pass(record.coordinates.offset)
    switch record.content {
    case .tick, .event: break
    case .sourceState(let source): take(source, into: &verdicts)
    case .rulesActivation(let activation): activate(activation, of: record, into: &verdicts)
    case .transfer(let transfer): take(transfer, of: record, into: &verdicts)
    case .unusable(let rule, let cause): noteDefect(rule, cause, record, into: &verdicts)
    }
  }

  /// The same for records that follow each other.
  ///
  /// Quicker than one by one where the people are not in the processor's cache.
  public mutating func apply(_ all: ArraySlice<EventRecord>, into verdicts: inout [Verdict]) {
    var slots: [UInt32] = []
    var events: [HeldEvent?] = []
    events.reserveCapacity(min(all.count, Self.aheadCount))
    // Through the span: a slice gives a copy of each.
    let records = all.span
    var start = 0
    while start < records.count {
      let end = min(start + Self.aheadCount, records.count)
      slots.removeAll(keepingCapacity: true)
      events.removeAll(keepingCapacity: true)
      for index in start..<end {
        guard case .event(let event) = records[index].content else {
          events.append(nil)
          continue
        }
        if let slot = persons.slot(of: event.brief.patientKey) { slots.append(slot) }
        events.append(event)
      }
      fetched ^= persons.touch(slots)
      for index in start..<end {
        guard let event = events[index - start] else {
          apply(records[index], into: &verdicts)
          continue
        }
        take(
          event, hash: records[index].hash.prefix, at: records[index].coordinates.offset,
          records[index].brokerAt, { all[all.startIndex + index] }, into: &verdicts)
      }
      start = end
    }
  }

  /// An offline line may claim any offset; the sum must not trap.
  private mutating func pass(_ offset: Int64) { state.nextOffset = max(offset, offset &+ 1) }

  /// How many people are fetched from memory at once: they fit into the smallest cache.
  static let aheadCount = 16

  /// What is to be written to the events topic in the transaction of the records applied so far.
  public mutating func takeOutgoing() -> [Outgoing] {
    defer { outgoing = [] }
    return outgoing
  }

  /// Moves partition time on, and fires every deadline due by then, each at its own moment.
  public mutating func advance(to time: Timestamp) -> [Verdict] {
    var verdicts: [Verdict] = []
    advance(to: time, into: &verdicts)
    return verdicts
  }

  /// When the next deadline falls due, or earlier; `nil` when nothing is armed.
  ///
  /// Earlier where an answer came meanwhile: a tick then passes without effect.
  public var nextDue: Timestamp? {
    var next = persons.firstDue
    if let end = nextDefectEnd { next.lower(to: end) }
    return next
  }

  private mutating func activate(
    _ activation: RulesActivation, of record: EventRecord, into verdicts: inout [Verdict]
  ) {
    guard activation != state.activations[Int(state.inForce)] else { return }
    let missing = missing(activation)
    for (hash, cause) in missing {
      missingPolicies.append(hash)
      noteDefect(.s05, cause, record, into: &verdicts)
    }
    if missing.isEmpty { endDefects(.s05, at: state.time, into: &verdicts) }
    // Of the two, what is known is in force; in place of the other what was before.
    var policy = known[activation.policyHash] ?? policies[Int(state.inForce)]
    policy.register = activation.registerHash.flatMap { registers[$0] ?? registerInForce }
    state.activations.append(activation)
    policies.append(policy.under(activation))
    state.inForce = UInt16(clamping: policies.count - 1)
    declared = Completeness.declared(by: policies[Int(state.inForce)])
    rejudgeHanging(into: &verdicts)
  }

  /// What an activation names whose bytes nobody has given us, and the limb of S05 for it.
  private func missing(_ activation: RulesActivation) -> [(RecordHash, Code?)] {
    var missing: [(RecordHash, Code?)] = []
    if known[activation.policyHash] == nil { missing.append((activation.policyHash, nil)) }
    if let hash = activation.registerHash, registers[hash] == nil {
      missing.append((hash, .register))
    }
    if let profile = activation.profile, let policy = known[activation.policyHash],
      policy.under(profile) == nil
    {
      missing.append((policy.hash, .unknownProfile))
    }
    return missing
  }

  /// The policy as an activation puts it in force; `nil` where some of its bytes are not known.
  func effective(_ activation: RulesActivation) -> Policy? {
    guard var policy = known[activation.policyHash] else { return nil }
    policy.register = nil
    guard let hash = activation.registerHash else { return policy.under(activation) }
    guard let register = registers[hash] else { return nil }
    policy.register = register
    return policy.under(activation)
  }
}

// MARK: Time

extension PersonReducer {
  mutating func advance(to time: Timestamp, into verdicts: inout [Verdict]) {
    settleDefects(upTo: time, into: &verdicts)
    let minute = state.time.minute
    while let due = persons.popDue(upTo: time) {
      state.time = max(state.time, due.at)
      note(due.slot)
      var person = persons.person(at: due.slot)
      evaluate(&person, at: due.slot, answer: nil, into: &verdicts)
    }
    state.time = max(state.time, time)
    if state.time.minute != minute { checkBooks(into: &verdicts) }
  }

  /// Judges a person, who is kept as it is then, or forgotten where nothing is left to remember.
  mutating func evaluate(
    _ person: inout Person, at slot: UInt32, answer: Witness?, by answerer: Answerer? = nil,
    arriving: EventID? = nil, into verdicts: inout [Verdict]
  ) {
    let nextDue = judge(
      &person, answer: answer, by: answerer, arriving: arriving, books: &state.books,
      into: &verdicts)
    if !state.sources.isEmpty { noteHanging(of: person) }
    if person.isEmpty {
      persons.remove(slot)
    } else {
      persons.put(person, nextDue, at: slot)
    }
  }

  /// Judges a person at partition time; says when something may next be different.
  private func judge(
    _ person: inout Person, answer: Witness?, by answerer: Answerer?, arriving: EventID?,
    books: inout Books, into verdicts: inout [Verdict]
  ) -> Timestamp? {
    let moment = Moment(
      now: state.time, readUpTo: state.nextOffset - 1, topic: topic, partition: partition,
      policies: policies, ordinal: Int(state.inForce), completeness: completeness,
      answer: answer, answerer: answerer, arriving: arriving)
    return person.evaluate(moment, books: &books, into: &verdicts)
  }
}

// MARK: Events

extension PersonReducer {
  /// The slot of a key, made where it is new; noted before it is changed.
  mutating func slot(of key: PatientKey) -> UInt32 {
    if let slot = persons.slot(of: key) {
      note(slot)
      return slot
    }
    let slot = persons.insert(key)
    if persons.mark(slot, by: batchNumber), journal != nil {
      journal?.entries.append(Journal.Entry(key: key, packed: nil, nextDue: nil))
    }
    return slot
  }

  /// Takes an event; its record is copied only where all of it is asked for.
  private mutating func take(
    _ held: HeldEvent, hash: RecordHashPrefix, at offset: Int64, _ brokerAt: Timestamp,
    _ record: () -> EventRecord, into verdicts: inout [Verdict]
  ) {
    advance(to: brokerAt, into: &verdicts)
    pass(offset)
    state.books.eventCount += 1
    let memory = policies.span[Int(state.inForce)].windows.memory
    if let originalAt = held.brief.originalAt, originalAt.advanced(by: memory) <= state.time {
      // Sent on again by a reconciler that was built anew; the first copy is forgotten by now.
      state.books.staleCount += 1
      return
    }
    let slot = slot(of: held.brief.patientKey)
    let witness = Witness(
      eventID: held.brief.id, hash: hash, arrivedAt: state.time,
      occurredAt: held.brief.occurredAt, offset: offset)
    if stepPlainly(held, witness, at: slot) { return learnCarrier(of: held) }
    takeWhole(held, witness, of: record(), at: slot, into: &verdicts)
  }

  /// Takes an event that the whole person is judged for.
  private mutating func takeWhole(
    _ held: HeldEvent, _ witness: Witness, of record: EventRecord, at slot: UInt32,
    into verdicts: inout [Verdict]
  ) {
    let event = held.value
    var person = persons.person(at: slot)
    if let alias = person.alias {
      return forward(event, through: alias, record, &person, at: slot, into: &verdicts)
    }
    if let target = event.movesTo {
      return move(event, to: target, record, person, at: slot, into: &verdicts)
    }
    learnCarrier(of: held)
    let isNews = person.take(
      event, witness, policies: policies, inForce: state.inForce, books: &state.books)
    if isNews {
      let answerer = Answerer(
        handoffID: event.handoffID, source: event.source, type: event.type)
      evaluate(&person, at: slot, answer: witness, by: answerer, into: &verdicts)
    } else {
      persons.put(person, persons.nextDue(at: slot), at: slot)
    }
  }

  /// The step of somebody of whom nothing can be said by it (decision 0125); false where there may.
  ///
  /// Builds with assertions judge each person whole as well, and compare.
  private mutating func stepPlainly(
    _ event: HeldEvent, _ witness: Witness, at slot: UInt32
  ) -> Bool {
    var whole: WholeStep?
    assert(
      {
        whole = wholeStep(event.value, witness, at: slot)
        return true
      }(), "a note of what judging the whole person gives")
    let rules = PlainRules(policies: policies, inForce: state.inForce)
    guard persons.stepPlainly(event, witness, by: rules, books: &state.books, at: slot) else {
      return false
    }
    assert(
      whole.map {
        $0.person.abridged == persons.person(at: slot) && $0.nextDue == persons.nextDue(at: slot)
          && $0.books == state.books && $0.verdicts.isEmpty
      } == true, "a plain step is what judging the whole person gives")
    return true
  }

  /// What an event does to somebody who is judged whole.
  private struct WholeStep {
    var person: Person
    var nextDue: Timestamp?
    var books: Books
    var verdicts: [Verdict] = []
  }

  private func wholeStep(_ event: HandoffEvent, _ witness: Witness, at slot: UInt32) -> WholeStep {
    var step = WholeStep(person: persons.person(at: slot), books: state.books)
    guard step.person.alias == nil, event.movesTo == nil else { return step }
    _ = step.person.take(
      event, witness, policies: policies, inForce: state.inForce, books: &step.books)
    let answerer = Answerer(handoffID: event.handoffID, source: event.source, type: event.type)
    step.nextDue = judge(
      &step.person, answer: witness, by: answerer, arriving: nil, books: &step.books,
      into: &step.verdicts)
    return step
  }
}

extension Person {
  /// Takes in one event; false where it changed nothing at all.
  fileprivate mutating func take(
    _ event: HandoffEvent, _ witness: Witness, policies: [Policy], inForce: UInt16,
    books: inout Books
  ) -> Bool {
    let windows = policies[Int(inForce)].windows
    forgetSeen(at: witness.arrivedAt, windows)
    let recognition = recognise(event, at: witness.arrivedAt, windows)
    if case .redelivery = recognition {
      books.redeliveredCount += 1
      return false
    }
    remember(event, witness)
    switch recognition {
    case .redelivery: break
    case .repetition(let known):
      if known.eventID == event.id, let moment = momentOfRetry(event, witness, policies) {
        add(event, witness, retriedAt: moment, policies, inForce, books: &books)
      } else {
        books.repeatedCount += 1
        note(.a01, of: known, event, witness, windows)
      }
    case .reuse(let known):
      note(.a03, of: known, event, witness, windows)
      add(event, witness, policies, inForce, books: &books)
    case .resend(let known):
      note(rule(ofResend: event, known, witness, windows), of: known, event, witness, windows)
      books.repeatedCount += 1
      add(event, witness, isResend: true, policies, inForce, books: &books)
    case .new: add(event, witness, policies, inForce, books: &books)
    }
    return true
  }

  /// When a request that had failed was tried again (footnote 2); `nil` where it is a plain repeat.
  ///
  /// It is the same message, and says when it was first sent. When it was sent again our connector
  /// knows, which may have been away since: what happened after that may have come before it.
  private mutating func momentOfRetry(
    _ event: HandoffEvent, _ witness: Witness, _ policies: [Policy]
  ) -> Timestamp? {
    guard event.type == .handoffRequested,
      let index = handoffs.firstIndex(where: { $0.id == event.handoffID })
    else { return nil }
    let windows = policies[Int(handoffs[index].current.policy)].windows
    handoffs[index].settle(at: witness.arrivedAt, windows, in: policies)
    if let received = event.receptionID.receivedAt, received >= event.occurredAt,
      received <= witness.arrivedAt, handoffs[index].state(at: received, in: policies) == .failed
    {
      return received
    }
    guard handoffs[index].current.state == .failed else { return nil }
    // Behind the failure also where that has come from a clock that is ahead.
    let failedAt = handoffs[index].current.witness(of: .ended)?.occurredAt ?? .distantPast
    return max(witness.arrivedAt, failedAt.advanced(by: Elapsed(nanoseconds: 1)))
  }

  private mutating func add(
    _ event: HandoffEvent, _ witness: Witness, retriedAt: Timestamp? = nil,
    isResend: Bool = false, _ policies: [Policy], _ inForce: UInt16, books: inout Books
  ) {
    if !event.type.isLifecycle || event.type == .recipientRefusedPatient {
      hearOfStay(event, witness, inForce)
    }
    guard event.type.isLifecycle, let id = event.handoffID else {
      unlinkedCount += 1
      books.unlinkedCount += 1
      hearOfReadiness(event, witness)
      return
    }
    let index = position(of: id)
    let before = BookEntry(handoffs[index])
    let windows = policies[Int(handoffs[index].current.policy)].windows
    handoffs[index].settle(at: witness.arrivedAt, windows, in: policies)
    var fact = Fact(event, witness: witness, policy: inForce, isRetry: retriedAt != nil)
    fact.witness.occurredAt = retriedAt ?? witness.occurredAt
    if isResend {
      handoffs[index].addAgain(fact, in: policies)
    } else {
      handoffs[index].add(fact, in: policies)
    }
    books.update(from: before, to: BookEntry(handoffs[index]), in: policies)
  }

  /// The position of a handoff, made where it is new.
  private mutating func position(of id: HandoffID) -> Int {
    var position = handoffs.count
    while position > 0, id <= handoffs[position - 1].id {
      position -= 1
      if handoffs[position].id == id { return position }
    }
    handoffs.insert(Handoff(id: id, current: HandoffFacts()), at: position)
    return position
  }

  private mutating func hearOfReadiness(_ event: HandoffEvent, _ witness: Witness) {
    guard event.type == .readyForDischarge || event.type == .dischargeReadinessWithdrawn else {
      return
    }
    if let said = readinessSaid,
      (event.occurredAt, event.id) < (said.occurredAt, said.eventID)
    {
      return
    }
    readinessSaid = witness
    let isReady = event.type == .readyForDischarge
    dischargeReadyAt = isReady ? event.dischargeReadyAt ?? event.occurredAt : event.occurredAt
  }
}
