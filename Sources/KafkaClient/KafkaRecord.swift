/// A record's header: names may repeat, and order is kept.
public struct KafkaHeader: Hashable, Sendable {
  public var name: String
  /// Nil is Kafka's null, which is not the same as empty.
  public var value: [UInt8]?

  public init(_ name: String, _ value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  /// A header holding text as UTF-8.
  public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

  /// The value as text; nil if it is null or not UTF-8.
  public var text: String? { value.flatMap { String(validating: $0, as: UTF8.self) } }
}

/// A record as it was read.
public struct KafkaRecord: Sendable {
  /// Whose clock `timestampMilliseconds` is from.
  public enum TimestampType: Hashable, Sendable {
    case notAvailable
    /// The producer's clock.
    case create
    /// The broker's clock (`message.timestamp.type=LogAppendTime`).
    case logAppend
  }

  public var topic: String
  public var partition: Int32
  public var offset: Int64
  /// Milliseconds since 1970 (UTC); −1 if the record carries none.
  public var timestampMilliseconds: Int64
  public var timestampType: TimestampType
  public var key: [UInt8]?
  /// Nil is a tombstone on a compacted topic.
  public var value: [UInt8]?
  public var headers: [KafkaHeader]

  public init(
    topic: String, partition: Int32, offset: Int64, timestampMilliseconds: Int64 = -1,
    timestampType: TimestampType = .notAvailable, key: [UInt8]?, value: [UInt8]?,
    headers: [KafkaHeader] = []
  ) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
    self.timestampMilliseconds = timestampMilliseconds
    self.timestampType = timestampType
    self.key = key
    self.value = value
    self.headers = headers
  }

  public var topicPartition: KafkaTopicPartition {
    KafkaTopicPartition(topic: topic, partition: partition)
  }

  /// The first header of this name.
  public func header(_ name: String) -> KafkaHeader? { headers.first { $0.name == name } }

  /// What the record counts for against `KafkaBatchLimits.byteCountMax`.
  var byteCount: Int { (key?.count ?? 0) + (value?.count ?? 0) }
}

/// A record to be written.
public struct KafkaMessage: Sendable {
  public var topic: String
  /// Nil: by the murmur2 hash of the key, as Java's clients do; without a key, any.
  public var partition: Int32?
  public var key: [UInt8]?
  public var value: [UInt8]?
  public var headers: [KafkaHeader]
  /// Milliseconds since 1970; nil: now.
  ///
  /// The broker replaces it where the topic says LogAppendTime.
  public var timestampMilliseconds: Int64?

  public init(
    topic: String, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?,
    headers: [KafkaHeader] = [], timestampMilliseconds: Int64? = nil
  ) {
    self.topic = topic
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
    self.timestampMilliseconds = timestampMilliseconds
  }
}

/// Where an acknowledged message lies.
public struct KafkaDelivery: Hashable, Sendable {
  public let partition: Int32
  public let offset: Int64

  public init(partition: Int32, offset: Int64) {
    self.partition = partition
    self.offset = offset
  }
}
