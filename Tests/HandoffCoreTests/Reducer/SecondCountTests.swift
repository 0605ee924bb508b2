import HandoffCore
import TestSupport
import Testing

private func books(_ records: [EventRecord]) -> Books {
  var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
  for record in records { _ = reducer.apply(record) }
  return reducer.state.books
}

private func records(_ seed: UInt64) -> [EventRecord] {
  var generator = JourneyGenerator(seed: seed)
  return generator.records(count: 300)
}

@Suite struct `The second count` {
  @Test(arguments: 0..<40 as Range<UInt64>)
  func `comes to what the reducer's books say, by kind and in all`(seed: UInt64) throws {
    let all = records(seed)
    let (count, books) = (PartitionCount(all), books(all))
    #expect(count.differences(from: books) == [])
    #expect(books.isBalanced)
    #expect(count.requested.lowerBound > 20)
    #expect(count.requested.contains(books.total.requested))
    // Little is left open, or a difference would hide in it.
    #expect(count.unsure < count.requested.lowerBound / 5)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `differs where either side lost one event`(seed: UInt64) throws {
    let all = records(seed)
    var random = SeededGenerator(seed: seed)
    let events = all.indices.filter { CountedFact(all[$0]) != nil }
    var fewer = all
    fewer.remove(at: try #require(events.randomElement(using: &random)))
    let (whole, lessened) = (PartitionCount(all), PartitionCount(fewer))
    #expect(whole.differences(from: books(fewer)).map(\.side).contains(.events))
    #expect(lessened.differences(from: books(all)).map(\.side).contains(.events))
  }

  /// One handoff that only one of the two has: its event is replaced, so that the number of events
  /// does not tell.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func `differs where either side lost one handoff, and names its kind`(seed: UInt64) throws {
    let all = records(seed)
    var requests: [HandoffID: [Int]] = [:]
    for (index, record) in all.enumerated() {
      guard case .request(let id, _)? = CountedFact(record)?.content else { continue }
      requests[id, default: []].append(index)
    }
    // Asked for once, so that no repeat stands in for it.
    let newest = try #require(requests.values.filter { $0.count == 1 }.map { $0[0] }.max())
    var fewer = all
    guard var event = all[newest].content.event else { return }
    event.handoffID = nil
    fewer[newest].content = .event(event)
    let kind = event.kind ?? .unspecified
    let lost = PartitionCount(all).differences(from: books(fewer))
    let found = PartitionCount(fewer).differences(from: books(all))
    #expect(!(lost + found).contains { $0.side == .events })
    #expect(lost.contains { $0.kind == nil && $0.excess == -1 })
    let isMixed = PartitionCount(all).mixed > 0
    #expect(isMixed || lost.contains { $0.kind == kind && $0.excess == -1 })
    // Where one too many can hide, it is no more than the count says that it leaves open.
    let isHidden = PartitionCount(fewer).unsure > 0
    #expect(isHidden || found.contains { $0.kind == nil && $0.excess == 1 })
  }

  @Test func `takes a handoff that is doubled in the books for one too many`() throws {
    let all = records(3)
    var doubled = books(all)
    let kind = try #require(doubled.byKind.keys.sorted().first)
    let room = PartitionCount(all).requested.upperBound - doubled.total.requested + 1
    doubled.total.requested += room
    doubled.byKind[kind]?.requested += room
    let differences = PartitionCount(all).differences(from: doubled)
    #expect(differences.contains { $0.side == .requested && $0.kind == nil && $0.excess == 1 })
  }

  @Test func `is the same however often a sender asks for the same handoff`() throws {
    var region = Counted()
    region.say(.handoffRequested, at: 0)
    region.say(.handoffRequested, at: 1) { $0.id = EventID(rawValue: 900) }
    region.say(.accepted, at: 2)
    let (count, books) = region.ends()
    #expect(count.requested == 1...1)
    #expect(count.differences(from: books) == [])
  }

