internal import CLibrdkafka
internal import Dispatch

/// What Kafka costs by itself: records copied as they are from one topic to another, in transactions
/// that hold the consumed offsets too, with nothing around the calls of librdkafka.
///
/// The yardstick of a bench, with the settings of the other clients. It reads partitions that it is
/// told and joins no group.
package final class KafkaCopyLoop: Sendable {
  private let consumer: KafkaHandle
  private let producer: KafkaHandle

  package init(
    _ configuration: KafkaConfiguration, groupID: String, transactionalID: String
  ) throws(KafkaError) {
    var reading = ConsumerSettings.common(
      isolation: .readCommitted, prefetchKilobyteMax: 64 << 10)
    reading["group.id"] = groupID
    consumer = try KafkaHandle(.consumer, configuration: configuration, settings: reading)
    var writing = ProducerCore.settings
    writing["transactional.id"] = transactionalID
    producer = try KafkaHandle(
      .producer, configuration: configuration,
      settings: writing.merging(KafkaProducerLimits().settings) { old, _ in old })
    try producer.use { client throws(KafkaError) in
      try check(rd_kafka_init_transactions(client.pointer, 30_000))
    }
  }

  /// Copies the first `count` records of the first partitions of a topic, with a commit every
  /// `interval`; throws where none comes for half a minute.
  package func copy(
    _ count: Int, from source: String, partitionCount: Int32, to target: String,
    every interval: Duration
  ) async throws(KafkaError) {
    let (consumer, handle) = (consumer, producer)
    try await handle.call("copy", within: .seconds(600)) { producer throws(KafkaError) in
      guard let topic = rd_kafka_topic_new(producer.pointer, target, nil) else {
        throw KafkaError(.init(rd_kafka_last_error()), message: target)
      }
      defer { rd_kafka_topic_destroy(topic) }
      try consumer.use { consumer throws(KafkaError) in
        let places = (0..<partitionCount).map { KafkaTopicPartition(topic: source, partition: $0) }
        let starts = NativeOffsets(places, offset: KafkaPartitionOffset.beginning)
        if let error = KafkaError(rd_kafka_assign(consumer.pointer, starts.pointer)) { throw error }
        let metadata = rd_kafka_consumer_group_metadata(consumer.pointer)
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        var left = count
        // Where to go on, by partition; -1 before the first record.
        var next = [Int64](repeating: -1, count: places.count)
        while left > 0 {
          try check(rd_kafka_begin_transaction(producer.pointer))
          left -= try Self.round(left, consumer, producer, to: topic, every: interval, &next)
          let offsets = NativeOffsets(
            zip(places, next).compactMap { place, offset in
              offset < 0 ? nil : KafkaPartitionOffset(place, offset: offset)
            })
          try check(
            rd_kafka_send_offsets_to_transaction(
              producer.pointer, offsets.pointer, metadata, 30_000))
          try check(rd_kafka_commit_transaction(producer.pointer, 30_000))
        }
      }
    }
  }

  package func close() async {
    _ = await consumer.destroy(within: .seconds(10))
    _ = await producer.destroy(within: .seconds(10))
  }

  /// One transaction's records; says how many.
  private static func round(
    _ countMax: Int, _ consumer: borrowing NativeClient, _ producer: borrowing NativeClient,
    to topic: OpaquePointer, every interval: Duration, _ next: inout [Int64]
  ) throws(KafkaError) -> Int {
    let end = ContinuousClock.now + interval
    var count = 0
    var silentUntil: ContinuousClock.Instant?
    while count < countMax {
      // The clock is not asked for each record.
      if count % 64 == 0, count > 0, ContinuousClock.now > end { break }
      guard let message = rd_kafka_consumer_poll(consumer.pointer, 100) else {
        let now = ContinuousClock.now
        if count > 0, now > end { break }
        let limit = silentUntil ?? now + .seconds(30)
        guard now < limit else {
          throw KafkaError(.timedOut, message: "no record for 30 s, \(countMax - count) to come")
        }
        silentUntil = limit
        continue
      }
      defer { rd_kafka_message_destroy(message) }
      silentUntil = nil
      if let error = KafkaError(message.pointee.err) { throw error }
      try copy(message, producer, to: topic)
      next[Int(message.pointee.partition)] = message.pointee.offset + 1
      count += 1
    }
    return count
  }

  private static func copy(
    _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ producer: borrowing NativeClient,
    to topic: OpaquePointer
  ) throws(KafkaError) {
    let read = message.pointee
    var headers: OpaquePointer?
    if rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR {
      headers = headers.flatMap { rd_kafka_headers_copy($0) }
    }
    let client = producer.pointer
    while true {
      let error = withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 6) {
        arguments -> KafkaError? in
        func set(
          _ index: Int, _ type: rd_kafka_vtype_t, _ value: (inout rd_kafka_vu_t) -> Void
        ) {
          var argument = rd_kafka_vu_t()
          argument.vtype = type
          value(&argument)
          arguments.initializeElement(at: index, to: argument)
        }
        set(0, RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic }
        set(1, RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = read.partition }
        set(2, RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
        set(3, RD_KAFKA_VTYPE_KEY) { $0.u.mem = .init(ptr: read.key, size: read.key_len) }
        set(4, RD_KAFKA_VTYPE_VALUE) { $0.u.mem = .init(ptr: read.payload, size: read.len) }
        if let headers { set(5, RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
        return KafkaError(
          consuming: rd_kafka_produceva(client, arguments.baseAddress, headers == nil ? 5 : 6))
      }
      guard let error else { return }
      guard error.code == .queueFull else {
        if let headers { rd_kafka_headers_destroy(headers) }
        throw error
      }
      _ = rd_kafka_poll(client, 10)
    }
  }
}

private func check(_ error: OpaquePointer?) throws(KafkaError) {
  if let error = KafkaError(consuming: error) { throw error }
}
