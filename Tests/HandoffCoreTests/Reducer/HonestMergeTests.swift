import HandoffCore
import TestSupport
import Testing

/// Honest time where a person moves from key to key, and where answers are put in order.
@Suite struct HonestMergeTests {
  /// A copy of the source's state, on every partition.
  private func tell(
    _ region: inout Region, upTo minute: Int64, at: Int64,
    _ condition: SourceState.Condition = .running
  ) {
    for partition in region.reducers.indices {
      region.apply(
        HonestTimeTests.word(upTo: minute, condition), to: partition, at: Scene.minutes(at))
    }
  }

  private func requested(_ count: Int, of key: PatientKey) -> Region {
    var region = Region(policy: HonestTimeTests.policy)
    tell(&region, upTo: -1, at: -1)
    for number in 0..<count {
      let id = UInt128(100 + number)
      region.say(.handoffRequested, of: key, at: 0, id: id, handoff: HandoffID(rawValue: id))
    }
    return region
  }

  @Test func `what waits for a source goes on waiting under the key it is moved to`() {
    var region = requested(1, of: Region.a)
    region.tick(at: Scene.minutes(61))
    region.merge(Region.a, into: Region.b, at: 62)
    #expect(region.verdicts.isEmpty)
    region.tick(at: Scene.minutes(70))
    #expect(region.verdicts.short == ["A07 undetermined"])
    tell(&region, upTo: 70, at: 71)
    #expect(region.verdicts.short == ["A07 undetermined", "A07 opened"])
    #expect(region.verdicts.allSatisfy { $0.patientKey == Region.b })
    #expect(region.verdicts.last?.opened.minute == 60)
  }

  @Test func `an answer kept back over a merge is judged by when it happened`() {
    var region = requested(1, of: Region.a)
    let handoff = HandoffID(rawValue: 100)
    region.merge(Region.a, into: Region.b, at: 61)
    // It still comes under the number that is no more.
    region.say(.received, of: Region.a, at: 30, id: 500, handoff: handoff, arriving: 62)
    #expect(!region.verdicts.contains { $0.rule == .a07 })
  }

  @Test(arguments: 0..<24 as Range<UInt64>)
  func `an hour of spooled answers and a merge meanwhile raise not one false drop`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var region = requested(8, of: Region.a)
    let mergedAt = Int64.random(in: 1...119, using: &random)
    let answers = (0..<8).map { (UInt128(100 + $0), Int64.random(in: 0..<60, using: &random)) }
      .shuffled(using: &random)
    for minute in Int64(1)...119 {
      if minute == mergedAt { region.merge(Region.a, into: Region.b, at: minute) }
      if minute % 7 == 0 { region.tick(at: Scene.minutes(minute)) }
    }
    tell(&region, upTo: 0, at: 119, .silent)
    for (id, minute) in answers {
      // Some systems know of the merge by now, and some do not.
      let key = Bool.random(using: &random) ? Region.a : Region.b
      region.say(
        .received, of: key, at: minute, id: id + 1_000, handoff: HandoffID(rawValue: id),
        arriving: 120)
    }
    tell(&region, upTo: 120, at: 121)
    #expect(!region.verdicts.contains { $0.action == .opened && $0.rule == .a07 }, "seed \(seed)")
    #expect(LiveAlerts(region.verdicts).undetermined.isEmpty, "seed \(seed)")
    #expect(region.reducers.allSatisfy { $0.state.books.isBalanced })
  }

  /// The answers of one handoff, kept back and let go in any order within the window.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func `spooled answers say the same in whatever order they are let go`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let types: [EventType] = [.received, .infoRequested, .handoffAmended, .accepted, .started]
    let steps = types.map { ($0, Int64.random(in: 1...59, using: &random)) }
    func said(_ steps: [(EventType, Int64)]) -> [String] {
      var scene = HonestTimeTests.requested()
      scene.apply(HonestTimeTests.word(upTo: 0, .silent), at: 61)
      for (type, minute) in steps { scene.say(type, at: minute, arriving: 90) }
      scene.apply(HonestTimeTests.word(upTo: 95), at: 95)
      scene.tick(at: 60 * 24 * 3)
      return LiveAlerts(scene.verdicts).all.filter { $0.action != .resolved }
        .map { "\($0.alertID) \($0.action.rawValue)" }
    }
    let expected = said(steps)
    for _ in 0..<6 { #expect(said(steps.shuffled(using: &random)) == expected, "seed \(seed)") }
  }
}
