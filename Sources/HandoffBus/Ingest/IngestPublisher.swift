package import HandoffCodecs
package import HandoffCore
package import KafkaClient
import Logging
import Synchronization

/// Where ingest writes: transactions, and the correlation that earlier ones left behind.
package protocol IngestPublisher: Sendable {
  /// Fences the predecessor, then gives what is committed on the correlation topic, oldest first.
  func open(restoring restore: (CorrelationChange) -> Void) async throws(KafkaError)

  /// Gives what others have committed on the correlation topic since, as far as it is here: waits
  /// for nothing.
  ///
  /// In the end whoever takes it, with what it published itself, knows what the topic says.
  ///
  /// - Throws: with the disposition `.close` where ``open(restoring:)`` must come next.
  func follow(_ body: (CorrelationChange) -> Void) async throws(KafkaError)

  /// Writes all in one transaction, and with it how far the inboxes are consumed.
  ///
  /// - Throws: with the disposition `.close` where ``open(restoring:)`` must come next; in every
  ///   other case nothing of it is visible, and the same call may be made again.
  func publish(
    _ messages: [KafkaMessage], consumed: [KafkaPartitionOffset]
  ) async throws(KafkaError)

  /// Gives every event that is committed, in pages, in order within each partition; what cannot
  /// be read is left out.
  func readEvents(_ body: ([HandoffEvent]) async throws -> Void) async throws

  func close() async
}

extension IngestPublisher {
  /// The same where nothing was consumed.
  package func publish(_ messages: [KafkaMessage]) async throws(KafkaError) {
    try await publish(messages, consumed: [])
  }
}

/// What a record of the correlation topic does to the table.
package enum CorrelationChange: Sendable {
  case entry(CorrelationEntry)
  /// A tombstone: the entry was forgotten.
  case forgotten(Token)
}

/// Writes to Kafka under one transactional id.
package final class KafkaIngestPublisher: IngestPublisher {
  /// The clients of one session.
  private struct Clients {
    var producer: KafkaTransactionalProducer?
    /// Reads the correlation topic on from where it was restored to.
    var reader: KafkaReader?
    /// What was committed here and is not read back yet.
    var own = OwnRecords()
  }

  /// Batches of one call of ``follow(_:)``: more is taken by the next.
  private static let followedBatchesMax = 20
  /// How long each client may take to close: who stops waits for it, and what an open transaction
  /// holds is in the outbox.
  private static let closeMax: Duration = .seconds(3)

  private let configuration: KafkaConfiguration
  private let transactionalID: String
  private let timeout: Duration
  /// How long the correlation may take to be read back.
  private let restoreTimeout: Duration
  private let clients = Mutex(Clients())

  package init(
    _ configuration: KafkaConfiguration, transactionalID: String,
    timeout: Duration = .seconds(30), restoreTimeout: Duration = .seconds(900)
  ) {
    self.configuration = configuration
    self.transactionalID = transactionalID
    self.timeout = timeout
    self.restoreTimeout = restoreTimeout
  }

  package func open(
    restoring restore: (CorrelationChange) -> Void
  ) async throws(KafkaError) {
    await close()
    let producer = try KafkaTransactionalProducer(
      configuration, transactionalID: transactionalID, transactionTimeout: timeout)
    clients.withLock { $0.producer = producer }
    // First the fence: only then can nothing more be added to what is read back.
    // Short, because nothing interrupts it: a broker that is away must not hold up the end.
    try await producer.initTransactions(within: min(timeout, .seconds(10)))
    let topic = Topic.correlation.name
    let count = try await producer.partitionCount(topic)
    let reader = try KafkaReader(configuration, isolation: .readCommitted)
    let starts = (0..<count).map {
      KafkaPartitionOffset(topic: topic, partition: $0, offset: KafkaPartitionOffset.beginning)
    }
    // Closed with the rest, whatever comes of it.
    clients.withLock { $0.reader = reader }
    do {
      let ends = try await reader.readToEnd(from: starts, within: restoreTimeout) { batch in
        for record in batch.records { restore(try Self.change(record)) }
      }
      try await reader.assign(ends)
    } catch {
      throw Self.unreadable(error)
    }
  }

  package func follow(_ body: (CorrelationChange) -> Void) async throws(KafkaError) {
    guard let reader = clients.withLock({ $0.reader }) else { return }
    let limits = KafkaBatchLimits(countMax: 5_000, waitMax: .zero, idleMax: .zero)
    do {
      var count = 0
      for try await batch in reader.batches(limits) {
        guard batch.truncations.isEmpty else {
          throw KafkaError(
            .offsetReset, message: "the correlation topic is shorter than it was",
            disposition: .close)
        }
        let others = clients.withLock { $0.own.others(among: batch.records) }
        for record in others { body(try Self.change(record)) }
        count += 1
        if batch.isEmpty || count == Self.followedBatchesMax { break }
      }
    } catch {
      throw Self.unreadable(error)
    }
  }

  /// What is wrong with reading: only to begin anew mends it.
  private static func unreadable(_ error: any Error) -> KafkaError {
    let known = error as? KafkaError
    return KafkaError(
      known?.code ?? .invalidState,
      message: known?.message ?? "a record of \(Topic.correlation.name) cannot be read",
      disposition: .close, underlying: error)
  }

  package func publish(
    _ messages: [KafkaMessage], consumed: [KafkaPartitionOffset]
  ) async throws(KafkaError) {
    let (open, isBehind) = clients.withLock { ($0.producer, $0.own.isFull) }
    guard let producer = open else {
      throw KafkaError(.invalidState, message: "not open", disposition: .close)
    }
    guard !isBehind else {
      throw KafkaError(
        .queueFull, message: "the correlation topic is not read on", disposition: .close)
    }
    let transaction = try await producer.beginTransaction(within: timeout)
    var failure: KafkaError?
    do {
      try await transaction.enqueue(messages)
      if !consumed.isEmpty {
        try await transaction.sendOffsets(
          consumed, metadata: KafkaGroupMetadata(ofGroupWithoutMembers: InboxService.group))
      }
    } catch {
      failure = error
    }
    if let failure {
      if failure.disposition != .close { try await transaction.abort(within: timeout) }
      throw failure
    }
    try await transaction.commit(within: timeout)
    clients.withLock { $0.own.note(messages) }
  }

  package func readEvents(_ body: ([HandoffEvent]) async throws -> Void) async throws {
    var page: [HandoffEvent] = []
    try await TopicScan(configuration, topic: .events).readToEnd(within: restoreTimeout) { record in
      guard let read = try? WireCodec.eventRecord(record.stored),
        let event = read.content.event
      else { return }
      page.append(event)
      guard page.count == 1_000 else { return }
      try await body(page)
      page.removeAll(keepingCapacity: true)
    }
    try await body(page)
  }

  package func close() async {
    let open = clients.withLock { clients in
      defer { clients = Clients() }
      return clients
    }
    await open.producer?.close(within: Self.closeMax)
    await open.reader?.close(within: Self.closeMax)
  }

  private static func change(_ record: KafkaRecord) throws(WireError) -> CorrelationChange {
    guard record.value != nil else {
      guard let key = record.key, let token = Token(String(decoding: key, as: UTF8.self)) else {
        throw WireError(.keyMismatch, "key")
      }
      return .forgotten(token)
    }
    return .entry(
      try WireCodec.correlationEntry(
        WireRecord(
          key: record.key, value: record.value,
          headers: record.headers.map { RecordHeader($0.name, $0.value) })))
  }
}
