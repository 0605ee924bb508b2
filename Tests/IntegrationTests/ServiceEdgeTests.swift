import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

/// What services do at their edges: a log that nobody reads, a broker that is gone, secrets of
/// their own.
@Suite struct `A service on its own` {
  private let folder: TemporaryFolder
  private let port: UInt16

  init() throws {
    folder = try TemporaryFolder()
    port = try TestBroker.freePort()
  }

  /// `baton connect run` of a drop folder, with no broker to be had.
  private func connector() throws -> Process {
    for name in ["in", "run"] {
      try FileManager.default.createDirectory(
        at: folder.url.appending(path: name), withIntermediateDirectories: true)
    }
    try Data(
      """
      name: lonely
      class: drop-folder-source
      directory: in
      names-are-ods-codes: true
      speaks-for: any
      scan-seconds: 0.1

      """.utf8
    ).write(to: folder.url.appending(path: "lonely.yaml"))
    let settings = """
      data: data
      connectors: lonely.yaml
      kafka: {bootstrap: "127.0.0.1:9"}
      health: {listen: "127.0.0.1:\(port)"}
      log: debug

      """
    try Data(settings.utf8).write(to: folder.url.appending(path: "baton.yaml"))
    return try BatonExecutable.start(
      ["connect", "run", "--config", folder.path("baton.yaml")],
      folder: folder.url.appending(path: "run"))
  }

  private func page(_ path: String) async -> RawHTTP.Answer? {
    try? await RawHTTP.send(RawHTTP.request("GET \(path)"), port: Int(port))
  }

  /// Puts a file in, and waits until it was taken and health is told, or the process has ended.
  private func feed(_ process: Process, _ name: String) async throws {
    try Data("no message of any kind".utf8).write(to: folder.url.appending(path: "in/\(name)"))
    let taken = folder.path("in/failed/\(name)")
    let deadline = ContinuousClock.now + .seconds(300)
    while process.isRunning, ContinuousClock.now < deadline {
      let answer = await page("/livez")
      if answer != nil, FileManager.default.fileExists(atPath: taken) { break }
    }
    #expect(FileManager.default.fileExists(atPath: taken))
  }

  private func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  @Test(.enabled(if: BatonExecutable.url != nil, "needs the built baton"))
  func `goes on where whoever reads its log is gone`() async throws {
    let process = try connector()
    let (errors, output) = (Pipe(), Pipe())
    process.standardError = errors
    process.standardOutput = output
    try process.run()
    try errors.fileHandleForReading.close()
    try output.fileHandleForReading.close()
    try await feed(process, "one.hl7")
    #expect(process.isRunning)
    end(process)
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL)
  }

  @Test(.enabled(if: BatonExecutable.url != nil, "needs the built baton"))
  func `says that what it makes of its own no other process knows`() async throws {
    let process = try connector()
    try process.run()
    try await feed(process, "one.hl7")
    // It keeps what it takes in: nobody is to route past it.
    let answer = await page("/readyz")
    end(process)
    let ready = try #require(answer)
    #expect(ready.status == 200)
    #expect(ready.body.contains(#""kafka":"no answer since 2"#))
    let log = try String(contentsOfFile: folder.path("run/errors"), encoding: .utf8)
    #expect(log.contains("New secrets are made"))
    #expect(log.contains("No record secrets"))
    // The second time they are its own from before.
    try? FileManager.default.removeItem(at: folder.url.appending(path: "in/failed/one.hl7"))
    let again = try connector()
    try again.run()
    try await feed(again, "two.hl7")
    end(again)
    let second = try String(contentsOfFile: folder.path("run/errors"), encoding: .utf8)
    #expect(!second.contains("New secrets are made"))
    #expect(second.contains("No record secrets"))
  }
}

/// A proxy stands for one broker only, and none but ours can be taken away.
private let canProxy =
  TestBroker.isAvailable && !TestBroker.isExternal && BatonExecutable.url != nil

@Suite(
  .serialized,
  .enabled(if: canProxy, "\(TestBroker.skipReason) of the tests' own, and the built baton"))
struct `A reconciler whose broker is gone` {
  @Test func `is not ready and says since when, keeps its last lag, and is ready again`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let proxy = try LossyProxy(before: bench.broker)
    defer { #expect(proxy.stop()) }
    let port = try TestBroker.freePort()
    let child = try bench.launch(behind: proxy, health: port)
    defer { bench.kill(child) }
    func page(_ path: String) async throws -> RawHTTP.Answer? {
      try? await RawHTTP.send(RawHTTP.request("GET \(path)"), port: Int(port))
    }
    func metrics() async throws -> PrometheusText {
      try PrometheusText(await page("/metrics")?.body ?? "")
    }
    try await bench.publish([try `The reconciler in service`.request(seed: 1)])
    try await bench.until("ready") { try await page("/readyz")?.status == 200 }
    try await bench.until("a lag") {
      try await !metrics().samples("kafka_consumergroup_lag").isEmpty
    }
    #expect(try await metrics().samples("baton_kafka_reachable") == [1])

    proxy.takeDown()
    try await bench.until("not ready for lack of Kafka") {
      let answer = try await page("/readyz")
      return answer?.status == 503
        && answer?.body.contains(#""kafka":"no answer since 2"#) == true
    }
    let gone = try await metrics()
    #expect(gone.samples("baton_kafka_reachable") == [0])
    #expect(!gone.samples("kafka_consumergroup_lag").isEmpty)
    #expect(try await page("/livez")?.status == 200)

    proxy.bringUp()
    try await bench.until("ready again") { try await page("/readyz")?.status == 200 }
    #expect(try await metrics().samples("baton_kafka_reachable") == [1])
  }
}

@Suite(
  .enabled(if: canProxy, "\(TestBroker.skipReason) of the tests' own, and the built baton"))
struct `Commands on a bus` {
  @Test func `up makes topics as the configuration says, and says how many`() async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let folder = try TemporaryFolder()
    let bootstrap = broker.bootstrapServers.joined(separator: ",")
    try Data(
      "data: data\nkafka: {bootstrap: \"\(bootstrap)\"}\ntopics: {partitions: 3, replication: 1}\n"
        .utf8
    ).write(to: folder.url.appending(path: "baton.yaml"))
    let none = try await BatonExecutable.run(["alerts", "list", "--bootstrap", bootstrap])
    #expect(none.status == 69)
    #expect(none.errors.contains("no topic handoff.alerts.v1"))
    let up = try await BatonExecutable.run(
      ["up", "--config", folder.path("baton.yaml"), "--exit-when-idle"])
    #expect(up.status == 0, "\(up.errors)")
    #expect(up.errors.contains("Creating 11 topics; those of events have 3 partitions"))
    let kafka = KafkaConfiguration(bootstrapServers: broker.bootstrapServers, clientID: "test")
    #expect(try await TopicScan(kafka, topic: .events).partitions().count == 3)
    let well = try await BatonExecutable.run(["alerts", "list", "--bootstrap", bootstrap])
    #expect(well.status == 0)
    #expect(well.output == "No alerts.\n")
  }

