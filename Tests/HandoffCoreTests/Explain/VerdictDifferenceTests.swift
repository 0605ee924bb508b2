import HandoffCore
import TestSupport
import Testing

@Suite struct `The difference of two runs` {
  /// What a policy says of a generated history, to a year after it.
  private func verdicts(seed: UInt64, _ policy: Policy) -> [Verdict] {
    var journeys = JourneyGenerator(seed: seed)
    var reducer = PersonReducer(policy: policy, topic: "handoff.events.v1", partition: 0)
    var verdicts: [Verdict] = []
    for record in journeys.records(count: 400) { verdicts += reducer.apply(record) }
    verdicts += reducer.advance(to: JourneyGenerator.start.advanced(by: .hours(24 * 400)))
    return verdicts
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `of a policy and itself is empty`(seed: UInt64) {
    let verdicts = verdicts(seed: seed, .default)
    var renamed = Policy.default
    renamed.hash = Policy.default.hash
    let difference = VerdictDifference(before: verdicts, after: self.verdicts(seed: seed, renamed))
    #expect(difference.isEmpty)
    #expect(difference.counts.isEmpty)
    #expect(difference.unchangedCount == LiveAlerts(verdicts).count)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `of a tightened clock is in the alerts of that clock alone`(seed: UInt64) throws {
    let kind = try #require(HandoffKind("gp-hospital"))
    var tighter = Policy.default
    for index in tighter.rows.indices where tighter.rows[index].kind == kind {
      tighter.rows[index].clocks.accept = .hours(1)
    }
    let before = verdicts(seed: seed, .default)
    let difference = VerdictDifference(before: before, after: verdicts(seed: seed, tighter))
    for entry in difference.entries {
      #expect(entry.verdict?.kind == kind)
      #expect(entry.verdict?.rule == .a08)
      #expect(entry.change != .vanishes)
      if let before = entry.before, let after = entry.after {
        #expect(after.opened < before.opened)
      }
    }
    // And back: what appeared vanishes.
    let back = VerdictDifference(before: verdicts(seed: seed, tighter), after: before)
    #expect(
      back.entries.count { $0.change == .vanishes }
        == difference.entries.count { $0.change == .appears })
    #expect(back.entries.count == difference.entries.count)
  }

  @Test func `names what appears, vanishes, moves and ends, with its counts`() throws {
    func run(_ accept: ClockLength, answeredAt minute: Int64?) -> [Verdict] {
      var policy = Policy.default
      for index in policy.rows.indices { policy.rows[index].clocks.accept = accept }
      var scene = Scene(policy: policy)
      scene.say(.handoffRequested, at: 0)
      scene.say(.received, at: 1)
      if let minute { scene.say(.accepted, at: minute) }
      scene.tick(at: 60 * 24)
      return scene.verdicts
    }
    func changes(_ before: [Verdict], _ after: [Verdict]) -> [VerdictDifference.Change] {
      VerdictDifference(before: before, after: after).entries.map(\.change)
    }
    let (short, long) = (ClockLength.minutes(30), ClockLength.hours(4))
    #expect(changes(run(long, answeredAt: 60), run(short, answeredAt: 60)) == [.appears])
    #expect(changes(run(short, answeredAt: 60), run(long, answeredAt: 60)) == [.vanishes])
    #expect(changes(run(long, answeredAt: nil), run(short, answeredAt: nil)) == [.moves])
    #expect(changes(run(short, answeredAt: nil), run(short, answeredAt: 60)) == [.ends])
    let counts = VerdictDifference(
      before: run(long, answeredAt: 60), after: run(short, answeredAt: 60)
    ).counts
    #expect(counts.map(\.rule) == [.a08])
    #expect(counts.map(\.kind) == [HandoffKind("gp-hospital")])
    #expect(counts.map(\.count) == [1])
  }
}
