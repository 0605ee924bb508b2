import Crypto
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

/// Nothing that names a person leaves ingest unsealed, and no unkeyed hash of it does either.
struct LeakTests {
  /// Everything that anybody but ingest could see, by where it was seen.
  private struct Emitted {
    var places: [(String, Data)] = []

    mutating func add(_ place: String, _ data: Data) { places.append((place, data)) }
    mutating func add(_ place: String, _ text: String) { add(place, Data(text.utf8)) }
  }

  /// Runs every message through intake, outbox, ingest and a restart, and collects what came out.
  private func emit(
    _ files: [(name: String, bytes: [UInt8])]
  ) async throws -> (emitted: Emitted, bench: IngestBench) {
    let bench = try IngestBench()
    var emitted = Emitted()
    var check = ConnectorCheck(bench.source, now: Timestamp(milliseconds: 0))
    for file in files {
      let receptions = try await bench.intake.take([Arrival(bytes: file.bytes)], of: nil)
      for message in receptions.flatMap(\.messages) {
        emitted.add("outcome", "\(message.outcome)")
        var dumped = ""
        dump(message, to: &dumped)
        emitted.add("dump", dumped)
        if case .refused(let error) = message.outcome { emitted.add("error", "\(error)") }
        let stamp = HL7Acknowledgement.Stamp(controlID: "1", at: Timestamp(milliseconds: 0))
        if case .refused = message.outcome,
          let answer = HL7Acknowledgement.answer(
            to: file.bytes, outcome: message.outcome, stamp: stamp)
        {
          emitted.add("answer", Data(answer))
        }
      }
      emitted.add("check", try JSONEncoder().encode(check.check(file.bytes)))
    }
    // A transaction that fails, and its error in the log, are part of the run.
    bench.publisher.state.withLock {
      $0.failures = [KafkaError(.transport, disposition: .abortTransaction)]
    }
    await #expect(throws: KafkaError.self) { try await bench.pass() }
    try await bench.pass()
    // Longer than an answer waits for its request.
    try await bench.restart(later: .hours(15 * 24))
    try await bench.pass()
    #expect(bench.outbox.level.rowCount == 0)
    await bench.close()
    for message in bench.publisher.committed {
      emitted.add("key in \(message.topic)", Data(message.key ?? []))
      emitted.add("value in \(message.topic)", Data(message.value ?? []))
      for header in message.headers {
        emitted.add("header \(header.name)", Data(header.value ?? []))
      }
      if let value = message.value, let line = String(bytes: value, encoding: .utf8) {
        emitted.add("text in \(message.topic)", line)
      }
      emitted.add("NDJSON", Data(NDJSON.line(message.wire, form: .decoded)))
    }
    for event in try bench.publisher.events() { emitted.add("description", "\(event)") }
    for line in bench.logLines.all.withLock({ $0 }) { emitted.add("log", line) }
    for name in try FileManager.default.contentsOfDirectory(atPath: bench.folder.path()) {
      emitted.add(
        "file \(name)", try Data(contentsOf: URL(filePath: bench.folder.path(name))))
    }
    return (emitted, bench)
  }

  @Test(.enabled(if: PackageRoot.hasSamples, "needs the samples beside the package"))
  func `no canary and no unkeyed hash of one stands anywhere outside a seal`() async throws {
    var canaries = Canaries()
    let files = try canaries.samples()
    #expect(files.count > 100)
    #expect(canaries.numbers.count > 50)
    #expect(canaries.texts.count > 200)
    let (emitted, bench) = try await emit(files)
    let events = try bench.publisher.events().count
    #expect(events > 20)

    // Everybody can try the 999 range: what they would look up must not be there.
    let isFull = ProcessInfo.processInfo.environment["BATON_FULL_LEAK_TEST"] != nil
    let search = canaries.search(
      trying: isFull ? 9_990_000_000..<10_000_000_000 : Canaries.range)
    for (place, data) in emitted.places {
      let found = Canaries.leaks(in: data, search)
      if !found.isEmpty { Issue.record("\(found) in \(place)") }
    }
  }

  @Test func `the search finds numbers and hashes in every spelling, and nothing else`() {
    let hash = Array(SHA256.hash(data: Data("9990000018".utf8)))
    let digits = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    var search = LeakSearch()
    search.add(hash: hash)
    search.add(number: 9_990_000_018)
    let spellings: [(String, [UInt8])] = [
      ("bytes", hash), ("bytes", Array(hash.prefix(16))), ("digits", Array(digits.utf8)),
      ("digits", Array(digits.uppercased().utf8)),
      ("base64", Array(Data(hash).base64EncodedString().utf8)),
      ("number", Array("999 000 0018".utf8)), ("number", Array("x9990000018".utf8)),
      ("number", Array("999-000-0018".utf8)),
    ]
    for (kind, bytes) in spellings {
      #expect(search.findings(in: [1, 2, 3] + bytes + [0xff]) == [kind])
    }
    let other = Array(SHA256.hash(data: Data("9990000026".utf8)))
    #expect(search.findings(in: other + Array("9990000026".utf8)).isEmpty)
  }
}
