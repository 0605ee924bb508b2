import HandoffCore
import TestSupport
import Testing

@Suite struct `The source reducer` {
  /// A morning of three sources, with every kind of trouble.
  static func morning(seed: UInt64) -> [SourceTopicRecord] {
    var random = SeededGenerator(seed: seed)
    var scene = SourceScene()
    let codes = ["mllp-rth", "mesh-bob", "fhir-rwx"].map(JourneyGenerator.code)
    var second: Int64 = 0
    var frames: [Code: UInt64] = [:]
    var numbers: [Code: UInt64] = [:]
    for _ in 0..<400 {
      second += Int64.random(in: 0...90, using: &random)
      let code = codes[Int.random(in: 0...2, using: &random)]
      switch Int.random(in: 0...20, using: &random) {
      case 0...5:
        let behind = Bool.random(using: &random) ? 1 : Int64.random(in: 1...400, using: &random)
        scene.beat(
          at: second, code, complete: second - behind, sequence: numbers[code],
          frames: frames[code] ?? 0)
      case 6: scene.tick(at: second)
      case 7: scene.refuse("hl7.segment-missing", at: second)
      case 8:
        scene.say(
          .orphan(
            SourceOrphan(
              source: code, receptionID: ReceptionID(rawValue: 1),
              reference: Token(rawValue: UInt128.random(in: 1...3, using: &random)),
              system: code, receivedAt: SourceScene.seconds(0),
              isResolved: Bool.random(using: &random), at: SourceScene.seconds(second))),
          at: second)
      default:
        frames[code, default: 0] += 1
        numbers[code, default: 0] += UInt64.random(in: 1...20, using: &random) == 1 ? 2 : 1
        scene.receive(
          UInt128.random(in: 1...40, using: &random), at: second, code,
          content: UInt128.random(in: 1...2, using: &random),
          person: UInt128.random(in: 1...2, using: &random), sequence: numbers[code]
        ) {
          if Int.random(in: 0...9, using: &random) == 0 {
            $0.recordedAt = SourceScene.seconds(second - 1000)
          }
        }
      }
    }
    scene.tick(at: second + 20_000)
    return scene.records
  }

