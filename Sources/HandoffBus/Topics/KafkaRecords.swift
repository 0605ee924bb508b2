package import HandoffCodecs
internal import HandoffCore
package import KafkaClient

extension KafkaMessage {
  /// A message that carries `record` as the codec made it.
  package init(topic: Topic, partition: Int32? = nil, _ record: WireRecord) {
    self.init(
      topic: topic.name, partition: partition, key: record.key, value: record.value,
      headers: record.headers.map { KafkaHeader($0.name, $0.value) })
  }
}

extension KafkaRecord {
  /// The record as the codec takes it.
  package var wire: WireRecord {
    WireRecord(
      key: key, value: value,
      headers: headers.map { RecordHeader($0.name, $0.value) })
  }

  /// The same with its place and the broker's time.
  package var stored: StoredRecord {
    StoredRecord(
      record: wire,
      coordinates: RecordCoordinates(topic: topic, partition: partition, offset: offset),
      brokerAt: Timestamp(milliseconds: timestampMilliseconds))
  }
}
