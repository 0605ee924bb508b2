import HandoffCore
import TestSupport
import Testing

@Suite struct DefectTests {
  private static let malformed = JourneyGenerator.code("wire.malformed")

  private func bad(_ cause: Code? = malformed) -> EventRecord.Content {
    .unusable(.s01, cause: cause)
  }

  @Test func `a swarm of unreadable records is one alert that ends an hour after the last`() throws
  {
    var scene = Scene()
    for minute in 0..<100 as Range<Int64> { scene.apply(bad(), at: minute) }
    #expect(scene.verdicts.short.first == "S01 opened")
    // Said at the first, and whenever the number has doubled: 2, 4, 8, 16, 32, 64.
    #expect(scene.verdicts.count == 7)
    #expect(scene.reducer.nextDue == Scene.minutes(99 + 60))
    let end = scene.tick(at: 300)
    #expect(end.short == ["S01 resolved"])
    let resolved = try #require(end.first)
    #expect(resolved.count == 100 && resolved.subject == .bus && resolved.patientKey == nil)
    #expect(resolved.resolvedAt == Scene.minutes(159))
    #expect(resolved.knownAt == Scene.minutes(159))
    #expect(resolved.evidence.count == 2)
    #expect(LiveAlerts(scene.verdicts).open.isEmpty)
    #expect(LiveAlerts(scene.verdicts).count == 1)
  }

  @Test func `every cause is an alert of its own, up to a bound`() {
    var scene = Scene()
    for number in 0..<200 { scene.apply(bad(JourneyGenerator.code("wire.\(number)")), at: 1) }
    #expect(LiveAlerts(scene.verdicts).open.count == 64)
    let counted = scene.reducer.state.defects.reduce(0) { $0 + Int($1.count) }
    #expect(counted == 200)
  }

  @Test func `an hour is over at its very end`() {
    var scene = Scene()
    scene.apply(bad(), at: 0)
    #expect(scene.tick(at: 59).isEmpty)
    #expect(scene.tick(at: 60).short == ["S01 resolved"])
    #expect(scene.verdicts.last?.resolvedAt == Scene.minutes(60))
  }

  @Test func `the next time is another alert`() {
    var scene = Scene()
    scene.apply(bad(), at: 0)
    scene.apply(bad(), at: 600)
    #expect(scene.verdicts.short == ["S01 opened", "S01 resolved", "S01 opened"])
    #expect(Set(scene.verdicts.map(\.alertID)).count == 2)
  }

  @Test func `an unknown policy is said, and taken back when a known one follows`() throws {
    var scene = Scene()
    let known = RulesActivation(rulesVersion: 1, policyHash: Policy.default.hash)
    let other = try #require(RecordHash(bytes: [UInt8](repeating: 9, count: 32)))
    scene.apply(.rulesActivation(RulesActivation(rulesVersion: 1, policyHash: other)), at: 0)
    #expect(scene.verdicts.short == ["S05 opened"])
    scene.apply(.rulesActivation(known), at: 500)
    #expect(scene.verdicts.short == ["S05 opened", "S05 resolved"])
  }

  @Test func `books that do not balance are an alert within a minute of the topic's time`() throws {
    var scene = Scene()
    scene.tick(at: 0)
    var state = scene.reducer.state
    state.books.total.requested = 3
    try scene.reducer.restore(state)
    #expect(scene.tick(at: 1).short == ["S06 opened"])
    #expect(scene.tick(at: 2).isEmpty)
    state = scene.reducer.state
    state.books.total.requested = 0
    try scene.reducer.restore(state)
    #expect(scene.tick(at: 3).short == ["S06 resolved"])
  }

  @Test func `books that are wrong stay so while a handoff goes on in its bucket`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    var state = scene.reducer.state
    state.books.total[.open] = 0
    try scene.reducer.restore(state)
    scene.say(.received, at: 5)
    scene.tick(at: 6)
    #expect(scene.reducer.state.books.total[.open] == 0)
    #expect(scene.open == [.s06])
  }

  @Test(arguments: Rule.allCases.filter(\.isAboutOurselves))
  func `every alert about ourselves has words, and a sheet`(rule: Rule) throws {
    var scene = Scene()
    scene.apply(.unusable(rule, cause: Self.malformed), at: 0)
    let text = Explanation(try #require(scene.verdicts.first)).description
    #expect(!text.contains("is flagged") && !text.contains("Optional"))
    #expect(rule.sheet?.severity == rule.severity)
  }
}
