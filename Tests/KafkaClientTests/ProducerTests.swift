import CLibrdkafka
import Synchronization
import Testing

@testable import KafkaClient

@Suite struct ProducerTests {
  @Test func `keys, values and headers come back as they were sent, null and empty apart`()
    async throws
  {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    let sent = [
      KafkaMessage(
        topic: "events", partition: 0, key: [1, 0, 2], value: [0, 255],
        headers: [
          KafkaHeader("trace", "abc"), KafkaHeader("none", nil), KafkaHeader("empty", []),
          KafkaHeader("trace", "again"),
        ], timestampMilliseconds: 1_700_000_000_123),
      KafkaMessage(topic: "events", partition: 0, key: nil, value: nil),
      KafkaMessage(topic: "events", partition: 0, key: [], value: []),
    ]
    let deliveries = try await producer.send(sent)
    #expect(deliveries.map(\.offset) == [0, 1, 2])

    let reader = try KafkaReader(mock.configuration())
    try await reader.assign(beginnings("events"))
    let records = try await take(3, from: reader.batches())
    #expect(records.map(\.key) == sent.map(\.key))
    #expect(records.map(\.value) == sent.map(\.value))
    #expect(records.map(\.headers) == sent.map(\.headers))
    #expect(records[0].timestampMilliseconds == 1_700_000_000_123)
    #expect(records[0].timestampType == .create)
    #expect(records[0].header("trace")?.text == "abc")
    #expect(await producer.close() == .closed)
    #expect(await reader.close() == .closed)
  }

  @Test func `errors the broker answers to Produce are survived without gap or repetition`()
    async throws
  {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration(["retry.backoff.ms": "10"]))
    _ = try await producer.send(messages(1))
    try mock.cluster.pushRequestErrors(
      [.notLeader, .requestTimedOut, .notEnoughReplicas], into: .produce, broker: 1)
    let deliveries = try await producer.send(messages(500, from: 1))
    #expect(try mock.cluster.pendingRequestErrors(.produce, broker: 1) == 0)
    #expect(deliveries.map(\.offset) == Array(1...500))
    #expect(await producer.close() == .closed)
  }

  @Test func `an error at InitProducerId is survived`() async throws {
    let mock = try Mock()
    try mock.cluster.pushRequestErrors(
      [.coordinatorLoading, .coordinatorLoading], into: .initProducerID, broker: 1)
    let producer = try KafkaProducer(mock.configuration(["retry.backoff.ms": "10"]))
    #expect(try await producer.send(messages(3)).map(\.offset) == [0, 1, 2])
    #expect(try mock.cluster.pendingRequestErrors(.initProducerID, broker: 1) == 0)
    #expect(await producer.close() == .closed)
  }

  @Test func `a refused message fails its send and says to drop the batch`() async throws {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration(["message.max.bytes": "2000"]))
    var batch = messages(3)
    batch[1].value = Array(repeating: 7, count: 5000)
    batch[1].headers = [KafkaHeader("kept", "ours")]
    let error = await #expect(throws: KafkaError.self) { try await producer.send(batch) }
    #expect(error?.code == .messageTooLarge)
    #expect(error?.disposition == .abortTransaction)
    #expect(try await producer.send(messages(1)).count == 1)
    #expect(await producer.close() == .closed)
  }

  @Test func `a partition that does not exist is refused before librdkafka frees headers twice`()
    async throws
  {
    let mock = try Mock(partitions: 2)
    let producer = try KafkaProducer(mock.configuration())
    var batch = messages(1, partition: 2)
    batch[0].headers = [KafkaHeader("a", "b")]
    let error = await #expect(throws: KafkaError.self) { try await producer.send(batch) }
    #expect(error?.code == .unknownPartition)
    #expect(try await producer.partitionCount("events") == 2)
    #expect(await producer.close() == .closed)
  }

  /// Trap 8 from within: past the check, librdkafka refuses and the headers are still ours once.
  @Test func `headers are freed once where librdkafka refuses the partition`() async throws {
    let mock = try Mock(partitions: 2)
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(1))
    let handle = try KafkaHandle(
      .producer, configuration: mock.configuration(), settings: [:], events: 0)
    let refusal = try await handle.call("produce", within: .seconds(10)) { client in
      let topic = rd_kafka_topic_new(client.pointer, "events", nil)
      defer { rd_kafka_topic_destroy(topic) }
      var metadata: UnsafePointer<rd_kafka_metadata>?
      rd_kafka_metadata(client.pointer, 0, topic, &metadata, 5000)
      rd_kafka_metadata_destroy(metadata)
      var message = messages(1, partition: 7)[0]
      message.headers = [KafkaHeader("a", "b")]
      return topic.flatMap {
        NativeMessage.produce(message, to: $0, client: client.pointer, opaque: nil)
      }
    }
    #expect(refusal?.code == .unknownPartition)
    #expect(await handle.destroy(within: .seconds(5)))
    #expect(await producer.close() == .closed)
  }

  @Test func `a full producer suspends its senders instead of failing`() async throws {
    let mock = try Mock()
    let limits = KafkaProducerLimits(messageCountMax: 10, byteCountMax: 1 << 20)
    let producer = try KafkaProducer(mock.configuration(), limits: limits)
    let deliveries = try await producer.send(messages(300))
    #expect(deliveries.map(\.offset) == Array(0..<300))
    #expect(await producer.close() == .closed)
  }

  @Test func `after a fatal error every call says close`() async throws {
    let mock = try Mock()
    let core = try ProducerCore(
      configuration: mock.configuration(), settings: ["enable.idempotence": "true"],
      limits: .init())
    _ = try await core.send(messages(1))
    _ = try core.handle.use { client in
      rd_kafka_test_fatal_error(
        client.pointer, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "injected")
    }
    let error = await #expect(throws: KafkaError.self) { try await core.send(messages(1)) }
    #expect(error?.disposition == .close)
    #expect(error?.isFatal == true)
    #expect(error?.code == .outOfOrderSequence)
    #expect(await core.close(within: .seconds(5)) == .closed)
  }

  @Test func `closing while no broker answers is bounded, and fails what is under way`()
    async throws
  {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(1))
    try mock.cluster.setBroker(1, isUp: false)
    let start = ContinuousClock.now
    async let failure = #expect(throws: KafkaError.self) {
      try await producer.send(messages(5, from: 1))
    }
    #expect(await producer.close(within: .seconds(2)) == .closed)
    _ = await failure
    #expect(ContinuousClock.now - start < .seconds(30))
    let late = await #expect(throws: KafkaError.self) { try await producer.send(messages(1)) }
    #expect(late?.disposition == .close)
  }
}
