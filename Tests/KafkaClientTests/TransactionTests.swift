import TestSupport
import Testing

@testable import KafkaClient

/// What a broker with real transactions must show; the mock cluster fakes them (kafka.md trap 21).
///
/// needs-real-kafka: transaction timeouts, stale generations and the killing of a broker are not
/// enforced by noida-db and not tested here.
@Suite(.enabled(if: TestBroker.isAvailable, "\(TestBroker.skipReason)"))
struct TransactionTests {
  let broker: TestBroker
  let topic = "records-\(UInt32.random(in: 0...UInt32.max))"
  let input = "input-\(UInt32.random(in: 0...UInt32.max))"
  var configuration: KafkaConfiguration { .test(broker.bootstrapServers) }
  var partition: KafkaTopicPartition { KafkaTopicPartition(topic: topic, partition: 0) }

  init() async throws {
    broker = try TestBroker.start()
    let admin = try KafkaAdmin(.test(broker.bootstrapServers))
    try await admin.createTopics([
      .init(name: topic, partitions: 1, replication: 1),
      .init(name: input, partitions: 1, replication: 1),
    ])
    #expect(await admin.close() == .closed)
  }

  private func producer(_ id: String = "owner") async throws -> KafkaTransactionalProducer {
    let producer = try KafkaTransactionalProducer(configuration, transactionalID: "\(id)-\(topic)")
    try await producer.initTransactions(within: .seconds(20))
    return producer
  }

  /// All a client of this isolation can read by now.
  private func visible(_ isolation: KafkaIsolation) async throws -> [String?] {
    let reader = try KafkaReader(configuration, isolation: isolation)
    let ends = try await reader.endOffsets([partition], isolation: isolation)
    var texts: [String?] = []
    try await reader.read(from: beginnings(topic), to: ends, within: .seconds(10)) {
      texts += $0.records.map(\.text)
    }
    #expect(await reader.close() == .closed)
    return texts
  }

  @Test func `a committed transaction is visible, an aborted one is not, under either isolation`()
    async throws
  {
    let producer = try await producer()
    let kept = try await producer.beginTransaction()
    let deliveries = try await kept.send(messages(3, topic: topic))
    #expect(deliveries.map(\.offset) == [0, 1, 2])
    #expect(try await visible(.readCommitted) == [])
    try await kept.commit(within: .seconds(20))
    let dropped = try await producer.beginTransaction()
    _ = try await dropped.send(messages(2, from: 10, topic: topic))
    #expect(try await visible(.readCommitted) == ["v0", "v1", "v2"])
    try await dropped.abort(within: .seconds(20))
    let last = try await producer.beginTransaction()
    try await last.enqueue(messages(1, from: 20, topic: topic))
    try await last.commit(within: .seconds(20))
    #expect(try await visible(.readCommitted) == ["v0", "v1", "v2", "v20"])
    #expect(try await visible(.readUncommitted) == ["v0", "v1", "v2", "v10", "v11", "v20"])
    #expect(await producer.close() == .closed)
    broker.stop()
  }

  /// What a broker names as aborted in a fetch must reach into what was fetched.
  ///
  /// librdkafka leaves out everything of that producer up to the mark of the abort, and finds no
  /// mark that lies before. noida-db 0.2.3 names all that was ever aborted.
  @Test func `what follows an aborted transaction is visible to who reads on behind it`()
    async throws
  {
    let producer = try await producer()
    let dropped = try await producer.beginTransaction()
    _ = try await dropped.send(messages(2, topic: topic))
    try await dropped.abort(within: .seconds(20))
    let kept = try await producer.beginTransaction()
    let deliveries = try await kept.send(messages(2, from: 10, topic: topic))
    try await kept.commit(within: .seconds(20))
    let start = try #require(deliveries.first?.offset)
    let reader = try KafkaReader(configuration)
    let ends = try await reader.endOffsets([partition], isolation: .readCommitted)
    var texts: [String?] = []
    try await reader.read(
      from: [KafkaPartitionOffset(partition, offset: start)], to: ends, within: .seconds(10)
    ) { texts += $0.records.map(\.text) }
    #expect(await reader.close() == .closed)
    withKnownIssue("noida-db names aborted transactions that ended before the fetch") {
      #expect(texts == ["v10", "v11"])
    } when: {
      !TestBroker.isExternal
    }
    #expect(await producer.close() == .closed)
    broker.stop()
  }

