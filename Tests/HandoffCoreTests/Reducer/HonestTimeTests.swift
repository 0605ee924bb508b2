import HandoffCore
import TestSupport
import Testing

@Suite("Honest time")
struct HonestTimeTests {
  static let source = JourneyGenerator.code("test")

  /// A word on the source of the scene's events.
  static func word(
    upTo minute: Int64?, _ condition: SourceState.Condition = .running
  ) -> EventRecord.Content {
    .sourceState(
      SourceState(
        source: source, condition: condition, completeUpTo: minute.map(Scene.minutes)))
  }

  /// The policy says that the source speaks for the hospital.
  static var policy: Policy {
    var policy = Policy.default
    var source = SourcePolicy()
    source.organisations = [Scene.hospital, Scene.gp]
    policy.sources[Self.source] = source
    return policy
  }

  /// Requested at nine; T_ack is an hour.
  static func requested() -> Scene {
    var scene = Scene(policy: policy)
    scene.apply(word(upTo: -1), at: -1)
    scene.say(.handoffRequested, at: 0)
    return scene
  }

  @Test func `silence is judged when the source is complete up to the deadline`() throws {
    var scene = Self.requested()
    scene.apply(Self.word(upTo: 59), at: 60)
    #expect(scene.verdicts.isEmpty)
    scene.apply(Self.word(upTo: 60), at: 61)
    #expect(scene.verdicts.short == ["A07 opened"])
    let verdict = try #require(scene.verdicts.first)
    #expect(verdict.opened.minute == 60 && verdict.knownAt.minute == 61)
  }

  @Test func `a source that stays behind makes it undetermined, and not dropped`() throws {
    var scene = Self.requested()
    scene.tick(at: 62)
    #expect(scene.verdicts.isEmpty)
    scene.tick(at: 70)
    #expect(scene.verdicts.short == ["A07 undetermined"])
    let verdict = try #require(scene.verdicts.first)
    #expect(verdict.opened.minute == 60 && verdict.knownAt.minute == 63)
    #expect(verdict.hangsOn == Self.source)
    #expect(scene.open.isEmpty)
    #expect(LiveAlerts(scene.verdicts).undetermined.count == 1)
  }

  @Test func `what was undetermined is opened under the same id when it was a drop`() {
    var scene = Self.requested()
    scene.tick(at: 70)
    scene.apply(Self.word(upTo: 90), at: 91)
    #expect(scene.verdicts.short == ["A07 undetermined", "A07 opened"])
    #expect(Set(scene.verdicts.map(\.alertID)).count == 1)
    #expect(scene.verdicts.map(\.revision) == [1, 2])
    #expect(scene.verdicts.last?.hangsOn == nil)
    let kept = scene.reducer.person(for: Scene.key)?.alerts.first
    #expect(kept?.isOpen == true && kept?.isUndetermined == false && kept?.hangsOn == nil)
  }

  @Test func `what is opened keeps no answer of before`() throws {
    var scene = Self.requested()
    scene.tick(at: 61)
    var person = try #require(scene.reducer.person(for: Scene.key))
    #expect(person.alerts.map(\.hangsOn) == [Self.source])
    person.alerts[0].answeredAt = Scene.minutes(61)
    try scene.reducer.restore(person)
    #expect(scene.apply(Self.word(upTo: 60), at: 62).short == ["A07 opened"])
    #expect(scene.reducer.person(for: Scene.key)?.alerts.map(\.answeredAt) == [nil])
  }

  @Test func `a spooled answer is judged by when it happened`() throws {
    var scene = Self.requested()
    scene.say(.received, at: 30, arriving: 62)
    #expect(scene.verdicts.isEmpty)
    var late = Self.requested()
    late.say(.received, at: 61, arriving: 62)
    #expect(late.verdicts.short == ["A07 opened", "A07 resolved"])
    #expect(late.verdicts.last?.lateness == .minutes(1))
    // At the very deadline, as of a source that is not behind (domain.md §8).
    var atLast = Self.requested()
    atLast.say(.received, at: 60, arriving: 62)
    #expect(atLast.verdicts.short == ["A07 opened", "A07 resolved"])
    #expect(atLast.verdicts.last?.lateness == .zero)
    var told = Self.requested()
    told.tick(at: 70)
    told.say(.received, at: 30, arriving: 80)
    #expect(told.verdicts.short == ["A07 undetermined", "A07 resolved"])
    #expect(told.verdicts.last?.lateness == .zero)
    let kept = told.reducer.person(for: Scene.key)?.alerts ?? []
    #expect(kept.map(\.isUndetermined) == [false] && kept.map(\.hangsOn) == [nil])
  }

