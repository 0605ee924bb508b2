import TestSupport
import Testing

@testable import KafkaClient

/// Records that were written and whose acknowledgement was lost on the way back.
///
/// needs a broker of its own: the proxy stands for one broker only.
@Suite(
  .enabled(if: TestBroker.isAvailable && !TestBroker.isExternal, "\(TestBroker.skipReason)"))
struct LostAnswerTests {
  let broker: TestBroker
  let proxy: LossyProxy
  let topic = "lost-\(UInt32.random(in: 0...UInt32.max))"
  var direct: KafkaConfiguration { .test(broker.bootstrapServers) }
  var lossy: KafkaConfiguration {
    .test(["127.0.0.1:\(proxy.port)"], ["retry.backoff.ms": "10"])
  }

  init() async throws {
    broker = try TestBroker.start()
    proxy = try LossyProxy(before: broker)
    let admin = try KafkaAdmin(direct)
    try await admin.createTopics([.init(name: topic, partitions: 1, replication: 1)])
    #expect(await admin.close() == .closed)
  }

  /// What lies on the broker.
  private func written() async throws -> [String?] {
    let reader = try KafkaReader(direct)
    var texts: [String?] = []
    try await reader.readToEnd(from: beginnings(topic), within: .seconds(10)) {
      texts += $0.records.map(\.text)
    }
    #expect(await reader.close() == .closed)
    return texts
  }

  @Test(arguments: [1, 3])
  func `records whose answers are lost are sent again and written once`(losses: Int) async throws {
    let producer = try KafkaProducer(lossy)
    _ = try await producer.send(messages(1, topic: topic))
    proxy.lose(.produce, losses)
    let deliveries = try await producer.send(messages(200, from: 1, topic: topic))
    #expect(proxy.lostCount(.produce) == losses)
    #expect(deliveries.count == 200)
    #expect(try await written() == (0...200).map { "v\($0)" })
    #expect(await producer.close() == .closed)
    #expect(proxy.stop())
    broker.stop()
  }

  @Test func `a producer that never hears of its records is replaced, and a replay loses none`()
    async throws
  {
    let producer = try KafkaProducer(lossy, deliveryTimeout: .seconds(2))
    _ = try await producer.send(messages(1, topic: topic))
    proxy.lose(.produce, .max)
    let failure = await #expect(throws: KafkaError.self) {
      try await producer.send(messages(50, from: 1, topic: topic))
    }
    #expect(proxy.lostCount(.produce) > 0)
    #expect(failure?.disposition != .abortTransaction)
    // The broker answers what it has written: that is what makes the replay a repetition. How many
    // of the fifty were in the requests it answered is the producer's affair: with the first answer
    // the connection goes, and what was not sent by then waits behind what is sent again.
    #expect(try await written().contains("v1"))
    #expect(await producer.close() == .closed)

    proxy.lose(.produce, 0)
    let next = try KafkaProducer(lossy)
    _ = try await next.send(messages(50, from: 1, topic: topic))
    let texts = try await written()
    #expect(Set(texts) == Set((0...50).map { "v\($0)" }))
    #expect(texts.suffix(50) == (1...50).map { "v\($0)" })
    #expect(await next.close() == .closed)
    #expect(proxy.stop())
    broker.stop()
  }
}
