import HandoffCore
import TestSupport
import Testing

@Suite("A23: what a death changes")
struct AfterDeathTests {
  static let other = HandoffID(rawValue: 8)
  static let day: Int64 = 1_440

  /// A referral that the receiver refuses within the hour because the person has died (30004).
  static func refused() -> Scene {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.recipientRefusedPatient, at: 50) { $0.reason = Code("itk:30004") }
    return scene
  }

  @Test func `a receiver's 30004 is a refusal at once, and no next step is missed`() {
    var scene = Self.refused()
    scene.tick(at: 5 * Self.day)
    #expect(scene.verdicts.short == ["A22 opened"])
  }

  @Test func `a referral after the day of a 30004 is activity after death`() {
    var scene = Self.refused()
    scene.say(.handoffRequested, at: 70, id: 21, handoff: Self.other)
    #expect(!scene.open.contains(.a23))
    scene.say(.handoffRequested, at: Self.day, id: 22, handoff: HandoffID(rawValue: 9))
    #expect(scene.open.contains(.a23))
  }

  @Test func `a 30004 stops the clocks of care`() {
    var scene = Self.refused()
    scene.say(.handoffRequested, at: 70, id: 21, handoff: Self.other)
    scene.say(.received, at: 71, id: 22, handoff: Self.other)
    scene.tick(at: 20 * Self.day)
    #expect(!scene.verdicts.map(\.rule).contains(.a08))
  }

  @Test func `another reason of a refusal is no death`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.recipientRefusedPatient, at: 60) { $0.reason = Code("itk:30003") }
    scene.say(.handoffRequested, at: Self.day, id: 21, handoff: Self.other)
    #expect(!scene.open.contains(.a23))
  }

  @Test func `a register that takes a death back takes back what rests on it`() {
    var scene = Scene()
    scene.say(.patientDied, at: 0, handoff: nil)
    scene.say(.handoffRequested, at: Self.day, id: 21, handoff: Self.other)
    #expect(scene.open == [.a23])
    scene.say(.patientDied, at: Self.day + 1, id: 99, handoff: nil) {
      $0.reason = Code("retracted")
    }
    #expect(scene.verdicts.short == ["A23 opened", "A23 resolved"])
  }

  @Test func `a register's word outranks a 30004, and a later 30004 counts again`() {
    var scene = Self.refused()
    scene.say(.patientDied, at: 61, id: 99, handoff: nil) { $0.reason = Code("retracted") }
    scene.say(.handoffRequested, at: Self.day, id: 21, handoff: Self.other)
    #expect(!scene.open.contains(.a23))
    scene.say(.recipientRefusedPatient, at: Self.day + 1, id: 22, handoff: Self.other) {
      $0.reason = Code("itk:30004")
    }
    scene.say(.handoffRequested, at: 3 * Self.day, id: 23, handoff: HandoffID(rawValue: 9))
    #expect(scene.open.contains(.a23))
  }

  /// Found by the oracle, seed 209: what the receiver said later hid the amendment.
  @Test func `what was done after the death stands, whatever is done next`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    scene.say(.patientDied, at: 60, id: 90, handoff: nil)
    scene.say(.handoffAmended, at: Self.day + 100, id: 21)
    scene.say(.accepted, at: Self.day + 101, id: 22)
    scene.say(.booked, at: Self.day + 102, id: 23)
    scene.say(.booked, at: Self.day + 200, id: 24)
    scene.say(.notAttended, at: Self.day + 300, id: 25)
    #expect(scene.verdicts.filter { $0.rule == .a23 }.short == ["A23 opened"])
    #expect(scene.verdicts.first { $0.rule == .a23 }?.opened.minute == Self.day + 100)
    // A further word on the death makes no second alert either.
    scene.say(.patientDied, at: 30, id: 91, handoff: nil, arriving: Self.day + 400)
    #expect(scene.verdicts.filter { $0.rule == .a23 }.count == 1)
    scene.say(.cancelled, at: Self.day + 500)
    #expect(scene.verdicts.filter { $0.rule == .a23 }.short == ["A23 opened", "A23 resolved"])
  }

  @Test func `an amendment after care began, of one who has died, is A23 too`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.started, at: 1)
    scene.say(.patientDied, at: 60, handoff: nil)
    scene.say(.handoffAmended, at: Self.day + 100)
    #expect(scene.open.contains(.a23))
  }

  @Test(arguments: [(899, []), (900, [.a23])] as [(Int64, [Rule])])
  func `a booking for the midnight after the death is for the day after`(
    bookedFor: Int64, open: [Rule]
  ) {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.booked, at: 5) { $0.bookedFor = Scene.minutes(bookedFor) }
    scene.say(.patientDied, at: 60, handoff: nil)
    #expect(scene.open == open)
  }

  @Test func `a date that is corrected past what was done resolves it`() {
    var scene = Scene()
    scene.say(.patientDied, at: 0, id: 90, handoff: nil)
    scene.say(.handoffRequested, at: Self.day, id: 21, handoff: Self.other)
    #expect(scene.open == [.a23])
    scene.say(.patientDied, at: Self.day + 5, id: 91, handoff: nil, arriving: Self.day + 10)
    #expect(!scene.open.contains(.a23))
  }

  @Test func `of one who has died nobody is to be referred on`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.rejected, at: 1)
    scene.say(.patientDied, at: 60, handoff: nil)
    scene.tick(at: 5 * Self.day)
    #expect(!scene.verdicts.map(\.rule).contains(.a11))
  }

  @Test func `what was due before the death stands`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.rejected, at: 1)
    scene.tick(at: 300)
    #expect(scene.open == [.a11])
    scene.say(.patientDied, at: 301, handoff: nil)
    #expect(scene.open == [.a11])
  }
}
