internal import CLibrdkafka
internal import Synchronization

/// The topics a producer has written to: their handles and partition counts.
final class TopicTable: Sendable {
  /// One topic's handle.
  ///
  /// `@unchecked Sendable`: librdkafka locks calls on it, and `drop` frees it once, when no call
  /// is inside the client any more.
  struct Topic: @unchecked Sendable {
    fileprivate let name: String
    fileprivate let pointer: OpaquePointer
    fileprivate let partitionCount: Int32
  }

  private let topics = Mutex<[String: Topic]>([:])

  /// The partition count as it was when last asked.
  func partitionCount(_ topic: String) -> Int32? {
    // Swift 6.3.1 without optimisation returns garbage for `withLock { $0[topic]?.partitionCount }`.
    let found = topics.withLock { $0[topic] }
    return found?.partitionCount
  }

  /// Asks for the metadata of topics not known yet, or known to have too few partitions.
  ///
  /// librdkafka 2.0.2, kafka.md trap 9: the first message to a topic would wait up to a second
  /// for them; and trap 8: a partition that does not exist must be refused before it is produced
  /// to.
  func know(_ messages: [KafkaMessage], on handle: KafkaHandle) async throws(KafkaError) {
    // Most messages go where the one before went.
    var latest: (name: String, count: Int32)?
    for message in messages {
      let highest = message.partition ?? 0
      if let latest, latest.name == message.topic, highest < latest.count { continue }
      if let count = partitionCount(message.topic), highest < count {
        latest = (message.topic, count)
        continue
      }
      let count = try await learn(message.topic, on: handle)
      guard highest >= 0, highest < count else {
        throw KafkaError(
          .unknownPartition,
          message: "\(message.topic) has \(count) partitions, there is no \(highest)",
          disposition: .abortTransaction)
      }
    }
  }

  /// Frees the handles, which must be done before the client is destroyed.
  func drop() {
    let dropped = topics.withLock { exchange(&$0, with: [:]) }
    for topic in dropped.values { rd_kafka_topic_destroy(topic.pointer) }
  }

  /// Hands one message over; nil if it was accepted.
  ///
  /// `latest` is the topic of the message before, within one use of the client: most go there too.
  func produce(
    _ message: KafkaMessage, client: OpaquePointer, opaque: UnsafeMutableRawPointer?,
    latest: inout Topic?
  ) -> KafkaError? {
    if latest?.name != message.topic { latest = topics.withLock { $0[message.topic] } }
    guard let topic = latest else {
      return KafkaError(.unknownTopic, message: "\(message.topic) is not known")
    }
    guard message.partition ?? 0 < topic.partitionCount else {
      return KafkaError(.unknownPartition)
    }
    return NativeMessage.produce(message, to: topic.pointer, client: client, opaque: opaque)
  }

  private func learn(_ name: String, on handle: KafkaHandle) async throws(KafkaError) -> Int32 {
    try await handle.call("metadata of \(name)", within: .seconds(10)) {
      client throws(KafkaError) in
      try self.learn(name, client: client.pointer)
    }
  }

  private func learn(_ name: String, client: OpaquePointer) throws(KafkaError) -> Int32 {
    guard let pointer = rd_kafka_topic_new(client, name, nil) else {
      throw KafkaError(.init(rd_kafka_last_error()), message: "\(name) is no topic's name")
    }
    var metadata: UnsafePointer<rd_kafka_metadata>?
    let response = rd_kafka_metadata(client, 0, pointer, &metadata, 10_000)
    defer { if let metadata { rd_kafka_metadata_destroy(metadata) } }
    let topic = metadata?.pointee.topic_cnt == 1 ? metadata?.pointee.topics.pointee : nil
    let failure = KafkaError(response) ?? topic.flatMap { KafkaError($0.err, message: name) }
    guard failure == nil, let count = topic?.partition_cnt, count > 0 else {
      rd_kafka_topic_destroy(pointer)
      throw failure ?? KafkaError(.leaderNotAvailable, message: "\(name) has no partition yet")
    }
    let former = topics.withLock { topics in
      exchange(
        &topics[name], with: Topic(name: name, pointer: pointer, partitionCount: count))
    }
    if let former { rd_kafka_topic_destroy(former.pointer) }
    return count
  }
}