  /// After rust-rdkafka's test_transactions.
  @Test func `consumed offsets are committed with the transaction, and not without it`()
    async throws
  {
    let source = try KafkaProducer(configuration)
    _ = try await source.send(messages(10, topic: input))
    let group = "group-\(topic)"
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: configuration, groupID: group, groupInstanceID: "member", topics: [input]))
    let place = KafkaTopicPartition(topic: input, partition: 0)
    let admin = try KafkaAdmin(configuration)
    let producer = try await producer()
    #expect(try await take(10, from: consumer.batches()).count == 10)

    let aborted = try await producer.beginTransaction()
    try await aborted.enqueue(messages(2, topic: topic))
    try await aborted.sendOffsets(
      [KafkaPartitionOffset(place, offset: 5)], metadata: consumer.groupMetadata())
    try await aborted.abort(within: .seconds(20))
    #expect(try await consumer.committed([place]).isEmpty)
    #expect(try await visible(.readCommitted) == [])

    let committed = try await producer.beginTransaction()
    try await committed.enqueue(messages(2, topic: topic))
    try await committed.sendOffsets(
      [KafkaPartitionOffset(place, offset: 7)], metadata: consumer.groupMetadata())
    #expect(try await admin.committedOffsets(ofGroup: group, [place]).isEmpty)
    try await committed.commit(within: .seconds(20))
    #expect(try await consumer.committed([place]).map(\.offset) == [7])
    #expect(try await admin.committedOffsets(ofGroup: group, [place]).map(\.offset) == [7])
    #expect(try await visible(.readCommitted) == ["v0", "v1"])

    #expect(await consumer.close() == .closed)
    #expect(await producer.close() == .closed)
    #expect(await source.close() == .closed)
    #expect(await admin.close() == .closed)
    broker.stop()
  }

  @Test func `a producer whose successor has begun is fenced and can only be closed`()
    async throws
  {
    let zombie = try await producer()
    let open = try await zombie.beginTransaction()
    _ = try await open.send(messages(2, topic: topic))
    let successor = try await producer()
    var error: KafkaError?
    do throws(KafkaError) { try await open.commit(within: .seconds(20)) } catch let failure {
      error = failure
    }
    #expect(error?.disposition == .close)
    let next = try await successor.beginTransaction()
    try await next.enqueue(messages(1, from: 5, topic: topic))
    try await next.commit(within: .seconds(20))
    #expect(try await visible(.readCommitted) == ["v5"])
    #expect(await zombie.close() == .closed)
    #expect(await successor.close() == .closed)
    broker.stop()
  }

  @Test func `restoring to the end waits for an open transaction and counts what is not visible`()
    async throws
  {
    let producer = try await producer()
    let first = try await producer.beginTransaction()
    try await first.enqueue(messages(3, topic: topic))
    try await first.commit(within: .seconds(20))
    let aborted = try await producer.beginTransaction()
    _ = try await aborted.send(messages(2, from: 10, topic: topic))
    try await aborted.abort(within: .seconds(20))
    // Ends in an aborted transaction and its control record: no visible record marks the end.
    let reader = try KafkaReader(configuration)
    var texts: [String?] = []
    try await reader.readToEnd(from: beginnings(topic), within: .seconds(10)) {
      texts += $0.records.map(\.text)
    }
    #expect(texts == ["v0", "v1", "v2"])

    // An open transaction hides the end from a read-committed client.
    let open = try await producer.beginTransaction()
    _ = try await open.send(messages(2, from: 20, topic: topic))
    let stable = try await reader.endOffsets([partition], isolation: .readCommitted)
    let end = try await reader.endOffsets([partition], isolation: .readUncommitted)
    #expect(stable[0].offset < end[0].offset)
    let early = await #expect(throws: KafkaError.self) {
      try await reader.readToEnd(from: beginnings(topic), within: .milliseconds(700)) { _ in }
    }
    #expect(early?.code == .timedOut)
    // The successor's initTransactions ends it; then the end can be reached.
    let successor = try await self.producer()
    var restored: [String?] = []
    try await reader.readToEnd(from: beginnings(topic), within: .seconds(10)) {
      restored += $0.records.map(\.text)
    }
    #expect(restored == ["v0", "v1", "v2"])
    var fenced: KafkaError?
    do throws(KafkaError) { try await open.abort(within: .seconds(20)) } catch let failure {
      fenced = failure
    }
    #expect(fenced?.disposition == .close)
    #expect(await reader.close() == .closed)
    #expect(await producer.close() == .closed)
    #expect(await successor.close() == .closed)
    broker.stop()
  }

  @Test func `a transaction dropped by an error is aborted by the next`() async throws {
    let producer = try await producer()
    func failing() async throws {
      let transaction = try await producer.beginTransaction()
      _ = try await transaction.send(messages(2, topic: topic))
      throw CancellationError()
    }
    await #expect(throws: CancellationError.self) { try await failing() }
    let next = try await producer.beginTransaction()
    let busy = await #expect(throws: KafkaError.self) { _ = try await producer.beginTransaction() }
    #expect(busy?.code == .invalidState)
    try await next.enqueue(messages(1, from: 9, topic: topic))
    try await next.commit(within: .seconds(20))
    #expect(try await visible(.readCommitted) == ["v9"])
    #expect(await producer.close() == .closed)
    broker.stop()
  }
}
