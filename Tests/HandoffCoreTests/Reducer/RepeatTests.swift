import HandoffCore
import Testing

@Suite struct RepeatTests {
  @Test func `a message sent twice is flagged once, as the sender's duplicate`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    #expect(scene.say(.handoffRequested, at: 5).short == ["A01 opened"])
    let verdict = try #require(scene.verdicts.last)
    #expect(verdict.severity == .info)
    #expect(verdict.opened.minute == 5)
    #expect(verdict.evidence.count == 2)
    #expect(scene.state == .requested)
  }

  /// Found by simulation, seed 23: the content code covers no speaker.
  @Test func `two services that accept in one minute are no repeat of each other`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    for (id, service): (UInt128, OrganisationID) in [(1, Scene.hospital), (2, Scene.stranger)] {
      scene.say(.accepted, at: 10, id: id) {
        $0.contentMac = Token(rawValue: 77)
        $0.spokenBy = service
      }
    }
    #expect(scene.verdicts.isEmpty)
    #expect(scene.tick(at: 10 + 120).short == ["A05 opened"])
  }

  @Test func `the bus's own redelivery is nothing`() throws {
    var scene = Scene()
    let event = Scene.event(.handoffRequested)
    scene.apply(.event(event), at: 0)
    let before = scene.reducer.person(for: Scene.key)
    #expect(scene.apply(.event(event), at: 5).isEmpty)
    #expect(scene.reducer.person(for: Scene.key) == before)
    #expect(scene.reducer.state.books.redeliveredCount == 1)
  }

  @Test func `the redelivery of a repeat is nothing either, however late`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    var again = Scene.event(.handoffRequested)
    for reception: UInt128 in [1, 2, 1, 2, 1] {
      again.receptionID = ReceptionID(rawValue: reception)
      scene.apply(.event(again), at: 5)
    }
    #expect(scene.verdicts.short == ["A01 opened", "A01 changed"])
  }

  @Test func `further repeats count up, and an hour of silence ends the episode`() throws {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.priority = .routine }
    scene.say(.handoffRequested, at: 5)
    scene.say(.handoffRequested, at: 20)
    #expect(scene.verdicts.last?.count == 2)
    #expect(scene.tick(at: 79).isEmpty)
    #expect(scene.tick(at: 80).short == ["A01 resolved"])
    scene.say(.handoffRequested, at: 100)
    let verdict = try #require(scene.verdicts.last)
    #expect(verdict.action == .opened && verdict.revision == 4 && verdict.count == 1)
    #expect(Set(scene.verdicts.map(\.alertID)).count == 1)
  }

  @Test func `the same request is no amendment, also when its message is forgotten`() {
    var scene = Scene()
    let month: Int64 = 31 * 24 * 60
    for (id, minute) in [(1, 0), (2, month)] as [(UInt128, Int64)] {
      scene.say(.handoffRequested, at: minute, id: id) { $0.contentMac = Token(rawValue: 4711) }
      scene.say(.received, at: minute + 1, id: id + 10)
    }
    #expect(scene.facts?.witness(of: .amended) == nil)
    #expect(scene.facts?.witness(of: .requested)?.arrivedAt == Scene.nine)
    #expect(scene.facts?.duplicateCount == 2)
  }

  @Test func `a request sent again is a repeat, whichever other handoff failed`() {
    var scene = Scene()
    let other = HandoffID(rawValue: 8)
    scene.say(.handoffRequested, at: 0, id: 50, handoff: other)
    scene.say(.transportFailed, at: 1, id: 51, handoff: other)
    scene.say(.handoffRequested, at: 2)
    #expect(scene.say(.handoffRequested, at: 2, arriving: 5).short == ["A01 opened"])
    #expect(scene.reducer.state.books.repeatedCount == 1)
  }

  @Test func `what is forgotten of one message takes its alert along, and no other's`() {
    var scene = Scene()
    let day: Int64 = 24 * 60
    for (number, minute) in [(1, 0), (2, 20 * day)] as [(UInt128, Int64)] {
      for reception in [minute, minute + 5] {
        scene.say(
          .handoffRequested, at: minute, id: number, handoff: HandoffID(rawValue: number),
          arriving: reception)
      }
    }
    scene.tick(at: 31 * day)
    let alerts = scene.reducer.person(for: Scene.key)?.alerts.filter { $0.rule == .a01 } ?? []
    #expect(alerts.map(\.subject) == [Token(rawValue: 2)])
  }

  @Test func `a repeat at the very end of an episode begins another`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0) { $0.priority = .routine }
    scene.say(.handoffRequested, at: 20)
    #expect(scene.say(.handoffRequested, at: 80).short == ["A01 resolved", "A01 opened"])
    #expect(scene.verdicts.last?.count == 1 && scene.verdicts.last?.opened.minute == 80)
  }

  @Test func `a message of two events that is sent twice is one repeat`() {
    var scene = Scene()
    for (reception, minute): (UInt128, Int64) in [(1, 0), (2, 5)] {
      for type in [EventType.handoffRequested, .delivered] {
        scene.say(type, at: 0, arriving: minute) {
          $0.messageKey = Token(rawValue: 1)
          $0.receptionID = ReceptionID(rawValue: reception)
        }
      }
    }
    #expect(scene.verdicts.short == ["A01 opened"])
  }

  @Test func `a message of two events that is sent three times is two repeats`() {
    var scene = Scene()
    for (reception, minute): (UInt128, Int64) in [(1, 0), (2, 5), (3, 10)] {
      for type in [EventType.handoffRequested, .delivered] {
        scene.say(type, at: 0, arriving: minute) {
          $0.messageKey = Token(rawValue: 1)
          $0.receptionID = ReceptionID(rawValue: reception)
        }
      }
    }
    #expect(scene.verdicts.short == ["A01 opened", "A01 changed"])
    #expect(scene.verdicts.map(\.count) == [1, 2])
  }

  @Test func `the same message and content under another event id is a repeat`() {
    var scene = Scene()
    for id: UInt128 in [1, 2] {
      scene.say(.handoffRequested, at: 0, id: id) {
        $0.messageKey = Token(rawValue: 1)
        $0.contentMac = Token(rawValue: 9)
      }
    }
    #expect(scene.verdicts.short == ["A01 opened"])
  }

  @Test func `a message id with other content is A03, whichever came first`() throws {
    func run(_ ids: [UInt128]) -> Scene {
      var scene = Scene()
      for (minute, id) in ids.enumerated() {
        scene.say(
          .handoffRequested, at: 0, id: id, handoff: HandoffID(rawValue: id),
          arriving: Int64(minute)
        ) { $0.messageKey = Token(rawValue: 1) }
      }
      return scene
    }
    #expect(run([1, 2]).verdicts.short == ["A03 opened"])
    #expect(run([1, 2]).verdicts[0].alertID == run([2, 1]).verdicts[0].alertID)
    #expect(run([1, 2]).verdicts[0].severity == .high)
    // Both requests are real: the second is not thrown away for its id.
    #expect(run([1, 2]).reducer.state.books.total.requested == 2)
  }

  @Test func `a reused id stays open for as long as it is remembered`() {
    var scene = Scene()
    for id: UInt128 in [1, 2] {
      scene.say(.handoffRequested, at: 0, id: id) { $0.messageKey = Token(rawValue: 1) }
    }
    scene.say(.cancelled, at: 1)
    scene.tick(at: 30 * 24 * 60 - 1)
    #expect(scene.open == [.a03])
    scene.tick(at: 30 * 24 * 60)
    #expect(scene.open.isEmpty)
  }

  @Test func `one message id on a request and on its cancellation is legal`() {
    var scene = Scene()
    for type in [EventType.handoffRequested, .cancelled] {
      scene.say(type, at: 0) { $0.messageKey = Token(rawValue: 1) }
    }
    #expect(scene.verdicts.isEmpty)
    #expect(scene.state == .cancelled)
  }

  @Test(arguments: [(16, "A01 opened"), (17, "A02 opened")] as [(Int64, String)])
  func `a re-send is an A02 once what came between is past the window to reorder`(
    minute: Int64, said: String
  ) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.handoffRequested, at: 0, id: 9, arriving: minute) {
      $0.contentMac = Scene.event(.handoffRequested).contentMac
    }
    #expect(scene.verdicts.short == [said])
  }

  @Test func `a message that says what it supersedes is no reuse`() {
    var scene = Scene()
    for id: UInt128 in [1, 2] {
      scene.say(.handoffAmended, at: 1, id: id) {
        $0.messageKey = Token(rawValue: 1)
        $0.supersedes = id == 2 ? Token(rawValue: 5) : nil
      }
    }
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `a request sent again after it failed is a retry, and its clocks keep their start`()
    throws
  {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    let due = try #require(scene.deadlines.first).due
    scene.say(.transportFailed, at: 10)
    #expect(scene.state == .failed)
    #expect(scene.say(.handoffRequested, at: 0, arriving: 20).isEmpty)
    #expect(scene.state == .requested)
    #expect(scene.deadlines.map(\.rule) == [.a07])
    #expect(scene.deadlines.first?.due == due)
    #expect(scene.say(.handoffRequested, at: 0, arriving: 21).short == ["A01 opened"])
  }
}
