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
/// register bounds, and small numbers are suppressed as `baton measures` suppresses them. Where the
/// four weeks hold more than a look may read, the newest of them are measured, and the metrics say
/// from when on.
package final class MeasureKeeper: Service {
  /// The stretch that is measured, up to the moment of the look.
  package static let stretch: Elapsed = .hours(24 * 28)
  /// The shortest time between two looks, and the longest.
  ///
  /// Within them a look is followed by a pause of twenty times its own length. The first look comes
  /// after the shortest.
  package static let intervals: ClosedRange<Duration> = .seconds(60) ... .seconds(3_600)
  /// The most records of each topic in a look: of more, the newest are measured.
  package static let recordCountMax = 2_000_000

  /// What a look found.
  private struct Look {
    var report: MeasureReport
    var from: Timestamp
    var isShortened: Bool
  }

  private let log: AuditStore
  private let kafka: KafkaConfiguration
  private let policy: Policy
  private let logger: Logger
  private let intake: RecordIntake
  private let recordCountMax: Int
  private let latest = Mutex<Look?>(nil)
  private let register = Mutex<OrganisationRegister?>(nil)

  /// Makes a keeper that reads opening hours and clocks from `policy`, and places from the register
  /// that was activated last.
  ///
  /// What `stamp` takes for forged is not measured; `nil` where there are no secrets for it.
  package init(
    log: AuditStore, kafka: KafkaConfiguration, policy: Policy, stamp: RecordStamp?,
    recordCountMax: Int = MeasureKeeper.recordCountMax, logger: Logger
  ) {
    self.log = log
    self.kafka = kafka
    self.policy = policy
    self.recordCountMax = recordCountMax
    self.logger = logger
    intake = RecordIntake(partitionCount: nil, stamp: stamp)
  }

  /// The latest report as metrics; none before the first look is done.
  package var metrics: [Metric] {
    guard let look = latest.withLock({ $0 }) else { return [] }
    let from = Metric(
      "baton_measure_from_seconds", .gauge,
      "Broker's time from which on the measures are of what is logged.",
      [Metric.Sample(Double(look.from.milliseconds) / 1_000)])
    return [from] + look.report.metrics(by: .place)
  }

  package func run() async throws {
    try await untilShutdown { try await self.keep() }
  }

  private func keep() async throws {
    let clock = ContinuousClock()
    var wait = Self.intervals.lowerBound
    while true {
      try await clock.sleep(for: wait, tolerance: wait / 10)
      let began = clock.now
      do {
        try await look(at: .now())
      } catch let error as AuditStoreError {
        // The log's own service stops for it, where it is one to stop for.
        logger.notice("Handoffs not measured", metadata: ["reason": "\(error.description)"])
      }
      wait = min(
        Self.intervals.upperBound, max(Self.intervals.lowerBound, (clock.now - began) * 20))
    }
  }

  /// Measures the stretch that ends at `time`.
  package func look(at time: Timestamp) async throws {
    let topics: [Topic] = [.events, .alerts]
    let whole = time.advanced(by: Elapsed(nanoseconds: -Self.stretch.nanoseconds))
    let from = try await log.start(
      of: topics.map(\.name), from: whole, countMax: recordCountMax)
    var measures = Measures(policy: policy, register: await registerInForce())
    var query = AuditQuery()
    query.from = from
    query.limit = AuditQuery.limitMax
    for topic in topics {
      query.topic = topic.name
      query.after = nil
      repeat {
        try Task.checkCancellation()
        let page = try await log.records(matching: query)
        for logged in page.records { take(logged.record, into: &measures) }
        query.after = page.next
      } while query.after != nil
    }
    note(Look(report: MeasureReport(measures, by: .place), from: from, isShortened: from > whole))
  }

  /// Keeps what was found; logs once that it is not of the whole stretch.
  private func note(_ look: Look) {
    let before = latest.withLock { latest in
      defer { latest = look }
      return latest
    }
    guard look.isShortened, before?.isShortened != true else { return }
    logger.notice(
      "Four weeks are more than a look at the log may read: the newest of them are measured",
      metadata: ["recordsOfEachTopic": "\(recordCountMax)", "from": "\(RFC3339.text(look.from))"])
  }

  /// The register that a person activated last, else the policy's own (`nil`); that of the look before
  /// where the broker does not have it.
  private func registerInForce() async -> OrganisationRegister? {
    do {
      let config = PolicyLog(kafka)
      let hash = try await config.activated()?.registerHash
      let found = hash == nil ? [] : try await config.read().registers.filter { $0.hash == hash }
      if hash != nil, found.isEmpty {
        logger.notice("The register in force is not on the config topic")
      } else {
        register.withLock { $0 = found.first }
      }
    } catch is CancellationError {
      logger.debug("Reading the register was interrupted")
    } catch {
      logger.notice(
        "The register was not read; places are those of the one before",
        metadata: ["kafkaCode": "\((error as? KafkaError).map { "\($0.code)" } ?? "none")"])
    }
    return register.withLock { $0 }
  }

  private func take(_ record: AuditRecord, into measures: inout Measures) {
    let stored = record.stored
    guard record.log.topic == Topic.events.name else {
      guard intake.stamp?.forgery(in: stored) == nil,
        let verdict = try? WireCodec.verdict(stored.record)
      else { return }
      return measures.take(verdict)
    }
    if let event = intake.take(stored).record.content.event { measures.take(event) }
  }
}
