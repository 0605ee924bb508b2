internal import CLibrdkafka

/// What a transactional producer must know of the consumer whose offsets it commits.
///
/// `@unchecked Sendable`: a read-only copy, freed in `deinit`.
public final class KafkaGroupMetadata: @unchecked Sendable {
  let pointer: OpaquePointer

  init(adopting pointer: OpaquePointer) { self.pointer = pointer }

  /// Of a group that nobody joins: its offsets are kept by whoever reads given partitions alone.
  ///
  /// The broker takes such offsets while the group has no member; what keeps two writers apart is
  /// the transactional id.
  public init(ofGroupWithoutMembers group: String) throws(KafkaError) {
    guard let pointer = rd_kafka_consumer_group_metadata_new(group) else {
      throw KafkaError(.invalidArgument, message: "\(group) is no group's name")
    }
    self.pointer = pointer
  }

  deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }
}

extension KafkaConsumer {
  /// Commits, for the group, what to read next.
  ///
  /// `KafkaError.Disposition.abortTransaction` means that the partitions have been given to others.
  /// No offset metadata go with them (librdkafka 2.0.2, kafka.md trap 15: zero bytes in them are
  /// corrupted).
  public func commit(
    _ offsets: [KafkaPartitionOffset], within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let error: KafkaError? = try await core.handle.call("commit", within: timeout) { client in
      let list = NativeOffsets(offsets)
      return KafkaError(rd_kafka_commit(client.pointer, list.pointer, 0)) ?? list.firstError()
    }
    if let error { throw error }
  }

  /// What the group has committed; partitions without a committed offset are left out.
  public func committed(
    _ partitions: [KafkaTopicPartition], within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [KafkaPartitionOffset] {
    let all = try await core.handle.call("committed", within: timeout) {
      client throws(KafkaError) in
      let list = NativeOffsets(partitions)
      let response = rd_kafka_committed(client.pointer, list.pointer, timeout.timeoutMs)
      if let error = KafkaError(response) { throw error }
      return try list.read()
    }
    return all.filter { $0.offset >= 0 }
  }

  /// The membership as it is now; take it anew for each transaction, after a rebalance it is stale.
  public func groupMetadata() async throws(KafkaError) -> KafkaGroupMetadata {
    let metadata = try await core.handle.call("group metadata", within: .seconds(10)) { client in
      rd_kafka_consumer_group_metadata(client.pointer).map(KafkaGroupMetadata.init(adopting:))
    }
    guard let metadata else { throw KafkaError(.invalidState, disposition: .close) }
    return metadata
  }

  /// Where reading goes on: after the last record handed over; partitions not read yet are left
  /// out.
  public func position(
    _ partitions: [KafkaTopicPartition]
  ) throws(KafkaError) -> [KafkaPartitionOffset] {
    try core.position(partitions)
  }

  /// Reads on from elsewhere, for example from the committed offsets after an aborted transaction.
  ///
  /// Call it between two batches.
  public func rewind(
    to offsets: [KafkaPartitionOffset], within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    try await core.seek(to: offsets, within: timeout)
  }

  /// The span of offsets of each partition, asked from the brokers.
  public func watermarks(
    _ partitions: [KafkaTopicPartition], within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [KafkaTopicPartition: KafkaWatermarks] {
    try await core.watermarks(partitions, within: timeout)
  }
}

extension ConsumerCore {
  func position(
    _ partitions: [KafkaTopicPartition]
  ) throws(KafkaError) -> [KafkaPartitionOffset] {
    let list = NativeOffsets(partitions)
    let response = try handle.use { rd_kafka_position($0.pointer, list.pointer) }
    if let error = KafkaError(response) { throw error }
    return try list.read().filter { $0.offset >= 0 }
  }

  func seek(
    to offsets: [KafkaPartitionOffset], within timeout: Duration
  ) async throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let error: KafkaError? = try await handle.call("seek", within: timeout) { client in
      // librdkafka 2.0.2, kafka.md trap 4: before 2.1.0 the milliseconds are taken for micros.
      let factor = KafkaLibrary.seekTimeoutIsThousandTimesShort ? 1000 : 1
      let timeoutMs = Int32(clamping: Int(timeout.timeoutMs) * factor)
      let list = NativeOffsets(offsets)
      return KafkaError(
        consuming: rd_kafka_seek_partitions(client.pointer, list.pointer, timeoutMs))
        ?? list.firstError()
    }
    if let error { throw error }
    expect(offsets, afterAssignment: false)
  }

  func watermarks(
    _ partitions: [KafkaTopicPartition], within timeout: Duration
  ) async throws(KafkaError) -> [KafkaTopicPartition: KafkaWatermarks] {
    let low = try await lookUp(
      partitions, timestamp: KafkaPartitionOffset.beginning, within: timeout)
    let high = try await lookUp(partitions, timestamp: KafkaPartitionOffset.end, within: timeout)
    let ends = Dictionary(uniqueKeysWithValues: high.map { ($0.topicPartition, $0.offset) })
    return Dictionary(
      uniqueKeysWithValues: low.map { entry in
        let high = ends[entry.topicPartition] ?? entry.offset
        return (entry.topicPartition, KafkaWatermarks(low: entry.offset, high: high))
      })
  }

  /// The first offset at or after a time in milliseconds, or, for Kafka's special times −2 and −1,
  /// the first and the last of all.
  ///
  /// librdkafka 2.0.2, kafka.md traps 11 and 18: `rd_kafka_query_watermark_offsets` ignores its
  /// timeout and asks former leaders, and there is no ListOffsets; this call asks each leader once.
  ///
  /// Asks again every few seconds: whoever is cancelled waits for no more than one such question.
  func lookUp(
    _ partitions: [KafkaTopicPartition], timestamp: Int64, within timeout: Duration
  ) async throws(KafkaError) -> [KafkaPartitionOffset] {
    guard !partitions.isEmpty else { return [] }
    let deadline = ContinuousClock.now + timeout
    while true {
      let began = ContinuousClock.now
      let wait = min(Swift.max(.milliseconds(1), deadline - began), .seconds(5))
      do throws(KafkaError) {
        return try await handle.call("offset lookup", within: wait) { client throws(KafkaError) in
          let list = NativeOffsets(Array(Set(partitions)).sorted(), offset: timestamp)
          let response = rd_kafka_offsets_for_times(client.pointer, list.pointer, wait.timeoutMs)
          if let error = KafkaError(response) { throw error }
          return try list.read()
        }
      } catch {
        let now = ContinuousClock.now
        guard now - began >= wait, now < deadline, !Task.isCancelled else { throw error }
      }
    }
  }
}
