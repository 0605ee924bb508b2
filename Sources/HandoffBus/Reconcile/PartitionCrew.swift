internal import HandoffCore
internal import KafkaClient
internal import Logging
internal import Synchronization

/// The owners of this member's partitions, and how they take them and let them go.
final class PartitionCrew: Sendable {
  private let configuration: ReconcilerConfiguration
  private let status: ReconcilerStatus
  private let ticks: TickWriter
  private let intake: RecordIntake
  private let rules: RulesOnLog
  private let owners = Mutex<[Int32: PartitionOwner]>([:])
  private let activations = Mutex<[Int32: RulesActivation]>([:])

  init(
    configuration: ReconcilerConfiguration, rules: RulesOnLog, partitionCount: Int32,
    status: ReconcilerStatus, ticks: TickWriter
  ) {
    self.configuration = configuration
    self.rules = rules
    self.status = status
    self.ticks = ticks
    intake = RecordIntake(partitionCount: partitionCount, stamp: configuration.stamp)
  }

  /// Takes the partitions: fences every predecessor first, then restores all from the changelog.
  ///
  /// Returns where reading goes on: the offset that stands in the restored state itself, so that
  /// state and offset can never be of two transactions.
  func take(_ partitions: [KafkaTopicPartition]) async throws -> [KafkaPartitionOffset] {
    let numbers = partitions.map(\.partition).sorted()
    for partition in numbers {
      let owner = try PartitionOwner(
        partition: partition, configuration: configuration, rules: rules, intake: intake,
        status: status)
      owners.withLock { $0[partition] = owner }
    }
    let owners = owners.withLock { $0 }
    try await withThrowingTaskGroup { group in
      for owner in owners.values { group.addTask { try await owner.fence() } }
      try await group.waitForAll()
    }
    try await restore(owners)
    var starts: [KafkaPartitionOffset] = []
    for (partition, owner) in owners.sorted(by: { $0.key < $1.key }) {
      let next = try await owner.finishRestoring()
      await ticks.took(partition)
      if let activation = await owner.neededActivation {
        activations.withLock { $0[partition] = activation }
      }
      starts.append(
        KafkaPartitionOffset(
          topic: Topic.events.name, partition: partition,
          offset: next > 0 ? next : KafkaPartitionOffset.beginning))
    }
    configuration.logger.info("Partitions taken", metadata: ["partitions": "\(numbers)"])
    return starts
  }

  /// Lets every partition go: all are revoked together, as assignment is eager.
  func leave() async {
    let leaving = owners.withLock { exchange(&$0, with: [:]) }
    await withTaskGroup { group in
      for (partition, owner) in leaving {
        group.addTask {
          await owner.leave()
          await self.ticks.letGo(partition)
        }
      }
    }
  }

  /// Applies one round of records, all partitions beside each other, and returns where to go back.
  ///
  /// The threads of the pool bound what runs at once; waiting for Kafka costs none of them.
  func process(
    _ batch: KafkaBatch, group metadata: KafkaGroupMetadata
  ) async throws -> [KafkaPartitionOffset] {
    let owners = owners.withLock { $0 }
    var rounds: [Int32: [KafkaRecord]] = [:]
    for record in batch.records { rounds[record.partition, default: []].append(record) }
    return try await withThrowingTaskGroup(of: KafkaPartitionOffset?.self) { group in
      for (partition, records) in rounds {
        guard let owner = owners[partition] else { continue }
        group.addTask {
          if let alert = await self.ticks.moved(partition, by: records) { self.raise(alert) }
          switch try await owner.process(records, group: metadata) {
          case .committed: return nil
          case .rewound(let offset):
            return KafkaPartitionOffset(
              topic: Topic.events.name, partition: partition, offset: offset)
          }
        }
      }
      var rewinds: [KafkaPartitionOffset] = []
      for try await rewind in group {
        if let rewind { rewinds.append(rewind) }
      }
      return rewinds
    }
  }

  /// Writes the ticks that are due and says how long nothing will be due after.
  func tick() async -> Duration {
    let due = status.snapshot.partitions.mapValues(\.nextDue)
    return await ticks.tick(due: due)
  }

  /// The switches of policy that are to be logged, once each: where the log says another policy
  /// than the one we were given.
  func takeActivations() -> [Int32: RulesActivation] {
    activations.withLock { exchange(&$0, with: [:]) }
  }

  private func restore(_ owners: [Int32: PartitionOwner]) async throws {
    let reader = try KafkaReader(configuration.kafka, groupID: configuration.groupID)
    do {
      let starts = owners.keys.sorted().map {
        KafkaPartitionOffset(
          topic: Topic.reconcilerState.name, partition: $0, offset: KafkaPartitionOffset.beginning)
      }
      try await reader.readToEnd(
        from: starts, limits: KafkaBatchLimits(countMax: 10_000, waitMax: .zero),
        within: configuration.limits.restoreTimeout
      ) { batch in
        var parts: [Int32: [KafkaRecord]] = [:]
        for record in batch.records { parts[record.partition, default: []].append(record) }
        for (partition, records) in parts { await owners[partition]?.restore(records) }
      }
    } catch {
      await reader.close()
      throw error
    }
    await reader.close()
  }

  func raise(_ alert: SelfAlert) {
    status.update { $0.selfAlertCount += 1 }
    configuration.logger.log(alert)
  }
}
