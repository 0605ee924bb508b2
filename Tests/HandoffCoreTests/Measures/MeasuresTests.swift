import HandoffCore
import TestSupport
import Testing

/// Journeys that are counted by hand, at minutes past nine of the scene.
private struct Ledger {
  var measures: Measures
  private var events: UInt128 = 0

  init(_ policy: Policy = .default, register: OrganisationRegister? = nil) {
    measures = Measures(policy: policy, register: register)
  }

  mutating func say(
    _ type: EventType, _ handoff: UInt128?, at minute: Int64,
    _ change: (inout HandoffEvent) -> Void = { _ in }
  ) {
    events += 1
    var event = Scene.event(
      type, id: events, handoff: handoff.map { HandoffID(rawValue: $0) }, at: minute)
    change(&event)
    measures.take(event)
  }

  func whole(_ measure: Measure) -> MeasureTally? {
    measures.tallies()[measure]?[MeasureGroup()]
  }

  func value(_ measure: Measure) -> MeasureReport.Value? {
    MeasureReport(measures).rows.first { $0.measure == measure }?.value
  }
}

@Suite struct `The measures` {
  @Test func `close a loop when the outcome has reached the sender`() throws {
    var ledger = Ledger()
    // 1 closed by feedback, 2 completed without it, 3 withdrawn, 4 where none is owed, 5 open.
    for handoff in 1...5 as ClosedRange<UInt128> {
      ledger.say(.handoffRequested, handoff, at: 0) { event in
        if handoff == 4 { event.isFeedbackOwed = false }
      }
    }
    for handoff in [1, 2, 4] as [UInt128] {
      ledger.say(.completed, handoff, at: 60) { $0.outcome = Code("treated") }
    }
    ledger.say(.feedbackSent, 1, at: 70)
    ledger.say(.cancelled, 3, at: 5)
    let closed = try #require(ledger.whole(.loopClosure))
    #expect((closed.part, closed.whole) == (2, 4))
    let known = try #require(ledger.whole(.outcomeKnown))
    #expect((known.part, known.whole) == (3, 3))
  }

  @Test func `close a document when it is received`() throws {
    var ledger = Ledger()
    for handoff in 1...2 as ClosedRange<UInt128> {
      ledger.say(.handoffRequested, handoff, at: 0) { $0.kind = HandoffKind("discharge-summary") }
    }
    ledger.say(.received, 1, at: 10)
    let closed = try #require(ledger.whole(.loopClosure))
    #expect((closed.part, closed.whole) == (1, 2))
  }

  @Test func `time acceptance and first contact from the request, by nearest rank`() {
    var ledger = Ledger()
    for handoff in 1...10 as ClosedRange<UInt128> {
      ledger.say(.handoffRequested, handoff, at: 0)
      ledger.say(.accepted, handoff, at: Int64(handoff) * 10)
      // Said twice, and the later again with an earlier hour: the first contact counts.
      ledger.say(.started, handoff, at: Int64(handoff) * 100 + 5)
      ledger.say(.started, handoff, at: Int64(handoff) * 100)
    }
    #expect(ledger.value(.timeToAccept) == .centiles(count: 10, p50: 3000, p90: 5400))
    #expect(ledger.value(.firstContact) == .centiles(count: 10, p50: 30_000, p90: 54_000))
  }

