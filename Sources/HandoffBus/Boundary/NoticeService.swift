internal import HandoffCodecs
package import KafkaClient
package import Logging
internal import ServiceLifecycle

/// Tells organisations of the verdicts about their handoffs: reads the alerts, writes their outboxes.
///
/// Ingest does it, for it alone may write an outbox. One transaction holds the notices and how far
/// the alerts are read, so that each is told once. Events are told in the transaction that publishes
/// them.
package struct NoticeService: Service {
  /// In whose name the offsets of the alerts are kept; nobody joins it.
  package static let group = "baton-ingest-notices"

  private let kafka: KafkaConfiguration
  private let maker: NoticeMaker
  private let transactionalID: String
  private let logger: Logger
  package var pauseMin: Duration = .milliseconds(100)
  package var pauseMax: Duration = .seconds(30)
  package var transactionTimeout: Duration = .seconds(30)

  package init(
    _ kafka: KafkaConfiguration, maker: NoticeMaker, transactionalID: String, logger: Logger
  ) {
    self.kafka = kafka
    self.maker = maker
    self.transactionalID = transactionalID
    self.logger = logger
  }

  package func run() async throws {
    // What was not told by then is read again.
    try await untilShutdown { try await self.work() }
  }

  private func work(clock: any Clock<Duration> = ContinuousClock()) async throws {
    guard !maker.isEmpty else {
      try? await gracefulShutdown()
      return
    }
    var pause = pauseMin
    while !Task.isCancelled {
      do {
        try await session { pause = pauseMin }
      } catch is CancellationError {
        return
      } catch {
        guard !Task.isCancelled else { return }
        logger.error(
          "Notices of verdicts wait", metadata: ["error": "\(error)", "pause": "\(pause)"])
        try await clock.sleep(for: pause, tolerance: pause / 10)
        pause = min(pause * 2, pauseMax)
      }
    }
  }

  /// Fences the predecessor, then reads on from where it committed.
  private func session(_ progress: () -> Void) async throws {
    let producer = try KafkaTransactionalProducer(
      kafka, transactionalID: transactionalID, transactionTimeout: transactionTimeout)
    do {
      try await producer.initTransactions(within: .seconds(10))
      let reader = try KafkaReader(kafka, groupID: Self.group)
      do {
        try await reader.assign(try await starts())
        for try await batch in reader.batches(KafkaBatchLimits(waitMax: .zero)) {
          try await tell(batch, producer)
          progress()
        }
      } catch {
        await reader.close()
        throw error
      }
      await reader.close()
    } catch {
      await producer.close()
      throw error
    }
    await producer.close()
  }

  private func starts() async throws -> [KafkaPartitionOffset] {
    let partitions = try await TopicScan(kafka, topic: .alerts).partitions()
    let admin = try KafkaAdmin(kafka)
    let offsets: [KafkaPartitionOffset]
    do {
      offsets = try await admin.committedOffsets(ofGroup: Self.group, partitions)
    } catch {
      await admin.close()
      throw error
    }
    await admin.close()
    let committed = Dictionary(
      offsets.map { ($0.topicPartition, $0.offset) }, uniquingKeysWith: { $1 })
    return partitions.map {
      KafkaPartitionOffset($0, offset: committed[$0] ?? KafkaPartitionOffset.beginning)
    }
  }

  private func tell(_ batch: KafkaBatch, _ producer: KafkaTransactionalProducer) async throws {
    guard !batch.records.isEmpty else { return }
    let messages = batch.records.flatMap { record in
      (try? WireCodec.verdict(record.wire)).map(maker.messages) ?? []
    }
    // Verdicts that concern nobody outside are read again after a restart: that costs nothing.
    guard !messages.isEmpty else { return }
    let transaction = try await producer.beginTransaction()
    var failure: (any Error)?
    do {
      try await transaction.enqueue(messages)
      try await transaction.sendOffsets(
        batch.nextOffsets, metadata: try KafkaGroupMetadata(ofGroupWithoutMembers: Self.group))
    } catch {
      failure = error
    }
    if let failure {
      try? await transaction.abort(within: transactionTimeout)
      throw failure
    }
    try await transaction.commit(within: transactionTimeout)
  }
}
