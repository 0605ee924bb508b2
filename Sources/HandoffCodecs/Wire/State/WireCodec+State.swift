package import HandoffCore

/// One record of the state topic.
package enum StateRecord: Hashable, Sendable {
  case person(Person)
  /// Nothing is remembered of this person any more.
  case removed(PatientKey)
  case partition(PartitionState)
}

extension WireCodec {
  /// The key of what a partition holds beside its persons: no patient key looks like it.
  package static let partitionStateKey = "partition"

  package func encode(_ person: Person) -> WireRecord {
    let key = person.key.description
    return record(person, key: key, id: key, source: Self.busSource, time: nil, subject: nil)
  }

  package func encode(_ state: PartitionState) -> WireRecord {
    record(
      state, key: Self.partitionStateKey, id: "\(state.nextOffset)", source: Self.busSource,
      time: nil, subject: nil)
  }

  /// The deletion mark of a person of whom nothing is remembered.
  package func tombstone(of key: PatientKey) -> WireRecord {
    WireRecord(key: key.utf8, value: nil, headers: [])
  }

  /// A record of the state topic; a layout of another version is `wire.version-unknown`.
  package static func stateRecord(_ record: WireRecord) throws(WireError) -> StateRecord {
    guard let key = record.key else { throw WireError(.keyMismatch, "key") }
    if key.elementsEqual(partitionStateKey.utf8) {
      return .partition(try message(PartitionState.self, record))
    }
    guard let patientKey = PatientKey(String(decoding: key, as: UTF8.self)) else {
      throw WireError(.keyMismatch, "key")
    }
    guard record.value != nil else { return .removed(patientKey) }
    let person = try message(Person.self, record)
    guard person.key == patientKey else { throw WireError(.keyMismatch, "key") }
    return .person(person)
  }
}

/// Writes the values of many persons' records, one behind the other, with the same buffer: what
/// ``WireCodec/encode(_:)`` gives for each in Protobuf.
package struct PersonValueWriter: Sendable {
  private var writer = ProtobufWriter(capacity: 4096)

  package init() {}

  package mutating func value(_ person: Person) -> [UInt8] {
    writer.begin()
    person.write(to: &writer)
    return writer.bytes
  }
}
