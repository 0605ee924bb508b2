import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import Synchronization
import TestSupport
import Testing

/// A broker with the bus's topics, a policy whose clocks are seconds, and reconcilers to run on it.
///
/// On a real cluster (`BATON_TEST_KAFKA`) it must be one without the bus's topics.
final class ReconcilerBench: Sendable {
  static let partitionCount: Int32 = 3
  static let groupID = "baton-reconciler"

  let broker: TestBroker
  let folder: TemporaryFolder
  let kafka: KafkaConfiguration
  let policy: PolicySource

  init() async throws {
    broker = try TestBroker.start()
    folder = try TemporaryFolder()
    kafka = KafkaConfiguration(bootstrapServers: broker.bootstrapServers, clientID: "test")
    let bytes = Array(Self.policyText.utf8)
    policy = PolicySource(policy: try PolicyDocument(bytes).policy, bytes: bytes)
    try Data(bytes).write(to: folder.url.appending(path: "policy.yaml"))
    let administrator = try TopicAdministrator(kafka)
    let plan = try await administrator.plan(
      sizes: TopicSizes(partitions: Self.partitionCount, replication: 1))
    try await administrator.apply(plan)
    await administrator.close()
  }

  var bootstrap: String { broker.bootstrapServers.joined(separator: ",") }

  /// Clocks so short that deadlines fall due while a test runs.
  private static let policyText = """
    format: baton.policy.v1
    version: 1
    clocks:
      - kind: gp-hospital
        acknowledge: 1s
        accept: 2s
        start: 3s
        complete: 3s
        feedback: 1s
    fallback:
      acknowledge: 1s
      accept: 2s
      start: 3s
      complete: 3s
      feedback: 1s
    windows:
      reorder: 2s
      reroute: 1s
      rerouteUrgent: 1s
    sourceDefaults:
      interval: 1s

    """

  // MARK: Reconcilers

  /// Of a reconciler on the broker itself, or behind `proxy`.
  func configuration(
    instance: String, behind proxy: LossyProxy? = nil
  ) -> ReconcilerConfiguration {
    var kafka = kafka
    if let proxy { kafka.bootstrapServers = proxy.bootstrapServers }
    return ReconcilerConfiguration(
      kafka: kafka, groupID: Self.groupID, instanceID: instance, policy: policy)
  }

  /// Starts `baton reconcile`: the same member of the group every time, with snapshots of its own.
  func launch(
    instance: String = "reconciler-1", behind proxy: LossyProxy? = nil, health: UInt16? = nil
  ) throws -> Process {
    let bootstrap = proxy.map { $0.bootstrapServers.joined(separator: ",") } ?? bootstrap
    let run = folder.url.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let process = try BatonExecutable.start(
      [
        "reconcile", "--bootstrap", bootstrap, "--policy", folder.path("policy.yaml"),
        "--instance", instance, "--config",
        try configurationFile(of: instance, health: health),
      ], folder: run)
    try process.run()
    return process
  }

  /// Snapshots every second, in a folder that outlasts the process.
  private func configurationFile(of instance: String, health: UInt16?) throws -> String {
    let file = folder.path("\(instance).yaml")
    let text =
      "data: \(folder.path("data-\(instance)"))\nsnapshots: {seconds: 1}\n"
      + (health.map { "health: {listen: 127.0.0.1:\($0)}\n" } ?? "")
    try Data(text.utf8).write(to: URL(filePath: file))
    return file
  }

  /// Ends a process as a crash does.
  func kill(_ process: Process) {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Runs services around `body`, and tells them to end with it.
  ///
  /// Throws what a service failed with rather than what `body` then waited for in vain.
  func whileRunning<Value>(
    _ services: [@Sendable () async throws -> Void], body: () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup { group in
      let failure = FirstFailure()
      for service in services {
        group.addTask {
          do {
            try await service()
          } catch {
            failure.error.withLock { $0 = $0 ?? error }
            throw error
          }
        }
      }
      let value: Value
      do {
        value = try await body()
      } catch {
        throw failure.error.withLock { $0 } ?? error
      }
      group.cancelAll()
      try await group.waitForAll()
      return value
    }
  }

  /// Runs a reconciler around `body`, and on until what is on the events topic by then is judged.
  func whileJudging<Value>(
    _ service: ReconcilerService, body: () async throws -> Value
  ) async throws -> Value {
    try await whileRunning([service.run]) {
      try await until("all owned") { owns(service, Self.partitionCount) }
      let value = try await body()
      try await judgeAll()
      return value
    }
  }

  /// Whether a reconciler has so many partitions.
  func owns(_ service: ReconcilerService, _ count: Int32) -> Bool {
    service.status.snapshot.partitions.count == Int(count)
  }

  // MARK: What is on the topics

  func publish(_ events: [HandoffEvent]) async throws {
    let producer = try KafkaProducer(kafka)
    _ = try await producer.send(events.map { KafkaMessage(topic: .events, WireCodec().encode($0)) })
    await producer.close()
  }

  /// Every committed verdict, as often as it was committed.
  func verdicts() async throws -> [Verdict] {
    var verdicts: [Verdict] = []
    try await TopicScan(kafka, topic: .alerts).readToEnd { record in
      verdicts.append(try WireCodec.verdict(record.wire))
    }
    return verdicts
  }

  /// Where the group's next transaction goes on, by partition.
  func committed() async throws -> [Int32: Int64] {
    let admin = try KafkaAdmin(kafka)
    let offsets = try await admin.committedOffsets(ofGroup: Self.groupID)
    await admin.close()
    return Dictionary(uniqueKeysWithValues: offsets.map { ($0.partition, $0.offset) })
  }

  /// Asks again and again until the answer is yes.
  ///
  /// Between two questions it looks at the broker, so that the loop suspends and leaves the
  /// processor to who is waited for. Five minutes are for what hangs: a slow machine that runs all
  /// suites side by side has been seen to need more than two.
  func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await !isSo() {
      guard ContinuousClock.now < deadline else {
        throw Overdue(what: what)
      }
      _ = try await committed()
    }
  }

