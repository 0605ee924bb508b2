internal import CLibrdkafka
internal import Foundation
internal import Synchronization

/// What librdkafka measured about one client.
public struct KafkaStatistics: Sendable {
  /// One partition this client reads or writes.
  public struct Partition: Sendable {
    public let topicPartition: KafkaTopicPartition
    /// The first offset kept; negative: not known.
    public let lowOffset: Int64
    /// The end of the log; negative: not known.
    public let highOffset: Int64
    /// Where a read-committed client's reading ends; negative: not known.
    public let stableOffset: Int64
    /// The group's committed offset; negative: none.
    public let committedOffset: Int64
    /// The offset after the last record handed to the application; negative: none.
    public let position: Int64
    /// Records between the committed offset (or the position) and the end; nil: not known.
    public let lag: Int64?
    /// Bytes of records fetched ahead and not yet handed over.
    ///
    /// librdkafka's count of records is of no use: it counts all that waits in the client's queue,
    /// these measurements among them.
    public let fetchedByteCount: Int64
  }

  /// One broker.
  public struct Broker: Sendable {
    public let name: String
    public let isUp: Bool
    /// Mean round trip, in microseconds.
    public let roundTripMicroseconds: Int64
  }

  /// Messages waiting to be sent or acknowledged.
  public let queuedMessageCount: Int64
  /// Their bytes.
  public let queuedByteCount: Int64
  public let partitions: [Partition]
  public let brokers: [Broker]

  /// The lag of all partitions together, of those that are known.
  public var lag: Int64 { partitions.reduce(0) { $0 + ($1.lag ?? 0) } }
}

extension KafkaStatistics {
  /// From librdkafka's JSON; nil if it is not that.
  init?(json: [UInt8]) {
    guard let raw = try? JSONDecoder().decode(Raw.self, from: Data(json)) else { return nil }
    queuedMessageCount = raw.msg_cnt ?? 0
    queuedByteCount = raw.msg_size ?? 0
    partitions = (raw.topics ?? [:]).values.flatMap { topic in
      topic.partitions.values.filter { $0.partition >= 0 }.map { Partition($0, of: topic.topic) }
    }
    .sorted { $0.topicPartition < $1.topicPartition }
    // Negative ids are bootstrap addresses and the group coordinator's second connection.
    brokers = (raw.brokers ?? [:]).values.filter { $0.nodeid >= 0 }.map { broker in
      Broker(
        name: broker.name, isUp: broker.state == "UP", roundTripMicroseconds: broker.rtt?.avg ?? 0)
    }
    .sorted { $0.name < $1.name }
  }

  /// The parts of librdkafka's STATISTICS.md that are read; the names are its own.
  fileprivate struct Raw: Decodable {
    struct Window: Decodable { let avg: Int64? }

    struct Broker: Decodable {
      let name: String
      let nodeid: Int64
      let state: String
      let rtt: Window?
    }

    struct Topic: Decodable {
      let topic: String
      let partitions: [String: Partition]
    }

    struct Partition: Decodable {
      let partition: Int32
      let lo_offset: Int64?
      let hi_offset: Int64?
      let ls_offset: Int64?
      let committed_offset: Int64?
      let app_offset: Int64?
      let consumer_lag: Int64?
      let fetchq_size: Int64?
    }

    let msg_cnt: Int64?
    let msg_size: Int64?
    let brokers: [String: Broker]?
    let topics: [String: Topic]?
  }
}

extension KafkaStatistics.Partition {
  fileprivate init(_ raw: KafkaStatistics.Raw.Partition, of topic: String) {
    topicPartition = KafkaTopicPartition(topic: topic, partition: raw.partition)
    lowOffset = raw.lo_offset ?? -1
    highOffset = raw.hi_offset ?? -1
    stableOffset = raw.ls_offset ?? -1
    committedOffset = raw.committed_offset ?? -1
    position = raw.app_offset ?? -1
    // librdkafka tells the lag only where this client itself has committed: who commits within
    // transactions is as far as it has read.
    let read = position >= 0 && stableOffset >= position ? stableOffset - position : nil
    lag = raw.consumer_lag.flatMap { $0 >= 0 ? $0 : nil } ?? read
    fetchedByteCount = raw.fetchq_size ?? 0
  }
}

/// The latest statistics only: what nobody asks for is neither kept nor decoded.
final class LatestStatistics: Sendable {
  private let json = Mutex<[UInt8]?>(nil)

  var value: KafkaStatistics? { json.withLock { $0 }.flatMap(KafkaStatistics.init(json:)) }

  func store(_ event: OpaquePointer) {
    guard let text = rd_kafka_event_stats(event) else { return }
    let bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    json.withLock { $0 = bytes }
  }
}
