import HandoffCore
import TestSupport
import Testing

/// How each state is reached, by the shortest legal way.
private let ways: [HandoffState: [EventType]] = [
  .requested: [.handoffRequested],
  .inTransit: [.handoffRequested, .transportAccepted],
  .delivered: [.handoffRequested, .delivered],
  .received: [.handoffRequested, .received],
  .onHold: [.handoffRequested, .infoRequested],
  .accepted: [.handoffRequested, .accepted],
  .booked: [.handoffRequested, .booked],
  .started: [.handoffRequested, .started],
  .completed: [.handoffRequested, .started, .completed],
  .closed: [.handoffRequested, .started, .completed, .feedbackAcknowledged],
  .rejected: [.handoffRequested, .rejected],
  .redirected: [.handoffRequested, .redirected],
  .cancelled: [.handoffRequested, .cancelled],
  .voided: [.handoffRequested, .voided],
  .failed: [.handoffRequested, .transportFailed],
  .expired: [.handoffRequested, .expired],
]

/// A scene in which the handoff is in `state`, reached in seconds.
private func scene(in state: HandoffState, isBackfill: Bool = false) throws -> Scene {
  var scene = Scene()
  for (minute, type) in try #require(ways[state]).enumerated() {
    scene.say(type, at: Int64(minute)) { $0.isBackfill = isBackfill }
  }
  #expect(scene.state == state)
  return scene
}

@Suite struct NoSilentCornerTests {
  @Test func `an acceptance that comes again is a duplicate, and late once care has begun`() throws
  {
    for (state, isLate) in [(HandoffState.accepted, false), (.started, true)] {
      var scene = try scene(in: state)
      scene.say(.accepted, at: 5, id: 99)
      #expect(scene.facts?.duplicateCount == (isLate ? 0 : 1))
      #expect(scene.facts?.lateCount == (isLate ? 1 : 0))
    }
  }

  /// Every state, every event, every speaker: something is changed, recorded, counted or flagged,
  /// and what is illegal waits and is A14 after the reordering window.
  @Test(arguments: HandoffState.allCases, SpeakerRole.allCases)
  func `no event passes without a trace`(state: HandoffState, speaker: SpeakerRole) throws {
    for type in EventType.allCases where type.isLifecycle && type != .handoffRequested {
      var scene = try scene(in: state)
      let before = try #require(scene.facts)
      let opened = scene.verdicts.count
      scene.say(type, at: 10, id: 99) { event in
        event.speaker = speaker
        event.spokenBy = speaker == .sender ? Scene.gp : speaker == .receiver ? Scene.hospital : nil
      }
      let after = try #require(scene.facts)
      let isCounted =
        after.sameCount + after.lateCount + after.duplicateCount
        > before.sameCount + before.lateCount + before.duplicateCount
      let isTraced =
        after.state != before.state || isCounted || after.findings.count > before.findings.count
        || after.marks != before.marks || after.pending.count > before.pending.count
      #expect(isTraced, "\(type.rawValue)")
      if !Lifecycle.may(speaker, say: type) {
        #expect(after.state == before.state)
        #expect(scene.verdicts.dropFirst(opened).contains { $0.rule == .a17 }, "\(type.rawValue)")
      } else if Lifecycle.cell(state, type) == .illegal {
        scene.tick(at: 25)
        #expect(scene.open.contains(.a14), "\(type.rawValue)")
      }
    }
  }

  @Test(arguments: HandoffState.allCases)
  func `an unknown outcome of the transport is counted, and moves nothing`(
    state: HandoffState
  ) throws {
    var scene = try scene(in: state)
    let before = try #require(scene.facts)
    scene.say(.transportFailed, at: 10, id: 99) {
      ($0.speaker, $0.spokenBy, $0.reason) = (.platform, nil, Code("408"))
    }
    let after = try #require(scene.facts)
    #expect(after.state == state && after.sameCount == before.sameCount + 1)
    #expect(after.pending.isEmpty)
  }

  @Test(arguments: HandoffState.allCases, [false, true])
  func `every state but Closed, Voided and Cancelled has a clock that will speak`(
    state: HandoffState, isBackfill: Bool
  ) throws {
    var scene = try scene(in: state, isBackfill: isBackfill)
    switch state {
    case .closed, .voided, .cancelled: #expect(scene.deadlines.isEmpty)
    default:
      let first = try #require(scene.deadlines.map(\.due).min())
      // It speaks when nothing else happens than that time passes.
      scene.tick(at: first.minute + 1)
      #expect(!scene.open.isEmpty)
    }
  }

  @Test func `a policy row without a start still speaks after acceptance`() throws {
    var policy = Policy.default
    var clocks = policy.fallback
    clocks.start = nil
    policy.rows = []
    policy.fallback = clocks
    var scene = Scene(policy: policy)
    scene.say(.handoffRequested, at: 0)
    scene.say(.accepted, at: 1)
    #expect(scene.deadlines.map(\.rule) == [.a09])
  }

  @Test func `an answer whose request never comes is A13, and then forgotten`() throws {
    var scene = Scene()
    scene.say(.accepted, at: 0)
    #expect(scene.state == nil)
    #expect(scene.tick(at: 24 * 60 + 14).isEmpty)
    #expect(scene.tick(at: 24 * 60 + 15).short == ["A13 opened"])
    #expect(scene.tick(at: 31 * 24 * 60).short == ["A13 resolved"])
    #expect(scene.reducer.personCount == 0)
    #expect(scene.reducer.state.books.lapsedCount == 1)
  }
}
