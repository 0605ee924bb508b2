import HandoffCore
import TestSupport
import Testing

private let one = HandoffID(rawValue: 1)
private let two = HandoffID(rawValue: 2)
private let three = HandoffID(rawValue: 3)
private let council = JourneyGenerator.organisation("10B")

@Suite struct BounceTests {
  private func round(_ scene: inout Scene, _ handoff: HandoffID, at: Int64, to: OrganisationID) {
    scene.ask(handoff, at: at, to: to)
    scene.answer(.rejected, handoff, at: at + 10, by: to)
  }

  @Test func `a need that comes back to who gave it up is A15, until care begins`() throws {
    var scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    round(&scene, two, at: 20, to: council)
    #expect(!scene.stands(.a15))
    let said = scene.ask(three, at: 40)
    #expect(said.filter { $0.rule == .a15 }.short == ["A15 opened"])
    #expect(said.first { $0.rule == .a15 }?.count == 2)
    scene.answer(.started, three, at: 50)
    #expect(!scene.stands(.a15))
  }

  @Test func `three hops without a start are A15 too`() {
    var scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    round(&scene, two, at: 20, to: council)
    round(&scene, three, at: 40, to: Scene.stranger)
    #expect(scene.stands(.a15))
    scene.say(.disposition, at: 60, handoff: three)
    #expect(!scene.stands(.a15))
  }

  @Test func `care in between, a resubmission that was asked for and another need are none`() {
    var scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    scene.ask(two, at: 20, to: council)
    scene.answer(.started, two, at: 25, by: council)
    scene.answer(.completed, two, at: 30, by: council) { $0.isFeedbackOwed = false }
    scene.ask(three, at: 40)
    #expect(!scene.stands(.a15))

    scene = Scene()
    scene.ask(one, at: 0)
    scene.answer(.rejected, one, at: 5) { $0.reason = JourneyGenerator.code("nhs:03") }
    scene.ask(two, at: 10)
    #expect(!scene.stands(.a15))

    scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    scene.ask(two, at: 20, need: 9)
    #expect(!scene.stands(.a15))
  }

  @Test func `what went to and fro before care began counts for nothing after it`() {
    var scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    round(&scene, two, at: 20, to: council)
    scene.ask(three, at: 40, to: Scene.stranger)
    scene.answer(.started, three, at: 50, by: Scene.stranger)
    let fourth = HandoffID(rawValue: 4)
    round(&scene, fourth, at: 60, to: JourneyGenerator.organisation("RWE"))
    #expect(scene.reducer.handoffState(fourth, person: Scene.key) == .rejected)
    #expect(!scene.stands(.a15))
  }

  /// Found by the oracle: care that was over began, by what was kept of it, when it ended.
  @Test func `care that began before does not end it by ending after`() {
    var scene = Scene()
    scene.ask(two, at: 20, to: council)
    scene.answer(.started, two, at: 25, by: council)
    round(&scene, one, at: 30, to: Scene.hospital)
    scene.ask(three, at: 50)
    #expect(scene.stands(.a15))
    scene.answer(.completed, two, at: 60, by: council) { $0.isFeedbackOwed = false }
    scene.tick(at: 100)
    scene.answer(.received, three, at: 101)
    #expect(scene.stands(.a15))
  }

  @Test func `after thirty days it is another story`() {
    var scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    scene.ask(two, at: 31 * 24 * 60)
    #expect(!scene.stands(.a15))
  }

  @Test(arguments: [(30, true), (31, false)] as [(Int64, Bool)])
  func `who gave it up thirty days ago is another story, also while it goes on elsewhere`(
    day: Int64, isBounce: Bool
  ) {
    var scene = Scene()
    round(&scene, one, at: 0, to: Scene.hospital)
    // As long as this one is open the first is remembered.
    scene.ask(two, at: 20, to: council)
    scene.ask(three, at: 10 + day * 24 * 60)
    #expect(scene.stands(.a15) == isBounce)
  }
}
