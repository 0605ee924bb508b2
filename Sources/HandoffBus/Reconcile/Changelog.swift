internal import HandoffCodecs
package import HandoffCore
internal import HandoffStores
package import KafkaClient

/// The reducer's memory as records of a compacted topic: one a person, one for the partition.
package enum Changelog {
  /// The header that names the unbroken changelog that the partition's own record belongs to.
  static let lineageHeader = "ce_lineage"
  /// The header that says how many people the memory holds: fewer or more, and some are missing.
  static let personCountHeader = "ce_personcount"

  /// Time, books, policies in force and the next offset; the last record of every transaction.
  package static func message(
    _ state: PartitionState, partition: Int32, lineage: String, personCount: Int
  ) -> KafkaMessage {
    var message = KafkaMessage(
      topic: .reconcilerState, partition: partition, WireCodec().encode(state))
    message.headers += [
      KafkaHeader(lineageHeader, lineage), KafkaHeader(personCountHeader, "\(personCount)"),
    ]
    return message
  }
}

/// Writes what the log keeps of persons: one for each person of each batch, so that what their
/// records have in common is made once.
package struct ChangelogWriter: Sendable {
  private let partition: Int32
  private var values = PersonValueWriter()

  private static let nobody = PatientKey(epoch: 1, high: 0, low: 0)
  /// Those of any person; the id is the key.
  private static let headers = KafkaMessage(
    topic: .reconcilerState, WireCodec().encode(Person(key: nobody))
  ).headers
  private static let idPlace: Int = {
    guard let place = headers.firstIndex(where: { $0.value == nobody.utf8 }) else {
      preconditionFailure("every record of a person has an id")
    }
    return place
  }()

  package init(partition: Int32) {
    self.partition = partition
  }

  /// What the log keeps of a person; a person of whom nothing is left becomes a tombstone.
  package mutating func message(_ person: Person?, key: PatientKey) -> KafkaMessage {
    guard let person else {
      return KafkaMessage(
        topic: .reconcilerState, partition: partition, WireCodec().tombstone(of: key))
    }
    let bytes = key.utf8
    var headers = Self.headers
    headers[Self.idPlace].value = bytes
    return KafkaMessage(
      topic: Topic.reconcilerState.name, partition: partition, key: bytes,
      value: values.value(person), headers: headers)
  }
}

/// Collects a changelog, decoding only the last record of each key.
///
/// A million records would be gigabytes with their headers, so of those only what a reader acts on
/// is kept, once for all records that have the same.
struct ChangelogReader: Sendable {
  private struct Latest: Sendable {
    /// `nil`: deleted.
    var value: [UInt8]?
    /// Which of `forms` its headers are.
    var form: Int
  }

  private static let kept: Set<String> = ["ce_specversion", "ce_source", "ce_type", "content-type"]
  private static let stateKey = Array(WireCodec.partitionStateKey.utf8)

  private var latest: [[UInt8]: Latest] = [:]
  private var forms: [[RecordHeader]] = []
  /// The changelog's name, where its last record of the partition gives one.
  private(set) var lineage: String?
  private var personCount: Int?

  mutating func take(_ record: KafkaRecord) {
    guard let key = record.key else { return }
    if key == Self.stateKey {
      lineage = record.header(Changelog.lineageHeader)?.text
      personCount = record.header(Changelog.personCountHeader)?.text.flatMap { Int($0) }
    }
    latest[key] = Latest(value: record.value, form: form(of: record.headers))
  }

  private mutating func form(of headers: [KafkaHeader]) -> Int {
    let form = headers.filter { Self.kept.contains($0.name) }
      .map { RecordHeader($0.name, $0.value) }
    // Two forms of records, and few more while a newer version takes over.
    if let index = forms.lastIndex(of: form) { return index }
    forms.append(form)
    return forms.count - 1
  }

  /// What deletes everything that was read; the partition's own record first, so that a part of
  /// it is known as a part.
  func tombstones(partition: Int32) -> [KafkaMessage] {
    let keys = [Self.stateKey] + latest.keys.filter { $0 != Self.stateKey }
    return keys.map { key in
      KafkaMessage(
        topic: Topic.reconcilerState.name, partition: partition, key: key, value: nil, headers: [])
    }
  }

  /// Puts everything into a reducer that knows nothing yet: what `snapshot` holds, and over it what
  /// was read; its `takeStock` is to follow.
  ///
  /// - Throws: `WireError` for a record that cannot be read, `MissingPolicy` or `UnknownActivation`
  ///   for state judged by a policy that is not at hand, ``ChangelogFault`` where the partition's
  ///   own record is missing or counts other people, `SnapshotFault` for a damaged snapshot.
  func restore(
    into reducer: inout PersonReducer, over snapshot: SnapshotReader? = nil
  ) throws {
    let isEmpty = latest.values.allSatisfy { $0.value == nil }
    guard !isEmpty || snapshot != nil else { return }
    guard let own = latest[Self.stateKey], own.value != nil,
      case .partition(let state) = try WireCodec.stateRecord(record(Self.stateKey, own))
    else { throw ChangelogFault.stateMissing }
    // Persons refer to the policies that the partition's state names.
    try reducer.restore(state)
    if let snapshot {
      guard lineage == snapshot.header.lineage else { throw ChangelogFault.otherLineage }
      var replaced: Set<PatientKey> = []
      for key in latest.keys {
        if let key = PatientKey(String(decoding: key, as: UTF8.self)) { replaced.insert(key) }
      }
      try snapshot.forEachEntry { bytes in
        switch SnapshotEntry(bytes) {
        case .person(let person):
          if !replaced.contains(person.key) { reducer.restore(person) }
        case .texts(let texts): try reducer.restore(packedTexts: texts)
        case nil: throw SnapshotFault.entryUnknown
        }
      }
    }
    for (key, latest) in latest where key != Self.stateKey && latest.value != nil {
      if case .person(let person) = try WireCodec.stateRecord(record(key, latest)) {
        try reducer.restore(person)
      }
    }
    if let personCount, personCount != reducer.personCount {
      throw ChangelogFault.otherCount(said: personCount, found: reducer.personCount)
    }
  }

  private func record(_ key: [UInt8], _ latest: Latest) -> WireRecord {
    WireRecord(
      key: key, value: latest.value, headers: forms[latest.form] + [RecordHeader("ce_id", key)])
  }
}

/// Why a changelog is no memory that can be gone on from.
package enum ChangelogFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// It holds persons, but not how far they had been read.
  case stateMissing
  /// It was begun anew since the snapshot was taken.
  case otherLineage
  /// It says that there are more or fewer people than there are.
  case otherCount(said: Int, found: Int)

  package var description: String {
    switch self {
    case .stateMissing: "the partition's own record is missing"
    case .otherLineage: "it was begun anew since the snapshot was taken"
    case .otherCount(let said, let found): "it names \(said) people and holds \(found)"
    }
  }
}
