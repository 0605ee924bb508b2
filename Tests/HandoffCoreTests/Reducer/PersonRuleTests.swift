import HandoffCore
import TestSupport
import Testing

private let one = HandoffID(rawValue: 1)
private let two = HandoffID(rawValue: 2)
private let three = HandoffID(rawValue: 3)
private let council = JourneyGenerator.organisation("10B")

extension Scene {
  /// A request of a need, to a service.
  @discardableResult
  mutating func ask(
    _ handoff: HandoffID, at minute: Int64, to service: OrganisationID = Scene.hospital,
    need: UInt128? = 5, _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> [Verdict] {
    say(.handoffRequested, at: minute, id: handoff.rawValue * 1000, handoff: handoff) { event in
      event.to = Party(organisation: service)
      event.needKey = need.map { Token(rawValue: $0) }
      event.priority = .routine
      change(&event)
    }
  }

  /// An answer of the service that a handoff is for.
  @discardableResult
  mutating func answer(
    _ type: EventType, _ handoff: HandoffID, at minute: Int64,
    by service: OrganisationID = Scene.hospital, _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> [Verdict] {
    say(type, at: minute, id: handoff.rawValue * 1000 + UInt128(minute) + 1, handoff: handoff) {
      $0.spokenBy = service
      change(&$0)
    }
  }

  mutating func stay(
    _ type: EventType, at minute: Int64, pathway: UInt8? = 1, _ id: UInt128? = nil
  ) -> [Verdict] {
    say(type, at: minute, id: id, handoff: nil) { event in
      event.spokenBy = Scene.gp
      event.dischargePathway = pathway
    }
  }

  /// Whether a rule stands open.
  func stands(_ rule: Rule) -> Bool { open.contains(rule) }
}

@Suite struct SameNeedTests {
  @Test func `one need at one service twice is A04 until one of them ends`() throws {
    var scene = Scene()
    scene.ask(one, at: 0)
    let said = scene.ask(two, at: 60)
    #expect(said.short == ["A04 opened"])
    #expect(said.first?.handoffID == two && said.first?.opened == Scene.minutes(60))
    #expect(said.first?.evidence.count == 2)
    scene.say(.cancelled, at: 70, handoff: two)
    #expect(!scene.stands(.a04))
  }

  @Test func `another need, no need, a part of the other and an end are none`() {
    for change: (inout HandoffEvent) -> Void in [
      { $0.needKey = Token(rawValue: 6) }, { $0.needKey = nil }, { $0.parentHandoffID = one },
    ] {
      var scene = Scene()
      scene.ask(one, at: 0)
      #expect(scene.ask(two, at: 60, change).isEmpty)
    }
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.say(.cancelled, at: 5, handoff: one)
    #expect(scene.ask(two, at: 60).isEmpty)
  }

  @Test(arguments: [(false, 14 * 24 * 60), (true, 48 * 60)] as [(Bool, Int64)])
  func `after W_need it is another need`(isUrgent: Bool, window: Int64) {
    for (late, expected) in [(window, true), (window + 1, false)] {
      var scene = Scene()
      scene.ask(one, at: 0)
      scene.answer(.accepted, one, at: 1)
      scene.ask(two, at: late) { $0.priority = isUrgent ? .urgent : .routine }
      #expect(scene.stands(.a04) == expected)
    }
  }

  @Test func `one need at two services is A06`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    #expect(scene.ask(two, at: 60, to: council).short == ["A06 opened"])
    scene.answer(.rejected, two, at: 90, by: council)
    #expect(!scene.stands(.a06))
  }

  @Test func `offers of one request to several are A06 two hours after one was accepted`() {
    var scene = Scene()
    scene.ask(one, at: 0) { $0.parentHandoffID = three }
    #expect(scene.ask(two, at: 1, to: council) { $0.parentHandoffID = three }.isEmpty)
    scene.answer(.accepted, one, at: 30)
    #expect(scene.tick(at: 149).filter { $0.rule == .a06 }.isEmpty)
    #expect(scene.tick(at: 150).filter { $0.rule == .a06 }.short == ["A06 opened"])
    scene.say(.cancelled, at: 160, handoff: two)
    #expect(!scene.stands(.a06))
  }

  @Test func `one need accepted by two services is A05 two hours later`() throws {
    var scene = Scene()
    scene.ask(one, at: 0) { $0.parentHandoffID = three }
    scene.ask(two, at: 1, to: council) { $0.parentHandoffID = three }
    scene.answer(.accepted, one, at: 30)
    scene.answer(.accepted, two, at: 40, by: council)
    #expect(!scene.stands(.a05))
    let said = scene.tick(at: 160).filter { $0.rule == .a05 }
    #expect(said.short == ["A05 opened"])
    #expect(said.first?.opened == Scene.minutes(160))
    scene.answer(.rejected, two, at: 170, by: council)
    #expect(!scene.stands(.a05))
  }

  @Test func `of three that accept one need the first two say since when`() {
    var scene = Scene()
    scene.ask(one, at: 0) { $0.parentHandoffID = HandoffID(rawValue: 9) }
    scene.ask(two, at: 1, to: council) { $0.parentHandoffID = HandoffID(rawValue: 9) }
    scene.ask(three, at: 2, to: Scene.stranger) { $0.parentHandoffID = HandoffID(rawValue: 9) }
    scene.answer(.accepted, two, at: 30, by: council)
    scene.answer(.accepted, three, at: 40, by: Scene.stranger)
    scene.answer(.accepted, one, at: 100)
    scene.tick(at: 400)
    let said = scene.verdicts.filter { $0.rule == .a05 && $0.handoffID == three }
    #expect(said.short == ["A05 opened"])
    #expect(said.first?.opened == Scene.minutes(160))
  }

  @Test func `a second acceptance by a service that shares the care is none`() {
    var scene = Scene()
    scene.ask(one, at: 0) { $0.cc = [Party(organisation: council)] }
    scene.answer(.accepted, one, at: 10)
    scene.answer(.accepted, one, at: 11, by: council)
    scene.answer(.started, one, at: 12, by: council)
    scene.tick(at: 400)
    #expect(!scene.stands(.a05) && !scene.stands(.a17))
    // Nothing comes of it, and it is counted.
    #expect(scene.reducer.person(for: Scene.key)?.handoffs.map(\.current.lateCount) == [2])
  }
}

@Suite struct DischargeTests {
  @Test(arguments: [(1, 120), (2, 240), (3, 240)] as [(UInt8, Int64)])
  func `discharged with support and nobody there is A20 at discharge and T`(
    pathway: UInt8, grace: Int64
  ) {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.accepted, one, at: 10)
    _ = scene.stay(.discharged, at: 100, pathway: pathway)
    #expect(scene.tick(at: 99 + grace).isEmpty)
    let said = scene.tick(at: 100 + grace)
    #expect(said.filter { $0.rule == .a20 }.short == ["A20 opened"])
    #expect(said.first { $0.rule == .a20 }?.severity == .critical)
    scene.answer(.started, one, at: 500)
    #expect(!scene.stands(.a20))
    #expect(scene.verdicts.last { $0.rule == .a20 }?.lateness == .minutes(400 - grace))
  }

