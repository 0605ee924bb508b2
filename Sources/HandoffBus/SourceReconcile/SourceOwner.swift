internal import HandoffCodecs
internal import HandoffCore
internal import KafkaClient
internal import Logging

/// The executor of the ``DeliveryLoop`` of one partition of the sources topic: its memory, its
/// producer, and nothing shared.
actor SourceOwner {
  let partition: Int32
  private let configuration: ReconcilerConfiguration
  private let intake: SourceIntake
  private let status: ReconcilerStatus
  private let producer: KafkaTransactionalProducer
  private let given: [Policy]
  /// Partitions of the events topic, each of which is told of every source.
  private let eventPartitions: Int32
  private var reducer: SourceReducer
  private var copies: SourceStateCopies
  private var changelog = SourceChangelogReader()
  private var loop = DeliveryLoop()
  private var abortsInARow = 0

  init(
    partition: Int32, configuration: ReconcilerConfiguration, policies: [Policy],
    eventPartitions: Int32, status: ReconcilerStatus
  ) throws(KafkaError) {
    self.partition = partition
    self.configuration = configuration
    self.eventPartitions = eventPartitions
    self.status = status
    given = policies
    intake = SourceIntake(stamp: configuration.stamp)
    copies = SourceStateCopies(interval: configuration.sourceCopyInterval)
    producer = try KafkaTransactionalProducer(
      configuration.kafka,
      transactionalID: configuration.sourceTransactionalID(partition: partition),
      transactionTimeout: configuration.limits.transactionTimeout)
    reducer = Self.emptyReducer(partition, configuration, policies)
  }

  private static func emptyReducer(
    _ partition: Int32, _ configuration: ReconcilerConfiguration, _ policies: [Policy]
  ) -> SourceReducer {
    var reducer = SourceReducer(
      policy: configuration.policy.policy, topic: Topic.sources.name, partition: partition)
    for policy in policies { reducer.provide(policy) }
    return reducer
  }

  /// Fences the predecessor and ends what it left open; the changelog holds still from then on.
  func fence() async throws(KafkaError) {
    expect(loop.next(after: .partitionAssigned), .fencePredecessor)
    do throws(KafkaError) {
      try await producer.initTransactions(within: configuration.limits.restoreTimeout)
    } catch {
      expect(loop.next(after: .failedForGood), .dropAndRejoin)
      throw error
    }
    expect(loop.next(after: .predecessorFenced), .restoreState)
  }

  /// Takes records of the changelog, in order.
  func restore(_ records: [KafkaRecord]) {
    for record in records { changelog.take(record) }
  }

  /// Makes memory of the changelog and says where the records go on.
  ///
  /// State that cannot be read is thrown away, on the topic first, and made anew from the records:
  /// every verdict is then said again as it was.
  func finishRestoring() async throws -> Int64 {
    do {
      try changelog.restore(into: &reducer)
    } catch let error as WireError {
      configuration.logger.error(
        "The changelog of sources cannot be read: memory is made anew from the records",
        metadata: [
          "partition": "\(partition)", "fault": "\(error.fault.rawValue)",
          "field": "\(error.field)",
        ])
      status.update { $0.selfAlertCount += 1 }
      reducer = Self.emptyReducer(partition, configuration, given)
      do throws(KafkaError) {
        let transaction = try await producer.beginTransaction()
        try await transaction.enqueue(changelog.tombstones(partition: partition))
        try await transaction.commit(within: configuration.limits.transactionTimeout)
      } catch {
        expect(loop.next(after: .failedForGood), .dropAndRejoin)
        throw error
      }
    } catch {
      expect(loop.next(after: .failedForGood), .dropAndRejoin)
      throw error
    }
    changelog = SourceChangelogReader()
    expect(loop.next(after: .stateRestored), .poll)
    report()
    return reducer.state.nextOffset
  }

  /// The switch to be logged where the log says another policy than the configured one.
  ///
  /// What a person switched stays, here as on the events.
  var neededActivation: RulesActivation? {
    let current = reducer.state.activation
    var needed = current.underTheRulesHere
    if !current.isCommanded { needed.policyHash = configuration.policy.policy.hash }
    return needed == current ? nil : needed
  }

  /// Applies one batch and commits what follows from it, all or nothing.
  ///
  /// Throws where the partition is lost to us: join the group anew.
  func process(
    _ records: [KafkaRecord], group: KafkaGroupMetadata
  ) async throws(KafkaError) -> PartitionOwner.Outcome {
    expect(loop.next(after: .batchPolled), .applyAndPublish)
    let next = (records.last?.offset ?? reducer.state.nextOffset - 1) + 1
    let taken = records.map { intake.take($0.stored) }
    await learnPolicies(of: taken)
    let (messages, copied) = apply(taken)
    let transaction: KafkaTransaction
    do throws(KafkaError) {
      transaction = try await producer.beginTransaction()
    } catch {
      throw lost(error)
    }
    do throws(KafkaError) {
      try await transaction.enqueue(messages)
      try await transaction.sendOffsets(
        [KafkaPartitionOffset(topic: Topic.sources.name, partition: partition, offset: next)],
        metadata: group)
    } catch {
      return try await undo(transaction, copied, after: error)
    }
    expect(loop.next(after: .batchPublished), .commit)
    do throws(KafkaError) {
      try await transaction.commit(within: configuration.limits.transactionTimeout)
    } catch {
      guard error.disposition == .abortTransaction else { throw lost(error) }
      expect(loop.next(after: .transactionAborted), .rollBackAndRewind)
      rollBack(copied)
      return try rewound(after: error)
    }
    expect(loop.next(after: .batchCommitted), .keepBatch)
    reducer.commitBatch()
    abortsInARow = 0
    status.update {
      $0.recordCount += UInt64(records.count)
      $0.transactionCount += 1
    }
    report()
    return .committed
  }

  /// Drops memory and closes the producer.
  func leave() async {
    _ = loop.next(after: .partitionRevoked)
    await producer.close()
    expect(loop.next(after: .partitionLeft), .nothing)
    status.update { $0.partitions[partition] = nil }
  }
}

