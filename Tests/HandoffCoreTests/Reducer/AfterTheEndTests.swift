import HandoffCore
import Testing

@Suite struct NextStepTests {
  private let need = Token(rawValue: 42)
  private let other = HandoffID(rawValue: 8)

  /// Rejected ten minutes past nine; the kind is urgent, so the next step has two hours.
  private func rejected() -> Scene {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.needKey = need }
    scene.say(.rejected, at: 10)
    return scene
  }

  @Test func `a refusal without a next step is A11 after two hours where it is urgent`() {
    var scene = rejected()
    #expect(scene.tick(at: 129).isEmpty)
    #expect(scene.tick(at: 130).short == ["A11 opened"])
  }

  @Test func `a routine refusal has until the same time of the next working day`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.priority = .routine }
    scene.say(.rejected, at: 10)
    #expect(scene.deadlines.map(\.due.minute) == [24 * 60 + 10])
  }

  @Test(arguments: [true, false])
  func `a new request of the same need, or one that names it, is the next step`(byNeed: Bool) {
    var scene = rejected()
    scene.tick(at: 130)
    let said = scene.say(.handoffRequested, at: 150, id: 50, handoff: other) {
      $0.needKey = byNeed ? need : nil
      $0.parentHandoffID = byNeed ? nil : Scene.handoff
      $0.to = Party(organisation: Scene.stranger)
    }
    #expect(said.short == ["A11 resolved"])
  }

  @Test func `a request of another need is none`() {
    var scene = rejected()
    scene.say(.handoffRequested, at: 20, id: 50, handoff: other) { $0.needKey = Token(rawValue: 1) }
    scene.say(.received, at: 21, id: 51, handoff: other)
    #expect(scene.tick(at: 130).short == ["A11 opened"])
  }

  @Test func `the sender's disposition ends it`() {
    var scene = rejected()
    scene.say(.disposition, at: 100) { $0.reason = Code("closed-no-need") }
    #expect(scene.tick(at: 500).isEmpty)
  }

  @Test func `a living offer of the same need is the next step, and the last refusal opens`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.needKey = need }
    scene.say(.handoffRequested, at: 0, id: 50, handoff: other) { $0.needKey = need }
    scene.say(.rejected, at: 10)
    #expect(scene.deadlines.isEmpty)
    scene.say(.rejected, at: 20, id: 51, handoff: other)
    #expect(scene.tick(at: 200).map(\.handoffID) == [other])
  }

  @Test
  func `a request in the very minute of the refusal is its next step, whatever becomes of it`() {
    var scene = rejected()
    scene.say(.handoffRequested, at: 10, id: 50, handoff: other) { $0.needKey = need }
    scene.say(.cancelled, at: 20, id: 51, handoff: other)
    #expect(scene.tick(at: 500).isEmpty)
  }

  @Test func `a refusal in the very minute of its request is no next step of itself`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0, id: 50, handoff: other)
    scene.say(.accepted, at: 0, id: 51, handoff: other)
    scene.say(.handoffRequested, at: 0) { $0.needKey = need }
    scene.say(.rejected, at: 0)
    #expect(scene.tick(at: 120).short == ["A11 opened"])
  }

  @Test func `a line of handoffs is remembered for as long as any of it goes on`() {
    var scene = Scene()
    let handoffs = (1...3).map { HandoffID(rawValue: $0) }
    for (number, handoff) in handoffs.enumerated() {
      let minute = Int64(10 * number)
      scene.say(.handoffRequested, at: minute, id: handoff.rawValue * 10, handoff: handoff) {
        $0.parentHandoffID = number > 0 ? handoffs[number - 1] : nil
        $0.kind = HandoffKind("gp-suspected-cancer")
      }
      guard number < 2 else { continue }
      scene.say(.rejected, at: minute + 5, id: handoff.rawValue * 10 + 1, handoff: handoff)
    }
    scene.tick(at: 100 * 24 * 60)
    #expect(scene.reducer.person(for: Scene.key)?.handoffs.map(\.id) == handoffs)
  }

  @Test func `a redirection waits for the handoff that it names`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.redirected, at: 10) { $0.newHandoffID = other }
    #expect(scene.tick(at: 130).short == ["A11 opened"])
    let said = scene.say(.handoffRequested, at: 140, id: 50, handoff: other) {
      $0.to = Party(organisation: Scene.stranger)
    }
    #expect(said.short == ["A11 resolved"])
  }

  @Test func `a receiver that withdraws after acceptance is A11 at once`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 5)
    #expect(scene.say(.rejected, at: 10).short == ["A11 opened"])
    #expect(scene.state == .rejected)
    #expect(scene.verdicts.last?.cause == Code("withdrawn"))
  }

  @Test func `a refusal because the person has died reroutes nothing`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    let said = scene.say(.recipientRefusedPatient, at: 10) { $0.reason = Code("itk3:30004") }
    #expect(said.short == ["A22 opened"])
  }

  @Test func `an expired request is A11, until the receiver is heard after all`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.expired, at: 10)
    #expect(scene.tick(at: 130).short == ["A11 opened"])
    #expect(scene.say(.received, at: 140).short == ["A11 resolved"])
    #expect(scene.state == .received)
  }

  @Test func `what the receiver itself failed is not undone by what it said before`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.couldNotComplete, at: 10)
    scene.say(.booked, at: 5, arriving: 60)
    #expect(scene.state == .failed)
    scene.say(.started, at: 61)
    #expect(scene.state == .started)
    #expect(scene.facts?.witness(of: .ended) == nil && scene.facts?.endReason == nil)
  }
}

