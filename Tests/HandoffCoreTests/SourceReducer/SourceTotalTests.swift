import HandoffCore
import TestSupport
import Testing

@Suite struct `Totals of a source` {
  @Test func `that are not reached in two hours are A26, until they are`() throws {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 10)
    scene.beat(at: 60, frames: 3)
    for minute in 2..<120 { scene.beat(at: Int64(minute) * 60, frames: 3) }
    #expect(scene.verdicts.isEmpty)
    let opened = try #require(scene.tick(at: 7260).first)
    #expect(opened.rule == .a26 && opened.cause?.description == "shortfall" && opened.count == 2)
    #expect(opened.opened == SourceScene.seconds(7260))
    // What shows it is the last word of the source: 121 were read before the tick.
    #expect(opened.evidence.map(\.coordinates?.offset) == [120])
    // Only what was taken in by then makes up for it.
    scene.receive(at: 7261)
    scene.receive(at: 7262) { $0.at = SourceScene.seconds(20) }
    #expect(scene.open == ["A26 shortfall"])
    let resolved = scene.receive(at: 7263) { $0.at = SourceScene.seconds(60) }
    #expect(resolved.short == ["A26 resolved"])
  }

  @Test func `with more counted than they say are A26 at once`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 1)
    scene.refuse("hl7.segment-missing", at: 2)
    #expect(scene.beat(at: 60, frames: 1).short == ["A26 opened"])
    #expect(scene.verdicts.last?.cause?.description == "surplus" && scene.verdicts.last?.count == 1)
    scene.receive(at: 61)
    #expect(scene.beat(at: 120, frames: 2).isEmpty)
  }

  @Test func `of a source that is older than we are are learned for two hours first`() throws {
    var scene = SourceScene()
    // Three are on their way when the first total is said.
    scene.beat(at: 0, frames: 1003)
    for second in 1...3 {
      scene.receive(at: Int64(second)) { $0.at = SourceScene.seconds(-1) }
    }
    for minute in 1...150 { scene.beat(at: Int64(minute) * 60, frames: 1003) }
    #expect(scene.verdicts.isEmpty)
    scene.beat(at: 9060, frames: 1004)
    for minute in 152...280 { scene.beat(at: Int64(minute) * 60, frames: 1004) }
    #expect(scene.open == ["A26 shortfall"])
    // What it was learned from is not kept.
    let counts = try #require(scene.reducer.source(SourceScene.code)).counts
    #expect(counts.learningUntil == nil && counts.first == nil)
  }

  @Test func `of a source that is older than we are, and behind, are learned until it is not`() {
    var scene = SourceScene()
    scene.beat(at: 0, complete: -100, frames: 1003)
    for minute in 1...180 as ClosedRange<Int64> {
      scene.beat(at: minute * 60, complete: -100, frames: 1003)
    }
    // Three that the first total counts are handed over when the two hours are long over.
    for second in 1...3 as ClosedRange<Int64> {
      scene.receive(at: 10_810 + second) { $0.at = SourceScene.seconds(-50 + second) }
    }
    scene.beat(at: 10_860, frames: 1003)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
    // And nothing is learned any more: one too few is seen at once.
    scene.receive(at: 10_861)
    scene.beat(at: 10_920, frames: 1003)
    #expect(scene.open == ["A26 surplus"])
  }

  @Test func `that begin anew are no shortfall`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 1)
    scene.beat(at: 60, frames: 1)
    scene.beat(at: 120, frames: 0)
    for minute in 3...200 { scene.beat(at: Int64(minute) * 60, frames: 0) }
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `that wait when the source begins anew are no shortfall of it`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 1)
    scene.beat(at: 60, frames: 3)
    scene.beat(at: 120, frames: 0)
    for minute in 3...200 { scene.beat(at: Int64(minute) * 60, frames: 0) }
    #expect(scene.verdicts.isEmpty)
  }

  @Test func `of a busy source are not made up for by what comes after`() throws {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 10)
    // Three more were taken in, and nobody has seen them; one a minute comes from then on.
    for minute in 1...600 as ClosedRange<Int64> {
      scene.beat(at: minute * 60, frames: UInt64(minute) + 3)
      scene.receive(at: minute * 60 + 30)
    }
    let said = scene.verdicts
    #expect(said.short == ["A26 opened"])
    #expect(said.first?.count == 3 && said.first?.opened == SourceScene.seconds(7260))
  }

  @Test(arguments: [[61, 62, 63], [61, 61, 61]] as [[Int64]])
  func `that messages overtake are not too few`(later: [Int64]) {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 30)
    // Made at 60, passed on after three that were taken in later.
    for second in later { scene.receive(at: second) }
    #expect(scene.beat(at: 65, frames: 1, clock: -5).isEmpty)
    #expect(scene.beat(at: 120, frames: 4).isEmpty)
    scene.tick(at: 20_000)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `lack what they lack, however many came in a second after them`() throws {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 30)
    // More than there are seconds that are remembered.
    for _ in 0..<100 { scene.receive(at: 61) }
    // Made at 60, and passed on behind them.
    scene.beat(at: 65, complete: 65, frames: 10, clock: -5)
    let opened = scene.tick(at: 65 + 7200).filter { $0.rule == .a26 }
    #expect(opened.short == ["A26 opened"] && opened.map(\.count) == [9])
  }

  @Test func `that more seconds overtake than are remembered may not be known to be too few`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 30)
    // Of what the total does not count, one message is remembered no more.
    for second in 0...Int64(RecentArrivals.countMax) { scene.receive(at: 61 + second) }
    scene.beat(at: 130, frames: 1, clock: -70)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `made before another, by a clock that steps, are not too few`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 30)
    scene.beat(at: 150, frames: 1)
    // The clock steps back, twice: the total comes behind two messages that it does not count.
    for second in 181...182 as ClosedRange<Int64> {
      scene.receive(at: second) { $0.at = SourceScene.seconds(second - 120) }
    }
    scene.beat(at: 185, frames: 1, clock: -65)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `with more counted than they say again are A26 for what is new`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    for second in 1...2 as ClosedRange<Int64> { scene.receive(at: second) }
    scene.beat(at: 60, frames: 1)
    for second in 61...62 as ClosedRange<Int64> { scene.receive(at: second) }
    scene.beat(at: 120, frames: 2)
    let counted = scene.reducer.source(SourceScene.code)?.book.episodes.filter { $0.rule == .a26 }
    #expect(counted?.map(\.count) == [2])
  }

  @Test func `that lack nothing show that nothing is missing of those before`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, frames: 2)
    // Counted already when they were stamped.
    for second in 61...62 as ClosedRange<Int64> { scene.receive(at: second) }
    scene.beat(at: 120, frames: 2)
    scene.tick(at: 20_000)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `that lack nothing end what is known to be missing`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, complete: 60, frames: 2)
    scene.tick(at: 7260)
    for second in 7261...7262 as ClosedRange<Int64> { scene.receive(at: second) }
    scene.beat(at: 7320, frames: 2)
    #expect(scene.verdicts.filter { $0.rule == .a26 }.short == ["A26 opened", "A26 resolved"])
  }

  @Test func `that an arrival makes whole end what was missing before`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, complete: 60, frames: 2)
    scene.tick(at: 7260)
    scene.beat(at: 7320, frames: 3)
    // The two that were missing are handed over with the times of a new start.
    for second in 7321...7323 as ClosedRange<Int64> {
      #expect(scene.open == ["A26 shortfall"])
      scene.receive(at: second) { $0.at = SourceScene.seconds(7310) }
    }
    #expect(scene.open.isEmpty)
  }

  @Test func `that lack no more than was said are not noted again`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, complete: 60, frames: 2)
    scene.tick(at: 7260)
    scene.beat(at: 7320, complete: 7320, frames: 2)
    scene.tick(at: 14_520)
    let source = scene.reducer.source(SourceScene.code)
    #expect(source?.counts.judged?.saidAt == SourceScene.seconds(7320))
    let known = source?.book.episodes.filter { $0.rule == .a26 } ?? []
    #expect(known.map(\.count) == [2])
    #expect(known.map(\.lastAt) == [SourceScene.seconds(7260)])
  }

  @Test func `that are put back and lack nothing are no alert when they fall due`() throws {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, complete: 60, frames: 2)
    var source = try #require(scene.reducer.source(SourceScene.code))
    source.counts.waiting[0].counted = 2
    scene.reducer.restore(source.withoutMemory, memory: [])
    #expect(scene.tick(at: 7260).filter { $0.rule == .a26 } == [])
    let judged = try #require(scene.reducer.source(SourceScene.code)).counts.judged
    #expect(judged?.saidAt == SourceScene.seconds(60))
  }

  @Test func `made in the middle of a second lack what was taken in as the next began`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 30)
    scene.receive(at: 61)
    // It counts two by then, of which one has come.
    let made = SourceScene.seconds(60).advanced(by: Elapsed(nanoseconds: 500_000_000))
    scene.say(
      .heartbeat(
        SourceHeartbeat(
          source: SourceScene.code, at: made, completeUpTo: made, lastSequence: nil,
          framesTotal: 2, eventsTotal: 0, refusalsTotal: 0)), at: 65)
    let opened = scene.tick(at: 65 + 7200).filter { $0.rule == .a26 }
    #expect(opened.short == ["A26 opened"] && opened.map(\.count) == [1])
  }

  @Test func `made by a clock that is too far ahead are held against nothing`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, frames: 5, clock: 361)
    scene.tick(at: 20_000)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `made at the same moment as another are as good as that`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    for second in [10, 20] as [Int64] { scene.receive(at: second) }
    #expect(scene.beat(at: 60, frames: 2).isEmpty)
    // Taken in well before, and not in the total that is made anew.
    scene.receive(at: 61) { $0.at = SourceScene.seconds(40) }
    scene.beat(at: 65, frames: 2, clock: -5)
    #expect(scene.open == ["A26 surplus"])
  }

  @Test(arguments: [(330, []), (331, ["A26 surplus"])] as [(Int64, [String])])
  func `do not count what is stamped later than they are, if no more than five minutes ahead`(
    stamp: Int64, open: [String]
  ) {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 30) { $0.at = SourceScene.seconds(stamp) }
    scene.beat(at: 60, frames: 0)
    #expect(scene.open == open)
  }

  @Test func `that an arrival makes whole end the waiting of those before`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.beat(at: 60, frames: 1)
    scene.beat(at: 120, frames: 2)
    for second in 61...62 as ClosedRange<Int64> {
      scene.receive(at: 60 + second) { $0.at = SourceScene.seconds(second) }
    }
    scene.tick(at: 7260)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `of what has just been stamped may be too few by that`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    scene.receive(at: 60)
    #expect(scene.beat(at: 60, frames: 0).isEmpty)
    scene.beat(at: 120, frames: 1)
    scene.tick(at: 20_000)
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `wait for a source that is behind`() throws {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    // Five are taken in, and handed over five hours later: all but one.
    for minute in 1...300 as ClosedRange<Int64> {
      scene.beat(at: minute * 60, complete: 30, frames: 5)
    }
    #expect(scene.open == ["A18 behind"])
    for second in 1...4 as ClosedRange<Int64> {
      scene.receive(at: 18_010) { $0.at = SourceScene.seconds(30 + second) }
    }
    let said = scene.beat(at: 18_060, frames: 5)
    #expect(said.short == ["A18 resolved", "A26 opened"])
    let shortfall = try #require(said.last)
    #expect(shortfall.count == 1 && shortfall.opened == SourceScene.seconds(7260))
    #expect(shortfall.knownAt == SourceScene.seconds(18_060))
    let last = scene.receive(at: 18_070) { $0.at = SourceScene.seconds(40) }
    #expect(last.short == ["A26 resolved"])
  }

  @Test(arguments: [-600, -60, 60, 600, 100_000_000] as [Int64])
  func `are no alarm for a clock that steps there and back`(step: Int64) {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 0)
    var frames: UInt64 = 0
    for minute in 1...900 as ClosedRange<Int64> {
      let clock = (100..<110).contains(minute) ? step : 0
      frames += 1
      scene.receive(at: minute * 60 - 10) { $0.at = SourceScene.seconds(minute * 60 - 10 + clock) }
      scene.beat(at: minute * 60, frames: frames, clock: clock)
    }
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  @Test func `of a busy source that is older than we are are learned from both sides`() {
    var scene = SourceScene()
    scene.beat(at: 0, frames: 500)
    // Never a quiet second around a total, until the night.
    var frames: UInt64 = 500
    for minute in 1...200 as ClosedRange<Int64> {
      for back in [3, 0] as [Int64] { scene.receive(at: minute * 60 - back) }
      frames += 2
      // The last has been stamped, and is not in the total yet.
      scene.beat(at: minute * 60, frames: frames - 1)
    }
    for minute in 201...500 as ClosedRange<Int64> { scene.beat(at: minute * 60, frames: frames) }
    #expect(!scene.verdicts.contains { $0.rule == .a26 })
  }

  /// So that between two totals that fall due there is nothing to say of what is missing.
  @Test(arguments: 0..<30 as Range<UInt64>)
  func `lack no more than was said when they fell due, whatever a source says later`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    var scene = SourceScene()
    var second: Int64 = 0
    var frames: UInt64 = seed.isMultiple(of: 2) ? 0 : 500
    var lacking = 0
    for _ in 0..<600 {
      if Int.random(in: 0...2, using: &random) == 0 {
        let back = Int64.random(in: -400...4000, using: &random)
        scene.receive(at: second) { $0.at = SourceScene.seconds(second - back) }
      } else {
        let lost = UInt64.random(in: 0...40, using: &random) == 0 ? 2 : 0 as UInt64
        frames += UInt64.random(in: 0...1, using: &random) + lost
        let clock = Int.random(in: 0...20, using: &random) == 0 ? 400 : 0 as Int64
        scene.beat(at: second, frames: frames, clock: clock)
      }
      second += Int64.random(in: 0...300, using: &random)
      let source = try #require(scene.reducer.source(SourceScene.code))
      guard let judged = source.counts.judged, let base = source.counts.base else { continue }
      let missing = Int64(bitPattern: judged.frames &- judged.counted) - base
      let said = source.book.episodes.first { $0.cause?.description == "shortfall" }?.count
      #expect(missing <= Int64(said ?? 0))
      lacking += missing > 0 ? 1 : 0
    }
    #expect(lacking > 0)
  }

  /// What is missing of the totals, counted anew from everything that was ever taken in.
  private struct Naive {
    var taken: [Int64] = []
    var lost: Set<Int> = []
    var arrival: [Int64] = []

    func missing(by second: Int64) -> Int {
      taken.indices.count { taken[$0] <= second && lost.contains($0) }
    }
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `show as many missing as a naive count says`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var naive = Naive()
    var second: Int64 = 1
    while second < 30_000 {
      naive.taken.append(second)
      naive.arrival.append(second + Int64.random(in: 0...900, using: &random))
      if second < 20_000, Int.random(in: 0...60, using: &random) == 0 {
        naive.lost.insert(naive.taken.count - 1)
      }
      second += Int64.random(in: 2...240, using: &random)
    }
    var scene = SourceScene()
    var steps: [(at: Int64, frame: Int?)] = naive.taken.indices
      .filter { !naive.lost.contains($0) }.map { (naive.arrival[$0], $0) }
    for minute in 0...700 as ClosedRange<Int64> { steps.append((minute * 60, nil)) }
    steps.sort { ($0.at, $0.frame ?? -1) < ($1.at, $1.frame ?? -1) }
    for step in steps {
      if let frame = step.frame {
        scene.receive(at: step.at) { $0.at = SourceScene.seconds(naive.taken[frame]) }
      } else {
        let total = naive.taken.count { $0 <= step.at }
        scene.beat(at: step.at, frames: UInt64(total))
      }
    }
    let live = LiveAlerts(scene.verdicts).open.filter { $0.rule == .a26 }
    #expect(live.count == (naive.lost.isEmpty ? 0 : 1))
    #expect(scene.verdicts.count { $0.action == .opened && $0.rule == .a26 } == live.count)
    let counted = scene.reducer.source(SourceScene.code)?.book.episodes.first { $0.rule == .a26 }
    #expect(Int(counted?.count ?? 0) == naive.missing(by: 42_000))
  }
}
