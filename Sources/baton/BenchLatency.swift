import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import Synchronization

/// How long after the broker took a record its alert can be read, at 1,000 events a second.
///
/// Of every hundred events ten are repeats (A01) of one half a second before, and five are requests
/// that nobody acknowledges within two seconds (A07). The alert says when it was due by the broker's
/// clock, which is this machine's; a reader of committed records says when it came.
struct LatencyBench {
  let sizes: BenchSizes
  let bootstrap: String

  private static let partitionCount: Int32 = 4
  private static let ratePerSecond = 1_000
  /// So many events later a request is sent again: one that is no repeat itself.
  private static let repeatAfter = 501

  /// What was measured of each alert, in milliseconds.
  private final class Delays: Sendable {
    private let found = Mutex((repeats: [Double](), drops: [Double]()))

    var all: (repeats: [Double], drops: [Double]) { found.withLock { $0 } }
    var counts: (repeats: Int, drops: Int) {
      found.withLock { ($0.repeats.count, $0.drops.count) }
    }

    func add(_ delay: Double, of rule: Rule) {
      found.withLock { found in
        switch rule {
        case .a01: found.repeats.append(delay)
        case .a07: found.drops.append(delay)
        default: break
        }
      }
    }
  }

  func run() async throws -> [BenchResult] {
    let kafka = KafkaConfiguration(
      bootstrapServers: bootstrap.split(separator: ",").map { String($0) }, clientID: "baton-bench",
      properties: ["receive.message.max.bytes": "1000000000"])
    try await makeTopics(kafka)
    let delays = Delays()
    let count = sizes.latencySeconds * Self.ratePerSecond
    let service = ReconcilerService(configuration(kafka))
    try await BenchService.whileRunning([service.run, { try await read(kafka, into: delays) }]) {
      // Whoever joins a group waits for it; what comes meanwhile is no steady state.
      while service.status.snapshot.partitions.count < Int(Self.partitionCount) {
        try await ContinuousClock().sleep(for: .milliseconds(20))
      }
      try await write(count, to: kafka)
      let expected = (repeats: count / 10 - Self.repeatAfter / 10, drops: count / 20)
      for _ in 0..<600 {
        let found = delays.counts
        if found.repeats >= expected.repeats, found.drops >= expected.drops { break }
        try await ContinuousClock().sleep(for: .milliseconds(50))
      }
      guard delays.counts == expected else { throw BenchFault.wrongCount }
    }
    let found = delays.all
    return [
      BenchResult("latency: a repeat's alert readable, p50", "ms", [found.repeats.quantile(0.5)]),
      BenchResult("latency: a repeat's alert readable, p99", "ms", [found.repeats.quantile(0.99)]),
      BenchResult("latency: a drop's alert readable, p50", "ms", [found.drops.quantile(0.5)]),
      BenchResult("latency: a drop's alert readable, p99.9", "ms", [found.drops.quantile(0.999)]),
    ]
  }

  private func makeTopics(_ kafka: KafkaConfiguration) async throws {
    let administrator = try TopicAdministrator(kafka)
    let plan = try await administrator.plan(
      sizes: TopicSizes(partitions: Self.partitionCount, replication: 1))
    try await administrator.apply(plan)
    await administrator.close()
  }

  private func configuration(_ kafka: KafkaConfiguration) -> ReconcilerConfiguration {
    var policy = Policy.default
    if let kind = HandoffKind("bench-drop") {
      var clocks = policy.fallback
      clocks.acknowledge = .elapsed(.seconds(2))
      policy.rows.append(Policy.Row(kind: kind, priority: nil, clocks: clocks))
    }
    return ReconcilerConfiguration(
      kafka: kafka, groupID: "bench-latency", instanceID: "bench",
      policy: PolicySource(policy: policy, bytes: nil))
  }

  /// Ten events every ten milliseconds; after those that are measured, until the last deadline of
  /// them, only such as raise nothing.
  private func write(_ count: Int, to kafka: KafkaConfiguration) async throws {
    let producer = try KafkaProducer(kafka)
    let codec = WireCodec()
    let clock = ContinuousClock()
    let start = clock.now
    for first in stride(from: 0, to: count + 3 * Self.ratePerSecond, by: 10) {
      try await clock.sleep(until: start + .milliseconds(first))
      _ = try await producer.send(
        (first..<first + 10).map { number in
          let event = Self.event(number, isQuiet: number >= count)
          return KafkaMessage(topic: .events, codec.encode(event))
        })
    }
    await producer.close()
  }

  private static func event(_ number: Int, isQuiet: Bool) -> HandoffEvent {
    let isRepeat = !isQuiet && number % 10 == 9 && number >= repeatAfter
    var event = BenchEvent.request(isRepeat ? number - repeatAfter : number)
    event.occurredAt = .now()
    if isRepeat {
      // The same message, a second time; not one of those that nobody acknowledges.
      event.receptionID = ReceptionID(rawValue: ~event.receptionID.rawValue)
    } else if !isQuiet, number % 20 == 3 {
      event.kind = HandoffKind("bench-drop")
    }
    return event
  }

  /// Reads alerts as they are committed, and compares the moment with when each was due.
  private func read(_ kafka: KafkaConfiguration, into delays: Delays) async throws {
    let reader = try KafkaReader(kafka)
    try await reader.assign(
      (0..<Self.partitionCount).map {
        KafkaPartitionOffset(
          topic: Topic.alerts.name, partition: $0, offset: KafkaPartitionOffset.beginning)
      })
    let limits = KafkaBatchLimits(countMax: 10_000, waitMax: .zero)
    for try await batch in reader.batches(limits) {
      let now = Timestamp.now()
      for record in batch.records {
        let verdict = try WireCodec.verdict(record.wire)
        guard verdict.action == .opened else { continue }
        delays.add(Double(now.since(verdict.opened).nanoseconds) / 1e6, of: verdict.rule)
      }
    }
    await reader.close()
  }
}

extension [Double] {
  /// The smallest value that so many of them are not above.
  fileprivate func quantile(_ share: Double) -> Double {
    let sorted = sorted()
    guard !sorted.isEmpty else { return 0 }
    return sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}
