import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

/// A proxy stands for one broker only, and none but ours can be restarted.
private let canRun =
  TestBroker.isAvailable && !TestBroker.isExternal && BatonExecutable.url != nil
private let reason = "\(TestBroker.skipReason) of the tests' own, and the built baton"

@Suite(.serialized, .enabled(if: canRun, "\(reason)"))
struct `A fault at a chosen moment leaves what the offline run says` {
  private let bench: ReconcilerBench
  private let proxy: LossyProxy
  private let events: [HandoffEvent]

  init() async throws {
    bench = try await ReconcilerBench()
    proxy = try LossyProxy(before: bench.broker)
    var journeys = JourneyGenerator(seed: 21)
    events = journeys.events(count: 300)
  }

  private func end() {
    #expect(proxy.stop())
    bench.broker.stop()
  }

  // MARK: Killed

  @Test func `killed between its records and the end of their transaction`() async throws {
    defer { end() }
    let child = try await processInOpenTransaction()
    bench.kill(child)
    try await bench.until("its connection gone") { proxy.keptCount(.endTransaction) == 0 }
    proxy.letGo(.endTransaction)
    try await finish()
  }

  @Test func `killed before it hears that its transaction is committed`() async throws {
    defer { end() }
    proxy.lose(.endTransaction, .max)
    let child = try bench.launch(behind: proxy)
    defer { bench.kill(child) }
    try await bench.publish(Array(events.prefix(100)))
    try await bench.until("a commit unheard of") { proxy.lostCount(.endTransaction) > 0 }
    bench.kill(child)
    #expect(try await bench.committed().values.contains { $0 > 0 })
    try await finish()
  }

  // MARK: Revoked while publishing

  @Test func `a partition asked for by another while its transaction is open`() async throws {
    defer { end() }
    let first = ReconcilerService(bench.configuration(instance: "one", behind: proxy))
    let second = ReconcilerService(bench.configuration(instance: "two", behind: proxy))
    try await withThrowingTaskGroup { group in
      group.addTask { try await first.run() }
      try await bench.until("all owned by the first") { bench.owns(first, 3) }
      proxy.keep(.endTransaction)
      try await bench.publish(Array(events.prefix(150)))
      try await bench.until("an open transaction") { proxy.keptCount(.endTransaction) > 0 }
      let joins = proxy.seenCount(.joinGroup)
      group.addTask { try await second.run() }
      try await bench.until("the second joining") { proxy.seenCount(.joinGroup) > joins }
      #expect(bench.owns(second, 0))
      proxy.letGo(.endTransaction)
      try await bench.until("both owning some") {
        let counts = [first, second].map { $0.status.snapshot.partitions.count }
        return !bench.owns(first, 0) && counts.reduce(0, +) == 3 && !counts.contains(0)
      }
      try await bench.publish(Array(events.dropFirst(150)))
      try await bench.judgeAll()
      group.cancelAll()
      try await group.waitForAll()
    }
    #expect(second.status.snapshot.transactionCount > 0)
    try await bench.expectNothingMissingNothingExtra()
  }

  @Test func `told to end in the middle of a batch`() async throws {
    defer { end() }
    let leaving = try await processInOpenTransaction()
    defer { bench.kill(leaving) }
    let before = try await bench.committed()
    leaving.terminate()
    _ = try await bench.committed()
    #expect(leaving.isRunning, "it ends what it has begun first")
    proxy.letGo(.endTransaction)
    try await bench.until("it has ended") { !leaving.isRunning }
    #expect(leaving.terminationStatus == 0)
    #expect(try await bench.committed() != before, "what it had begun is committed")
    try await finish()
  }

  // MARK: A zombie

  @Test func `stopped with its transaction open, replaced, and woken up again`() async throws {
    defer { end() }
    let zombie = try await processInOpenTransaction()
    defer { bench.kill(zombie) }
    Foundation.kill(zombie.processIdentifier, SIGSTOP)
    let successor = try bench.launch()
    defer { bench.kill(successor) }
    // What the zombie had begun is aborted, and its successor reads the same events.
    try await bench.judgeAll()
    proxy.letGo(.endTransaction)
    try await bench.until("the zombie refused") { !proxy.errors(.endTransaction).isEmpty }
    Foundation.kill(zombie.processIdentifier, SIGCONT)
    // It is told by the broker that it is fenced, and begins again from the committed state: now
    // the other is the zombie.
    let joins = proxy.seenCount(.joinGroup)
    try await bench.publish(Array(events.dropFirst(100)))
    try await bench.until("the zombie back in the group") { proxy.seenCount(.joinGroup) > joins }
    bench.kill(zombie)
    bench.kill(successor)
    // INVALID_PRODUCER_EPOCH, or PRODUCER_FENCED of newer brokers.
    #expect(Set(proxy.errors(.endTransaction)).isSubset(of: [47, 90]))
    try await finish(publishing: 0)
  }

  // MARK: Refused and lost

  @Test func `a transaction that has to be aborted`() async throws {
    defer { end() }
    let service = ReconcilerService(bench.configuration(instance: "one", behind: proxy))
    // GROUP_AUTHORIZATION_FAILED: nothing but an abort heals it.
    proxy.refuse(.addOffsetsToTransaction, with: [30, 30, 30])
    try await bench.whileJudging(service) { try await bench.publish(events) }
    #expect(proxy.refusedCount(.addOffsetsToTransaction) == 3)
    #expect(service.status.snapshot.abortCount == 3)
    #expect(service.status.snapshot.rejoinCount == 0)
    try await bench.expectNothingMissingNothingExtra()
  }

