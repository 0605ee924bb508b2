import HandoffCore
import TestSupport
import Testing

@Suite struct `A sequence of a source` {
  @Test func `that jumps is A25 when the window to reorder has passed`() throws {
    var scene = SourceScene()
    scene.receive(at: 0, sequence: 5)
    scene.receive(at: 10, sequence: 9)
    #expect(scene.tick(at: 909).isEmpty)
    let opened = try #require(scene.tick(at: 910).first)
    #expect(opened.rule == .a25 && opened.severity == .high && opened.count == 3)
    #expect(opened.opened == SourceScene.seconds(910))
    scene.receive(at: 1000, sequence: 6)
    scene.receive(at: 1001, sequence: 8)
    #expect(scene.open == ["A25"])
    let resolved = try #require(scene.receive(at: 1010, sequence: 7).first)
    #expect(resolved.action == .resolved && resolved.lateness == .seconds(100))
  }

  @Test func `that is filled in time is none, also out of order and by a refusal`() {
    var scene = SourceScene()
    for (second, number) in [(0, 1), (1, 5), (2, 3), (3, 2)] as [(Int64, UInt64)] {
      scene.receive(at: second, sequence: number)
    }
    scene.refuse("hl7.segment-missing", at: 4, sequence: 4)
    scene.tick(at: 2000)
    #expect(scene.open == ["A27 hl7.segment-missing"])
  }

  @Test func `filled at the very deadline opens and resolves`() {
    var scene = SourceScene()
    scene.receive(at: 0, sequence: 1)
    scene.receive(at: 0, sequence: 3)
    #expect(scene.receive(at: 900, sequence: 2).short == ["A25 opened", "A25 resolved"])
    #expect(scene.verdicts.last?.lateness == .zero)
  }

  @Test(arguments: [0, 1] as [UInt64])
  func `that begins anew is no gap`(first: UInt64) {
    var scene = SourceScene()
    scene.receive(at: 0, sequence: 70)
    scene.receive(at: 1, sequence: first)
    scene.receive(at: 2, sequence: first + 1)
    #expect(scene.tick(at: 5000).isEmpty)
  }

  @Test func `of which the heartbeat knows more than came is a gap`() {
    var scene = SourceScene()
    scene.receive(at: 0, sequence: 7)
    scene.beat(at: 1, sequence: 7)
    scene.beat(at: 61, sequence: 8)
    for minute in 2..<20 { scene.beat(at: Int64(minute) * 60, sequence: 8) }
    #expect(scene.open == ["A25"])
  }

  @Test func `is remembered in 64 parts, and what would be one more is missing still`() throws {
    var scene = SourceScene()
    scene.receive(at: 0, sequence: 1)
    scene.receive(at: 1, sequence: 202)
    for number in stride(from: 3 as UInt64, to: 201, by: 2) {
      scene.receive(at: 2, sequence: number)
    }
    let gap = try #require(scene.reducer.source(SourceScene.code)?.sequence.gaps.first)
    #expect(gap.missing.count == SequenceTrack.partsMax)
    #expect(scene.tick(at: 1000).map(\.count) == [200 - 63])
  }

  @Test func `is forgotten after a month, or after 64 others, and its episode with it`() throws {
    func standing(_ scene: SourceScene) throws -> [Token?] {
      let source = try #require(scene.reducer.source(SourceScene.code))
      let gaps: [Token?] = source.sequence.gaps.map {
        Token(rawValue: UInt128($0.from) << 64 | UInt128($0.to))
      }
      let episodes = source.book.episodes.filter { $0.rule == .a25 }.map(\.reference)
      #expect(episodes.allSatisfy(gaps.contains))
      return episodes
    }
    for isClaimed in [true, false] {
      var scene = SourceScene()
      scene.receive(at: 0, sequence: 1)
      for step in 1...80 as ClosedRange<UInt64> {
        let second = Int64(step) * 20
        if isClaimed {
          scene.beat(at: second, sequence: 1 + 2 * step)
        } else {
          scene.receive(at: second, sequence: 1 + 2 * step)
        }
        #expect(try standing(scene).count <= SequenceTrack.gapsMax)
      }
      scene.tick(at: 3_000)
      #expect(try standing(scene).count == SequenceTrack.gapsMax)
      scene.tick(at: 31 * 86_400)
      #expect(try standing(scene).isEmpty)
    }
  }

  /// Everything that came, judged as a whole at the end.
  private func missing(_ numbers: [UInt64]) -> Int {
    guard let first = numbers.first, let last = numbers.max() else { return 0 }
    let seen = Set(numbers)
    return (first...last).count { !seen.contains($0) }
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `has as many numbers missing as a naive count says`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var scene = SourceScene()
    var numbers: [UInt64] = [100]
    for number in 101...140 as ClosedRange<UInt64>
    where !Int.random(in: 0...4, using: &random).isMultiple(of: 4) {
      let place = Int.random(in: max(1, numbers.count - 3)...numbers.count, using: &random)
      numbers.insert(number, at: place)
    }
    for (second, number) in numbers.enumerated() {
      scene.receive(at: Int64(second), sequence: number)
    }
    scene.tick(at: 5000)
    let open = LiveAlerts(scene.verdicts).open.filter { $0.rule == .a25 }
    #expect(open.reduce(0) { $0 + Int($1.count) } == missing(numbers))
  }
}

@Suite struct `Conditions of a source` {
  private func condition(_ reading: SourceCondition.Reading, of code: Code = SourceScene.code)
    -> SourceRecord
  {
    .condition(
      SourceCondition(
        source: code, subject: JourneyGenerator.code("certificate"), reading: reading,
        at: SourceScene.seconds(0)))
  }

  @Test func `grow worse with the days left, and are over when it is renewed`() {
    var scene = SourceScene()
    func ends(inDays days: Int64) -> SourceCondition.Reading {
      .certificate(endsAt: SourceScene.seconds(days * 86_400), fault: nil)
    }
    scene.say(condition(ends(inDays: 31)), at: 0)
    #expect(scene.verdicts.isEmpty)
    scene.say(condition(ends(inDays: 30)), at: 1)
    scene.say(condition(ends(inDays: 29)), at: 2)
    scene.say(condition(ends(inDays: 7)), at: 3)
    scene.say(
      condition(.certificate(endsAt: nil, fault: JourneyGenerator.code("certificate.expired"))),
      at: 4)
    #expect(scene.verdicts.short == ["S09 opened", "S09 changed", "S09 changed"])
    #expect(scene.verdicts.map(\.severity) == [.medium, .high, .critical])
    #expect(scene.verdicts.map(\.revision) == [1, 2, 3])
    let shown = scene.verdicts.map { $0.evidence.compactMap(\.coordinates?.offset) }
    #expect(shown == [[1], [1, 3], [1, 4]])
    #expect(scene.tick(at: 90_000).isEmpty)
    #expect(scene.say(condition(ends(inDays: 90)), at: 90_001).short == ["S09 resolved"])
  }

  @Test func `of a table of ingest are about the bus`() {
    var scene = SourceScene()
    scene.say(
      condition(.fill(entries: 81, entriesMax: 100), of: SourceCondition.ingest), at: 0)
    #expect(scene.verdicts.first?.subject == .bus && scene.verdicts.first?.rule == .s10)
    scene.say(condition(.fill(entries: 7, entriesMax: 100), of: SourceCondition.ingest), at: 1)
    #expect(scene.open.isEmpty)
    #expect(scene.tick(at: 100_000).isEmpty && scene.reducer.states.isEmpty)
  }
}
