internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// How a consumer takes part in its group.
public struct KafkaConsumerConfiguration: Sendable {
  /// What to do where the group has no committed offset, or its offset is gone.
  public enum OffsetReset: String, Sendable {
    case earliest
    case latest
    /// `batches` throws `KafkaError.Code.offsetReset`: no record may be skipped or read twice
    /// without somebody's decision.
    case error
  }

  public var kafka: KafkaConfiguration
  public var groupID: String
  /// Makes the membership static: a member that restarts within the session timeout gets its
  /// partitions back without a rebalance.
  ///
  /// Give it, and keep it stable (kafka.md traps 6 and 13).
  public var groupInstanceID: String?
  public var topics: [String]
  public var isolation: KafkaIsolation
  public var offsetReset: OffsetReset
  /// After this time without a heartbeat the group gives the partitions to others.
  public var sessionTimeout: Duration
  /// After this time without a call for the next batch the partitions are given up.
  ///
  /// A hook counts as time between two calls.
  public var maxPollInterval: Duration
  /// What librdkafka may fetch ahead, in KiB over all partitions: the memory back-pressure allows.
  public var prefetchKilobyteMax: Int

  public init(
    kafka: KafkaConfiguration, groupID: String, groupInstanceID: String? = nil, topics: [String],
    isolation: KafkaIsolation = .readCommitted, offsetReset: OffsetReset = .earliest,
    sessionTimeout: Duration = .seconds(10), maxPollInterval: Duration = .seconds(300),
    prefetchKilobyteMax: Int = 64 << 10
  ) {
    self.kafka = kafka
    self.groupID = groupID
    self.groupInstanceID = groupInstanceID
    self.topics = topics
    self.isolation = isolation
    self.offsetReset = offsetReset
    self.sessionTimeout = sessionTimeout
    self.maxPollInterval = maxPollInterval
    self.prefetchKilobyteMax = prefetchKilobyteMax
  }

  var settings: [String: String] {
    var settings = ConsumerSettings.common(
      isolation: isolation, prefetchKilobyteMax: prefetchKilobyteMax)
    settings["group.id"] = groupID
    settings["group.instance.id"] = groupInstanceID
    settings["auto.offset.reset"] = offsetReset.rawValue
    settings["session.timeout.ms"] = String(sessionTimeout.milliseconds)
    settings["heartbeat.interval.ms"] = String(
      Swift.min(3000, Swift.max(1, sessionTimeout.milliseconds / 3)))
    // librdkafka demands max.poll.interval.ms >= session.timeout.ms.
    settings["max.poll.interval.ms"] = String(
      Swift.max(maxPollInterval.milliseconds, sessionTimeout.milliseconds))
    // librdkafka 2.0.2, kafka.md trap 6: eager assignment only.
    settings["partition.assignment.strategy"] = "range"
    return settings
  }
}

/// What the owner of partitions does when they come and go.
///
/// Each hook runs in the task that iterates `batches`, between two batches, and the group waits for
/// it.
public struct KafkaRebalanceHooks: Sendable {
  /// The partitions are ours once this returns; nothing is fetched before.
  ///
  /// Returns where to start, for those that shall not start at the group's committed offset.
  public typealias Assigned =
    @Sendable ([KafkaTopicPartition]) async throws -> [KafkaPartitionOffset]
  /// Hands partitions back.
  public typealias Revoked = @Sendable ([KafkaTopicPartition]) async -> Void

  /// Called with all partitions of the new assignment (assignment is eager).
  public var onAssigned: Assigned
  /// No other member gets the partitions before this returns: end transactions, commit offsets.
  public var onRevoked: Revoked
  /// The partitions are already another's: neither commit nor finish anything, only forget.
  public var onLost: Revoked

  public init(
    onAssigned: @escaping Assigned = { _ in [] }, onRevoked: @escaping Revoked = { _ in },
    onLost: Revoked? = nil
  ) {
    self.onAssigned = onAssigned
    self.onRevoked = onRevoked
    self.onLost = onLost ?? onRevoked
  }
}

/// A member of a consumer group, read in batches.
///
/// Offsets are committed only by `commit`, or within a transaction. Nothing is buffered in Swift:
/// who does not ask for the next batch stops the flow, and the group takes the partitions away
/// after `maxPollInterval`.
public final class KafkaConsumer: Sendable {
  public let configuration: KafkaConsumerConfiguration
  let core: ConsumerCore
  let hooks: KafkaRebalanceHooks
  private let paused = Mutex<Set<KafkaTopicPartition>>([])
  private let assigned = Mutex<[KafkaTopicPartition]>([])

