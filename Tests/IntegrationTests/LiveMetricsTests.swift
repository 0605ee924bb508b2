import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && BatonExecutable.url != nil

@Suite(.serialized) struct `The metrics of a reconciler at work` {
  @Test(.enabled(if: canRun, "\(TestBroker.skipReason), and the built baton"))
  func `are what was done, in Prometheus' own format, and name nobody`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let port = try TestBroker.freePort()
    var child = try bench.launch(health: port)
    defer { bench.kill(child) }
    func page() async -> RawHTTP.Answer? {
      try? await RawHTTP.send(RawHTTP.request("GET /metrics"), port: Int(port))
    }
    let request = try `The reconciler in service`.request(seed: 1)
    // Of a kind that no policy knows, and that looks like somebody.
    var strange = try `The reconciler in service`.request(seed: 3)
    strange.kind = HandoffKind("smith-999012000")
    try await bench.publish([request, strange])

    var body = ""
    let shown: [(String, (PrometheusText) -> Bool)] = [
      ("alerts of both", { $0.samples("baton_alerts_open", ["rule": "A07"]) == [2] }),
      ("lag", { !$0.samples("kafka_consumergroup_lag").isEmpty }),
      ("places", { $0.samples("baton_open_handoffs", ["place": "unknown"]).reduce(0, +) == 2 }),
    ]
    for (what, isShown) in shown {
      try await bench.until("the metrics show \(what)") {
        guard let answer = await page() else { return false }
        #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        body = answer.body
        return try isShown(PrometheusText(body))
      }
    }
    let metrics = try PrometheusText(body)
    func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
      metrics.samples(name, labels).reduce(0, +)
    }
    for kind in ["gp-hospital", "other"] {
      #expect(sum("baton_books_handoffs", ["kind": kind, "side": "requested"]) == 1)
      #expect(sum("baton_books_handoffs", ["kind": kind, "side": "open"]) == 1)
      #expect(sum("baton_books_handoffs", ["kind": kind, "side": "completed"]) == 0)
    }
    let policy = String(bench.policy.policy.hash.description.prefix(7))
    #expect(
      metrics.samples("baton_policy_in_force", ["policy": policy, "profile": "none"]) == [1, 1, 1])
    #expect(sum("baton_persons") == 2)
    #expect(sum("baton_reconciler_records_total") >= 2)
    #expect(sum("baton_reconciler_verdicts_total") >= 2)
    #expect(sum("baton_reconciler_transactions_total") >= 1)
    #expect(sum("baton_reconciler_self_alerts_total") == 0)
    #expect(sum("baton_reconciler_snapshots_refused_total") == 0)
    #expect(metrics.samples("baton_partition_time_seconds").allSatisfy { $0 > 1_700_000_000 })
    #expect(metrics.types.count >= 16)
    for event in [request, strange] {
      #expect(!body.contains(event.patientKey.description))
      #expect(!body.contains("smith"))
    }
    // Who restores looks at everybody.
    bench.kill(child)
    child = try bench.launch(health: port)
    try await bench.until("the metrics show places") {
      guard let answer = await page() else { return false }
      let metrics = try PrometheusText(answer.body)
      let age = metrics.samples("baton_oldest_open_handoff_age_seconds").max() ?? -1
      let places = metrics.samples("baton_open_handoffs", ["place": "unknown"])
      return places.reduce(0, +) == 2 && age > 0 && age < 600
    }
    let partitions = Set(metrics.values.keys.compactMap { $0.labels["partition"] })
    #expect(partitions == ["0", "1", "2"])
    try await resolves(request, bench, page)
  }

  /// A late answer closes the one alert, and is seen in the metrics.
  private func resolves(
    _ request: HandoffEvent, _ bench: ReconcilerBench, _ page: () async -> RawHTTP.Answer?
  ) async throws {
    var answer = request
    answer.id = EventID(rawValue: request.id.rawValue &+ 1)
    answer.receptionID = ReceptionID(rawValue: request.receptionID.rawValue &+ 1)
    answer.messageKey = request.messageKey.map { Token(rawValue: $0.rawValue &+ 1) }
    (answer.type, answer.speaker) = (.received, .receiver)
    answer.spokenBy = request.to?.organisation
    answer.occurredAt = .now()
    try await bench.publish([answer])
    try await bench.until("one alert fewer") {
      guard let answer = await page() else { return false }
      return try PrometheusText(answer.body).samples("baton_alerts_open", ["rule": "A07"]) == [1]
    }
  }
}
