internal import HandoffCodecs
package import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
internal import ServiceLifecycle
internal import Synchronization
package import Telemetry

/// Measures the last four weeks of the audit log every so often, for `/metrics`.
///
/// It keeps the report and nothing of what it was made from. Groups are places, whose number the
/// register bounds, and small numbers are suppressed as `baton measures` suppresses them.
package final class MeasureKeeper: Service {
  /// The stretch that is measured, up to the moment of the look.
  package static let stretch: Elapsed = .hours(24 * 28)
  /// The longest time between two looks, and the shortest: a look takes a twentieth of the time at
  /// most.
  package static let intervals: ClosedRange<Duration> = .seconds(60) ... .seconds(3_600)
  /// The most records of each topic in a look: of more, the first of the stretch are measured.
  package static let recordCountMax = 2_000_000

  private let log: AuditStore
  private let kafka: KafkaConfiguration
  private let policy: Policy
  private let logger: Logger
  private let report = Mutex<MeasureReport?>(nil)

  /// Makes a keeper that reads opening hours and clocks from `policy`, and places from the register
  /// that was activated last.
  package init(
    log: AuditStore, kafka: KafkaConfiguration, policy: Policy, logger: Logger
  ) {
    self.log = log
    self.kafka = kafka
    self.policy = policy
    self.logger = logger
  }

  /// The latest report as metrics; none before the first look is done.
  package var metrics: [Metric] {
    report.withLock { $0?.metrics(by: .place) ?? [] }
  }

  package func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await self.keep() }
    } catch is CancellationError {
      // The ordinary end.
    }
  }

  private func keep() async throws {
    let clock = ContinuousClock()
    while true {
      let began = clock.now
      do {
        try await look(at: .now())
      } catch let error as AuditStoreError {
        // The log's own service stops for it, where it is one to stop for.
        logger.notice("Handoffs not measured", metadata: ["reason": "\(error.description)"])
      }
      let wait = min(
        Self.intervals.upperBound, max(Self.intervals.lowerBound, (clock.now - began) * 20))
      try await clock.sleep(for: wait, tolerance: wait / 10)
    }
  }

  /// Measures the stretch that ends at `time`.
  package func look(at time: Timestamp) async throws {
    var measures = Measures(policy: policy, register: await register())
    var query = AuditQuery()
    query.from = time.advanced(by: Elapsed(nanoseconds: -Self.stretch.nanoseconds))
    query.limit = AuditQuery.limitMax
    for topic in [Topic.events, .alerts] {
      query.topic = topic.name
      query.after = nil
      var left = Self.recordCountMax
      repeat {
        try Task.checkCancellation()
        let page = try await log.records(matching: query)
        for logged in page.records { Self.take(logged.record, into: &measures) }
        left -= page.records.count
        query.after = page.next
      } while query.after != nil && left > 0
    }
    let made = MeasureReport(measures, by: .place)
    report.withLock { $0 = made }
  }

  /// The register that a person activated last, else the policy's own; without a broker, none.
  private func register() async -> OrganisationRegister? {
    let config = PolicyLog(kafka)
    guard let hash = try? await config.activated()?.registerHash,
      let rules = try? await config.read()
    else { return nil }
    return rules.registers.first { $0.hash == hash }
  }

  private static func take(_ record: AuditRecord, into measures: inout Measures) {
    let wire = WireRecord(
      key: record.key, value: record.value,
      headers: record.headers.map { RecordHeader($0.name, $0.value) })
    guard record.log.topic == Topic.events.name else {
      if let verdict = try? WireCodec.verdict(wire) { measures.take(verdict) }
      return
    }
    let stored = StoredRecord(
      record: wire,
      coordinates: RecordCoordinates(
        topic: record.log.topic, partition: record.log.partition, offset: record.offset),
      brokerAt: Timestamp(milliseconds: record.brokerTimeMs))
    if case .event(let event) = try? WireCodec.eventRecord(stored).content { measures.take(event) }
  }
}
