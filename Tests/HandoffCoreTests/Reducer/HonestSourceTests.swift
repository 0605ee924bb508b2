import HandoffCore
import TestSupport
import Testing

/// Silence under sources that hand over late, and in order, is what it would be had all come at once.
@Suite struct HonestSourceTests {
  /// An event, and the minute in which it happened.
  private typealias Step = (event: HandoffEvent, minute: Int64)

  private static let silence: Set<Rule> = [.a07, .a08, .a09, .a10, .a11]
  /// Both speak for the hospital, each of other handoffs.
  private static let sources = [JourneyGenerator.code("test"), JourneyGenerator.code("slow")]
  private static let end: Int64 = 400 * 24 * 60

  /// Requests, and what the hospital says of them or leaves unsaid, in the order of time.
  private static func journeys(_ random: inout SeededGenerator) -> [Step] {
    let hour: Int64 = 60
    let gaps: [Int64] = [
      1, 5, 59, 60, 61, 5 * hour, 71 * hour, 72 * hour, 73 * hour, 8 * 24 * hour, 41 * 24 * hour,
      42 * 24 * hour, 43 * 24 * hour,
    ]
    let answers: [EventType] = [
      .received, .accepted, .booked, .started, .completed, .feedbackSent,
    ]
    var steps: [Step] = []
    for number in 0..<12 as Range<UInt128> {
      var minute = Int64.random(in: 0..<(10 * 24 * hour), using: &random)
      let handoff = HandoffID(rawValue: 100 + number)
      var types: [EventType] = [.handoffRequested]
      types += answers.prefix(Int.random(in: 0...answers.count, using: &random))
        .filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
      if Int.random(in: 0..<6, using: &random) == 0 { types.append(.rejected) }
      for (place, type) in types.enumerated() {
        let id = 10_000 + number * 100 + UInt128(place)
        var event = Scene.event(type, id: id, handoff: handoff, at: minute)
        event.receptionID = ReceptionID(rawValue: id)
        if type == .handoffRequested {
          event.source = JourneyGenerator.code("prompt")
        } else {
          event.source = Self.sources[Int(number) % 2]
        }
        if type == .booked, Bool.random(using: &random) {
          event.bookedFor = Scene.minutes(minute + Int64.random(in: 0..<100_000, using: &random))
        }
        steps.append((event, minute))
        minute += gaps[Int.random(in: 0..<gaps.count, using: &random)]
      }
    }
    return steps.sorted { ($0.minute, $0.event.id) < ($1.minute, $1.event.id) }
  }

  /// What silence was opened, and for when.
  ///
  /// What goes by the broker's time of arrival is left out: steps out of turn, after an end, or of
  /// what nobody knows (A12 to A14).
  private static func opened(_ verdicts: [Verdict]) -> Set<String> {
    Set(
      verdicts.filter { $0.action == .opened && silence.contains($0.rule) }.map { verdict in
        "\(verdict.handoffID.map { $0.rawValue } ?? 0) \(verdict.rule.rawValue)"
          + " \(verdict.cause?.description ?? "-") \(verdict.opened.minute)"
      })
  }

  private static var policy: Policy {
    var policy = HonestTimeTests.policy
    policy.sources[sources[1]] = policy.sources[sources[0]]
    return policy
  }