  /// The hospital, whose word `slow` carries too, is asked by somebody whose own source is behind.
  static func answeredLate(
    of type: EventType = .received, at minute: Int64 = 62,
    _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> Scene {
    var policy = policy
    var source = SourcePolicy()
    source.organisations = [Scene.gp]
    policy.sources[JourneyGenerator.code("slow")] = source
    var scene = Scene(policy: policy)
    scene.apply(word(upTo: -1), at: -1)
    scene.apply(slow(upTo: -1), at: -1)
    scene.say(.handoffRequested, at: 0)
    scene.tick(at: 61)
    scene.say(type, at: minute, arriving: 62, change)
    return scene
  }

  static func slow(upTo minute: Int64) -> EventRecord.Content {
    .sourceState(
      SourceState(
        source: JourneyGenerator.code("slow"), condition: .running,
        completeUpTo: Scene.minutes(minute)))
  }

  @Test func `a late answer is not judged before another source that may know of an earlier one`() {
    var scene = Self.answeredLate()
    #expect(scene.verdicts.isEmpty)
    scene.say(.delivered, at: 30, arriving: 80)
    scene.apply(Self.slow(upTo: 90), at: 91)
    scene.apply(Self.word(upTo: 90), at: 92)
    #expect(scene.verdicts.filter { $0.rule == .a07 } == [])
  }

  @Test func `an answer at the very deadline is judged when no source knows of an earlier one`() {
    for (earlier, said) in [(nil, ["A07 opened", "A07 resolved"]), (30, [])] as [(Int64?, [String])]
    {
      var scene = Self.answeredLate(at: 60)
      #expect(scene.verdicts.isEmpty)
      if let earlier { scene.say(.delivered, at: earlier, arriving: 80) }
      scene.apply(Self.slow(upTo: 90), at: 91)
      scene.apply(Self.word(upTo: 90), at: 92)
      let judged = scene.verdicts.filter { $0.rule == .a07 }
      #expect(judged.short == said)
      #expect(judged.last?.lateness == (earlier == nil ? .zero : nil))
    }
  }

  @Test func `a late answer is late when no source knows of an earlier one`() throws {
    var scene = Self.answeredLate()
    scene.apply(Self.word(upTo: 90), at: 91)
    #expect(scene.verdicts.isEmpty)
    scene.apply(Self.slow(upTo: 90), at: 92)
    #expect(scene.verdicts.short == ["A07 opened", "A07 resolved"])
    let verdict = try #require(scene.verdicts.last)
    #expect(verdict.lateness == .minutes(2) && verdict.knownAt.minute == 92)
    #expect(scene.verdicts.map(\.revision) == [1, 2])
  }

  @Test func `a late answer is judged when the last source is complete, whichever that is`() throws
  {
    var scene = Self.answeredLate()
    scene.apply(Self.slow(upTo: 90), at: 91)
    #expect(scene.verdicts.isEmpty)
    scene.apply(Self.word(upTo: 90), at: 92)
    #expect(scene.verdicts.short == ["A07 opened", "A07 resolved"])
    #expect(scene.verdicts.last?.lateness == .minutes(2))
  }

  @Test func `of several late answers the first is told, in whatever order they arrive`() throws {
    var scene = Self.answeredLate(at: 63)
    scene.say(.accepted, at: 75, arriving: 76)
    scene.say(.delivered, at: 61, id: 9, arriving: 80)
    scene.apply(Self.word(upTo: 90), at: 91)
    scene.apply(Self.slow(upTo: 90), at: 92)
    let said = scene.verdicts.filter { $0.rule == .a07 }
    #expect(said.short == ["A07 opened", "A07 resolved"])
    #expect(said.last?.lateness == .minutes(1))
  }

  @Test func `no answer is later than it arrived, whatever the sender's clock says`() throws {
    var scene = Self.answeredLate(at: 75)
    scene.apply(Self.word(upTo: 90), at: 91)
    scene.apply(Self.slow(upTo: 90), at: 92)
    #expect(scene.verdicts.short == ["A07 opened", "A07 resolved"])
    #expect(scene.verdicts.last?.lateness == .minutes(2))
  }

  @Test func `failed transport is no answer, though the handoff went on after it`() throws {
    var scene = Self.answeredLate(of: .transportFailed)
    scene.say(.transportAccepted, at: 63)
    scene.say(.delivered, at: 64)
    scene.apply(Self.word(upTo: 90), at: 91)
    scene.apply(Self.slow(upTo: 90), at: 92)
    let said = scene.verdicts.filter { $0.rule == .a07 }
    #expect(said.short == ["A07 undetermined", "A07 opened", "A07 resolved"])
    #expect(said.last?.lateness == .minutes(4))
  }

  @Test func `a deadline that is moved too late waits for an answer that was in time`() {
    for (answer, said) in [(30, []), (nil, ["A07 opened", "A07 resolved"])] as [(Int64?, [String])]
    {
      var scene = Self.answeredLate(of: .handoffAmended, at: 62) {
        $0.kind = HandoffKind("gp-letter")
      }
      #expect(scene.verdicts.isEmpty)
      if let answer { scene.say(.received, at: answer, arriving: 63) }
      scene.apply(Self.word(upTo: 90), at: 91)
      scene.apply(Self.slow(upTo: 90), at: 92)
      #expect(scene.verdicts.filter { $0.rule == .a07 && $0.opened.minute == 60 }.short == said)
    }
  }

  @Test func `what hangs on a source stays with it while another falls back`() throws {
    var scene = Self.requested()
    scene.apply(Self.slow(upTo: 90), at: 60)
    scene.tick(at: 61)
    // By code it would come first.
    let early = JourneyGenerator.code("early")
    var policy = Self.policy
    var row = SourcePolicy()
    row.organisations = [Scene.gp]
    policy.sources[early] = row
    policy.hash = try OrganisationRegisterTests.hash(4)
    scene.reducer.provide(policy)
    scene.apply(
      .rulesActivation(RulesActivation(rulesVersion: 1, policyHash: policy.hash)), at: 61)
    scene.apply(
      .sourceState(SourceState(source: early, condition: .silent, completeUpTo: nil)), at: 61)
    scene.say(.transportAccepted, at: 59, arriving: 62)
    scene.tick(at: 70)
    #expect(scene.verdicts.filter { $0.action == .undetermined }.map(\.hangsOn) == [Self.source])
  }

  @Test func `a late answer is late when the handoff is forgotten, whatever was never heard`()
    throws
  {
    var scene = Self.answeredLate()
    scene.say(.cancelled, at: 63)
    scene.tick(at: 60 * 24 * 90)
    #expect(scene.facts == nil)
    let said = scene.verdicts.filter { $0.rule == .a07 }
    #expect(said.short == ["A07 opened", "A07 resolved"])
    #expect(said.last?.lateness == .minutes(2))
  }

  @Test func `a deadline that an amendment moves while it waits is undetermined once, from there`()
    throws
  {
    var scene = Self.requested()
    scene.tick(at: 61)
    scene.say(.handoffAmended, at: 62) { $0.kind = HandoffKind("gp-ucr") }
    for minute in 63...70 as ClosedRange<Int64> { scene.tick(at: minute) }
    #expect(scene.verdicts.short == ["A07 undetermined"])
    #expect(scene.verdicts.first?.opened.minute == 5)
  }

  @Test func `a deadline that an amendment moves once it was undetermined is so from there too`() {
    var scene = Self.requested()
    scene.tick(at: 70)
    scene.say(.handoffAmended, at: 71) { $0.kind = HandoffKind("gp-ucr") }
    scene.tick(at: 80)
    #expect(scene.verdicts.short == ["A07 undetermined", "A07 undetermined"])
    #expect(scene.verdicts.map(\.opened.minute) == [60, 5])
  }

  @Test func `nobody there after a discharge is judged when the hospital's source is complete`() {
    var scene = Scene(policy: Self.policy)
    scene.apply(Self.word(upTo: -1), at: -1)
    _ = scene.stay(.discharged, at: 0)
    let later: Int64 = 5 * 24 * 60
    scene.tick(at: later)
    #expect(!scene.stands(.a20))
    scene.apply(Self.word(upTo: later), at: later + 1)
    #expect(scene.stands(.a20))
  }

  @Test func `an answer of a healthy source is judged by the broker's time`() {
    var scene = Self.requested()
    scene.apply(Self.word(upTo: 60), at: 61)
    scene.say(.received, at: 30, arriving: 62)
    #expect(scene.verdicts.short == ["A07 opened", "A07 resolved"])
  }

  @Test func `a source of which nothing is known is waited for by nobody`() {
    var scene = Scene(policy: Self.policy)
    scene.say(.handoffRequested, at: 0)
    scene.tick(at: 60)
    #expect(scene.verdicts.short == ["A07 opened"])
  }

  @Test func `a source that never says how far it is is taken at its word`() {
    var running = Scene(policy: Self.policy)
    running.apply(Self.word(upTo: nil), at: 0)
    running.say(.handoffRequested, at: 0)
    running.tick(at: 60)
    #expect(running.verdicts.short == ["A07 opened"])
    var silent = Scene(policy: Self.policy)
    silent.apply(Self.word(upTo: nil, .silent), at: 0)
    silent.say(.handoffRequested, at: 0)
    silent.tick(at: 60)
    #expect(silent.verdicts.isEmpty)
    silent.apply(Self.word(upTo: nil), at: 61)
    #expect(silent.verdicts.short == ["A07 opened"])
  }

  @Test func `without a word of the policy, who carried an organisation may answer for it`() {
    var scene = Scene()
    scene.apply(Self.word(upTo: -1), at: -1)
    let earlier = HandoffID(rawValue: 70)
    scene.say(.handoffRequested, at: 0, id: 1, handoff: earlier)
    scene.say(.rejected, at: 1, id: 2, handoff: earlier)
    scene.say(.disposition, at: 2, id: 3, handoff: earlier)
    scene.say(.handoffRequested, at: 3, id: 4)
    scene.tick(at: 64)
    #expect(scene.verdicts.isEmpty)
    scene.tick(at: 66)
    #expect(scene.verdicts.short == ["A07 undetermined"])
  }

  @Test func `what a receiver takes back is said at once, whoever is behind`() {
    var scene = Self.requested()
    scene.say(.accepted, at: 1)
    scene.say(.rejected, at: 2)
    #expect(scene.open == [.a11])
  }

  @Test func `a new policy that names other carriers judges at once, and nobody waits as before`()
    throws
  {
    var scene = Self.requested()
    scene.tick(at: 70)
    var other = Policy.default
    other.hash = try OrganisationRegisterTests.hash(3)
    var source = SourcePolicy()
    source.organisations = [Scene.hospital, Scene.gp]
    other.sources[JourneyGenerator.code("another")] = source
    scene.reducer.provide(other)
    scene.apply(
      .rulesActivation(RulesActivation(rulesVersion: 1, policyHash: other.hash)), at: 71)
    #expect(scene.verdicts.short == ["A07 undetermined", "A07 opened"])
    scene.reducer.beginBatch()
    scene.apply(Self.word(upTo: 90), at: 91)
    #expect(scene.reducer.touched.isEmpty)
  }

  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func `an hour of spooled answers released at once raises not one false drop`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var scene = Scene(policy: Self.policy)
    scene.apply(Self.word(upTo: -1), at: -1)
    let handoffs = (0..<20).map { HandoffID(rawValue: UInt128(100 + $0)) }
    for (number, handoff) in handoffs.enumerated() {
      scene.say(.handoffRequested, at: 0, id: UInt128(1_000 + number), handoff: handoff)
    }
    // From here on the source keeps what it gets; each was received in time.
    let answers = handoffs.enumerated().map { number, handoff in
      (handoff, UInt128(2_000 + number), Int64(random.next() % 60))
    }.shuffled(using: &random)
    for minute in stride(from: 10, through: 119, by: 7) { scene.tick(at: Int64(minute)) }
    scene.apply(Self.word(upTo: 5, .silent), at: 119)
    for (handoff, id, minute) in answers {
      scene.say(.received, at: minute, id: id, handoff: handoff, arriving: 120)
    }
    scene.apply(Self.word(upTo: 120), at: 121)
    #expect(!scene.verdicts.contains { $0.action == .opened })
    #expect(scene.verdicts.filter { $0.action == .undetermined }.count == 20)
    #expect(LiveAlerts(scene.verdicts).undetermined.isEmpty)
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `ticks change no verdict, and neither do batches taken back`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var plain = Self.requested()
    var ticked = Self.requested()
    for minute in Int64(1)...100 {
      if random.next() % 2 == 0 {
        ticked.reducer.beginBatch()
        _ = ticked.reducer.advance(to: Scene.minutes(minute))
        ticked.reducer.rollBackBatch()
        ticked.tick(at: minute)
      }
      let content: EventRecord.Content? =
        minute == 80 ? Self.word(upTo: Int64(random.next() % 80)) : nil
      guard let content else { continue }
      plain.apply(content, at: minute)
      ticked.apply(content, at: minute)
    }
    plain.tick(at: 100)
    ticked.tick(at: 100)
    #expect(CanonicalForm.text(of: plain.verdicts) == CanonicalForm.text(of: ticked.verdicts))
    #expect(plain.verdicts.map(\.knownAt) == ticked.verdicts.map(\.knownAt))
  }

