import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable

@Suite(.serialized) struct `The reconciler in service` {
  /// A request that a generator made, of the kind whose clocks are seconds.
  static func request(seed: UInt64) throws -> HandoffEvent {
    var journeys = JourneyGenerator(seed: seed)
    let events = journeys.events(count: 200)
    var request = try #require(events.first { $0.type == .handoffRequested })
    request.kind = HandoffKind("gp-hospital")
    request.isBackfill = false
    return request
  }

  /// Another message about the same handoff, a minute later.
  private static func next(_ type: EventType, after request: HandoffEvent) -> HandoffEvent {
    var event = request
    event.id = EventID(rawValue: request.id.rawValue &+ 1)
    event.receptionID = ReceptionID(rawValue: request.receptionID.rawValue &+ 1)
    event.messageKey = request.messageKey.map { Token(rawValue: $0.rawValue &+ 1) }
    event.type = type
    event.occurredAt = request.occurredAt.advanced(by: .seconds(60))
    return event
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func
    `a request nobody answers is flagged at its deadline though nothing else arrives, and a late answer resolves it`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let request = try Self.request(seed: 1)
    var answer = Self.next(.received, after: request)
    answer.speaker = .receiver
    answer.spokenBy = request.to?.organisation
    let service = ReconcilerService(bench.configuration(instance: "one"))
    try await bench.whileRunning([service.run]) {
      try await bench.publish([request])
      try await bench.until("A07 opened") {
        try await bench.verdicts().contains { $0.rule == .a07 && $0.action == .opened }
      }
      try await bench.publish([answer])
      try await bench.until("A07 resolved") {
        try await bench.verdicts().contains { $0.rule == .a07 && $0.action == .resolved }
      }
    }
    let silence = try await bench.verdicts().filter { $0.rule == .a07 }
    #expect(silence.map(\.action) == [.opened, .resolved])
    #expect(silence.map(\.revision) == [1, 2])
    let lateness = try #require(silence.last?.lateness)
    #expect(lateness > .zero)
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `the oldest open handoff is known without snapshots, and that it is not open any more`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let request = try Self.request(seed: 1)
    let cancelled = Self.next(.cancelled, after: request)
    var configuration = bench.configuration(instance: "one")
    configuration.lookInterval = .milliseconds(10)
    let service = ReconcilerService(configuration)
    // Nothing was open when it was restored: whatever is known was looked for since.
    try await bench.whileJudging(service) {
      try await bench.publish([request])
      try await bench.until("it is known") {
        service.status.snapshot.partitions.values.contains { $0.oldestOpen != nil }
      }
      try await bench.publish([cancelled])
      try await bench.until("it is forgotten") {
        service.status.snapshot.partitions.values.allSatisfy { $0.oldestOpen == nil }
      }
    }
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `an aborted transaction of events leaves no trace`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let aborted = try Self.request(seed: 2)
    let kept = try Self.request(seed: 3)
    let producer = try KafkaTransactionalProducer(bench.kafka, transactionalID: "test")
    try await producer.initTransactions(within: .seconds(30))
    let transaction = try await producer.beginTransaction()
    _ = try await transaction.send([KafkaMessage(topic: .events, WireCodec().encode(aborted))])
    try await transaction.abort(within: .seconds(30))
    await producer.close()
    let service = ReconcilerService(bench.configuration(instance: "one"))
    try await bench.whileRunning([service.run]) {
      try await bench.publish([kept])
      try await bench.until("the kept request flagged") {
        try await bench.verdicts().contains { $0.handoffID == kept.handoffID }
      }
    }
    #expect(try await !bench.verdicts().contains { $0.handoffID == aborted.handoffID })
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `two instances share the partitions and say together what the offline run says`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 4)
    let events = journeys.events(count: 600)
    let first = ReconcilerService(bench.configuration(instance: "one"))
    let second = ReconcilerService(bench.configuration(instance: "two"))
    try await withThrowingTaskGroup { group in
      group.addTask { try await first.run() }
      try await bench.publish(Array(events.prefix(300)))
      try await bench.until("the first owns all") {
        bench.owns(first, ReconcilerBench.partitionCount)
      }
      group.addTask { try await second.run() }
      try await bench.until("both own some") {
        let counts = (
          first.status.snapshot.partitions.count, second.status.snapshot.partitions.count
        )
        return counts.0 > 0 && counts.1 > 0
          && counts.0 + counts.1 == Int(ReconcilerBench.partitionCount)
      }
      try await bench.publish(Array(events.dropFirst(300)))
      try await bench.judgeAll()
      group.cancelAll()
      try await group.waitForAll()
    }
    let live = try await bench.verdicts()
    #expect(CanonicalForm.text(of: live) == (try await bench.offlineRun()))
    #expect(first.status.snapshot.transactionCount > 0)
    #expect(second.status.snapshot.transactionCount > 0)
  }
}
