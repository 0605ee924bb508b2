package import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
internal import Synchronization

/// What a process without record secrets passes its records through: it stamps and checks nothing,
/// and says so once when it meets a record that bears a stamp.
///
/// Then others of the bus do stamp, and leave out what this process writes. Only a record that was
/// read tells so for certain, and what is read anyway tells it for nothing.
package final class MissingStampNotice: Sendable {
  private let isTold = Atomic(false)
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  package var interceptor: KafkaInterceptor {
    KafkaInterceptor(incoming: { [self] record in
      if !isTold.load(ordering: .relaxed), record.header(RecordStamp.header) != nil,
        !isTold.exchange(true, ordering: .relaxed)
      {
        logger.critical(
          """
          This process has no record secrets, and the bus has records that are stamped: what it \
          publishes is left out by everybody (S08). Give it the record-secrets.json of the bus
          """)
      }
      return record
    })
  }
}

/// Stands between a client and the bus: stamps what goes out, leaves out what is forged and says so.
///
/// To a reader of verdicts, policies, state or correlation a forged record is a gap in the log. On
/// the events topic it is handed on to ``RecordIntake``, so that it is judged as part of the log: it
/// moves nothing, not even partition time, and the reducer says so. It never stops a service:
/// whoever can write a forged record could otherwise stop the bus.
package final class RecordGuard: Sendable {
  private struct Counts {
    var total: UInt64 = 0
    var byReason: [RecordForgery: UInt64] = [:]
  }

  package let stamp: RecordStamp
  private let counts = Mutex(Counts())

  package init(_ secrets: RecordSecrets) {
    stamp = RecordStamp(secrets)
  }

  /// Forged records met so far, by reason.
  package var forgeries: [RecordForgery: UInt64] { counts.withLock { $0.byReason } }

  /// What the clients of `writer` pass their records through.
  ///
  /// `nil` for a reader that writes nothing of ours. Audit keeps forged records: the log must show
  /// also what should not be in the topic.
  package func interceptor(for writer: BusRole?, logger: Logger) -> KafkaInterceptor {
    let isAudit = writer == .audit
    return KafkaInterceptor(
      outgoing: { [stamp] message in
        writer.map { stamp.stamped(message, by: $0) } ?? message
      },
      incoming: { [self] record in
        guard isAudit || record.topic != Topic.events.name,
          let forgery = stamp.forgery(in: record)
        else { return record }
        raise(forgery, record, logger)
        return isAudit ? record : nil
      })
  }

  /// Counts every forgery, and tells of the first of each reason and then of each doubling: whoever
  /// forges a million records shall not fill a disk with our words.
  private func raise(_ forgery: RecordForgery, _ record: KafkaRecord, _ logger: Logger) {
    let count = counts.withLock { counts in
      counts.total += 1
      counts.byReason[forgery, default: 0] += 1
      return counts.byReason[forgery] ?? 0
    }
    guard count & (count - 1) == 0 else { return }
    let place = RecordCoordinates(
      topic: record.topic, partition: record.partition, offset: record.offset)
    var logger = logger
    logger[metadataKey: "count"] = "\(count)"
    logger.log(SelfAlert(.recordForged, at: place, cause: Code(forgery.rawValue)))
  }
}

extension RecordGuard {
  /// The guard of a configuration; `nil` where no secrets are configured and none are in the data
  /// folder: then nothing is stamped and nothing checked.
  package static func load(
    _ configuration: BatonConfiguration
  ) throws(SecretsError) -> RecordGuard? {
    do throws(SecretsError) {
      return RecordGuard(try RecordSecrets.load(path: configuration.files.recordSecrets))
    } catch {
      guard case .missing = error, configuration.recordSecretsFile == nil else { throw error }
      return nil
    }
  }

  /// The same, with secrets made in the data folder where there are none: for a bus that is all in
  /// one process.
  package static func loadOrMake(
    _ configuration: BatonConfiguration, now: Timestamp
  ) throws(SecretsError) -> RecordGuard? {
    if let made = try load(configuration) { return made }
    // What is in the topics from before has no stamp, and is not to be forgotten for it.
    try RecordSecrets.generate(unstampedBefore: now).write(path: configuration.files.recordSecrets)
    return try load(configuration)
  }
}
