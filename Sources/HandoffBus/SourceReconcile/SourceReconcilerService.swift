internal import HandoffCore
internal import KafkaClient
internal import Logging
internal import ServiceLifecycle

/// The source reducer in service: what sources say in, verdicts about them out, exactly once, and
/// how each source stands onto every partition of the events topic.
///
/// It works as ``ReconcilerService`` does, in a group of its own and with a changelog of its own
/// (Decision 0045).
package struct SourceReconcilerService: Service {
  package let status = ReconcilerStatus()
  private let configuration: ReconcilerConfiguration

  package init(_ configuration: ReconcilerConfiguration) {
    self.configuration = configuration
  }

  /// Runs until the service is shut down; a transaction that is open then is finished first.
  package func run() async throws {
    try await untilShutdown { try await serve() }
  }

  private func serve() async throws {
    let eventPartitions = try await checkTopics()
    let policies = try await PolicyLog(configuration.kafka)
      .publish(configuration.policy).policies
    try await configuration.join(configuration.sourceGroupID, status) {
      try await session(policies, eventPartitions)
    }
  }

  /// One membership of the group, from joining to leaving.
  private func session(_ policies: [Policy], _ eventPartitions: Int32) async throws {
    let ticks = TickWriter(
      kafka: configuration.kafka, topic: .sources, schedule: configuration.ticks, status: status,
      logger: configuration.logger, instanceID: configuration.instanceID + "-sources",
      policyHash: configuration.policy.policy.hash)
    let crew = SourceCrew(
      configuration: configuration, policies: policies, eventPartitions: eventPartitions,
      status: status, ticks: ticks)
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: configuration.kafka, groupID: configuration.sourceGroupID,
        groupInstanceID: configuration.instanceID, topics: [Topic.sources.name],
        offsetReset: .error),
      hooks: KafkaRebalanceHooks(
        onAssigned: { try await crew.take($0) }, onRevoked: { _ in await crew.leave() }))
    let outcome: Result<Void, any Error>
    do {
      try await consume(consumer, crew, ticks)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    await consumer.close()
    // The hook has run for what the group knew of; this is for what failed before it was taken.
    await crew.leave()
    await ticks.close()
    try outcome.get()
  }

  /// Round after round: read, apply, commit, tick.
  private func consume(
    _ consumer: KafkaConsumer, _ crew: SourceCrew, _ ticks: TickWriter
  ) async throws {
    var limits = KafkaBatchLimits(
      countMax: configuration.limits.recordCountMax, byteCountMax: 32 << 20, waitMax: .zero,
      idleMax: .milliseconds(100))
    var lastRound: ContinuousClock.Instant?
    while !Task.isCancelled {
      let sinceRound = lastRound.map { ContinuousClock.now - $0 } ?? .seconds(1)
      limits.waitMax = max(.zero, configuration.limits.commitInterval - sinceRound)
      var batches = consumer.batches(limits).makeAsyncIterator()
      guard let batch = try await batches.next() else { return }
      if let truncation = batch.truncations.first { throw await truncated(truncation, ticks) }
      if !batch.records.isEmpty {
        lastRound = .now
        let rewinds = try await crew.process(batch, group: consumer.groupMetadata())
        if !rewinds.isEmpty { try await consumer.rewind(to: rewinds) }
      }
      for (partition, activation) in crew.takeActivations() {
        try await ticks.write(activation, on: partition)
      }
      limits.idleMax = await crew.tick()
    }
  }

  /// State that says more than the log holds must not be gone on from in silence.
  private func truncated(_ truncation: KafkaTruncation, _ ticks: TickWriter) async -> any Error {
    let place = truncation.topicPartition
    let alert = SelfAlert(
      .logTruncated,
      at: RecordCoordinates(
        topic: place.topic, partition: place.partition, offset: truncation.found))
    configuration.logger.log(alert)
    await ticks.publish(
      alert, at: Timestamp.now(),
      episode: "sources-\(truncation.expected)-\(truncation.found)")
    return KafkaError(
      .offsetReset, message: "\(place) goes back behind offset \(truncation.expected)",
      disposition: .close)
  }

  /// How many partitions the events have, each of which is told of every source.
  private func checkTopics() async throws -> Int32 {
    let producer = try KafkaProducer(configuration.kafka)
    do {
      let events = try await producer.partitionCount(Topic.events.name)
      let sources = try await producer.partitionCount(Topic.sources.name)
      let state = try await producer.partitionCount(Topic.sourceState.name)
      await producer.close()
      guard events > 0, sources > 0, state >= sources else {
        throw SourceTopicsFault(sources: sources, state: state)
      }
      return events
    } catch {
      await producer.close()
      throw error
    }
  }
}

extension SourceReconcilerService: CustomStringConvertible {
  /// The name only: the log of a service group prints its services, and settings may be secret.
  package var description: String { "source reconciler" }
}

/// The topics are not there, or not as many partitions as the sources need.
package struct SourceTopicsFault: Error, CustomStringConvertible {
  package var sources: Int32
  package var state: Int32

  package var description: String {
    "\(Topic.sources.name) has \(sources) partitions and \(Topic.sourceState.name) \(state); "
      + "run `baton topics apply`"
  }
}

extension ReconcilerConfiguration {
  /// The group that shares the partitions of the sources topic.
  var sourceGroupID: String { groupID + "-sources" }

  func sourceTransactionalID(partition: Int32) -> String { "\(sourceGroupID)-\(partition)" }
}
