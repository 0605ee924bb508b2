internal import HandoffCodecs
internal import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging

/// Counts every partition a second time, from the audit log alone, and holds the books that its
/// reconciler publishes against that.
///
/// The count goes as far as the books speak for, and no further: so both are always compared at one
/// offset, and a log that is behind makes the comparison late, never wrong. What differs is an alert
/// about ourselves (S06, `second-count`), and so is the end of it.
package actor BooksAuditor {
  private let log: AuditStore
  private let counts: CountStore
  private let books: BooksReader
  private let kafka: KafkaConfiguration
  private let logger: Logger
  private let intake: RecordIntake
  /// The first offset that the cluster still has, by partition of the events topic.
  private let beginnings: [Int32: Int64]
  /// Books that the count is yet to come to.
  private var waiting: [Int32: PartitionState] = [:]
  private var producer: KafkaProducer?

  /// Records in one SQL transaction, and at most in one look at one partition: the log is kept by
  /// the same task, and must not wait for long.
  private static let countMax = 2_000
  private static let lookCountMax = 20_000

  /// Makes an auditor; `beginnings` has every partition of the events topic.
  package init(
    log: AuditStore, counts: CountStore, kafka: KafkaConfiguration, stamp: RecordStamp?,
    beginnings: [Int32: Int64], logger: Logger
  ) {
    self.log = log
    self.counts = counts
    self.kafka = kafka
    self.beginnings = beginnings
    self.logger = logger
    books = BooksReader(kafka, stamp: stamp)
    intake = RecordIntake(partitionCount: Int32(clamping: beginnings.count), stamp: stamp)
  }

  /// Takes the newest books, counts up to them, compares, and says what is to be said.
  ///
  /// A broker that does not answer puts it off to the next look.
  ///
  /// - Throws: `AuditStoreError` where log or count cannot be used.
  package func look() async throws(AuditStoreError) -> [CountStanding] {
    do {
      for (partition, state) in try await books.newest() where waiting[partition] == nil {
        waiting[partition] = state
      }
    } catch let error as KafkaError {
      logger.notice("Books not read", metadata: ["kafkaCode": "\(error.code)"])
    } catch {
      logger.debug("Looking at the books was interrupted")
    }
    for (partition, state) in waiting.sorted(by: { $0.key < $1.key }) {
      let isHeld = try await hold(state, of: partition)
      waiting[partition] = isHeld ? nil : state
    }
    try await say()
    return try await counts.standings()
  }

  /// Frees the clients.
  package func close() async {
    await books.close()
    await producer?.close()
    producer = nil
  }

  /// Counts up to the offset of these books, and compares there; false where that is yet to come.
  private func hold(
    _ state: PartitionState, of partition: Int32
  ) async throws(AuditStoreError) -> Bool {
    let name = AuditLogName(topic: Topic.events.name, partition: partition)
    guard let logged = try await log.log(name) else { return false }
    let standing = try await begun(partition, name)
    // A reconciler that makes its memory anew is behind us for a while.
    guard state.nextOffset >= standing.nextOffset, standing.isWhole else { return true }
    var counted = standing.nextOffset
    var left = Self.lookCountMax
    while counted < state.nextOffset, left > 0 {
      let records = try await log.records(
        of: name, offsets: counted..<state.nextOffset, limit: Self.countMax)
      let isAll = records.count < Self.countMax
      // Between two records stand the ends of transactions: they are no gap.
      let next =
        isAll ? min(state.nextOffset, logged.nextOffset) : (records.last?.offset ?? counted) + 1
      guard next > counted else { return false }
      try await counts.count(records.compactMap(fact), of: partition, upTo: next)
      (counted, left) = (next, left - records.count)
      if isAll { break }
    }
    guard counted == state.nextOffset, let standing = try await counts.standing(of: partition)
    else { return false }
    try await compare(state, standing)
    return true
  }

  private func begun(
    _ partition: Int32, _ name: AuditLogName
  ) async throws(AuditStoreError) -> CountStanding {
    if let standing = try await counts.standing(of: partition) { return standing }
    let first = try await log.records(of: name, offsets: 0..<Int64.max, limit: 1).first?.offset
    let isWhole = beginnings[partition] == 0 || first == 0
    if !isWhole {
      logger.warning(
        "Books are not counted a second time: the log begins after the topic did",
        metadata: ["partition": "\(partition)"])
    }
    return try await counts.begin(partition, isWhole: isWhole)
  }

  /// What a record counts, read as the reconciler reads it: what that cannot take counts nothing.
  private func fact(_ record: AuditRecord) -> CountedFact? {
    let stored = StoredRecord(
      record: WireRecord(
        key: record.key, value: record.value,
        headers: record.headers.map { RecordHeader($0.name, $0.value) }),
      coordinates: RecordCoordinates(
        topic: record.log.topic, partition: record.log.partition, offset: record.offset),
      brokerAt: Timestamp(milliseconds: record.brokerTimeMs))
    return CountedFact(intake.take(stored).record)
  }

  private func compare(
    _ state: PartitionState, _ standing: CountStanding
  ) async throws(AuditStoreError) {
    guard state.activations.indices.contains(Int(state.inForce)) else { return }
    let differences = standing.count.differences(from: state.books)
    if !differences.isEmpty {
      logger.log(
        SelfAlert(
          .booksUnbalanced,
          at: RecordCoordinates(
            topic: Topic.events.name, partition: standing.partition,
            offset: state.nextOffset - 1), cause: .secondCount))
    }
    try await counts.note(
      BooksComparison(
        partition: standing.partition, offset: state.nextOffset, at: state.time,
        policy: state.activations[Int(state.inForce)].policyHash, differences: differences))
  }
}

// MARK: - Saying

extension BooksAuditor {
  /// Writes the alerts that nobody has been told of; the broker may be away, and then hears later.
  private func say() async throws(AuditStoreError) {
    for alert in try await counts.unsaid() {
      do throws(KafkaError) {
        _ = try await connected().send([
          KafkaMessage(topic: .alerts, WireCodec().encode(Verdict(alert)))
        ])
      } catch {
        logger.error(
          "Verdict about ourselves not written",
          metadata: ["rule": "\(Rule.s06.rawValue)", "kafkaCode": "\(error.code)"])
        await producer?.close()
        producer = nil
        return
      }
      try await counts.noteSaid(alert)
    }
  }

  private func connected() throws(KafkaError) -> KafkaProducer {
    if let producer { return producer }
    let made = try KafkaProducer(kafka, deliveryTimeout: .seconds(5))
    producer = made
    return made
  }
}

extension Verdict {
  /// What is said of books that are not what was counted.
  fileprivate init(_ alert: CountAlert) {
    self.init(
      of: SelfAlert(
        .booksUnbalanced,
        at: RecordCoordinates(
          topic: Topic.events.name, partition: alert.partition, offset: alert.readUpTo),
        cause: .secondCount),
      at: alert.openedAt, episode: "second-count-\(alert.episode)", policyHash: alert.policy)
    revision = alert.revision
    guard let resolvedAt = alert.resolvedAt else { return }
    action = .resolved
    self.resolvedAt = resolvedAt
    knownAt = resolvedAt
  }
}

extension Code {
  /// Books that differ from what audit counts.
  static let secondCount = ingestCode("second-count")
}
