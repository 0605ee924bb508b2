internal import HandoffCodecs
internal import HandoffCore

/// One partition of a topic as a broker keeps it: records with the broker's time, transactions that
/// are committed or aborted, and markers that take an offset as in Kafka.
///
/// What everybody has read is let go, so that a year of records is never held.
struct SimulatedLog: Sendable {
  private struct Entry {
    var stored: StoredRecord
    /// Whose transaction it is part of; `nil` for what was written outside one.
    var transaction: Int?
  }

  let topic: String
  let partition: Int32
  private var entries: [Entry] = []
  private var firstOffset: Int64 = 0
  private(set) var endOffset: Int64 = 0
  /// The time of the latest record: a broker's times go on, and never back.
  private var time = Timestamp.distantPast
  private var open: Set<Int> = []
  private var aborted: Set<Int> = []

  init(topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  /// Appends a record and stamps it.
  @discardableResult
  mutating func append(
    _ record: WireRecord, at now: Timestamp, in transaction: Int? = nil
  ) -> StoredRecord {
    time = max(time, now)
    let stored = StoredRecord(
      record: record,
      coordinates: RecordCoordinates(topic: topic, partition: partition, offset: endOffset),
      brokerAt: time)
    if let transaction { open.insert(transaction) }
    entries.append(Entry(stored: stored, transaction: transaction))
    endOffset += 1
    return stored
  }

  /// Ends a transaction, if it wrote here.
  mutating func end(_ transaction: Int, commit: Bool) {
    guard open.remove(transaction) != nil else { return }
    if !commit { aborted.insert(transaction) }
    endOffset += 1
  }

  /// What a reader of committed records gets from `offset` on, and where it goes on after that.
  ///
  /// Nothing beyond the first record of an open transaction.
  func read(from offset: Int64, limit: Int) -> (records: [StoredRecord], next: Int64, isAll: Bool) {
    var records: [StoredRecord] = []
    var next = offset
    for entry in entries.drop(while: { $0.stored.coordinates.offset < offset }) {
      if let transaction = entry.transaction, open.contains(transaction) { break }
      guard records.count < limit else { break }
      next = entry.stored.coordinates.offset + 1
      if let transaction = entry.transaction, aborted.contains(transaction) { continue }
      records.append(entry.stored)
    }
    return (records, next, next == endOffset)
  }

  /// Lets go of what lies before `offset`.
  mutating func trim(before offset: Int64) {
    let count = entries.prefix { $0.stored.coordinates.offset < offset }.count
    // Now and then, and not for each record.
    guard count >= 64 || count == entries.count else { return }
    entries.removeFirst(count)
    if entries.isEmpty { aborted = aborted.intersection(open) }
  }
}
