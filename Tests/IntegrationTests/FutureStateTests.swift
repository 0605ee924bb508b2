import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

@Suite(.serialized) struct `A changelog of a later version` {
  @Test(.enabled(if: TestBroker.isAvailable, "\(TestBroker.skipReason)"))
  func `is thrown away, and everything is said again as it was`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 9)
    let events = journeys.events(count: 300)
    try await bench.publish(events)
    try await judge(bench, recordCount: events.count)
    let before = try await bench.verdicts()
    #expect(!before.isEmpty)

    // What a later version left behind cannot be half understood.
    let key = try #require(events.first).patientKey
    var record = WireCodec().encode(Person(key: key))
    record.value = [0x08, 0x63] + (record.value ?? []).dropFirst(2)
    #expect(throws: WireError(.versionUnknown, "baton.handoff.v1.PersonState.layout")) {
      try WireCodec.stateRecord(record)
    }
    let partition = KafkaPartitioner.murmur2(
      Array(key.description.utf8), partitionCount: ReconcilerBench.partitionCount)
    let producer = try KafkaProducer(bench.kafka)
    _ = try await producer.send([
      KafkaMessage(topic: .reconcilerState, partition: partition, record)
    ])
    await producer.close()

    try await judge(bench, recordCount: 1)
    let after = try await bench.verdicts()
    // A verdict is the same wherever it is said; what says it twice says the same.
    #expect(after.count > before.count)
    #expect(CanonicalForm.text(of: after) == (try await bench.offlineRun()))
  }

  /// Runs a reconciler until it has judged what there is.
  private func judge(_ bench: ReconcilerBench, recordCount: Int) async throws {
    let service = ReconcilerService(bench.configuration(instance: "one"))
    try await bench.whileRunning([service.run]) {
      try await bench.until("everything judged") {
        let isCaughtUp = try await service.isCaughtUp()
        return isCaughtUp && service.status.snapshot.recordCount >= UInt64(recordCount)
      }
    }
  }
}
