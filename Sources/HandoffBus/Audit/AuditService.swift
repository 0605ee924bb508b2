package import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
internal import ServiceLifecycle

/// What an audit service reads, and how often it signs.
package struct AuditServiceConfiguration: Sendable {
  package var kafka: KafkaConfiguration
  /// The topics that a log is kept of; those that do not exist yet are taken up when they do.
  package var topics: [TopicDefinition] = TopicTable.shared.filter(\.isAudited)
  /// A checkpoint is signed after so long where anything was logged.
  package var checkpointInterval: Duration = .seconds(10)
  /// And after so many records, whatever the time.
  package var checkpointRecordCountMax = 50_000
  /// One SQL transaction holds at most so many records.
  package var batchCountMax = 2_000
  /// Tells our own records from forged ones where they are counted; `nil` where there are no secrets
  /// for it.
  package var stamp: RecordStamp?
  /// How long the broker may take to answer a question.
  package var brokerTimeout: Duration = .seconds(30)

  package init(kafka: KafkaConfiguration) { self.kafka = kafka }
}

/// Reads every audited topic into the log, and signs checkpoints over it.
///
/// Committed records only, partitions assigned by hand: the offsets are in the store, in the same
/// transaction as the rows. A topic that lost what was logged from it stops the service.
package struct AuditService: Service {
  private let store: AuditStore
  /// `nil`: nothing is counted a second time.
  private let counts: CountStore?
  /// `nil`: this instance logs and counts, and another signs and says the alerts of the count.
  private let signer: NoteSigner?
  private let configuration: AuditServiceConfiguration
  private let logger: Logger
  /// Where the service stands.
  package let status = AuditStatus()

  package init(
    store: AuditStore, counts: CountStore? = nil, signer: NoteSigner?,
    configuration: AuditServiceConfiguration, logger: Logger
  ) {
    self.store = store
    self.counts = counts
    self.signer = signer
    self.configuration = configuration
    self.logger = logger
  }

  /// Runs until it is cancelled or shut down; signs a last checkpoint then.
  ///
  /// - Throws: ``AuditServiceError``.
  package func run() async throws {
    let publisher = CheckpointPublisher(kafka: configuration.kafka, logger: logger)
    do {
      for (log, note) in try await restored() { await publisher.add(log: log, note: note) }
      await publisher.send()
      try await cancelWhenGracefulShutdown { try await read(publisher) }
      if !Task.isCancelled { try await sign(publisher, isLast: true) }
      await publisher.close()
    } catch {
      await publisher.close()
      guard Task.isCancelled else { throw error }
    }
  }

  private func restored() async throws(AuditServiceError) -> [(log: AuditLogName, note: String)] {
    do { return try await store.restoreFiles() } catch { throw .store(error) }
  }

  /// Reads until cancelled; starts over when a topic that was missing has come.
  private func read(_ publisher: CheckpointPublisher) async throws {
    do {
      while !Task.isCancelled {
        let reader = try KafkaReader(configuration.kafka, groupID: "baton-audit")
        do {
          let topics = try await present()
          let partitions = try await partitions(of: topics, reader)
          let auditor = auditor(partitions)
          do {
            try await readAssigned(reader, topics, partitions, auditor, publisher)
          } catch {
            await auditor?.close()
            throw error
          }
          await auditor?.close()
        } catch {
          await reader.close()
          throw error
        }
        await reader.close()
      }
    } catch {
      // Being told to stop is not a failure, whatever the call that was interrupted makes of it.
      guard !Task.isCancelled else { return }
      switch error {
      case let error as KafkaError: throw AuditServiceError.kafka(error)
      case let error as AuditStoreError: throw AuditServiceError.store(error)
      default: throw error
      }
    }
  }

  /// What counts the events a second time; `nil` where there is nothing to count, or nobody wants it.
  private func auditor(_ partitions: [AuditIntake.Partition]) -> BooksAuditor? {
    let events = partitions.filter { $0.log.topic == Topic.events.name }
    guard let counts, !events.isEmpty else { return nil }
    return BooksAuditor(
      log: store, counts: counts, kafka: configuration.kafka, stamp: configuration.stamp,
      beginnings: Dictionary(
        events.map { ($0.log.partition, $0.beginning) }, uniquingKeysWith: { $1 }),
      isSaying: signer != nil, logger: logger)
  }

  private func readAssigned(
    _ reader: KafkaReader, _ topics: [KafkaAdmin.Topic], _ partitions: [AuditIntake.Partition],
    _ auditor: BooksAuditor?, _ publisher: CheckpointPublisher
  ) async throws {
    var intake = try AuditIntake(partitions)
    try await reader.assign(intake.start)
    status.update { snapshot in
      snapshot.isReading = true
      for partition in partitions {
        snapshot.positions[partition.log] = max(partition.nextOffset, partition.beginning)
      }
    }
    logger.notice(
      "Audit reads", metadata: ["topics": "\(topics.count)", "partitions": "\(partitions.count)"])
    var pace = CheckpointPace(configuration, now: .now)
    let limits = KafkaBatchLimits(
      countMax: configuration.batchCountMax, idleMax: configuration.checkpointInterval)
    for try await batch in reader.batches(limits) {
      let records = try intake.records(of: batch)
      let result = try await store.append(records)
      pace.count(result.appended)
      note(batch, result)
      guard pace.isDue(at: .now) else { continue }
      pace.signed(at: .now)
      try await sign(publisher)
      // Signing may have waited for a broker that is away.
      try Task.checkCancellation()
      if let standings = try await auditor?.look() {
        status.update { $0.counts = standings }
      }
      if topics.count < configuration.topics.count, try await present().count > topics.count {
        return
      }
    }
  }

  private func note(_ batch: KafkaBatch, _ result: AuditAppendResult) {
    status.update { snapshot in
      snapshot.appended += result.appended
      for next in batch.nextOffsets + batch.ends {
        let log = AuditLogName(next.topicPartition)
        snapshot.positions[log] = max(snapshot.positions[log, default: 0], next.offset)
      }
    }
  }

  /// Whether everything that is committed in the audited topics at this moment is logged.
  ///
  /// - Throws: `KafkaError` where the broker does not answer.
  package func isCaughtUp() async throws -> Bool {
    let topics = try await present()
    let reader = try KafkaReader(configuration.kafka, groupID: "baton-audit")
    let ends: [KafkaPartitionOffset]
    do {
      ends = try await reader.endOffsets(
        Self.partitions(of: topics), isolation: .readCommitted,
        within: configuration.brokerTimeout)
    } catch {
      await reader.close()
      throw error
    }
    await reader.close()
    let positions = status.snapshot.positions
    return ends.allSatisfy { end in
      positions[AuditLogName(end.topicPartition), default: 0] >= end.offset
    }
  }

  /// Signs a checkpoint now, of everything that is logged.
  ///
  /// - Throws: ``AuditServiceError``.
  package func signCheckpoint() async throws {
    let publisher = CheckpointPublisher(kafka: configuration.kafka, logger: logger)
    do {
      try await sign(publisher)
    } catch {
      await publisher.close()
      throw error
    }
    await publisher.close()
  }

  /// The audited topics that the cluster has.
  private func present() async throws -> [KafkaAdmin.Topic] {
    let admin = try KafkaAdmin(configuration.kafka)
    let wanted = Set(configuration.topics.map(\.name))
    do {
      let topics = try await admin.topics(within: configuration.brokerTimeout)
        .filter { wanted.contains($0.name) }
      await admin.close()
      guard !topics.isEmpty else {
        throw AuditServiceError.noTopics(configuration.topics.map(\.name))
      }
      return topics
    } catch {
      await admin.close()
      throw error
    }
  }

  private func partitions(
    of topics: [KafkaAdmin.Topic], _ reader: KafkaReader
  ) async throws -> [AuditIntake.Partition] {
    let all = Self.partitions(of: topics)
    let timeout = configuration.brokerTimeout
    let beginnings = offsets(try await reader.beginningOffsets(all, within: timeout))
    let ends = offsets(
      try await reader.endOffsets(all, isolation: .readUncommitted, within: timeout))
    let logged = Dictionary(
      try await store.logs().map { ($0.name, $0.nextOffset) },
      uniquingKeysWith: { first, _ in first })
    let compacted = Set(configuration.topics.filter { $0.cleanUp == .compact }.map(\.name))
    return all.map { partition in
      let log = AuditLogName(partition)
      return AuditIntake.Partition(
        log: log, nextOffset: logged[log, default: 0],
        beginning: max(0, beginnings[partition, default: 0]), end: ends[partition, default: 0],
        isCompacted: compacted.contains(partition.topic))
    }
  }

  private static func partitions(of topics: [KafkaAdmin.Topic]) -> [KafkaTopicPartition] {
    topics.flatMap { topic in
      (0..<topic.partitions).map { KafkaTopicPartition(topic: topic.name, partition: $0) }
    }
  }

  private func offsets(_ list: [KafkaPartitionOffset]) -> [KafkaTopicPartition: Int64] {
    Dictionary(list.map { ($0.topicPartition, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  /// Signs what grew, and tells it to the checkpoints topic.
  private func sign(_ publisher: CheckpointPublisher, isLast: Bool = false) async throws {
    guard let signer else { return }
    let published: [PublishedCheckpoint]
    do {
      published = try await store.publish(by: signer)
    } catch {
      throw AuditServiceError.store(error)
    }
    for checkpoint in published {
      await publisher.add(log: checkpoint.log, note: checkpoint.note)
    }
    await publisher.send(isLast: isLast)
    guard !published.isEmpty else { return }
    status.update { snapshot in
      snapshot.signedAt = Timestamp.now()
      for item in published { snapshot.covered[item.log] = item.checkpoint.size }
    }
    logger.info("Checkpoints signed", metadata: ["logs": "\(published.count)"])
  }
}

/// When the next checkpoint is due.
struct CheckpointPace {
  private let interval: Duration
  private let recordCountMax: Int
  private var signedAt: ContinuousClock.Instant
  private var recordCount = 0

  init(_ configuration: AuditServiceConfiguration, now: ContinuousClock.Instant) {
    interval = configuration.checkpointInterval
    recordCountMax = configuration.checkpointRecordCountMax
    signedAt = now
  }

  mutating func count(_ records: Int) { recordCount += records }

  func isDue(at now: ContinuousClock.Instant) -> Bool {
    recordCount >= recordCountMax || now - signedAt >= interval
  }

  mutating func signed(at now: ContinuousClock.Instant) {
    signedAt = now
    recordCount = 0
  }
}
