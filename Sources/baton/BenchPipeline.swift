import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// The reconciler on Kafka with transactions, beside a bare loop over the same records.
///
/// One run on an empty broker: a second reconciler would restore the memory of the first, and find
/// nothing left to do.
struct PipelineBench {
  let sizes: BenchSizes
  let bootstrap: String
  /// `nil` where it is a broker that others use too.
  var broker: BenchBroker?

  private static let partitionCount: Int32 = 4
  private static let copyTopic = "baton-bench-copy"

  func run() async throws -> [BenchResult] {
    try await prepare()
    let start = broker?.processorSeconds ?? 0
    let bare = try await bareLoop()
    let between = broker?.processorSeconds ?? 0
    let pipeline = try await reconcile()
    let end = broker?.processorSeconds ?? 0
    let (rate, bareRate) = (
      Double(sizes.events) / pipeline.wall, Double(sizes.events) / bare.wall
    )
    return [
      BenchResult("pipeline on Kafka, with transactions", "events/s", [rate]),
      BenchResult(
        "pipeline, processor time for \(sizes.events) events", "CPU seconds", [pipeline.cpu]),
      BenchResult("pipeline, broker's processor time", "CPU seconds", [end - between]),
      BenchResult("bare consume-and-produce loop", "events/s", [bareRate]),
      BenchResult("bare loop, processor time for the same", "CPU seconds", [bare.cpu]),
      BenchResult("bare loop, broker's processor time", "CPU seconds", [between - start]),
      BenchResult("pipeline beside bare loop", "ratio", [rate / bareRate]),
    ]
  }

  private var kafka: KafkaConfiguration {
    KafkaConfiguration(
      bootstrapServers: bootstrap.split(separator: ",").map { String($0) }, clientID: "baton-bench",
      properties: ["receive.message.max.bytes": "1000000000"])
  }

  /// Makes the topics and writes the events, which all runs read.
  private func prepare() async throws {
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

  /// The reconciler as it runs in service, from the first event to the last.
  private func reconcile() async throws -> (wall: Double, cpu: Double) {
    let configuration = ReconcilerConfiguration(
      kafka: kafka, groupID: "bench-reconciler", instanceID: "bench")
    let service = ReconcilerService(configuration)
    let measured = try await BenchMeter.measure {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await service.run() }
        defer { group.cancelAll() }
        while service.status.snapshot.recordCount < UInt64(sizes.events) {
          try await ContinuousClock().sleep(for: .milliseconds(10))
        }
      }
    }
    // Each event is of another person, so each leaves one memory in the changelog.
    var persons: Set<[UInt8]> = []
    try await readCommitted(Topic.reconcilerState.name) { record in
      if let key = record.key, key != Array("partition".utf8) { persons.insert(key) }
    }
    guard persons.count == sizes.events else { throw BenchFault.wrongCount }
    return measured
  }

  /// Consumes, writes 250 bytes for each event, commits both every 100 ms; then counts what a
  /// reader of committed records finds.
  private func bareLoop() async throws -> (wall: Double, cpu: Double) {
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: kafka, groupID: "bench-bare", groupInstanceID: "bench-bare",
        topics: [Topic.events.name]))
    let producer = try KafkaTransactionalProducer(kafka, transactionalID: "bench-bare")
    try await producer.initTransactions(within: .seconds(30))
    let payload = [UInt8](repeating: 0x2A, count: 250)
    var count = 0
    let measured = try await BenchMeter.measure {
      let limits = KafkaBatchLimits(countMax: 20_000, waitMax: .milliseconds(100))
      for try await batch in consumer.batches(limits) {
        let transaction = try await producer.beginTransaction()
        try await transaction.enqueue(
          batch.records.map { KafkaMessage(topic: Self.copyTopic, key: $0.key, value: payload) })
        try await transaction.sendOffsets(
          batch.nextOffsets, metadata: try await consumer.groupMetadata())
        try await transaction.commit(within: .seconds(30))
        count += batch.records.count
        if count >= sizes.events { break }
      }
    }
    await consumer.close()
    await producer.close()
    var copies = 0
    try await readCommitted(Self.copyTopic) { _ in copies += 1 }
    guard copies == sizes.events else { throw BenchFault.wrongCount }
    return measured
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