// MARK: - One batch

extension SourceOwner {
  /// Fetches policies that others have activated since this one was made.
  private func learnPolicies(of records: [SourceTopicRecord]) async {
    for record in records {
      guard case .rulesActivation(let activation) = record.content,
        !given.contains(where: { $0.hash == activation.policyHash }),
        let rules = try? await PolicyLog(configuration.kafka).read()
      else { continue }
      for policy in rules.policies { reducer.provide(policy) }
    }
  }

  /// Changes memory, so that it can be undone, and returns what the log is to say of it, and which
  /// states are copied by it.
  private func apply(_ records: [SourceTopicRecord]) -> ([KafkaMessage], [SourceState]) {
    let codec = WireCodec()
    var messages: [KafkaMessage] = []
    reducer.beginBatch()
    for record in records {
      for verdict in reducer.apply(record) {
        messages.append(KafkaMessage(topic: .alerts, codec.encode(verdict)))
      }
    }
    let verdictCount = UInt64(messages.count)
    let copied = statesToCopy()
    let now = Timestamp.now()
    for state in copied {
      let record = codec.encode(state, at: now)
      for partition in 0..<eventPartitions {
        messages.append(KafkaMessage(topic: .events, partition: partition, record))
      }
    }
    messages += SourceChangelog.messages(of: reducer, partition: partition)
    status.update { $0.verdictCount += verdictCount }
    return (messages, copied)
  }

  /// What the events topic is to be told now.
  ///
  /// Not of the past: while this partition is being caught up with, how a source stood then would be
  /// taken for how it stands.
  private func statesToCopy() -> [SourceState] {
    let now = Timestamp.now()
    guard now.since(reducer.state.time) < RecordStamp.staleAfter else { return [] }
    return copies.take(reducer.states, at: now)
  }

  private func rollBack(_ copied: [SourceState]) {
    reducer.rollBackBatch()
    copies.takeBack(copied)
  }

  private func undo(
    _ transaction: consuming KafkaTransaction, _ copied: [SourceState], after error: KafkaError
  ) async throws(KafkaError) -> PartitionOwner.Outcome {
    guard error.disposition != .close else { throw lost(error) }
    expect(loop.next(after: .failedNeedingAbort), .rollBackAndAbort)
    rollBack(copied)
    do throws(KafkaError) {
      try await transaction.abort(within: configuration.limits.transactionTimeout)
    } catch {
      throw lost(error)
    }
    expect(loop.next(after: .transactionAborted), .rewind)
    return try rewound(after: error)
  }

  private func rewound(after error: KafkaError) throws(KafkaError) -> PartitionOwner.Outcome {
    abortsInARow += 1
    status.update { $0.abortCount += 1 }
    guard abortsInARow < configuration.limits.abortCountMax else { throw error }
    return .rewound(to: reducer.state.nextOffset)
  }

  private func lost(_ error: KafkaError) -> KafkaError {
    expect(loop.next(after: .failedForGood), .dropAndRejoin)
    return error
  }

  private func report() {
    let state = reducer.state
    let nextDue = reducer.nextDue
    let openAlerts = reducer.openAlerts
    status.update {
      $0.partitions[partition] = ReconcilerStatus.Partition(
        nextOffset: state.nextOffset, time: state.time == .distantPast ? nil : state.time,
        nextDue: nextDue, openAlerts: openAlerts)
    }
  }
}
