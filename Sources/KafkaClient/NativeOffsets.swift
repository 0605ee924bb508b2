internal import CLibrdkafka

/// Owns a `rd_kafka_topic_partition_list_t`.
struct NativeOffsets: ~Copyable {
  let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(_ offsets: [KafkaPartitionOffset]) {
    pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
    for entry in offsets {
      let added = rd_kafka_topic_partition_list_add(pointer, entry.topic, entry.partition)
      added?.pointee.offset = entry.offset
    }
  }

  init(_ partitions: [KafkaTopicPartition], offset: Int64 = KafkaPartitionOffset.committed) {
    self.init(partitions.map { KafkaPartitionOffset($0, offset: offset) })
  }

  /// Takes over a list librdkafka allocated for us.
  init(adopting pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
    self.pointer = pointer
  }

  deinit { rd_kafka_topic_partition_list_destroy(pointer) }

  /// The entries, and the first error among them.
  func read() throws(KafkaError) -> [KafkaPartitionOffset] {
    if let error = firstError() { throw error }
    return Self.copy(pointer)
  }

  func firstError() -> KafkaError? {
    for index in 0..<Int(pointer.pointee.cnt) {
      let entry = pointer.pointee.elems[index]
      let place = "\(String(cString: entry.topic))[\(entry.partition)]"
      let text = String(cString: rd_kafka_err2str(entry.err))
      if let error = KafkaError(entry.err, message: "\(place): \(text)") { return error }
    }
    return nil
  }

  /// Copies a list that somebody else owns.
  static func copy(
    _ list: UnsafePointer<rd_kafka_topic_partition_list_t>?
  ) -> [KafkaPartitionOffset] {
    guard let list else { return [] }
    return (0..<Int(list.pointee.cnt)).map { index in
      let entry = list.pointee.elems[index]
      return KafkaPartitionOffset(
        topic: String(cString: entry.topic), partition: entry.partition, offset: entry.offset)
    }
  }
}
