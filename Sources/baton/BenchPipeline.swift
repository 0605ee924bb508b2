import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// The reconciler on Kafka with transactions, beside a bare loop over the same records.
struct PipelineBench {
  let sizes: BenchSizes
  let bootstrap: String

  private static let partitionCount: Int32 = 4
  private static let copyTopic = "baton-bench-copy"

  func run() async throws -> [BenchResult] {
    try await prepare()
    var rates: [Double] = []
    var costs: [Double] = []
    var bareRates: [Double] = []
    var bareCosts: [Double] = []
    for number in 0..<sizes.runs {
      let bare = try await bareLoop(number)
      bareRates.append(Double(sizes.events) / bare.wall)
      bareCosts.append(bare.cpu)
      let pipeline = try await reconcile(number)
      rates.append(Double(sizes.events) / pipeline.wall)
      costs.append(pipeline.cpu)
    }
    let ratios = zip(rates, bareRates).map { $0 / $1 }
    return [
      BenchResult("pipeline on Kafka, with transactions", "events/s", rates),
      BenchResult("pipeline, processor time for \(sizes.events) events", "CPU seconds", costs),
      BenchResult("bare consume-and-produce loop", "events/s", bareRates),
      BenchResult("bare loop, processor time for the same", "CPU seconds", bareCosts),
      BenchResult("pipeline beside bare loop", "ratio", ratios),
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
  private func reconcile(_ number: Int) async throws -> (wall: Double, cpu: Double) {
    let configuration = ReconcilerConfiguration(
      kafka: kafka, groupID: "bench-reconciler-\(number)", instanceID: "bench-\(number)")
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
    return measured
  }

  /// Consumes, writes 250 bytes for each event, commits both every 100 ms; then counts what a
  /// reader of committed records finds.
  private func bareLoop(_ number: Int) async throws -> (wall: Double, cpu: Double) {
    let before = try await committedCopies()
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: kafka, groupID: "bench-bare-\(number)", groupInstanceID: "bench-bare-\(number)",
        topics: [Topic.events.name]))
    let producer = try KafkaTransactionalProducer(kafka, transactionalID: "bench-bare-\(number)")
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
    guard try await committedCopies() - before == sizes.events else { throw BenchFault.wrongCount }
    return measured
  }

  private func committedCopies() async throws -> Int {
    let reader = try KafkaReader(kafka)
    var count = 0
    let starts = (0..<Self.partitionCount).map {
      KafkaPartitionOffset(
        topic: Self.copyTopic, partition: $0, offset: KafkaPartitionOffset.beginning)
    }
    try await reader.readToEnd(from: starts, within: .seconds(60)) { count += $0.records.count }
    await reader.close()
    return count
  }
}
