import HandoffCore
import TestSupport
import Testing

private let seeds = Array(0..<24 as Range<UInt64>)

private func reducer() -> PersonReducer {
  PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
}

private func records(_ seed: UInt64, count: Int = 200) -> [EventRecord] {
  var generator = JourneyGenerator(seed: seed)
  return generator.records(count: count)
}

/// Everything that is said over the records, and until every deadline has passed.
private func verdicts(_ records: [EventRecord]) -> [Verdict] {
  var reducer = reducer()
  var verdicts = records.flatMap { reducer.apply($0) }
  verdicts += reducer.advance(to: end(of: records))
  return verdicts
}

/// A year after the last record: beyond every clock and every memory.
private func end(of records: [EventRecord]) -> Timestamp {
  (records.last?.brokerAt ?? JourneyGenerator.start).advanced(by: .hours(365 * 24))
}

private func canonical(_ records: [EventRecord]) -> String {
  CanonicalForm.text(of: verdicts(records))
}

@Suite struct PropertyTests {
  @Test func `the journeys reach every rule of this reducer and every state`() {
    let all = (0..<40 as Range<UInt64>).flatMap { verdicts(records($0)) }
    let expected: Set<Rule> = [
      .a01, .a02, .a03, .a04, .a05, .a06, .a07, .a08, .a09, .a10, .a11, .a12, .a13, .a14, .a15,
      .a17, .a20, .a21, .a22, .a23, .a24,
    ]
    #expect(Set(all.map(\.rule)).isSuperset(of: expected))
    #expect(Set(all.compactMap(\.state)) == Set(HandoffState.allCases))
    #expect(all.contains { $0.action == .resolved && $0.rule == .a07 })
  }

  @Test(arguments: seeds)
  func `our own redelivery of any record changes nothing`(seed: UInt64) {
    let original = records(seed)
    var random = SeededGenerator(seed: seed)
    var delivered: [EventRecord] = []
    var pending: [EventRecord] = []
    for record in original {
      delivered.append(record)
      if Bool.random(using: &random) { pending.append(record) }
      // At any later moment, in any order; the bus delivers again within hours, not months.
      pending.shuffle(using: &random)
      while let again = pending.last, Bool.random(using: &random) {
        pending.removeLast()
        guard record.brokerAt.since(again.brokerAt) < .hours(600) else { continue }
        delivered.append(
          EventRecord(
            content: again.content, brokerAt: record.brokerAt, coordinates: record.coordinates,
            hash: again.hash))
      }
    }
    #expect(delivered.count > original.count)
    #expect(canonical(delivered) == canonical(original))
  }

  @Test(arguments: seeds)
  func `removing every tick changes no verdict`(seed: UInt64) {
    let all = records(seed)
    let withoutTicks = all.filter { if case .tick = $0.content { false } else { true } }
    #expect(withoutTicks.count < all.count)
    #expect(canonical(withoutTicks) == canonical(all))
  }

  @Test(arguments: seeds)
  func `any size of batch gives the same verdicts, and says the same keys`(seed: UInt64) {
    let all = records(seed)
    var random = SeededGenerator(seed: seed)
    var batched = reducer()
    var said: [Verdict] = []
    var next = all[...]
    while !next.isEmpty {
      let batch = next.prefix(Int.random(in: 1...40, using: &random))
      next = next.dropFirst(batch.count)
      batched.beginBatch()
      for record in batch { said += batched.apply(record) }
      let keys = batched.touched
      batched.commitBatch()
      #expect(keys == keys.sorted())
    }
    said += batched.advance(to: end(of: all))
    #expect(CanonicalForm.text(of: said) == canonical(all))
  }

  @Test(arguments: seeds)
  func `what a batch changed, given part by part, is what the batch left`(seed: UInt64) {
    let all = records(seed)
    var random = SeededGenerator(seed: seed)
    var parted = reducer()
    var given: [PatientKey: Person] = [:]
    var next = all[...]
    var isAgain = false
    while !next.isEmpty {
      let batch = next.prefix(Int.random(in: 1...40, using: &random))
      next = next.dropFirst(batch.count)
      let (before, state) = (people(of: parted), parted.state)
      // The first time in parts that are taken back, the second time in others that stay.
      for isKept in [false, true] {
        parted.beginBatch()
        var keys: Set<PatientKey> = []
        var said = given
        for record in batch {
          _ = parted.apply(record)
          guard Bool.random(using: &random) else { continue }
          parted.takeTouched { key, person in
            said[key] = person
            isAgain = isAgain || !keys.insert(key).inserted
          }
        }
        parted.takeTouched { said[$0] = $1 }
        parted.takeTouched { key, _ in Issue.record("\(key) was given already") }
        for person in before {
          let committed = parted.committedPerson(for: person.key)
          #expect(committed.map { parted.unpacked($0) } == person)
        }
        guard isKept else {
          parted.rollBackBatch()
          #expect(people(of: parted) == before)
          #expect(parted.state == state)
          continue
        }
        parted.commitBatch()
        given = said
        #expect(people(of: parted) == given.values.sorted { $0.key < $1.key })
      }
    }
    #expect(isAgain)
  }

