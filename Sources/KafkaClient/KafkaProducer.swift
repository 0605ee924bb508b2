internal import CLibrdkafka

/// How much may wait in a producer, to be sent or acknowledged; beyond it `send` suspends.
public struct KafkaProducerLimits: Sendable {
  public var messageCountMax: Int
  /// Bytes of keys and values.
  public var byteCountMax: Int

  public init(messageCountMax: Int = 100_000, byteCountMax: Int = 64 << 20) {
    precondition(messageCountMax > 0 && byteCountMax > 0, "a producer holds at least one message")
    self.messageCountMax = messageCountMax
    self.byteCountMax = byteCountMax
  }

  /// librdkafka's own limits lie above ours, so that they are never what stops a message.
  var settings: [String: String] {
    [
      "queue.buffering.max.messages": String(
        Swift.min(10_000_000, Swift.max(100_000, messageCountMax * 2))),
      "queue.buffering.max.kbytes": String(
        Swift.min(2_147_483_647, Swift.max(65_536, byteCountMax / 1024 * 4))),
    ]
  }
}

/// An idempotent producer: each message is written once and in order, however often the network
/// fails, as long as this client lives.
///
/// A fatal error (`KafkaError.isFatal`; librdkafka 2.0.2, kafka.md trap 7: one message that timed
/// out after it may have been written is enough) ends the client: close it, make another and send
/// again what was not acknowledged. Readers then see some of it twice.
public final class KafkaProducer: Sendable {
  private let core: ProducerCore

  /// Makes the client, which tries each message for `deliveryTimeout`; then its `send` fails.
  public init(
    _ configuration: KafkaConfiguration, deliveryTimeout: Duration = .seconds(120),
    limits: KafkaProducerLimits = .init()
  ) throws(KafkaError) {
    core = try ProducerCore(
      configuration: configuration,
      settings: [
        "enable.idempotence": "true",
        "delivery.timeout.ms": String(deliveryTimeout.milliseconds),
      ], limits: limits)
  }

  /// Writes the messages and returns where they lie, in the same order.
  ///
  /// Suspends while the producer is full. If it throws, some may have been written; none is under
  /// way any more. Cancellation does not end the wait, the delivery timeout does.
  public func send(_ messages: [KafkaMessage]) async throws(KafkaError) -> [KafkaDelivery] {
    try await core.send(messages)
  }

  /// Waits for all that is under way; throws `.retry` at the deadline.
  public func flush(within timeout: Duration) async throws(KafkaError) {
    guard try await core.flush(within: timeout) else { throw .timedOut("Flush") }
  }

  /// The partitions `topic` had when this producer last asked for them; asks if it never did.
  public func partitionCount(_ topic: String) async throws(KafkaError) -> Int32 {
    try await core.partitionCount(topic)
  }

  /// Why this producer can no longer be used, if so.
  public var fatalError: KafkaError? { core.fatalError }

  public var statistics: KafkaStatistics? { core.statistics.value }

  /// Flushes, fails what is not acknowledged by then, and frees the client, within `timeout`.
  @discardableResult
  public func close(within timeout: Duration = .seconds(10)) async -> KafkaCloseOutcome {
    await core.close(within: timeout)
  }
}

extension ProducerCore {
  func partitionCount(_ topic: String) async throws(KafkaError) -> Int32 {
    if let count = handle.topics.partitionCount(topic) { return count }
    try await handle.topics.know([KafkaMessage(topic: topic, key: nil, value: nil)], on: handle)
    return handle.topics.partitionCount(topic) ?? 0
  }
}
