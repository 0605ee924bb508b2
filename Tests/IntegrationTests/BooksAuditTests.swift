import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import Telemetry
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

      let right = try await fullest(bench)
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
    let rows = try await audit.balance("--json").output.split(separator: "\n")
    #expect(rows.count == Int(ReconcilerBench.partitionCount))
    for member in ["comparedOffset", "comparedAtMs", "arrivedMin", "arrivedMax"] {
      #expect(rows.allSatisfy { $0.contains("\"\(member)\":") }, "\(member)")
    }
    // An auditor of later finds the same, and has nothing more to say.
    let later = try Audit(bench)
    try await bench.whileRunning([later.service.run]) {
      try await isCompared(bench, later, atLeast: 300)
    }
    #expect(try await secondCounts(bench).count == 2)
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `are counted anew where the count was lost, and the alert of before is ended`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let audit = try Audit(bench)
    let reconciler = ReconcilerService(bench.configuration(instance: "one"))
    var journeys = JourneyGenerator(seed: 23)
    let events = journeys.events(count: 150)
    let (right, opened) = try await bench.whileRunning([audit.service.run]) {
      try await bench.whileRunning([reconciler.run]) {
        try await bench.publish(events)
        try await isCompared(bench, audit, atLeast: 150)
      }
      let right = try await fullest(bench)
      try await bench.write(right.withOneMoreOpen(), of: right)
      try await bench.until("the alert is there") { try await secondCounts(bench).count == 1 }
      // The log is what a later count hears of it from.
      try await bench.until("the alert is logged") { try await audit.service.isCaughtUp() }
      return (right, try #require(try await secondCounts(bench).first))
    }

    // Another that does not sign sees the same, and leaves it to the one that does.
    let quiet = try Audit(bench, in: "quiet", isSigning: false)
    try await bench.whileRunning([quiet.service.run]) {
      try await bench.until("the other sees it") { !quiet.differences.isEmpty }
    }
    #expect(try await quiet.counts.alerts().isEmpty)

    // What is there in place of the count is none, and no reason to stop.
    try audit.counts.close()
    for suffix in ["", "-wal", "-shm"] {
      try Data("damaged".utf8)
        .write(to: URL(filePath: audit.folder + "/audit/count.sqlite" + suffix))
    }
    let later = try Audit(bench)
    #expect(later.counts.isBegunAnew)
    try await bench.whileRunning([later.service.run]) {
      try await bench.until("the later one sees it") { !later.differences.isEmpty }
      #expect(try await secondCounts(bench).count == 1)
      try await bench.write(right.state, of: right)
      try await bench.until("the alert is over") { try await secondCounts(bench).count == 2 }
    }
    let resolved = try #require(try await secondCounts(bench).last)
    #expect(resolved.action == .resolved && resolved.alertID == opened.alertID)
    #expect(resolved.revision == 2)
  }

  @Test(.enabled(if: BatonExecutable.url != nil))
  func `are read without being touched, and what is wrong with them is said in their words`()
    async throws
  {
    let folder = try TemporaryFolder()
    func balance() async throws -> BatonExecutable.Result {
      try await BatonExecutable.run(["audit", "balance", "--data", folder.path("d")])
    }
    let none = try await balance()
    #expect(none.status == 66, "\(none.errors)")
    #expect(none.errors.contains("there is no second count"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("d")))
    try CountStore(folder: folder.path("d") + "/audit").close()
    let empty = try await balance()
    #expect(empty.status == 0, "\(empty.errors)")
    let file = URL(filePath: folder.path("d") + "/audit/count.sqlite")
    try Data("damaged".utf8).write(to: file)
    let damaged = try await balance()
    #expect(damaged.status == 65, "\(damaged.errors)")
    #expect(damaged.errors.contains("The second count cannot be read"))
    #expect(damaged.errors.contains("counts anew"))
    #expect(try Data(contentsOf: file) == Data("damaged".utf8))
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
    let keeper = measuring(bench, audit)
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
    #expect(metrics.samples("baton_measure_from_seconds").count == 1)
    // Whole and place are one group here, of some hundred handoffs: no register is in force.
    let median = ["place": "unknown", "quantile": "0.5"]
    #expect(metrics.samples("baton_measure_time_to_accept_seconds", median).count == 1)
    let measured = metrics.values.keys.filter { $0.name.hasPrefix("baton_measure_") }
    #expect(measured.allSatisfy { Set($0.labels.keys).isSubset(of: ["place", "quantile"]) })
    for event in events { #expect(!body.contains(event.patientKey.description)) }
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `and measures are of the newest where there are too many, and never of what is forged`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let audit = try Audit(bench)
    var journeys = JourneyGenerator(seed: 24)
    let events = journeys.events(count: 400)
    try await bench.whileRunning([audit.service.run]) {
      try await bench.publish(events)
      try await bench.until("all is logged") { try await audit.service.isCaughtUp() }
    }
    let now = Timestamp.now()
    let logged = try await audit.log.logs().filter { $0.name.topic == Topic.events.name }
    let count = Int(logged.reduce(0) { $0 + $1.size })
    func from(_ keeper: MeasureKeeper) async throws -> Double? {
      try await keeper.look(at: now)
      return keeper.metrics.first { $0.name == "baton_measure_from_seconds" }?
        .samples.first?.value
    }
    let whole = Double(now.advanced(by: .hours(-24 * 28)).milliseconds) / 1_000
    #expect(try await from(measuring(bench, audit, recordCountMax: count)) == whole)
    let shortened = try #require(try await from(measuring(bench, audit, recordCountMax: count / 2)))
    #expect(shortened > Double(now.milliseconds) / 1_000 - 3_600)

    let suspicious = measuring(bench, audit, stamp: RecordStamp(.generate()))
    try await suspicious.look(at: now)
    #expect(suspicious.metrics.flatMap(\.samples).count == 1)
    let trusting = measuring(bench, audit)
    try await trusting.look(at: now)
    #expect(trusting.metrics.flatMap(\.samples).count > 1)
  }

  // MARK: The parts

  private func measuring(
    _ bench: ReconcilerBench, _ audit: Audit, stamp: RecordStamp? = nil,
    recordCountMax: Int = MeasureKeeper.recordCountMax
  ) -> MeasureKeeper {
    MeasureKeeper(
      log: audit.log, kafka: bench.kafka, policy: bench.policy.policy, stamp: stamp,
      recordCountMax: recordCountMax, logger: Logger(label: "test"))
  }

  /// An audit service over the bench's topics.
  private struct Audit {
    let log: AuditStore
    let service: AuditService
    let folder: String
    let counts: CountStore

    /// Of several only the one that signs says alerts.
    init(_ bench: ReconcilerBench, in name: String = "data", isSigning: Bool = true) throws {
      folder = bench.folder.path(name)
      log = try AuditStore(folder: folder + "/audit", describe: AuditDescription.ofWire)
      var configuration = AuditServiceConfiguration(kafka: bench.kafka)
      configuration.checkpointInterval = .milliseconds(100)
      counts = try CountStore(folder: folder + "/audit")
      let signer = try #require(
        NoteSigner(name: "log.example", seed: Array(repeating: 2, count: 32)))
      service = AuditService(
        store: log, counts: counts, signer: isSigning ? signer : nil,
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
    func balance(_ options: String...) async throws -> BatonExecutable.Result {
      try await BatonExecutable.run(["audit", "balance", "--data", folder] + options)
    }
  }

  private func isCompared(
    _ bench: ReconcilerBench, _ audit: Audit, atLeast count: UInt64
  ) async throws {
    try await bench.until("\(count) events are counted and compared") {
      audit.hasCompared(atLeast: count)
    }
  }

  /// The newest books of the partition that has the most in them.
  private func fullest(_ bench: ReconcilerBench) async throws -> WrittenState {
    try #require(
      try await bench.newestStates().sorted { $0.key < $1.key }.map(\.value)
        .max { $0.state.books.total.requested < $1.state.books.total.requested })
  }

  /// What audit has said of the books.
  private func secondCounts(_ bench: ReconcilerBench) async throws -> [Verdict] {
    try await bench.verdicts().filter { $0.rule == .s06 && $0.cause == Code("second-count") }
  }
}
