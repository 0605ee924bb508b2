internal import HandoffCore
internal import Telemetry

/// The metrics of a reconciler, made of one look at its status.
struct ReconcilerMetrics {
  private typealias Label = Metric.Label
  private typealias Sample = Metric.Sample

  private let status: ReconcilerStatus.Snapshot
  private let group: String
  private let kinds: Set<HandoffKind>
  private let now: Timestamp
  private let partitions: [(key: Int32, value: ReconcilerStatus.Partition)]
  /// Of the source reducer.
  private let sourcePartitions: [ReconcilerStatus.Partition]

  init(
    _ status: ReconcilerStatus.Snapshot, sources: ReconcilerStatus.Snapshot, group: String,
    kinds: Set<HandoffKind>, now: Timestamp
  ) {
    self.status = status
    sourcePartitions = Array(sources.partitions.values)
    self.group = group
    self.kinds = kinds
    self.now = now
    partitions = status.partitions.sorted { $0.key < $1.key }
  }

  var all: [Metric] {
    counters + places + memory + [rules, books, booksByPlace, openByPlace, alerts, sources]
  }

  private var counters: [Metric] {
    [
      count("baton_reconciler_records_total", "Records judged.", status.recordCount),
      count("baton_reconciler_verdicts_total", "Verdicts said.", status.verdictCount),
      count(
        "baton_reconciler_transactions_total", "Transactions committed.", status.transactionCount),
      count(
        "baton_reconciler_transactions_aborted_total", "Transactions aborted and taken again.",
        status.abortCount),
      count("baton_reconciler_ticks_total", "Ticks written.", status.tickCount),
      count(
        "baton_reconciler_self_alerts_total", "Alerts about the bus itself.",
        status.selfAlertCount),
      count(
        "baton_reconciler_rejoins_total", "Times the group was joined again after a failure.",
        status.rejoinCount),
      count(
        "baton_reconciler_snapshots_refused_total", "Snapshots thrown away at a restart.",
        status.snapshotRefusalCount),
      Metric(
        "baton_clock_skew_seconds", .gauge, "The broker's clock less ours, as last measured.",
        status.skew.map { [Sample(seconds($0))] } ?? []),
    ]
  }

  private var places: [Metric] {
    let topic = Topic.events.name
    return [
      Metric(
        "kafka_consumergroup_lag", .gauge, "Records between the committed offset and the end.",
        status.lag.sorted { $0.key < $1.key }.map { partition, lag in
          Sample(
            Double(lag),
            [
              Label("consumergroup", code: group), Label("topic", code: topic),
              Label("partition", partition),
            ])
        }),
      gauge("baton_partition_time_seconds", "Partition time, in seconds since 1970.") {
        $0.time.map { Double($0.milliseconds) / 1_000 }
      },
      gauge("baton_partition_next_deadline_seconds", "When the next deadline falls due.") {
        $0.nextDue.map { Double($0.milliseconds) / 1_000 }
      },
    ]
  }

  private var memory: [Metric] {
    [
      gauge("baton_persons", "People remembered.") { Double($0.personCount) },
      gauge("baton_restore_seconds", "How long memory took to be restored.") { $0.restoreSeconds },
      gauge("baton_restored_from_snapshot", "1 where a snapshot quickened it.") {
        $0.isFromSnapshot ? 1 : 0
      },
      gauge("baton_snapshot_age_seconds", "Since the last snapshot was whole on the disk.") {
        $0.snapshot.map { seconds(now.since($0.at)) }
      },
      gauge("baton_snapshot_bytes", "Its size.") { $0.snapshot.map { Double($0.byteCount) } },
      gauge(
        "baton_oldest_open_handoff_age_seconds",
        "Age of the oldest handoff that was open at the last look at everybody, within 5 minutes."
      ) {
        $0.books.total[.open] == 0 ? nil : $0.oldestOpen.map { seconds(now.since($0)) }
      },
    ]
  }

  /// Which rules each partition is judged by: it may be others than those configured.
  private var rules: Metric {
    Metric(
      "baton_policy_in_force", .gauge,
      "1 for the policy (the first 7 digits of its SHA-256) and profile that a partition is under.",
      partitions.compactMap { partition, entry in
        entry.rules.map { rules in
          Sample(
            1,
            [
              Label("partition", partition),
              // No more digits than a label may have.
              Label("policy", code: rules.policyHash.description.prefix(7)),
              Label("profile", code: rules.profile?.description ?? "none"),
            ])
        }
      })
  }

