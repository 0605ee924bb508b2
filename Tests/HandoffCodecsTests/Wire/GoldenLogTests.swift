import Foundation
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// The log that is kept of this version of the rules: what it said of it, every later version must
/// say too, or show what it says otherwise (decision 0082).
@Suite(.serialized) struct GoldenLogTests {
  private static let folder = PackageRoot.url.appending(
    path: "Schemas/golden/rules-\(PersonReducer.rulesVersion)")
  private static var isUpdate: Bool { ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" }

  /// What a file holds; with UPDATE_GOLDEN=1 it is written first, events and policy only once.
  private func kept(_ name: String, isOnce: Bool, _ made: () -> String) throws -> String {
    let url = Self.folder.appending(path: name)
    let isThere = FileManager.default.fileExists(atPath: url.path)
    if Self.isUpdate, !(isOnce && isThere) {
      try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
      try Data(made().utf8).write(to: url)
    }
    return try String(contentsOf: url, encoding: .utf8)
  }

  private func generated() -> String {
    var journeys = JourneyGenerator(seed: 7)
    let lines = journeys.records(count: 240).compactMap { record -> [UInt8]? in
      let wire: WireRecord? =
        switch record.content {
        case .event(let held): WireCodec().encode(held.value)
        case .tick: WireCodec().encodeTick(at: record.brokerAt)
        default: nil
        }
      return wire.map {
        NDJSON.line(
          StoredRecord(record: $0, coordinates: record.coordinates, brokerAt: record.brokerAt))
      }
    }
    return lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
  }

  private func verdicts() throws -> [Verdict] {
    let rendered = try kept("policy.yaml", isOnce: true) { PolicyDocument.render(.default) }
    let policy = try PolicyDocument(Array(rendered.utf8)).policy
    var reducer = PersonReducer(policy: policy, topic: "handoff.events.v1", partition: 0)
    var verdicts: [Verdict] = []
    for line in try kept("events.ndjson", isOnce: true, generated).split(separator: "\n") {
      let stored = try #require(try NDJSON.parse(Array(line.utf8)).stored)
      verdicts += reducer.apply(try WireCodec.eventRecord(stored))
    }
    return verdicts
  }

  @Test func `the rules say of the kept log what they said`() throws {
    let made = try verdicts()
    let said = CanonicalForm.text(of: made)
    let before = try kept("alerts.ndjson", isOnce: false) { said }
    let (old, new) = (
      Set(before.split(separator: "\n")), Set(said.split(separator: "\n"))
    )
    for line in old.subtracting(new).sorted().prefix(5) { Issue.record("no longer: \(line)") }
    for line in new.subtracting(old).sorted().prefix(5) { Issue.record("new: \(line)") }
    #expect(before == said)
  }

  @Test func `the kept log reaches the rules about people`() throws {
    let reached = Set(try verdicts().map(\.rule))
    let expected: Set<Rule> = [
      .a01, .a02, .a03, .a05, .a06, .a07, .a08, .a09, .a10, .a11, .a12, .a13, .a14, .a17, .a20,
      .a21, .a22, .a24,
    ]
    #expect(reached.isSuperset(of: expected), "missing: \(expected.subtracting(reached))")
  }
}
