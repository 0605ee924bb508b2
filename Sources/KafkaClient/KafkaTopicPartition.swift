/// One partition of a topic.
public struct KafkaTopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var topic: String
  public var partition: Int32

  public init(topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }

  public var description: String { "\(topic)[\(partition)]" }
}

/// A place in a partition: the next record to be read there, as Kafka counts committed offsets.
public struct KafkaPartitionOffset: Hashable, Sendable, CustomStringConvertible {
  /// Stands for the first record kept.
  public static let beginning: Int64 = -2
  /// Stands for the place after the last record.
  public static let end: Int64 = -1
  /// Stands for the group's committed offset (where there is none: the reset policy).
  public static let committed: Int64 = -1000

  public var topicPartition: KafkaTopicPartition
  public var offset: Int64

  public var topic: String { topicPartition.topic }
  public var partition: Int32 { topicPartition.partition }

  public init(_ topicPartition: KafkaTopicPartition, offset: Int64) {
    self.topicPartition = topicPartition
    self.offset = offset
  }

  public init(topic: String, partition: Int32, offset: Int64) {
    self.init(KafkaTopicPartition(topic: topic, partition: partition), offset: offset)
  }

  public var description: String { "\(topicPartition)@\(offset)" }
}

/// The span of offsets a partition holds.
public struct KafkaWatermarks: Hashable, Sendable {
  /// The first offset kept.
  public let low: Int64
  /// The offset after the last readable record.
  ///
  /// For a read-committed client that is the start of the oldest open transaction, not the end of
  /// the log.
  public let high: Int64

  public init(low: Int64, high: Int64) {
    self.low = low
    self.high = high
  }
}

/// Which records of transactions a client sees.
public enum KafkaIsolation: String, Hashable, Sendable {
  case readCommitted = "read_committed"
  case readUncommitted = "read_uncommitted"
}
