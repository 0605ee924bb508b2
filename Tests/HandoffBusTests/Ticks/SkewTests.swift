import HandoffCodecs
import HandoffCore
import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

/// The clock of a machine, to be put wrong and right.
private final class SetClock: Sendable {
  private let off = Mutex(Elapsed(nanoseconds: 0))

  func put(off elapsed: Elapsed) { off.withLock { $0 = elapsed } }

  func now() -> Timestamp { Timestamp.now().advanced(by: off.withLock { $0 }) }
}

@Suite(.enabled(if: TestBroker.isAvailable, Comment(rawValue: TestBroker.skipReason)), .serialized)
struct `A reconciler whose clock is off the broker's` {
  private let broker: TestBroker
  private let kafka: KafkaConfiguration

  init() async throws {
    broker = try TestBroker.start()
    kafka = KafkaConfiguration(bootstrapServers: broker.bootstrapServers)
    let admin = try KafkaAdmin(kafka)
    _ = try await admin.createTopics([
      .init(
        name: Topic.events.name, partitions: 1, replication: 1,
        configs: ["message.timestamp.type": "LogAppendTime"]),
      .init(name: Topic.alerts.name, partitions: 1, replication: 1),
    ])
    await admin.close()
  }

  @Test(arguments: [Elapsed.minutes(10), .minutes(-10)])
  func `says so on the alerts topic once, ticks for no deadline, and says when it is right again`(
    off: Elapsed
  ) async throws {
    defer { broker.stop() }
    let clock = SetClock()
    clock.put(off: off)
    let status = ReconcilerStatus()
    let ticks = TickWriter(
      kafka: kafka, schedule: TickSchedule(intervalMin: .zero, intervalMax: .zero), status: status,
      logger: Logger(label: "test"), instanceID: "one", policyHash: Policy.default.hash,
      clock: { clock.now() })
    await ticks.took(0)
    let first = try await tick(ticks)
    #expect(first?.kind == .clockSkewed)
    #expect(first?.coordinates?.partition == 0)
    // It stays off: that is no news.
    #expect(try await tick(ticks) == nil)
    clock.put(off: Elapsed(nanoseconds: 0))
    #expect(try await tick(ticks) == nil)
    await ticks.close()
    let said = try await verdicts()
    #expect(said.map(\.rule) == [.s04, .s04])
    #expect(said.map(\.action) == [.opened, .resolved])
    #expect(Set(said.map(\.alertID)).count == 1)
    #expect(said.map(\.revision) == [1, 2])
    #expect(said.allSatisfy { $0.subject == .bus && $0.policyHash == Policy.default.hash })
    // The moments are the broker's, not those of the clock that is off.
    let skews = said.map { abs($0.opened.since(Timestamp.now()).nanoseconds) }
    #expect(skews.allSatisfy { $0 < Elapsed.minutes(5).nanoseconds })
    #expect(status.snapshot.tickCount == 3)
  }

  @Test func `raises nothing within the five minutes that are allowed`() async throws {
    defer { broker.stop() }
    let clock = SetClock()
    clock.put(off: .minutes(4))
    let ticks = TickWriter(
      kafka: kafka, schedule: TickSchedule(intervalMin: .zero, intervalMax: .zero),
      status: ReconcilerStatus(), logger: Logger(label: "test"), instanceID: "one",
      policyHash: Policy.default.hash, clock: { clock.now() })
    await ticks.took(0)
    #expect(try await tick(ticks) == nil)
    await ticks.close()
    #expect(try await verdicts().isEmpty)
  }

  /// Writes a tick, reads it back, and returns what is said of its stamp.
  private func tick(_ ticks: TickWriter) async throws -> SelfAlert? {
    _ = await ticks.tick(due: [0: nil])
    var records: [KafkaRecord] = []
    try await TopicScan(kafka, topic: .events).readToEnd { records.append($0) }
    return await ticks.moved(0, by: records)
  }

  private func verdicts() async throws -> [Verdict] {
    var verdicts: [Verdict] = []
    try await TopicScan(kafka, topic: .alerts).readToEnd { record in
      verdicts.append(try WireCodec.verdict(record.wire))
    }
    return verdicts
  }
}
