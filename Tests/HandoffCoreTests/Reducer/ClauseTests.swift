import HandoffCore
import TestSupport
import Testing

private let one = HandoffID(rawValue: 1)
private let two = HandoffID(rawValue: 2)
private let three = HandoffID(rawValue: 3)
private let council = JourneyGenerator.organisation("10B")
private let day: Int64 = 24 * 60

/// Clauses of domain.md §3.1 and §8 that no test of one rule alone shows; see `Clauses.md`.
@Suite struct ClauseTests {
  private func words(_ scene: Scene, _ rule: Rule) -> [String] {
    scene.verdicts.filter { $0.rule == rule }.short
  }

  // MARK: Healing late

  @Test func `an A02 is over when an hour passes without another`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.handoffRequested, at: 0, id: 9, arriving: 2 * day) {
      $0.contentMac = Scene.event(.handoffRequested).contentMac
    }
    #expect(words(scene, .a02) == ["A02 opened"])
    scene.tick(at: 2 * day + 59)
    #expect(words(scene, .a02) == ["A02 opened"])
    scene.tick(at: 2 * day + 60)
    #expect(words(scene, .a02) == ["A02 opened", "A02 resolved"])
  }

  @Test(arguments: [EventType.accepted, .rejected, .infoRequested, .booked, .started, .cancelled])
  func `a late answer of the receiver, or the sender's end, heals an A08`(word: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 1)
    scene.tick(at: 3 * day)
    #expect(scene.open == [.a08])
    scene.say(word, at: 3 * day + 30)
    #expect(words(scene, .a08) == ["A08 opened", "A08 resolved"])
    #expect(scene.verdicts.last { $0.rule == .a08 }?.lateness == .minutes(30))
  }

  @Test func `a question that is answered late heals its own limb of A08`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.infoRequested, at: 10)
    scene.tick(at: 30 * day)
    let limb = scene.verdicts.filter { $0.rule == .a08 && $0.cause?.description == "hold" }
    #expect(limb.short == ["A08 opened"])
    scene.say(.handoffAmended, at: 30 * day + 1)
    let healed = scene.verdicts.filter { $0.rule == .a08 && $0.cause?.description == "hold" }
    #expect(healed.short == ["A08 opened", "A08 resolved"])
  }

  @Test(arguments: [EventType.started, .notAttended, .completed, .cancelled, .couldNotComplete])
  func `a late start, a missed appointment or an end heals an A09`(word: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.booked, at: 2) { $0.bookedFor = Scene.minutes(50 * day) }
    scene.tick(at: 51 * day)
    #expect(scene.open == [.a09])
    scene.say(word, at: 51 * day + 10) { $0.isFeedbackOwed = false }
    #expect(!scene.open.contains(.a09))
    #expect(scene.verdicts.first { $0.action == .resolved }?.lateness == .minutes(10))
  }

  @Test func `voided as entered in error, two ends conflict no more`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.cancelled, at: 5)
    scene.say(.accepted, at: 30)
    #expect(scene.open == [.a12])
    scene.say(.voided, at: 40)
    #expect(scene.open.isEmpty)
    #expect(words(scene, .a12) == ["A12 opened", "A12 resolved"])
  }

  @Test func `a refusal of the person that is acted on late heals its A22`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.recipientRefusedPatient, at: 10) { $0.reason = Code("itk3:30002") }
    scene.tick(at: 2 * day)
    #expect(scene.open.contains(.a22))
    scene.say(.disposition, at: 2 * day + 5)
    #expect(words(scene, .a22) == ["A22 opened", "A22 resolved"])
  }

  @Test(arguments: [EventType.rejected, .redirected, .cancelled])
  func `a stranger's acceptance is no second one when the handoff is given up`(word: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.accepted, at: 2, id: 9) { $0.spokenBy = Scene.stranger }
    scene.tick(at: 122)
    #expect(scene.open == [.a05])
    scene.say(word, at: 130) { if word == .redirected { $0.newHandoffID = two } }
    #expect(!scene.open.contains(.a05))
  }

  @Test func `a misdirected request that is sent on heals its A17`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.needKey = Token(rawValue: 5) }
    scene.say(.transportFailed, at: 1) { $0.reason = Code("mesh:12") }
    #expect(scene.open == [.a17])
    scene.ask(two, at: 20, to: council)
    #expect(!scene.open.contains(.a17))
  }

  // MARK: Guards

  @Test func `a part of a handoff that another service accepts is no second acceptance`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.ask(two, at: 1, to: council) { $0.parentHandoffID = one }
    scene.answer(.accepted, one, at: 30)
    scene.answer(.accepted, two, at: 40, by: council)
    scene.tick(at: 400)
    #expect(!scene.stands(.a05) && !scene.stands(.a06))
  }

  @Test func `a third referral of one need is shown beside the first`() {
    var scene = Scene()
    for (handoff, minute): (HandoffID, Int64) in [(one, 0), (two, 10), (three, 20)] {
      scene.ask(handoff, at: minute)
    }
    let said = scene.verdicts.filter { $0.rule == .a04 && $0.handoffID == three }
    #expect(said.short == ["A04 opened"])
    #expect(said.first?.evidence.map(\.eventID?.rawValue) == [1_000, 3_000])
  }

  @Test func `a booking in place of an acceptance answers T_accept`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 1)
    scene.say(.booked, at: 2) { $0.bookedFor = Scene.minutes(60) }
    scene.tick(at: 1000)
    #expect(words(scene, .a08).isEmpty)
  }

  @Test(arguments: [EventType.transportAccepted, .delivered, .received])
  func `late evidence of what is known is no step out of order`(word: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(word, at: 2)
    scene.tick(at: 100)
    #expect(scene.verdicts.isEmpty)
  }

  @Test(arguments: [EventType.transportFailed, .cancelled])
  func `what no silence can answer waits for nobody, of history too`(word: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.isBackfill = true }
    scene.tick(at: 60)
    #expect(words(scene, .a07).isEmpty)
    scene.say(word, at: 61) { $0.isBackfill = true }
    #expect(words(scene, .a07).isEmpty)
  }

  @Test func `history loaded later is judged by when it happened, amendments not at all`() {
    var scene = Scene()
    for (type, minute): (EventType, Int64) in [
      (.handoffRequested, 0), (.received, 5), (.handoffAmended, 10),
    ] {
      scene.say(type, at: minute, arriving: 2 * day + minute) { $0.isBackfill = true }
    }
    scene.tick(at: 3 * day)
    #expect(words(scene, .a24).isEmpty)
    let said = scene.verdicts.first { $0.rule == .a08 }
    #expect(said?.opened.minute == 3 * day)
  }

  // MARK: Any order inside the window

  /// What stands at some later moments, whatever the order of arrival within a quarter of an hour.
  private func standing(_ events: [HandoffEvent]) -> [[String]] {
    var scene = Scene()
    for (minute, event) in events.enumerated() { scene.apply(.event(event), at: Int64(minute + 6)) }
    return [200, 1_600, 5 * day].map { moment in
      scene.tick(at: moment)
      return LiveAlerts(scene.verdicts).open
        .map { "\($0.alertID) \($0.rule.rawValue) \($0.cause?.description ?? "")" }.sorted()
    }
  }

  private func stay(_ type: EventType, _ id: UInt128, at minute: Int64) -> HandoffEvent {
    var event = Scene.event(type, id: id, handoff: nil, at: minute)
    (event.spokenBy, event.dischargePathway) = (Scene.gp, 1)
    return event
  }

  private func step(
    _ type: EventType, _ handoff: HandoffID, _ id: UInt128, at minute: Int64,
    _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> HandoffEvent {
    var event = Scene.event(type, id: id, handoff: handoff, at: minute)
    event.needKey = type == .handoffRequested ? Token(rawValue: 5) : nil
    change(&event)
    return event
  }

  private func holds(_ events: [HandoffEvent], _ seed: UInt64, _ rule: Rule) {
    var random = SeededGenerator(seed: seed)
    var events = events
    for index in events.indices {
      events[index].receptionID = ReceptionID(rawValue: UInt128(index + 1))
    }
    let expected = standing(events)
    #expect(expected.joined().contains { $0.contains(rule.rawValue) }, "\(rule) is not reached")
    for _ in 0..<6 { #expect(standing(events.shuffled(using: &random)) == expected) }
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `A15 stands in whatever order its hops arrive`(seed: UInt64) {
    let events = [
      step(.handoffRequested, one, 10, at: 0), step(.rejected, one, 11, at: 1),
      step(.handoffRequested, two, 20, at: 2) { $0.to = Party(organisation: council) },
      step(.rejected, two, 21, at: 3) { $0.spokenBy = council },
      step(.handoffRequested, three, 30, at: 4),
    ]
    holds(events, seed, .a15)
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `A20 and A21 stand in whatever order the stay is heard of`(seed: UInt64) {
    let ready = [
      stay(.readyForDischarge, 10, at: 0), stay(.dischargeReadinessWithdrawn, 11, at: 1),
      stay(.readyForDischarge, 12, at: 2), step(.handoffRequested, one, 20, at: 3),
      step(.accepted, one, 21, at: 4), step(.rejected, one, 22, at: 5),
    ]
    holds(ready, seed, .a21)
    let left =
      ready + [
        stay(.discharged, 13, at: 5), stay(.dischargeCancelled, 14, at: 5),
        stay(.discharged, 15, at: 6),
      ]
    holds(left, seed, .a20)
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `A22 and A11 stand in whatever order refusal and retry arrive`(seed: UInt64) {
    let events = [
      step(.handoffRequested, one, 10, at: 0), step(.transportAccepted, one, 11, at: 1),
      step(.delivered, one, 12, at: 2),
      step(.recipientRefusedPatient, one, 13, at: 3) { $0.reason = Code("itk3:30003") },
    ]
    holds(events, seed, .a22)
    holds(events, seed, .a11)
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `A23 stands in whatever order death and acts are heard of`(seed: UInt64) {
    var death = stay(.patientDied, 10, at: -2 * day)
    death.dischargePathway = nil
    let events = [
      death, step(.handoffRequested, one, 20, at: 0), step(.accepted, one, 21, at: 1),
      step(.booked, one, 22, at: 2) { $0.bookedFor = Scene.minutes(5 * day) },
    ]
    holds(events, seed, .a23)
  }
}
