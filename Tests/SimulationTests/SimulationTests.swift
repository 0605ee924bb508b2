import Foundation
import HandoffCodecs
import HandoffCore
import HandoffSimulation
import Testing

@Suite struct `A simulation` {
  @Test func `the same seed gives the same bytes on every machine`() {
    let simulation = Simulation(seed: 7, days: 2, scale: 0.004, faults: .dense)
    // Changes with every change of the world; then put the new one here, and say so in the commit.
    #expect(
      Run.digest(of: simulation)
        == "2794c9c817315a57c08521d8d7d776c939791eb8d6f52faa7417458c94d9aade")
    let other = Simulation(seed: 8, days: 2, scale: 0.004, faults: .dense)
    #expect(Run.digest(of: simulation) != Run.digest(of: other))
  }

  @Test func `arrives in the order of the broker's time, each record where its key belongs`() {
    var simulation = Simulation(seed: 3, days: 3, scale: 0.004, faults: .none)
    var last = Timestamp.distantPast
    var count = 0
    while let record = simulation.next() {
      #expect(record.at >= last)
      #expect(record.at <= simulation.end)
      #expect(simulation.placing.partition(of: record.record.key ?? []) == record.partition)
      (last, count) = (record.at, count + 1)
    }
    #expect(count > 300)
  }

  @Test func `every fault fires, and every benign look-alike`() {
    var counts: [Fault: Int] = [:]
    for seed in 1...4 as ClosedRange<UInt64> {
      var simulation = Simulation(seed: seed, days: 40, scale: 0.01, faults: .dense)
      while simulation.next() != nil {}
      counts.merge(simulation.faultCounts, uniquingKeysWith: +)
    }
    for fault in Fault.allCases where !Fault.ofSources.contains(fault) {
      #expect(counts[fault, default: 0] > 0, "\(fault.rawValue)")
    }
  }

  @Test func `connectors beat, tell of each message, and have faults of their own`() {
    var simulation = Simulation(
      seed: 6, days: 30, scale: 0.01, faults: .dense, heartbeat: .minutes(30))
    var beats = 0
    var receptions = 0
    var last = Timestamp.distantPast
    while simulation.next() != nil {
      for arrival in simulation.takeSources() {
        #expect(arrival.at >= last)
        last = arrival.at
        switch arrival.statement {
        case .heartbeat: beats += 1
        case .reception: receptions += 1
        default: break
        }
      }
    }
    #expect(beats > 10_000)
    #expect(receptions > 10_000)
    for fault in Fault.ofSources {
      #expect(simulation.faultCounts[fault, default: 0] > 0, "\(fault.rawValue)")
    }
  }

  @Test func `what a silent connector kept arrives at once, when it is back`() throws {
    var plan = FaultPlan(rates: [.sourceSilent: 1])
    var simulation = Simulation(
      seed: 2, days: 2, scale: 0.02, faults: plan, heartbeat: .minutes(30))
    var late = 0
    while let record = simulation.next() {
      guard let event = record.event else { continue }
      if record.at.since(event.occurredAt) > .minutes(30) { late += 1 }
    }
    #expect(late > 50)
    plan.rates = [:]
    var calm = Simulation(seed: 2, days: 2, scale: 0.02, faults: plan, heartbeat: .minutes(30))
    while let record = calm.next() {
      let event = try #require(record.event)
      #expect(record.at.since(event.occurredAt) < .minutes(1))
    }
  }

  @Test func `a plan without faults injects none, and look-alikes still`() {
    var simulation = Simulation(seed: 5, days: 30, scale: 0.01, faults: .none)
    while simulation.next() != nil {}
    #expect(simulation.faultCounts.keys.filter { !$0.isBenign } == [])
    #expect(simulation.faultCounts.count > 8)
    #expect(simulation.truths.compactMap(\.rule) == [])
  }

  @Test func `a file of faults says what happens, and a bad one is refused line by line`() throws {
    #expect(try FaultPlan(text: FaultPlan.dense.text) == .dense)
    let plan = try FaultPlan(text: "# a quiet week\n\ndoubled: 0.25 # often\n")
    #expect(plan == FaultPlan(rates: [.doubled: 0.25]))
    let text = "doubled 0.1\nnonsense: 0.1\ndoubled: 2\namended: 0.1\namended: 0.1"
    let faults = #expect(throws: FaultPlanFaults.self) { try FaultPlan(text: text) }
    #expect(
      faults?.lines == [
        "line 1: not `fault: rate`", "line 2: no such fault",
        "line 3: the rate of doubled is not from 0 to 1", "line 5: amended stands twice",
      ])
  }

  @Test func `a truth survives its line`() throws {
    var simulation = Simulation(
      seed: 4, days: 5, scale: 0.01, faults: .dense, heartbeat: .minutes(30))
    while simulation.next() != nil { _ = simulation.takeSources() }
    #expect(simulation.truths.count > 50)
    for truth in simulation.truths {
      let bytes = try JSONEncoder().encode(TruthLine(truth))
      #expect(try JSONDecoder().decode(TruthLine.self, from: bytes).truth == truth)
    }
  }

  /// A year of the default policy is run by hand: `Simulation.md`.
  @Test(arguments: [51, 52] as [UInt64])
  func `memory is flat once what is over is forgotten`(seed: UInt64) throws {
    var policy = Policy.default
    for index in policy.rows.indices {
      policy.rows[index].clocks.accept = .hours(4)
      if policy.rows[index].clocks.start != nil { policy.rows[index].clocks.start = .hours(8) }
      policy.rows[index].clocks.complete = .hours(8)
      policy.rows[index].clocks.outcome = nil
      policy.rows[index].clocks.feedback = .hours(8)
    }
    policy.windows.memory = .hours(24)
    policy.windows.illegal = .hours(24)
    policy.windows.ended = .hours(24)
    policy.windows.bounce = .hours(24)
    let simulation = Simulation(
      seed: seed, days: 22, scale: 0.004, faults: .none, policy: policy, heartbeat: .hours(1))
    var bus = SimulatedBus(simulation, seed: seed, sampling: .hours(24))
    try bus.run { _ in }
    func most(_ days: Range<Int>, _ value: (SimulatedBus.Sample) -> Int) -> Int {
      days.map { value(bus.samples[$0]) }.max() ?? 0
    }
    try #require(bus.samples.count >= 21)
    for value in [\SimulatedBus.Sample.persons, \.personBytes, \.sourceBytes] {
      let second = most(7..<14) { $0[keyPath: value] }
      let third = most(14..<21) { $0[keyPath: value] }
      #expect(second > 0)
      // Without forgetting the third week would hold half as much again.
      #expect(third * 5 <= second * 6)
    }
  }

  @Test func `an hour has its volume: nights, weekends and winter are seen`() {
    func count(from start: Timestamp, days: Int) -> UInt64 {
      var simulation = Simulation(seed: 2, days: days, scale: 0.02, faults: .none, start: start)
      while simulation.next() != nil {}
      return simulation.journeyCount
    }
    let monday = count(from: Simulation.defaultStart, days: 1)
    let sunday = count(from: Simulation.defaultStart.advanced(by: .hours(6 * 24)), days: 1)
    #expect(monday > 2 * sunday)
    #expect(sunday > 20)
  }
}