  @Test func `count duplicated and dropped handoffs once, and every alert`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0, id: 1, handoff: HandoffID(rawValue: 1))
    scene.say(.handoffRequested, at: 0, id: 2, handoff: HandoffID(rawValue: 2))
    scene.say(.delivered, at: 1, id: 3, handoff: HandoffID(rawValue: 2))
    // A07 of the first after an hour; A08 of both after three working days.
    scene.tick(at: 30 * 24 * 60)
    var ledger = Ledger()
    ledger.say(.handoffRequested, 1, at: 0)
    ledger.say(.handoffRequested, 2, at: 0)
    for verdict in scene.verdicts + scene.verdicts { ledger.measures.take(verdict) }
    let dropped = try #require(ledger.whole(.dropped))
    #expect((dropped.part, dropped.whole) == (2, 2))
    let duplicated = try #require(ledger.whole(.duplicated))
    #expect((duplicated.part, duplicated.whole) == (0, 2))
    let opened = scene.verdicts.filter { $0.action == .opened }
    #expect(ledger.whole(.alerts)?.part == opened.count)
    #expect(ledger.whole(.alertDelay)?.whole == opened.count)
  }

  @Test func `time a stay from its last Discharge Ready Date`() throws {
    var ledger = Ledger()
    ledger.say(.readyForDischarge, nil, at: 0)
    ledger.say(.dischargeReadinessWithdrawn, nil, at: 60)
    ledger.say(.readyForDischarge, nil, at: 120)
    ledger.say(.discharged, nil, at: 240) { $0.dischargePathway = 0 }
    ledger.say(.dischargeCancelled, nil, at: 250)
    ledger.say(.discharged, nil, at: 300) { $0.dischargePathway = 1 }
    let ready = try #require(ledger.whole(.readyToDischarged))
    #expect(ready.whole == 1)
    let home = try #require(ledger.whole(.homeDirect))
    #expect((home.part, home.whole) == (0, 1))
  }

  @Test func `hold urgent community responses against two hours`() throws {
    var ledger = Ledger()
    for (handoff, minute) in [(1, 120), (2, 121), (3, nil)] as [(UInt128, Int64?)] {
      ledger.say(.handoffRequested, handoff, at: 0) { $0.kind = HandoffKind("gp-ucr") }
      if let minute { ledger.say(.started, handoff, at: minute) }
    }
    let response = try #require(ledger.whole(.urgentCommunityResponse))
    #expect((response.part, response.whole) == (1, 3))
  }

  @Test func `tell what came out of hours where hours are known`() throws {
    var policy = Policy.default
    policy.calendar.services[Scene.hospital] = ServiceHours(
      days: [1, 2, 3, 4, 5], opening: ServiceHours.Opening("08:00-18:00"))
    var ledger = Ledger(policy)
    ledger.say(.handoffRequested, 1, at: 0)
    ledger.say(.handoffRequested, 2, at: 12 * 60)
    ledger.say(.handoffRequested, 3, at: 0) { $0.to = Party(organisation: Scene.stranger) }
    let closed = try #require(ledger.whole(.outOfHours))
    #expect((closed.part, closed.whole) == (1, 2))
  }

  @Test func `are the same whatever is said twice, and count only what was requested`() {
    var ledger = Ledger()
    ledger.say(.handoffRequested, 1, at: 0)
    ledger.say(.accepted, 1, at: 10)
    let once = ledger.measures.tallies()
    ledger.say(.accepted, 1, at: 20)
    ledger.say(.handoffRequested, 1, at: 30)
    #expect(ledger.measures.tallies() == once)
    ledger.say(.accepted, 2, at: 10)
    #expect(ledger.measures.tallies() == once)
  }

  @Test(arguments: 0..<6 as Range<UInt64>, MeasureDimension.allCases)
  func `of the parts add up to the whole`(seed: UInt64, dimension: MeasureDimension) {
    var journeys = JourneyGenerator(seed: seed)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    var measures = Measures(policy: .default)
    for record in journeys.records(count: 600) {
      if let event = record.content.event { measures.take(event) }
      for verdict in reducer.apply(record) { measures.take(verdict) }
    }
    #expect(measures.tallies().count > 5)
    for weekly in [false, true] {
      for (measure, cells) in measures.tallies(by: dimension, weekly: weekly) {
        for (whole, tally) in cells where whole.value == nil {
          let parts = cells.filter { $0.key.value != nil && $0.key.week == whole.week }
          #expect(parts.values.reduce(0) { $0 + $1.part } == tally.part, "\(measure)")
          #expect(parts.values.reduce(0) { $0 + $1.whole } == tally.whole, "\(measure)")
        }
      }
      // Weeks, too, are parts of the stretch.
      for (measure, cells) in measures.tallies(by: dimension, weekly: weekly) {
        let all = measures.tallies()[measure]?[MeasureGroup()]
        let wholes = cells.filter { $0.key.value == nil }.values
        #expect(wholes.reduce(0) { $0 + $1.whole } == all?.whole, "\(measure)")
      }
    }
  }

  @Test func `say what they are`() {
    #expect(Measure.allCases.allSatisfy { !$0.definition.isEmpty && !$0.principle.isEmpty })
    #expect(Set(Measure.allCases.map(\.metricName)).count == Measure.allCases.count)
  }
}

@Suite struct `Small numbers` {
  /// So many handoffs to each of a number of hospitals, the first so many of each accepted.
  private func report(_ counts: [Int]) throws -> [String: MeasureReport.Value] {
    var ledger = Ledger()
    var handoff: UInt128 = 0
    for (index, count) in counts.enumerated() {
      let hospital = JourneyGenerator.organisation("H\(index)")
      for _ in 0..<count {
        handoff += 1
        ledger.say(.handoffRequested, handoff, at: 0) {
          $0.to = Party(organisation: hospital)
        }
        ledger.say(.started, handoff, at: 30)
      }
    }
    var values: [String: MeasureReport.Value] = [:]
    for row in MeasureReport(ledger.measures, by: .provider).rows
    where row.measure == .firstContact {
      values[row.group.value ?? "all"] = row.value
    }
    return values
  }

  private func shown(_ counts: [Int]) throws -> Set<String> {
    Set(try report(counts).filter { $0.value != .suppressed }.keys)
  }

  @Test func `are not shown, and neither is what they could be told from`() throws {
    #expect(try shown([20, 20, 20]) == ["all", "ods:H0", "ods:H1", "ods:H2"])
    // One is small: the smallest of the others goes with it.
    #expect(try shown([20, 4, 10]) == ["all", "ods:H0"])
    // Two are small, and together still are.
    #expect(try shown([20, 2, 2, 10]) == ["all", "ods:H0"])
    // Two are small, and together are enough.
    #expect(try shown([20, 4, 3, 10]) == ["all", "ods:H0", "ods:H3"])
  }

  @Test func `take the whole with them where nothing is left to hide behind`() throws {
    #expect(try shown([3]).isEmpty)
    #expect(try shown([2, 2]).isEmpty)
    #expect(try shown([5]) == ["all", "ods:H0"])
    // Both go: with the whole shown, its two parts are one number together.
    #expect(try shown([20, 4]) == ["all"])
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `can never be told as what is missing`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let counts = (0..<Int.random(in: 1...7, using: &random)).map { _ in
      Int.random(in: 0...12, using: &random)
    }
    let values = try report(counts)
    guard case .centiles(let whole, _, _) = values["all"] else { return }
    let shown = counts.indices.filter { values["ods:H\($0)"].map { $0 != .suppressed } ?? true }
    #expect(shown.allSatisfy { counts[$0] == 0 || counts[$0] >= MeasureReport.least })
    let rest = whole - shown.reduce(0) { $0 + counts[$1] }
    let hidden = counts.indices.filter { values["ods:H\($0)"] == .suppressed }
    #expect(rest == 0 || rest >= MeasureReport.least, "\(counts)")
    #expect(hidden.count != 1, "\(counts)")
  }
}