  @Test(arguments: [
    LossyProxy.Request.produce, .addOffsetsToTransaction, .commitTransactionOffsets,
    .endTransaction,
  ])
  func `answers lost on the way back`(to request: LossyProxy.Request) async throws {
    defer { end() }
    let service = ReconcilerService(bench.configuration(instance: "one", behind: proxy))
    try await bench.whileJudging(service) {
      for part in 0..<3 {
        // Counted first: ticks go on, and one may be the first to lose its answer.
        let lost = proxy.lostCount(request)
        proxy.lose(request, 2)
        try await bench.publish(Array(events.dropFirst(part * 100).prefix(100)))
        try await bench.until("answers lost") { proxy.lostCount(request) >= lost + 2 }
      }
    }
    #expect(proxy.lostCount(request) == 6)
    try await bench.expectNothingMissingNothingExtra()
  }

  /// The transaction is committed, which nobody hears of, and when its end is asked for again the
  /// coordinator has forgotten the producer (INVALID_PRODUCER_ID_MAPPING, UNKNOWN_PRODUCER_ID) or the
  /// transaction (INVALID_TXN_STATE): it must not be taken for an abort.
  @Test(arguments: [49, 59, 48] as [Int16])
  func `a commit whose end is forgotten`(error: Int16) async throws {
    defer { end() }
    let service = ReconcilerService(bench.configuration(instance: "one", behind: proxy))
    try await bench.whileJudging(service) {
      proxy.lose(.endTransaction, 1, then: [error])
      try await bench.publish(events)
      try await bench.until("refused") { proxy.refusedCount(.endTransaction) > 0 }
    }
    #expect(proxy.lostCount(.endTransaction) == 1)
    #expect(proxy.refusedCount(.endTransaction) == 1)
    try await bench.expectNothingMissingNothingExtra()
  }

  // MARK: A broker restarted

  /// What clients see of a broker that is ended in good order and comes back: connections cut in the
  /// middle of transactions, nobody there for a while, then a coordinator that is another's or still
  /// reads its own log.
  @Test func `a broker that is gone for a while and whose coordinator comes back late`()
    async throws
  {
    defer { end() }
    let service = ReconcilerService(bench.configuration(instance: "one", behind: proxy))
    try await bench.whileJudging(service) {
      for part in 0..<3 {
        try await openTransaction(publishing: part)
        let turnedAway = proxy.turnedAwayCount
        proxy.takeDown()
        try await bench.until("who comes back turned away") {
          proxy.turnedAwayCount > turnedAway + 3
        }
        // NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS.
        for request in [LossyProxy.Request.endTransaction, .addOffsetsToTransaction] {
          proxy.refuse(request, with: [16, 15, 14])
        }
        proxy.letGo(.endTransaction)
        proxy.bringUp()
      }
    }
    #expect(proxy.refusedCount(.endTransaction) == 9)
    #expect(service.status.snapshot.rejoinCount == 0, "an outage costs nobody their state")
    try await bench.expectNothingMissingNothingExtra()
  }

  /// Nobody is connected when it ends: noida-db forgets what it acknowledges while it saves, and
  /// what was open (decision 0008).
  @Test func `a broker that is ended in good order between two reconcilers`() async throws {
    defer { end() }
    for part in 0..<3 {
      let service = ReconcilerService(bench.configuration(instance: "one"))
      try await bench.whileJudging(service) {
        try await bench.publish(Array(events.dropFirst(part * 100).prefix(100)))
      }
      let before = try await bench.committed()
      try bench.broker.restart()
      #expect(try await bench.committed() == before)
    }
    try await bench.expectNothingMissingNothingExtra()
  }
}

extension `A fault at a chosen moment leaves what the offline run says` {
  /// A reconciler whose records of a first batch are written, and whose commit is kept from the
  /// broker.
  private func processInOpenTransaction() async throws -> Process {
    let child = try bench.launch(behind: proxy)
    try await bench.publish(Array(events.prefix(20)))
    // One that has ended first: whoever comes next has something to restore.
    try await bench.until("a transaction") { try await !bench.committed().isEmpty }
    proxy.keep(.endTransaction)
    try await bench.publish(Array(events.prefix(100).dropFirst(20)))
    try await bench.until("an open transaction") { proxy.keptCount(.endTransaction) > 0 }
    return child
  }

  /// Publishes a hundred events; some stand in a transaction whose end is kept from the broker.
  private func openTransaction(publishing part: Int) async throws {
    proxy.keep(.endTransaction)
    try await bench.publish(Array(events.dropFirst(part * 100).prefix(100)))
    try await bench.until("an open transaction") { proxy.keptCount(.endTransaction) > 0 }
  }

  /// Lets a successor on the broker itself end the work, and compares.
  private func finish(publishing share: Int = 200) async throws {
    let successor = try bench.launch()
    defer { bench.kill(successor) }
    try await bench.publish(Array(events.suffix(share)))
    try await bench.judgeAll()
    bench.kill(successor)
    try await bench.expectNothingMissingNothingExtra()
  }
}
