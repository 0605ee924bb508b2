import HandoffCore
import HandoffStores
import KafkaClient
import Synchronization
import Testing

@testable import HandoffBus

struct IngestPausesTests {
  @Test func `who is shut out again waits longer, whatever was published in between`() {
    var limits = IngestLimits()
    limits.pauseMax = .milliseconds(350)
    var pauses = IngestPauses(limits)
    var fenced: [Duration] = []
    for _ in 0..<4 {
      fenced.append(pauses.failed(isFenced: true))
      pauses.worked()
    }
    #expect(fenced == [100, 200, 350, 350].map(Duration.milliseconds))
    // Any other failure has its own count, and is forgotten once something was published.
    #expect(pauses.failed(isFenced: false) == .milliseconds(100))
    #expect(pauses.failed(isFenced: false) == .milliseconds(200))
    pauses.worked()
    #expect(pauses.failed(isFenced: false) == .milliseconds(100))
  }

  @Test(.timeLimit(.minutes(5)))
  func `that another shut it out is shown, and what waits is published after all`() async throws {
    let bench = try IngestBench()
    bench.publisher.state.withLock {
      $0.failures = [KafkaError(.fenced, disposition: .close)]
    }
    try await bench.take(Sample.request())
    let (service, publisher) = (bench.service, bench.publisher)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try? await service.work() }  // Its end is a cancellation.
      while try publisher.events().isEmpty { await Task.yield() }
      group.cancelAll()
    }
    #expect(service.correlation.current.fencedCount == 1)
    #expect(service.correlation.current.fencedAt != nil)
    // The next look at the table does not forget it.
    #expect(service.correlation.current.entriesMax > 0)
    await bench.close()
  }

  /// Waits until its task is cancelled, and fails as Kafka's own client then does.
  private final class Interrupted: IngestPublisher {
    let opened: AsyncStream<Void>.Continuation

    init(_ opened: AsyncStream<Void>.Continuation) { self.opened = opened }

    func open(restoring restore: (CorrelationChange) -> Void) async throws(KafkaError) {
      opened.yield()
      let (never, keep) = AsyncStream.makeStream(of: Void.self)
      for await _ in never {}
      withExtendedLifetime(keep) {}
      throw KafkaError(.invalidState, message: "interrupted", disposition: .close)
    }

    func follow(_ body: (CorrelationChange) -> Void) async throws(KafkaError) {}
    func publish(
      _ messages: [KafkaMessage], consumed: [KafkaPartitionOffset]
    ) async throws(KafkaError) {}
    func readEvents(_ body: ([HandoffEvent]) async throws -> Void) async throws {}
    func close() async {}
  }

  @Test(.timeLimit(.minutes(5)))
  func `what fails because ingest is told to end is told as no fault`() async throws {
    let (opened, open) = AsyncStream.makeStream(of: Void.self)
    let bench = try IngestBench(through: Interrupted(open))
    let service = bench.service
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await service.work() }  // Its end is a cancellation.
      for await _ in opened { break }
      group.cancelAll()
    }
    let lines = bench.logLines.all.withLock { $0 }
    #expect(!lines.contains { $0.contains("Ingest waits") }, "\(lines)")
    await bench.close()
  }
}
