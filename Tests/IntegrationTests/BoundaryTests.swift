import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && BatonExecutable.url != nil

/// A connector outside the boundary and ingest inside it, as two processes of the built program.
private struct BoundaryDeployment {
  let broker: TestBroker
  let folder: TemporaryFolder
  let kafka: KafkaConfiguration

  init() async throws {
    broker = try TestBroker.start()
    folder = try TemporaryFolder()
    kafka = KafkaConfiguration(bootstrapServers: broker.bootstrapServers, clientID: "test")
    for side in ["ingest", "rth"] {
      try await run([
        "boundary", "new-keys", "--private", path("\(side).keys"), "--public", path("\(side).pub"),
      ])
    }
    try await run(["boundary", "record-secrets", "--new", path("records.json")])
    try write("outside/pas.yaml", Self.connector)
    try write("inside/rth.yaml", Self.connector)
    try FileManager.default.createDirectory(
      atPath: path("outside/incoming"), withIntermediateDirectories: true)
    try write(
      "inside/baton.yaml",
      """
      data: data
      record-secrets: ../records.json
      kafka: {bootstrap: "\(bootstrap)"}
      topics: {partitions: 2, replication: 1}
      boundary:
        keys: ../ingest.keys
        organisations:
          RTH: {keys: ../rth.pub, connectors: rth.yaml, outbox: true}

      """)
    try write(
      "outside/baton.yaml",
      """
      data: data
      connectors: pas.yaml
      kafka: {bootstrap: "\(bootstrap)"}
      boundary:
        organisation: RTH
        keys: ../rth.keys
        ingest-keys: ../ingest.pub
        notices: notices

      """)
    try await run(["topics", "apply", "--config", path("inside/baton.yaml")])
  }

  private static let connector = """
    name: rth-pas
    class: drop-folder-source
    directory: incoming
    organisation: RTH
    names-are-ods-codes: true
    speaks-for: any
    scan-seconds: 0.05
    heartbeat-seconds: 1

    """

  var bootstrap: String { broker.bootstrapServers.joined(separator: ",") }

  func path(_ name: String) -> String { folder.path(name) }

  func write(_ name: String, _ text: String) throws {
    let url = folder.url.appending(path: name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func run(_ arguments: [String]) async throws {
    let run = try await BatonExecutable.run(arguments)
    #expect(run.status == 0, "\(arguments.joined(separator: " ")): \(run.errors)")
  }

  func start(_ side: String) throws -> Process {
    let place = folder.url.appending(path: "run-\(side)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let process = try BatonExecutable.start(
      ["connect", "run", "--config", path("\(side)/baton.yaml")], folder: place)
    try process.run()
    return process
  }

  func errors(_ side: String) -> String {
    (try? String(contentsOfFile: path("run-\(side)/errors"), encoding: .utf8)) ?? ""
  }

  func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Asks again and again, each time of the broker, until the answer is yes.
  func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await !isSo() {
      guard ContinuousClock.now < deadline else {
        throw Overdue(what: what, inside: errors("inside"), outside: errors("outside"))
      }
    }
  }

  struct Overdue: Error {
    let what: String
    let inside: String
    let outside: String
  }

  func events() async throws -> [HandoffEvent] {
    var events: [HandoffEvent] = []
    try await TopicScan(kafka, topic: .events).readToEnd { record in
      if let event = try WireCodec.eventRecord(record.stored).content.event {
        events.append(event)
      }
    }
    return events
  }

  func deadLetters() async throws -> [DeadLetter] {
    var letters: [DeadLetter] = []
    try await TopicScan(kafka, topic: .deadLetters).readToEnd { record in
      letters.append(try WireCodec.deadLetter(record.wire))
    }
    return letters
  }

  /// Everything in the folder of notices.
  func notices() -> String {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: path("outside/notices"))) ?? []
    return names.filter { $0.hasSuffix(".ndjson") }.sorted().compactMap {
      try? String(contentsOfFile: path("outside/notices/\($0)"), encoding: .utf8)
    }.joined()
  }
}

@Suite(.serialized) struct `The trust boundary` {
  private static let request = """
    MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114220000||REF^I12|M1|P|2.4\rRF1|P|R|MED|||UBRN1^ERS\r\
    PRD|RP|GPNAME^GIVEN\rPID|1||9990000018^^^NHS^NH~PAT77^^^RTH^MR||CANARYNAME^GIVENNAME\
    ||19700101|F\r
    """

