internal import KafkaClient

/// A producer of words that stand outside of transactions: made for the first, and anew after one that
/// failed.
///
/// A fatal error ends a producer, and a message that timed out is one (kafka.md trap 7).
actor RenewedProducer {
  private let kafka: KafkaConfiguration
  private var producer: KafkaProducer?

  init(_ kafka: KafkaConfiguration) { self.kafka = kafka }

  /// Writes the messages, each within five seconds.
  @discardableResult
  func send(_ messages: [KafkaMessage]) async throws(KafkaError) -> [KafkaDelivery] {
    let producer = try connected()
    do throws(KafkaError) {
      return try await producer.send(messages)
    } catch {
      // Another that failed beside this one may have replaced it already.
      if self.producer === producer { await close() }
      throw error
    }
  }

  private func connected() throws(KafkaError) -> KafkaProducer {
    if let producer { return producer }
    let made = try KafkaProducer(kafka, deliveryTimeout: .seconds(5))
    producer = made
    return made
  }

  /// Frees the client; the next word makes another.
  func close() async {
    let closing = producer
    producer = nil
    await closing?.close()
  }
}
