import HandoffCore
import TestSupport
import Testing

@Suite struct TransferTests {
  @Test func `a merge moves what is open, with its alerts, and later records follow`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.tick(at: Scene.minutes(90))
    #expect(region.open == [.a07])
    region.merge(Region.a, into: Region.b, at: 100)
    #expect(region.state(of: Region.b) == .requested)
    #expect(region.person(Region.a)?.handoffs.isEmpty == true)
    #expect(region.open == [.a07])
    region.say(.received, of: Region.a, at: 110)
    #expect(region.state(of: Region.b) == .received)
    #expect(region.open == [])
    let resolved = try #require(region.verdicts.last { $0.action == .resolved })
    #expect(resolved.patientKey == Region.b && resolved.revision == 2)
    #expect(resolved.alertID == region.verdicts.first?.alertID)
    // The request stands in the old key's partition, the answer was read in the new one's.
    let partitions = resolved.evidence.compactMap(\.coordinates?.partition)
    #expect(partitions == [1, 2])
    let books = region.reducers.map(\.state.books.total)
    #expect(books[1].transferredOut == 1 && books[2].transferredIn == 1)
    #expect(books.allSatisfy { $0.isBalanced })
    #expect(region.reducers[1].state.books.forwardedCount == 1)
  }

  @Test func `a merge inside one partition is a transfer too`() {
    var region = Region(partitionCount: 1)
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.merge(Region.a, into: Region.b, at: 10)
    region.say(.accepted, of: Region.a, at: 20)
    #expect(region.state(of: Region.b) == .accepted)
    let total = region.reducers[0].state.books.total
    #expect(total.transferredIn == 1 && total.transferredOut == 1 && total.isBalanced)
  }

  @Test func `a chain of merges is followed to its end, with the first coordinates`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.merge(Region.a, into: Region.b, at: 10, id: 70)
    region.merge(Region.b, into: Region.c, at: 20, id: 71)
    #expect(region.state(of: Region.c) == .requested)
    region.isPrompt = false
    region.say(.received, of: Region.a, at: 30)
    let first = try #require(region.underway.first)
    guard case .event(let event) = first else {
      Issue.record("not an event")
      return
    }
    #expect(event.patientKey == Region.b && event.original?.partition == 1)
    #expect(event.originalAt == Scene.minutes(30))
    region.deliver(at: Scene.minutes(30))
    #expect(region.state(of: Region.c) == .received)
  }

  @Test func `a transfer that is read again changes nothing, and must be the same`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.isPrompt = false
    region.merge(Region.a, into: Region.b, at: 10)
    let underway = region.underway
    region.deliver(at: Scene.minutes(10))
    let before = region.person(Region.b)
    region.underway = underway
    region.deliver(at: Scene.minutes(20))
    #expect(region.person(Region.b) == before)
    #expect(region.verdicts.isEmpty)
    guard case .transfer(let transfer) = try #require(underway.first) else { return }
    var record = JourneyGenerator.record(.transfer(transfer), at: Scene.minutes(30), offset: 99)
    record.hash = try #require(RecordHash(bytes: [UInt8](repeating: 3, count: 32)))
    #expect(region.reducers[2].apply(record).short == ["S07 opened"])
    #expect(region.person(Region.b) == before)
  }

  /// Worked out apart: HMAC-SHA-256 of the merge's id and the key's text, its first 128 bits.
  @Test func `a transfer has the id that its cause and its key make, in every version`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.isPrompt = false
    region.merge(Region.a, into: Region.b, at: 10, id: 77)
    guard case .transfer(let transfer) = try #require(region.underway.first) else {
      Issue.record("not a transfer")
      return
    }
    #expect(transfer.id == EventID("e2fe6cc6ef719ffc231591c125ffdf17"))
  }

  @Test(arguments: [true, false])
  func `a transfer of an earlier version, which is written otherwise, is not held against ours`(
    isEarlierFirst: Bool
  ) throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.isPrompt = false
    region.merge(Region.a, into: Region.b, at: 10)
    guard case .transfer(let ours) = try #require(region.underway.first) else { return }
    var earlier = ours
    earlier.rulesVersion = 0
    var said: [String] = []
    let transfers = isEarlierFirst ? [earlier, ours] : [ours, earlier]
    for place in transfers.indices {
      var record = JourneyGenerator.record(
        .transfer(transfers[place]), at: Scene.minutes(30), offset: 90 + place)
      record.hash = RecordHash(high: 1, low: UInt128(UInt64(place)))
      said += region.reducers[2].apply(record).short
    }
    #expect(said == [])
    #expect(region.reducers[2].state.books.redeliveredCount == 1)
  }

  @Test(arguments: [[0, 1], [1, 0]])
  func `merges that cross each other leave one key with everything`(order: [Int]) {
    var region = Region()
    let other = HandoffID(rawValue: 8)
    region.say(.handoffRequested, of: Region.a, at: 0, id: 1)
    region.say(.handoffRequested, of: Region.b, at: 0, id: 2, handoff: other)
    region.isPrompt = false
    region.merge(Region.a, into: Region.b, at: 10, id: 70)
    region.merge(Region.b, into: Region.a, at: 10, id: 71)
    region.underway = order.map { region.underway[$0] }
    region.deliver(at: Scene.minutes(10))
    // The least key stands for both.
    #expect(region.state(of: Region.a) == .requested)
    #expect(region.state(of: Region.a, other) == .requested)
    #expect(region.person(Region.b)?.alias?.key == Region.a)
    #expect(region.person(Region.a)?.alias == nil)
    region.say(.received, of: Region.b, at: 20)
    region.say(.received, of: Region.a, at: 20, id: 5, handoff: other)
    region.deliver(at: Scene.minutes(20))
    #expect(region.state(of: Region.a) == .received)
    #expect(region.state(of: Region.a, other) == .received)
    let pages = region.reducers.map(\.state.books.total)
    #expect(pages.allSatisfy { $0.isBalanced })
    let openCount = pages.reduce(0) { $0 + $1[.open] }
    #expect(openCount == 2)
  }

  @Test(arguments: 0..<24 as Range<UInt64>)
  func `a ring of merges, read in any order, leaves one key with everything`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var region = Region()
    let keys = [Region.a, Region.b, Region.c]
    for (number, key) in keys.enumerated() {
      let id = UInt128(number + 1)
      region.say(.handoffRequested, of: key, at: 0, id: id, handoff: HandoffID(rawValue: id))
    }
    region.isPrompt = false
    for (number, key) in keys.enumerated() {
      region.merge(key, into: keys[(number + 1) % 3], at: 10, id: UInt128(70 + number))
    }
    while !region.underway.isEmpty {
      // Partitions are read at their own pace; within one, in order.
      let chosen = region.underway.randomElement(using: &random).map {
        region.partition(of: $0.key)
      }
      let at = region.underway.firstIndex { region.partition(of: $0.key) == chosen } ?? 0
      let rest = region.underway
      region.underway = [rest[at]]
      var others = rest
      others.remove(at: at)
      let next = region.underway.removeFirst()
      if case .transfer(let transfer) = next {
        region.apply(.transfer(transfer), to: region.partition(of: next.key), at: Scene.minutes(10))
      }
      region.underway = others + region.underway
    }
    let holders = keys.filter { region.person($0)?.alias == nil }
    #expect(holders.count == 1)
    #expect(holders.first.flatMap { region.person($0)?.handoffs.count } == 3)
    for (number, key) in keys.enumerated() {
      region.say(
        .received, of: key, at: 20, id: UInt128(50 + number),
        handoff: HandoffID(rawValue: UInt128(number + 1)))
    }
    region.deliver(at: Scene.minutes(20))
    let states = holders.first.flatMap { region.person($0)?.handoffs.map(\.current.state) }
    #expect(states == [.received, .received, .received])
    #expect(region.reducers.allSatisfy { $0.state.books.isBalanced })
  }

  @Test func `what two keys knew of one handoff becomes one`() {
    var region = Region()
    region.say(.received, of: Region.b, at: 1, id: 5)
    region.say(.handoffRequested, of: Region.a, at: 0, id: 4)
    region.merge(Region.a, into: Region.b, at: 10)
    #expect(region.state(of: Region.b) == .received)
    #expect(region.person(Region.b)?.handoffs.count == 1)
    #expect(region.reducers.allSatisfy { $0.state.books.isBalanced })
    region.say(.handoffRequested, of: Region.c, at: 12, id: 6)
    region.merge(Region.c, into: Region.b, at: 20, id: 78)
    #expect(region.state(of: Region.b) == .received)
    #expect(region.reducers[2].state.books.absorbedCount == 1)
    #expect(region.reducers.allSatisfy { $0.state.books.isBalanced })
  }

  @Test func `a batch that is rolled back sends nothing`() {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    let before = region.reducers[1]
    region.reducers[1].beginBatch()
    region.isPrompt = false
    region.merge(Region.a, into: Region.b, at: 10)
    region.reducers[1].rollBackBatch()
    #expect(region.reducers[1].takeOutgoing().isEmpty)
    #expect(region.reducers[1].person(for: Region.a) == before.person(for: Region.a))
    #expect(region.reducers[1].state == before.state)
  }

  @Test func `a handoff keeps the policy that it was requested under`() throws {
    var slow = Policy.default
    slow.hash = try #require(RecordHash(bytes: [UInt8](repeating: 5, count: 32)))
    for index in slow.rows.indices { slow.rows[index].clocks.acknowledge = .hours(48) }
    var region = Region()
    for index in region.reducers.indices { region.reducers[index].provide(slow) }
    let activation = RulesActivation(rulesVersion: 1, policyHash: slow.hash)
    region.apply(.rulesActivation(activation), to: 1, at: Scene.minutes(0))
    region.say(.handoffRequested, of: Region.a, at: 1)
    region.merge(Region.a, into: Region.b, at: 10)
    let due = region.reducers[2].deadlines(of: Scene.handoff, person: Region.b).first?.due
    #expect(due == Scene.minutes(1 + 48 * 60))
    // What the other partition goes by is not changed.
    region.say(.handoffRequested, of: Region.b, at: 20, id: 9, handoff: HandoffID(rawValue: 9))
    let own = region.reducers[2].deadlines(of: HandoffID(rawValue: 9), person: Region.b).first
    #expect(own?.due == Scene.minutes(80))
    var restored = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 2)
    restored.provide(slow)
    try restored.restore(region.reducers[2].state)
    for key in region.reducers[2].keys {
      try restored.restore(try #require(region.reducers[2].person(for: key)))
    }
    #expect(restored.deadlines(of: Scene.handoff, person: Region.b).first?.due == due)
  }

  @Test(arguments: [(43_199, false), (43_200, true), (50_000, true)] as [(Int64, Bool)])
  func `an event that was sent on is ignored from the moment its first copy is forgotten`(
    minute: Int64, isIgnored: Bool
  ) {
    var region = Region()
    region.say(.handoffRequested, of: Region.b, at: minute) { event in
      event.original = RecordCoordinates(topic: "handoff.events.v1", partition: 1, offset: 1)
      event.originalAt = Scene.minutes(0)
    }
    #expect((region.person(Region.b) == nil) == isIgnored)
    #expect(region.reducers[2].state.books.staleCount == (isIgnored ? 1 : 0))
  }
}

