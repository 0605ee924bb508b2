import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && BatonExecutable.url != nil

@Suite(.serialized) struct `Ingest killed with SIGKILL` {
  /// Requests and answers by two drop folders; between the two ingest is killed.
  @Test(.enabled(if: canRun, "\(TestBroker.skipReason), and the built baton"))
  func `still knows whose answers are whose, before and after`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    for name in ["requests", "answers"] {
      try FileManager.default.createDirectory(
        at: bench.folder.url.appending(path: name), withIntermediateDirectories: true)
      try Data(
        """
        name: \(name)
        class: drop-folder-source
        directory: \(name)
        names-are-ods-codes: true
        speaks-for: any
        scan-seconds: 0.1

        """.utf8
      ).write(to: bench.folder.url.appending(path: "\(name).yaml"))
    }
    // The answers of the first half come after their requests, those of the second before them.
    try drop(requests(0..<10), in: "requests", bench)
    let first = try launch(bench)
    try await bench.until("ten requests") { try await events(bench).count == 10 }
    try drop(answers(10..<20), in: "answers", bench)
    try await bench.until("the answers are taken") { try isEmpty("answers", bench) }
    bench.kill(first)
    try drop(answers(0..<10), in: "answers", bench)
    let second = try launch(bench)
    try await bench.until("ten answers") { try await events(bench).count >= 20 }
    bench.kill(second)
    try drop(requests(10..<20), in: "requests", bench)
    let third = try launch(bench)
    try await bench.until("everything") {
      try await handoffs(bench).filter { isWhole($0.value) }.count == 20
    }
    bench.kill(third)
    let all = try await handoffs(bench)
    #expect(all.count == 20)
    #expect(all.values.allSatisfy(isWhole))
  }

  private func isWhole(_ types: Set<EventType>) -> Bool { types == [.handoffRequested, .accepted] }

  private func launch(_ bench: ReconcilerBench) throws -> Process {
    let run = bench.folder.url.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let process = try BatonExecutable.start(
      [
        "connect", "run", "--bootstrap", bench.bootstrap, "--data", bench.folder.path("data"),
        "--connector", bench.folder.path("requests.yaml"), "--connector",
        bench.folder.path("answers.yaml"),
      ], folder: run)
    try process.run()
    return process
  }

  private func drop(_ messages: [String], in name: String, _ bench: ReconcilerBench) throws {
    let folder = bench.folder.url.appending(path: name)
    let draft = bench.folder.url.appending(path: "\(UUID()).hl7")
    try Data(messages.joined().utf8).write(to: draft)
    try FileManager.default.moveItem(
      at: draft, to: folder.appending(path: draft.lastPathComponent))
  }

  private func isEmpty(_ name: String, _ bench: ReconcilerBench) throws -> Bool {
    try FileManager.default.contentsOfDirectory(
      atPath: bench.folder.url.appending(path: name).path(percentEncoded: false)
    ).allSatisfy { !$0.hasSuffix(".hl7") }
  }

  private func requests(_ numbers: Range<Int>) -> [String] {
    numbers.map { number in
      [
        "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114220000||REF^I12|M\(number)|P|2.4",
        "RF1|P|R|MED|||R\(number)^ERS", "PRD|RP|N^G",
        "PID|1||PAT\(number)^^^RTH^MR||N^G||19700101|F",
      ].joined(separator: "\r") + "\r"
    }
  }

  /// Answers that name the message they answer, and nothing else.
  private func answers(_ numbers: Range<Int>) -> [String] {
    numbers.map { number in
      [
        "MSH|^~\\&|EPR|RXQ|PAS|RTH|20231114220500||RRI^I12|A\(number)|P|2.4",
        "MSA|AA|M\(number)", "RF1|A|R|MED",
      ].joined(separator: "\r") + "\r"
    }
  }

  private func events(_ bench: ReconcilerBench) async throws -> [HandoffEvent] {
    var events: [HandoffEvent] = []
    try await TopicScan(bench.kafka, topic: .events).readToEnd { record in
      let stored = StoredRecord(
        record: record.wire,
        coordinates: RecordCoordinates(
          topic: record.topic, partition: record.partition, offset: record.offset),
        brokerAt: Timestamp(milliseconds: record.timestampMilliseconds))
      if let event = try WireCodec.eventRecord(stored).content.event { events.append(event) }
    }
    return events
  }

  private func handoffs(_ bench: ReconcilerBench) async throws -> [HandoffID: Set<EventType>] {
    var handoffs: [HandoffID: Set<EventType>] = [:]
    for event in try await events(bench) {
      guard let handoff = event.handoffID else { continue }
      handoffs[handoff, default: []].insert(event.type)
    }
    return handoffs
  }
}
