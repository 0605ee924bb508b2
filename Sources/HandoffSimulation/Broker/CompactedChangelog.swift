internal import HandoffCodecs

/// What a compacted topic keeps: the latest committed record of each key, and none of who was
/// deleted.
struct CompactedChangelog: Sendable {
  private(set) var records: [[UInt8]: WireRecord] = [:]

  subscript(key: [UInt8]) -> WireRecord? { records[key] }

  /// A record without a value deletes, as on the broker.
  mutating func write(_ record: WireRecord) {
    guard let key = record.key else { return }
    records[key] = record.value == nil ? nil : record
  }

  /// How large it is.
  var byteCount: Int { records.reduce(0) { $0 + $1.key.count + ($1.value.value?.count ?? 0) } }
}
