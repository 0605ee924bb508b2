internal import HandoffCore
internal import KafkaClient
internal import Synchronization

/// The owners of this member's partitions of the sources topic.
final class SourceCrew: Sendable {
  private let configuration: ReconcilerConfiguration
  private let policies: [Policy]
  private let eventPartitions: Int32
  private let status: ReconcilerStatus
  private let ticks: TickWriter
  private let owners = Mutex<[Int32: SourceOwner]>([:])
  private let activations = Mutex<[Int32: RulesActivation]>([:])

  init(
    configuration: ReconcilerConfiguration, policies: [Policy], eventPartitions: Int32,
    status: ReconcilerStatus, ticks: TickWriter
  ) {
    self.configuration = configuration
    self.policies = policies
    self.eventPartitions = eventPartitions
    self.status = status
    self.ticks = ticks
  }

  /// Takes the partitions: fences every predecessor first, then restores all from the changelog, and
  /// returns where reading goes on.
  func take(_ partitions: [KafkaTopicPartition]) async throws -> [KafkaPartitionOffset] {
    for partition in partitions.map(\.partition) {
      let owner = try SourceOwner(
        partition: partition, configuration: configuration, policies: policies,
        eventPartitions: eventPartitions, status: status)
      owners.withLock { $0[partition] = owner }
    }
    let owners = owners.withLock { $0 }
    for owner in owners.values { try await owner.fence() }
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
          topic: Topic.sources.name, partition: partition,
          offset: next > 0 ? next : KafkaPartitionOffset.beginning))
    }
    return starts
  }

  /// Lets every partition go.
  func leave() async {
    for (partition, owner) in owners.withLock({ exchange(&$0, with: [:]) }) {
      await owner.leave()
      await ticks.letGo(partition)
    }
  }

  /// Applies one round of records and returns where to go back.
  func process(
    _ batch: KafkaBatch, group: KafkaGroupMetadata
  ) async throws -> [KafkaPartitionOffset] {
    let owners = owners.withLock { $0 }
    let rounds = Dictionary(grouping: batch.records, by: \.partition)
    var rewinds: [KafkaPartitionOffset] = []
    for (partition, records) in rounds.sorted(by: { $0.key < $1.key }) {
      guard let owner = owners[partition] else { continue }
      if let alert = await ticks.moved(partition, by: records) { configuration.logger.log(alert) }
      if case .rewound(let offset) = try await owner.process(records, group: group) {
        rewinds.append(
          KafkaPartitionOffset(
            topic: Topic.sources.name, partition: partition, offset: offset))
      }
    }
    return rewinds
  }

  /// Writes the ticks that are due and says how long nothing will be due after.
  func tick() async -> Duration {
    await ticks.tick(due: status.snapshot.partitions.mapValues(\.nextDue))
  }

  /// The switches of policy that are to be logged, once each.
  func takeActivations() -> [Int32: RulesActivation] {
    activations.withLock { exchange(&$0, with: [:]) }
  }

  private func restore(_ owners: [Int32: SourceOwner]) async throws {
    let reader = try KafkaReader(configuration.kafka, groupID: configuration.sourceGroupID)
    let starts = owners.keys.sorted().map {
      KafkaPartitionOffset(
        topic: Topic.sourceState.name, partition: $0, offset: KafkaPartitionOffset.beginning)
    }
    do {
      try await reader.readToEnd(
        from: starts, limits: KafkaBatchLimits(countMax: 10_000, waitMax: .zero),
        within: configuration.limits.restoreTimeout
      ) { batch in
        for (partition, records) in Dictionary(grouping: batch.records, by: \.partition) {
          await owners[partition]?.restore(records)
        }
      }
    } catch {
      await reader.close()
      throw error
    }
    await reader.close()
  }
}
