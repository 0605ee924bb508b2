import Testing

@testable import KafkaClient

/// What transactions do when the broker answers with errors: the calls, which the mock cluster
/// does carry out, not their effect on records, which it fakes (kafka.md trap 21).
@Suite struct TransactionFaultTests {
  private func producer(_ mock: Mock) async throws -> KafkaTransactionalProducer {
    let producer = try KafkaTransactionalProducer(
      mock.configuration(["retry.backoff.ms": "10"]), transactionalID: "owner")
    try await producer.initTransactions(within: .seconds(20))
    return producer
  }

  /// A transaction that was aborted ends no producer: the next one succeeds.
  private func goesOn(_ producer: KafkaTransactionalProducer) async throws {
    let next = try await producer.beginTransaction()
    #expect(try await next.send(messages(1)).count == 1)
    try await next.commit(within: .seconds(20))
    #expect(await producer.close() == .closed)
  }

  @Test func `a commit goes on through errors that may be retried`() async throws {
    let mock = try Mock()
    let producer = try await producer(mock)
    let transaction = try await producer.beginTransaction()
    try await transaction.enqueue(messages(5))
    try mock.cluster.pushRequestErrors(
      [.coordinatorLoading, .coordinatorNotAvailable], into: .endTransaction, broker: 1)
    try await transaction.commit(within: .seconds(20))
    #expect(try mock.cluster.pendingRequestErrors(.endTransaction, broker: 1) == 0)
    #expect(await producer.close() == .closed)
  }

  @Test func `what the broker refuses aborts the transaction, and the next one succeeds`()
    async throws
  {
    let mock = try Mock()
    let producer = try await producer(mock)
    let transaction = try await producer.beginTransaction()
    try mock.cluster.pushRequestErrors(
      [.topicNotAuthorized], into: .addPartitionsToTransaction, broker: 1)
    // One, for the refusal may come before the next is handed over.
    try await transaction.enqueue(messages(1))
    var failure: KafkaError?
    do throws(KafkaError) {
      try await transaction.commit(within: .seconds(20))
    } catch let error {
      failure = error
    }
    #expect(failure?.disposition == .abortTransaction)
    #expect(try mock.cluster.pendingRequestErrors(.addPartitionsToTransaction, broker: 1) == 0)
    try await goesOn(producer)
  }

  @Test(.timeLimit(.minutes(5)))
  func `what is handed over after the broker has refused aborts the transaction too`()
    async throws
  {
    let mock = try Mock()
    let producer = try await producer(mock)
    let transaction = try await producer.beginTransaction()
    try mock.cluster.pushRequestErrors(
      [.topicNotAuthorized], into: .addPartitionsToTransaction, broker: 1)
    var failure: KafkaError?
    while failure == nil {
      do throws(KafkaError) {
        try await transaction.enqueue(messages(1))
      } catch let error {
        failure = error
      }
    }
    #expect(failure?.code == .invalidState)
    #expect(failure?.disposition == .abortTransaction)
    try await transaction.abort(within: .seconds(20))
    try await goesOn(producer)
  }

  @Test(arguments: [KafkaError.Code.unknownProducer, .producerMappingUnknown])
  func `an end that is refused is no abort, for it may be a repetition`(code: KafkaError.Code)
    async throws
  {
    let mock = try Mock()
    let producer = try await producer(mock)
    let transaction = try await producer.beginTransaction()
    try await transaction.enqueue(messages(5))
    try mock.cluster.pushRequestErrors([code], into: .endTransaction, broker: 1)
    var failure: KafkaError?
    do throws(KafkaError) {
      try await transaction.commit(within: .seconds(20))
    } catch let error {
      failure = error
    }
    #expect(failure?.code == code)
    #expect(failure?.disposition == .close)
    #expect(await producer.close() == .closed)
  }

  @Test func `a fenced producer says close at once and for good`() async throws {
    let mock = try Mock()
    let producer = try await producer(mock)
    let transaction = try await producer.beginTransaction()
    try await transaction.enqueue(messages(5))
    try mock.cluster.pushRequestErrors([.producerFenced], into: .endTransaction, broker: 1)
    var failure: KafkaError?
    do throws(KafkaError) {
      try await transaction.commit(within: .seconds(20))
    } catch let error {
      failure = error
    }
    #expect(failure?.disposition == .close)
    #expect(try mock.cluster.pendingRequestErrors(.endTransaction, broker: 1) == 0)
    let again = await #expect(throws: KafkaError.self) { _ = try await producer.beginTransaction() }
    #expect(again?.disposition == .close)
    #expect(await producer.close() == .closed)
  }

  /// Without it the end would wait for a quarter of an hour, the lifetime of the transaction.
  @Test(.timeLimit(.minutes(5)))
  func `a commit that nobody answers ends when its task is cancelled, and says close`()
    async throws
  {
    let mock = try Mock()
    let producer = try KafkaTransactionalProducer(
      mock.configuration(["retry.backoff.ms": "10"]), transactionalID: "owner",
      transactionTimeout: .seconds(900))
    try await producer.initTransactions(within: .seconds(20))
    let failure = await withTaskGroup(of: KafkaError?.self) { group in
      group.addTask {
        do throws(KafkaError) {
          let transaction = try await producer.beginTransaction()
          try await transaction.enqueue(messages(5))
          try mock.cluster.setBroker(1, isUp: false)
          try await transaction.commit(within: .seconds(3_600))
          return nil
        } catch {
          return error
        }
      }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(failure?.disposition == .close)
    // A mock broker that is down cannot be taken away.
    try mock.cluster.setBroker(1, isUp: true)
    await producer.close(within: .seconds(1))
  }

  @Test func `initTransactions gives up at its deadline and can be called again`() async throws {
    let mock = try Mock()
    try mock.cluster.setBroker(1, isUp: false)
    let timeout = Duration.seconds(600)
    let producer = try KafkaTransactionalProducer(
      mock.configuration(), transactionalID: "owner", transactionTimeout: timeout)
    let start = ContinuousClock.now
    let failure = await #expect(throws: KafkaError.self) {
      try await producer.initTransactions(within: .seconds(1))
    }
    #expect(failure?.disposition == .retry)
    // Not a measurement: without the deadline the call would wait for its transaction timeout.
    #expect(ContinuousClock.now - start < timeout)
    try mock.cluster.setBroker(1, isUp: true)
    try await producer.initTransactions(within: .seconds(60))
    #expect(await producer.close() == .closed)
  }

  @Test func `a commit without an answer in time leaves a producer to be closed`() async throws {
    let mock = try Mock()
    let producer = try await producer(mock)
    let transaction = try await producer.beginTransaction()
    _ = try await transaction.send(messages(1))
    try mock.cluster.setBroker(1, isUp: false)
    var failure: KafkaError?
    do throws(KafkaError) {
      try await transaction.commit(within: .seconds(1))
    } catch let error {
      failure = error
    }
    #expect(failure?.disposition == .close)
    #expect(await producer.close(within: .seconds(3)) == .closed)
  }
}