/// A16: identities that were split, and what merges do to them.
@Suite struct MergeAlertTests {
  private func both(need: UInt128?) -> Region {
    var region = Region()
    for (number, key) in [Region.a, Region.b].enumerated() {
      let id = UInt128(number + 1)
      region.say(.handoffRequested, of: key, at: 0, id: id, handoff: HandoffID(rawValue: id)) {
        // The need's key is made with the person's: only the need itself is the same.
        $0.needKey = need.map { _ in Token(rawValue: 100 + id) }
        $0.needCode = need.map { JourneyGenerator.code("need-\($0)") }
        $0.isFeedbackOwed = false
      }
      region.say(
        .accepted, of: key, at: 1, id: id + 10, handoff: HandoffID(rawValue: id))
    }
    return region
  }

  @Test func `a merge with something open under both opens and, no need being doubled, resolves`() {
    var region = both(need: nil)
    let said = region.merge(Region.a, into: Region.b, at: 10)
    #expect(said.short == ["A16 opened", "A16 resolved"])
  }

  @Test func `while a need is doubled the merge stays open, and heals when one of them ends`()
    throws
  {
    var region = both(need: 1)
    let said = region.merge(Region.a, into: Region.b, at: 10)
    #expect(said.short.contains("A16 opened"))
    #expect(region.open.contains(.a16))
    region.say(.cancelled, of: Region.b, at: 30, handoff: HandoffID(rawValue: 1))
    #expect(!region.open.contains(.a16))
  }

