import HandoffCore
import TestSupport
import Testing

/// What goes along with a person who moves to another key, and how it meets what is known there.
@Suite struct TransferMemoryTests {
  /// A policy that waits two days for an acknowledgement.
  private static func slowPolicy() throws -> Policy {
    var slow = Policy.default
    slow.hash = try #require(RecordHash(bytes: [UInt8](repeating: 5, count: 32)))
    for index in slow.rows.indices { slow.rows[index].clocks.acknowledge = .hours(48) }
    return slow
  }

  /// The first partition is slow, and the second knows of it under another number, if at all.
  private static func slowRegion() throws -> Region {
    let slow = try slowPolicy()
    var region = Region()
    for index in region.reducers.indices { region.reducers[index].provide(slow) }
    let activation = RulesActivation(rulesVersion: 1, policyHash: slow.hash)
    region.apply(.rulesActivation(activation), to: 1, at: Scene.minutes(0))
    for version in 2...4 as ClosedRange<UInt32> {
      let other = RulesActivation(rulesVersion: version, policyHash: Policy.default.hash)
      region.apply(.rulesActivation(other), to: 2, at: Scene.minutes(0))
    }
    return region
  }

  @Test func `a merge that comes again under another id is counted as delivered again`() {
    var region = Region()
    for id in [70, 71] as [UInt128] { region.merge(Region.a, into: Region.b, at: 5, id: id) }
    #expect(region.reducers[1].state.books.redeliveredCount == 1)
    #expect(region.verdicts.isEmpty)
  }

  @Test func `a policy that is known where somebody arrives is not taken up again`() throws {
    var region = try Self.slowRegion()
    var counts = [region.reducers[2].state.activations.count]
    for number in [1, 4, 7] as [UInt8] {
      let key = Region.key(number)
      region.say(.readyForDischarge, of: key, at: 5, id: UInt128(number), handoff: nil)
      region.merge(key, into: Region.b, at: 6, id: 70 + UInt128(number))
      counts.append(region.reducers[2].state.activations.count)
    }
    // The first brought one that was new here, and the others none.
    #expect(counts == [4, 5, 5, 5])
  }

  @Test func `what a batch that is taken back would have sent on is not sent`() {
    for isKept in [true, false] {
      var reducer = Region().reducers[1]
      var merge = Scene.event(.patientMerged, handoff: nil)
      merge.patientKey = Region.a
      merge.newPatientKey = Region.b
      reducer.beginBatch()
      _ = reducer.apply(JourneyGenerator.record(.event(merge), at: Scene.nine, offset: 0))
      if isKept { reducer.commitBatch() } else { reducer.rollBackBatch() }
      #expect(reducer.takeOutgoing().count == (isKept ? 1 : 0))
    }
  }

  @Test func `a stay keeps the policy that it was said under`() throws {
    var region = try Self.slowRegion()
    region.say(.readyForDischarge, of: Region.a, at: 5, handoff: nil) { $0.dischargePathway = 1 }
    region.merge(Region.a, into: Region.b, at: 6)
    let ordinal = try #require(region.person(Region.b)?.stay.first?.policy)
    let hash = region.reducers[2].state.activations[Int(ordinal)].policyHash
    #expect(hash == (try Self.slowPolicy().hash))
  }

  @Test func `what may still be put in order keeps the policy that it came under`() throws {
    var region = try Self.slowRegion()
    region.say(.handoffRequested, of: Region.a, at: 5)
    region.merge(Region.a, into: Region.b, at: 6)
    // Said before the request, so that all of it is gone through again.
    region.say(.handoffAmended, of: Region.b, at: 4, arriving: 8)
    let due = region.reducers[2].deadlines(of: Scene.handoff, person: Region.b).first?.due
    #expect(due == Scene.minutes(5 + 48 * 60))
  }