  struct Overdue: Error { let what: String }

  /// Whether every record from `offsets` on has been judged.
  func isJudged(upTo ends: [KafkaPartitionOffset]) async throws -> Bool {
    let committed = try await committed()
    let rest = ends.compactMap { end -> KafkaPartitionOffset? in
      guard end.offset > 0 else { return nil }
      let next = committed[end.partition] ?? 0
      return next < end.offset ? KafkaPartitionOffset(end.topicPartition, offset: next) : nil
    }
    return rest.isEmpty
  }

  /// Aborts what killed members left open, as their successors would: of people and of sources, for
  /// either hides what stands above it on the alerts topic.
  func settle() async throws {
    for group in [Self.groupID, "\(Self.groupID)-sources"] {
      for partition in 0..<Self.partitionCount {
        let producer = try KafkaTransactionalProducer(
          kafka, transactionalID: "\(group)-\(partition)")
        try await producer.initTransactions(within: .seconds(30))
        await producer.close()
      }
    }
  }

  /// Whether the broker may have hidden events from who read along: it is not Kafka, and a
  /// transaction on the events topic was aborted (`TransactionTests` shows what it does then).
  func hidesRecords() async throws -> Bool {
    guard !TestBroker.isExternal else { return false }
    return try await recordCount(.readUncommitted) > recordCount(.readCommitted)
  }

  private func recordCount(_ isolation: KafkaIsolation) async throws -> Int {
    let places = try await TopicScan(kafka, topic: .events).partitions()
    let reader = try KafkaReader(kafka, isolation: isolation)
    var count = 0
    let starts = places.map { KafkaPartitionOffset($0, offset: KafkaPartitionOffset.beginning) }
    let ends = try await reader.endOffsets(places, isolation: isolation)
    try await reader.read(from: starts, to: ends, within: .seconds(60)) {
      count += $0.records.count
    }
    await reader.close()
    return count
  }

  /// Waits until what is on the events topic by now is judged.
  func judgeAll() async throws {
    let ends = try await TopicScan(kafka, topic: .events).committedEnds()
    try await until("everything judged") { try await isJudged(upTo: ends) }
  }

  /// Holds the committed verdicts against the offline run over the committed events.
  func expectNothingMissingNothingExtra() async throws {
    try await settle()
    let live = try await verdicts()
    let said = CanonicalForm.lines(live)
    let offline = Set(try await offlineRun().split(separator: "\n").map(String.init))
    #expect(!live.isEmpty)
    #expect(offline.subtracting(said).sorted() == [], "verdicts that are missing")
    #expect(Set(said).subtracting(offline).sorted() == [], "verdicts too many")
    #expect(said.count == live.count, "a verdict was committed twice")
  }

  /// What `baton reconcile --input` says of what `baton events export` wrote, up to where the
  /// service had judged.
  func offlineRun() async throws -> String {
    let committed = try await committed()
    let export = folder.path("export.ndjson")
    let exported = try await BatonExecutable.run([
      "events", "export", "--bootstrap", bootstrap, "--output", export,
    ])
    #expect(exported.status == 0, "\(exported.errors)")
    let lines = try String(contentsOfFile: export, encoding: .utf8).split(separator: "\n")
    let judged = try lines.filter { line in
      guard let place = try NDJSON.parse(Array(line.utf8)).coordinates else { return false }
      return place.offset < committed[place.partition] ?? 0
    }
    let input = folder.path("judged.ndjson")
    try Data((judged.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: input))
    let output = folder.path("offline.ndjson")
    let run = try await BatonExecutable.run([
      "reconcile", "--input", input, "--output", output, "--policy", folder.path("policy.yaml"),
      "--partitions", "\(Self.partitionCount)",
    ])
    #expect(run.status == 0, "\(run.errors)")
    return try String(contentsOfFile: output, encoding: .utf8)
  }
}

/// What the first of several services failed with.
private final class FirstFailure: Sendable {
  let error = Mutex<(any Error)?>(nil)
}
