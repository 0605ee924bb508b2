internal import HandoffCore
internal import HandoffStores
internal import KafkaClient
internal import Logging

/// Tells signed checkpoints to the checkpoints topic: key is the log's origin, value the note.
///
/// The files and the database hold them already, so a broker that is away only delays this: what
/// was not delivered is kept, the newest of each log, and sent with the next.
actor CheckpointPublisher {
  private let logger: Logger
  private let producer: RenewedProducer
  private var pending: [AuditLogName: String] = [:]
  /// Whether the last attempt to send failed.
  private var hasFailed = false

  init(kafka: KafkaConfiguration, logger: Logger) {
    producer = RenewedProducer(kafka)
    self.logger = logger
  }

  func add(log: AuditLogName, note: String) { pending[log] = note }

  /// Sends what waits; for the last time only where Kafka answered the time before: the next start
  /// finds it in the files.
  func send(isLast: Bool = false) async {
    guard !pending.isEmpty, !isLast || !hasFailed else { return }
    let sending = pending.sorted { $0.key < $1.key }
    do throws(KafkaError) {
      try await producer.send(sending.compactMap { Self.message($0.value) })
      for (log, note) in sending where pending[log] == note { pending[log] = nil }
      hasFailed = false
    } catch {
      hasFailed = true
      logger.notice(
        "Checkpoints not sent",
        metadata: [
          "kafkaCode": "\(error.code)", "waiting": "\(pending.count)",
        ])
    }
  }

  func close() async { await producer.close() }

  private static func message(_ note: String) -> KafkaMessage? {
    guard let signed = try? SignedNote(note), let checkpoint = Checkpoint(text: signed.text) else {
      return nil
    }
    return KafkaMessage(
      topic: Topic.checkpoints.name, key: Array(checkpoint.origin.utf8),
      value: Array(note.utf8),
      headers: [
        KafkaHeader("ce_specversion", "1.0"),
        KafkaHeader("ce_id", "\(checkpoint.origin).\(checkpoint.size)"),
        KafkaHeader("ce_source", "/baton/audit"),
        KafkaHeader("ce_type", "baton.handoff.v1.Checkpoint"),
        KafkaHeader("content-type", "text/plain; charset=utf-8"),
      ])
  }
}
