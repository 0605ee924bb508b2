internal import HandoffCodecs
package import HandoffCore
package import KafkaClient
package import Logging

/// The executor of one partition's ``DeliveryLoop``: its memory, its producer, and nothing shared.
package actor PartitionOwner {
  /// What came of a batch.
  package enum Outcome: Sendable {
    case committed
    /// Nothing of it counts: read again from this offset.
    case rewound(to: Int64)
  }

  package let partition: Int32
  let configuration: ReconcilerConfiguration
  let status: ReconcilerStatus
  let logger: Logger
  let producer: KafkaTransactionalProducer
  var reducer: PersonReducer
  /// Those that it was given at the start.
  let given: RulesOnLog
  var loop = DeliveryLoop()
  /// Names the unbroken changelog that this memory is of.
  var lineage = PartitionOwner.newLineage()
  var restoring = Restoring()
  var copying: Copying?
  /// Alerts that are open, by rule; a person who moves away takes theirs along unseen, until the
  /// next restart counts anew.
  var openAlerts: [Rule: Int] = [:]
  /// That the books differed from what was restored, to be said once.
  var recount: SelfAlert?
  /// What the open batch changes in it.
  private var openAlertChanges: [Rule: Int] = [:]
  private let intake: RecordIntake
  private var changelog: ChangelogWriter
  /// The policies and registers that the reducer has been given.
  private var known: Set<RecordHash>
  private var abortsInARow = 0

  package init(
    partition: Int32, configuration: ReconcilerConfiguration, rules: RulesOnLog,
    intake: RecordIntake, status: ReconcilerStatus
  ) throws(KafkaError) {
    self.partition = partition
    self.configuration = configuration
    self.intake = intake
    changelog = ChangelogWriter(partition: partition)
    self.status = status
    var logger = configuration.logger
    logger[metadataKey: "partition"] = "\(partition)"
    self.logger = logger
    producer = try KafkaTransactionalProducer(
      configuration.kafka, transactionalID: configuration.transactionalID(partition: partition),
      transactionTimeout: configuration.limits.transactionTimeout)
    reducer = Self.emptyReducer(of: partition, configuration, rules)
    known = rules.hashes
    given = rules
  }

  static func emptyReducer(
    of partition: Int32, _ configuration: ReconcilerConfiguration, _ rules: RulesOnLog
  ) -> PersonReducer {
    var reducer = PersonReducer(
      policy: configuration.policy.policy, topic: Topic.events.name, partition: partition)
    rules.provide(to: &reducer)
    return reducer
  }

  static func newLineage() -> String {
    hexadecimal(Token(rawValue: UInt128.random(in: 0...UInt128.max)).bytes)
  }

  /// The earliest deadline armed.
  package var nextDue: Timestamp? { reducer.nextDue }

  /// The switch to be logged where the log says another policy than the configured one, or an older
  /// version of the rules than this program's.
  ///
  /// What a person switched stays: a restart with an older file must not undo it.
  package var neededActivation: RulesActivation? {
    let current = reducer.state.activations[Int(reducer.state.inForce)]
    var needed = current.underTheRulesHere
    if current.policyHash != configuration.policy.policy.hash {
      if current.isCommanded {
        logger.notice(
          "Another policy than the configured one is in force, by `baton policy activate`",
          metadata: ["policy": "\(current.policyHash)"])
      } else {
        needed.policyHash = configuration.policy.policy.hash
        needed.profile = nil
      }
    }
    return needed == current ? nil : needed
  }

  /// What restoring found wrong, with its moment and the name of its episode: the same at every
  /// restart of the same changelog, so that it is one alert.
  package var recounted: (alert: SelfAlert, at: Timestamp, episode: String)? {
    recount.map { ($0, reducer.state.time, "recount-\(lineage)") }
  }

  /// Applies one batch and commits what follows from it, all or nothing.
  ///
  /// Throws where the partition is lost to us: join the group anew.
  package func process(
    _ records: [KafkaRecord], group: KafkaGroupMetadata
  ) async throws(KafkaError) -> Outcome {
    expect(loop.next(after: .batchPolled), .applyAndPublish)
    let next = (records.last?.offset ?? reducer.state.nextOffset - 1) + 1
    // Before the transaction, whose time would run out meanwhile.
    await learnPolicies(of: records)
    copying?.transactionBegins()
    let transaction: KafkaTransaction
    do throws(KafkaError) {
      transaction = try await producer.beginTransaction()
    } catch {
      throw lost(error)
    }
    beginBatch()
    do throws(KafkaError) {
      // Part by part: the broker takes in the first while the next is applied, and what was read of
      // a record is still in the processor's cache when it is judged.
      let count = max(1, configuration.limits.partCount)
      var messages: [KafkaMessage] = []
      for start in stride(from: 0, to: records.count, by: count) {
        let part = start..<min(start + count, records.count)
        messages.removeAll(keepingCapacity: true)
        apply(records, part, into: &messages)
        try await transaction.enqueue(messages)
      }
      try await transaction.enqueue([stateMessage()])
      try await transaction.sendOffsets(
        [KafkaPartitionOffset(topic: Topic.events.name, partition: partition, offset: next)],
        metadata: group)
    } catch {
      return try await undo(transaction, after: error)
    }
    return try await commit(transaction, recordCount: records.count)
  }

  /// Drops memory and closes the producer.
  package func leave() async {
    if loop.next(after: .partitionRevoked) == .drop {
      logger.debug("Partition let go")
    }
    await producer.close()
    expect(loop.next(after: .partitionLeft), .nothing)
    status.update { $0.partitions[partition] = nil }
  }
}

