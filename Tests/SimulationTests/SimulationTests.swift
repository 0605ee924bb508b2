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
        == "022f9c7335b5b05155363ca70e1b2cd11c1dae24e4fa0d3b8dd8fa9f42b17a8d")
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
    for fault in Fault.allCases { #expect(counts[fault, default: 0] > 0, "\(fault.rawValue)") }
  }

  @Test func `a plan without faults injects none, and look-alikes still`() {
    var simulation = Simulation(seed: 5, days: 30, scale: 0.01, faults: .none)
    while simulation.next() != nil {}
    #expect(simulation.faultCounts.keys.filter { !$0.isBenign } == [])
    #expect(simulation.faultCounts.count > 8)
    #expect(simulation.truths.compactMap(\.rule) == [])
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