@Suite struct FlaggedCellTests {
  private func accepted() -> Scene {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 5)
    return scene
  }

  @Test func `an acceptance after a cancellation is A12`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.cancelled, at: 5)
    #expect(scene.say(.accepted, at: 10).short == ["A12 opened"])
    #expect(scene.state == .cancelled)
    #expect(scene.say(.voided, at: 11).short == ["A12 resolved"])
  }

  @Test func `two noes are compatible`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.cancelled, at: 5)
    #expect(scene.say(.rejected, at: 6).isEmpty)
  }

  @Test func `a lone acceptance by a stranger is A05 at once, a second after two hours`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.say(.accepted, at: 5) { $0.spokenBy = Scene.stranger }.short == ["A05 opened"])
    #expect(scene.state == .requested)

    var second = accepted()
    second.say(.started, at: 10) { $0.spokenBy = Scene.stranger }
    #expect(second.state == .accepted)
    #expect(second.tick(at: 129).isEmpty)
    #expect(second.tick(at: 130).short == ["A05 opened"])
  }

  @Test(arguments: [EventType.accepted, .started], [false, true])
  func `the second of two that may accept is A05 two hours later, unless it is taken back`(
    second: EventType, isAmended: Bool
  ) {
    var scene = Scene()
    // To nobody by name, or to another once the first had accepted.
    scene.say(.handoffRequested, at: 0) { if !isAmended { $0.to = nil } }
    scene.say(.accepted, at: 1)
    if isAmended {
      scene.say(.handoffAmended, at: 2) { $0.to = Party(organisation: Scene.stranger) }
    }
    scene.say(second, at: 5, id: 9) { $0.spokenBy = Scene.stranger }
    scene.tick(at: 124)
    #expect(!scene.open.contains(.a05))
    scene.tick(at: 125)
    let said = scene.verdicts.filter { $0.rule == .a05 }
    #expect(said.short == ["A05 opened"] && said.first?.opened.minute == 125)
    scene.say(second == .accepted ? .cancelled : .redirected, at: 130) { $0.newHandoffID = nil }
    #expect(!scene.open.contains(.a05))
  }

  @Test(arguments: [EventType.infoRequested, .started, .completed])
  func `who has it may ask, start or be done: another that accepts is the second`(word: EventType) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.to = nil }
    scene.say(.accepted, at: 1)
    scene.say(word, at: 2)
    for (id, type) in [(9, EventType.accepted), (10, .started)] as [(UInt128, EventType)] {
      scene.say(type, at: 3, id: id) { $0.spokenBy = Scene.stranger }
    }
    scene.tick(at: 200)
    #expect(scene.verdicts.filter { $0.rule == .a05 }.short == ["A05 opened"])
  }

  @Test(arguments: [EventType.accepted, .started])
  func `who takes up what another could not complete, once it is asked anew, is the only one`(
    word: EventType
  ) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.to = nil }
    scene.say(.accepted, at: 1)
    scene.say(.couldNotComplete, at: 2)
    scene.say(.handoffRequested, at: 0, arriving: 3) { $0.to = nil }
    #expect(scene.state == .requested)
    scene.say(word, at: 4, id: 9) { $0.spokenBy = Scene.stranger }
    scene.tick(at: 200)
    #expect(!scene.verdicts.map(\.rule).contains(.a05))
  }

  /// Seed 4838 of the campaign: the content code does not cover who speaks (domain.md §2.1).
  @Test func `a stranger that accepts in the party's minute is A05, however late its word comes`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    let content = Token(rawValue: 99)
    scene.say(.accepted, at: 5, id: 1) { $0.contentMac = content }
    scene.say(.interim, at: 40)
    scene.say(.accepted, at: 5, id: 2, arriving: 70) {
      $0.contentMac = content
      $0.spokenBy = Scene.stranger
    }
    scene.tick(at: 70 + 121)
    #expect(scene.verdicts.short == ["A05 opened"])
  }

  @Test func `a word of a stranger, or in the other's role, is A17 and changes nothing`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.say(.rejected, at: 5) { $0.spokenBy = Scene.stranger }.short == ["A17 opened"])
    #expect(scene.verdicts.last?.cause == Code("no-party"))
    #expect(scene.say(.received, at: 6) { $0.spokenBy = Scene.gp }.short == ["A17 opened"])
    #expect(scene.verdicts.last?.cause == Code("wrong-role"))
    #expect(scene.state == .requested)
    // Nor is it the receiver's answer.
    #expect(scene.tick(at: 60).short == ["A07 opened"])
  }

  @Test func `out of turn about what nobody requested, a month later, is another A17`() {
    for day in [29, 30] as [Int64] {
      // A living handoff of the same journey holds back what would be forgotten.
      var scene = Scene()
      let other = HandoffID(rawValue: 8)
      scene.say(.handoffRequested, at: 0) { $0.parentHandoffID = other }
      let minute = day * 24 * 60
      func say(_ type: EventType, at minute: Int64) {
        scene.say(type, at: minute, handoff: other) {
          $0.speaker = .sender
          $0.spokenBy = Scene.gp
        }
      }
      say(.accepted, at: 1)
      scene.tick(at: minute)
      say(.started, at: minute + 1)
      let said = scene.verdicts.filter { $0.rule == .a17 && $0.action == .opened }
      #expect(said.count == (day < 30 ? 1 : 2))
      #expect(Set(said.map(\.alertID)).count == said.count)
    }
  }

  @Test func `a stranger's word is A17 at once, also where a party's would be illegal`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 1)
    #expect(scene.say(.completed, at: 5) { $0.spokenBy = Scene.stranger }.short == ["A17 opened"])
    scene.tick(at: 100)
    #expect(!scene.verdicts.contains { $0.rule == .a14 })
  }

  @Test func `an unknown outcome of the transport says nothing after a receipt either`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 1)
    scene.say(.transportFailed, at: 5) { $0.reason = Code("408") }
    #expect(scene.tick(at: 100).isEmpty)
  }

  @Test func `an amendment after acceptance must be seen within the time of a receipt`() {
    var scene = accepted()
    scene.say(.handoffAmended, at: 10)
    #expect(scene.tick(at: 70).short == ["A24 opened"])
    #expect(scene.say(.received, at: 75).short == ["A24 resolved"])
    #expect(scene.state == .accepted)
  }

  @Test func `an amendment after the start is A24 at once`() {
    var scene = accepted()
    scene.say(.started, at: 6)
    #expect(scene.say(.handoffAmended, at: 10).short == ["A24 opened"])
    #expect(scene.say(.interim, at: 15).short == ["A24 resolved"])
  }
}

