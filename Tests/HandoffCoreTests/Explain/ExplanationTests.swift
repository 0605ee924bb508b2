import HandoffCore
import TestSupport
import Testing

@Suite struct ExplanationTests {
  @Test func `a lost request is said in words that tell whom to ring`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.tick(at: 90)
    let opened = Explanation(try #require(scene.verdicts.last))
    #expect(opened.title == "A07 Never acknowledged")
    #expect(
      opened.whatHappened
        == "RTH has not shown that it has the urgent handoff of kind gp-hospital from K81001, "
        + "due 2026-11-23 10:00. It stands at Requested.")
    #expect(opened.howWeKnow.hasPrefix("1 record of the events topic (0:0), read up to offset 0"))
    #expect(
      opened.whatToDo
        == "Ask RTH whether the request is there; if not, have K81001 send it again.")
    scene.say(.received, at: 155)
    let resolved = Explanation(try #require(scene.verdicts.last))
    #expect(resolved.whatHappened.hasSuffix("Answered at 2026-11-23 11:35, 1 h 35 min late."))
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `every verdict has words of its own, and a sheet`(seed: UInt64) {
    var generator = JourneyGenerator(seed: seed)
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    for record in generator.records(count: 300) {
      for verdict in reducer.apply(record) {
        let text = Explanation(verdict).description
        #expect(!text.contains("is flagged") && !text.contains("Optional"))
        #expect(verdict.rule.sheet?.severity == verdict.severity)
      }
    }
  }

  @Test func `lengths of time are said in their two largest units`() {
    #expect(Elapsed.hours(49).spoken == "2 d 1 h")
    #expect(Elapsed.minutes(35).spoken == "35 min")
    #expect(Elapsed.seconds(3601).spoken == "1 h")
    #expect(Elapsed.zero.spoken == "0 s")
  }
}

@Suite struct CanonicalFormTests {
  private func verdicts() -> [Verdict] {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.tick(at: 61)
    scene.say(.received, at: 70)
    return scene.verdicts
  }

  @Test func `delivery in any order and any number of times has one form`() {
    let verdicts = verdicts()
    #expect(
      CanonicalForm.text(of: verdicts + verdicts.reversed()) == CanonicalForm.text(of: verdicts))
    #expect(CanonicalForm.lines(verdicts).count == 2)
    #expect(LiveAlerts(verdicts + verdicts.reversed()) == LiveAlerts(verdicts))
    #expect(LiveAlerts(verdicts.reversed()).open.isEmpty)
  }

  @Test func `how it was read leaves no trace in it`() throws {
    var verdict = try #require(verdicts().first)
    let line = verdict.canonicalLine
    verdict.knownAt = .distantFuture
    verdict.readUpTo = 99
    verdict.evidence[0].coordinates = nil
    #expect(verdict.canonicalLine == line)
    verdict.opened = .distantPast
    #expect(verdict.canonicalLine != line)
  }
}