  @Test
  func `a start or an appointment by then, no pathway, pathway 0, and a cancelled one are none`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.booked, one, at: 10) { $0.bookedFor = Scene.minutes(200) }
    _ = scene.stay(.discharged, at: 100)
    scene.tick(at: 400)
    #expect(!scene.stands(.a20))
    for pathway: UInt8? in [nil, 0] {
      scene = Scene()
      _ = scene.stay(.discharged, at: 100, pathway: pathway)
      scene.tick(at: 1000)
      #expect(!scene.stands(.a20))
    }
    scene = Scene()
    _ = scene.stay(.discharged, at: 100)
    scene.tick(at: 400)
    #expect(scene.stands(.a20))
    _ = scene.stay(.dischargeCancelled, at: 410)
    #expect(!scene.stands(.a20))
    scene = Scene()
    _ = scene.stay(.discharged, at: 100)
    _ = scene.stay(.patientDied, at: 110)
    scene.tick(at: 1000)
    #expect(!scene.stands(.a20))
  }

  @Test func `ready and nothing requested is A21, and nobody accepting is another limb`() {
    var scene = Scene()
    _ = scene.stay(.readyForDischarge, at: 0)
    #expect(scene.tick(at: 119).isEmpty)
    #expect(scene.tick(at: 120).compactMap(\.cause?.description) == ["request"])
    scene.ask(one, at: 200)
    #expect(!scene.stands(.a21))
    let said = scene.tick(at: 24 * 60).filter { $0.rule == .a21 }
    #expect(said.compactMap(\.cause?.description) == ["acceptance"])
    scene.answer(.accepted, one, at: 1500)
    #expect(!scene.stands(.a21))
  }

  @Test func `a discharge heard of before the readiness that it ended is not forgotten first`() {
    var scene = Scene()
    scene.say(.discharged, at: 5, id: 502, handoff: nil, arriving: 6) {
      ($0.spokenBy, $0.dischargePathway) = (Scene.gp, 0)
    }
    scene.say(.readyForDischarge, at: 0, id: 501, handoff: nil, arriving: 20) {
      ($0.spokenBy, $0.dischargePathway) = (Scene.gp, 1)
    }
    scene.tick(at: 30 * 24 * 60 + 10)
    scene.tick(at: 60 * 24 * 60)
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `criteria met again restart the clock, and a discharge ends it`() {
    var scene = Scene()
    _ = scene.stay(.readyForDischarge, at: 0, pathway: 1, 501)
    _ = scene.stay(.dischargeReadinessWithdrawn, at: 100, pathway: nil, 502)
    scene.tick(at: 300)
    #expect(!scene.stands(.a21))
    _ = scene.stay(.readyForDischarge, at: 400, pathway: 1, 503)
    #expect(scene.tick(at: 519).filter { $0.rule == .a21 }.isEmpty)
    #expect(scene.tick(at: 520).filter { $0.rule == .a21 }.count == 1)
    _ = scene.stay(.discharged, at: 600, pathway: 0, 504)
    #expect(!scene.stands(.a21))
  }
}