  @Test func `what waits is found again after a restart`() throws {
    var scene = Self.requested()
    scene.tick(at: 70)
    var reducer = PersonReducer(policy: Self.policy, topic: "handoff.events.v1", partition: 0)
    try reducer.restore(scene.reducer.state)
    for key in scene.reducer.keys { try reducer.restore(#require(scene.reducer.person(for: key))) }
    scene.reducer = reducer
    scene.apply(Self.word(upTo: 60), at: 71)
    #expect(scene.verdicts.short == ["A07 undetermined", "A07 opened"])
  }

  @Test func `what nobody answered is undetermined still when the handoff is forgotten`() {
    var scene = Self.requested()
    scene.say(.started, at: 1)
    scene.say(.completed, at: 2)
    scene.tick(at: 60 * 24 * 90)
    #expect(scene.facts == nil)
    #expect(scene.verdicts.short == ["A10 undetermined"])
    #expect(LiveAlerts(scene.verdicts).undetermined.count == 1)
  }

  @Test func `a batch that is taken back waits for the source again`() {
    var scene = Self.requested()
    scene.tick(at: 70)
    var tried = scene
    tried.reducer.beginBatch()
    #expect(tried.apply(Self.word(upTo: 90), at: 91).short == ["A07 opened"])
    tried.reducer.rollBackBatch()
    scene.reducer = tried.reducer
    scene.apply(Self.word(upTo: 90), at: 91)
    #expect(scene.verdicts.short == ["A07 undetermined", "A07 opened"])
  }

  @Test(arguments: [false, true])
  func `whoever waits no more is judged by no word on the source after a stocktaking`(
    isAnswered: Bool
  ) throws {
    var scene = Self.requested()
    scene.tick(at: 70)
    if isAnswered { scene.say(.received, at: 30, arriving: 80) }
    try scene.reducer.takeStock { _ in }
    scene.reducer.beginBatch()
    scene.apply(Self.word(upTo: 90), at: 91)
    #expect(scene.reducer.touched == (isAnswered ? [] : [Scene.key]))
  }
}
