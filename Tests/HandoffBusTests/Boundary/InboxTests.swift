import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

struct InboxTests {
  @Test func `a sealed frame becomes the event that a connector inside would publish`() async throws
  {
    let secrets = Secrets.generate()
    let outside = try InboxBench(secrets: secrets)
    let inside = try IngestBench({ $0.name = InboxBench.source }, secrets: secrets)
    try await outside.take(outside.record(Sample.request()))
    try await inside.take(Sample.request())
    try await inside.pass()
    let one = try #require(try outside.publisher.events().first)
    var other = try #require(try inside.publisher.events().first)
    #expect(one.id == other.id)
    #expect(one.patientKey == other.patientKey)
    other.receptionID = one.receptionID
    other.sealedIdentity = one.sealedIdentity
    #expect(one == other)
    #expect(outside.outbox.level.rowCount == 0)
    await outside.close()
    await inside.close()
  }

  @Test func `offsets of the inbox move in the transaction of the events`() async throws {
    let bench = try InboxBench()
    bench.publisher.state.withLock {
      $0.failures = [KafkaError(.transport, disposition: .abortTransaction)]
    }
    let first = bench.record(Sample.request())
    try await bench.inbox.take([first])
    await #expect(throws: KafkaError.self) { try await bench.pass() }
    #expect(bench.publisher.consumed.isEmpty)
    try await bench.pass()
    #expect(bench.publisher.consumed.map(\.offset) == [1])
    #expect(bench.publisher.consumed.first?.topic == "handoff.inbox.rth.v1")
    await bench.close()
  }

  @Test func `a frame that is read again after a crash is one event`() async throws {
    let bench = try InboxBench()
    let record = bench.record(Sample.request())
    try await bench.inbox.take([record])
    try await bench.restart()
    try await bench.take(record)
    #expect(try bench.publisher.events().count == 1)
    // And when it was published, and its offset not: a new disk begins where Kafka says.
    try await bench.restart()
    try await bench.take(record)
    #expect(try bench.publisher.events().count == 1)
    #expect(try bench.reasons().isEmpty)
    await bench.close()
  }

  @Test func `a connector that seals a frame again after a crash is taken once, in silence`()
    async throws
  {
    let bench = try InboxBench()
    let id = ReceptionID(rawValue: 77)
    try await bench.take(bench.record(Sample.request(), reception: id))
    try await bench.take(bench.record(Sample.request(), reception: id))
    #expect(try bench.publisher.events().count == 1)
    #expect(try bench.reasons().isEmpty)
    #expect(bench.inbox.counts.known == 1)
    await bench.close()
  }

  @Test func `a record that somebody writes again is a dead letter, and so is a reused id`()
    async throws
  {
    let bench = try InboxBench()
    let id = ReceptionID(rawValue: 78)
    var record = bench.record(Sample.request(), reception: id)
    try await bench.take(record)
    record.offset += 100
    try await bench.take(record)
    try await bench.take(record)  // Our own reading of the replay again.
    try await bench.take(bench.record(Sample.request(id: "M9"), reception: id))
    #expect(try bench.publisher.events().count == 1)
    #expect(try bench.reasons() == ["inbox.replayed", "inbox.reception-reused"])
    #expect(bench.inbox.counts.refused == [.replayed: 1, .receptionReused: 1])
    let told = bench.logLines.all.withLock { $0.filter { $0.contains("frame-refused") } }
    #expect(told.count == 2)
    await bench.close()
  }

