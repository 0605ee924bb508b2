internal import HandoffCodecs
internal import HandoffCore
internal import HandoffStores
internal import KafkaClient
internal import Logging

/// Says the second count's alerts to the alerts topic, and hears there what was said of it before.
///
/// What was said is read from the audit log: so a count that was lost, or that another instance
/// spoke for, ends the alerts that were opened in its name.
actor CountVoice {
  private let log: AuditStore
  private let counts: CountStore
  private let stamp: RecordStamp?
  private let partitions: [Int32]
  private let logger: Logger
  private let producer: RenewedProducer
  /// Leaves before it are heard, by log of the alerts topic.
  private var heard: [AuditLogName: UInt64] = [:]

  private static let pageCount = 500

  init(
    log: AuditStore, counts: CountStore, kafka: KafkaConfiguration, stamp: RecordStamp?,
    partitions: [Int32], logger: Logger
  ) {
    self.log = log
    self.counts = counts
    producer = RenewedProducer(kafka)
    self.stamp = stamp
    self.partitions = partitions
    self.logger = logger
  }

  /// Hears everything again: the count that took it over is lost.
  func forget() { heard = [:] }

  /// Takes over what the log came to hold since, and the count does not know.
  ///
  /// - Throws: `AuditStoreError` where the log cannot be used, `CountStoreError` where the count.
  func hear() async throws {
    let names = try await log.logs().map(\.name).filter { $0.topic == Topic.alerts.name }
    var next = heard
    var words: [AlertID: CountAlert] = [:]
    for name in names {
      var isAll = false
      while !isAll {
        let records = try await log.records(
          of: name, type: Rule.s06.rawValue, fromLeaf: next[name, default: 0],
          limit: Self.pageCount)
        if words.isEmpty, !records.isEmpty { words = try await known() }
        for record in records { take(record.record, into: &words) }
        if let last = records.last { next[name] = last.leafIndex + 1 }
        isAll = records.count < Self.pageCount
      }
    }
    try await counts.takeOver(words.values.sorted { $0.order < $1.order })
    heard = next
  }

  private func known() async throws(CountStoreError) -> [AlertID: CountAlert] {
    Dictionary(try await counts.alerts().map { ($0.alertID, $0) }, uniquingKeysWith: { $1 })
  }

  /// Keeps the last word on each alert that the count knows or that is open.
  private func take(_ record: AuditRecord, into words: inout [AlertID: CountAlert]) {
    guard let verdict = verdict(record) else { return }
    guard verdict.revision < .max,
      var alert = words[verdict.alertID] ?? opened(by: verdict),
      verdict.revision >= alert.revision
    else { return }
    alert.revision = verdict.revision
    alert.resolvedAt = verdict.action == .resolved ? verdict.resolvedAt ?? verdict.knownAt : nil
    alert.readUpTo = verdict.readUpTo
    words[verdict.alertID] = alert
  }

  /// The second count's word that a record holds; `nil` of all others, and of a forged one.
  private func verdict(_ record: AuditRecord) -> Verdict? {
    let stored = record.stored
    guard stamp?.forgery(in: stored) == nil,
      let verdict = try? WireCodec.verdict(stored.record),
      verdict.rule == .s06, verdict.cause == .secondCount
    else { return nil }
    return verdict
  }

  /// The alert that a word opens: which partition's it is, its id tells.
  private func opened(by verdict: Verdict) -> CountAlert? {
    guard verdict.action == .opened, verdict.readUpTo < .max else { return nil }
    return partitions.lazy.map { partition in
      CountAlert(
        partition: partition, episode: verdict.readUpTo + 1, revision: verdict.revision,
        openedAt: verdict.opened, policy: verdict.policyHash, readUpTo: verdict.readUpTo)
    }.first { $0.alertID == verdict.alertID }
  }

  /// Writes the alerts that nobody has been told of; the broker may be away, and then hears later.
  func say() async throws(CountStoreError) {
    for alert in try await counts.unsaid() {
      do throws(KafkaError) {
        try await producer.send([
          KafkaMessage(topic: .alerts, WireCodec().encode(Verdict(alert)))
        ])
      } catch {
        logger.error(
          "Verdict about ourselves not written",
          metadata: ["rule": "\(Rule.s06.rawValue)", "kafkaCode": "\(error.code)"])
        return
      }
      try await counts.noteSaid(alert)
    }
  }

  /// Frees the client.
  func close() async { await producer.close() }
}

extension CountAlert {
  /// The id under which it is said.
  fileprivate var alertID: AlertID { Verdict(self).alertID }

  fileprivate var order: (Int32, Int64) { (partition, episode) }
}

extension Verdict {
  /// What is said of books that are not what was counted.
  fileprivate init(_ alert: CountAlert) {
    self.init(
      of: SelfAlert(
        .booksUnbalanced,
        at: RecordCoordinates(
          topic: Topic.events.name, partition: alert.partition, offset: alert.readUpTo),
        cause: .secondCount),
      at: alert.openedAt, episode: "second-count-\(alert.episode)", policyHash: alert.policy)
    revision = alert.revision
    guard let resolvedAt = alert.resolvedAt else { return }
    action = .resolved
    self.resolvedAt = resolvedAt
    knownAt = resolvedAt
  }
}
