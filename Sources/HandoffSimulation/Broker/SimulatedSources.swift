internal import HandoffCodecs
internal import HandoffCore

/// The owner of the sources topic: the production source reducer, its changelog, and the offset that
/// was committed with it.
///
/// What it tells the events topic of each source goes out in its transaction, as in the service.
struct SimulatedSources: Sendable {
  private let policy: Policy
  private(set) var reducer: SourceReducer
  private var copies = SourceStateCopies()
  private var changelog = CompactedChangelog()
  /// Up to where the topic is read, as the last transaction committed it.
  private(set) var committedOffset: Int64 = 0
  /// The moment at which the partition last moved, for its ticks.
  var lastMoved: Timestamp
  /// When its unread records are taken; `nil` where there are none.
  var flushAt: Timestamp?

  init(policy: Policy, at start: Timestamp) {
    self.policy = policy
    lastMoved = start
    reducer = SourceReducer(policy: policy, topic: sourcesTopic, partition: 0)
  }

  /// What one batch is to write.
  struct Batch: Sendable {
    var verdicts: [Verdict] = []
    /// How sources stand, for each partition of events.
    var copied: [SourceState] = []
    fileprivate var state: [WireRecord] = []
    fileprivate var next: Int64
  }

  /// Applies records to memory so that they can be undone.
  ///
  /// At the end of all time nothing waits for its minute.
  mutating func apply(
    _ records: [StoredRecord], next: Int64, at now: Timestamp, isLast: Bool
  ) -> Batch {
    var batch = Batch(next: next)
    reducer.beginBatch()
    for stored in records { batch.verdicts += reducer.apply(Self.record(stored)) }
    if isLast { copies = SourceStateCopies() }
    batch.copied = copies.take(reducer.states, at: now)
    remember(&batch)
    return batch
  }

  private func remember(_ batch: inout Batch) {
    let codec = WireCodec()
    func add(_ state: SourceReducerState) { batch.state.append(codec.encode(state)) }
    for code in reducer.touched {
      guard let source = reducer.source(code) else { continue }
      add(.source(source.withoutMemory))
      for number in reducer.changedSegments(of: code) {
        if let segment = source.memory.segment(number) {
          add(.messages(of: code, segment))
        } else {
          let key = SourceReducerState.key(ofMessages: number, of: code)
          batch.state.append(WireRecord(key: Array(key.utf8), value: nil, headers: []))
        }
      }
    }
    add(.partition(reducer.state))
  }

  /// Reads a record as the service does: what cannot be read still moves time.
  static func record(_ stored: StoredRecord) -> SourceTopicRecord {
    do {
      return try WireCodec.sourceTopicRecord(stored)
    } catch {
      return SourceTopicRecord(
        content: .unusable(.s01, cause: Code(error.fault.rawValue)), brokerAt: stored.brokerAt,
        coordinates: stored.coordinates, hash: WireCodec.recordHash(stored.record.value))
    }
  }

  /// Keeps a batch on the log and in memory.
  mutating func keep(_ batch: Batch) {
    write(batch)
    reducer.commitBatch()
  }

  /// Undoes a batch whose transaction left nothing.
  mutating func undo(_ batch: Batch) {
    reducer.rollBackBatch()
    copies.takeBack(batch.copied)
  }

  /// Loses memory and restores it from the changelog; of `committed` the log has everything.
  mutating func restart(after committed: Batch?) throws {
    if let committed { write(committed) }
    copies = SourceStateCopies()
    reducer = SourceReducer(policy: policy, topic: sourcesTopic, partition: 0)
    var sources: [Source] = []
    var segments: [Code: [MessageMemory.Segment]] = [:]
    for record in changelog.records.values {
      switch try WireCodec.sourceReducerState(record) {
      case .partition(let state): try reducer.restore(state)
      case .source(let source): sources.append(source)
      case .messages(let code, let segment): segments[code, default: []].append(segment)
      }
    }
    for source in sources.sorted(by: { $0.code < $1.code }) {
      reducer.restore(source, memory: segments[source.code] ?? [])
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
