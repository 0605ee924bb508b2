public import HandoffCore

/// A naive judge of what must be said about people: from scratch after every record, quadratic, and
/// without a line of the reducer.
///
/// Written from domain.md §2 to §4 and §8 and from the pages of the rules. It remembers everything and
/// recomputes everything: its only cleverness is to be readable.
public struct Oracle: Sendable {
  /// An event with the partition time at which it was taken in, and the policy in force then.
  struct Arrival: Sendable {
    var event: HandoffEvent
    var at: Timestamp
    var policy: Policy
    /// How many changes of what is known of sources came before it.
    var changeCount = 0
  }

  private let policies: [RecordHash: Policy]
  let first: Policy

  /// Judges under `policy`, and under `others` where the log activates them.
  public init(policy: Policy = .default, others: [Policy] = []) {
    first = policy
    policies = Dictionary(
      (others + [policy]).map { ($0.hash, $0) }, uniquingKeysWith: { $1 })
  }

  /// Every alert of every person over the records of one partition, up to `end`; and what was
  /// *undetermined*, as episodes that name the source.
  public func episodes(
    of records: some Sequence<EventRecord>, until end: Timestamp
  ) -> [PatientKey: [Episode]] {
    var time = Timestamp.distantPast
    var policy = first
    var people: [PatientKey: [Arrival]] = [:]
    var changes: [SourceWords.Change] = []
    for record in records {
      time = max(time, record.brokerAt)
      switch record.content {
      case .event(let held):
        let event = held.value
        if let speaker = event.spokenBy {
          changes.append(.init(at: time, .carried(speaker, by: event.source)))
        }
        people[event.patientKey, default: []].append(
          Arrival(event: event, at: time, policy: policy, changeCount: changes.count))
      case .rulesActivation(let activation):
        guard let file = policies[activation.policyHash] else { continue }
        policy = activation.profile.flatMap(file.under) ?? file
        changes.append(.init(at: time, .policy(policy)))
      case .sourceState(let state): changes.append(.init(at: time, .said(state)))
      case .tick, .transfer, .unusable: break
      }
    }
    let last = max(time, end)
    let words = SourceWords(policy: first)
    return people.mapValues { Self.episodes(of: $0, changes, from: words, until: last) }
  }

  /// The alerts of one person: what stands after each arrival, and what falls due before the next.
  private static func episodes(
    of arrivals: [Arrival], _ changes: [SourceWords.Change], from words: SourceWords,
    until end: Timestamp
  ) -> [Episode] {
    var standing = Standing(words)
    var known = Recognition()
    var heardCount = 0
    for (index, arrival) in arrivals.enumerated() {
      for change in changes[heardCount..<arrival.changeCount] { standing.hear(change) }
      heardCount = arrival.changeCount
      standing.advance(to: arrival.at)
      let isNews = known.take(arrival, index: index)
      standing.replace(with: PersonView(known, at: arrival.at), by: arrival, isNews: isNews)
    }
    for change in changes[heardCount...] { standing.hear(change) }
    standing.advance(to: end)
    return standing.episodes.sorted()
  }
}
