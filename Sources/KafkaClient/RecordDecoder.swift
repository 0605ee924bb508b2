internal import CLibrdkafka

/// Copies librdkafka's messages into records, and notices logs that went backwards.
///
/// Owned by the one task that polls; a topic's name is made a `String` once, not once a record.
struct RecordDecoder {
  /// What is known of one topic, found by the address of librdkafka's topic object.
  private final class Topic {
    let name: String
    /// By partition: the offset that must come next at the least.
    var expected: [Int64] = []

    init(_ name: String) { self.name = name }
  }

  private var topics: [OpaquePointer: Topic] = [:]
  private var latest: (pointer: OpaquePointer, topic: Topic)?
  private var starts: [KafkaTopicPartition: Int64] = [:]
  /// Of the record before: most values are the same again, and then share one array.
  private var headersBefore: [KafkaHeader] = []
  /// Every record passes it; what it leaves out is seen by the check for truncation alone.
  private let incoming: (@Sendable (KafkaRecord) -> KafkaRecord?)?

  init(incoming: (@Sendable (KafkaRecord) -> KafkaRecord?)? = nil) { self.incoming = incoming }

  /// Forgets all: after a change of assignment, librdkafka may reuse a topic object's address.
  mutating func restart(from offsets: [KafkaPartitionOffset]) {
    topics = [:]
    latest = nil
    starts = [:]
    expect(offsets)
  }

  /// Reading goes on elsewhere on purpose: going backwards there is no truncation.
  mutating func expect(_ offsets: [KafkaPartitionOffset]) {
    for entry in offsets { starts[entry.topicPartition] = Swift.max(entry.offset, 0) }
    for entry in offsets {
      for topic in topics.values where topic.name == entry.topic {
        guard topic.expected.indices.contains(Int(entry.partition)) else { continue }
        topic.expected[Int(entry.partition)] = Swift.max(entry.offset, 0)
      }
    }
  }

  /// Takes the pointer, not the struct: librdkafka finds timestamp and headers around it.
  mutating func decode(
    _ pointer: UnsafePointer<rd_kafka_message_t>, into builder: inout BatchBuilder
  ) {
    let message = pointer.pointee
    guard let handle = message.rkt else { return }
    let topic = topic(at: handle)
    let partition = Int(message.partition)
    while topic.expected.count <= partition {
      let key = KafkaTopicPartition(topic: topic.name, partition: Int32(topic.expected.count))
      topic.expected.append(starts[key] ?? 0)
    }
    if message.offset < topic.expected[partition] {
      builder.append(
        KafkaTruncation(
          KafkaTopicPartition(topic: topic.name, partition: message.partition),
          expected: topic.expected[partition], found: message.offset))
    }
    topic.expected[partition] = message.offset + 1
    let record = record(pointer, topic: topic.name)
    guard let incoming else { return builder.append(record) }
    if let passed = incoming(record) { builder.append(passed) }
  }

  private mutating func topic(at pointer: OpaquePointer) -> Topic {
    if let latest, latest.pointer == pointer { return latest.topic }
    let topic: Topic
    if let known = topics[pointer] {
      topic = known
    } else {
      topic = Topic(String(cString: rd_kafka_topic_name(pointer)))
      topics[pointer] = topic
    }
    latest = (pointer, topic)
    return topic
  }

  private mutating func record(
    _ pointer: UnsafePointer<rd_kafka_message_t>, topic: String
  ) -> KafkaRecord {
    let message = pointer.pointee
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = rd_kafka_message_timestamp(pointer, &type)
    return KafkaRecord(
      topic: topic, partition: message.partition, offset: message.offset,
      timestampMilliseconds: timestamp, timestampType: .init(type),
      key: Self.bytes(message.key, message.key_len),
      value: Self.bytes(message.payload, message.len), headers: headers(of: pointer))
  }

  private mutating func headers(
    of message: UnsafePointer<rd_kafka_message_t>
  ) -> [KafkaHeader] {
    var list: OpaquePointer?
    guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else {
      return []
    }
    let count = rd_kafka_header_cnt(list)
    let before = headersBefore
    headersBefore = [KafkaHeader](unsafeUninitializedCapacity: count) { headers, filled in
      for index in 0..<count {
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var length = 0
        guard
          rd_kafka_header_get_all(list, index, &name, &value, &length)
            == RD_KAFKA_RESP_ERR_NO_ERROR, let name
        else { break }
        let known = index < before.count ? before[index].value : nil
        headers.initializeElement(
          at: index,
          to: KafkaHeader(String(cString: name), Self.bytes(value, length, like: known)))
        filled = index + 1
      }
    }
    return headersBefore
  }

  /// The same, or `known` where it holds the very bytes.
  private static func bytes(
    _ pointer: UnsafeRawPointer?, _ count: Int, like known: [UInt8]?
  ) -> [UInt8]? {
    guard let pointer, let known, known.count == count else { return bytes(pointer, count) }
    let isSame = known.withUnsafeBytes { held in
      held.elementsEqual(UnsafeRawBufferPointer(start: pointer, count: count))
    }
    return isSame ? known : bytes(pointer, count)
  }

  private static func bytes(_ pointer: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
    guard let pointer else { return nil }
    return Array(UnsafeRawBufferPointer(start: pointer, count: count))
  }
}

extension KafkaRecord.TimestampType {
  init(_ type: rd_kafka_timestamp_type_t) {
    switch type {
    case RD_KAFKA_TIMESTAMP_CREATE_TIME: self = .create
    case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME: self = .logAppend
    default: self = .notAvailable
    }
  }
}