  /// Makes the client and asks to join the group; the partitions come while `batches` is iterated.
  public init(
    _ configuration: KafkaConsumerConfiguration, hooks: KafkaRebalanceHooks = .init()
  ) throws(KafkaError) {
    self.configuration = configuration
    self.hooks = hooks
    core = try ConsumerCore(configuration: configuration.kafka, settings: configuration.settings)
    let topics = NativeOffsets(
      configuration.topics.map { KafkaTopicPartition(topic: $0, partition: -1) })
    let response = try core.handle.use { rd_kafka_subscribe($0.pointer, topics.pointer) }
    if let error = KafkaError(response) { throw error }
  }

  /// The partitions this member owns now.
  public var assignment: [KafkaTopicPartition] { assigned.withLock { $0 } }

  /// Whether the group has already taken the assignment away, though no hook has run yet.
  public var isAssignmentLost: Bool {
    let answer = try? core.handle.use { rd_kafka_assignment_lost($0.pointer) }
    return answer.map { $0 != 0 } ?? true
  }

  /// The latest statistics; nil before the first, or if the configuration asks for none.
  public var statistics: KafkaStatistics? { core.statistics.value }

  /// The latest error librdkafka reported, though it goes on trying; for a health page.
  public var lastError: KafkaError? { core.lastError }

  /// The records of this member's partitions.
  ///
  /// Only one task may iterate at a time; the sequence ends when the consumer is closed or the task
  /// is cancelled. After a `.retry` error it may be iterated again.
  public func batches(_ limits: KafkaBatchLimits = .init()) -> KafkaBatches {
    KafkaBatches { () async throws(KafkaError) in
      try await self.core.nextBatch(limits) { change async throws(KafkaError) in
        try await self.follow(change, refusing: false)
      }
    }
  }

  /// Does what the group asks for.
  ///
  /// `refusing`: while closing, nothing new is taken on.
  func follow(_ change: ConsumerCore.Rebalance, refusing: Bool) async throws(KafkaError) {
    switch change {
    case .assign(let partitions) where !refusing:
      var starts: [KafkaPartitionOffset]
      do {
        starts = try await hooks.onAssigned(partitions)
      } catch {
        // The group must not believe that we read what we could not take on.
        try await assign([])
        let disposition = (error as? KafkaError)?.disposition ?? .close
        throw KafkaError(
          .hookFailed, message: "\(error)", disposition: disposition, underlying: error)
      }
      let given = Set(starts.map(\.topicPartition))
      starts.removeAll { !partitions.contains($0.topicPartition) }
      starts += partitions.filter { !given.contains($0) }
        .map { KafkaPartitionOffset($0, offset: KafkaPartitionOffset.committed) }
      try await assign(starts)
    case .assign:
      try await assign([])
    case .revoke(let partitions, let isLost):
      await (isLost ? hooks.onLost : hooks.onRevoked)(partitions)
      try await assign([])
    }
  }

  private func assign(_ offsets: [KafkaPartitionOffset]) async throws(KafkaError) {
    let error = try await core.handle.call("assign", within: .seconds(30)) { client in
      // Nil, not an empty list, tells librdkafka that a revocation has been dealt with.
      guard !offsets.isEmpty else { return KafkaError(rd_kafka_assign(client.pointer, nil)) }
      let list = NativeOffsets(offsets)
      return KafkaError(rd_kafka_assign(client.pointer, list.pointer))
    }
    if let error { throw error }
    core.expect(offsets, afterAssignment: true)
    paused.withLock { $0 = [] }
    assigned.withLock { $0 = offsets.map(\.topicPartition).sorted() }
  }

  /// Stops fetching from these partitions; what was fetched ahead is dropped and read again later.
  public func pause(_ partitions: [KafkaTopicPartition]) throws(KafkaError) {
    let list = NativeOffsets(partitions)
    let response = try core.handle.use { rd_kafka_pause_partitions($0.pointer, list.pointer) }
    if let error = KafkaError(response) ?? list.firstError() { throw error }
    paused.withLock { $0.formUnion(partitions) }
  }

  /// Goes on fetching from those of these partitions that are paused.
  public func resume(_ partitions: [KafkaTopicPartition]) throws(KafkaError) {
    // librdkafka 2.0.2, kafka.md trap 6: resuming what is not paused goes back and repeats records.
    let resumed = paused.withLock { paused in
      defer { paused.subtract(partitions) }
      return partitions.filter { paused.contains($0) }
    }
    guard !resumed.isEmpty else { return }
    let list = NativeOffsets(resumed)
    let response = try core.handle.use { rd_kafka_resume_partitions($0.pointer, list.pointer) }
    if let error = KafkaError(response) ?? list.firstError() { throw error }
  }
}
