import HandoffCore
import TestSupport
import Testing

@Suite struct `A source that falls silent` {
  @Test func `is A18 three intervals after its last word, and resolved by the next`() throws {
    var scene = SourceScene()
    scene.beat(at: 0)
    #expect(scene.tick(at: 179).isEmpty)
    let opened = try #require(scene.tick(at: 200).first)
    #expect(
      opened.rule == .a18 && opened.severity == .critical && opened.cause?.description == "silent")
    #expect(opened.opened == SourceScene.seconds(180))
    #expect(opened.subject == .source(SourceScene.code))
    #expect(opened.evidence.count == 1)
    let state = try #require(scene.reducer.states.first)
    #expect(state.condition == .silent && state.since == SourceScene.seconds(180))
    #expect(state.completeUpTo == SourceScene.seconds(-1))
    #expect(scene.reducer.openAlerts == [.a18: 1])
    let resolved = try #require(scene.beat(at: 300).first)
    #expect(resolved.action == .resolved && resolved.lateness == .seconds(120))
    #expect(scene.reducer.openAlerts.isEmpty)
    #expect(scene.reducer.states.first?.condition == .running)
    #expect(scene.open.isEmpty)
  }

  @Test func `is not while it speaks, nor while its connector is in maintenance`() {
    var policy = Policy.default
    var source = SourcePolicy()
    source.maintenance = [
      .once(from: SourceScene.seconds(120), to: SourceScene.seconds(3600))
    ]
    policy.sources[SourceScene.code] = source
    var scene = SourceScene(policy: policy)
    scene.beat(at: 0)
    scene.receive(at: 100)
    #expect(scene.tick(at: 3779).isEmpty)
    #expect(scene.tick(at: 3780).short == ["A18 opened"])
  }

  @Test func `is not judged before it has ever beaten`() {
    var scene = SourceScene()
    scene.receive(at: 0)
    #expect(scene.tick(at: 100_000).isEmpty)
    #expect(scene.reducer.states.isEmpty)
  }

  @Test func `that beats and stays behind is an alert of its own cause`() throws {
    var scene = SourceScene()
    scene.beat(at: 0)
    scene.beat(at: 60, complete: 0)
    scene.beat(at: 120, complete: 0)
    #expect(scene.verdicts.isEmpty)
    let opened = try #require(scene.beat(at: 185, complete: 0).first)
    #expect(opened.cause?.description == "behind" && opened.opened == SourceScene.seconds(180))
    #expect(scene.reducer.states.first?.condition == .behind)
    #expect(scene.reducer.states.first?.since == SourceScene.seconds(180))
    #expect(scene.beat(at: 240, complete: 239).short == ["A18 resolved"])
    #expect(scene.reducer.states.first?.since == SourceScene.seconds(240))
  }

  @Test func `that never says how far it is is behind three intervals after its first word`() {
    var scene = SourceScene()
    func beat(at second: Int64) -> [Verdict] {
      scene.say(
        .heartbeat(
          SourceHeartbeat(
            source: SourceScene.code, at: SourceScene.seconds(second), completeUpTo: nil,
            lastSequence: nil, framesTotal: 0, eventsTotal: 0, refusalsTotal: 0)), at: second)
    }
    for second in [0, 60, 120, 179] as [Int64] { #expect(beat(at: second).isEmpty) }
    #expect(beat(at: 180).compactMap(\.cause?.description) == ["behind"])
  }

  @Test func `a clock that is off does not look like a backlog`() {
    var scene = SourceScene()
    for minute in 0..<10 { scene.beat(at: Int64(minute) * 60, clock: -3000) }
    #expect(scene.verdicts.isEmpty)
    scene.beat(at: 590, clock: 300)
    #expect(scene.verdicts.isEmpty)
    scene.beat(at: 600, clock: 301)
    #expect(scene.open == ["A19 connector-clock"])
  }
}

