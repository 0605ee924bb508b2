package import HandoffCore

/// A header of a Kafka record.
package struct RecordHeader: Hashable, Sendable {
  package var name: String
  package var value: [UInt8]?

  package init(_ name: String, _ value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  package init(_ name: String, _ text: String) {
    self.init(name, Array(text.utf8))
  }
}

/// What a producer hands to Kafka: key, value and headers, byte for byte.
package struct WireRecord: Hashable, Sendable {
  package var key: [UInt8]?
  /// `nil` is a null value, which deletes on a compacted topic; an empty one is not.
  package var value: [UInt8]?
  package var headers: [RecordHeader]

  package init(key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader]) {
    self.key = key
    self.value = value
    self.headers = headers
  }
}

/// A record as a topic keeps it: what was produced, and where and when the broker put it.
package struct StoredRecord: Hashable, Sendable {
  package var record: WireRecord
  package var coordinates: RecordCoordinates
  /// The broker's timestamp, in whole milliseconds.
  package var brokerAt: Timestamp

  package init(record: WireRecord, coordinates: RecordCoordinates, brokerAt: Timestamp) {
    self.record = record
    self.coordinates = coordinates
    self.brokerAt = brokerAt
  }
}
