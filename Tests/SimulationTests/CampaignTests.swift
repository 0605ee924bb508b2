import HandoffCodecs
import HandoffCore
import HandoffSimulation
import TestSupport
import Testing

@Suite struct `A campaign` {
  private static let size = Campaign.Size(days: 3, scale: 0.001)

  /// The policy with six hours to acknowledge anything.
  private static let planted: Policy = {
    var policy = Campaign.policy
    policy.rows = policy.rows.map { row in
      var row = row
      row.clocks.acknowledge = .hours(6)
      return row
    }
    return policy
  }()

  @Test func `finds no difference, in people and in sources, and counts what was drawn`() {
    var campaign = Campaign(Self.size)
    for seed in 0..<8 as Range<UInt64> { campaign.run(seed: seed) }
    #expect(campaign.differingSeeds.isEmpty, "\(campaign.differingSeeds)")
    #expect(campaign.finding == nil && campaign.sourceFinding == nil)
    #expect(campaign.seedCount == 8 && campaign.eventCount > 1000)
    // Once without sources, and once with them.
    #expect(campaign.bookedCount > 2 * 1000 && campaign.booksDifferences.isEmpty)
    #expect(campaign.statementCount > 1000)
    // Seeds 1 and 5 switch a profile on and off.
    #expect(campaign.switchCount == 4 && campaign.faultCounts[.policySwitched] == 4)
    #expect(campaign.equal[.a07, default: 0] > 0)
    #expect(campaign.equalOfWaiting[.a07, default: 0] > 0)
    #expect(campaign.equalUndetermined[.a08, default: 0] > 0)
    for rule in [.a18, .a25, .a26] as [Rule] {
      #expect(campaign.equalOfSources[rule, default: 0] > 0, "\(rule)")
    }
    #expect(campaign.faultCounts[.doubled, default: 0] > 0)
    #expect(campaign.faultCounts[.sourceSilent, default: 0] > 0)
  }

  @Test func `finds a difference that was planted, and the least records that show it`() throws {
    var size = Self.size
    size.oracle = Self.planted
    var campaign = Campaign(size)
    for seed in 0..<8 as Range<UInt64> where campaign.finding == nil { campaign.run(seed: seed) }
    let finding = try #require(campaign.finding)
    #expect(campaign.differingSeeds == [finding.seed])
    #expect(finding.difference.episode.key.rule == .a07)
    #expect(campaign.onlyReducer[.a07, default: 0] > 0)
    // A request shows it alone; nothing more is left, and nothing less shows anything.
    let events = try finding.records.map { try WireCodec.eventRecord($0) }
    #expect(events.count == 1)
    guard let event = try #require(events.first).content.event else {
      Issue.record("a request is left, and no switch")
      return
    }
    #expect(event.type == .handoffRequested)
    let end = Simulation.defaultStart.advanced(by: .hours(24 * 300))
    let again = Conformance(
      records: events, until: end, policy: Campaign.policy, oracle: Self.planted)
    #expect(again.differences.first == finding.difference)
    #expect(Conformance(records: events, until: end, policy: Campaign.policy).differences.isEmpty)
  }

  @Test func `judges by a profile from where it is switched on`() throws {
    // Without the profile the oracle misses what was due earlier under it.
    var size = Self.size
    var plain = Campaign.policy
    plain.profiles = []
    size.oracle = plain
    var campaign = Campaign(size)
    for seed in 0..<4 as Range<UInt64> { campaign.run(seed: seed, shrinking: false) }
    #expect(campaign.differingSeeds == [1])
  }
}

@Suite struct `What a source is said to lack` {
  /// Records of one source that beats each quarter of an hour: the total of each beat, and what came.
  private static func records(
    totals: [UInt64], arrivals: [(at: Int64, takenAt: Int64)]
  ) throws -> [SourceTopicRecord] {
    let source = JourneyGenerator.code("mllp-rth")
    let start = Simulation.defaultStart
    func time(_ minute: Int64) -> Timestamp { start.advanced(by: .minutes(minute)) }
    var statements: [(at: Int64, statement: SourceRecord)] = totals.enumerated().map {
      let minute = Int64($0) * 15
      return (
        minute,
        .heartbeat(
          SourceHeartbeat(
            source: source, at: time(minute),
            completeUpTo: time(minute).advanced(by: .seconds(-1)), lastSequence: nil,
            framesTotal: $1, eventsTotal: 0, refusalsTotal: 0))
      )
    }
    statements += arrivals.enumerated().map {
      let reception = SourceReception(
        source: source, receptionID: ReceptionID(rawValue: UInt128($0 + 1)), messageKey: nil,
        contentMac: nil, sequence: nil, at: time($1.takenAt))
      return ($1.at, .reception(reception))
    }
    let order = statements.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }
    return try order.enumerated().map { offset, entry in
      let hash = try #require(
        RecordHash(bytes: (0..<32).map { UInt8(truncatingIfNeeded: offset >> ($0 * 8)) }))
      return SourceTopicRecord(
        content: .statement(entry.element.statement), brokerAt: time(entry.element.at),
        coordinates: RecordCoordinates(
          topic: "handoff.sources.v1", partition: 0, offset: Int64(offset)), hash: hash)
    }
  }

  @Test func `the oracle and the reducer work out alike, message by message`() throws {
    // Two of three are lost; one of them comes after five hours, and one a quarter of an hour.
    let totals = (0..<40 as Range<UInt64>).map { $0 == 0 ? 0 : $0 + 3 }
    var arrivals: [(at: Int64, takenAt: Int64)] = (1..<40 as Range<Int64>).map {
      ($0 * 15 - 5, $0 * 15 - 5)
    }
    arrivals += [(8, 8), (301, 9)]
    let records = try Self.records(totals: totals, arrivals: arrivals)
    let end = Simulation.defaultStart.advanced(by: .hours(12))
    let found = SourceConformance(records: records, until: end)
    #expect(found.differences.isEmpty, "\(found.differences)")
    #expect(found.equal[.a26] == 1)
    let said = SourceOracle().episodes(of: records, until: end).values.flatMap(\.self)
    let shortfall = try #require(said.first { $0.rule == .a26 })
    #expect(shortfall.opened == Simulation.defaultStart.advanced(by: .minutes(135)))
    #expect(shortfall.resolved == nil)
  }

  @Test func `a difference about a source is found`() throws {
    let records = try Self.records(totals: [0, 3, 3, 3], arrivals: [])
    var policy = Policy.default
    policy.sourceDefaults.interval = .minutes(15)
    var other = policy
    other.sourceDefaults.countWindow = .hours(3)
    let end = Simulation.defaultStart.advanced(by: .hours(12))
    let alike = SourceConformance(records: records, until: end, policy: policy)
    #expect(alike.differences.isEmpty && alike.equal[.a26] == 1 && alike.equal[.a18] == 1)
    let found = SourceConformance(records: records, until: end, policy: policy, oracle: other)
    #expect(Set(found.differences.map(\.episode.rule)) == [.a26])
    #expect(found.differences.count == 2)
  }
}
