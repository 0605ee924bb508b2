import HandoffCore
import TestSupport
import Testing

/// What holds of every log, where silence waits for a source that falls behind and catches up.
@Suite struct SlowSourceTests {
  private static let seeds = Array(0..<24 as Range<UInt64>)

  private static func reducer() -> PersonReducer {
    PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
  }

  /// Journeys under words on their source, which is now and then some hours behind.
  private static func records(_ seed: UInt64) -> [EventRecord] {
    var generator = JourneyGenerator(seed: seed)
    var random = SeededGenerator(seed: seed)
    let lags: [Elapsed] = [.zero, .minutes(5), .hours(1), .hours(5), .hours(30)]
    var contents: [(EventRecord.Content, at: Timestamp)] = []
    var completeUpTo = Timestamp.distantPast
    for record in generator.records(count: 200) {
      if Int.random(in: 0..<4, using: &random) == 0 || contents.isEmpty {
        let lag = lags[Int.random(in: 0..<lags.count, using: &random)]
        let reached = record.brokerAt.advanced(by: Elapsed(nanoseconds: -lag.nanoseconds))
        completeUpTo = max(completeUpTo, reached)
        let word = SourceState(
          source: JourneyGenerator.code("generator"), condition: .running,
          completeUpTo: completeUpTo)
        contents.append((.sourceState(word), record.brokerAt))
      }
      contents.append((record.content, record.brokerAt))
    }
    return contents.enumerated().map { offset, content in
      JourneyGenerator.record(content.0, at: content.at, offset: offset)
    }
  }

  /// A year after the last record: beyond every clock and every memory.
  private static func end(of records: [EventRecord]) -> Timestamp {
    (records.last?.brokerAt ?? JourneyGenerator.start).advanced(by: .hours(365 * 24))
  }

  private static func people(of reducer: PersonReducer) -> [Person] {
    reducer.keys.compactMap { reducer.person(for: $0) }
  }

  @Test func `somebody waits, and is judged when the source has caught up`() {
    var (waits, opened) = (0, 0)
    for seed in Self.seeds {
      var reducer = Self.reducer()
      for record in Self.records(seed) {
        let said = reducer.apply(record)
        if case .sourceState = record.content { opened += said.count { $0.action == .opened } }
        waits += Self.people(of: reducer).count { $0.alerts.contains { $0.hangsOn != nil } }
      }
    }
    #expect(waits > 0 && opened > 0)
  }

  @Test(arguments: seeds)
  func `a batch that is taken back and comes again leaves no trace`(seed: UInt64) {
    let all = Self.records(seed)
    var random = SeededGenerator(seed: seed)
    var (tried, plain) = (Self.reducer(), Self.reducer())
    var next = all[...]
    while !next.isEmpty {
      let batch = next.prefix(Int.random(in: 1...40, using: &random))
      tried.beginBatch()
      for record in batch { _ = tried.apply(record) }
      tried.rollBackBatch()
      for record in batch { #expect(tried.apply(record) == plain.apply(record)) }
      next = next.dropFirst(batch.count)
    }
    #expect(tried.advance(to: Self.end(of: all)) == plain.advance(to: Self.end(of: all)))
  }

  @Test(arguments: seeds)
  func `ticks change nothing of what waits`(seed: UInt64) {
    let all = Self.records(seed)
    let withoutTicks = all.filter { if case .tick = $0.content { false } else { true } }
    func said(_ records: [EventRecord]) -> String {
      var reducer = Self.reducer()
      var verdicts = records.flatMap { reducer.apply($0) }
      verdicts += reducer.advance(to: Self.end(of: records))
      return CanonicalForm.text(of: verdicts)
    }
    #expect(withoutTicks.count < all.count)
    #expect(said(withoutTicks) == said(all))
  }

  @Test(arguments: seeds)
  func `a reducer put back from its state goes on waiting`(seed: UInt64) throws {
    let all = Self.records(seed)
    var original = Self.reducer()
    for record in all.prefix(all.count / 2) { _ = original.apply(record) }
    var restored = Self.reducer()
    try restored.restore(original.state)
    for person in Self.people(of: original) { try restored.restore(person) }
    for record in all.dropFirst(all.count / 2) {
      #expect(restored.apply(record) == original.apply(record))
    }
    let end = Self.end(of: all)
    #expect(restored.advance(to: end) == original.advance(to: end))
    #expect(restored.state == original.state)
  }
}
