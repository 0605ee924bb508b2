internal import HandoffCodecs
internal import HandoffCore
internal import KafkaClient
internal import Logging

/// One membership of the group, from joining to leaving.
struct ReconcilerSession: Sendable {
  private let configuration: ReconcilerConfiguration
  private let status: ReconcilerStatus
  private let ticks: TickWriter
  private let crew: PartitionCrew
  private let keeper: SnapshotKeeper?
  /// `nil` where snapshots look at everybody often enough.
  private let watch: OpenHandoffsWatch?

  init(
    configuration: ReconcilerConfiguration, rules: RulesOnLog, partitionCount: Int32,
    cluster: String, status: ReconcilerStatus
  ) {
    self.configuration = configuration
    self.status = status
    ticks = TickWriter(
      kafka: configuration.kafka, schedule: configuration.ticks, status: status,
      logger: configuration.logger, instanceID: configuration.instanceID,
      policyHash: configuration.policy.policy.hash)
    crew = PartitionCrew(
      configuration: configuration, rules: rules, partitionCount: partitionCount,
      cluster: cluster, status: status, ticks: ticks)
    keeper = configuration.snapshots.map { [crew] settings in
      SnapshotKeeper(
        settings: settings, configuration: configuration, cluster: cluster, status: status,
        crew: crew)
    }
    let interval = configuration.lookInterval
    let isLooking = configuration.snapshots.map { $0.interval <= interval } ?? false
    watch = isLooking ? nil : OpenHandoffsWatch(crew: crew, interval: interval)
  }

  /// Runs until the task is cancelled; throws when the group has to be joined anew.
  func run() async throws {
    status.update { $0.phase = .joining }
    var kafka = configuration.kafka
    // The lag is told by librdkafka's own measurements, and by nothing else.
    if kafka.statisticsInterval == nil { kafka.statisticsInterval = Self.lagInterval }
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: kafka, groupID: configuration.groupID,
        groupInstanceID: configuration.instanceID, topics: [Topic.events.name],
        offsetReset: .error),
      hooks: KafkaRebalanceHooks(
        onAssigned: { [crew] in try await crew.take($0) },
        onRevoked: { [crew] _ in await crew.leave() }))
    let outcome: Result<Void, any Error>
    do {
      try await withThrowingTaskGroup { group in
        if let keeper { group.addTask { await keeper.run() } }
        if let watch { group.addTask { await watch.run() } }
        defer { group.cancelAll() }
        try await consume(consumer)
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    status.update { $0.phase = .stopping }
    await consumer.close()
    // The hook has run for what the group knew of; this is for what failed before it was taken.
    await crew.leave()
    await ticks.close()
    try outcome.get()
  }

  /// Round after round: read, apply, commit, tick.
  private func consume(_ consumer: KafkaConsumer) async throws {
    var limits = KafkaBatchLimits(
      countMax: configuration.limits.recordCountMax, byteCountMax: 32 << 20, waitMax: .zero,
      idleMax: .milliseconds(100))
    var lastRound: ContinuousClock.Instant?
    var lastLook = ContinuousClock.now
    while !Task.isCancelled {
      let sinceRound = lastRound.map { ContinuousClock.now - $0 } ?? .seconds(1)
      limits.waitMax = max(.zero, configuration.limits.commitInterval - sinceRound)
      var batches = consumer.batches(limits).makeAsyncIterator()
      guard let batch = try await batches.next() else { return }
      if let truncation = batch.truncations.first { throw await truncated(truncation) }
      if !batch.records.isEmpty {
        lastRound = .now
        let group = try await consumer.groupMetadata()
        let rewinds = try await crew.process(batch, group: group)
        if !rewinds.isEmpty { try await consumer.rewind(to: rewinds) }
      }
      for (partition, activation) in crew.takeActivations() {
        try await ticks.write(activation, on: partition)
      }
      limits.idleMax = await crew.tick()
      status.update { $0.lastRoundAt = .now() }
      if ContinuousClock.now - lastLook > Self.lagInterval {
        lastLook = .now
        noteLag(consumer)
      }
    }
  }

  /// How often librdkafka's own measurements are read, which costs a parse of JSON.
  private static let lagInterval: Duration = .seconds(5)

  /// The last lag stands where there is no newer one: with brokers away it is what is known.
  private func noteLag(_ consumer: KafkaConsumer) {
    guard let statistics = consumer.statistics, statistics.brokers.contains(where: \.isUp) else {
      return
    }
    let (owned, last) = (Set(status.snapshot.partitions.keys), status.snapshot.lag)
    var lag = last.filter { owned.contains($0.key) }
    for partition in statistics.partitions
    where partition.topicPartition.topic == Topic.events.name {
      let number = partition.topicPartition.partition
      if owned.contains(number), let records = partition.lag { lag[number] = records }
    }
    status.update { [lag] in $0.lag = lag }
  }

  /// State that says more than the log holds must not be gone on from in silence.
  private func truncated(_ truncation: KafkaTruncation) async -> any Error {
    let place = truncation.topicPartition
    let alert = SelfAlert(
      .logTruncated,
      at: RecordCoordinates(
        topic: place.topic, partition: place.partition, offset: truncation.found))
    crew.raise(alert)
    await ticks.publish(
      alert, at: Timestamp.now(), episode: "\(truncation.expected)-\(truncation.found)")
    return KafkaError(
      .offsetReset, message: "\(place) goes back behind offset \(truncation.expected)",
      disposition: .close)
  }
}
