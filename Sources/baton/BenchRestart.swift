import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient

/// The time from the start of a reconciler until it judges again, with so many handoffs open: from
/// snapshots, and from the changelog alone.
struct RestartBench {
  let sizes: BenchSizes
  let bootstrap: String

  private static let partitionCount: Int32 = 4
  private static let lineage = "bench"
  /// Events that wait for each restart, so that it is seen to judge.
  private static let waitingCount = 40
  /// As many records at a time as go to Kafka in one call.
  private static let chunkCount = 5_000

  func run() async throws -> [BenchResult] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "baton-bench-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = ReconcilerConfiguration(
      kafka: kafka, groupID: "bench-restart", instanceID: "bench")
    configuration.snapshots = SnapshotSettings(folder: folder.path(percentEncoded: false))
    try await prepare(configuration)
    let quick = try await restart(configuration, number: 0)
    try FileManager.default.removeItem(at: folder)
    let slow = try await restart(configuration, number: 1)
    guard quick.isFromSnapshot, !slow.isFromSnapshot else { throw BenchFault.wrongCount }
    let what = "restart with \(sizes.persons) handoffs open"
    return [
      BenchResult("\(what), from snapshots", "s", [quick.wall]),
      BenchResult("the same, processor time", "CPU seconds", [quick.cpu]),
      BenchResult("\(what), from the changelog alone", "s", [slow.wall]),
      BenchResult("the same, processor time", "CPU seconds", [slow.cpu]),
    ]
  }

  private var kafka: KafkaConfiguration {
    KafkaConfiguration(
      bootstrapServers: bootstrap.split(separator: ",").map { String($0) }, clientID: "baton-bench",
      properties: ["receive.message.max.bytes": "2000000000"])
  }

  /// From the start of the service until it has judged what waited for it.
  private func restart(
    _ configuration: ReconcilerConfiguration, number: Int
  ) async throws -> (wall: Double, cpu: Double, isFromSnapshot: Bool) {
    let producer = try KafkaProducer(kafka)
    let first = sizes.persons + number * Self.waitingCount
    _ = try await producer.send(
      (first..<first + Self.waitingCount).map { person in
        let event = BenchEvent.step(0, of: person, at: .now())
        return KafkaMessage(topic: .events, WireCodec().encode(event))
      })
    await producer.close()
    let service = ReconcilerService(configuration)
    var found = service.status.snapshot
    let time = try await BenchMeter.measure {
      found = try await BenchService.whileRunning([service.run]) {
        var found = service.status.snapshot
        while found.recordCount < UInt64(Self.waitingCount) {
          try await ContinuousClock().sleep(for: .milliseconds(5))
          found = service.status.snapshot
        }
        return found
      }
    }
    let partitions = found.partitions.values
    let persons = partitions.reduce(0) { $0 + $1.personCount }
    let open = partitions.reduce(0) { $0 + $1.books.total[.open] }
    guard persons >= sizes.persons, open >= UInt64(sizes.persons) else {
      throw BenchFault.wrongCount
    }
    return (time.wall, time.cpu, partitions.allSatisfy(\.isFromSnapshot))
  }
}

extension RestartBench {
  /// Makes the memory as events would, and puts it where a reconciler that ended had left it.
  private func prepare(_ configuration: ReconcilerConfiguration) async throws {
    let administrator = try TopicAdministrator(kafka)
    let plan = try await administrator.plan(
      sizes: TopicSizes(partitions: Self.partitionCount, replication: 1))
    try await administrator.apply(plan)
    await administrator.close()
    let reducers = try memories()
    let admin = try KafkaAdmin(kafka)
    let cluster = try await admin.cluster().id ?? ""
    await admin.close()
    let producer = try KafkaProducer(kafka)
    for (partition, reducer) in zip(Int32(0)..., reducers) {
      // The memory is of everything up to this one record.
      _ = try await producer.send([
        KafkaMessage(
          topic: .events, partition: partition, WireCodec().encodeTick(at: .now()))
      ])
      try await write(reducer, partition, cluster, producer, configuration)
    }
    await producer.close()
  }

  private func memories() throws -> [PersonReducer] {
    var reducers = (0..<Self.partitionCount).map {
      PersonReducer(policy: .default, topic: Topic.events.name, partition: $0)
    }
    let start = Timestamp.now().advanced(by: .hours(-2))
    let places = (0..<sizes.persons).map { person in
      let key = BenchEvent.request(person).patientKey.description
      return Int(KafkaPartitioner.murmur2(Array(key.utf8), partitionCount: Self.partitionCount))
    }
    for step in 0..<BenchEvent.stepCount {
      for index in reducers.indices { reducers[index].beginBatch() }
      for person in 0..<sizes.persons {
        let time = start.advanced(
          by: BenchEvent.time(person, step: step).since(BenchEvent.time(0)))
        let event = BenchEvent.step(step, of: person, at: time)
        _ = reducers[places[person]].apply(
          EventRecord(
            content: .event(event), brokerAt: time,
            coordinates: RecordCoordinates(
              topic: Topic.events.name, partition: Int32(places[person]), offset: 0),
            hash: WireCodec.recordHash(nil)))
      }
      for index in reducers.indices { reducers[index].commitBatch() }
    }
    return reducers
  }

  private func write(
    _ reducer: PersonReducer, _ partition: Int32, _ cluster: String, _ producer: KafkaProducer,
    _ configuration: ReconcilerConfiguration
  ) async throws {
    var keys = reducer.committedKeys[...]
    let header = SnapshotHeader(
      cluster: cluster, topic: Topic.events.name, partition: partition,
      group: configuration.groupID, lineage: Self.lineage, changelogOffset: Int64(keys.count),
      build: RunningBuild.fingerprint, rulesVersion: PersonReducer.rulesVersion,
      policies: reducer.state.activations.map { "\($0.policyHash)" },
      takenAtMs: Timestamp.now().milliseconds)
    guard let settings = configuration.snapshots else { return }
    let snapshot = try await SnapshotWriter(
      path: settings.path(group: configuration.groupID, partition: partition), writer: "bench",
      header: header)
    var changelog = ChangelogWriter(partition: partition)
    while !keys.isEmpty {
      var messages: [KafkaMessage] = []
      var entries: [[UInt8]] = []
      for key in keys.prefix(Self.chunkCount) {
        guard let person = reducer.person(for: key) else { throw BenchFault.wrongCount }
        messages.append(changelog.message(person, key: key))
        guard let packed = reducer.committedPerson(for: key) else { throw BenchFault.wrongCount }
        entries.append(SnapshotEntry.person(packed).bytes)
      }
      keys = keys.dropFirst(Self.chunkCount)
      _ = try await producer.send(messages)
      try await snapshot.append(entries)
    }
    try await snapshot.append(SnapshotEntry.texts(of: reducer))
    try await snapshot.finish()
    _ = try await producer.send([
      Changelog.message(
        reducer.state, partition: partition, lineage: Self.lineage,
        personCount: reducer.personCount)
    ])
  }
}
