package import HandoffCodecs
package import HandoffCore

extension AuditRecord {
  /// The record as the codec takes it.
  package var wire: WireRecord {
    WireRecord(
      key: key, value: value, headers: headers.map { RecordHeader($0.name, $0.value) })
  }

  /// Where on the bus it stands.
  package var coordinates: RecordCoordinates {
    RecordCoordinates(topic: log.topic, partition: log.partition, offset: offset)
  }

  /// The same with its place and the broker's time.
  package var stored: StoredRecord {
    StoredRecord(
      record: wire, coordinates: coordinates, brokerAt: Timestamp(milliseconds: brokerTimeMs))
  }
}
