import HandoffCore
import Testing

/// The clocks of one kind: `gp-hospital`, urgent.
///
/// T_ack 1 h, T_accept 3 wd, T_start 6 weeks, T_fb 7 d; from Monday 09:00.
@Suite struct SilenceTests {
  private let day: Int64 = 24 * 60

  @Test func `a request that nobody answers is flagged although only ticks arrive`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.reducer.nextDue?.minute == 60)
    #expect(scene.tick(at: 59).isEmpty)
    #expect(scene.tick(at: 61).short == ["A07 opened"])
    let verdict = try #require(scene.verdicts.last)
    #expect(verdict.opened.minute == 60)
    #expect(verdict.state == .requested && verdict.to == Scene.hospital)
  }

  @Test func `a late answer resolves, and says how late it was`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.tick(at: 90)
    #expect(scene.say(.received, at: 100).short == ["A07 resolved"])
    #expect(scene.verdicts.last?.lateness == .minutes(40))
    #expect(scene.verdicts.last?.evidence.count == 2)
  }

  @Test func `an answer at the very deadline opens and resolves with lateness nothing`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.say(.received, at: 60).short == ["A07 opened", "A07 resolved"])
    #expect(scene.verdicts.last?.lateness == .zero)
  }

  @Test func `an answer in time says nothing`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.say(.received, at: 59).isEmpty)
    #expect(scene.tick(at: 70).isEmpty)
  }

  @Test(arguments: ["408", "425"])
  func `an unknown outcome of the transport is no answer and no failure`(code: String) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.transportFailed, at: 1) { $0.reason = Code(code) }
    #expect(scene.state == .requested)
    #expect(scene.tick(at: 60).short == ["A07 opened"])
  }

  @Test func `accepted by the mailbox is no answer: it moves the clock once, to 24 hours`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.transportAccepted, at: 30, id: 1) { $0.rail = Code("mesh") ?? $0.rail }
    #expect(scene.state == .inTransit)
    #expect(scene.deadlines.map(\.due.minute) == [30 + day])
    scene.say(.transportAccepted, at: 60, id: 2)
    #expect(scene.deadlines.map(\.due.minute) == [30 + day])
    #expect(scene.tick(at: 30 + day).short == ["A07 opened"])
  }

  @Test func `accepted by the mailbox after the deadline moves nothing`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.say(.transportAccepted, at: 60).short == ["A07 opened"])
    #expect(scene.open == [.a07])
  }

  @Test func `a failed transport leaves A07 armed, and A11 follows in two hours`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.transportFailed, at: 10) { $0.reason = Code("mesh:12") }
    #expect(scene.deadlines.map(\.rule) == [.a07, .a17, .a11])
    #expect(scene.tick(at: 60).short == ["A07 opened"])
    #expect(scene.tick(at: 130).short == ["A11 opened"])
    #expect(
      scene.say(.accepted, at: 140).short == ["A17 resolved", "A07 resolved", "A11 resolved"])
    #expect(scene.state == .accepted)
  }

  @Test func `received and never accepted is A08 after three working days`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 5)
    #expect(scene.tick(at: 3 * day - 1).isEmpty)
    #expect(scene.tick(at: 3 * day).short == ["A08 opened"])
    #expect(scene.say(.accepted, at: 3 * day + 30).short == ["A08 resolved"])
    #expect(scene.verdicts.last?.lateness == .minutes(30))
  }

  @Test func `the clinical clock starts when it happened, the transport clock at the broker`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: -120, arriving: 0)
    #expect(scene.deadlines.map(\.due.minute) == [60])
    scene.say(.received, at: 1)
    #expect(scene.deadlines.map(\.due.minute) == [3 * day - 120])
  }

  @Test func `what was due before a question is due anew from its answer, and no sooner`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 5)
    scene.tick(at: 3 * day)
    scene.say(.infoRequested, at: 4 * day)
    #expect(scene.open.isEmpty)
    #expect(scene.say(.handoffAmended, at: 4 * day + 60).short == ["A08 opened"])
    #expect(scene.verdicts.last?.opened.minute == 4 * day + 60)
  }

  @Test func `a question pauses the clock of acceptance and has one of its own`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 5)
    scene.say(.infoRequested, at: day)
    #expect(scene.state == .onHold)
    #expect(scene.tick(at: 3 * day).short == ["A08 opened"])
    #expect(scene.verdicts.last?.cause == Code("hold"))
    // Answered after two and a half days: that much is added to the three.
    #expect(scene.say(.handoffAmended, at: 7 * day / 2).short == ["A08 resolved"])
    #expect(scene.state == .received)
    #expect(scene.deadlines.filter { $0.rule == .a08 }.map(\.due.minute) == [11 * day / 2])
  }

  @Test func `pauses stop counting after ten working days`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 5)
    scene.say(.infoRequested, at: 60)
    // Ten working days from Monday are two weeks; then the three days of T_accept run on.
    let accept = scene.deadlines.first { $0.rule == .a08 && $0.cause == nil }
    #expect(accept?.due.minute == 17 * day)
  }

  @Test func `accepted and never started is A09 after six weeks`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 5)
    #expect(scene.tick(at: 42 * day).short == ["A09 opened"])
    #expect(scene.say(.started, at: 42 * day + 1).short == ["A09 resolved"])
  }

  @Test func `a later booking moves the clock of the start to a day after it`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.booked, at: 5) { $0.bookedFor = Scene.minutes(50 * day) }
    #expect(scene.deadlines.map(\.due.minute) == [51 * day])
    // T_start itself is no later than T_start.
    for (number, booked, due) in [
      (2, 20 * day, 42 * day), (3, 42 * day, 42 * day), (4, 42 * day + 1, 43 * day + 1),
    ] as [(Int64, Int64, Int64)] {
      scene.say(.booked, at: 5 * number, id: UInt128(number)) {
        $0.bookedFor = Scene.minutes(booked)
      }
      #expect(scene.deadlines.map(\.due.minute) == [due])
    }
  }

  @Test func `who did not attend is waited for anew`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.booked, at: 5) { $0.bookedFor = Scene.minutes(10 * day) }
    scene.say(.notAttended, at: 10 * day)
    #expect(scene.state == .accepted)
    #expect(scene.deadlines.map(\.due.minute) == [52 * day])
  }

  @Test func `a discharge starts its clock when the person is ready`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("home-care") }
    scene.say(.accepted, at: 5)
    #expect(scene.deadlines.map(\.due.minute) == [2 * day])
    scene.say(.readyForDischarge, at: 10, handoff: nil) {
      $0.dischargeReadyAt = Scene.minutes(day)
    }
    #expect(scene.deadlines.map(\.due.minute) == [3 * day])
  }

  @Test func `a discharge that is asked for with its date starts its clock then`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) {
      $0.kind = HandoffKind("home-care")
      $0.dischargeReadyAt = Scene.minutes(day)
    }
    scene.say(.accepted, at: 5)
    #expect(scene.deadlines.map(\.due.minute) == [3 * day])
  }

  @Test func `started without an outcome is A10, completed without feedback is A10 too`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.started, at: 0)
    #expect(scene.tick(at: 18 * 7 * day).short == ["A10 opened"])
    #expect(scene.say(.completed, at: 18 * 7 * day + 1).short == ["A10 resolved"])
    let fed = 18 * 7 * day + 1 + 7 * day
    #expect(scene.tick(at: fed).short == ["A10 opened"])
    #expect(scene.verdicts.last?.cause == Code("feedback"))
    // The grace over, it is closed for people, and the missing feedback stands.
    scene.tick(at: fed + 7 * day)
    #expect(scene.state == .closed && scene.open == [.a10])
    #expect(scene.say(.feedbackAcknowledged, at: fed + 8 * day).short == ["A10 resolved"])
  }

  @Test func `suspected cancer is timed to its diagnosis, not to its start`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("gp-suspected-cancer") }
    scene.say(.accepted, at: 5)
    #expect(scene.deadlines.map(\.rule) == [.a10])
    #expect(scene.deadlines.map(\.due.minute) == [28 * day])
    scene.say(.started, at: 10)
    #expect(scene.tick(at: 28 * day).short == ["A10 opened"])
    #expect(scene.verdicts.last?.cause == Code("outcome"))
    #expect(scene.say(.completed, at: 29 * day).short == ["A10 resolved"])
  }

  @Test func `completed without feedback owed is closed at once`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.started, at: 1)
    scene.say(.completed, at: 2) { $0.isFeedbackOwed = false }
    #expect(scene.state == .closed && scene.deadlines.isEmpty)
  }

  @Test func `a summary that is received is at its end`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.kind = HandoffKind("discharge-summary") }
    scene.say(.delivered, at: 1)
    #expect(scene.deadlines.map(\.rule) == [.a08])
    scene.say(.received, at: 2)
    #expect(scene.state == .closed)
  }

  @Test(arguments: [EventType.cancelled, .voided, .expired])
  func `an end by the sender or by time resolves the silence`(type: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.tick(at: 60)
    #expect(scene.say(type, at: 61).short == ["A07 resolved"])
  }

  @Test func `history loaded later arms no clock of the transport`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.isBackfill = true }
    #expect(scene.deadlines.map(\.rule) == [.a08])
  }
}
