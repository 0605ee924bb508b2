internal import HandoffCodecs
internal import HandoffCore

/// What the reducer and the oracle say of a merge (A16), over the records of both keys.
///
/// What the reducer hands from key to key goes through a log and back, as on the bus.
struct IdentityConformance {
  private(set) var equal = 0
  private(set) var onlyReducer: [Episode] = []
  private(set) var onlyOracle: [Episode] = []

  var isEqual: Bool { onlyReducer.isEmpty && onlyOracle.isEmpty }

  init(records: [StoredRecord], until end: Timestamp, policy: Policy) {
    let placing = Placing(partitionCount: 1)
    onlyReducer = Self.reducerEpisodes(records, until: end, policy, placing)
    let read = records.map { SimulatedOwner.record($0, placing) }
    for episode in Oracle(policy: policy).identityEpisodes(of: read, until: end) {
      if let position = onlyReducer.firstIndex(of: episode) {
        onlyReducer.remove(at: position)
        equal += 1
      } else {
        onlyOracle.append(episode)
      }
    }
  }

  private static func reducerEpisodes(
    _ records: [StoredRecord], until end: Timestamp, _ policy: Policy, _ placing: Placing
  ) -> [Episode] {
    var reducer = PersonReducer(policy: policy, topic: eventsTopic, partition: 0)
    var log = SimulatedLog(topic: eventsTopic, partition: 0)
    var verdicts: [Verdict] = []
    for record in records {
      var waiting = [record.record]
      while !waiting.isEmpty {
        let stored = log.append(waiting.removeFirst(), at: record.brokerAt)
        log.trim(before: stored.coordinates.offset)
        verdicts += reducer.apply(SimulatedOwner.record(stored, placing))
        waiting += reducer.takeOutgoing().map { WireCodec().encode($0) }
      }
    }
    verdicts += reducer.advance(to: end)
    var last: [AlertID: Verdict] = [:]
    for verdict in verdicts where verdict.rule == .a16 { last[verdict.alertID] = verdict }
    return last.values.map { verdict in
      let key = Claim.Key(
        rule: .a16, handoff: nil, cause: verdict.cause?.description ?? "", event: nil)
      return Episode(key: key, opened: verdict.opened, resolved: verdict.resolvedAt)
    }.sorted()
  }
}
