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
/// about ourselves (S06, `second-count`), and so is the end of it. A count that cannot be used is
/// logged, begun anew where it is damaged, and never a reason to stop the log.
package actor BooksAuditor {
  private let log: AuditStore
  private let counts: CountStore
  private let books: BooksReader
  private let voice: CountVoice?
  private let logger: Logger
  private let intake: RecordIntake
  /// The first offset that the cluster still has, by partition of the events topic.
  private let beginnings: [Int32: Int64]
  /// Books that the count is yet to come to.
  private var waiting: [Int32: PartitionState] = [:]
  /// What keeps the count from being used, so that it is logged once.
  private var failure: CountStoreError?
  /// The count was damaged, and could not be begun anew yet.
  private var isLost = false

  /// Records in one SQL transaction, and at most in one look at one partition: the log is kept by
  /// the same task, and must not wait for long.
  private static let countMax = 2_000
  private static let lookCountMax = 20_000

  /// Makes an auditor; `beginnings` has every partition of the events topic.
  ///
  /// Of several only the one that signs checkpoints `isSaying` the alerts, or each would say its own.
  package init(
    log: AuditStore, counts: CountStore, kafka: KafkaConfiguration, stamp: RecordStamp?,
    beginnings: [Int32: Int64], isSaying: Bool, logger: Logger
  ) {
    self.log = log
    self.counts = counts
    self.beginnings = beginnings
    self.logger = logger
    books = BooksReader(kafka, stamp: stamp)
    intake = RecordIntake(partitionCount: Int32(clamping: beginnings.count), stamp: stamp)
    voice =
      isSaying
      ? CountVoice(
        log: log, counts: counts, kafka: kafka, stamp: stamp,
        partitions: beginnings.keys.sorted(), logger: logger)
      : nil
  }

  /// Takes the newest books, counts up to them, compares, and says what is to be said.
  ///
  /// A broker that does not answer puts it off to the next look. Where the count cannot be used
  /// nothing is known of the books, and no standing is returned.
  ///
  /// - Throws: `AuditStoreError` where the log cannot be used.
  package func look() async throws -> [CountStanding] {
    do {
      for (partition, state) in try await books.newest() {
        // Those that wait come first, but for books of a log that was made anew since.
        if let known = waiting[partition], known.nextOffset <= state.nextOffset { continue }
        waiting[partition] = state
      }
    } catch let error as KafkaError {
      logger.notice("Books not read", metadata: ["kafkaCode": "\(error.code)"])
    } catch {
      logger.debug("Looking at the books was interrupted")
    }
    do {
      try await voice?.hear()
      for (partition, state) in waiting.sorted(by: { $0.key < $1.key }) {
        let isHeld = try await hold(state, of: partition)
        waiting[partition] = isHeld ? nil : state
      }
      try await voice?.say()
      let standings = try await counts.standings()
      failure = nil
      return standings
    } catch let error as CountStoreError {
      // A question that was cut off says nothing of the count.
      try Task.checkCancellation()
      await note(error)
      return []
    }
  }

  /// Frees the clients.
  package func close() async {
    await books.close()
    await voice?.close()
  }

  /// Logs why nothing is counted, and begins anew where the file is damaged.
  private func note(_ error: CountStoreError) async {
    if error != failure {
      logger.error(
        "Books not counted a second time", metadata: ["reason": "\(error.description)"])
    }
    failure = error
    let isKnown = isLost
    if case .corrupt = error { isLost = true }
    guard isLost else { return }
    do throws(CountStoreError) {
      try counts.beginAnew()
      isLost = false
      await voice?.forget()
      logger.warning("The second count is begun anew")
    } catch {
      // It is tried at every look, and said once.
      guard !isKnown else { return }
      logger.error(
        "The second count cannot be begun anew", metadata: ["reason": "\(error.description)"])
    }
  }

  /// Counts up to the offset of these books, and compares there; false where that is yet to come.
  private func hold(_ state: PartitionState, of partition: Int32) async throws -> Bool {
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

  private func begun(_ partition: Int32, _ name: AuditLogName) async throws -> CountStanding {
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
    CountedFact(intake.take(record.stored).record)
  }

  private func compare(
    _ state: PartitionState, _ standing: CountStanding
  ) async throws(CountStoreError) {
    guard state.activations.indices.contains(Int(state.inForce)) else { return }
    let differences = standing.count.differences(from: state.books)
    // Once an episode, whoever says it to the bus.
    if standing.differences.isEmpty != differences.isEmpty {
      tell(isOpen: !differences.isEmpty, standing.partition, at: state.nextOffset - 1)
    }
    try await counts.note(
      BooksComparison(
        partition: standing.partition, offset: state.nextOffset, at: state.time,
        policy: state.activations[Int(state.inForce)].policyHash, differences: differences),
      isSaying: voice != nil)
  }

  private func tell(isOpen: Bool, _ partition: Int32, at offset: Int64) {
    let place = RecordCoordinates(
      topic: Topic.events.name, partition: partition, offset: offset)
    if isOpen {
      logger.log(SelfAlert(.booksUnbalanced, at: place, cause: .secondCount))
    } else {
      logger.notice("Books are again what is counted", metadata: ["partition": "\(partition)"])
    }
  }
}