  @Test func `what waits for its request keeps the policy that it came under`() throws {
    var region = try Self.slowRegion()
    region.say(.accepted, of: Region.a, at: 5)
    // Nothing may overtake it any more: it waits, and stands nowhere else.
    region.tick(at: Scene.minutes(60))
    region.merge(Region.a, into: Region.b, at: 61)
    let handoff = try #require(region.person(Region.b)?.handoffs.first)
    #expect(handoff.window.isEmpty)
    let ordinals = handoff.current.pending.map { Int($0.policy) }
    let hashes = ordinals.map { region.reducers[2].state.activations[$0].policyHash }
    #expect(hashes == [try Self.slowPolicy().hash])
  }

  @Test func `somebody with a word that waits under a policy that is not handed over is refused`()
    throws
  {
    var region = Region()
    region.say(.accepted, of: Region.a, at: 0)
    region.tick(at: Scene.minutes(60))
    var person = try #require(region.person(Region.a))
    person.handoffs[0].current.pending[0].policy = 1
    var moved = try transfer(to: Region.b, through: 1)
    moved.person = person
    moved.path = [Region.a]
    #expect(region.apply(.transfer(moved), to: 2, at: Scene.minutes(61)).short == ["S07 opened"])
    #expect(region.person(Region.b) == nil)
  }

  @Test(arguments: [true, false])
  func `of two dates of readiness the one that was said last stands`(isTheirsLater: Bool) throws {
    var region = Region()
    for (key, minute) in [(Region.a, 1), (Region.b, isTheirsLater ? 0 : 2)] as [(PatientKey, Int64)]
    {
      region.say(.readyForDischarge, of: key, at: minute, handoff: nil, arriving: 2) {
        $0.dischargeReadyAt = Scene.minutes(100 + minute)
      }
    }
    region.merge(Region.a, into: Region.b, at: 10)
    let person = try #require(region.person(Region.b))
    let last: Int64 = isTheirsLater ? 1 : 2
    #expect(person.readinessSaid?.occurredAt == Scene.minutes(last))
    #expect(person.dischargeReadyAt == Scene.minutes(100 + last))
  }

  @Test func `what came from another partition says where it stands`() throws {
    var region = Region()
    region.say(.readyForDischarge, of: Region.a, at: 0, handoff: nil) { $0.dischargePathway = 0 }
    region.merge(Region.a, into: Region.b, at: 10)
    let person = try #require(region.person(Region.b))
    #expect(person.readinessSaid?.partition == 1)
    #expect(person.stay.map(\.witness.partition) == [1])
    #expect(person.seen.map(\.partition) == [1])
    #expect(person.links.map(\.cause.partition) == [1])
  }

  @Test func `what came under a policy that nobody here has is judged by the one in force`() throws
  {
    let slow = try Self.slowPolicy()
    var region = Region()
    region.reducers[1].provide(slow)
    let activation = RulesActivation(rulesVersion: 1, policyHash: slow.hash)
    region.apply(.rulesActivation(activation), to: 1, at: Scene.minutes(0))
    region.say(.handoffRequested, of: Region.a, at: 1)
    region.merge(Region.a, into: Region.b, at: 10)
    let due = region.reducers[2].deadlines(of: Scene.handoff, person: Region.b).first?.due
    #expect(due == Scene.minutes(61))
  }

  /// A transfer of nobody to `key`, which has gone through `count` keys.
  private func transfer(to key: PatientKey, through count: Int) throws -> PersonTransfer {
    let path = (0..<count).map { Region.key(UInt8(100 + $0)) }
    let cause = Witness(
      eventID: EventID(rawValue: 5), hash: RecordHashPrefix(rawValue: 7),
      arrivedAt: Scene.nine, occurredAt: Scene.nine, offset: 1, partition: 1)
    return PersonTransfer(
      id: EventID(rawValue: 6), to: key, path: path, cause: cause, isMerge: true,
      person: Person(key: path[0]),
      activations: [RulesActivation(rulesVersion: 1, policyHash: Policy.default.hash)])
  }

