internal import HandoffCodecs
internal import HandoffCore
internal import KafkaClient

/// The source reducer's memory as records of a compacted topic: one for the partition, one a source,
/// one for each 64 messages that a source is known again by.
enum SourceChangelog {
  /// What the log is to say of the open batch of `reducer`.
  static func messages(of reducer: SourceReducer, partition: Int32) -> [KafkaMessage] {
    var messages: [KafkaMessage] = []
    func add(_ state: SourceReducerState) {
      messages.append(
        KafkaMessage(topic: .sourceState, partition: partition, WireCodec().encode(state)))
    }
    for code in reducer.touched {
      guard let source = reducer.source(code) else { continue }
      add(.source(source.withoutMemory))
      for number in reducer.changedSegments(of: code) {
        if let segment = source.memory.segment(number) {
          add(.messages(of: code, segment))
        } else {
          let key = SourceReducerState.key(ofMessages: number, of: code)
          messages.append(tombstone(Array(key.utf8), partition: partition))
        }
      }
    }
    add(.partition(reducer.state))
    return messages
  }

  static func tombstone(_ key: [UInt8], partition: Int32) -> KafkaMessage {
    KafkaMessage(
      topic: Topic.sourceState.name, partition: partition, key: key, value: nil, headers: [])
  }
}

/// Collects the changelog of a partition, decoding only the last record of each key.
struct SourceChangelogReader: Sendable {
  private var latest: [[UInt8]: KafkaRecord] = [:]

  mutating func take(_ record: KafkaRecord) {
    guard let key = record.key else { return }
    latest[key] = record.value == nil ? nil : record
  }

  /// What deletes everything that was read.
  func tombstones(partition: Int32) -> [KafkaMessage] {
    latest.keys.map { SourceChangelog.tombstone($0, partition: partition) }
  }

  /// Puts everything into a reducer that knows nothing yet.
  ///
  /// - Throws: `WireError` for a record that cannot be read, or where the partition's own is
  ///   missing: state without its offset is nobody's state. `MissingPolicy` for state judged by a
  ///   policy that is not at hand.
  func restore(into reducer: inout SourceReducer) throws {
    guard !latest.isEmpty else { return }
    var sources: [Source] = []
    var segments: [Code: [MessageMemory.Segment]] = [:]
    var partition: SourcePartitionState?
    for record in latest.values {
      switch try WireCodec.sourceReducerState(record.wire) {
      case .partition(let state): partition = state
      case .source(let source): sources.append(source)
      case .messages(let code, let segment): segments[code, default: []].append(segment)
      }
    }
    guard let partition else { throw WireError(.fieldMissing, "partition") }
    try reducer.restore(partition)
    for source in sources { reducer.restore(source, memory: segments[source.code] ?? []) }
  }
}