  @Test(arguments: seeds)
  func `a batch that is rolled back leaves no trace`(seed: UInt64) {
    let all = records(seed)
    var random = SeededGenerator(seed: seed)
    var tried = reducer()
    var plain = reducer()
    var next = all[...]
    while !next.isEmpty {
      let batch = next.prefix(Int.random(in: 1...40, using: &random))
      next = next.dropFirst(batch.count)
      tried.beginBatch()
      for record in next.prefix(7) { _ = tried.apply(record) }
      tried.rollBackBatch()
      #expect(tried.state == plain.state)
      #expect(people(of: tried) == people(of: plain))
      for record in batch { #expect(tried.apply(record) == plain.apply(record)) }
    }
    #expect(tried.advance(to: end(of: all)) == plain.advance(to: end(of: all)))
  }

  @Test(arguments: seeds)
  func `a reducer put back from its state goes on as if nothing had been`(seed: UInt64) throws {
    let all = records(seed)
    var original = reducer()
    for record in all.prefix(all.count / 2) { _ = original.apply(record) }
    var restored = reducer()
    try restored.restore(original.state)
    for person in people(of: original) { try restored.restore(person) }
    for record in all.dropFirst(all.count / 2) {
      #expect(restored.apply(record) == original.apply(record))
    }
    #expect(restored.advance(to: end(of: all)) == original.advance(to: end(of: all)))
    #expect(restored.state == original.state)
  }

  @Test(arguments: seeds)
  func `revisions count up by one, and nothing is resolved that is not open`(seed: UInt64) {
    var live: [AlertID: Verdict] = [:]
    for verdict in verdicts(records(seed)) {
      let before = live[verdict.alertID]
      #expect(verdict.revision == (before?.revision ?? 0) + 1)
      let wasOpen = before.map { $0.action != .resolved } ?? false
      #expect(wasOpen == (verdict.action != .opened))
      #expect(verdict.opened <= verdict.knownAt)
      live[verdict.alertID] = verdict
    }
  }

  @Test(arguments: seeds)
  func `the books balance after every record, and agree with a count of the handoffs`(
    seed: UInt64
  ) {
    var reducer = reducer()
    for record in records(seed) {
      _ = reducer.apply(record)
      #expect(reducer.state.books.isBalanced)
    }
    let events = records(seed).count { if case .event = $0.content { true } else { false } }
    #expect(reducer.state.books.eventCount == UInt64(events))
    var counted = [UInt64](repeating: 0, count: Bucket.allCases.count)
    for handoff in people(of: reducer).flatMap(\.handoffs) where handoff.current.isRequested {
      counted[Int(Bucket(handoff.current.state).rawValue)] += 1
    }
    let books = reducer.state.books
    let forgotten = zip(books.total.buckets, counted).reduce(0) { $0 + ($1.0 - $1.1) }
    #expect(forgotten == books.forgotten)
  }

  @Test(arguments: seeds.prefix(20))
  func `a year later only what never ended is remembered`(seed: UInt64) {
    var reducer = reducer()
    let all = records(seed)
    for record in all { _ = reducer.apply(record) }
    _ = reducer.advance(to: end(of: all))
    for person in people(of: reducer) {
      // What ended stays only beside something of the same need or journey that did not.
      let isHeld = person.handoffs.contains { handoff in
        let state = handoff.current.state
        return handoff.current.isRequested && !state.isTerminal && state != .completed
      }
      // Or an alert about the stay waits for what would resolve it.
      let isWaiting = person.alerts.contains { $0.isOpen && [.a20, .a21].contains($0.rule) }
      #expect(isHeld || isWaiting)
    }
  }

  private func people(of reducer: PersonReducer) -> [Person] {
    reducer.keys.compactMap { reducer.person(for: $0) }
  }
}

@Suite struct PermutationTests {
  /// What may happen to one handoff within a quarter of an hour.
  private static let types: [EventType] = [
    .handoffAmended, .transportAccepted, .delivered, .received, .accepted, .rejected,
    .infoRequested, .booked, .started, .completed, .cancelled, .interim, .feedbackSent,
  ]

  /// Two handoffs of a person and some of what happens to them, in ten minutes.
  private func events(_ random: inout SeededGenerator) -> [HandoffEvent] {
    var events: [HandoffEvent] = []
    for handoff: UInt128 in [7, 8] {
      let id = HandoffID(rawValue: handoff)
      events.append(Scene.event(.handoffRequested, id: handoff, handoff: id, at: 0))
      events[events.count - 1].needKey = Token(rawValue: 3)
      for position in 0..<Int.random(in: 1...5, using: &random) {
        let type = Self.types[Int.random(in: 0..<Self.types.count, using: &random)]
        let minute = Int64.random(in: 0...10, using: &random)
        let eventID = handoff * 100 + UInt128(position)
        var event = Scene.event(type, id: eventID, handoff: id, at: minute)
        event.messageKey = Token(rawValue: UInt128.random(in: 0...30, using: &random))
        if Int.random(in: 0..<10, using: &random) == 0 { event.spokenBy = Scene.stranger }
        events.append(event)
        if Int.random(in: 0..<5, using: &random) == 0 { events.append(event) }
      }
    }
    for index in events.indices {
      events[index].receptionID = ReceptionID(rawValue: UInt128(index))
    }
    return events
  }

  /// The open alerts at some later moments, whatever the order of arrival.
  private func standing(_ events: [HandoffEvent], _ minutes: [Int64]) -> [[String]] {
    var scene = Scene()
    for (index, event) in events.enumerated() { scene.apply(.event(event), at: Int64(index) % 15) }
    return minutes.map { minute in
      scene.tick(at: minute)
      return LiveAlerts(scene.verdicts).open
        .map { "\($0.alertID) \($0.rule.rawValue)" }.sorted()
    }
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `permuting arrivals inside the window leaves the same alerts standing`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let events = events(&random).prefix(14).map(\.self)
    let moments: [Int64] = [150, 1500, 8000, 80_000]
    let expected = standing(events, moments)
    for _ in 0..<5 {
      let shuffled = events.shuffled(using: &random)
      #expect(standing(shuffled, moments) == expected)
    }
  }
}
