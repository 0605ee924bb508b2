import TestSupport
import Testing

@testable import KafkaClient

/// Logs that became shorter than what was read from them (kafka.md trap 5), as librdkafka and a
/// broker really show them.
@Suite struct TruncationTests {
  /// A consumer that was at offset 10 of a log that now ends at 3.
  private func consumer(
    _ mock: Mock, _ reset: KafkaConsumerConfiguration.OffsetReset
  ) throws -> KafkaConsumer {
    try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: mock.configuration(), groupID: "group", topics: ["events"], offsetReset: reset,
        sessionTimeout: .milliseconds(6000)),
      hooks: .init(onAssigned: { $0.map { KafkaPartitionOffset($0, offset: 10) } }))
  }

  private func shortLog() async throws -> Mock {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(3))
    #expect(await producer.close() == .closed)
    return mock
  }

  @Test func `a log that ends before the place to start at is told with its records, once`()
    async throws
  {
    let mock = try await shortLog()
    let consumer = try consumer(mock, .earliest)
    var (records, truncations) = ([KafkaRecord](), [KafkaTruncation]())
    for try await batch in consumer.batches() {
      records += batch.records
      truncations += batch.truncations
      if records.count >= 3 { break }
    }
    #expect(records.map(\.offset) == [0, 1, 2])
    let partition = KafkaTopicPartition(topic: "events", partition: 0)
    #expect(truncations == [KafkaTruncation(partition, expected: 10, found: 0)])
    #expect(await consumer.close() == .closed)
  }

  @Test func `who may not skip anything gets an error instead of the shorter log`() async throws {
    let mock = try await shortLog()
    let consumer = try consumer(mock, .error)
    let ofConsumer = await #expect(throws: KafkaError.self) {
      _ = try await take(1, from: consumer.batches())
    }
    #expect(ofConsumer?.code == .offsetReset)
    let reader = try KafkaReader(mock.configuration())
    try await reader.assign([KafkaPartitionOffset(topic: "events", partition: 0, offset: 10)])
    let ofReader = await #expect(throws: KafkaError.self) {
      _ = try await take(1, from: reader.batches())
    }
    #expect(ofReader?.code == .offsetReset)
    #expect(ofReader?.disposition == .close)
    #expect(await consumer.close() == .closed)
    #expect(await reader.close() == .closed)
  }

  @Test(.enabled(if: TestBroker.isAvailable, "\(TestBroker.skipReason)"))
  func `a topic made anew with fewer records between two reads is told as truncated`()
    async throws
  {
    let broker = try TestBroker.start()
    let topic = "anew-\(UInt32.random(in: 0...UInt32.max))"
    let specification = KafkaAdmin.TopicSpecification(name: topic, partitions: 1, replication: 1)
    let configuration = KafkaConfiguration.test(broker.bootstrapServers)
    let admin = try KafkaAdmin(configuration)
    try await admin.createTopics([specification])
    let producer = try KafkaProducer(configuration)
    _ = try await producer.send(messages(10, topic: topic))
    #expect(await producer.close() == .closed)
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: configuration, groupID: "group-\(topic)", groupInstanceID: "one", topics: [topic]))
    let before = try await take(10, from: consumer.batches())
    #expect(before.map(\.offset) == Array(0..<10))

    // Paused, it does not see the moment without the topic, which would end its assignment.
    let partition = KafkaTopicPartition(topic: topic, partition: 0)
    try consumer.pause([partition])
    try await admin.deleteTopics([topic])
    try await admin.createTopics([specification])
    let next = try KafkaProducer(configuration)
    _ = try await next.send(messages(4, from: 100, topic: topic))
    #expect(await next.close() == .closed)
    try consumer.resume([partition])

    var (texts, truncations) = ([String?](), [KafkaTruncation]())
    for try await batch in consumer.batches() {
      texts += batch.records.map(\.text)
      truncations += batch.truncations
      if texts.count >= 4 { break }
    }
    #expect(texts == ["v100", "v101", "v102", "v103"])
    #expect(truncations == [KafkaTruncation(partition, expected: 10, found: 0)])
    #expect(await consumer.close() == .closed)
    #expect(await admin.close() == .closed)
    broker.stop()
  }
}