  @Test(.enabled(if: canRun && !TestBroker.isExternal, "\(TestBroker.skipReason)"))
  func `two processes carry a message in over the boundary and a notice back`()
    async throws
  {
    let deployment = try await BoundaryDeployment()
    defer { deployment.broker.stop() }
    // The outside starts first and waits; nothing that it took in is lost.
    let outside = try deployment.start("outside")
    defer { deployment.end(outside) }
    try deployment.write("outside/incoming/one.hl7", Self.request)
    let inside = try deployment.start("inside")
    try await deployment.until("the event is published") {
      try await !deployment.events().isEmpty
    }
    try await deployment.until("the notice is back") {
      _ = try await deployment.events()
      return deployment.notices().contains("9990000018")
    }
    // Ingest is killed and started again; what comes meanwhile waits in the inbox.
    deployment.end(inside)
    try deployment.write(
      "outside/incoming/two.hl7", Self.request.replacing("|M1|", with: "|M2|"))
    try deployment.write(
      "outside/incoming/foreign.hl7", Self.request.replacing("|PAS|RTH|", with: "|PAS|RZZ|"))
    let again = try deployment.start("inside")
    defer { deployment.end(again) }
    try await deployment.until("both are through") {
      let (events, letters) = (try await deployment.events(), try await deployment.deadLetters())
      return events.count >= 2 && !letters.isEmpty
    }
    let events = try await deployment.events()
    #expect(Set(events.map(\.receptionID)).count == 2)
    #expect(events.count == 2)
    #expect(
      try await deployment.deadLetters().map(\.reason.description) == ["organisation.not-allowed"])
    #expect(!deployment.notices().contains("RZZ"))
    try await BoundaryTests.checkOutside(deployment)
    try await deployment.until("a heartbeat of the connector outside") {
      try await BoundaryTests.heartbeats(deployment).contains { $0.framesTotal >= 1 }
    }
  }

  @Test(.enabled(if: canRun && !TestBroker.isExternal, "\(TestBroker.skipReason)"))
  func `a forged tick and a forged policy on a broker move nothing, and the bus goes on`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    let guardian = RecordGuard(RecordSecrets.generate())
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var kafka = bench.kafka
    kafka.interceptor = guardian.interceptor(for: .reconciler, logger: logger)
    var configuration = bench.configuration(instance: "one")
    configuration.kafka = kafka
    configuration.stamp = guardian.stamp
    configuration.logger = logger
    var journeys = JourneyGenerator(seed: 5)
    var requests = journeys.events(count: 80).filter { $0.type == .handoffRequested }
    let genuine = requests.removeFirst()
    let foreign = try #require(requests.first { $0.patientKey != genuine.patientKey })
    let codec = WireCodec()
    let forger = try KafkaProducer(bench.kafka)
    let activation = RulesActivation(rulesVersion: 1, policyHash: WireCodec.recordHash([1]))
    var forged = (0..<ReconcilerBench.partitionCount).flatMap { partition in
      [
        KafkaMessage(
          topic: .events, partition: partition, codec.encodeTick(at: .init(milliseconds: 1))),
        KafkaMessage(
          topic: .events, partition: partition,
          codec.encode(activation, at: .init(milliseconds: 1))),
      ]
    }
    forged.append(KafkaMessage(topic: .events, codec.encode(foreign)))
    _ = try await forger.send(forged)
    await forger.close()
    var ingest = bench.kafka
    ingest.interceptor = guardian.interceptor(for: .ingest, logger: logger)
    let producer = try KafkaProducer(ingest)
    _ = try await producer.send([KafkaMessage(topic: .events, codec.encode(genuine))])
    await producer.close()
    let service = ReconcilerService(configuration)
    let feed = AlertFeed(kafka)
    try await bench.whileRunning([service.run]) {
      try await bench.until("the genuine request is flagged") {
        try await feed.read().alerts.contains { $0.latest.handoffID == genuine.handoffID }
      }
    }
    let alerts = try await feed.read().alerts
    #expect(!alerts.contains { $0.latest.handoffID == foreign.handoffID })
    #expect(!alerts.contains { $0.latest.rule == .s05 })
    let own = alerts.filter { $0.latest.rule == .s08 }
    #expect(!own.isEmpty)
    #expect(own.allSatisfy { $0.latest.cause == Code("stamp.missing") })
    // A forged verdict is shown to nobody who has the secrets.
    let liar = try KafkaProducer(bench.kafka)
    var lie = try #require(alerts.first { $0.latest.handoffID == genuine.handoffID }).latest
    lie.revision += 1
    lie.action = .resolved
    _ = try await liar.send([KafkaMessage(topic: .alerts, codec.encode(lie))])
    await liar.close()
    let shown = try await feed.read().byID[lie.alertID]
    #expect(shown?.revisions.contains { $0 == lie } == false)
    #expect((guardian.forgeries[.missing] ?? 0) >= 1)
  }
}

private enum BoundaryTests {
  /// What was sent to the inbox names nobody; and outside there is no secret of the bus.
  static func checkOutside(_ deployment: BoundaryDeployment) async throws {
    let data = try FileManager.default.contentsOfDirectory(
      atPath: deployment.path("outside/data"))
    #expect(!data.contains { $0.hasSuffix("secrets.json") || $0.contains("keys") })
    var inbox = Data()
    let reader = try KafkaReader(deployment.kafka)
    let partitions = (0..<3 as Range<Int32>).map {
      KafkaPartitionOffset(
        topic: "handoff.inbox.rth.v1", partition: $0, offset: KafkaPartitionOffset.beginning)
    }
    try await reader.readToEnd(from: partitions, within: .seconds(20)) { batch in
      for record in batch.records {
        inbox += (record.key ?? []) + (record.value ?? [])
        inbox += record.headers.flatMap { $0.value ?? [] }
      }
    }
    await reader.close()
    #expect(inbox.count > 500)
    for word in ["CANARYNAME", "9990000018", "PAT77"] {
      #expect(inbox.range(of: Data(word.utf8)) == nil)
    }
  }

  static func heartbeats(_ deployment: BoundaryDeployment) async throws -> [SourceHeartbeat] {
    var heartbeats: [SourceHeartbeat] = []
    try await TopicScan(deployment.kafka, topic: .sources).readToEnd { record in
      // The reconciler's ticks lie beside them.
      if case .statement(.heartbeat(let heartbeat)) = try WireCodec.sourceTopicRecord(
        record.stored
      ).content, heartbeat.source == Code("rth-pas") {
        heartbeats.append(heartbeat)
      }
    }
    return heartbeats
  }
}
