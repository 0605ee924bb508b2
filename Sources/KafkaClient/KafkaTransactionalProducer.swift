internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// A producer whose messages and consumed offsets become visible together, or never.
///
/// One lives for each input partition, named after it (`transactionalID`): its `initTransactions`
/// fences whoever had the name before, so that a stale owner of the partition can write nothing
/// more. Kafka's transactions are not the whole safety argument (kafka.md trap 20): after an error
/// that leaves the outcome open, close the producer and make another under the same name.
public final class KafkaTransactionalProducer: Sendable {
  enum Phase: Equatable {
    /// Can become `ready`.
    case new
    /// Can become `open`.
    case ready
    /// Can become `ready`, by commit or abort, or `abandoned`.
    case open
    /// The owner dropped the transaction without ending it. Becomes `ready` by an abort.
    case abandoned
  }

  public let transactionalID: String
  let core: ProducerCore
  let phase = Mutex(Phase.new)

  /// Makes the client; `initTransactions` must follow.
  ///
  /// The broker aborts a transaction left open for `transactionTimeout`.
  public init(
    _ configuration: KafkaConfiguration, transactionalID: String,
    transactionTimeout: Duration = .seconds(30), limits: KafkaProducerLimits = .init()
  ) throws(KafkaError) {
    self.transactionalID = transactionalID
    core = try ProducerCore(
      configuration: configuration,
      settings: [
        "transactional.id": transactionalID,
        "transaction.timeout.ms": String(transactionTimeout.milliseconds),
      ], limits: limits, failedDelivery: .abortTransaction)
  }

  /// Fences the former owner of the name, ends its open transaction and waits until that is done.
  ///
  /// Call it once, before anything else and before restoring the state that the name guards. At
  /// the deadline it throws `.retry`: call it again.
  public func initTransactions(within timeout: Duration) async throws(KafkaError) {
    try await insist("initTransactions", within: timeout) { client, timeoutMs in
      rd_kafka_init_transactions(client, timeoutMs)
    }
    phase.withLock { $0 = .ready }
  }

  /// Opens a transaction.
  ///
  /// The one before must have been ended; one that was dropped without is aborted first.
  public func beginTransaction(
    within timeout: Duration = .seconds(30)
  ) async throws(KafkaError) -> KafkaTransaction {
    if phase.withLock({ $0 == .abandoned }) { try await abort(within: timeout) }
    guard phase.withLock({ $0 == .ready }) else {
      throw KafkaError(
        .invalidState, message: "A transaction is open, or initTransactions has not been called",
        disposition: .close)
    }
    let failedDeliveryCount = await core.failedDeliveryCount()
    let error = try core.handle.use {
      KafkaError(consuming: rd_kafka_begin_transaction($0.pointer))
    }
    if let error { throw error }
    phase.withLock { $0 = .open }
    return KafkaTransaction(of: self, failedDeliveryCount: failedDeliveryCount)
  }

  /// The partitions `topic` had when this producer last asked for them; asks if it never did.
  public func partitionCount(_ topic: String) async throws(KafkaError) -> Int32 {
    try await core.partitionCount(topic)
  }

  /// Why this producer can no longer be used, if so.
  public var fatalError: KafkaError? { core.fatalError }

  public var statistics: KafkaStatistics? { core.statistics.value }

  /// Aborts an open transaction and frees the client, within `timeout`.
  @discardableResult
  public func close(within timeout: Duration = .seconds(10)) async -> KafkaCloseOutcome {
    let deadline = ContinuousClock.now + timeout
    if phase.withLock({ $0 == .open || $0 == .abandoned }), fatalError == nil {
      // An open transaction would keep its partitions' readers waiting until it times out.
      try? await abort(within: timeout / 2)
    }
    return await core.close(within: Swift.max(.milliseconds(500), deadline - .now))
  }
}

extension KafkaTransactionalProducer {
  func abort(within timeout: Duration) async throws(KafkaError) {
    try await insist("abort", within: timeout) { client, timeoutMs in
      rd_kafka_abort_transaction(client, timeoutMs)
    }
    phase.withLock { $0 = .ready }
  }

  /// How long a transactional call goes on once its task is cancelled: whoever stops has to wait
  /// for it, and a broker that is away would hold it up to its whole timeout.
  static let cancelledMax: Duration = .seconds(3)
  /// One piece of such a call, after which it is seen whether the task is cancelled.
  private static let pieceMax: Duration = .seconds(1)

  /// Makes a transactional call, and makes the same call again while it may be retried: since
  /// 2.0.0 such a call resumes where it timed out (kafka.md trap 19).
  ///
  /// Ends at the deadline, and ``cancelledMax`` after its task was cancelled.
  func insist(
    _ what: String, within timeout: Duration,
    _ call: @escaping @Sendable (OpaquePointer, Int32) -> OpaquePointer?
  ) async throws(KafkaError) {
    var deadline = ContinuousClock.now + timeout
    var isHurried = false
    while true {
      if Task.isCancelled, !isHurried {
        isHurried = true
        deadline = min(deadline, .now + Self.cancelledMax)
      }
      // Of less than a millisecond `rd_kafka_init_transactions` makes twice the transaction's timeout.
      let remaining = Swift.max(.milliseconds(50), deadline - .now)
      let piece = min(remaining, Self.pieceMax)
      // Waited for as long as the whole: a call that outlasts its own piece is still under way, and
      // another must not be made beside it.
      let failure = try await core.handle.call(what, within: remaining) { client in
        KafkaError(consuming: call(client.pointer, piece.timeoutMs))
          .map { KafkaError.fatal(client.pointer) ?? $0 }
      }
      guard let failure else { return }
      guard failure.disposition == .retry, ContinuousClock.now < deadline else { throw failure }
      // A retriable answer may come at once, for example from a coordinator that is loading.
      await pause(.milliseconds(50))
    }
  }

  private func pause(_ time: Duration) async {
    let _: Void? = await firstAnswer(within: time) { (_: Answer<Void>) in }
  }
}
