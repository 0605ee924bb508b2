internal import HandoffCore
internal import HandoffStores
internal import Telemetry

extension HealthProbe {
  /// How the audit service is, and whether the books are what it counts.
  package static func audit(_ status: AuditStatus) -> HealthProbe {
    HealthProbe(
      part: "audit", metrics: { AuditMetrics.all(status.snapshot) },
      notReady: { status.snapshot.isReading ? nil : "starting" })
  }

  /// The measures of the last weeks, by place.
  package static func measures(_ keeper: MeasureKeeper) -> HealthProbe {
    HealthProbe(part: "measures", metrics: { keeper.metrics })
  }
}

/// The metrics of audit.
enum AuditMetrics {
  static func all(_ status: AuditStatus.Snapshot) -> [Metric] {
    [
      Metric(
        "baton_audit_records_total", .counter, "Records logged since the start.",
        [Metric.Sample(Double(status.appended))]),
      perPartition(
        "baton_audit_books_compared_seconds",
        "Partition time at which the books were last held against the second count.", status
      ) { $0.comparedAt.map { Double($0.milliseconds) / 1_000 } },
      perPartition(
        "baton_audit_books_unsure",
        "Handoffs that the second count leaves open, since they depend on a reconciler's memory.",
        status
      ) { Double($0.count.unsure + $0.count.unsureArrived) },
      differences(status),
    ]
  }

  private static func perPartition(
    _ name: StaticString, _ help: StaticString, _ status: AuditStatus.Snapshot,
    _ value: (CountStanding) -> Double?
  ) -> Metric {
    Metric(
      name, .gauge, help,
      status.counts.compactMap { standing in
        value(standing).map { Metric.Sample($0, [Metric.Label("partition", standing.partition)]) }
      })
  }

  /// The largest difference of each side: of all kinds together, or of one kind.
  private static func differences(_ status: AuditStatus.Snapshot) -> Metric {
    let samples = status.counts.filter { $0.comparedOffset != nil }.flatMap { standing in
      BooksDifference.Side.allCases.map { side in
        let excess = standing.differences.filter { $0.side == side }.map(\.excess)
          .max { abs($0) < abs($1) }
        let labels = [
          Metric.Label("partition", standing.partition), Metric.Label("side", code: side.rawValue),
        ]
        return Metric.Sample(Double(excess ?? 0), labels)
      }
    }
    return Metric(
      "baton_audit_books_difference", .gauge,
      "How many the books have above the second count; negative: below; 0: they agree.", samples)
  }
}
