package import HandoffCodecs
package import HandoffCore
internal import KafkaClient

/// Turns stored records into what a reducer takes: the one place for the service and offline, so
/// that both judge the same records the same way.
package struct RecordIntake: Sendable {
  /// Partitions of the events topic; `nil` where it is not known and placing cannot be checked.
  package var partitionCount: Int32?

  package init(partitionCount: Int32?) {
    self.partitionCount = partitionCount
  }

  /// Reads one record.
  ///
  /// What cannot be read, or lies where its key does not belong, still moves time: it becomes a
  /// tick in its place, beside an alert about ourselves. It is never a reason to stop.
  package func take(_ stored: StoredRecord) -> (record: EventRecord, alert: SelfAlert?) {
    let record: EventRecord
    do {
      record = try WireCodec.eventRecord(stored)
    } catch {
      return (
        tick(stored),
        SelfAlert(.recordUnreadable, at: stored.coordinates, cause: Code(error.fault.rawValue))
      )
    }
    guard let partitionCount, case .event = record.content, let key = stored.record.key else {
      return (record, nil)
    }
    let partition = KafkaPartitioner.murmur2(key, partitionCount: partitionCount)
    guard partition == stored.coordinates.partition else {
      return (tick(stored), SelfAlert(.wrongPartition, at: stored.coordinates))
    }
    return (record, nil)
  }

  private func tick(_ stored: StoredRecord) -> EventRecord {
    EventRecord(
      content: .tick, brokerAt: stored.brokerAt, coordinates: stored.coordinates,
      hash: WireCodec.recordHash(stored.record.value))
  }
}
