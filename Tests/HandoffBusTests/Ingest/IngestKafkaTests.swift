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
  @Test func `what is committed is restored by the next owner of the name`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let configuration = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
    let admin = try KafkaAdmin(configuration)
    _ = try await admin.createTopics(
      [Topic.events, .correlation, .sources, .deadLetters].map {
        KafkaAdmin.TopicSpecification(name: $0.name, partitions: 3, replication: 1)
      })
    await admin.close()
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
