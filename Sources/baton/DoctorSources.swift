import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// What the records of the sources topic show, which every ingest writes at least once a minute.
extension ClusterDoctor {
  private static let lookedBack: Elapsed = .hours(1)
  /// Of each partition; enough for hours of heartbeats, and read within seconds.
  private static let recordsMost: Int64 = 20_000

  /// What was read of it.
  private struct Sources {
    var voices = SourceVoices()
    /// Records that this machine takes for the bus's own.
    var count = 0
    var stampedCount = 0
  }

  /// Whether those who write bear this machine's stamp, and whether two speak under one name.
  func sources() async -> [Finding] {
    let scan = TopicScan(KafkaConfiguration(configuration, client: "doctor"), topic: .sources)
    let since = ConnectStack.systemTime().advanced(
      by: Elapsed(nanoseconds: -Self.lookedBack.nanoseconds))
    var sources = Sources()
    do {
      try await scan.readNewest(
        since: since, countMax: Self.recordsMost, within: Self.patience
      ) { record in
        sources.count += 1
        if record.header(RecordStamp.header) != nil { sources.stampedCount += 1 }
        let read = try? WireCodec.sourceRecord(record.wire)
        if case .heartbeat(let heartbeat)? = read { sources.voices.hear(heartbeat) }
      }
    } catch {
      return [
        .warn(
          "connector names", "\(Topic.sources.name) could not be read",
          "See that this principal may read it: whether two connectors have one name is not known.")
      ]
    }
    return [stamps(sources)]
      + sources.voices.doubled.map { source in
        .fail(
          "connector \(source)",
          "two processes speak under this name: their totals took turns within the last hour",
          "Give each connector a name of its own. What one has handed over counts for both: an "
            + "answer that waits in the other is judged missing, and one that stops goes unseen.")
      }
  }

  private func stamps(_ sources: Sources) -> Finding {
    let check = "record stamps"
    guard let own = configuration.recordGuard else {
      guard sources.stampedCount == 0 else {
        return .fail(
          check, "the bus stamps its records, and this machine has no record secrets",
          "Give it the record-secrets.json of the bus (record-secrets): what it publishes without "
            + "is left out by everybody (S08), though its senders hear AA.")
      }
      return .warn(
        check, "no record secrets: a forged record is not told from ours",
        "`baton up` makes them; or: baton boundary record-secrets --new FILE, and set record-secrets "
          + "to the file.")
    }
    // The reader has left out, and counted, what does not bear a stamp of ours.
    let foreign = own.forgeries.values.reduce(0, +)
    guard foreign > 0 else { return .ok(check, "records are stamped and checked") }
    let reasons = own.forgeries.keys.map(\.rawValue).sorted().joined(separator: ", ")
    let says = "\(foreign) of \(foreign + UInt64(sources.count)) records of the last hour"
    guard sources.count > 0 else {
      return .fail(
        check, "\(says) are not stamped with the secrets of this machine (\(reasons))",
        "It has another record-secrets.json than the bus: give it the bus's. What either publishes "
          + "the other leaves out (S08), though senders hear AA.")
    }
    return .warn(
      check, "\(says) are not stamped as ours (\(reasons))",
      "A process with other record secrets writes, or somebody who should not: baton alerts list "
        + "--rule S08")
  }
}