@Suite struct `Messages of a source` {
  @Test func `that come again are A01 from ten within the hour and one in a hundred on`() {
    var scene = SourceScene()
    for key in 1...9 {
      scene.receive(UInt128(key), at: 0)
      scene.receive(UInt128(key), at: 1)
    }
    #expect(scene.verdicts.isEmpty)
    scene.receive(10, at: 2)
    #expect(scene.receive(10, at: 3).short == ["A01 opened"])
    #expect(scene.verdicts.last?.count == 10)
    // The minute of nine and those before it lie behind the hour at ten.
    #expect(scene.tick(at: 3599).isEmpty)
    #expect(scene.tick(at: 3600).short == ["A01 resolved"])
  }

  @Test func `that go on coming again are counted with their A01`() {
    var scene = SourceScene()
    for key in 1...10 as ClosedRange<UInt128> {
      scene.receive(key, at: 0)
      scene.receive(key, at: 1)
    }
    for _ in 11...15 { scene.receive(1, at: 2) }
    #expect(scene.verdicts.short == ["A01 opened"])
    #expect(scene.receive(1, at: 3).short == ["A01 changed"])
    #expect(scene.verdicts.last?.count == 16)
  }

  @Test func `that come again are few where there are many others`() {
    var scene = SourceScene()
    for key in 1...2000 { scene.receive(UInt128(key), at: 0) }
    for key in 1...19 { scene.receive(UInt128(key), at: 1) }
    #expect(scene.verdicts.isEmpty)
    scene.receive(20, at: 2)
    #expect(scene.verdicts.isEmpty)
    scene.receive(21, at: 3)
    #expect(scene.open == ["A01"])
  }

  @Test func `delivered again by ourselves count once`() {
    var scene = SourceScene()
    for _ in 0..<30 { scene.receive(1, at: 0) { $0.receptionID = ReceptionID(rawValue: 7) } }
    #expect(scene.verdicts.isEmpty)
    #expect(scene.reducer.source(SourceScene.code)?.counts.counted == 1)
  }

  @Test func `are known again for a day`() {
    let day: Int64 = 24 * 3600
    for (second, isKnown) in [(day, true), (day + 1, false)] {
      var scene = SourceScene()
      scene.receive(1, at: 0)
      scene.receive(1, at: second)
      #expect(scene.reducer.source(SourceScene.code)?.rate.repeats == (isKnown ? 1 : 0))
    }
  }

  @Test func `of one id about two persons are A03, about one person none`() throws {
    var scene = SourceScene()
    scene.receive(1, at: 0, content: 1, person: 1)
    #expect(scene.receive(1, at: 1, content: 2, person: 1).isEmpty)
    let opened = try #require(scene.receive(1, at: 2, content: 3, person: 2).first)
    #expect(opened.rule == .a03 && opened.severity == .high && opened.evidence.count == 2)
    scene.receive(1, at: 3, content: 4, person: 3)
    #expect(scene.verdicts.last?.count == 2 && scene.verdicts.last?.action == .changed)
    scene.receive(2, at: 4, content: 5, person: nil)
    #expect(scene.receive(2, at: 5, content: 6, person: 9).isEmpty)
    #expect(scene.tick(at: 5 + 720 * 3600).short == ["A03 resolved"])
  }

  @Test func `come again are known whatever came under their id in between`() {
    var scene = SourceScene()
    let stamped: (inout SourceReception) -> Void = { $0.recordedAt = SourceScene.seconds(0) }
    scene.receive(7, at: 0, content: 1, person: 1, stamped)
    scene.receive(7, at: 1, content: 2, person: 2, stamped)
    scene.verdicts = []
    // Sent again hours later, with the stamp of the first: no clock that is off, and no new reuse.
    scene.receive(7, at: 8_000, content: 1, person: 1, stamped)
    #expect(scene.verdicts.short == [])
    scene.receive(7, at: 8_001, content: 2, person: 2, stamped)
    #expect(scene.verdicts.short == [])
    // A day later neither is remembered.
    scene.receive(7, at: 8_001 + 90_000, content: 2, person: 2, stamped)
    #expect(scene.verdicts.map(\.rule).contains(.a19))
  }