  @Test func `leaves the page of a kind open once another word gives another`() throws {
    var region = Counted()
    region.say(.handoffRequested, at: 0)
    region.say(.handoffAmended, at: 20) { $0.kind = HandoffKind("gp-community") }
    let (count, books) = region.ends()
    #expect(count.mixed == 1)
    #expect(count.requested == 1...1)
    #expect(count.differences(from: books) == [])
    var lost = books
    lost.total.requested = 0
    #expect(count.differences(from: lost).map(\.kind) == [nil])
  }

  @Test func `bears a page that was lost from what is stored`() throws {
    var count = PartitionCount()
    var memory = CountsInMemory()
    let event = Scene.event(.handoffAmended, at: 20)
    let id = try #require(event.handoffID)
    let kind = try #require(HandoffKind("gp-hospital"))
    memory.keep(
      CountedHandoff(.requested, kind: kind, at: Scene.minutes(0)), id,
      of: event.patientKey)
    count.requestedByKind[kind] = 0
    var amended = event
    amended.kind = HandoffKind("gp-community")
    let fact = JourneyGenerator.record(.event(amended), at: Scene.minutes(20), offset: 1)
    count.count(try #require(CountedFact(fact)), &memory)
    #expect(count.mixed == 1)
    #expect(count.requestedByKind.values.reduce(0, +) == 0)
  }

  @Test func `does not take a receiver's word for a request`() throws {
    var region = Counted()
    region.say(.handoffRequested, at: 0) { $0.speaker = .receiver }
    let (count, books) = region.ends()
    #expect(count.requested == 0...0)
    #expect(count.differences(from: books) == [])
  }

  @Test func `leaves open what is asked for again after it may be forgotten`() throws {
    var region = Counted()
    region.say(.handoffRequested, at: 0)
    region.say(.cancelled, at: 5)
    let year: Int64 = 365 * 24 * 60
    region.say(.handoffRequested, at: year) { $0.id = EventID(rawValue: 901) }
    let (count, books) = region.ends()
    #expect(books.total.requested == 2)
    #expect(count.requested == 1...2)
    #expect(count.differences(from: books) == [])
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `follows people over merges between partitions and within one`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var region = Region()
    var read: [[EventRecord]] = [[], [], []]
    region.onRecord = { record, number in read[number].append(record) }
    let keys = (1...6 as ClosedRange<UInt8>).map { Region.key($0) }
    for step in 0..<60 as Range<Int64> {
      let key = try #require(keys.randomElement(using: &random))
      let other = try #require(keys.filter { $0 != key }.randomElement(using: &random))
      let id = UInt128(1_000 + step)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let handoff = HandoffID(rawValue: UInt128.random(in: 1...12, using: &random))
        region.say(.handoffRequested, of: key, at: step * 3, id: id, handoff: handoff)
      case 6..<9:
        let handoff = HandoffID(rawValue: UInt128.random(in: 1...12, using: &random))
        region.say(.accepted, of: key, at: step * 3, id: id, handoff: handoff)
      default: region.merge(key, into: other, at: step * 3, id: id)
      }
    }
    for (reducer, records) in zip(region.reducers, read) {
      let count = PartitionCount(records)
      #expect(count.differences(from: reducer.state.books) == [])
      #expect(reducer.state.books.isBalanced)
      #expect(count.events == reducer.state.books.eventCount)
    }
    #expect(region.reducers.contains { $0.state.books.total.transferredIn > 0 })
  }
}

/// One partition that is counted as it is judged.
private struct Counted {
  private var scene = Scene()
  private var records: [EventRecord] = []
  private var number: UInt128 = 0

  mutating func say(
    _ type: EventType, at minute: Int64, _ change: (inout HandoffEvent) -> Void = { _ in }
  ) {
    var event = Scene.event(type, at: minute)
    number += 1
    event.receptionID = ReceptionID(rawValue: number)
    change(&event)
    scene.apply(.event(event), at: minute)
    records.append(
      JourneyGenerator.record(
        .event(event), at: Scene.minutes(minute), offset: records.count))
  }

  func ends() -> (PartitionCount, Books) {
    (PartitionCount(records), scene.reducer.state.books)
  }
}
