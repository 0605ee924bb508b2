internal import HandoffCodecs
internal import HandoffCore

/// The owner of one partition: the production reducer, its changelog, and the offset that was
/// committed with it.
///
/// It lives through what the reconciler's service lives through: a transaction holds verdicts,
/// changelog and offset; an abort undoes the batch in memory; a crash loses memory, which comes
/// back from the changelog's bytes.
struct SimulatedOwner: Sendable {
  let partition: Int32
  private let policy: Policy
  private(set) var reducer: PersonReducer
  private var changelog = CompactedChangelog()
  /// Up to where the events are read, as the last transaction committed it.
  private(set) var committedOffset: Int64 = 0
  /// The moment at which the partition last moved, for its ticks.
  var lastMoved: Timestamp
  /// When its unread records are taken; `nil` where there are none.
  var flushAt: Timestamp?

  init(partition: Int32, policy: Policy, at start: Timestamp) {
    self.partition = partition
    self.policy = policy
    lastMoved = start
    reducer = PersonReducer(policy: policy, topic: eventsTopic, partition: partition)
  }

  /// What one batch is to write.
  struct Batch: Sendable {
    var verdicts: [Verdict] = []
    var outgoing: [Outgoing] = []
    fileprivate var state: [WireRecord] = []
    fileprivate var next: Int64
  }

  /// Applies records to memory so that they can be undone.
  mutating func apply(_ records: [StoredRecord], next: Int64, _ placing: Placing) -> Batch {
    var batch = Batch(next: next)
    reducer.beginBatch()
    for stored in records {
      reducer.apply(Self.record(stored, placing), into: &batch.verdicts)
    }
    batch.outgoing = reducer.takeOutgoing()
    let codec = WireCodec()
    for key in reducer.touched {
      batch.state.append(
        reducer.person(for: key).map(codec.encode(_:)) ?? codec.tombstone(of: key))
    }
    batch.state.append(codec.encode(reducer.state))
    return batch
  }

  /// Reads a record as the reconciler does: what cannot be read still moves time.
  static func record(_ stored: StoredRecord, _ placing: Placing) -> EventRecord {
    func unusable(_ rule: Rule, _ cause: Code?) -> EventRecord {
      EventRecord(
        content: .unusable(rule, cause: cause), brokerAt: stored.brokerAt,
        coordinates: stored.coordinates, hash: WireCodec.recordHash(stored.record.value))
    }
    let record: EventRecord
    do {
      record = try WireCodec.eventRecord(stored)
    } catch {
      return unusable(.s01, Code(error.fault.rawValue))
    }
    switch record.content {
    case .event, .transfer:
      let place = placing.partition(of: stored.record.key ?? [])
      return place == stored.coordinates.partition ? record : unusable(.s02, nil)
    case .tick, .sourceState, .rulesActivation, .unusable: return record
    }
  }

  /// Keeps a batch on the log and in memory.
  mutating func keep(_ batch: Batch) {
    write(batch)
    reducer.commitBatch()
  }

  /// Undoes a batch whose transaction left nothing.
  mutating func undo() { reducer.rollBackBatch() }

  /// Loses memory and restores it from the changelog; of `committed` the log has everything.
  mutating func restart(after committed: Batch?) throws {
    if let committed { write(committed) }
    reducer = PersonReducer(policy: policy, topic: eventsTopic, partition: partition)
    let stateKey = Array(WireCodec.partitionStateKey.utf8)
    guard let record = changelog[stateKey],
      case .partition(let state) = try WireCodec.stateRecord(record)
    else { return }
    try reducer.restore(state)
    for (key, record) in changelog.records where key != stateKey {
      if case .person(let person) = try WireCodec.stateRecord(record) {
        try reducer.restore(person)
      }
    }
  }

  private mutating func write(_ batch: Batch) {
    for record in batch.state { changelog.write(record) }
    committedOffset = batch.next
  }

  /// How large the changelog is, compacted.
  var stateBytes: Int { changelog.byteCount }

  /// What a tick writer knows of the partition at `now`.
  func situation(at now: Timestamp) -> TickSchedule.Situation {
    TickSchedule.Situation(now: now, nextDue: reducer.nextDue, lastMoved: lastMoved)
  }
}

/// The topic of events, as evidence names it.
let eventsTopic = "handoff.events.v1"
/// The topic of sources.
let sourcesTopic = "handoff.sources.v1"
