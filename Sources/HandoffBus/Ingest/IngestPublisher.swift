package import HandoffCodecs
package import HandoffCore
package import KafkaClient
import Logging
import Synchronization

/// Where ingest writes: transactions, and the correlation that earlier ones left behind.
package protocol IngestPublisher: Sendable {
  /// Fences the predecessor, then gives what is committed on the correlation topic, oldest first.
  func open(restoring restore: (CorrelationChange) -> Void) async throws(KafkaError)

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
  private let configuration: KafkaConfiguration
  private let transactionalID: String
  private let timeout: Duration
  /// How long the correlation may take to be read back.
  private let restoreTimeout: Duration
  private let producer = Mutex<KafkaTransactionalProducer?>(nil)

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
    self.producer.withLock { $0 = producer }
    // First the fence: only then can nothing more be added to what is read back.
    // Short, because nothing interrupts it: a broker that is away must not hold up the end.
    try await producer.initTransactions(within: min(timeout, .seconds(10)))
    let topic = Topic.correlation.name
    let count = try await producer.partitionCount(topic)
    let reader = try KafkaReader(configuration, isolation: .readCommitted)
    let starts = (0..<count).map {
      KafkaPartitionOffset(topic: topic, partition: $0, offset: KafkaPartitionOffset.beginning)
    }
    do {
      _ = try await reader.readToEnd(from: starts, within: restoreTimeout) { batch in
        for record in batch.records { restore(try Self.change(record)) }
      }
    } catch {
      await reader.close()
      throw (error as? KafkaError)
        ?? KafkaError(
          .invalidState, message: "a record of \(topic) cannot be read", disposition: .close,
          underlying: error)
    }
    await reader.close()
  }

  package func publish(
    _ messages: [KafkaMessage], consumed: [KafkaPartitionOffset]
  ) async throws(KafkaError) {
    guard let producer = producer.withLock({ $0 }) else {
      throw KafkaError(.invalidState, message: "not open", disposition: .close)
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
  }

  package func readEvents(_ body: ([HandoffEvent]) async throws -> Void) async throws {
    var page: [HandoffEvent] = []
    try await TopicScan(configuration, topic: .events).readToEnd(within: restoreTimeout) { record in
      guard let read = try? WireCodec.eventRecord(record.stored),
        case .event(let event) = read.content
      else { return }
      page.append(event)
      guard page.count == 1_000 else { return }
      try await body(page)
      page.removeAll(keepingCapacity: true)
    }
    try await body(page)
  }

  package func close() async {
    let producer = producer.withLock { producer in
      defer { producer = nil }
      return producer
    }
    await producer?.close()
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