  @Test func `a merge of somebody of whom nothing is open is no alert`() {
    var region = Region()
    region.say(.handoffRequested, of: Region.b, at: 0)
    #expect(region.merge(Region.a, into: Region.b, at: 10).isEmpty)
    #expect(region.person(Region.a)?.alias?.key == Region.b)
  }

  @Test func `a merge back is refused, said, and changes nothing`() {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.merge(Region.a, into: Region.b, at: 10, id: 70)
    let said = region.merge(Region.b, into: Region.a, at: 20, id: 71)
    #expect(said.short == ["A16 opened"])
    #expect(said.first?.cause == JourneyGenerator.code("cycle"))
    #expect(region.state(of: Region.b) == .requested)
    #expect(region.person(Region.b)?.alias == nil)
  }

  @Test func `a merge back into any of a line of merges is refused`() {
    var region = Region()
    let other = Region.key(4)
    region.merge(Region.c, into: Region.a, at: 10, id: 70)
    region.merge(other, into: Region.b, at: 11, id: 71)
    region.merge(Region.a, into: Region.b, at: 12, id: 72)
    let known = region.person(Region.b)?.links.map(\.key)
    #expect(known == [other, Region.c, Region.a])
    let said = region.merge(Region.b, into: Region.c, at: 20, id: 73)
    #expect(said.map(\.cause) == [JourneyGenerator.code("cycle")])
  }