  @Test func `a transfer of an earlier version that is sent on is one of ours from then on`() throws
  {
    var region = Region()
    region.merge(Region.a, into: Region.b, at: 0)
    region.isPrompt = false
    var earlier = try transfer(to: Region.a, through: 1)
    earlier.rulesVersion = 0
    region.apply(.transfer(earlier), to: 1, at: Scene.minutes(5))
    guard case .transfer(let onward) = try #require(region.underway.first) else {
      Issue.record("not a transfer")
      return
    }
    #expect(onward.to == Region.b && onward.path == earlier.path + [Region.a])
    #expect(onward.rulesVersion == PersonReducer.rulesVersion)
  }

  @Test func `a transfer is followed through 64 keys, and then stays, and is said`() throws {
    let longest = PersonTransfer.pathMax
    for (count, said, goesOn) in [
      (longest - 1, [], true), (longest, ["S07 opened"], false),
      (longest + 1, ["S07 opened"], false),
    ] as [(Int, [String], Bool)] {
      var region = Region()
      region.merge(Region.a, into: Region.b, at: 0)
      region.isPrompt = false
      let content = EventRecord.Content.transfer(try transfer(to: Region.a, through: count))
      #expect(region.apply(content, to: 1, at: Scene.minutes(5)).short == said)
      #expect(region.underway.map(\.key) == (goesOn ? [Region.b] : []))
    }
  }

  @Test(arguments: [false, true])
  func `what two keys counted of one repeat is one episode, from its first to its last`(
    isBack: Bool
  ) throws {
    var region = Region()
    for (key, first, second): (PatientKey, Int64, Int64) in [(Region.a, 0, 5), (Region.b, 10, 20)] {
      for minute in [first, second] {
        region.say(.handoffRequested, of: key, at: first, id: 4, arriving: minute) {
          $0.messageKey = Token(rawValue: 1)
        }
      }
    }
    let (old, new) = isBack ? (Region.b, Region.a) : (Region.a, Region.b)
    region.merge(old, into: new, at: 30)
    let episodes = try #require(region.person(new)).repetitions
    #expect(episodes.map(\.rule) == [.a01] && episodes.map(\.count) == [2])
    #expect(episodes.map(\.opened.minute) == [5] && episodes.map(\.lastAt.minute) == [20])
    #expect(episodes.map(\.first.arrivedAt.minute) == [0])
    #expect(episodes.map(\.latest.arrivedAt.minute) == [20])
  }

  @Test(arguments: [Region.a, Region.b])
  func `what was found under both keys is found once, and what under one stays`(more: PatientKey) {
    var region = Region()
    for (number, key) in [Region.a, Region.b].enumerated() {
      let id = UInt128(10 * number)
      region.say(.handoffRequested, of: key, at: 0, id: id + 1)
      region.say(.rejected, of: key, at: 1, id: id + 2) { $0.spokenBy = Scene.stranger }
    }
    region.say(.received, of: more, at: 2, id: 30) { $0.spokenBy = Scene.gp }
    // Nothing of it may be put in another order any more: what was found stands for itself.
    region.tick(at: Scene.minutes(61))
    #expect(region.person(more)?.handoffs.first?.window.isEmpty == true)
    region.merge(Region.a, into: Region.b, at: 62)
    let findings = region.person(Region.b)?.handoffs.first?.current.findings ?? []
    let causes = findings.compactMap(\.cause?.description)
    #expect(causes.sorted() == ["no-party", "wrong-role"])
  }

  @Test(arguments: [Region.a, Region.b])
  func `what two rules found, one under each key, is found by both`(second: PatientKey) {
    var region = Region()
    for (number, key) in [Region.a, Region.b].enumerated() {
      let id = UInt128(10 * number)
      region.say(.handoffRequested, of: key, at: 0, id: id + 1)
      region.say(.accepted, of: key, at: 1, id: id + 2)
      if key == second {
        region.say(.accepted, of: key, at: 2, id: id + 3) { $0.spokenBy = Scene.stranger }
      } else {
        region.say(.started, of: key, at: 2, id: id + 3)
        region.say(.handoffAmended, of: key, at: 3, id: id + 4)
      }
      // Nothing of it may be put in another order any more.
      region.say(.bedFreed, of: key, at: 60, id: id + 5, handoff: nil)
      #expect(region.person(key)?.handoffs.first?.window.isEmpty == true)
    }
    region.merge(Region.a, into: Region.b, at: 62)
    let findings = region.person(Region.b)?.handoffs.first?.current.findings ?? []
    #expect(findings.map(\.rule.rawValue).sorted() == ["A05", "A24"])
    #expect(findings.allSatisfy { $0.cause == nil })
  }

  @Test(arguments: [false, true])
  func `words out of turn about what nobody requested are each found, and the same once`(
    isSame: Bool
  ) {
    var region = Region()
    for (number, key) in [Region.a, Region.b].enumerated() {
      let id = UInt128(isSame ? 5 : 5 + number)
      region.say(.accepted, of: key, at: 0, id: id) { $0.speaker = .sender }
      // Nothing of it may be put in another order any more.
      region.say(.bedFreed, of: key, at: 60, id: 50 + UInt128(number), handoff: nil)
      #expect(region.person(key)?.handoffs.first?.window.isEmpty == true)
    }
    region.merge(Region.a, into: Region.b, at: 62)
    let findings = region.person(Region.b)?.handoffs.first?.current.findings ?? []
    #expect(findings.count == (isSame ? 1 : 2))
    #expect(findings.allSatisfy { $0.cause?.description == "wrong-role" })
  }

  @Test func `the latest four thousand events go with a person, to be known again`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    var person = try #require(region.person(Region.a))
    let seen = try #require(person.seen.first)
    person.seen = (0...UInt128(PersonTransfer.seenMax)).map { number in
      var other = seen
      other.eventID = EventID(rawValue: 100_000 + number)
      return other
    }
    try region.reducers[1].restore(person)
    region.merge(Region.a, into: Region.b, at: 10)
    let moved = try #require(region.person(Region.b)).seen
    #expect(moved.count == PersonTransfer.seenMax)
    #expect(moved.first?.eventID == EventID(rawValue: 100_001))
  }

  @Test func `of ids that are only compared the last bytes are kept, and go with them`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    var whole = try #require(region.person(Region.a))
    let (high, low): (UInt128, UInt128) = (1 << 64, 5)
    whole.seen[0].receptionID = ReceptionID(rawValue: high | low)
    whole.seen[0].messageKey = Token(rawValue: high | low)
    whole.seen[0].contentMac = Token(rawValue: high | low)
    try region.reducers[1].restore(whole)
    #expect(region.person(Region.a) == whole.abridged)
    region.merge(Region.a, into: Region.b, at: 10)
    for seen in try [
      #require(whole.abridged.seen.first), #require(region.person(Region.b)?.seen.first),
    ] {
      #expect(seen.receptionID.rawValue == low)
      #expect(seen.messageKey?.rawValue == low && seen.contentMac.rawValue == low)
    }
  }

  @Test func `a handoff of both keys stays what it was to the books, whichever got further`() throws
  {
    for isTheirs in [false, true] {
      var region = Region()
      for (number, key) in [Region.a, Region.b].enumerated() {
        region.say(.handoffRequested, of: key, at: 0, id: UInt128(number + 1))
      }
      region.say(.accepted, of: isTheirs ? Region.a : Region.b, at: 5, id: 9)
      region.merge(Region.a, into: Region.b, at: 10)
      #expect(region.state(of: Region.b) == .accepted)
      #expect(region.person(Region.b)?.handoffs.map(\.isTransferred) == [false])
      region.say(.handoffAmended, of: Region.b, at: 20) { $0.kind = HandoffKind("gp-ucr") }
      let books = region.reducers[2].state.books
      #expect(books.isBalanced && books.total.requested == 1 && books.total.transferredIn == 0)
    }
  }

  @Test func `a transferred handoff that is amended to another kind stays transferred`() throws {
    var region = Region()
    region.say(.handoffRequested, of: Region.a, at: 0)
    region.merge(Region.a, into: Region.b, at: 10)
    region.say(.handoffAmended, of: Region.b, at: 20) { $0.kind = HandoffKind("gp-ucr") }
    let books = region.reducers[2].state.books
    #expect(books.isBalanced && books.total.requested == 0 && books.total.transferredIn == 1)
    let page = books.byKind[try #require(HandoffKind("gp-ucr"))]
    #expect(page?.transferredIn == 1 && page?[.open] == 1)
  }
}