@Suite struct OrderTests {
  @Test func `an answer that overtakes its request is put in order without a word`() {
    var scene = Scene()
    scene.say(.accepted, at: 5)
    scene.say(.received, at: 4, arriving: 6)
    scene.say(.handoffRequested, at: 0, arriving: 7)
    #expect(scene.state == .accepted)
    #expect(scene.tick(at: 100).isEmpty)
  }

  @Test func `what is illegal is A14 after a quarter of an hour, until a gap-filler comes`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 1)
    scene.say(.completed, at: 10)
    #expect(scene.state == .received)
    #expect(scene.tick(at: 24).isEmpty)
    #expect(scene.tick(at: 25).short == ["A14 opened"])
    #expect(scene.say(.started, at: 5, arriving: 40).short == ["A14 resolved"])
    #expect(scene.state == .completed)
  }

  @Test func `what waits is gone through again from its first after each that became legal`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.received, at: 1)
    scene.say(.feedbackAcknowledged, at: 5)
    scene.say(.completed, at: 10)
    scene.say(.accepted, at: 12)
    #expect(scene.state == .closed && scene.facts?.pending.isEmpty == true)
  }

  @Test func `a late event inside the window takes back what it refutes`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.cancelled, at: 3)
    // Heard after the cancellation and said before it: no activity after an end.
    #expect(scene.say(.accepted, at: 4, arriving: 5) { $0.occurredAt = Scene.minutes(2) }.isEmpty)
    #expect(scene.state == .cancelled)
  }

  @Test func `of what is over and in order only what others rest on is kept`() throws {
    var scene = Scene()
    let types: [EventType] = [
      .handoffRequested, .transportAccepted, .received, .infoRequested, .handoffAmended, .accepted,
      .booked, .started, .completed, .feedbackSent, .feedbackAcknowledged,
    ]
    for (minute, type) in types.enumerated() { scene.say(type, at: Int64(minute)) }
    #expect(try #require(scene.facts).marks.map(\.step).contains(.booked))
    scene.tick(at: 60)
    let handoff = try #require(scene.reducer.person(for: Scene.key)?.handoffs.first)
    #expect(handoff.window.isEmpty && handoff.settled == nil && handoff.current.state == .closed)
    let kept: Set<Mark.Step> = [
      .requested, .acknowledged, .accepted, .started, .completed, .ended, .feedbackAcknowledged,
    ]
    #expect(Set(handoff.current.marks.map(\.step)) == kept)
  }

  @Test func `beyond the window an event counts where it arrives`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.cancelled, at: 3)
    #expect(scene.say(.accepted, at: 2, arriving: 19).short == ["A12 opened"])
  }

  @Test func `a record stamped before partition time is applied at partition time`() {
    var scene = Scene()
    scene.tick(at: 30)
    scene.say(.handoffRequested, at: 0)
    #expect(scene.reducer.state.time.minute == 30)
    #expect(scene.deadlines.map(\.due.minute) == [90])
  }
}
