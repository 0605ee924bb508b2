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
  /// The cluster's own name, by which snapshots of another are known.
  private let cluster: String
  private let owners = Mutex<[Int32: PartitionOwner]>([:])
  private let activations = Mutex<[Int32: RulesActivation]>([:])

  init(
    configuration: ReconcilerConfiguration, rules: RulesOnLog, partitionCount: Int32,
    cluster: String, status: ReconcilerStatus, ticks: TickWriter
  ) {
    self.configuration = configuration
    self.cluster = cluster
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
    status.update { $0.phase = .restoring }
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
    let next = try await restore(owners)
    var starts: [KafkaPartitionOffset] = []
    for (partition, owner) in owners.sorted(by: { $0.key < $1.key }) {
      let next = next[partition] ?? 0
      await ticks.took(partition)
      if let wrong = await owner.recounted {
        await ticks.publish(wrong.alert, at: wrong.at, episode: wrong.episode)
      }
      if let activation = await owner.neededActivation {
        activations.withLock { $0[partition] = activation }
      }
      starts.append(
        KafkaPartitionOffset(
          topic: Topic.events.name, partition: partition,
          offset: next > 0 ? next : KafkaPartitionOffset.beginning))
    }
    tellTaken(numbers)
    status.update { $0.phase = .serving }
    return starts
  }

  private func tellTaken(_ numbers: [Int32]) {
    let partitions = status.snapshot.partitions
    let persons = partitions.values.reduce(0) { $0 + $1.personCount }
    let open = partitions.values.reduce(0) { $0 + $1.books.total[.open] }
    let slowest = partitions.values.compactMap(\.restoreSeconds).max() ?? 0
    configuration.logger.notice(
      "Partitions taken",
      metadata: [
        "partitions": "\(numbers)", "persons": "\(persons)", "openHandoffs": "\(open)",
        "seconds": "\(slowest)",
      ])
  }

  /// Those whose memory is whole, and those that are yet to be restored.
  var current: [Int32: PartitionOwner] { owners.withLock { $0 } }

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
    let rounds = Self.rounds(of: batch.records)
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

  /// The records of each partition, in order; under backlog one fetch fills a whole batch, which is
  /// handed on as it is.
  private static func rounds(of records: [KafkaRecord]) -> [Int32: [KafkaRecord]] {
    var rounds: [Int32: [KafkaRecord]] = [:]
    var start = 0
    while start < records.count {
      let partition = records[start].partition
      var end = start + 1
      while end < records.count, records[end].partition == partition { end += 1 }
      if end - start == records.count { return [partition: records] }
      rounds[partition, default: []] += records[start..<end]
      start = end
    }
    return rounds
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

  /// Restores all, and says where the events of each go on.
  ///
  /// Those whose snapshot turns out not to be what it claims go round a second time, without it.
  private func restore(_ owners: [Int32: PartitionOwner]) async throws -> [Int32: Int64] {
    let reader = try KafkaReader(configuration.kafka, groupID: configuration.groupID)
    do {
      let places = owners.keys.sorted().map {
        KafkaTopicPartition(topic: Topic.reconcilerState.name, partition: $0)
      }
      let timeout = configuration.limits.restoreTimeout
      let ends = try await reader.endOffsets(places, isolation: .readUncommitted, within: timeout)
      var next: [Int32: Int64] = [:]
      while next.count < owners.count {
        let left = ends.filter { next[$0.partition] == nil }
        try await read(left, owners, reader)
        next.merge(try await finish(left.map(\.partition), owners)) { $1 }
      }
      await reader.close()
      return next
    } catch {
      await reader.close()
      throw error
    }
  }

  private func read(
    _ ends: [KafkaPartitionOffset], _ owners: [Int32: PartitionOwner], _ reader: KafkaReader
  ) async throws {
    var starts: [KafkaPartitionOffset] = []
    for end in ends {
      guard let owner = owners[end.partition] else { continue }
      let start = await owner.changelogStart(end: end.offset, cluster: cluster)
      starts.append(KafkaPartitionOffset(end.topicPartition, offset: start))
    }
    try await reader.read(
      from: starts, to: ends, limits: KafkaBatchLimits(countMax: 10_000, waitMax: .zero),
      within: configuration.limits.restoreTimeout
    ) { batch in
      var parts: [Int32: [KafkaRecord]] = [:]
      for record in batch.records { parts[record.partition, default: []].append(record) }
      for (partition, records) in parts { await owners[partition]?.restore(records) }
    }
  }

  /// Makes memory of what was read, all partitions beside each other: it is the processor's work.
  private func finish(
    _ partitions: [Int32], _ owners: [Int32: PartitionOwner]
  ) async throws -> [Int32: Int64] {
    try await withThrowingTaskGroup(of: (Int32, Int64?).self) { group in
      for partition in partitions {
        guard let owner = owners[partition] else { continue }
        group.addTask { (partition, try await owner.finishRestoring()) }
      }
      var next: [Int32: Int64] = [:]
      for try await (partition, offset) in group { next[partition] = offset }
      return next
    }
  }

  func raise(_ alert: SelfAlert) {
    status.update { $0.selfAlertCount += 1 }
    configuration.logger.log(alert)
  }
}
