import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && BatonExecutable.url != nil
private let isSoak = ProcessInfo.processInfo.environment["BATON_SOAK"] == "1"
/// Another one each run, unless `BATON_SEED` repeats one.
private let seed =
  ProcessInfo.processInfo.environment["BATON_SEED"].flatMap(UInt64.init)
  ?? UInt64.random(in: 0..<1_000_000)

@Suite(.serialized) struct `The reconciler killed with SIGKILL` {
  @Test(.enabled(if: canRun, "\(TestBroker.skipReason), and the built baton"))
  func `at random moments of 2,000 events says what the offline run says`() async throws {
    try await onBrokersThatHideNothing {
      try await killAgainAndAgain($0, eventCount: 2000, killCount: 8)
    }
  }

  @Test(.enabled(if: canRun && isSoak, "takes minutes: set BATON_SOAK=1"))
  func `at random moments of 20,000 events says what the offline run says`() async throws {
    try await onBrokersThatHideNothing {
      try await killAgainAndAgain($0, eventCount: 20_000, killCount: 40)
    }
  }

  /// Runs `body` until it was through without the broker hiding records from a live consumer.
  ///
  /// noida-db 0.2.3 names aborted transactions in every later fetch, so that librdkafka leaves out
  /// what the same producer committed since (`TransactionTests`): people on the move, where a kill
  /// hit while they were written. Such a run proves nothing, so it is made again; Kafka hides none.
  private func onBrokersThatHideNothing(
    _ body: (UInt64) async throws -> Run?
  ) async throws {
    for attempt: UInt64 in 0..<8 {
      if let run = try await body(seed &+ attempt) { return run.compare() }
      print(
        "the broker hid records behind an aborted transaction: seed \(seed &+ attempt) counts not")
    }
    Issue.record("in none of 8 runs the broker showed all records")
  }

  /// What came of a run in which nothing was hidden.
  private struct Run {
    var live: [Verdict]
    var offline: Set<String>
    var killsAtWork: Int

    func compare() {
      let said = CanonicalForm.lines(live)
      #expect(offline.subtracting(said).sorted() == [], "verdicts that are missing")
      #expect(Set(said).subtracting(offline).sorted() == [], "verdicts too many")
      #expect(said.count == live.count, "a verdict was committed twice")
      #expect(Set(live.map(\.rule)).isSuperset(of: [.a01, .a07]))
      #expect(killsAtWork > 0)
      print("\(live.count) verdicts of rules \(Set(live.map(\.rule)).sorted().map(\.rawValue))")
    }
  }

  private func killAgainAndAgain(
    _ seed: UInt64, eventCount: Int, killCount: Int
  ) async throws -> Run? {
    print("seed \(seed): BATON_SEED=\(seed) repeats the events and the plan of the kills")
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var random = SeededGenerator(seed: seed)
    var journeys = JourneyGenerator(seed: seed)
    var events = merged(journeys.events(count: eventCount), using: &random)[...]
    var transactionsSeen = 0
    var killsAtWork = 0
    for kill in 0..<killCount {
      let child = try bench.launch()
      let share = kill == killCount - 1 ? events.count : events.count / (killCount - kill)
      // Some events before the member has joined, some while it reads.
      let early = Int.random(in: 0...share, using: &random)
      try await bench.publish(Array(events.prefix(early)))
      events = events.dropFirst(early)
      if Int.random(in: 0..<4, using: &random) > 0 {
        let before = try await stateRecordCount(bench)
        try await bench.until("a transaction after start \(kill)") {
          transactionsSeen = try await stateRecordCount(bench)
          return transactionsSeen > before
        }
        killsAtWork += 1
      }
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let late = min(Int.random(in: 1...60, using: &random), events.count)
        try await bench.publish(Array(events.prefix(late)))
        events = events.dropFirst(late)
      }
      bench.kill(child)
    }
    try await bench.publish(Array(events))
    guard try await !bench.hidesRecords() else { return nil }
    do {
      try await finish(bench)
    } catch let overdue as ReconcilerBench.Overdue {
      // What is waited for may be among what is hidden.
      guard try await bench.hidesRecords() else { throw overdue }
      return nil
    }
    let live = try await settledVerdicts(bench)
    let offline = try await bench.offlineRun().split(separator: "\n").map(String.init)
    guard try await !bench.hidesRecords() else { return nil }
    return Run(live: live, offline: Set(offline), killsAtWork: killsAtWork)
  }

  /// The events with people merged into others on the way: in chains and rings too, as it comes,
  /// and with what follows still under the old keys.
  private func merged(
    _ events: [HandoffEvent], using random: inout SeededGenerator
  ) -> [HandoffEvent] {
    var merged = events
    for number in 0..<24 {
      let old = merged[Int.random(in: 0..<merged.count, using: &random)].patientKey
      let place = Int.random(in: merged.count / 8..<merged.count * 7 / 8, using: &random)
      var merge = merged[place]
      guard merge.patientKey != old else { continue }
      (merge.newPatientKey, merge.patientKey) = (merge.patientKey, old)
      merge.id = EventID(rawValue: UInt128(number) << 64 | UInt128(random.next()))
      merge.receptionID = ReceptionID(rawValue: merge.id.rawValue)
      merge.type = .patientMerged
      merge.handoffID = nil
      merged.insert(merge, at: place)
    }
    return merged
  }

  private func stateRecordCount(_ bench: ReconcilerBench) async throws -> Int {
    try await TopicScan(bench.kafka, topic: .reconcilerState).committedEnds()
      .reduce(0) { $0 + Int($1.offset) }
  }

  private func finish(_ bench: ReconcilerBench) async throws {
    let child = try bench.launch()
    // What a reconciler writes of a person who moves is read in turn, from key to key.
    for _ in 0..<6 {
      try await bench.judgeAll()
    }
    bench.kill(child)
    // Whatever it had open is aborted by its successor, as after every kill.
    let last = try bench.launch()
    let before = try await bench.committed()
    try await bench.until("the successor at work") { try await bench.committed() != before }
    bench.kill(last)
  }

  /// The verdicts with nothing open above them: what the killed member was writing is aborted
  /// here, as its successor would do it.
  private func settledVerdicts(_ bench: ReconcilerBench) async throws -> [Verdict] {
    try await bench.settle()
    return try await bench.verdicts()
  }
}
