import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import TestSupport
import Testing

@testable import HandoffBus

/// The same publisher that production uses, on a broker.
@Suite(.enabled(if: TestBroker.isAvailable, "\(TestBroker.skipReason)"))
struct IngestKafkaTests {
  private static func topics(on broker: TestBroker) async throws -> KafkaConfiguration {
    let configuration = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
    let admin = try KafkaAdmin(configuration)
    _ = try await admin.createTopics(
      [Topic.events, .correlation, .sources, .deadLetters].map {
        KafkaAdmin.TopicSpecification(name: $0.name, partitions: 3, replication: 1)
      })
    await admin.close()
    return configuration
  }

  @Test(.timeLimit(.minutes(5)))
  func `two ingests of one bus learn what the other writes while they run`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let configuration = try await Self.topics(on: broker)
    let secrets = Secrets.generate()
    let benches = try ["a", "b"].map { name in
      try IngestBench(
        secrets: secrets,
        through: KafkaIngestPublisher(configuration, transactionalID: "test-ingest-\(name)"))
    }
    for bench in benches { try await bench.pass() }
    // Both ways, so that neither knows it from its own restoring.
    for (asked, (one, other)) in [(benches[0], benches[1]), (benches[1], benches[0])].enumerated() {
      try await other.take(Conversation.answer(message: "R\(asked)", to: "M\(asked)"))
      try await other.pass()
      #expect(other.outbox.level.parkedCount == 1)
      try await one.take(
        Conversation.referral(message: "M\(asked)", id: "00001234567\(asked)^ERS"))
      try await one.pass()
      #expect(one.outbox.level.rowCount == 0)
      while other.outbox.level.rowCount > 0 { try await other.pass() }
    }
    var events: [HandoffEvent] = []
    let reader = KafkaIngestPublisher(configuration, transactionalID: "test-ingest-c")
    try await reader.readEvents { events += $0 }
    let handoffs = Dictionary(grouping: events, by: \.handoffID)
    #expect(handoffs.count == 2)
    for events in handoffs.values {
      #expect(events.map(\.type) == [.handoffRequested, .accepted])
    }
    for bench in benches {
      await bench.service.publisher.close()
      await bench.close()
    }
    await reader.close()
  }

  @Test func `what is committed is restored by the next owner of the name`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let configuration = try await Self.topics(on: broker)
    let key = try #require(PatientKey(epoch: 1, hash: Array(repeating: 1, count: 32)))
    let entry = CorrelationEntry(
      token: Token(rawValue: 7), patientKey: key, handoffID: HandoffID(rawValue: 8),
      eventID: EventID(rawValue: 9))
    let record = WireCodec().encode(entry)
    let message = KafkaMessage(
      topic: Topic.correlation.name, key: record.key, value: record.value,
      headers: record.headers.map { KafkaHeader($0.name, $0.value) })

    let first = KafkaIngestPublisher(configuration, transactionalID: "test-ingest")
    var restored: [CorrelationEntry] = []
    func note(_ change: CorrelationChange) {
      switch change {
      case .entry(let entry): restored.append(entry)
      case .forgotten(let token): restored.removeAll { $0.token == token }
      }
    }
    try await first.open { note($0) }
    #expect(restored.isEmpty)
    try await first.publish([message])

    let second = KafkaIngestPublisher(configuration, transactionalID: "test-ingest")
    try await second.open { note($0) }
    #expect(restored == [entry])
    // The first is fenced: it can write nothing any more, and says that it must be closed.
    let error = await #expect(throws: KafkaError.self) { try await first.publish([message]) }
    #expect(error?.disposition == .close)
    // What is forgotten stays forgotten.
    try await second.publish([
      KafkaMessage(topic: Topic.correlation.name, key: record.key, value: nil)
    ])
    let third = KafkaIngestPublisher(configuration, transactionalID: "test-ingest")
    restored = []
    try await third.open { note($0) }
    #expect(restored.isEmpty)
    await first.close()
    await second.close()
    await third.close()
  }
}
