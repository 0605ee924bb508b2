import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable

@Suite(.serialized) struct `Books that audit counts a second time` {
  @Test(.enabled(if: canRun && BatonExecutable.url != nil, "\(TestBroker.skipReason)"))
  func `agree while reconcilers are at work, and are an alert as long as they do not`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let audit = try Audit(bench)
    let reconciler = ReconcilerService(bench.configuration(instance: "one"))
    var journeys = JourneyGenerator(seed: 21)
    let events = journeys.events(count: 300)
    try await bench.whileRunning([audit.service.run]) {
      try await bench.whileRunning([reconciler.run]) {
        try await bench.publish(Array(events.prefix(150)))
        try await isCompared(bench, audit, atLeast: 150)
        try await bench.publish(Array(events.dropFirst(150)))
        try await isCompared(bench, audit, atLeast: 300)
      }
      #expect(audit.differences.isEmpty)
      #expect(try await secondCounts(bench).isEmpty)

      // The books of one partition get a handoff that nobody asked for, and balance all the same.
      let right = try #require(
        try await bench.newestStates().sorted { $0.key < $1.key }.map(\.value)
          .max { $0.state.books.total.requested < $1.state.books.total.requested })
      try await bench.write(right.withOneMoreOpen(), of: right)
      try await bench.until("the alert is there") { try await secondCounts(bench).count == 1 }
      let opened = try #require(try await secondCounts(bench).first)
      #expect(opened.action == .opened && opened.severity == .critical && opened.subject == .bus)
      #expect(opened.readUpTo == right.state.nextOffset - 1)
      #expect(audit.differences.contains { $0.side == .requested && $0.excess == 1 })
      let balance = try await audit.balance()
      #expect(balance.status == 1, "\(balance.errors)")
      #expect(balance.output.contains("differ") && balance.output.contains("in the books"))

      try await bench.write(right.state, of: right)
      try await bench.until("the alert is over") { try await secondCounts(bench).count == 2 }
      let resolved = try #require(try await secondCounts(bench).last)
      #expect(resolved.action == .resolved && resolved.alertID == opened.alertID)
    }
    let balance = try await audit.balance()
    #expect(balance.status == 0, "\(balance.errors)")
    #expect(balance.output.contains("agree"))
    // An auditor of later finds the same, and has nothing more to say.
    let later = try Audit(bench)
    try await bench.whileRunning([later.service.run]) {
      try await isCompared(bench, later, atLeast: 300)
    }
    #expect(try await secondCounts(bench).count == 2)
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `and measures are shown by a process at work, and name nobody`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let audit = try Audit(bench)
    let reconciler = ReconcilerService(bench.configuration(instance: "one"))
    var journeys = JourneyGenerator(seed: 22)
    let events = journeys.events(count: 400)
    let port = try TestBroker.freePort()
    let keeper = MeasureKeeper(
      log: audit.log, kafka: bench.kafka, policy: bench.policy.policy,
      logger: Logger(label: "test"))
    let address = try #require(HealthAddress("127.0.0.1:\(port)"))
    let health = HealthService(
      address, probes: [.audit(audit.service.status), .measures(keeper)],
      logger: Logger(label: "test"))
    var body = ""
    try await bench.whileRunning([audit.service.run]) {
      try await bench.whileRunning([reconciler.run]) {
        try await bench.publish(events)
        try await isCompared(bench, audit, atLeast: 400)
      }
      try await keeper.look(at: .now())
      try await bench.whileRunning([health.run]) {
        try await bench.until("the page answers") {
          let request = RawHTTP.request("GET /metrics")
          guard let answer = try? await RawHTTP.send(request, port: Int(port)) else { return false }
          body = answer.body
          return true
        }
      }
    }
    let metrics = try PrometheusText(body)
    #expect(metrics.samples("baton_audit_books_difference").count == 9)
    #expect(metrics.samples("baton_audit_books_difference").allSatisfy { $0 == 0 })
    #expect(metrics.samples("baton_audit_books_compared_seconds").count == 3)
    let names = Set(Measure.allCases.map(\.metricName)).intersection(metrics.types.keys)
    #expect(names.count > 3 && names.allSatisfy { metrics.types[$0] == "gauge" })
    // Whole and place are one group here, of some hundred handoffs: no register is in force.
    let median = ["place": "unknown", "quantile": "0.5"]
    #expect(metrics.samples("baton_measure_time_to_accept_seconds", median).count == 1)
    let measured = metrics.values.keys.filter { $0.name.hasPrefix("baton_measure_") }
    #expect(measured.allSatisfy { Set($0.labels.keys).isSubset(of: ["place", "quantile"]) })
    for event in events { #expect(!body.contains(event.patientKey.description)) }
  }

  // MARK: The parts

  /// An audit service over the bench's topics.
  private struct Audit {
    let log: AuditStore
    let service: AuditService
    let folder: String

    init(_ bench: ReconcilerBench) throws {
      folder = bench.folder.path("data")
      log = try AuditStore(folder: folder + "/audit", describe: AuditDescription.ofWire)
      var configuration = AuditServiceConfiguration(kafka: bench.kafka)
      configuration.checkpointInterval = .milliseconds(100)
      service = AuditService(
        store: log, counts: try CountStore(folder: folder + "/audit"), signer: nil,
        configuration: configuration, logger: Logger(label: "test"))
    }

    var differences: [BooksDifference] { service.status.snapshot.counts.flatMap(\.differences) }

    /// Whether every partition was compared, and so many events of all are counted.
    func hasCompared(atLeast count: UInt64) -> Bool {
      let counts = service.status.snapshot.counts
      return counts.count == Int(ReconcilerBench.partitionCount)
        && counts.allSatisfy { $0.comparedOffset == $0.nextOffset }
        && counts.reduce(0) { $0 + $1.count.events } >= count
    }

    /// What an auditor is told of the same folder.
    func balance() async throws -> BatonExecutable.Result {
      try await BatonExecutable.run(["audit", "balance", "--data", folder])
    }
  }

  private func isCompared(
    _ bench: ReconcilerBench, _ audit: Audit, atLeast count: UInt64
  ) async throws {
    try await bench.until("\(count) events are counted and compared") {
      audit.hasCompared(atLeast: count)
    }
  }

  /// What audit has said of the books.
  private func secondCounts(_ bench: ReconcilerBench) async throws -> [Verdict] {
    try await bench.verdicts().filter { $0.rule == .s06 && $0.cause == Code("second-count") }
  }
}