  private var books: Metric {
    var samples: [Sample] = []
    for (partition, entry) in partitions {
      var pages: [String: Ledger] = [:]
      for (kind, page) in entry.books.byKind {
        pages[kinds.contains(kind) ? kind.description : "other", default: Ledger()].add(page)
      }
      for (kind, page) in pages.sorted(by: { $0.key < $1.key }) {
        samples += page.sides.map { side, value in
          Sample(
            Double(value),
            [Label("partition", partition), Label("kind", code: kind), Label("side", code: side)])
        }
      }
    }
    return Metric(
      "baton_books_handoffs", .gauge,
      "Handoffs by side of the books: requested + transferred-in = all others.", samples)
  }

  /// Of all partitions here together: who wants them apart has them by kind.
  private var booksByPlace: Metric {
    var pages: [String: Ledger] = [:]
    for (_, entry) in partitions {
      for (place, page) in entry.books.byPlace {
        pages[place?.description ?? "unknown", default: Ledger()].add(page)
      }
    }
    return Metric(
      "baton_books_place_handoffs", .gauge,
      "Handoffs by side of the books and place, of the partitions here.",
      pages.sorted { $0.key < $1.key }.flatMap { place, page in
        page.sides.map { side, value in
          Sample(Double(value), [Label("place", code: place), Label("side", code: side)])
        }
      })
  }

  private var openByPlace: Metric {
    var samples: [Sample] = []
    for (partition, entry) in partitions {
      let places = entry.books.byPlace.map { ($0.key?.description ?? "unknown", $0.value[.open]) }
      samples += places.filter { $0.1 > 0 }.sorted { $0.0 < $1.0 }.map { place, count in
        Sample(Double(count), [Label("partition", partition), Label("place", code: place)])
      }
    }
    return Metric(
      "baton_open_handoffs", .gauge, "Handoffs open by place, as the books have them.",
      samples)
  }

  private var alerts: Metric {
    var open: [Rule: Int] = [:]
    for entry in partitions.map(\.value) + sourcePartitions {
      open.merge(entry.openAlerts, uniquingKeysWith: +)
    }
    return Metric(
      "baton_alerts_open", .gauge, "Alerts open, by rule and the severity that it has at least.",
      open.sorted { $0.key < $1.key }.map { rule, count in
        Sample(
          Double(max(0, count)),
          [Label("rule", code: rule.rawValue), Label("severity", code: "\(rule.severity)")])
      })
  }

  /// The latest word on each source that any partition here has.
  private var sources: Metric {
    var latest: [Code: SourceState] = [:]
    for (_, entry) in partitions {
      for state in entry.sources {
        let known = latest[state.source]?.since ?? .distantPast
        if known <= state.since ?? .distantPast { latest[state.source] = state }
      }
    }
    return Metric(
      "baton_source_running", .gauge, "1 where a source is heard and complete, 0 where not.",
      latest.sorted { $0.key < $1.key }.map { source, state in
        Sample(
          state.condition == .running ? 1 : 0,
          [
            Label("source", code: source.description),
            Label("condition", code: state.condition.rawValue),
          ])
      })
  }

  private func count(_ name: StaticString, _ help: StaticString, _ value: UInt64) -> Metric {
    Metric(name, .counter, help, [Sample(Double(value))])
  }

  private func gauge(
    _ name: StaticString, _ help: StaticString,
    _ value: (ReconcilerStatus.Partition) -> Double?
  ) -> Metric {
    Metric(
      name, .gauge, help,
      partitions.compactMap { partition, entry in
        value(entry).map { Sample($0, [Label("partition", partition)]) }
      })
  }

  private func seconds(_ elapsed: Elapsed) -> Double { Double(elapsed.nanoseconds) / 1e9 }
}

extension Ledger {
  /// Every number of the page by its name.
  fileprivate var sides: [(name: String, value: UInt64)] {
    [
      ("requested", requested), ("transferred-in", transferredIn),
      ("transferred-out", transferredOut),
    ] + Bucket.allCases.map { ("\($0)", self[$0]) }
  }

  fileprivate mutating func add(_ other: Ledger) {
    requested += other.requested
    transferredIn += other.transferredIn
    transferredOut += other.transferredOut
    for bucket in Bucket.allCases { self[bucket] += other[bucket] }
  }
}