  @Test func `a second merge of one key into another is for people to sort out`() {
    var region = Region()
    region.merge(Region.a, into: Region.b, at: 10, id: 70)
    #expect(region.merge(Region.a, into: Region.b, at: 11, id: 70).isEmpty)
    let said = region.merge(Region.a, into: Region.c, at: 20, id: 71)
    #expect(said.map(\.cause) == [JourneyGenerator.code("second-target")])
    #expect(region.person(Region.a)?.alias?.key == Region.b)
  }

  @Test
  func `a number in use a day after its merge is one alert a source, for as long as it goes on`()
    throws
  {
    var region = Region()
    region.merge(Region.a, into: Region.b, at: 0)
    region.say(.handoffRequested, of: Region.a, at: 60)
    #expect(!region.open.contains(.a16))
    region.say(.received, of: Region.a, at: 2000)
    region.say(.accepted, of: Region.a, at: 2001)
    let alerts = LiveAlerts(region.verdicts).open.filter { $0.rule == .a16 }
    #expect(alerts.map(\.count) == [2])
    #expect(alerts.first?.patientKey == Region.a)
    region.tick(at: Scene.minutes(60 * 24 * 60))
    #expect(!region.open.contains(.a16))
  }

  @Test func `a number in use at two sources is an alert of each`() {
    var region = Region()
    let other = JourneyGenerator.code("other")
    region.merge(Region.a, into: Region.b, at: 0)
    region.say(.handoffRequested, of: Region.a, at: 2000)
    for (minute, type) in [(2001, .received), (2002, .accepted)] as [(Int64, EventType)] {
      region.say(type, of: Region.a, at: minute) { $0.source = other }
    }
    let alerts = LiveAlerts(region.verdicts).open.filter { $0.rule == .a16 }
    #expect(alerts.map(\.count) == [1, 2])
    // What is stored of the two is the same in every version: worked out apart, as the id above.
    let subjects = region.person(Region.a)?.repetitions.map(\.subject)
    #expect(
      subjects
        == ["decfcf7741ef0a2dcdb674efa7181a75", "467664b081adb8dfae047cfbdd1b949a"]
        .compactMap { Token($0) })
  }

  @Test(arguments: [EventType.patientMoved, .identityLinked])
  func `a re-key or a link of identities leaves the old key in use without an alert`(
    type: EventType
  ) {
    var region = both(need: 1)
    region.merge(Region.a, into: Region.b, at: 10, type: type)
    region.say(.received, of: Region.a, at: 5000, id: 99, handoff: HandoffID(rawValue: 1))
    #expect(!region.verdicts.contains { $0.rule == .a16 })
    #expect(region.person(Region.b)?.handoffs.count == 2)
  }
}

@Suite struct TransferPropertyTests {
  /// The open alerts, without the ids that hold the key, and without A16, which is about merges.
  private func standing(_ verdicts: [Verdict]) -> [String] {
    LiveAlerts(verdicts).open.filter { $0.rule != .a16 }.map { alert in
      "\(alert.rule.rawValue) \(alert.handoffID?.description ?? "-") \(alert.cause?.description ?? "")"
        + " \(alert.beganWith?.description ?? "-") \(alert.opened.nanoseconds) \(alert.count)"
    }.sorted()
  }

