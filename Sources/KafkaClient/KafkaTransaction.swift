internal import CLibrdkafka
internal import Synchronization

/// An open transaction, which its owner ends once, by `commit` or by `abort`.
///
/// Dropping it without either is repaired by the next `beginTransaction` or `close`, which aborts.
public struct KafkaTransaction: ~Copyable, Sendable {
  private let producer: KafkaTransactionalProducer
  /// What the producer had not delivered before this transaction began.
  private let failedDeliveryCount: UInt64

  init(of producer: KafkaTransactionalProducer, failedDeliveryCount: UInt64) {
    self.producer = producer
    self.failedDeliveryCount = failedDeliveryCount
  }

  deinit {
    // `commit` and `abort` have left `open` behind when they succeeded.
    producer.phase.withLock { if $0 == .open { $0 = .abandoned } }
  }

  /// Writes the messages and waits until each is acknowledged; visible after `commit`.
  ///
  /// Throws `.abortTransaction` if any cannot be written, `.close` if this producer is fenced.
  public func send(_ messages: [KafkaMessage]) async throws(KafkaError) -> [KafkaDelivery] {
    try await producer.core.send(messages)
  }

  /// Hands the messages over without waiting for their acknowledgement: `commit` waits, and fails
  /// if any could not be written.
  ///
  /// One round trip less than `send`.
  public func enqueue(_ messages: [KafkaMessage]) async throws(KafkaError) {
    guard !messages.isEmpty else { return }
    try await producer.core.enqueue(messages, reportingTo: nil)
  }

  /// Makes the consumer group's offsets part of this transaction.
  ///
  /// Throws `.abortTransaction` if the membership is stale: the partitions are another's now.
  /// No offset metadata go with them (librdkafka 2.0.2, kafka.md trap 15: zero bytes in them are
  /// corrupted).
  public func sendOffsets(
    _ offsets: [KafkaPartitionOffset], metadata: KafkaGroupMetadata,
    within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    do throws(KafkaError) {
      try await producer.insist("sendOffsets", within: timeout) { client, timeoutMs in
        let list = NativeOffsets(offsets)
        return rd_kafka_send_offsets_to_transaction(
          client, list.pointer, metadata.pointer, timeoutMs)
      }
    } catch {
      // The time for trying again is over, so the transaction cannot be completed.
      throw error.disposition == .retry ? error.with(.abortTransaction) : error
    }
  }

  /// Makes its records and offsets visible together.
  ///
  /// Throws `.abortTransaction` when the transaction could not be committed and has been aborted:
  /// take the input again. Throws `.close` when this producer is fenced, or when the outcome is
  /// not known: a new producer of the same name settles it (kafka.md trap 20).
  ///
  /// Of an abort only a message that was not written is proof, for then the end is never asked for.
  /// What librdkafka calls abortable after that may be the answer to a repetition of an end that was
  /// carried out.
  public consuming func commit(within timeout: Duration) async throws(KafkaError) {
    let deadline = ContinuousClock.now + timeout
    do throws(KafkaError) {
      try await producer.insist("commit", within: timeout) { client, timeoutMs in
        rd_kafka_commit_transaction(client, timeoutMs)
      }
    } catch {
      guard error.disposition == .abortTransaction else { throw error.with(.close) }
      try await producer.settle(within: Swift.max(.seconds(1), deadline - .now))
      let isProven = await producer.core.failedDeliveryCount() > failedDeliveryCount
      throw isProven ? error : error.with(.close)
    }
    producer.phase.withLock { $0 = .ready }
  }

  /// Makes sure that nothing of it becomes visible.
  ///
  /// Throws `.close` when this producer is fenced, or at the deadline.
  public consuming func abort(within timeout: Duration) async throws(KafkaError) {
    try await producer.settle(within: timeout)
  }
}

extension KafkaTransactionalProducer {
  /// Aborts; what cannot even be aborted can only be closed.
  fileprivate func settle(within timeout: Duration) async throws(KafkaError) {
    do throws(KafkaError) {
      try await abort(within: timeout)
    } catch {
      throw error.with(.close)
    }
  }
}