// MARK: - One batch

extension PartitionOwner {
  /// Fetches policies and registers that others have activated since this one was made.
  private func learnPolicies(of records: [KafkaRecord]) async {
    let name = Array("\(RulesActivation.wireName)".utf8)
    for record in records
    where record.headers.contains(where: { $0.value == name && $0.name == "ce_type" }) {
      let read = intake.take(record.stored).record
      guard case .rulesActivation(let activation) = read.content,
        !known.isSuperset(of: activation.hashes)
      else { continue }
      if let rules = try? await PolicyLog(configuration.kafka).read() {
        known.formUnion(rules.hashes)
        rules.provide(to: &reducer)
      }
      if !known.isSuperset(of: activation.hashes) {
        raise(SelfAlert(.policyUnknown, at: read.coordinates))
      }
    }
  }

  private func beginBatch() {
    reducer.beginBatch()
    openAlertChanges = [:]
  }

  /// Changes memory, so that it can be undone, and adds what the log is to say of it.
  private func apply(
    _ records: [KafkaRecord], _ part: Range<Int>, into messages: inout [KafkaMessage]
  ) {
    let codec = WireCodec()
    messages.reserveCapacity(part.count + part.count / 8)
    var verdicts: [Verdict] = []
    judge(records, part, into: &verdicts)
    for verdict in verdicts {
      messages.append(KafkaMessage(topic: .alerts, codec.encode(verdict)))
      switch verdict.action {
      case .opened: openAlertChanges[verdict.rule, default: 0] += 1
      case .resolved: openAlertChanges[verdict.rule, default: 0] -= 1
      default: break
      }
    }
    let verdictCount = messages.count
    // Where the same person goes on: read back by the owner of its key's partition, perhaps us.
    for outgoing in reducer.takeOutgoing() {
      messages.append(KafkaMessage(topic: .events, codec.encode(outgoing)))
    }
    reducer.takeTouched { key, person in
      messages.append(changelog.message(person, key: key))
    }
    status.update { $0.verdictCount += UInt64(verdictCount) }
  }

  /// How many records are read before they are judged: few enough for the processor's cache.
  private static let readCount = 64

  /// Reads records and applies them.
  private func judge(
    _ records: [KafkaRecord], _ part: Range<Int>, into verdicts: inout [Verdict]
  ) {
    var read: [EventRecord] = []
    read.reserveCapacity(Self.readCount)
    for start in stride(from: part.lowerBound, to: part.upperBound, by: Self.readCount) {
      read.removeAll(keepingCapacity: true)
      for index in start..<min(start + Self.readCount, part.upperBound) {
        let (record, alert) = intake.take(records[index].stored)
        if let alert { raise(alert) }
        read.append(record)
      }
      reducer.apply(read[...], into: &verdicts)
    }
  }

  /// The partition's own record, which comes last.
  private func stateMessage() -> KafkaMessage {
    Changelog.message(
      reducer.state, partition: partition, lineage: lineage, personCount: reducer.personCount)
  }

