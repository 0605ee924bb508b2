internal import HandoffCodecs
internal import HandoffCore
internal import KafkaClient

/// The reducer's memory as records of a compacted topic: one a person, one for the partition.
enum Changelog {
  /// What the log keeps of a person; a person of whom nothing is left becomes a tombstone.
  static func message(_ person: Person?, key: PatientKey, partition: Int32) -> KafkaMessage {
    let record = person.map { WireCodec().encode($0) } ?? WireCodec().tombstone(of: key)
    return KafkaMessage(topic: .reconcilerState, partition: partition, record)
  }

  /// Time, books, policies in force and the next offset.
  static func message(_ state: PartitionState, partition: Int32) -> KafkaMessage {
    KafkaMessage(topic: .reconcilerState, partition: partition, WireCodec().encode(state))
  }
}

/// Collects a changelog, decoding only the last record of each key.
struct ChangelogReader: Sendable {
  private var latest: [[UInt8]: KafkaRecord] = [:]

  mutating func take(_ record: KafkaRecord) {
    guard let key = record.key else { return }
    latest[key] = record.value == nil ? nil : record
  }

  /// What deletes everything that was read.
  func tombstones(partition: Int32) -> [KafkaMessage] {
    latest.keys.map { key in
      KafkaMessage(
        topic: Topic.reconcilerState.name, partition: partition, key: key, value: nil, headers: [])
    }
  }

  /// Puts everything into a reducer that knows nothing yet.
  ///
  /// - Throws: `WireError` for a record that cannot be read, `MissingPolicy` for state judged by a
  ///   policy that is not at hand, ``ChangelogFault`` where the partition's own record is missing:
  ///   state without its offset is nobody's state.
  func restore(into reducer: inout PersonReducer) throws {
    guard !latest.isEmpty else { return }
    let stateKey = Array(WireCodec.partitionStateKey.utf8)
    guard let record = latest[stateKey],
      case .partition(let state) = try WireCodec.stateRecord(record.wire)
    else { throw ChangelogFault() }
    // Persons refer to the policies that the partition's state names.
    try reducer.restore(state)
    for (key, record) in latest where key != stateKey {
      if case .person(let person) = try WireCodec.stateRecord(record.wire) {
        try reducer.restore(person)
      }
    }
  }
}

/// The changelog holds persons, but not how far they had been read.
package struct ChangelogFault: Error, CustomStringConvertible {
  package var description: String {
    "the reconciler's changelog lacks the partition's own record; delete the topic "
      + "\(Topic.reconcilerState.name) to have it built again from the events"
  }
}
