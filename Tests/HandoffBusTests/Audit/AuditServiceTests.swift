import Foundation
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import TestSupport
import Testing

@testable import HandoffBus

/// The service on a broker: reading, restarting, signing, and a topic that was made anew.
@Suite(.enabled(if: TestBroker.isAvailable, Comment(rawValue: TestBroker.skipReason)), .serialized)
struct AuditServiceTests {
  /// A broker with one audited topic of two partitions, and a log over it.
  private struct Bus {
    let broker: TestBroker
    let kafka: KafkaConfiguration
    let folder: TestSupport.TemporaryFolder
    let signer: NoteSigner
    let topic: TopicDefinition

    init() async throws {
      broker = try TestBroker.start()
      kafka = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
      folder = try TestSupport.TemporaryFolder()
      signer = try #require(NoteSigner(name: "log.example", seed: Array(repeating: 7, count: 32)))
      topic = TopicTable.definition(of: .events)
      try await create()
    }

    func create() async throws {
      let admin = try KafkaAdmin(kafka)
      _ = try await admin.createTopics([
        .init(name: topic.name, partitions: 2, replication: 1),
        .init(
          name: Topic.checkpoints.name, partitions: 1, replication: 1,
          configs: ["cleanup.policy": "compact"]),
      ])
      await admin.close()
    }

    func produce(_ numbers: Range<Int64>) async throws {
      let producer = try KafkaProducer(kafka)
      let messages = numbers.map { number in
        KafkaMessage(
          topic: .events, partition: Int32(number % 2),
          WireCodec().encodeTick(at: Timestamp(milliseconds: number)))
      }
      _ = try await producer.send(messages)
      await producer.close()
    }

    func store() throws -> AuditStore {
      try AuditStore(folder: folder.path("audit"), describe: AuditDescription.ofWire)
    }

    /// Runs the service until `count` records are logged and signed.
    func run(_ store: AuditStore, until count: UInt64) async throws {
      var configuration = AuditServiceConfiguration(kafka: kafka)
      configuration.topics = [topic]
      configuration.checkpointInterval = .milliseconds(100)
      let service = AuditService(
        store: store, signer: signer, configuration: configuration, logger: Logger(label: "test"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await service.run() }
        group.addTask {
          while service.status.snapshot.covered.values.reduce(0, +) < count {
            try Task.checkCancellation()
            await Task.yield()
          }
          #expect(try await service.isCaughtUp())
        }
        try await group.next()
        group.cancelAll()
      }
    }

    func verify() async throws -> AuditReport {
      try await AuditVerifier(
        folder: folder.path("audit"), key: signer.verifier, describe: AuditDescription.ofWire
      ).run()
    }
  }

  @Test func `everything committed is logged once, across restarts, and signed`() async throws {
    let bus = try await Bus()
    defer { bus.broker.stop() }
    try await bus.produce(0..<300)
    var store = try bus.store()
    try await bus.run(store, until: 300)
    try store.close()
    try await bus.produce(300..<350)
    store = try bus.store()
    try await bus.run(store, until: 350)
    #expect(try await store.logs().map(\.size) == [175, 175])
    let report = try await bus.verify()
    #expect(report.isSound, "\(report.findings)")

    // The checkpoints topic holds what was signed.
    let reader = try KafkaReader(bus.kafka)
    var newest: [String: UInt64] = [:]
    try await reader.readToEnd(
      from: [
        KafkaPartitionOffset(
          topic: Topic.checkpoints.name, partition: 0, offset: KafkaPartitionOffset.beginning)
      ], within: .seconds(10)
    ) { batch in
      for record in batch.records {
        let note = String(decoding: record.value ?? [], as: UTF8.self)
        let checkpoint = try Checkpoint(signedNote: note, verifiedBy: bus.signer.verifier)
        #expect(record.key == Array(checkpoint.origin.utf8))
        newest[checkpoint.origin] = checkpoint.size
      }
    }
    await reader.close()
    #expect(
      newest == [
        "log.example/handoff.events.v1/0": 175, "log.example/handoff.events.v1/1": 175,
      ])
  }

  @Test(.disabled(if: TestBroker.isExternal, "deletes a topic that others may be using"))
  func `a topic that was deleted and made anew stops the service and names it`() async throws {
    let bus = try await Bus()
    defer { bus.broker.stop() }
    try await bus.produce(0..<20)
    let store = try bus.store()
    try await bus.run(store, until: 20)
    let admin = try KafkaAdmin(bus.kafka)
    try await admin.deleteTopics([bus.topic.name, Topic.checkpoints.name])
    await admin.close()
    try await bus.create()

    // Shorter than what was logged …
    try await bus.produce(0..<4)
    await #expect {
      try await bus.run(store, until: 21)
    } throws: { error in
      guard case AuditServiceError.truncated(let log, 10, 2) = error else { return false }
      return log.topic == bus.topic.name
    }
    // … and as long, with other records.
    try await bus.produce(100..<140)
    await #expect {
      try await bus.run(store, until: 21)
    } throws: { error in
      guard case AuditServiceError.store(.diverged(let log, 9)) = error else { return false }
      return log.topic == bus.topic.name
    }
    #expect(try await store.logs().map(\.size) == [10, 10])
    #expect(try await bus.verify().isSound)
  }
}
