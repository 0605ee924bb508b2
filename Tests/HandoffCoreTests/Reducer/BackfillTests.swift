import HandoffCore
import TestSupport
import Testing

@Suite struct `History that is loaded later` {
  /// The journeys of a day, read a year after they happened, one a second.
  private func verdicts(seed: UInt64, isBackfill: Bool) -> [Verdict] {
    var journeys = JourneyGenerator(seed: seed)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    var now = JourneyGenerator.start.advanced(by: .hours(365 * 24))
    var verdicts: [Verdict] = []
    for (index, event) in journeys.events(count: 300).enumerated() {
      var event = event
      event.isBackfill = isBackfill
      now = now.advanced(by: .seconds(1))
      verdicts += reducer.apply(
        JourneyGenerator.record(.event(event), at: now, offset: index))
    }
    verdicts += reducer.advance(to: now.advanced(by: .hours(2)))
    #expect(reducer.state.books.isBalanced)
    return verdicts
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `raises no alarm that it was not received, where the same said as news would`(
    seed: UInt64
  ) {
    let transport: Set<Rule> = [.a07]
    let history = verdicts(seed: seed, isBackfill: true).filter { transport.contains($0.rule) }
    let news = verdicts(seed: seed, isBackfill: false).filter { transport.contains($0.rule) }
    #expect(history.isEmpty)
    #expect(news.count > 3)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `is few causes to people, each of one hour, sender and rule`(seed: UInt64) {
    let verdicts = verdicts(seed: seed, isBackfill: true)
    let live = LiveAlerts(verdicts)
    let groups = AlertGrouping(policy: .default).groups(of: live.all)
    #expect(groups.count < live.all.count || live.all.count < 5)
    #expect(groups.reduce(0) { $0 + $1.count } == live.all.count)
  }
}
