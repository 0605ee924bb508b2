import HandoffCore
import Testing

/// Requests that are tried again, and words that are said again of what was amended: neither is a
/// repeat (A01), in whatever order they are heard of.
@Suite struct RetryTests {
  /// A request that failed, was tried again and delivered, in nine minutes.
  private static let steps: [(type: EventType, minute: Int64, received: Int64)] = [
    (.handoffRequested, 0, 0), (.transportFailed, 1, 1), (.handoffRequested, 0, 2),
    (.transportAccepted, 3, 3), (.delivered, 9, 9),
  ]

  /// UUIDv7 of a minute of the scene.
  private static func reception(at minute: Int64) -> ReceptionID {
    let milliseconds = UInt128(UInt64(Scene.minutes(minute).milliseconds))
    return ReceptionID(
      rawValue: milliseconds << 80 | 7 << 76 | 0b10 << 62 | UInt128(UInt64(minute)))
  }

  /// The source of the sender was away: all of it comes at minute 70.
  private static func sayLate(_ scene: inout Scene) {
    for step in steps {
      scene.say(step.type, at: step.minute, arriving: 70) {
        $0.receptionID = reception(at: step.received)
      }
    }
  }

  @Test func `what a source that was away had tried again stands in the order of what happened`() {
    var scene = Scene()
    Self.sayLate(&scene)
    #expect(scene.state == .delivered)
    #expect(scene.facts?.witness(of: .transportAccepted) != nil)
    scene.tick(at: 120)
    #expect(!scene.open.contains(.a01) && !scene.open.contains(.a14))
  }

  @Test(arguments: [20, 53, 69] as [Int64])
  func `a retry that is heard of after the answer to it is a retry, and nothing is illegal`(
    answered: Int64
  ) {
    var scene = Scene()
    scene.say(.received, at: answered)
    Self.sayLate(&scene)
    #expect(scene.state == .received)
    scene.tick(at: 120)
    #expect(scene.verdicts.isEmpty)
    #expect(scene.facts?.pending.isEmpty == true)
  }

  @Test func `what comes again after its retry is a repeat`() {
    var scene = Scene()
    scene.say(.received, at: 53)
    Self.sayLate(&scene)
    let again = scene.say(.handoffRequested, at: 0, arriving: 71) {
      $0.receptionID = Self.reception(at: 5)
    }
    #expect(again.short == ["A01 opened"])
  }

  @Test func `a retry stands behind a failure that a clock ahead has dated after it`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.transportFailed, at: 10, arriving: 6)
    scene.say(.handoffRequested, at: 0, arriving: 8) { $0.receptionID = Self.reception(at: 8) }
    #expect(scene.state == .requested)
  }

  @Test func `answers that have lapsed are not put in order with the request that comes at last`() {
    var scene = Scene()
    scene.say(.received, at: 10)
    let month: Int64 = 30 * 24 * 60
    scene.tick(at: month + 60)
    scene.say(.handoffRequested, at: 0, arriving: month + 61)
    #expect(scene.state == .requested)
  }

  // MARK: Words that are said again

  private static func word(
    _ scene: inout Scene, id: UInt128, second: Int64, arriving minute: Int64
  ) -> [Verdict] {
    scene.say(.received, at: 20, id: id, arriving: minute) {
      $0.contentMac = Token(rawValue: 77)
      $0.occurredAt = Scene.minutes(20).advanced(by: .seconds(second))
    }
  }

  private static func amend(_ scene: inout Scene, second: Int64, arriving minute: Int64) {
    scene.say(.handoffAmended, at: 20, arriving: minute) {
      $0.occurredAt = Scene.minutes(20).advanced(by: .seconds(second))
    }
  }

  @Test func `the receipt of an amendment is no repeat of one of the same minute before it`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.delivered, at: 1)
    _ = Self.word(&scene, id: 50, second: 0, arriving: 20)
    Self.amend(&scene, second: 8, arriving: 20)
    #expect(Self.word(&scene, id: 51, second: 47, arriving: 21).isEmpty)
    #expect(scene.facts?.isAmendmentSeen == true)
    // What happened before the amendment is a repeat, however late it comes.
    #expect(Self.word(&scene, id: 52, second: 7, arriving: 22).short == ["A01 opened"])
  }

  @Test func `the two receipts are two also where both come after the amendment`() {
    var scene = Scene()
    scene.say(.handoffRequested, at: 0)
    scene.say(.delivered, at: 1)
    Self.amend(&scene, second: 8, arriving: 20)
    _ = Self.word(&scene, id: 50, second: 0, arriving: 30)
    #expect(Self.word(&scene, id: 51, second: 47, arriving: 30).isEmpty)
    #expect(Self.word(&scene, id: 52, second: 50, arriving: 31).short == ["A01 opened"])
  }
}
