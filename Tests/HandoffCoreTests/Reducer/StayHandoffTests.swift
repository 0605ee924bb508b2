import HandoffCore
import TestSupport
import Testing

private let one = HandoffID(rawValue: 1)

/// Which handoffs hand a stay on (A20, A21): the hospital's own, and no letter.
@Suite struct StayHandoffTests {
  /// What hands on nothing although care began by it.
  private static let others: [@Sendable (inout HandoffEvent) -> Void] = [
    {
      $0.from = Party(organisation: Scene.stranger)
      if $0.speaker == .sender { $0.spokenBy = Scene.stranger }
    },
    { $0.kind = HandoffKind("outpatient-letter") },
  ]

  @Test(arguments: [0, 1])
  func `another hospital's handoff, and a letter, receive nobody who is discharged`(number: Int) {
    var scene = Scene()
    scene.ask(one, at: 0, Self.others[number])
    scene.answer(.started, one, at: 10)
    _ = scene.stay(.discharged, at: 100)
    scene.tick(at: 400)
    #expect(scene.stands(.a20))
  }

  @Test(arguments: [0, 1])
  func `another hospital's handoff, and a letter, hand on nobody who is ready`(number: Int) {
    var scene = Scene()
    _ = scene.stay(.readyForDischarge, at: 0)
    scene.ask(one, at: 10, Self.others[number])
    #expect(scene.tick(at: 120).compactMap(\.cause?.description) == ["request"])
  }

  @Test(arguments: [(10, ["request"]), (11, [])] as [(Int64, [String])])
  func `what had ended when the person became ready hands nobody on`(
    end: Int64, said: [String]
  ) {
    var scene = Scene()
    scene.ask(one, at: 0)
    _ = scene.stay(.readyForDischarge, at: 10)
    scene.say(.cancelled, at: end, handoff: one)
    let opened = scene.tick(at: 130).filter { $0.rule == .a21 }
    #expect(opened.compactMap(\.cause?.description) == said)
  }
}
