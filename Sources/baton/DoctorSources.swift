import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

extension ClusterDoctor {
  private static let voicesFor: Elapsed = .hours(1)
  /// Of each partition; enough for hours of heartbeats, and read within seconds.
  private static let recordsMost: Int64 = 20_000

  /// Whether two connectors speak under one name, by the heartbeats of the last hour.
  func sources() async -> [Finding] {
    let scan = TopicScan(KafkaConfiguration(configuration, client: "doctor"), topic: .sources)
    let hourAgo = ConnectStack.systemTime().advanced(
      by: Elapsed(nanoseconds: -Self.voicesFor.nanoseconds))
    var voices = SourceVoices()
    do {
      try await scan.readNewest(
        since: hourAgo, countMax: Self.recordsMost, within: Self.patience
      ) { record in
        let read = try? WireCodec.sourceRecord(record.stored.record)
        if case .heartbeat(let heartbeat)? = read { voices.hear(heartbeat) }
      }
    } catch {
      return [
        .warn(
          "connector names", "\(Topic.sources.name) could not be read",
          "See that this principal may read it: whether two connectors have one name is not known.")
      ]
    }
    return voices.doubled.map { source in
      .fail(
        "connector \(source)",
        "two processes speak under this name: their totals took turns within the last hour",
        "Give each connector a name of its own. What one has handed over counts for both: an "
          + "answer that waits in the other is judged missing, and one that stops goes unseen.")
    }
  }
}
