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

  /// With connectors that speak for themselves, and are silent, behind and wrong at times.
  private static let exactOfSources: [Rule] = exact + [.a18, .a25, .a26, .a27, .s09, .s10, .s11]

  @Test(arguments: 31...38 as ClosedRange<UInt64>)
  func `every fault of connectors is found, and no more`(seed: UInt64) throws {
    let run = try Run(
      Simulation(
        seed: seed, days: 4, scale: 0.008, faults: .dense, heartbeat: .minutes(20)), seed: seed)
    let score = run.score
    for rule in Self.exactOfSources {
      let row = score.rows[rule]
      #expect(row?.recall ?? 1 == 1, "\(rule.rawValue) \(score.missed.filter { $0.rule == rule })")
      #expect(
        row?.falseAlarms ?? 0 == 0,
        "\(rule.rawValue) \(score.falseAlarms.filter { $0.alert.rule == rule })")
    }
    #expect(run.bus.areBooksBalanced)
    #expect(score.rows.values.reduce(0) { $0 + $1.found } > 40)
  }

  /// What follows from a fault is told with it: nobody comes to whom the request got lost.
  @Test(arguments: [42, 43] as [UInt64])
  func `who is discharged while the request gets lost is found, and expected`(seed: UInt64) throws {
    let run = try Run(
      Simulation(
        seed: seed, days: 4, scale: 0.02, faults: FaultPlan(rates: [.requestUndelivered: 0.9])),
      seed: seed)
    let row = try #require(run.score.rows[.a20])
    #expect(row.expected > 1 && row.recall == 1 && row.falseAlarms == 0, "\(row)")
  }

  /// A message that was told of under another's id comes again as if for the first time.
  @Test(arguments: [51, 52] as [UInt64])
  func `an old stamp that no earlier copy makes up for is found, and expected`(seed: UInt64) throws
  {
    let run = try Run(
      Simulation(
        seed: seed, days: 2, scale: 0.008,
        faults: FaultPlan(rates: [.idReusedAcross: 0.9, .doubled: 0.9]), heartbeat: .minutes(60)),
      seed: seed)
    let row = try #require(run.score.rows[.a19])
    #expect(row.expected > 0 && row.recall == 1 && row.falseAlarms == 0, "\(row)")
  }

  @Test(arguments: [21, 22, 23] as [UInt64])
  func `whatever happens to the reconcilers, no word on a source changes`(seed: UInt64) throws {
    let simulation = Simulation(
      seed: seed, days: 2, scale: 0.006, faults: .dense, heartbeat: .minutes(15))
    func ofSources(_ run: Run) -> [String] {
      CanonicalForm.lines(run.verdicts.filter { $0.patientKey == nil })
    }
    let calm = try Run(simulation, seed: seed)
    let rough = try Run(simulation, seed: seed &+ 100, faults: .dense)
    #expect(ofSources(rough) == ofSources(calm))
    #expect(!ofSources(calm).isEmpty)
    // How far a source is reaches the events topic at other moments; what was found does not.
    #expect(rough.score.missed == calm.score.missed)
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
    // Former owners went on, and nobody saw what they wrote.
    #expect(rough.bus.fencedCount > 0)
    #expect(!calm.verdicts.isEmpty)
  }
}
