import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable

@Suite(.serialized) struct `A policy that a person activates` {
  /// As the bench's, but that nobody need answer for a day unless the profile is on.
  private static let text = """
    format: baton.policy.v1
    version: 2
    clocks:
      - {kind: gp-hospital, acknowledge: 24h, accept: 48h, start: 72h, complete: 9d, feedback: 9d}
    fallback: {acknowledge: 24h, accept: 48h, start: 72h, complete: 9d, feedback: 9d}
    profiles:
      - name: winter
        clocks: [{kind: gp-hospital, acknowledge: 1s}]

    """

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `is in force everywhere, and outlives a restart with another file`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let file = bench.folder.path("new.yaml")
    try Data(Self.text.utf8).write(to: URL(filePath: file))
    let register = PackageRoot.url.appending(path: "deploy/examples/register.yaml").path
    let policy = try PolicyDocument(Array(Self.text.utf8)).policy
    try await withService(bench) {
      let run = try await BatonExecutable.run([
        "policy", "activate", file, "--profile", "winter", "--register", register, "--bootstrap",
        bench.bootstrap, "--json",
      ])
      #expect(run.status == 0, "\(run.errors)")
      struct Report: Decodable {
        var policyHash: String
        var profile: String?
        var registerHash: String?
        var partitions: Int
      }
      let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
      #expect(report.policyHash == policy.hash.description)
      #expect(report.profile == "winter")
      #expect(report.registerHash != nil)
      #expect(report.partitions == Int(ReconcilerBench.partitionCount))
      try await bench.publish([try `The reconciler in service`.request(seed: 1)])
      try await bench.until("A07 under the profile") {
        try await bench.verdicts().contains { $0.rule == .a07 }
      }
    }
    let verdict = try #require(try await bench.verdicts().first { $0.rule == .a07 })
    #expect(verdict.policyHash == policy.hash)
    #expect(verdict.profile == Code("winter"))
    // The instance comes back with the file it is configured with, and judges by what was activated.
    try await withService(bench) {
      let run = try await BatonExecutable.run([
        "policy", "activate", "--bootstrap", bench.bootstrap,
      ])
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.output.contains("Profile winter has ended."))
      try await bench.until("the switch is read") {
        try await bench.isJudged(upTo: TopicScan(bench.kafka, topic: .events).committedEnds())
      }
    }
    // Sources are judged by their windows: the switch is on their partitions too, and no restart with
    // another file takes it back.
    let ofSources = try await activations(bench, on: .sources)
    #expect(ofSources.count == 2 * Int(ReconcilerBench.partitionCount))
    #expect(ofSources.allSatisfy { $0.policyHash == policy.hash && $0.isCommanded })
    let switches = try await activations(bench)
    let count = Int(ReconcilerBench.partitionCount)
    #expect(switches.count == 2 * count)
    #expect(switches.count { $0.profile == nil } == count)
    #expect(switches.allSatisfy { $0.policyHash == policy.hash && $0.isCommanded })
    #expect(Set(switches.map(\.registerHash)).count == 1)
    #expect(switches.first?.registerHash != nil)
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `is refused where the profile is unknown, and nothing is written`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let run = try await BatonExecutable.run([
      "policy", "activate", bench.folder.path("policy.yaml"), "--profile", "winter", "--bootstrap",
      bench.bootstrap,
    ])
    #expect(run.status == 64)
    #expect(run.errors.contains("no profile of that name"))
    #expect(try await activations(bench).isEmpty)
  }

  private func activations(
    _ bench: ReconcilerBench, on topic: Topic = .events
  ) async throws -> [RulesActivation] {
    var activations: [RulesActivation] = []
    try await TopicScan(bench.kafka, topic: topic).readToEnd { record in
      guard record.header("ce_type")?.text == "\(RulesActivation.wireName)" else { return }
      activations.append(try RulesActivation(protobuf: record.value ?? []))
    }
    return activations
  }

  private func withService(
    _ bench: ReconcilerBench, _ body: () async throws -> Void
  ) async throws {
    let service = ReconcilerService(bench.configuration(instance: "one"))
    let sources = SourceReconcilerService(bench.configuration(instance: "one"))
    try await bench.whileRunning([service.run, sources.run]) {
      try await body()
      // What it is configured with it would have said by the time it is at the end.
      try await bench.until("sources are read to the end") {
        let ends = try await TopicScan(bench.kafka, topic: .sources).committedEnds()
        let partitions = sources.status.snapshot.partitions
        return ends.allSatisfy { end in
          partitions[end.partition].map { $0.nextOffset + 1 >= end.offset } ?? false
        }
      }
    }
  }
}
