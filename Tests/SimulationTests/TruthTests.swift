import HandoffCore
import HandoffSimulation
import Testing

@Suite struct `The reducer tells the truth of a simulation` {
  /// The rules of which nothing may be missed, and nothing said in vain.
  private static let exact: [Rule] = [.a01, .a03, .a07, .a08, .a09, .a10, .a11, .a14]

  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func `every fault of the exact rules is found, and no more`(seed: UInt64) throws {
    let run = try Run(
      Simulation(seed: seed, days: 4, scale: 0.008, faults: .dense), seed: seed)
    let score = run.score
    for rule in Self.exact {
      let row = score.rows[rule]
      #expect(row?.recall ?? 1 == 1, "\(rule.rawValue) \(score.missed.filter { $0.rule == rule })")
      #expect(
        row?.falseAlarms ?? 0 == 0,
        "\(rule.rawValue) \(score.falseAlarms.filter { $0.alert.rule == rule })")
    }
    #expect(run.bus.areBooksBalanced)
    #expect(score.rows.values.reduce(0) { $0 + $1.found } > 20)
  }

  @Test(arguments: [11, 12, 13, 14] as [UInt64])
  func `aborts, crashes and torn transactions change no verdict`(seed: UInt64) throws {
    let simulation = Simulation(seed: seed, days: 2, scale: 0.006, faults: .dense)
    let calm = try Run(simulation, seed: seed)
    let rough = try Run(simulation, seed: seed &+ 100, faults: .dense)
    #expect(CanonicalForm.lines(rough.verdicts) == CanonicalForm.lines(calm.verdicts))
    #expect(rough.bus.areBooksBalanced)
    for outcome in BusFaults.Outcome.allCases {
      #expect(rough.bus.outcomes[outcome, default: 0] > 0, "\(outcome)")
    }
    #expect(!calm.verdicts.isEmpty)
  }
}
