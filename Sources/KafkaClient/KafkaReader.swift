internal import CLibrdkafka
internal import Synchronization

/// Reads given partitions from given offsets, outside of any group: for restoring state, export,
/// tail and audit.
public final class KafkaReader: Sendable {
  public let isolation: KafkaIsolation
  private let configuration: KafkaConfiguration
  private let core: ConsumerCore
  /// Sees the true ends; made when first needed.
  private let endFinder = Mutex<ConsumerCore?>(nil)

  /// Makes the client.
  ///
  /// `groupID` is never joined; librdkafka wants one all the same, and a broker with access control
  /// checks it.
  public init(
    _ configuration: KafkaConfiguration, isolation: KafkaIsolation = .readCommitted,
    groupID: String = "kafka-client-reader", prefetchKilobyteMax: Int = 64 << 10
  ) throws(KafkaError) {
    self.configuration = configuration
    self.isolation = isolation
    core = try Self.makeCore(configuration, isolation, groupID, prefetchKilobyteMax)
  }

  private static func makeCore(
    _ configuration: KafkaConfiguration, _ isolation: KafkaIsolation, _ groupID: String,
    _ prefetchKilobyteMax: Int
  ) throws(KafkaError) -> ConsumerCore {
    var settings = ConsumerSettings.common(
      isolation: isolation, prefetchKilobyteMax: prefetchKilobyteMax)
    settings["group.id"] = groupID
    settings["enable.partition.eof"] = "true"
    // An offset that is gone must be seen, not skipped (kafka.md trap 5).
    settings["auto.offset.reset"] = "error"
    return try ConsumerCore(configuration: configuration, settings: settings)
  }

  public var statistics: KafkaStatistics? { core.statistics.value }

  /// Sets what is read, replacing what was read before.
  ///
  /// An offset that no longer exists makes `batches` throw `KafkaError.Code.offsetReset`.
  public func assign(_ offsets: [KafkaPartitionOffset]) async throws(KafkaError) {
    let error = try await core.handle.call("assign", within: .seconds(30)) { client in
      let list = NativeOffsets(offsets)
      return KafkaError(rd_kafka_assign(client.pointer, list.pointer))
    }
    if let error { throw error }
    core.expect(offsets, afterAssignment: true)
  }

  /// The records of what is assigned, for ever; see `KafkaConsumer.batches`.
  public func batches(_ limits: KafkaBatchLimits = .init()) -> KafkaBatches {
    KafkaBatches { () async throws(KafkaError) in
      try await self.core.nextBatch(limits) { _ in }
    }
  }

  /// The offset after the last record of each partition, as a client of the given isolation sees
  /// it: `.readUncommitted` is the end of the log, `.readCommitted` ends before an open
  /// transaction.
  public func endOffsets(
    _ partitions: [KafkaTopicPartition], isolation: KafkaIsolation,
    within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [KafkaPartitionOffset] {
    let core = try isolation == self.isolation ? core : finder(isolation)
    return try await core.lookUp(
      partitions, timestamp: KafkaPartitionOffset.end, within: timeout)
  }

  /// The first offset kept of each partition.
  public func beginningOffsets(
    _ partitions: [KafkaTopicPartition], within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [KafkaPartitionOffset] {
    try await core.lookUp(
      partitions, timestamp: KafkaPartitionOffset.beginning, within: timeout)
  }

  /// The first offset whose record is not older than `timestampMilliseconds`;
  /// `KafkaPartitionOffset.end` where all are older.
  public func offsets(
    _ partitions: [KafkaTopicPartition], for timestampMilliseconds: Int64,
    within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [KafkaPartitionOffset] {
    precondition(timestampMilliseconds >= 0, "a time is not negative")
    return try await core.lookUp(
      partitions, timestamp: timestampMilliseconds, within: timeout)
  }

  /// Where reading goes on; partitions not read yet are left out.
  public func position(
    _ partitions: [KafkaTopicPartition]
  ) throws(KafkaError) -> [KafkaPartitionOffset] { try core.position(partitions) }

  /// Frees the client within `timeout`.
  ///
  /// There is no group to leave (kafka.md traps 2 and 13).
  @discardableResult
  public func close(within timeout: Duration = .seconds(10)) async -> KafkaCloseOutcome {
    await core.stopPolling()
    var isClosed = await core.handle.destroy(within: timeout)
    if let finder = endFinder.withLock({ exchange(&$0, with: nil) }) {
      isClosed = await finder.handle.destroy(within: timeout) && isClosed
    }
    return isClosed ? .closed : .abandoned
  }

  private func finder(_ isolation: KafkaIsolation) throws(KafkaError) -> ConsumerCore {
    try endFinder.withLock { finder throws(KafkaError) in
      if let finder { return finder }
      let made = try Self.makeCore(
        configuration, isolation, "kafka-client-reader", 1024)
      finder = made
      return made
    }
  }
}
