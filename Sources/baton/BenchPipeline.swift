import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// The reconciler on Kafka with transactions, beside a bare loop over the same records.
///
/// Each on an empty broker: a second reconciler would restore the memory of the first, and whoever
/// comes second finds a broker with more to look after.
struct PipelineBench {
  let sizes: BenchSizes
  let bootstrap: String
  /// `nil` where it is a broker that others use too.
  var broker: BenchBroker?

  private static let partitionCount: Int32 = 4

  enum Part {
    case bare, pipeline
  }

  /// What one of the two took.
  struct Side {
    var wall: Double
    var cpu: Double
    /// Processor time of a broker of our own, with reading back what was written.
    var broker = 0.0
    /// Keys, values and headers written for each event.
    var bytesEach: Double

    init(_ measured: (wall: Double, cpu: Double), bytesEach: Double) {
      (wall, cpu) = measured
      self.bytesEach = bytesEach
    }
  }

  private static let copyTopic = "baton-bench-copy"

  /// What one of the two took, on a broker that holds the events and nothing else.
  func run(_ part: Part) async throws -> Side {
    let before = broker?.processorSeconds ?? 0
    var side = try await part == .bare ? bareLoop() : reconcile()
    side.broker = (broker?.processorSeconds ?? 0) - before
    return side
  }

  static func results(of events: Int, bare: Side, pipeline: Side) -> [BenchResult] {
    let (rate, bareRate) = (Double(events) / pipeline.wall, Double(events) / bare.wall)
    return [
      BenchResult("pipeline on Kafka, with transactions", "events/s", [rate]),
      BenchResult(
        "pipeline, processor time for \(events) events", "CPU seconds", [pipeline.cpu]),
      BenchResult("pipeline, broker's processor time", "CPU seconds", [pipeline.broker]),
      BenchResult("bare consume-and-produce loop", "events/s", [bareRate]),
      BenchResult("bare loop, processor time for the same", "CPU seconds", [bare.cpu]),
      BenchResult("bare loop, broker's processor time", "CPU seconds", [bare.broker]),
      BenchResult("pipeline, written for an event", "bytes", [pipeline.bytesEach]),
      BenchResult("bare loop, written for an event", "bytes", [bare.bytesEach]),
      BenchResult("pipeline beside bare loop", "ratio", [rate / bareRate]),
    ]
  }

  private var kafka: KafkaConfiguration {
    KafkaConfiguration(
      bootstrapServers: bootstrap.split(separator: ",").map { String($0) }, clientID: "baton-bench",
      properties: ["receive.message.max.bytes": "1000000000"])
  }

  /// Makes the topics and writes the events, which all runs read.
  func prepare() async throws {
    let administrator = try TopicAdministrator(kafka)
    let sizesOfTopics = TopicSizes(partitions: Self.partitionCount, replication: 1)
    let plan = try await administrator.plan(sizes: sizesOfTopics)
    guard plan.steps.allSatisfy({ if case .create = $0 { true } else { false } }) else {
      await administrator.close()
      throw CommandFailure(
        .usage, "The broker at \(bootstrap) holds topics of ours already.",
        advice: "Bench on an empty broker: the events it writes are invented.")
    }
    try await administrator.apply(plan)
    await administrator.close()
    let admin = try KafkaAdmin(kafka)
    _ = try await admin.createTopics([
      .init(name: Self.copyTopic, partitions: Self.partitionCount, replication: 1)
    ])
    await admin.close()
    let producer = try KafkaProducer(kafka)
    let codec = WireCodec()
    var next = 0
    while next < sizes.events {
      let end = min(next + 5_000, sizes.events)
      _ = try await producer.send(
        (next..<end).map { KafkaMessage(topic: .events, codec.encode(BenchEvent.request($0))) })
      next = end
    }
    await producer.close()
  }

  /// The reconciler as it runs in service, from when it has taken its partitions to the last event.
  private func reconcile() async throws -> Side {
    let configuration = ReconcilerConfiguration(
      kafka: kafka, groupID: "bench-reconciler", instanceID: "bench")
    let service = ReconcilerService(configuration)
    let count = UInt64(sizes.events)
    var (done, measured) = try await BenchService.whileRunning([service.run]) {
      while service.status.snapshot.partitions.count < Int(Self.partitionCount) {
        try await ContinuousClock().sleep(for: .milliseconds(1))
      }
      // Nothing, unless this task was kept waiting for longer than a transaction takes.
      let done = service.status.snapshot.recordCount
      let measured = try await BenchMeter.measure {
        while service.status.snapshot.recordCount < count {
          try await ContinuousClock().sleep(for: .milliseconds(10))
        }
      }
      return (done, measured)
    }
    guard done < count else { throw BenchFault.wrongCount }
    measured.wall *= Double(count) / Double(count - done)
    // Each event is of another person, so each leaves one memory in the changelog.
    var persons: Set<[UInt8]> = []
    var bytes = 0
    try await readCommitted(Topic.reconcilerState.name) { record in
      bytes += Self.byteCount(record)
      if let key = record.key, key != Array("partition".utf8) { persons.insert(key) }
    }
    guard persons.count == sizes.events else { throw BenchFault.wrongCount }
    return Side(measured, bytesEach: Double(bytes) / Double(sizes.events))
  }

  /// Consumes, writes each event again as it is, commits both every 100 ms; then counts what a
  /// reader of committed records finds, and its bytes.
  private func bareLoop() async throws -> Side {
    let loop = try KafkaCopyLoop(kafka, groupID: "bench-bare", transactionalID: "bench-bare")
    let outcome = await Result(catching: {
      try await BenchMeter.measure {
        try await loop.copy(
          sizes.events, from: Topic.events.name, partitionCount: Self.partitionCount,
          to: Self.copyTopic, every: .milliseconds(100))
      }
    })
    await loop.close()
    let measured = try outcome.get()
    var (copies, bytes) = (0, 0)
    try await readCommitted(Self.copyTopic) { record in
      copies += 1
      bytes += Self.byteCount(record)
    }
    guard copies == sizes.events else { throw BenchFault.wrongCount }
    return Side(measured, bytesEach: Double(bytes) / Double(sizes.events))
  }

  private static func byteCount(_ record: KafkaRecord) -> Int {
    (record.key?.count ?? 0) + (record.value?.count ?? 0)
      + record.headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
  }

  /// What a reader of committed records finds in a topic, from its beginning to its end.
  private func readCommitted(_ topic: String, _ body: (KafkaRecord) -> Void) async throws {
    let reader = try KafkaReader(kafka)
    let starts = (0..<Self.partitionCount).map {
      KafkaPartitionOffset(topic: topic, partition: $0, offset: KafkaPartitionOffset.beginning)
    }
    try await reader.readToEnd(from: starts, within: .seconds(60)) { $0.records.forEach(body) }
    await reader.close()
  }
}
