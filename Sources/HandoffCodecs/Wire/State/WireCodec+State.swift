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
    guard format == .protobuf else {
      return record(person, key: key, id: key, source: Self.busSource, time: nil, subject: nil)
    }
    // One for each person of each batch: of its headers only the id is made anew.
    let bytes = Array(key.utf8)
    var headers = Self.personHeaders
    headers[Self.personIDPlace].value = bytes
    return WireRecord(key: bytes, value: person.protobuf, headers: headers)
  }

  private static let personHeaders: [RecordHeader] = WireCodec().record(
    Person(key: PatientKey(epoch: 1, high: 0, low: 0)), key: "", id: "", source: busSource,
    time: nil, subject: nil
  ).headers

  private static let personIDPlace: Int = {
    guard let place = personHeaders.firstIndex(where: { $0.name == "ce_id" }) else {
      preconditionFailure("every record of a person has an id")
    }
    return place
  }()

  package func encode(_ state: PartitionState) -> WireRecord {
    record(
      state, key: Self.partitionStateKey, id: "\(state.nextOffset)", source: Self.busSource,
      time: nil, subject: nil)
  }

  /// The deletion mark of a person of whom nothing is remembered.
  package func tombstone(of key: PatientKey) -> WireRecord {
    WireRecord(key: Array(key.description.utf8), value: nil, headers: [])
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
