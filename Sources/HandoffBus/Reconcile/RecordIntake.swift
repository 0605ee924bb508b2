package import HandoffCodecs
package import HandoffCore
internal import KafkaClient

/// Turns stored records into what a reducer takes: the one place for the service and offline, so
/// that both judge the same records the same way.
package struct RecordIntake: Sendable {
  /// Partitions of the events topic; `nil` where it is not known and placing cannot be checked.
  package var partitionCount: Int32?
  /// Tells our own records from forged ones; `nil` where there are no secrets for it.
  package var stamp: RecordStamp?

  package init(partitionCount: Int32?, stamp: RecordStamp? = nil) {
    self.partitionCount = partitionCount
    self.stamp = stamp
  }

  /// Reads one record.
  ///
  /// What cannot be read, or lies where its key does not belong, still moves time, as a tick would,
  /// and the reducer says so in a verdict about ourselves. It is never a reason to stop. The alert
  /// beside the record is for the log of this instance. A record that none of our writers stamped
  /// moves nothing, not even time.
  package func take(_ stored: StoredRecord) -> (record: EventRecord, alert: SelfAlert?) {
    if let forgery = stamp?.forgery(in: stored) {
      return refuse(
        stored,
        SelfAlert(.recordForged, at: stored.coordinates, cause: Code(forgery.rawValue)))
    }
    let record: EventRecord
    do {
      record = try WireCodec.eventRecord(stored)
    } catch {
      return refuse(
        stored,
        SelfAlert(.recordUnreadable, at: stored.coordinates, cause: Code(error.fault.rawValue)))
    }
    guard let partitionCount, record.content.isOfPerson, let key = stored.record.key else {
      return (record, nil)
    }
    let partition = KafkaPartitioner.murmur2(key, partitionCount: partitionCount)
    guard partition == stored.coordinates.partition else {
      return refuse(stored, SelfAlert(.wrongPartition, at: stored.coordinates))
    }
    return (record, nil)
  }

  private func refuse(
    _ stored: StoredRecord, _ alert: SelfAlert
  ) -> (record: EventRecord, alert: SelfAlert?) {
    let record = EventRecord(
      content: .unusable(alert.kind.rule, cause: alert.cause), brokerAt: stored.brokerAt,
      coordinates: stored.coordinates, hash: WireCodec.recordHash(stored.record.value))
    return (record, alert)
  }
}

extension EventRecord.Content {
  /// Whether its place follows from a patient key; the rest lies on every partition.
  var isOfPerson: Bool {
    switch self {
    case .event, .transfer: true
    case .tick, .sourceState, .rulesActivation, .unusable: false
    }
  }
}