  /// The scene of people whose answers are handed over now and then, each source for itself.
  private static func slow(_ steps: [Step], _ random: inout SeededGenerator) -> Scene {
    var scene = Scene(policy: policy)
    var kept: [Step] = []
    var completeUpTo: [Code: Int64] = [:]
    func handOver(_ source: Code, upTo minute: Int64, at now: Int64) {
      let minute = max(minute, completeUpTo[source] ?? minute)
      completeUpTo[source] = minute
      let isDue = { (step: Step) in step.event.source == source && step.minute <= minute }
      for step in kept where isDue(step) { scene.apply(.event(step.event), at: now) }
      kept.removeAll(where: isDue)
      let word = SourceState(
        source: source, condition: .running, completeUpTo: Scene.minutes(minute))
      scene.apply(.sourceState(word), at: now)
    }
    for source in sources { handOver(source, upTo: -1, at: -1) }
    let pauses: [Int64] = [3, 200, 5_000]
    var next: Int64 = 0
    for step in steps + [(Scene.event(.received), end)] {
      while next < step.minute {
        let source = sources[Int.random(in: 0...1, using: &random)]
        let lag = [0, 0, 30, 3_000][Int.random(in: 0...3, using: &random)]
        handOver(source, upTo: next - Int64(lag), at: next)
        let pause = pauses[Int.random(in: 0..<pauses.count, using: &random)]
        next += Int64.random(in: 1...pause, using: &random)
      }
      guard step.minute < end else { break }
      if step.event.type == .handoffRequested {
        scene.apply(.event(step.event), at: step.minute)
      } else {
        kept.append(step)
      }
    }
    for source in sources { handOver(source, upTo: end, at: end) }
    return scene
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `silence is judged as if all had come at once, however far behind a source is`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let steps = Self.journeys(&random)
    var prompt = Scene(policy: Self.policy)
    for step in steps { prompt.apply(.event(step.event), at: step.minute) }
    prompt.tick(at: Self.end)
    let late = Self.opened(Self.slow(steps, &random).verdicts)
    let atOnce = Self.opened(prompt.verdicts)
    #expect(late.subtracting(atOnce) == [], "more than is so")
    #expect(atOnce.subtracting(late) == [], "less than is so")
    #expect(!atOnce.isEmpty)
  }

  /// What is opened and resolved of a scene whose last answer came late, while both sources were
  /// behind, once both have caught up with that.
  private static func judged(
    _ rule: Rule, upTo minute: Int64, _ tell: (inout Scene) -> Void
  ) -> [Verdict] {
    var scene = Scene(policy: policy)
    for word in [HonestTimeTests.word(upTo: -1), HonestTimeTests.slow(upTo: -1)] {
      scene.apply(word, at: -1)
    }
    scene.say(.handoffRequested, at: 0)
    tell(&scene)
    for word in [HonestTimeTests.word(upTo: minute), HonestTimeTests.slow(upTo: minute)] {
      scene.apply(word, at: minute + 1)
    }
    return scene.verdicts.filter { $0.rule == rule && $0.action != .undetermined }
  }

  private static let day: Int64 = 24 * 60

  @Test func `a booking that puts off a start too late is late once all sources have caught up`() {
    let said = Self.judged(.a09, upTo: 44 * Self.day) { scene in
      scene.say(.accepted, at: 5)
      scene.tick(at: 42 * Self.day + 1)
      scene.say(.booked, at: 43 * Self.day) { $0.bookedFor = Scene.minutes(60 * Self.day) }
    }
    #expect(said.short == ["A09 opened", "A09 resolved"])
    #expect(said.last?.lateness == .minutes(Self.day))
  }

  @Test func `a booking in time that puts off a start refutes what was undetermined`() {
    let said = Self.judged(.a09, upTo: 44 * Self.day) { scene in
      scene.say(.accepted, at: 5)
      scene.tick(at: 42 * Self.day + 1)
      scene.say(.booked, at: 41 * Self.day, arriving: 43 * Self.day) {
        $0.bookedFor = Scene.minutes(60 * Self.day)
      }
    }
    #expect(said.short == ["A09 resolved"] && said.last?.lateness == .zero)
  }

  @Test func `a start too late after a missed appointment is late, whatever was missed before`() {
    let said = Self.judged(.a09, upTo: 54 * Self.day) { scene in
      scene.say(.booked, at: 5) { $0.bookedFor = Scene.minutes(10 * Self.day) }
      scene.say(.notAttended, at: 10 * Self.day)
      scene.tick(at: 52 * Self.day + 1)
      scene.say(.started, at: 53 * Self.day)
    }
    #expect(said.short == ["A09 opened", "A09 resolved"])
    #expect(said.last?.lateness == .minutes(Self.day))
  }

  @Test func `an acceptance too late after a question is late, whatever was asked before`() {
    let said = Self.judged(.a08, upTo: 6 * Self.day) { scene in
      scene.say(.received, at: 5)
      scene.say(.infoRequested, at: Self.day)
      scene.say(.handoffAmended, at: 2 * Self.day)
      scene.tick(at: 4 * Self.day + 1)
      scene.say(.accepted, at: 5 * Self.day)
    }
    #expect(said.short == ["A08 opened", "A08 resolved"])
    #expect(said.last?.lateness == .minutes(Self.day))
  }
}
