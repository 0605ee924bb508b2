import HandoffCore
import KafkaClient
import Logging
import ServiceLifecycle
import Telemetry
import TestSupport
import Testing

@testable import HandoffBus

@Suite struct `Metrics and health` {
  @Test func `Kafka is gone fifteen seconds after its last answer, and told of once`() {
    let (start, wall) = (ContinuousClock.now, Timestamp(milliseconds: 0))
    var contact = KafkaContact(since: wall, at: start)
    func at(_ second: Int64) -> ContinuousClock.Instant { start.advanced(by: .seconds(second)) }
    func time(_ second: Int64) -> Timestamp { wall.advanced(by: .seconds(second)) }
    // Nobody has answered yet; that is no news before it is late.
    #expect(!contact.isReachable(at: at(0)))
    #expect(contact.note(isAnswered: false, time: time(14), at: at(14)) == nil)
    #expect(contact.note(isAnswered: true, time: time(20), at: at(20)) == nil)
    #expect(contact.isReachable(at: at(34)))
    #expect(!contact.isReachable(at: at(35)))
    #expect(contact.note(isAnswered: false, time: time(34), at: at(34)) == nil)
    #expect(contact.note(isAnswered: false, time: time(35), at: at(35)) == .gone)
    #expect(contact.note(isAnswered: false, time: time(60), at: at(60)) == nil)
    #expect(contact.lastAnswer.time == time(20))
    #expect(contact.note(isAnswered: true, time: time(70), at: at(70)) == .back)
    #expect(contact.isReachable(at: at(70)))
    #expect(contact.note(isAnswered: true, time: time(75), at: at(75)) == nil)
  }

  @Test func `a label is a code or a number, and never what could name a person`() {
    func value(_ text: String) -> String { Metric.Label("x", code: text).value }
    #expect(value("rth-pas") == "rth-pas")
    #expect(value("A07") == "A07")
    #expect(value("handoff.events.v1") == "handoff.events.v1")
    #expect(Metric.Label("partition", Int32(23)).value == "23")
    for text in ["9990120000", "id-99901200", "Smith, J", "a\"b", "a\nb", "", "ü"]
      + [String(repeating: "a", count: 65)]
    {
      #expect(value(text) == "other", "\(text)")
    }
  }

  @Test func `the text is Prometheus' own`() {
    let metrics = [
      Metric("baton_x_total", .counter, "Of x.", [.init(3)]),
      Metric(
        "baton_y_seconds", .gauge, "Of y.",
        [.init(0.5, [.init("partition", 1), .init("kind", code: "gp")])]),
      Metric("baton_none", .gauge, "Of nothing.", []),
    ]
    #expect(
      Metric.text(metrics) == """
        # HELP baton_x_total Of x.
        # TYPE baton_x_total counter
        baton_x_total 3
        # HELP baton_y_seconds Of y.
        # TYPE baton_y_seconds gauge
        baton_y_seconds{partition="1",kind="gp"} 0.5

        """)
  }

  @Test func `only this machine is told`() {
    #expect(HealthAddress("127.0.0.1:9464") != nil)
    #expect(HealthAddress("[::1]:0")?.host == "::1")
    for text in ["0.0.0.0:9464", "example.org:80", "127.0.0.1", "127.0.0.1:70000", ":1", ""] {
      #expect(HealthAddress(text) == nil, "\(text)")
    }
  }

  @Test func `a part that is not ready makes the answer no, with its reason`() async throws {
    let probes = [
      HealthProbe(part: "reconciler", notReady: { "restoring" }),
      HealthProbe(
        part: "ingest", metrics: { [Metric("baton_x_total", .counter, "X.", [.init(1)])] },
        amiss: { "slow" }),
    ]
    let address = try #require(HealthAddress("127.0.0.1:0"))
    let (ports, tell) = AsyncStream.makeStream(of: Int.self)
    let service = HealthService(
      address, probes: probes, logger: Logger(label: "test"), onListening: { tell.yield($0) })
    try await withThrowingTaskGroup { group in
      group.addTask { try await service.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      func get(_ line: String) async throws -> RawHTTP.Answer {
        try await RawHTTP.send(RawHTTP.request(line), port: port)
      }
      let ready = try await get("GET /readyz")
      #expect(ready.status == 503)
      #expect(
        ready.body
          == #"{"parts":{"ingest":"slow","reconciler":"restoring"},"status":"unavailable"}"#)
      let alive = try await get("GET /livez")
      #expect(alive.status == 200)
      let metrics = try await get("GET /metrics?x=1")
      #expect(metrics.body.hasSuffix("baton_x_total 1\n"))
      #expect(metrics.fields["content-type"] == Metric.contentType)
      let missing = try await get("GET /nothing")
      #expect(missing.status == 404)
      let refused = try await get("POST /metrics")
      #expect(refused.status == 405)
      group.cancelAll()
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `who takes messages in is not ready any more once it was told to end`() async throws {
    let folder = try TemporaryFolder()
    var configuration = BatonConfiguration()
    configuration.dataFolder = folder.path("data")
    let stack = try ConnectStack(
      configuration, connectors: [], kafka: KafkaConfiguration(bootstrapServers: ["127.0.0.1:9"]),
      logger: Logger(label: "test"))
    let probe = HealthProbe.ingest(stack)
    #expect(probe.notReady() == nil)
    let group = ServiceGroup(
      configuration: .init(services: [.init(service: stack.host)], logger: Logger(label: "test")))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
    #expect(probe.notReady() == "stopping")
    await stack.close()
  }
}