  @Test(arguments: [["--messages", "nothing"], ["--policy", "nothing"]])
  func `up tells of a file that is not there before it makes a topic`(option: [String])
    async throws
  {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let folder = try TemporaryFolder()
    let bootstrap = broker.bootstrapServers.joined(separator: ",")
    let up = try await BatonExecutable.run(
      ["up", "--bootstrap", bootstrap, "--data", folder.path("data"), option[0]]
        + [folder.path(option[1])])
    #expect(up.status == 66, "\(up.errors)")
    let kafka = KafkaConfiguration(bootstrapServers: broker.bootstrapServers, clientID: "test")
    #expect(try await TopicScan(kafka, topic: .events).partitions().isEmpty)
  }

  @Test func `a page of health that cannot be listened on ends a service in words`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let folder = try TemporaryFolder()
    // Where the broker listens nobody else can.
    try Data("data: data\nhealth: {listen: \"\(bench.bootstrap)\"}\n".utf8)
      .write(to: folder.url.appending(path: "baton.yaml"))
    let run = try await BatonExecutable.run([
      "reconcile", "--config", folder.path("baton.yaml"), "--bootstrap", bench.bootstrap,
    ])
    #expect(run.status == 69)
    #expect(run.errors.contains("baton: Health cannot be told: another process listens"))
  }

  @Test(.timeLimit(.minutes(10)))
  func `up that waits for partitions which another reconciler has says so`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let port = try TestBroker.freePort()
    let other = try bench.launch(health: port)
    defer { bench.kill(other) }
    // Who comes first has all of them.
    try await bench.until("the first has them") {
      let answer = try? await RawHTTP.send(RawHTTP.request("GET /readyz"), port: Int(port))
      return answer?.status == 200
    }
    let folder = try TemporaryFolder()
    let up = try BatonExecutable.start(
      ["up", "--bootstrap", bench.bootstrap, "--data", folder.path("data")], folder: folder.url)
    let errors = Pipe()
    let (told, tell) = AsyncStream<String>.makeStream()
    errors.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      guard !data.isEmpty else {
        handle.readabilityHandler = nil
        return tell.finish()
      }
      tell.yield(String(decoding: data, as: UTF8.self))
    }
    up.standardError = errors
    try up.run()
    defer { bench.kill(up) }
    var text = ""
    for await part in told {
      text += part
      if text.contains("another member of the group judges") { break }
    }
    #expect(text.contains("partitions of handoff.events.v1, which another member"))
  }

  @Test func `dead letters are listed with reason and field, each once`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    func letter(_ number: UInt8, _ disposition: DeadLetter.Disposition) throws -> DeadLetter {
      DeadLetter(
        source: try #require(Code("rth-pas")), receptionID: ReceptionID(rawValue: UInt128(number)),
        at: JourneyGenerator.start, disposition: disposition,
        reason: try #require(Code("hl7.segment-missing")), field: "PID-3", messageType: nil,
        rail: try #require(Code("mllp")), sealedPayload: [1, 2, 3], keyDay: "2026-11-23",
        payloadBytes: 3)
    }
    let letters = [try letter(1, .refused), try letter(1, .refused), try letter(2, .noHandoffFact)]
    let producer = try KafkaProducer(bench.kafka)
    _ = try await producer.send(
      letters.map { KafkaMessage(topic: .deadLetters, WireCodec().encode($0)) })
    await producer.close()
    struct Row: Decodable { let source, reason, field: String }
    func list(_ options: String...) async throws -> [Row] {
      let run = try await BatonExecutable.run(
        ["deadletter", "list", "--json", "--bootstrap", bench.bootstrap] + options)
      #expect(run.status == 0, "\(run.errors)")
      return try run.output.split(separator: "\n").map {
        try JSONDecoder().decode(Row.self, from: Data($0.utf8))
      }
    }
    let refused = try await list("--source", "rth-pas", "--reason", "hl7.segment-missing")
    #expect(refused.map(\.field) == ["PID-3"])
    #expect(try await list("--all").count == 2)
    #expect(try await list("--source", "another").isEmpty)
    let text = try await BatonExecutable.run(["deadletter", "--bootstrap", bench.bootstrap])
    #expect(text.output.hasSuffix("1 dead letter.\n"))
  }
}
