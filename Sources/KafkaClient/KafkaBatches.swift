/// Batches of records, pulled: nothing is read ahead in Swift.
public struct KafkaBatches: AsyncSequence, Sendable {
  public typealias Element = KafkaBatch
  public typealias Failure = KafkaError

  typealias Next = @Sendable () async throws(KafkaError) -> KafkaBatch?

  let next: Next

  init(_ next: @escaping Next) { self.next = next }

  public func makeAsyncIterator() -> Iterator { Iterator(next: next) }

  public struct Iterator: AsyncIteratorProtocol {
    let next: Next

    public mutating func next() async throws(KafkaError) -> KafkaBatch? { try await next() }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(KafkaError) -> KafkaBatch? { try await next() }
  }
}
