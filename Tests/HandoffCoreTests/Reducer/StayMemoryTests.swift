import HandoffCore
import TestSupport
import Testing

private let one = HandoffID(rawValue: 1)

/// A20 and A21 outlast the month for which a stay is remembered.
@Suite struct StayMemoryTests {
  /// Found by the oracle, seed 9: after a month the alert was neither open nor resolved.
  @Test func `ready and not handed on stands until it is, however long that is`() {
    let day: Int64 = 24 * 60
    var scene = Scene()
    _ = scene.stay(.readyForDischarge, at: 0)
    scene.tick(at: 100 * day)
    #expect(scene.open == [.a21, .a21])
    scene.ask(one, at: 100 * day + 1)
    scene.answer(.accepted, one, at: 100 * day + 2)
    #expect(!scene.stands(.a21))
    #expect(scene.verdicts.last { $0.rule == .a21 }?.action == .resolved)
  }

  @Test func `discharged and nobody there stands until somebody is, however long that is`() {
    let day: Int64 = 24 * 60
    var scene = Scene()
    _ = scene.stay(.discharged, at: 0)
    scene.tick(at: 100 * day)
    #expect(scene.open == [.a20])
    _ = scene.stay(.dischargeCancelled, at: 100 * day + 1)
    #expect(scene.open.isEmpty)
    scene.tick(at: 300 * day)
    #expect(scene.reducer.keys.isEmpty)
  }

  @Test func `a word on the stay that names a handoff is none of the handoff`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.readyForDischarge, at: 1)
    #expect(scene.reducer.state.books.unlinkedCount == 1)
    #expect(scene.reducer.person(for: Scene.key)?.handoffs.first?.window.count == 1)
  }

  @Test(arguments: [EventType.bedAssigned, .bedMoved, .patientMoved, .feedbackReceived])
  func `what says nothing of readiness, discharge or death is not kept of a stay`(word: EventType) {
    var scene = Scene()
    scene.say(word, at: 0, handoff: nil)
    #expect(scene.reducer.person(for: Scene.key)?.stay == [])
  }

  @Test func `of a stay the latest 64 words are kept, and a death whatever came after it`() throws {
    var scene = Scene()
    scene.say(.patientDied, at: -1, id: 900, handoff: nil)
    for minute in 0..<70 as Range<Int64> {
      let word = minute % 2 == 0 ? EventType.readyForDischarge : .dischargeReadinessWithdrawn
      _ = scene.stay(word, at: minute, UInt128(1_000 + minute))
    }
    let stay = try #require(scene.reducer.person(for: Scene.key)).stay
    #expect(stay.map(\.witness.occurredAt.minute) == [-1] + Array(7..<70))
  }

  @Test func `what nothing can overtake is settled, and the rest of the window is not`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.delivered, at: 10)
    scene.say(.received, at: 20)
    let window = scene.reducer.person(for: Scene.key)?.handoffs.first?.window
    #expect(window?.map(\.type) == [.delivered, .received])
  }

  /// Found by the oracle, seed 204: the care that had begun was forgotten before the discharge.
  @Test func `care that began before the discharge answers it for as long as it is remembered`() {
    let day: Int64 = 24 * 60
    var scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.started, one, at: 10)
    scene.answer(.completed, one, at: 20) { $0.isFeedbackOwed = false }
    _ = scene.stay(.discharged, at: 10 * day)
    scene.tick(at: 100 * day)
    #expect(!scene.verdicts.contains { $0.rule == .a20 })
    #expect(scene.reducer.keys.isEmpty)
  }
}