  @Test func `with a clock in doubt are one A19 a cause`() throws {
    var scene = SourceScene()
    scene.receive(at: 0) { $0.recordedAt = SourceScene.seconds(-300) }
    scene.receive(at: 0) { $0.occurredAt = SourceScene.seconds(120) }
    #expect(scene.verdicts.isEmpty)
    scene.receive(at: 10) { $0.recordedAt = SourceScene.seconds(-291) }
    scene.receive(at: 11) { $0.recordedAt = SourceScene.seconds(400) }
    scene.receive(at: 12) { $0.occurredAt = SourceScene.seconds(133) }
    scene.receive(at: 13) { $0.isTimeDoubtful = true }
    #expect(scene.open == ["A19 sender-clock", "A19 future", "A19 zone"])
    #expect(scene.verdicts.count == 4)
    #expect(scene.verdicts.allSatisfy { $0.severity == .low })
    scene.receive(at: 14) {
      $0.recordedAt = SourceScene.seconds(-99_999)
      $0.isTimeDoubtful = true
      $0.isBackfill = true
    }
    #expect(scene.verdicts.count == 4)
    scene.tick(at: 3700)
    #expect(scene.open.isEmpty)
  }

  @Test func `of which an alert ends by itself end it then, and not when another falls due`() {
    var scene = SourceScene()
    scene.beat(at: 0)
    scene.receive(at: 0) { $0.recordedAt = SourceScene.seconds(-400) }
    scene.tick(at: 200)
    #expect(scene.open == ["A19 sender-clock", "A18 silent"])
  }

  @Test func `A19: a message that is sent again hours later says nothing of a clock`() {
    var scene = SourceScene()
    scene.beat(at: 0)
    scene.receive(7, at: 10) { $0.recordedAt = SourceScene.seconds(9) }
    scene.receive(7, at: 7_200) { $0.recordedAt = SourceScene.seconds(9) }
    #expect(!scene.verdicts.contains { $0.rule == .a19 })
    scene.receive(8, at: 7_201) { $0.recordedAt = SourceScene.seconds(9) }
    #expect(scene.open.contains("A19 sender-clock"))
  }

  @Test func `that were spooled are judged by their reception`() {
    var scene = SourceScene()
    scene.receive(at: 7200) {
      $0.at = SourceScene.seconds(0)
      $0.recordedAt = SourceScene.seconds(-5)
    }
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `that are refused are one A27 a reason, of low severity where taken all the same`() {
    var scene = SourceScene()
    scene.refuse("hl7.segment-missing", at: 0)
    scene.refuse("hl7.segment-missing", at: 1)
    scene.refuse("identity.nhs-number-check-digit", at: 2, isWarning: true)
    scene.refuse("hl7.segment-missing", at: 3)
    #expect(scene.verdicts.short == ["A27 opened", "A27 changed", "A27 opened"])
    #expect(scene.verdicts.map(\.severity) == [.medium, .medium, .low])
    scene.tick(at: 3603)
    #expect(scene.open.isEmpty)
  }

  @Test func `that go on being wrong are shown by the first record and the latest`() throws {
    var scene = SourceScene()
    for second in 0..<4 as Range<Int64> { scene.refuse("hl7.segment-missing", at: second) }
    #expect(scene.verdicts.short == ["A27 opened", "A27 changed", "A27 changed"])
    let shown = scene.verdicts.map { $0.evidence.compactMap(\.coordinates?.offset) }
    #expect(shown == [[0], [0, 1], [0, 3]])
  }

  @Test(arguments: [("hl7.segment-missing", false), ("nhs.warning", true), ("inbox.replay", false)])
  func `that are refused count once, however often we deliver the record`(
    reason: String, isWarning: Bool
  ) throws {
    var scene = SourceScene()
    scene.refuse(reason, at: 0, isWarning: isWarning)
    let record = try #require(scene.records.last)
    for _ in 0..<3 { #expect(scene.reducer.apply(record).isEmpty) }
    let source = try #require(scene.reducer.source(SourceScene.code))
    #expect(source.book.episodes.map(\.count) == [1])
  }

  @Test func `that are refused are among the hour's, and make its repeats fewer in a hundred`() {
    var scene = SourceScene()
    for key in 1...990 as ClosedRange<UInt128> { scene.receive(key, at: 0) }
    for key in 1...10 as ClosedRange<UInt128> { scene.receive(key, at: 1) }
    #expect(scene.open == ["A01"])
    scene.refuse("hl7.segment-missing", at: 2)
    #expect(scene.open == ["A27 hl7.segment-missing"])
  }

  @Test func `that a stranger put into an inbox are an alert about ourselves`() {
    var scene = SourceScene()
    scene.refuse("inbox.not-authentic", at: 0)
    #expect(scene.open == ["S11 inbox.not-authentic"])
  }

  @Test func `that a stranger put into an inbox are not counted with those of the source`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(1, at: 10)
    scene.refuse("inbox.replay", at: 20)
    scene.beat(at: 60, frames: 1)
    #expect(scene.open == ["S11 inbox.replay"])
    scene.refuse("hl7.segment-missing", at: 70)
    scene.beat(at: 120, frames: 1)
    #expect(scene.open.contains("A26 surplus"))
  }
}

@Suite struct `Answers and ids that belong to nobody, or to two` {
  private func orphan(_ reference: UInt128, received: Int64, isResolved: Bool = false)
    -> SourceRecord
  {
    .orphan(
      SourceOrphan(
        source: SourceScene.code, receptionID: ReceptionID(rawValue: reference),
        reference: Token(rawValue: reference), system: JourneyGenerator.code("MSH-10"),
        receivedAt: SourceScene.seconds(received), isResolved: isResolved,
        at: SourceScene.seconds(received)))
  }

