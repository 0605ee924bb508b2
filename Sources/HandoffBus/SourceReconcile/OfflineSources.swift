internal import HandoffCodecs
internal import HandoffCore

/// The source reducer without a broker: a reducer for each partition of the sources topic.
///
/// How a source stands is not copied anywhere: the events that are judged beside it hold the copies
/// that were made when they were written, and those count.
struct OfflineSources: Sendable {
  private let policies: [Policy]
  /// Whether the first policy stays in force whatever the log switches to (what-if).
  private let isFixed: Bool
  private let intake: SourceIntake
  private var reducers: [Int32: SourceReducer] = [:]

  init(policies: [Policy], isFixed: Bool = false, stamp: RecordStamp?) {
    self.policies = policies
    self.isFixed = isFixed
    intake = SourceIntake(stamp: stamp)
  }

  /// Whether a line is of the sources topic: by its place, or by what it is where it has none.
  static func isOfSources(_ line: NDJSONRecord) -> Bool {
    if let topic = line.coordinates?.topic { return topic == Topic.sources.name }
    let type = line.record.headers.first { $0.name == "ce_type" }?.value
    return type?.elementsEqual("\(SourceRecord.wireName)".utf8) ?? false
  }

  /// Applies one record; one without broker's time was said, for the reducer, when its source says.
  mutating func take(_ line: NDJSONRecord) throws(OfflineFault) -> [Verdict] {
    let number = line.coordinates?.partition ?? 0
    var reducer = reducers.removeValue(forKey: number) ?? self.reducer(of: number)
    defer { reducers[number] = reducer }
    let place =
      line.coordinates
      ?? RecordCoordinates(
        topic: Topic.sources.name, partition: number, offset: reducer.state.nextOffset)
    guard place.offset >= reducer.state.nextOffset else {
      throw .outOfOrder(partition: number, offset: place.offset)
    }
    var record = intake.take(
      StoredRecord(
        record: line.record, coordinates: place, brokerAt: line.brokerAt ?? .distantPast))
    if line.brokerAt == nil {
      guard case .statement(let statement) = record.content else { throw .withoutTime }
      record.brokerAt = statement.at
    }
    if isFixed, case .rulesActivation = record.content { record.content = .tick }
    return reducer.apply(record)
  }

  /// Advances every partition to `time`, as if a tick had come then.
  mutating func advance(to time: Timestamp) -> [Verdict] {
    reducers.keys.sorted().flatMap { reducers[$0]?.advance(to: time) ?? [] }
  }

  private func reducer(of partition: Int32) -> SourceReducer {
    var reducer = SourceReducer(
      policy: policies[0], topic: Topic.sources.name, partition: partition)
    for policy in policies.dropFirst() { reducer.provide(policy) }
    return reducer
  }
}
