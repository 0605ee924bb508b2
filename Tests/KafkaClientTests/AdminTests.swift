import Foundation
import TestSupport
import Testing

@testable import KafkaClient

@Suite(.enabled(if: TestBroker.isAvailable, "\(TestBroker.skipReason)"))
struct AdminTests {
  @Test func `topics are made, described, altered, widened and deleted`() async throws {
    let broker = try TestBroker.start()
    let admin = try KafkaAdmin(.test(broker.bootstrapServers))
    let name = "made-\(UInt32.random(in: 0...UInt32.max))"
    let topic = KafkaAdmin.TopicSpecification(
      name: name, partitions: 3, replication: 1, configs: ["cleanup.policy": "compact"])
    #expect(try await admin.createTopics([topic]) == [])
    #expect(try await admin.createTopics([topic]) == [name])
    #expect(try await admin.topics().contains { $0.name == name && $0.partitions == 3 })
    #expect(try await admin.cluster().brokerCount >= 1)

    try await admin.alterConfigs(name, ["retention.ms": "86400000"])
    let entries = try await admin.describeConfigs(name)
    let values = Dictionary(entries.map { ($0.name, $0.value) }) { first, _ in first }
    #expect(values["cleanup.policy"] == "compact")
    #expect(values["retention.ms"] == "86400000")

    try await admin.createPartitions(name, total: 5)
    #expect(try await admin.topics().contains { $0.name == name && $0.partitions == 5 })
    try await admin.deleteTopics([name])
    let missing = await #expect(throws: KafkaError.self) { try await admin.deleteTopics([name]) }
    #expect(missing?.code == .topicOrPartitionMissing)
    #expect(await admin.close() == .closed)
    broker.stop()
  }

  @Test(.enabled(if: !TestBroker.isExternal, "needs a broker of its own"))
  func `a broker answers, and its absence is an error each time it is asked`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let proxy = try LossyProxy(before: broker)
    defer { #expect(proxy.stop()) }
    let admin = try KafkaAdmin(.test(proxy.bootstrapServers))
    try await admin.answer(within: .seconds(60))
    proxy.takeDown()
    for _ in 0..<2 {
      await #expect(throws: KafkaError.self) { try await admin.answer(within: .milliseconds(200)) }
    }
    proxy.bringUp()
    try await admin.answer(within: .seconds(60))
    await admin.close()
  }

  @Test func `an offset is found by its time`() async throws {
    let broker = try TestBroker.start()
    let name = "timed-\(UInt32.random(in: 0...UInt32.max))"
    let admin = try KafkaAdmin(.test(broker.bootstrapServers))
    try await admin.createTopics([.init(name: name, partitions: 1, replication: 1)])
    let producer = try KafkaProducer(.test(broker.bootstrapServers))
    // Recent, or retention takes the records away.
    let base = Int64(Date().timeIntervalSince1970 * 1000) - 10_000
    _ = try await producer.send(
      (0..<5).map { number in
        var message = messages(1, from: number, topic: name)[0]
        message.timestampMilliseconds = base + Int64(number) * 1000
        return message
      })
    let reader = try KafkaReader(.test(broker.bootstrapServers))
    let partition = KafkaTopicPartition(topic: name, partition: 0)
    #expect(try await reader.offsets([partition], for: base + 1500).map(\.offset) == [2])
    #expect(
      try await reader.offsets([partition], for: base + 99_999).map(\.offset)
        == [KafkaPartitionOffset.end])
    #expect(try await reader.beginningOffsets([partition]).map(\.offset) == [0])
    #expect(await reader.close() == .closed)
    #expect(await producer.close() == .closed)
    #expect(await admin.close() == .closed)
    broker.stop()
  }
}