  @Test func `what does not open is a dead letter with its reason, in the organisation's name`()
    async throws
  {
    let bench = try InboxBench()
    let scene = bench.scene
    let foreign = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: scene.rxq, other: scene.ingest.publicKeys)
    let wrongKey = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: scene.rth,
      other: BoundaryKeys.generate().publicKeys)
    let otherInbox = BoundarySeal(
      .inbox, organisation: scene.rxqCode, own: scene.rth, other: scene.ingest.publicKeys)
    var altered = bench.record(Sample.request())
    let last = (altered.value?.count ?? 1) - 1
    altered.value?[last] ^= 1
    var renamed = bench.record(Sample.request())
    renamed.key = Array("other".utf8)
    let garbage = bench.placed(WireRecord(key: [1], value: [0xff, 0xff], headers: []))
    let tombstone = bench.placed(WireRecord(key: [1], value: nil, headers: []))
    let huge = bench.placed(
      WireRecord(key: [1], value: Array(repeating: 7, count: 1_300_000), headers: []))
    var long = FrameContent(receivedAt: Timestamp(milliseconds: 0))
    long.payload = Array(repeating: 65, count: InboxOpener.frameByteCountMax + 1)
    let cases: [(KafkaRecord, InboxRefusal)] = [
      (bench.record(Sample.request(), by: wrongKey), .recipientUnknown),
      (bench.record(Sample.request(), by: foreign), .senderUnknown),
      (bench.record(Sample.request(), by: otherInbox), .notAuthentic),
      (altered, .notAuthentic), (renamed, .damaged), (garbage, .damaged), (tombstone, .damaged),
      (huge, .oversized), (bench.record(long), .oversized),
      (bench.record(Sample.request(), source: ingestCode("pas")), .sourceUnknown),
    ]
    for (record, _) in cases { try await bench.take(record) }
    #expect(try bench.reasons() == cases.map(\.1.rawValue))
    #expect(try bench.publisher.events().isEmpty)
    // Nobody gets a dead letter into the name of a source that is not proved to be the sender's.
    let sources = Set(try bench.publisher.deadLetters().map(\.source.description))
    #expect(sources.isSubset(of: ["inbox.rth", "rth-pas"]))
    #expect(!sources.contains("pas"))
    await bench.close()
  }

  @Test func `bytes of any kind in an inbox trap nothing and stop nothing`() async throws {
    let bench = try InboxBench()
    var random = SeededGenerator(seed: 11)
    for _ in 0..<200 {
      var record = bench.record(Sample.request())
      let count = record.value?.count ?? 0
      let place = Int.random(in: 0..<count, using: &random)
      let change = UInt8.random(in: 1...255, using: &random)
      record.value?[place] ^= change
      if Bool.random(using: &random) {
        let length = Int.random(in: 0..<count, using: &random)
        record.value = Array((record.value ?? []).prefix(length))
      }
      try await bench.inbox.take([record])
    }
    try await bench.take(bench.record(Sample.request()))
    #expect(try bench.publisher.events().count == 1)
    await bench.close()
  }

  @Test func `a message in the name of another organisation is refused`() async throws {
    let bench = try InboxBench()
    let foreign = Sample.request(id: "M5").replacing("|PAS|RTH|", with: "|PAS|RXQ|")
    try await bench.take(bench.record(foreign))
    #expect(try bench.publisher.events().isEmpty)
    #expect(try bench.reasons() == ["organisation.not-allowed"])
    await bench.close()
  }

  @Test func `an agent may speak for whom it is registered, and for nobody else`() async throws {
    let bench = try InboxBench(agentFor: [try #require(ODSCode("RXQ"))])
    try await bench.take(
      bench.record(Sample.request()), bench.record(Sample.acceptance()),
      bench.record(Sample.request(id: "M5").replacing("|PAS|RTH|", with: "|PAS|RZZ|")))
    #expect(try bench.publisher.events().map(\.type) == [.handoffRequested, .accepted])
    #expect(try bench.reasons() == ["organisation.not-allowed"])
    await bench.close()
  }

  @Test func `an answer that leaves out who answers is not taken for another organisation's`()
    async throws
  {
    let bench = try InboxBench()
    try await bench.take(bench.record(Sample.request()))
    // RTH asks, and answers itself: the receiver is RXQ by what is known of the request alone.
    let silent = Sample.acceptance().replacing("|EPR|RXQ|PAS|RTH|", with: "|EPR||PAS||")
    try await bench.take(bench.record(silent))
    #expect(try bench.publisher.events().map(\.type) == [.handoffRequested])
    #expect(try bench.reasons() == ["organisation.not-allowed"])
    await bench.close()
  }

  @Test func `while the outbox is full the inbox waits and nothing is lost`() async throws {
    let folder = try TemporaryFolder()
    var limits = OutboxLimits()
    limits.rowCountMax = 1
    let outbox = try Outbox(path: folder.path("outbox.sqlite"), limits: limits) {
      Timestamp(milliseconds: 0)
    }
    func frame(_ number: Int) -> InboxFrame {
      InboxFrame(
        receptionID: ReceptionID(rawValue: UInt128(number)),
        frame: NewFrame(
          source: InboxBench.source, rail: InboxBench.source,
          receivedAt: Timestamp(milliseconds: 0), bytes: [1]),
        place: RecordCoordinates(topic: "t", partition: 0, offset: Int64(number)),
        sealing: Token(rawValue: UInt128(number)), content: Token(rawValue: 0), sealed: [1])
    }
    let refusal = FrameRefusal(reason: InboxBench.source)
    #expect(try await outbox.stage([frame(1)]) { _ in refusal } == [.staged])
    await #expect(throws: OutboxError.full(limit: .rows)) {
      try await outbox.stage([frame(2)]) { _ in refusal }
    }
    var settlement = OutboxSettlement()
    settlement.published = try await outbox.pending(limit: 9).map(\.sequence)
    try await outbox.settle(settlement)
    #expect(try await outbox.stage([frame(2)]) { _ in refusal } == [.staged])
    #expect(outbox.level.rowCount == 1)
    // The memory is bounded; within it everything is known again.
    settlement.published = try await outbox.pending(limit: 9).map(\.sequence)
    try await outbox.settle(settlement)
    #expect(
      try await outbox.stage([frame(3)], refusing: { _ in refusal }, memoryCountMax: 2) == [.staged]
    )
    settlement.published = try await outbox.pending(limit: 9).map(\.sequence)
    try await outbox.settle(settlement)
    #expect(try await outbox.stage([frame(2)]) { _ in refusal } == [.known])
    #expect(try await outbox.stage([frame(1)]) { _ in refusal } == [.staged])
    await outbox.close()
  }

  @Test func `a heartbeat of a connector outside is passed on with what ingest has published`()
    async throws
  {
    let bench = try InboxBench()
    var content = FrameContent(receivedAt: Timestamp(milliseconds: 1_699_999_999_000))
    content.heartbeat = SourceHeartbeat(
      source: InboxBench.source, at: content.receivedAt, completeUpTo: content.receivedAt,
      lastSequence: nil, framesTotal: 5, eventsTotal: 0, refusalsTotal: 0)
    try await bench.take(bench.record(Sample.request()), bench.record(content))
    let heartbeats = try bench.publisher.sourceRecords().compactMap {
      if case .heartbeat(let heartbeat) = $0 { heartbeat } else { nil }
    }
    #expect(heartbeats.count == 1)
    #expect(heartbeats.first?.source == InboxBench.source)
    #expect(heartbeats.first?.framesTotal == 5)
    #expect(heartbeats.first?.eventsTotal == 1)
    #expect(heartbeats.first?.completeUpTo == content.receivedAt)
    // Once each: the next pass has nothing new to say.
    try await bench.pass()
    #expect(
      try bench.publisher.sourceRecords().filter {
        if case .heartbeat = $0 { true } else { false }
      }.count == 1)
    await bench.close()
  }
}
