package import HandoffCodecs
package import HandoffCore

/// The reconciler without a broker: records in, verdicts out, by the same reducers.
///
/// Each partition of the input has a reducer of its own, so lines of several partitions may be
/// mixed; within one they must be in offset order, as an export has them.
package struct OfflineReconciler: Sendable {
  /// Everything said so far, in the order in which it was said.
  package private(set) var verdicts: [Verdict] = []
  package private(set) var selfAlerts: [SelfAlert] = []
  package private(set) var recordCount = 0
  private let policies: [Policy]
  private let intake: RecordIntake
  private var partitions: [Int32: Partition] = [:]

  private struct Partition {
    var reducer: PersonReducer
    var nextOffset: Int64 = 0

    mutating func apply(_ record: EventRecord, into verdicts: inout [Verdict]) {
      nextOffset = record.coordinates.offset + 1
      reducer.apply(record, into: &verdicts)
    }
  }

  /// Judges by the first of `policies`; the others are those that the log may switch to.
  ///
  /// Placing is checked only where the topic's number of partitions is given: lines that were
  /// written by hand, or exported from some partitions only, do not tell it.
  package init(
    policies: [Policy], partitionCount: Int32? = nil, stamp: RecordStamp? = nil
  ) {
    precondition(!policies.isEmpty, "something must be in force at the start")
    self.policies = policies
    intake = RecordIntake(partitionCount: partitionCount, stamp: stamp)
  }

  /// Applies one record.
  ///
  /// A line without place is the next of partition 0. A line without broker's time happened, for
  /// the reducer, when its event says that it happened.
  package mutating func take(_ line: NDJSONRecord) throws(OfflineFault) {
    let number = line.coordinates?.partition ?? 0
    let nextOffset = partitions[number]?.nextOffset ?? 0
    let place =
      line.coordinates
      ?? RecordCoordinates(topic: Topic.events.name, partition: 0, offset: nextOffset)
    guard place.offset >= nextOffset else {
      throw .outOfOrder(partition: number, offset: place.offset)
    }
    let stored = StoredRecord(
      record: line.record, coordinates: place, brokerAt: line.brokerAt ?? .distantPast)
    var (record, alert) = intake.take(stored)
    if line.brokerAt == nil {
      guard case .event(let event) = record.content else { throw .withoutTime }
      record.brokerAt = event.occurredAt
    }
    if let alert { selfAlerts.append(alert) }
    if case .rulesActivation(let activation) = record.content,
      !policies.contains(where: { $0.hash == activation.policyHash })
    {
      selfAlerts.append(SelfAlert(.policyUnknown, at: place))
    }
    // Changed in its place: a second reference would copy everybody remembered for each record.
    if partitions[number] == nil {
      partitions[number] = Partition(reducer: reducer(of: number))
    }
    partitions[number]?.apply(record, into: &verdicts)
    recordCount += 1
  }

  /// Advances every partition to `time`, as if a tick had come then.
  package mutating func advance(to time: Timestamp) {
    for number in partitions.keys.sorted() {
      verdicts += partitions[number]?.reducer.advance(to: time) ?? []
    }
  }

  /// Whether each partition's books balance.
  package var areBooksBalanced: Bool {
    partitions.values.allSatisfy { $0.reducer.state.books.isBalanced }
  }

  private func reducer(of partition: Int32) -> PersonReducer {
    var reducer = PersonReducer(
      policy: policies[0], topic: Topic.events.name, partition: partition)
    for policy in policies.dropFirst() { reducer.provide(policy) }
    return reducer
  }
}

/// Why a line cannot be judged.
package enum OfflineFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// An offset that is not after the one before it in its partition.
  case outOfOrder(partition: Int32, offset: Int64)
  /// Neither a broker's time nor an event that says when it happened.
  case withoutTime

  package var description: String {
    switch self {
    case .outOfOrder(let partition, let offset):
      "offset \(offset) of partition \(partition) comes after a later one"
    case .withoutTime: "it has no brokertime, and is no event that says when it happened"
    }
  }
}
