import HandoffCore
import TestSupport
import Testing

@Suite("A24: amendments, and which version an answer is about")
struct AmendmentTests {
  /// The request is version 1, and version 2 is sent at ten past nine, after delivery.
  private func amended(_ state: EventType = .received) -> Scene {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.version = Token(rawValue: 1) }
    scene.say(state, at: 5)
    scene.say(.handoffAmended, at: 10) { $0.version = Token(rawValue: 2) }
    return scene
  }

  private func standing(_ scene: Scene) -> [String] {
    LiveAlerts(scene.verdicts).open.filter { $0.rule == .a24 }
      .map { $0.cause?.description ?? "" }
  }

  @Test func `an amendment after delivery that nobody answers is A24 at T_ack`() {
    var scene = amended()
    scene.tick(at: 69)
    #expect(standing(scene) == [])
    scene.tick(at: 70)
    #expect(standing(scene) == [""])
    #expect(scene.verdicts.last?.opened.minute == 70)
    scene.say(.received, at: 80, id: 99)
    #expect(standing(scene) == [])
    #expect(scene.verdicts.last?.lateness == .minutes(10))
  }

  @Test(arguments: [
    EventType.accepted, .rejected, .infoRequested, .booked, .started, .interim, .received,
  ])
  func `acceptance and every other word of the receiver is receipt of the new version`(
    word: EventType
  ) {
    for named: UInt128? in [nil, 2] {
      var scene = amended(word == .interim ? .accepted : .delivered)
      scene.say(word, at: 20, id: 99) { $0.answers = named.map { Token(rawValue: $0) } }
      scene.tick(at: 100)
      #expect(standing(scene) == [])
    }
  }

  @Test(arguments: [EventType.accepted, .booked, .infoRequested, .started])
  func `an answer that names the older version opens at once, and one that names the new heals`(
    word: EventType
  ) throws {
    var scene = amended()
    let said = scene.say(word, at: 20, id: 99) { $0.answers = Token(rawValue: 1) }
    #expect(said.short == ["A24 opened"])
    let verdict = try #require(said.first)
    #expect(verdict.cause?.description == "older-version")
    #expect(verdict.opened.minute == 20 && verdict.severity == .high)
    // The silence of T_ack is the same matter: one alert, not two.
    scene.tick(at: 100)
    #expect(standing(scene) == ["older-version"])
    scene.say(.received, at: 101, id: 100) { $0.answers = Token(rawValue: 2) }
    #expect(standing(scene) == [])
  }

  @Test func `a receipt of the older version is no act on it, and none of the newer`() {
    var scene = amended(.delivered)
    scene.say(.received, at: 11, id: 99) { $0.answers = Token(rawValue: 1) }
    #expect(standing(scene) == [])
    scene.tick(at: 70)
    #expect(standing(scene) == [""])
  }

  @Test func `an answer to the request that was said before the amendment is none`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.version = Token(rawValue: 1) }
    scene.say(.received, at: 5)
    scene.say(.handoffAmended, at: 10) { $0.version = Token(rawValue: 2) }
    scene.say(.accepted, at: 8, arriving: 12) { $0.answers = Token(rawValue: 1) }
    #expect(standing(scene) == [])
    // It is as unseen as before, from the amendment on.
    scene.tick(at: 70)
    #expect(standing(scene) == [""])
  }

  @Test func `the amendment that was overtaken by the answer to it is seen`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.version = Token(rawValue: 1) }
    scene.say(.received, at: 5)
    scene.say(.accepted, at: 12, arriving: 13) { $0.answers = Token(rawValue: 2) }
    scene.say(.handoffAmended, at: 10, arriving: 14) { $0.version = Token(rawValue: 2) }
    scene.tick(at: 100)
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `a name that no version had is judged by when it was said`() {
    var scene = amended()
    scene.say(.accepted, at: 20) { $0.answers = Token(rawValue: 77) }
    scene.tick(at: 100)
    #expect(standing(scene) == [])
  }

  @Test func `a version after the next is held against all that were replaced`() {
    var scene = amended()
    scene.say(.handoffAmended, at: 12, id: 50) { $0.version = Token(rawValue: 3) }
    scene.say(.accepted, at: 20) { $0.answers = Token(rawValue: 2) }
    #expect(standing(scene) == ["older-version"])
    scene.say(.booked, at: 21) { $0.answers = Token(rawValue: 1) }
    #expect(standing(scene) == ["older-version"])
    scene.say(.booked, at: 22, id: 51) { $0.answers = Token(rawValue: 3) }
    #expect(standing(scene) == [])
  }

  @Test func `an amendment that answers a question, and one before delivery, ask for no receipt`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.handoffAmended, at: 1)
    scene.say(.infoRequested, at: 5)
    scene.say(.handoffAmended, at: 10, id: 50)
    #expect(!scene.deadlines.contains { $0.rule == .a24 })
  }

  @Test(arguments: [EventType.started, .rejected])
  func `an amendment after care began, or after the end, is A24 at once`(last: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(last, at: 5)
    #expect(scene.say(.handoffAmended, at: 10).short == ["A24 opened"])
  }

  @Test func `an amendment after care began is taken over all the same`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.version = Token(rawValue: 1) }
    scene.say(.started, at: 5)
    scene.say(.handoffAmended, at: 10) {
      ($0.priority, $0.version) = (.routine, Token(rawValue: 2))
    }
    #expect(scene.facts?.priority == .routine && scene.facts?.version == 2)
    #expect(scene.verdicts.last?.priority == .routine)
  }

  @Test func `an amendment to another kind moves the handoff to its page of the books`() throws {
    var scene = Scene()
    let kinds = try ["gp-hospital", "gp-ucr"].map { try #require(HandoffKind($0)) }
    scene.say(.handoffRequested, at: 0)
    scene.say(.handoffAmended, at: 10) { $0.kind = kinds[1] }
    let books = scene.reducer.state.books
    #expect(books.isBalanced && books.total.requested == 1 && books.total[.open] == 1)
    #expect(kinds.map { books.byKind[$0]?.requested } == [0, 1])
    #expect(kinds.map { books.byKind[$0]?[.open] } == [0, 1])
  }

  @Test func `an end resolves it`() {
    for end in [EventType.rejected, .cancelled, .expired] {
      var scene = amended()
      scene.say(.accepted, at: 20) { $0.answers = Token(rawValue: 1) }
      #expect(standing(scene) == ["older-version"])
      scene.say(end, at: 30)
      #expect(standing(scene) == [])
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `in whatever order they arrive inside the window, the same stands`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var events = [Scene.event(.handoffRequested, at: 0)]
    events[0].version = Token(rawValue: 1)
    let types: [EventType] = [.received, .handoffAmended, .accepted, .handoffAmended, .booked]
    for (number, type) in types.enumerated() {
      var event = Scene.event(type, id: UInt128(100 + number), at: Int64(number + 1))
      if type == .handoffAmended {
        event.version = Token(rawValue: UInt128(2 + number))
      } else {
        let names: [UInt128?] = [nil, 1, 3, 5]
        event.answers = names.randomElement(using: &random)?.map { Token(rawValue: $0) }
      }
      events.append(event)
    }
    for index in events.indices {
      events[index].receptionID = ReceptionID(rawValue: UInt128(index))
    }
    func standing(_ events: [HandoffEvent]) -> [String] {
      var scene = Scene()
      for (minute, event) in events.enumerated() {
        scene.apply(.event(event), at: Int64(minute + 6))
      }
      scene.tick(at: 200)
      return LiveAlerts(scene.verdicts).open.map { "\($0.alertID)" }.sorted()
    }
    let expected = standing(events)
    for _ in 0..<6 { #expect(standing(events.shuffled(using: &random)) == expected) }
  }

  @Test func `versions are remembered over a restart, and the oldest go first`() throws {
    var scene = amended()
    for version in 3...20 as ClosedRange<UInt128> {
      scene.say(.handoffAmended, at: 12, id: 50 + version) { $0.version = Token(rawValue: version) }
    }
    let facts = try #require(scene.facts)
    #expect(facts.version == 20 && facts.oldVersions == Array(12...19))
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    try reducer.restore(scene.reducer.state)
    try reducer.restore(#require(scene.reducer.person(for: Scene.key)))
    scene.reducer = reducer
    scene.say(.accepted, at: 30) { $0.answers = Token(rawValue: 19) }
    #expect(standing(scene) == ["older-version"])
  }

  @Test func `an amendment of what is asked anew is waited for, though one before came too late`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.version = Token(rawValue: 1) }
    scene.say(.accepted, at: 1)
    scene.say(.started, at: 2)
    let late = scene.say(.handoffAmended, at: 3) { $0.version = Token(rawValue: 2) }
    #expect(late.short == ["A24 opened"])
    // The receiver ends what it knows: the version before.
    scene.say(.couldNotComplete, at: 4) { $0.answers = Token(rawValue: 1) }
    scene.say(.handoffRequested, at: 0, arriving: 5) { $0.version = Token(rawValue: 1) }
    scene.say(.delivered, at: 6)
    scene.say(.handoffAmended, at: 10, id: 50) { $0.version = Token(rawValue: 3) }
    #expect(scene.state == .delivered)
    let before = scene.verdicts.count
    scene.tick(at: 70)
    #expect(scene.verdicts[before...].filter { $0.rule == .a24 }.short == ["A24 opened"])
  }
}