@Suite struct DeathTests {
  private func died(_ scene: inout Scene, on minute: Int64, told: Int64, id: UInt128 = 900) {
    scene.say(.patientDied, at: minute, id: id, handoff: nil, arriving: told)
  }

  @Test func `what people do after the day of death is A23, and clocks of care stop`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.accepted, one, at: 10)
    died(&scene, on: 60, told: 70)
    // Until midnight it may be of the last day.
    scene.answer(.booked, one, at: 120) { $0.bookedFor = Scene.minutes(600) }
    #expect(!scene.stands(.a23))
    scene.answer(.started, one, at: 24 * 60)
    #expect(scene.stands(.a23))
    scene.tick(at: 200_000)
    #expect(!scene.verdicts.contains { [.a08, .a09, .a10].contains($0.rule) })
    scene.say(.voided, at: 200_010, handoff: one)
    #expect(!scene.stands(.a23))
  }

  @Test func `an appointment that stands when the death is reported is A23`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.booked, one, at: 10) { $0.bookedFor = Scene.minutes(5000) }
    #expect(!scene.stands(.a23))
    died(&scene, on: 60, told: 100)
    let said = scene.verdicts.last { $0.rule == .a23 }
    #expect(said?.opened == Scene.minutes(100))
    scene.say(.cancelled, at: 200, handoff: one)
    #expect(!scene.stands(.a23))
  }

  @Test func `clocks that a death has stopped never run again`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.started, one, at: 10)
    died(&scene, on: 60, told: 70)
    scene.tick(at: 500 * 24 * 60)
    #expect(!scene.verdicts.contains { [.a08, .a09, .a10].contains($0.rule) })
  }

  @Test func `a corrected date, machines, ends and kinds that begin with a death are none`() {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.accepted, one, at: 3000)
    died(&scene, on: 60, told: 3100)
    #expect(scene.stands(.a23))
    died(&scene, on: 6000, told: 6010, id: 901)
    #expect(!scene.stands(.a23))

    scene = Scene()
    scene.ask(one, at: 0)
    died(&scene, on: 60, told: 70)
    scene.say(.delivered, at: 3000, handoff: one)
    scene.say(.cancelled, at: 3001, handoff: one)
    #expect(!scene.verdicts.contains { $0.rule == .a23 })

    scene = Scene()
    died(&scene, on: 60, told: 70)
    scene.ask(two, at: 3000) { $0.kind = HandoffKind("coroner-referral") }
    #expect(!scene.stands(.a23))
  }
}

@Suite struct RefusalTests {
  private func refused(_ code: String, _ type: EventType = .recipientRefusedPatient) -> Scene {
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(type, one, at: 10) { event in
      event.reason = JourneyGenerator.code(code)
      if type == .transportFailed { (event.speaker, event.spokenBy) = (.platform, nil) }
    }
    return scene
  }

  @Test(arguments: ["itk3:30002", "30003", "itk3:20002", "mesh:EPL-151"])
  func `a refusal of the person is A22 a working day later, beside A11`(code: String) {
    for type: EventType in [.recipientRefusedPatient, .transportFailed] {
      var scene = refused(code, type)
      #expect(scene.tick(at: 10 + 24 * 60 - 1).filter { $0.rule == .a22 }.isEmpty)
      scene.tick(at: 10 + 24 * 60)
      #expect(scene.stands(.a22) && scene.stands(.a11))
      scene.ask(two, at: 2000)
      #expect(!scene.stands(.a22) && !scene.stands(.a11))
    }
  }

  @Test(arguments: ["itk3:20007", "itk3:20013", "503"])
  func `a duplicate, a success and a plain fault are none`(code: String) {
    var scene = refused(code, .transportFailed)
    scene.tick(at: 4000)
    #expect(!scene.stands(.a22) && scene.stands(.a11))
  }