  /// One person's arrivals: some journeys, in the order of arrival.
  private func arrivals(_ seed: UInt64) -> [JourneyGenerator.Arrival] {
    var generator = JourneyGenerator(seed: seed)
    let all = (0..<4).flatMap { _ in generator.journey() }
    return all.enumerated()
      .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `after a merge the same alerts stand as if there had been one key from the start`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    let arrivals = arrivals(seed)
    let mergedAt = try #require(arrivals.randomElement(using: &random)).at
    var whole = Region()
    var split = Region()
    var isMerged = false
    for arrival in arrivals {
      if !isMerged, arrival.at >= mergedAt {
        isMerged = true
        var merge = Scene.event(.patientMerged, id: 1, handoff: nil)
        (merge.patientKey, merge.newPatientKey) = (Region.a, Region.b)
        merge.occurredAt = mergedAt
        split.take(merge, at: mergedAt)
      }
      var event = arrival.event
      event.patientKey = Region.b
      whole.take(event, at: arrival.at)
      // A handoff is known under one key; once they are merged, under either.
      let isOfOld = event.handoffID.map { $0.rawValue.isMultiple(of: 2) } ?? false
      if isOfOld, !isMerged || Bool.random(using: &random) { event.patientKey = Region.a }
      split.take(event, at: arrival.at)
    }
    let end = try #require(arrivals.last).at
    for days: Int64 in [0, 1, 3, 10, 45, 200] {
      let moment = end.advanced(by: .hours(24 * days))
      whole.tick(at: moment)
      split.tick(at: moment)
      #expect(standing(split.verdicts) == standing(whole.verdicts), "day \(days)")
    }
    #expect(split.reducers.allSatisfy { $0.state.books.isBalanced })
    var known: [AlertID: UInt32] = [:]
    for verdict in whole.verdicts {
      #expect(verdict.revision == known[verdict.alertID, default: 0] + 1, "whole \(verdict.rule)")
      known[verdict.alertID] = verdict.revision
    }
    // Nothing is said twice, under whichever key, and revisions go on across the move.
    var ids: [String: Set<AlertID>] = [:]
    var revisions: [AlertID: UInt32] = [:]
    for verdict in split.verdicts {
      let about =
        "\(verdict.rule) \(verdict.handoffID as HandoffID?) \(verdict.cause as Code?) "
        + "\(verdict.beganWith as EventID?)"
      if verdict.rule != .a01, verdict.rule != .a03 {
        ids[about, default: []].insert(verdict.alertID)
      }
      let before = revisions[verdict.alertID] ?? 0
      #expect(verdict.revision == before + 1, "\(verdict.rule) \(verdict.action) \(about)")
      revisions[verdict.alertID] = verdict.revision
    }
    #expect(ids.values.allSatisfy { $0.count == 1 })
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `reducers put back from their state at any moment go on over a merge`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let arrivals = arrivals(seed)
    var plain = Region()
    var restarted = Region()
    let mergeAt = Int.random(in: 0..<arrivals.count, using: &random)
    for (number, arrival) in arrivals.enumerated() {
      var event = arrival.event
      event.patientKey = event.id.rawValue.isMultiple(of: 2) ? Region.a : Region.b
      if number == mergeAt {
        var merge = Scene.event(.patientMerged, id: 1, handoff: nil)
        (merge.patientKey, merge.newPatientKey) = (Region.a, Region.b)
        merge.occurredAt = arrival.at
        #expect(plain.take(merge, at: arrival.at) == restarted.take(merge, at: arrival.at))
      }
      #expect(plain.take(event, at: arrival.at) == restarted.take(event, at: arrival.at))
      guard Int.random(in: 0..<5, using: &random) == 0 else { continue }
      for index in restarted.reducers.indices {
        let old = restarted.reducers[index]
        var new = PersonReducer(policy: .default, topic: old.topic, partition: old.partition)
        try new.restore(old.state)
        for key in old.keys { try new.restore(try #require(old.person(for: key))) }
        restarted.reducers[index] = new
      }
    }
    let end = try #require(arrivals.last).at.advanced(by: .hours(24 * 400))
    #expect(plain.tick(at: end) == restarted.tick(at: end))
  }
}
