import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import TestSupport
import Testing

private let canRun = TestBroker.isAvailable

@Suite(.serialized) struct `A reconciler with snapshots` {
  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `goes on from one, reads the changelog after it, and says what the offline run says`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 11)
    var events = journeys.events(count: 900)[...]
    try await runUntilSnapshots(bench, &events, count: 500)

    // What comes between the snapshot and the restart is in the changelog alone.
    try await run(bench) { _ in
      try await bench.publish(Array(events.prefix(200)))
      events = events.dropFirst(200)
    }
    let restored = try await run(bench) { service in
      try await bench.publish(Array(events))
      return service.status.snapshot
    }
    #expect(restored.partitions.count == Int(ReconcilerBench.partitionCount))
    let isQuickened = restored.partitions.values.map(\.isFromSnapshot)
    #expect(!isQuickened.contains(false))
    #expect(restored.snapshotRefusalCount == 0)
    // The books at the restart were those of the people remembered.
    #expect(restored.selfAlertCount == 0)
    let live = try await bench.verdicts()
    #expect(CanonicalForm.text(of: live) == (try await bench.offlineRun()))
    #expect(CanonicalForm.lines(live).count == live.count, "a verdict was committed twice")
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `takes those of busy partitions beside an idle one, and its own with its next record`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 16)
    // Nothing moves anybody to another partition.
    let events = journeys.events(count: 2_000).filter(\.type.isLifecycle)
    let places = Dictionary(grouping: events, by: Self.place)
    let idle: Int32 = 0
    let (busy, waiting) = (events.filter { Self.place($0) != idle }, try #require(places[idle]))
    // No tick but of a deadline, which an empty partition has none of.
    try await run(bench, ticks: TickSchedule(intervalMax: .hours(24))) { service in
      var lots = busy[...]
      var seen: [Int32: Timestamp] = [:]
      // The second of each: with the first, a partition may have been passed over unrestored.
      try await bench.until("two snapshots of each that is busy") {
        try await bench.publish(Array(lots.prefix(20)))
        lots = lots.count > 20 ? lots.dropFirst(20) : busy[...]
        let partitions = service.status.snapshot.partitions.filter { $0.key != idle }
        return partitions.allSatisfy { number, partition in
          guard let taken = partition.snapshot?.at else { return false }
          let first = seen[number, default: taken]
          seen[number] = first
          return first < taken
        }
      }
      #expect(service.status.snapshot.partitions[idle]?.snapshot == nil)
      try await bench.publish(Array(waiting.prefix(1)))
      try await bench.until("a snapshot of the idle one") {
        service.status.snapshot.partitions[idle]?.snapshot != nil
      }
    }
    try await bench.expectNothingMissingNothingExtra()
  }

  private static func place(_ event: HandoffEvent) -> Int32 {
    KafkaPartitioner.murmur2(
      Array(event.patientKey.description.utf8), partitionCount: ReconcilerBench.partitionCount)
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `throws a damaged one away and makes its memory from the changelog`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 12)
    var events = journeys.events(count: 700)[...]
    try await runUntilSnapshots(bench, &events, count: 500)
    for file in try snapshotFiles(bench) {
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count * 3 / 4] ^= 1
      try bytes.write(to: file)
    }
    let restored = try await run(bench) { service in
      try await bench.publish(Array(events))
      return service.status.snapshot
    }
    #expect(restored.snapshotRefusalCount == UInt64(ReconcilerBench.partitionCount))
    let isQuickened = restored.partitions.values.map(\.isFromSnapshot)
    #expect(!isQuickened.contains(true))
    let live = try await bench.verdicts()
    #expect(CanonicalForm.text(of: live) == (try await bench.offlineRun()))
    #expect(CanonicalForm.lines(live).count == live.count, "a verdict was committed twice")
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `begins anew from the events where the changelog lost the partition's own record`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 13)
    var events = journeys.events(count: 400)[...]
    try await runUntilSnapshots(bench, &events, count: 300)
    let producer = try KafkaProducer(bench.kafka)
    _ = try await producer.send(
      (0..<ReconcilerBench.partitionCount).map {
        KafkaMessage(
          topic: Topic.reconcilerState.name, partition: $0,
          key: Array(WireCodec.partitionStateKey.utf8), value: nil)
      })
    await producer.close()
    let restored = try await run(bench) { service in
      try await bench.publish(Array(events))
      return service.status.snapshot
    }
    let isQuickened = restored.partitions.values.map(\.isFromSnapshot)
    #expect(!isQuickened.contains(true))
    #expect(restored.selfAlertCount >= UInt64(ReconcilerBench.partitionCount))
    // Said twice is said as it was.
    let live = try await bench.verdicts()
    #expect(CanonicalForm.text(of: live) == (try await bench.offlineRun()))
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `begins anew from the events where the changelog holds a person that cannot be read`()
    async throws
  {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 16)
    var events = journeys.events(count: 400)[...]
    try await runUntilSnapshots(bench, &events, count: 300)
    var poisoned: [Int32: KafkaMessage] = [:]
    try await TopicScan(bench.kafka, topic: .reconcilerState).readToEnd { record in
      guard record.key != Array(WireCodec.partitionStateKey.utf8), record.value != nil else {
        return
      }
      poisoned[record.partition] = KafkaMessage(
        topic: record.topic, partition: record.partition, key: record.key,
        value: [0xff, 0xff, 0xff], headers: record.headers)
    }
    #expect(poisoned.count == Int(ReconcilerBench.partitionCount))
    let producer = try KafkaProducer(bench.kafka)
    _ = try await producer.send(Array(poisoned.values))
    await producer.close()
    let restored = try await run(bench) { service in
      try await bench.publish(Array(events))
      return service.status.snapshot
    }
    #expect(restored.selfAlertCount >= UInt64(ReconcilerBench.partitionCount))
    #expect(restored.rejoinCount == 0)
    // Said twice is said as it was; and it is thrown away once, not at every start.
    let again = try await run(bench) { $0.status.snapshot }
    #expect(again.selfAlertCount == 0)
    let live = try await bench.verdicts()
    #expect(CanonicalForm.text(of: live) == (try await bench.offlineRun()))
  }

  /// What a snapshot may be of, and is not to be gone on from.
  enum Wrong: CaseIterable {
    case cluster, build, lineage, rules, old, fromTheFuture, ahead

    func change(_ header: inout SnapshotHeader) {
      let day: Int64 = 86_400_000
      switch self {
      case .cluster: header.cluster += "-other"
      case .build: header.build = String(header.build.reversed())
      case .lineage: header.lineage = String(header.lineage.reversed())
      case .rules: header.rulesVersion += 1
      case .old: header.takenAtMs -= day
      case .fromTheFuture: header.takenAtMs += day
      case .ahead: header.changelogOffset += 1_000_000
      }
    }
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"), arguments: Wrong.allCases)
  func `throws away one that is not of this memory`(wrong: Wrong) async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 14)
    var events = journeys.events(count: 300)[...]
    try await runUntilSnapshots(bench, &events, count: 200)
    for file in try snapshotFiles(bench) { try await rewrite(file) { wrong.change(&$0) } }
    let restored = try await run(bench) { service in
      try await bench.publish(Array(events))
      return service.status.snapshot
    }
    #expect(restored.snapshotRefusalCount == UInt64(ReconcilerBench.partitionCount))
    let isQuickened = restored.partitions.values.map(\.isFromSnapshot)
    #expect(!isQuickened.contains(true))
    #expect(restored.selfAlertCount == 0)
    try await bench.expectNothingMissingNothingExtra()
  }

  @Test(.enabled(if: canRun, "\(TestBroker.skipReason)"))
  func `says at a restart that the books are not those of the people remembered`() async throws {
    let bench = try await ReconcilerBench()
    defer { bench.broker.stop() }
    var journeys = JourneyGenerator(seed: 15)
    let events = journeys.events(count: 300)
    try await run(bench) { _ in try await bench.publish(events) }
    try await addOneOpen(bench)
    for _ in 0..<2 {
      let restored = try await run(bench) { $0.status.snapshot }
      #expect(restored.selfAlertCount == UInt64(ReconcilerBench.partitionCount))
    }
    let live = try await bench.verdicts()
    let ours = live.filter { $0.rule == .s06 }
    // Twice each, and it is the same alert.
    #expect(Set(ours.map(\.alertID)).count == Int(ReconcilerBench.partitionCount))
    #expect(CanonicalForm.lines(ours).count == Int(ReconcilerBench.partitionCount))
    #expect(ours.allSatisfy { $0.cause == Code("recount") && $0.subject == .bus })
    let others = live.filter { $0.rule != .s06 }
    #expect(CanonicalForm.text(of: others) == (try await bench.offlineRun()))
  }

  /// Writes into the books of every partition a handoff that nobody has, so that they balance.
  private func addOneOpen(_ bench: ReconcilerBench) async throws {
    let latest = try await bench.newestStates()
    for newest in latest.values {
      try await bench.write(newest.withOneMoreOpen(), of: newest)
    }
    #expect(latest.count == Int(ReconcilerBench.partitionCount))
  }

  /// Writes a snapshot anew, whole, with another header.
  private func rewrite(_ file: URL, _ change: (inout SnapshotHeader) -> Void) async throws {
    let path = file.path(percentEncoded: false)
    let reader = try #require(try SnapshotReader(path: path))
    var header = reader.header
    change(&header)
    var entries: [[UInt8]] = []
    try reader.forEachEntry { entries.append(Array($0)) }
    let writer = try await SnapshotWriter(path: path, writer: "test", header: header)
    try await writer.append(entries)
    try await writer.finish()
  }

  // MARK: Runs

  private func snapshotFiles(_ bench: ReconcilerBench) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: bench.folder.url.appending(path: "snapshots"), includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "snapshot" }
  }

  /// Publishes `count` of the events in small lots until every partition has a snapshot that was
  /// taken while they came.
  private func runUntilSnapshots(
    _ bench: ReconcilerBench, _ events: inout ArraySlice<HandoffEvent>, count: Int
  ) async throws {
    var lots = events.prefix(count)
    events = events.dropFirst(count)
    try await run(bench) { service in
      try await bench.until("a snapshot of each") {
        try await bench.publish(Array(lots.prefix(20)))
        lots = lots.dropFirst(20)
        let partitions = service.status.snapshot.partitions
        return lots.isEmpty && partitions.count == Int(ReconcilerBench.partitionCount)
          && partitions.values.allSatisfy { $0.snapshot != nil }
      }
    }
  }

  /// Runs a reconciler around `body` and on until everything is judged.
  @discardableResult
  private func run<Value>(
    _ bench: ReconcilerBench, ticks: TickSchedule = TickSchedule(),
    _ body: (ReconcilerService) async throws -> Value
  ) async throws -> Value {
    var configuration = bench.configuration(instance: "one")
    configuration.ticks = ticks
    var settings = SnapshotSettings(folder: bench.folder.path("snapshots"))
    settings.interval = .milliseconds(50)
    configuration.snapshots = settings
    let service = ReconcilerService(configuration)
    return try await bench.whileJudging(service) { try await body(service) }
  }
}