  private func commit(
    _ transaction: consuming KafkaTransaction, recordCount: Int
  ) async throws(KafkaError) -> Outcome {
    expect(loop.next(after: .batchPublished), .commit)
    do throws(KafkaError) {
      try await transaction.commit(within: configuration.limits.transactionTimeout)
    } catch {
      guard error.disposition == .abortTransaction else { throw lost(error) }
      expect(loop.next(after: .transactionAborted), .rollBackAndRewind)
      reducer.rollBackBatch()
      return try rewound(after: error)
    }
    expect(loop.next(after: .batchCommitted), .keepBatch)
    reducer.commitBatch()
    copying?.transactionCommitted()
    abortsInARow = 0
    openAlerts.merge(openAlertChanges, uniquingKeysWith: +)
    openAlertChanges = [:]
    status.update {
      $0.recordCount += UInt64(recordCount)
      $0.transactionCount += 1
    }
    report()
    return .committed
  }

  /// Undoes the batch in memory and on the log.
  private func undo(
    _ transaction: consuming KafkaTransaction, after error: KafkaError
  ) async throws(KafkaError) -> Outcome {
    guard error.disposition != .close else { throw lost(error) }
    expect(loop.next(after: .failedNeedingAbort), .rollBackAndAbort)
    reducer.rollBackBatch()
    do throws(KafkaError) {
      try await transaction.abort(within: configuration.limits.transactionTimeout)
    } catch {
      throw lost(error)
    }
    expect(loop.next(after: .transactionAborted), .rewind)
    return try rewound(after: error)
  }

  private func rewound(after error: KafkaError) throws(KafkaError) -> Outcome {
    abortsInARow += 1
    status.update { $0.abortCount += 1 }
    logger.notice(
      "Batch aborted", metadata: ["kafkaCode": "\(error.code)", "inARow": "\(abortsInARow)"])
    guard abortsInARow < configuration.limits.abortCountMax else {
      // Not failed for good: memory is whole, and the group takes the partition from us first.
      throw error
    }
    return .rewound(to: reducer.state.nextOffset)
  }

  /// The producer is done for, so whatever memory holds is not ours to go on from.
  private func lost(_ error: KafkaError) -> KafkaError {
    expect(loop.next(after: .failedForGood), .dropAndRejoin)
    logger.notice("Partition lost", metadata: ["kafkaCode": "\(error.code)"])
    return error
  }

  func raise(_ alert: SelfAlert) {
    status.update { $0.selfAlertCount += 1 }
    logger.log(alert)
  }

  func report() {
    let state = reducer.state
    let nextDue = reducer.nextDue
    let personCount = reducer.personCount
    let openAlerts = openAlerts
    if !state.books.isBalanced { raise(SelfAlert(.booksUnbalanced)) }
    status.update {
      var entry = $0.partitions[partition] ?? ReconcilerStatus.Partition(nextOffset: 0)
      entry.nextOffset = state.nextOffset
      entry.time = state.time == .distantPast ? nil : state.time
      entry.nextDue = nextDue
      entry.rules = state.activations[Int(state.inForce)]
      entry.books = state.books
      entry.personCount = personCount
      entry.openAlerts = openAlerts
      entry.sources = state.sources.values.sorted { $0.source < $1.source }
      $0.partitions[partition] = entry
    }
  }
}

/// The machine and its executor must agree; where they do not, going on would corrupt the log.
func expect(_ step: DeliveryLoop.Step, _ expected: DeliveryLoop.Step) {
  precondition(step == expected, "asked for \(step) where the executor does \(expected)")
}

extension Logger {
  /// Writes an alert about ourselves where an operator looks.
  package func log(_ alert: SelfAlert) {
    var metadata: Logger.Metadata = ["kind": "\(alert.kind.rawValue)"]
    if let cause = alert.cause { metadata["cause"] = "\(cause)" }
    if let place = alert.coordinates {
      metadata["place"] = "\(place.topic)[\(place.partition)]@\(place.offset)"
    }
    error("Alert about ourselves", metadata: metadata)
  }
}

extension RulesActivation {
  /// The same policy, judged by this program's rules from here on; of a newer program's log it is
  /// left as it is, or two versions that share a group would switch each other back.
  var underTheRulesHere: RulesActivation {
    var activation = self
    activation.rulesVersion = max(rulesVersion, PersonReducer.rulesVersion)
    return activation
  }
}
