import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing

/// A mock cluster and clients of it, with what tests need of them.
struct Mock {
  let cluster: KafkaMockCluster

  init(brokers: Int32 = 1, topic: String = "events", partitions: Int32 = 1) throws {
    cluster = try KafkaMockCluster(brokerCount: brokers, logger: .silent)
    try cluster.createTopic(topic, partitions: partitions, replication: 1)
  }

  func configuration(_ properties: [String: String] = [:]) -> KafkaConfiguration {
    .test(cluster.bootstrapServers, properties)
  }

  func consumer(
    group: String = "group", instance: String? = nil, topics: [String] = ["events"],
    properties: [String: String] = [:], hooks: KafkaRebalanceHooks = .init()
  ) throws -> KafkaConsumer {
    // The mock makes a join wait for the session timeout less a second.
    try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: configuration(properties), groupID: group, groupInstanceID: instance,
        topics: topics, sessionTimeout: .milliseconds(6000)), hooks: hooks)
  }
}

extension KafkaConfiguration {
  static func test(
    _ servers: [String], _ properties: [String: String] = [:], statistics: Duration? = nil
  ) -> KafkaConfiguration {
    KafkaConfiguration(
      bootstrapServers: servers, clientID: "test", properties: properties,
      statisticsInterval: statistics, logger: .silent)
  }
}

extension Logger {
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Text messages `from ..< from + count` to one partition.
func messages(
  _ count: Int, from: Int = 0, topic: String = "events", partition: Int32? = 0
) -> [KafkaMessage] {
  (from..<from + count).map { number in
    KafkaMessage(
      topic: topic, partition: partition, key: Array("k\(number)".utf8),
      value: Array("v\(number)".utf8))
  }
}

extension KafkaRecord {
  var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}

/// The first `count` records of a sequence of batches.
func take(_ count: Int, from batches: KafkaBatches) async throws -> [KafkaRecord] {
  var records: [KafkaRecord] = []
  for try await batch in batches {
    records += batch.records
    if records.count >= count { break }
  }
  return records
}

/// A list that several tasks add to.
final class Journal: Sendable {
  private let lines = Mutex<[String]>([])

  var entries: [String] { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// The beginning of each of these partitions.
func beginnings(_ topic: String, _ partitions: Range<Int32> = 0..<1) -> [KafkaPartitionOffset] {
  partitions.map {
    KafkaPartitionOffset(topic: topic, partition: $0, offset: KafkaPartitionOffset.beginning)
  }
}