  private func canonical(_ records: some Sequence<SourceTopicRecord>) -> String {
    var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
    return CanonicalForm.text(of: records.flatMap { reducer.apply($0) })
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `says the same with more ticks or without any`(seed: UInt64) throws {
    let records = Self.morning(seed: seed)
    let last = try #require(records.last)
    let bare = records.filter { if case .tick = $0.content { false } else { true } } + [last]
    var ticked: [SourceTopicRecord] = []
    for record in records {
      for back in [45, 20, 1] as [Int64] {
        var tick = record
        tick.content = .tick
        tick.brokerAt = record.brokerAt.advanced(by: .seconds(-back))
        ticked.append(tick)
      }
      ticked.append(record)
    }
    let said = canonical(records)
    #expect(said.contains("A18") && said.contains("A25"))
    #expect(canonical(bare) == said)
    #expect(canonical(ticked) == said)
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `is changed by no record that the bus delivers twice`(seed: UInt64) {
    let records = Self.morning(seed: seed)
    #expect(canonical(records.flatMap { [$0, $0] }) == canonical(records))
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `leaves no trace of a batch that is taken back, and goes on from what is stored`(
    seed: UInt64
  ) throws {
    let records = Self.morning(seed: seed)
    var random = SeededGenerator(seed: seed)
    var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
    var stored: [Code: [UInt64: MessageMemory.Segment]] = [:]
    var verdicts: [Verdict] = []
    var position = 0
    while position < records.count {
      let end = min(records.count, position + Int.random(in: 1...40, using: &random))
      reducer.beginBatch()
      let said = records[position..<end].flatMap { reducer.apply($0) }
      if Bool.random(using: &random) {
        reducer.rollBackBatch()
        continue
      }
      for code in reducer.touched {
        for number in reducer.changedSegments(of: code) {
          stored[code, default: [:]][number] = reducer.source(code)?.memory.segment(number)
        }
      }
      reducer.commitBatch()
      verdicts += said
      position = end
      if Int.random(in: 0...3, using: &random) == 0 {
        var next = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
        try next.restore(reducer.state)
        for code in reducer.codes {
          let source = try #require(reducer.source(code)).withoutMemory
          next.restore(source, memory: Array((stored[code] ?? [:]).values))
        }
        reducer = next
      }
    }
    #expect(CanonicalForm.text(of: verdicts) == canonical(records))
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `counts revisions up by one, and resolves nothing that is not open`(seed: UInt64) {
    var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
    var live: [AlertID: Verdict] = [:]
    for verdict in Self.morning(seed: seed).flatMap({ reducer.apply($0) }) {
      let before = live[verdict.alertID]
      #expect(verdict.revision == (before?.revision ?? 0) + 1)
      let wasOpen = before.map { $0.action != .resolved } ?? false
      #expect(wasOpen == (verdict.action != .opened))
      #expect(verdict.opened <= verdict.knownAt)
      live[verdict.alertID] = verdict
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `counts repeats of an hour as a naive count does`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var scene = SourceScene()
    var came: [(minute: Int64, isRepeat: Bool)] = []
    var keys: Set<UInt128> = []
    var second: Int64 = 0
    for _ in 0..<600 {
      second += Int64.random(in: 0...30, using: &random)
      let key = UInt128.random(in: 1...500, using: &random)
      came.append((second / 60, !keys.insert(key).inserted))
      scene.receive(key, at: second)
      let hour = came.filter { $0.minute > second / 60 - 60 }
      let repeats = hour.count { $0.isRepeat }
      let isMany = repeats >= 10 && repeats * 100 >= hour.count
      #expect(scene.open.contains("A01") == isMany)
    }
  }

  @Test func `keeps of a million messages what it says it keeps`() throws {
    var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
    for index in 0..<1_000_000 as Range<Int64> {
      var reception = SourceReception(
        source: SourceScene.code, receptionID: ReceptionID(rawValue: UInt128(index)),
        messageKey: Token(rawValue: UInt128(index)), contentMac: Token(rawValue: 1),
        sequence: UInt64(index) * 2, at: SourceScene.seconds(index / 100))
      reception.subject = Token(rawValue: 1)
      _ = reducer.apply(
        SourceScene.record(.statement(.reception(reception)), at: index / 100, offset: index))
    }
    let source = try #require(reducer.source(SourceScene.code))
    #expect(source.memory.count <= MessageMemory.countMax)
    #expect(source.sequence.gaps.count <= SequenceTrack.gapsMax)
    #expect(source.rate.minutes.count <= 60)
    #expect(source.book.episodes.count <= 2 * EpisodeBook.countMax)
  }

  @Test func `says up to which record it had read`() {
    var scene = SourceScene()
    scene.receive(1, at: 0)
    scene.refuse("hl7.segment-missing", at: 1)
    #expect(scene.verdicts.map(\.readUpTo) == [1])
    #expect(scene.reducer.state.nextOffset == 2)
  }

  @Test func `knows of a stored memory only what can be so, and nothing before it`() throws {
    var scene = SourceScene()
    for key in 1...130 as ClosedRange<UInt128> { scene.receive(key, at: 0) }
    let source = try #require(scene.reducer.source(SourceScene.code))
    let whole = source.memory.segments
    #expect(whole.map(\.number) == [1, 2, 3])
    var (none, long, zero) = (whole[1], whole[1], whole[0])
    none.entries = []
    long.entries += whole[0].entries
    zero.number = 0
    var first = whole[1]
    first.number = 1
    for (stored, expected) in [
      (whole.reversed(), [1, 2, 3]), ([whole[0], whole[2]], [3]),
      ([whole[0], none, whole[2]], [3]),
      ([whole[0], long, whole[2]], [3]), ([zero, first], [1]),
    ] {
      var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
      reducer.restore(source.withoutMemory, memory: stored)
      let memory = try #require(reducer.source(SourceScene.code)).memory
      #expect(memory.segments.map { Int($0.number) } == expected)
    }
  }

  @Test func `numbers on what it remembers when all before is forgotten`() throws {
    var scene = SourceScene()
    scene.receive(1, at: 0)
    scene.receive(2, at: 2 * 86_400)
    let memory = try #require(scene.reducer.source(SourceScene.code)).memory
    // A number that comes again would be taken for what is forgotten.
    #expect(memory.segments.map(\.number) == [2])
  }

  @Test func `puts back no more of a stored memory than it keeps`() throws {
    var scene = SourceScene()
    scene.receive(1, at: 0)
    let source = try #require(scene.reducer.source(SourceScene.code))
    let entries = try #require(source.memory.segments.first).entries
    let most = UInt64(MessageMemory.countMax / MessageMemory.segmentSize)
    let stored = (1...most + 2).map { MessageMemory.Segment(number: $0, entries: entries) }
    var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
    reducer.restore(source.withoutMemory, memory: stored)
    let memory = try #require(reducer.source(SourceScene.code)).memory
    #expect(memory.segments.map(\.number) == Array(3...most + 2))
  }

  @Test func `that is put back knows the arrivals that are stored beside it, and no others`() throws
  {
    var scene = SourceScene()
    for key in 1...3 as ClosedRange<UInt128> { scene.receive(key, at: 0) }
    let source = try #require(scene.reducer.source(SourceScene.code))
    #expect(source.withoutMemory.memory.count == 0 && source.memory.count == 3)
    let records = scene.records
    for (stored, isKnown) in [(source.memory.segments, true), ([], false)] {
      var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
      // With all that it remembers: what is stored takes the place of that.
      reducer.restore(source, memory: stored)
      for record in records { _ = reducer.apply(record) }
      let counted = try #require(reducer.source(SourceScene.code)).counts.counted
      #expect(counted == (isKnown ? 3 : 6))
      #expect(reducer.source(SourceScene.code)?.memory.count == 3)
    }
  }

  @Test func `says in a verdict of its own what it cannot read`() {
    var scene = SourceScene()
    scene.apply(.unusable(.s01, cause: nil), at: 0)
    #expect(scene.open == ["S01"])
    scene.tick(at: 3600)
    #expect(scene.open.isEmpty)
    let now = scene.reducer.state.time
    scene.apply(.unusable(.s08, cause: nil), at: 99_999)
    #expect(scene.reducer.state.time == now)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `has words and a sheet for everything it says`(seed: UInt64) {
    var reducer = SourceReducer(policy: .default, topic: "handoff.sources.v1", partition: 0)
    for verdict in Self.morning(seed: seed).flatMap({ reducer.apply($0) }) {
      let text = Explanation(verdict).description
      #expect(!text.contains("is flagged") && !text.contains("Optional"))
      #expect(verdict.rule.sheet != nil)
      #expect(!verdict.evidence.isEmpty)
    }
  }

  @Test func `copies a change once, and at most once a minute`() {
    var copies = SourceStateCopies()
    let state = SourceState(source: SourceScene.code, condition: .running)
    var other = state
    other.condition = .silent
    #expect(copies.take([state], at: SourceScene.seconds(0)) == [state])
    #expect(copies.take([state], at: SourceScene.seconds(500)).isEmpty)
    #expect(copies.take([other], at: SourceScene.seconds(501)) == [other])
    #expect(copies.take([state], at: SourceScene.seconds(560)).isEmpty)
    #expect(copies.take([state], at: SourceScene.seconds(561)) == [state])
    copies.takeBack([state])
    #expect(copies.take([state], at: SourceScene.seconds(562)) == [state])
  }
}
