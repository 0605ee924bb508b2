import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import Testing

/// The state of a partition as its reconciler wrote it to the changelog.
struct WrittenState {
  var state: PartitionState
  var record: KafkaRecord

  /// The same with a handoff in the books that nobody asked for, so that they balance all the same.
  func withOneMoreOpen() throws -> PartitionState {
    var wrong = state
    let kind = try #require(wrong.books.byKind.keys.sorted().first)
    wrong.books.byKind[kind]?.requested += 1
    wrong.books.byKind[kind]?[.open] += 1
    wrong.books.byPlace[nil, default: Ledger()].requested += 1
    wrong.books.byPlace[nil, default: Ledger()][.open] += 1
    wrong.books.total.requested += 1
    wrong.books.total[.open] += 1
    #expect(wrong.books.isBalanced)
    return wrong
  }
}

extension ReconcilerBench {
  /// The newest of each partition.
  func newestStates() async throws -> [Int32: WrittenState] {
    var latest: [Int32: WrittenState] = [:]
    try await TopicScan(kafka, topic: .reconcilerState).readToEnd { record in
      guard record.key == Array(WireCodec.partitionStateKey.utf8),
        case .partition(let state) = try WireCodec.stateRecord(record.wire)
      else { return }
      latest[record.partition] = WrittenState(state: state, record: record)
    }
    return latest
  }

  /// Writes a state in the place of one that a reconciler wrote.
  func write(_ state: PartitionState, of written: WrittenState) async throws {
    let producer = try KafkaProducer(kafka)
    var message = KafkaMessage(
      topic: .reconcilerState, partition: written.record.partition, WireCodec().encode(state))
    message.headers = written.record.headers
    _ = try await producer.send([message])
    await producer.close()
  }
}