  @Test func `deceased speaks at once, and of nothing to reroute`() {
    var scene = refused("itk3:30004")
    #expect(scene.stands(.a22))
    scene.tick(at: 4000)
    #expect(!scene.stands(.a11))
    #expect(scene.verdicts.filter { $0.rule == .a22 }.count == 1)
  }
}

@Suite struct ResendTests {
  private func again(_ scene: inout Scene, _ type: EventType, at minute: Int64, id: UInt128) {
    scene.say(type, at: 0, id: id, arriving: minute) { event in
      event.messageKey = Token(rawValue: id)
      event.contentMac = Token(rawValue: 4711)
    }
  }

  @Test func `the same request under another id is a plain repeat within a day`() {
    var scene = Scene()
    again(&scene, .handoffRequested, at: 0, id: 1)
    again(&scene, .handoffRequested, at: 30, id: 2)
    #expect(scene.verdicts.short == ["A01 opened"])
    #expect(scene.reducer.state.books.repeatedCount == 1)
    #expect(scene.reducer.state.books.total.requested == 1)
  }

  @Test func `after a day, or after the handoff moved on, it is A02, and no amendment`() {
    var scene = Scene()
    again(&scene, .handoffRequested, at: 0, id: 1)
    scene.say(.accepted, at: 5)
    again(&scene, .handoffRequested, at: 100, id: 2)
    #expect(scene.stands(.a02) && !scene.stands(.a24))
    scene.tick(at: 161)
    #expect(!scene.stands(.a02))

    scene = Scene()
    again(&scene, .handoffRequested, at: 0, id: 1)
    again(&scene, .handoffRequested, at: 24 * 60 + 1, id: 2)
    #expect(scene.stands(.a02))
  }

  @Test func `other content under another id is another message`() {
    var scene = Scene()
    again(&scene, .handoffRequested, at: 0, id: 1)
    scene.say(.handoffAmended, at: 1, id: 2)
    #expect(!scene.verdicts.contains { [.a01, .a02, .a03].contains($0.rule) })
  }
}

@Suite struct OrphanTests {
  /// Found by a simulated year, seed 5: each answer that was forgotten began another alert.
  @Test func `answers that are forgotten one after the other are one A13 still`() {
    var scene = Scene()
    let day: Int64 = 24 * 60
    scene.say(.received, at: 0)
    #expect(scene.tick(at: day + 15).short == ["A13 opened"])
    #expect(scene.say(.accepted, at: 3 * day).isEmpty)
    #expect(scene.tick(at: 30 * day).isEmpty)
    #expect(scene.tick(at: 33 * day - 1).isEmpty)
    #expect(scene.tick(at: 33 * day).short == ["A13 resolved"])
  }

  @Test func `answers to what nobody requested are one A13, a day and the window later`() {
    var scene = Scene()
    scene.say(.received, at: 0)
    scene.say(.accepted, at: 5)
    #expect(scene.tick(at: 24 * 60 + 14).isEmpty)
    #expect(scene.tick(at: 24 * 60 + 15).short == ["A13 opened"])
    scene.say(.handoffRequested, at: -5, arriving: 2000)
    #expect(!scene.stands(.a13))
    #expect(scene.state == .accepted)
  }

  @Test func `answers to one unknown request lapse together, and are one alert to the end`() {
    var scene = Scene()
    let day: Int64 = 24 * 60
    scene.say(.received, at: 0)
    scene.say(.accepted, at: 5 * day)
    scene.tick(at: 32 * day)
    #expect(scene.open == [.a13])
    #expect(scene.facts?.pending.count == 2 && scene.reducer.state.books.lapsedCount == 0)
    scene.tick(at: 60 * day)
    #expect(scene.verdicts.filter { $0.rule == .a13 }.short == ["A13 opened", "A13 resolved"])
  }

  @Test func `an answer that was said before the first is of the same A13, however late it comes`()
  {
    var scene = Scene()
    scene.say(.accepted, at: 5)
    #expect(scene.tick(at: 2 * 24 * 60).short == ["A13 opened"])
    #expect(scene.say(.received, at: 2, arriving: 3 * 24 * 60).isEmpty)
    #expect(scene.facts?.pending.map(\.type) == [.received, .accepted])
  }

  @Test func `a request in time heals it in silence`() {
    var scene = Scene()
    scene.say(.received, at: 0)
    scene.say(.handoffRequested, at: -5, arriving: 1000)
    scene.tick(at: 2000)
    #expect(!scene.verdicts.contains { $0.rule == .a13 || $0.rule == .a14 })
  }
}
