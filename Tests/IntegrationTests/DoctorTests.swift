import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable && !TestBroker.isExternal && BatonExecutable.url != nil

/// What `baton doctor` sees on a bus, beside what it sees on its own machine.
@Suite(.enabled(if: canRun, "\(TestBroker.skipReason) of the tests' own, and the built baton"))
struct `The doctor on a bus` {
  private struct Finding: Decodable {
    var check, level, says: String
    var advice: String?
  }

  private let broker: TestBroker
  private let folder: TemporaryFolder
  private var bootstrap: String { broker.bootstrapServers.joined(separator: ",") }

  init() throws {
    broker = try TestBroker.start()
    folder = try TemporaryFolder()
  }

  private func baton(_ arguments: String...) async throws -> BatonExecutable.Result {
    try await BatonExecutable.run(arguments + ["--bootstrap", bootstrap])
  }

  /// What is amiss, on topics with as many partitions as are asked for, or as there are.
  private func amiss(
    data: String = "data", configured: Int? = nil, secrets: String? = nil
  ) async throws -> [Finding] {
    var environment: [String: String] = [:]
    environment["BATON_PARTITIONS"] = configured.map { "\($0)" }
    environment["BATON_RECORD_SECRETS"] = secrets
    let run = try await BatonExecutable.run(
      ["doctor", "--json", "--data", folder.path(data), "--bootstrap", bootstrap],
      environment: environment)
    return try JSONDecoder().decode([Finding].self, from: Data(run.output.utf8))
      .filter { $0.level != "ok" }
  }

  @Test func `two connectors of one name are told by their totals`() async throws {
    #expect(try await baton("topics", "apply", "--partitions", "2").status == 0)
    let producer = try KafkaProducer(KafkaConfiguration(bootstrapServers: broker.bootstrapServers))
    var at = ConnectStack.systemTime().advanced(by: .minutes(-10))
    for total: UInt64 in [40, 3, 41, 3, 42] {
      for (source, total) in [("rth-pas", total), ("rth-lab", 7)] {
        let heartbeat = SourceHeartbeat(
          source: try #require(Code(source)), at: at, completeUpTo: nil, lastSequence: nil,
          framesTotal: total, eventsTotal: 0, refusalsTotal: 0)
        _ = try await producer.send([
          KafkaMessage(topic: .sources, WireCodec().encode(SourceRecord.heartbeat(heartbeat)))
        ])
      }
      at = at.advanced(by: .minutes(1))
    }
    await producer.close()
    let found = try await amiss()
    let doubled = found.filter { $0.check.hasPrefix("connector") }
    #expect(doubled.map(\.check) == ["connector rth-pas"])
    #expect(doubled.first?.level == "fail")
    #expect(doubled.first?.advice?.contains("a name of its own") == true)
  }

  @Test func `other record secrets than the bus's are told, and none`() async throws {
    #expect(try await baton("topics", "apply", "--partitions", "2").status == 0)
    let (ours, others) = (folder.path("ours.json"), folder.path("others.json"))
    for file in [ours, others] {
      #expect(
        try await BatonExecutable.run(["boundary", "record-secrets", "--new", file]).status == 0)
    }
    var configuration = BatonConfiguration()
    configuration.kafka.bootstrap = bootstrap
    configuration.recordSecretsFile = ours
    configuration.recordGuard = try RecordGuard.load(configuration)
    let heartbeat = SourceHeartbeat(
      source: try #require(Code("rth-pas")), at: ConnectStack.systemTime(), completeUpTo: nil,
      lastSequence: nil, framesTotal: 1, eventsTotal: 0, refusalsTotal: 0)
    let producer = try KafkaProducer(KafkaConfiguration(configuration, client: "test", as: .ingest))
    _ = try await producer.send([
      KafkaMessage(topic: .sources, WireCodec().encode(SourceRecord.heartbeat(heartbeat)))
    ])
    await producer.close()
    func stamps(_ secrets: String?) async throws -> Finding? {
      try await amiss(secrets: secrets).first { $0.check == "record stamps" }
    }
    #expect(try await stamps(ours) == nil)
    let other = try await stamps(others)
    #expect(other?.level == "fail")
    #expect(other?.says.contains("1 of 1 records") == true)
    let none = try await stamps(nil)
    #expect(none?.level == "fail")
    #expect(none?.advice?.contains("record-secrets.json of the bus") == true)
  }

  @Test func `topics that fit each other are well, however many partitions they have`()
    async throws
  {
    #expect(try await baton("topics", "apply", "--partitions", "3").status == 0)
    let well = try await baton("doctor", "--data", folder.path("data"))
    #expect(well.status == 0, "\(well.output)")
    #expect(well.output.contains("ok    topics: all there, 3 partitions"))
    // The plan asks for as many too, where nobody says otherwise.
    #expect(try await baton("topics", "plan").output.contains("as the table wants them"))
    // One line, and no failure: what is there holds.
    let other = try await amiss(configured: 5).filter { $0.check.hasPrefix("topics") }
    #expect(other.map(\.level) == ["warn"])
    #expect(other.first?.says.contains("5") == true && other.first?.says.contains("3") == true)
  }

  @Test func `a topic out of step with the events is a failure, and no other is`() async throws {
    let admin = try KafkaAdmin(KafkaConfiguration(bootstrapServers: broker.bootstrapServers))
    _ = try await admin.createTopics(
      [(Topic.events, 3), (.alerts, 2)].map {
        KafkaAdmin.TopicSpecification(name: $0.name, partitions: $1, replication: 1)
      })
    await admin.close()
    let found = try await amiss()
    let apart = found.filter { $0.says.contains("has 2 partitions") }
    #expect(apart.map(\.check) == [Topic.alerts.name])
    #expect(apart.first?.level == "fail")
    #expect(apart.first?.says.contains("must have 3 like handoff.events.v1") == true)
  }

  @Test(.timeLimit(.minutes(10)))
  func `two ingests of one name are told where either runs, and how to end it`() async throws {
    #expect(try await baton("topics", "apply", "--partitions", "2").status == 0)
    let processes = try ["one", "two"].map { name in
      let home = folder.url.appending(path: name)
      try FileManager.default.createDirectory(
        at: home.appending(path: "in"), withIntermediateDirectories: true)
      try Data(
        """
        name: \(name)
        class: drop-folder-source
        directory: in
        names-are-ods-codes: true
        speaks-for: any
        heartbeat-seconds: 1

        """.utf8
      ).write(to: home.appending(path: "\(name).yaml"))
      return try BatonExecutable.start(
        [
          "connect", "run", "--connector", "\(name).yaml", "--data", "data", "--bootstrap",
          bootstrap,
        ], folder: home)
    }
    defer { for process in processes where process.isRunning { process.terminate() } }
    for process in processes { try process.run() }
    var found: Finding?
    while found == nil {
      found = try await amiss(data: "one/data").first { $0.check == "ingest name" }
      let running = processes.filter(\.isRunning)
      try #require(running.count == 2)
    }
    #expect(found?.level == "fail")
    #expect(found?.advice?.contains("--instance of its own") == true)
  }
}
