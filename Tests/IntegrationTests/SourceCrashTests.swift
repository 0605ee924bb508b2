import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && BatonExecutable.url != nil

@Suite(.serialized) struct `The source reducer killed with SIGKILL` {
  private static let groupID = ReconcilerBench.groupID + "-sources"

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason), and the built baton"))
  func `says what the offline run says, and tells every partition of every source`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var random = SeededGenerator(seed: UInt64.random(in: 0..<1_000_000))
    var speaker = Speaker()
    for _ in 0..<5 {
      let child = try bench.launch()
      try await publish(speaker.statements(count: 120, using: &random), bench)
      let before = try await stateRecordCount(bench)
      try await bench.until("a transaction") { try await stateRecordCount(bench) > before }
      try await publish(
        speaker.statements(count: Int.random(in: 1...200, using: &random), using: &random), bench)
      bench.kill(child)
    }
    let child = try bench.launch()
    // All sources have fallen silent when the first says so and the last has been told of.
    try await bench.until("every source silent on every partition") {
      let silent = try await states(bench).filter { $0.value.condition == .silent }
      return silent.count == Speaker.codes.count * Int(ReconcilerBench.partitionCount)
    }
    bench.kill(child)
    let live = try await settledVerdicts(bench)
    #expect(CanonicalForm.lines(live).count == live.count, "a verdict was committed twice")
    #expect(CanonicalForm.text(of: live) == (try await offline(bench)))
    #expect(Set(live.map(\.rule)).isSuperset(of: [.a01, .a18, .a27]))
  }

  /// Sources that repeat themselves and are refused.
  private struct Speaker {
    static let codes = ["mllp-rth", "mesh-bob", "fhir-rwx"].map(JourneyGenerator.code)
    private var receptions: UInt128 = 0
    private var frames: [Code: UInt64] = [:]

    mutating func statements(
      count: Int, using random: inout SeededGenerator
    ) -> [SourceRecord] {
      (0..<count).map { _ in statement(using: &random) }
    }

    private mutating func statement(using random: inout SeededGenerator) -> SourceRecord {
      let code = Self.codes[Int.random(in: 0..<Self.codes.count, using: &random)]
      let now = Timestamp.now()
      let kind = Int.random(in: 0...9, using: &random)
      if kind == 0 {
        return .heartbeat(
          SourceHeartbeat(
            source: code, at: now, completeUpTo: now, lastSequence: nil,
            framesTotal: frames[code] ?? 0, eventsTotal: 0, refusalsTotal: 0))
      }
      receptions += 1
      frames[code, default: 0] += 1
      guard kind > 1 else {
        return .refusal(
          SourceRefusal(
            source: code, receptionID: ReceptionID(rawValue: receptions),
            reason: JourneyGenerator.code("hl7.segment-missing"), field: nil, at: now))
      }
      return .reception(
        SourceReception(
          source: code, receptionID: ReceptionID(rawValue: receptions),
          messageKey: Token(rawValue: UInt128.random(in: 1...400, using: &random)),
          contentMac: Token(rawValue: 1), sequence: nil, at: now))
    }
  }

  private func publish(_ statements: [SourceRecord], _ bench: ReconcilerBench) async throws {
    let producer = try KafkaProducer(bench.kafka)
    _ = try await producer.send(
      statements.map { KafkaMessage(topic: .sources, WireCodec().encode($0)) })
    await producer.close()
  }

  private func stateRecordCount(_ bench: ReconcilerBench) async throws -> Int {
    try await TopicScan(bench.kafka, topic: .sourceState).committedEnds()
      .reduce(0) { $0 + Int($1.offset) }
  }

  private struct Place: Hashable {
    var partition: Int32
    var source: Code
  }

  /// The latest word on each source on each partition of the events topic.
  private func states(_ bench: ReconcilerBench) async throws -> [Place: SourceState] {
    var states: [Place: SourceState] = [:]
    try await TopicScan(bench.kafka, topic: .events).readToEnd { record in
      guard case .sourceState(let state) = try WireCodec.eventRecord(record.stored).content else {
        return
      }
      states[Place(partition: record.partition, source: state.source)] = state
    }
    return states
  }

  /// The verdicts with nothing open above them, as a successor would find them.
  private func settledVerdicts(_ bench: ReconcilerBench) async throws -> [Verdict] {
    try await bench.settle()
    return try await bench.verdicts()
  }

  /// What the offline reconciler says of the records that the service had judged.
  private func offline(_ bench: ReconcilerBench) async throws -> String {
    let admin = try KafkaAdmin(bench.kafka)
    let offsets = try await admin.committedOffsets(ofGroup: Self.groupID)
    await admin.close()
    let committed = Dictionary(uniqueKeysWithValues: offsets.map { ($0.partition, $0.offset) })
    var reconciler = OfflineReconciler(policies: [bench.policy.policy])
    try await TopicScan(bench.kafka, topic: .sources).readToEnd { record in
      guard record.offset < committed[record.partition] ?? 0 else { return }
      let stored = record.stored
      try reconciler.take(
        NDJSONRecord(
          record: stored.record, coordinates: stored.coordinates, brokerAt: stored.brokerAt))
    }
    return CanonicalForm.text(of: reconciler.verdicts)
  }
}
