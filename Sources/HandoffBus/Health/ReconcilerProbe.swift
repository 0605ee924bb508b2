package import HandoffCore
internal import Telemetry

extension HealthProbe {
  /// How a reconciler is; books are named by the kinds that `policy` knows, all others are `other`.
  ///
  /// `sources` is the status of the source reducer beside it, whose alerts are counted too.
  package static func reconciler(
    _ status: ReconcilerStatus, sources: ReconcilerStatus, group: String, policy: Policy
  ) -> HealthProbe {
    let kinds = Set(policy.kinds)
    return HealthProbe(
      part: "reconciler",
      metrics: {
        ReconcilerMetrics(
          status.snapshot, sources: sources.snapshot, group: group, kinds: kinds, now: .now()
        ).all
      },
      notReady: {
        let phase = status.snapshot.phase
        return phase == .serving ? nil : phase.rawValue
      },
      notAlive: {
        let snapshot = status.snapshot
        guard snapshot.phase == .serving, let last = snapshot.lastRoundAt,
          Timestamp.now().since(last) > stuckAfter
        else { return nil }
        return "stuck"
      })
  }

  /// A round waits for Kafka at most as long as a transaction may take, twice; longer is no waiting.
  private static let stuckAfter: Elapsed = .minutes(5)

  /// How the certificates of a process stand.
  package static func certificates(_ board: CertificateBoard) -> HealthProbe {
    HealthProbe(
      part: "certificates",
      metrics: {
        let samples = board.all.compactMap { standing in
          standing.daysLeft.map {
            Metric.Sample(
              Double($0) * 86_400, [Metric.Label("certificate", code: standing.name)])
          }
        }
        return [
          Metric(
            "baton_certificate_expiry_seconds", .gauge,
            "Until the first certificate of the chain expires, in whole days; negative: it has.",
            samples)
        ]
      })
  }

  /// Whether Kafka answers.
  ///
  /// `isNeeded`: without Kafka the process does no work, and is not ready. Connectors do theirs: who
  /// took them out of a route would turn away what they keep on the disk until Kafka is back.
  package static func kafka(_ watch: KafkaWatch, isNeeded: Bool = true) -> HealthProbe {
    HealthProbe(
      part: "kafka",
      metrics: {
        [
          Metric(
            "baton_kafka_reachable", .gauge,
            "1 where a broker has answered within the last 15 seconds, 0 where none has.",
            [Metric.Sample(watch.isReachable ? 1 : 0)])
        ]
      },
      notReady: { isNeeded ? watch.fault : nil }, amiss: { watch.fault })
  }

  /// What ingest has taken in, and how much it remembers.
  package static func ingest(_ stack: ConnectStack) -> HealthProbe {
    HealthProbe(
      part: "ingest", metrics: { IngestMetrics.all(stack) },
      notReady: { stack.host.isStopping ? ReconcilerStatus.Phase.stopping.rawValue : nil })
  }
}

/// The metrics of ingest, by source.
enum IngestMetrics {
  static func all(_ stack: ConnectStack) -> [Metric] {
    let counts = stack.ingest.counters.all.sorted { $0.key < $1.key }
    let messages = counts.flatMap { source, count in
      [("mapped", count.mapped), ("without-fact", count.withoutFact), ("refused", count.refused)]
        .map { outcome, value in
          Metric.Sample(
            Double(value),
            [Metric.Label("source", code: "\(source)"), Metric.Label("outcome", code: outcome)])
        }
    }
    let events = counts.map { source, count in
      Metric.Sample(Double(count.events), [Metric.Label("source", code: "\(source)")])
    }
    return [
      Metric(
        "baton_ingest_messages_total", .counter, "Messages settled since the start.", messages),
      Metric("baton_ingest_events_total", .counter, "Events published since the start.", events),
      Metric(
        "baton_ingest_waiting_messages", .gauge, "Messages taken in and not yet settled.",
        [Metric.Sample(Double(stack.ingest.waitingCount))]),
      Metric(
        "baton_ingest_fenced_total", .counter,
        "How often another process of the same name has shut this one out since the start.",
        [Metric.Sample(Double(stack.ingest.correlation.current.fencedCount ?? 0))]),
    ] + correlation(stack.ingest.correlation.current)
  }

  /// How full the correlation table is: full, ingest stops and senders wait.
  static func correlation(_ status: CorrelationStatus) -> [Metric] {
    func gauge(_ name: StaticString, _ help: StaticString, _ value: Int) -> Metric {
      Metric(name, .gauge, help, [Metric.Sample(Double(value))])
    }
    return [
      gauge("baton_correlation_entries", "Ids that the correlation table holds.", status.entries),
      gauge("baton_correlation_entries_max", "Ids that it may hold.", status.entriesMax),
      gauge(
        "baton_correlation_parked_answers", "Answers that wait for their request.", status.parked),
    ]
  }
}