  @Test func `an orphan is A13 from its due moment on, until its request comes`() throws {
    var scene = SourceScene()
    let due: Int64 = 24 * 3600 + 900
    let opened = try #require(scene.say(orphan(1, received: 0), at: due + 20).first)
    #expect(opened.rule == .a13 && opened.severity == .medium)
    #expect(opened.opened == SourceScene.seconds(due))
    #expect(scene.say(orphan(1, received: 0), at: due + 21).isEmpty)
    let resolved = scene.say(orphan(1, received: 0, isResolved: true), at: due + 60)
    #expect(resolved.short == ["A13 resolved"])
  }

  /// Found by counting revisions: the second time had the id of the first, and began at revision 1.
  @Test func `the same orphan after its request came is another alert`() {
    var scene = SourceScene()
    scene.say(orphan(1, received: 0), at: 90_000)
    scene.say(orphan(1, received: 0, isResolved: true), at: 90_060)
    scene.say(orphan(1, received: 0), at: 90_120)
    #expect(scene.verdicts.short == ["A13 opened", "A13 resolved", "A13 opened"])
    #expect(Set(scene.verdicts.map(\.alertID)).count == 2)
    #expect(scene.open == ["A13"])
  }

  @Test func `an answer from before the source was onboarded raises nothing`() {
    var policy = Policy.default
    policy.sources[SourceScene.code] = {
      var source = SourcePolicy()
      source.onboardedAt = SourceScene.seconds(100)
      return source
    }()
    var scene = SourceScene(policy: policy)
    #expect(scene.say(orphan(1, received: 99), at: 90_000).isEmpty)
    #expect(scene.say(orphan(2, received: 100), at: 90_001).short == ["A13 opened"])
  }

  @Test func `ten thousand orphans are 64 alerts, and no more memory`() {
    var scene = SourceScene()
    for reference in 1...10_000 { scene.say(orphan(UInt128(reference), received: 0), at: 90_000) }
    #expect(scene.open.count == 64)
    #expect(scene.open.contains("A13 more"))
    #expect(scene.reducer.source(SourceScene.code)?.book.episodes.count == 64)
  }

  @Test func `an id of two persons is one A16 a number`() throws {
    var scene = SourceScene()
    let other = try #require(PatientKey(epoch: 1, hash: Array(1..<33)))
    func conflict(_ reception: UInt128) -> SourceRecord {
      .conflict(
        SourceConflict(
          source: SourceScene.code, receptionID: ReceptionID(rawValue: reception),
          reference: Token(rawValue: 5), system: JourneyGenerator.code("PID-3"),
          knownKey: Scene.key, namedKey: other, at: SourceScene.seconds(0)))
    }
    scene.say(conflict(1), at: 0)
    scene.say(conflict(2), at: 1)
    #expect(scene.open == ["A16 two-persons"])
    #expect(scene.verdicts.last?.count == 2)
  }
}
