public import HandoffCore

/// What the source reducer says over records of the sources topic, held against what the oracle says.
public struct SourceConformance: Sendable {
  /// An alert that one of the two has and the other has not.
  public struct Difference: Hashable, Sendable, CustomStringConvertible {
    public var source: Code
    public var episode: SourceOracle.Episode
    /// The reducer said it, and the oracle does not know it; or the other way round.
    public var isOfReducer: Bool

    public var description: String {
      "\(isOfReducer ? "reducer only" : "oracle only"): \(source) \(episode)"
    }
  }

  /// How often both said the same, by rule.
  public private(set) var equal: [Rule: Int] = [:]
  public private(set) var differences: [Difference] = []

  /// The rules that are compared; S09 and S10, which are read off one record, are not.
  public static let rules: Set<Rule> = [.a01, .a03, .a13, .a16, .a18, .a19, .a25, .a26, .a27, .s11]

  /// Runs both over `records`, and on to `end`.
  ///
  /// Alerts are compared by source, rule, limb, opening and end.
  ///
  /// With a policy of the `oracle`'s own that one judges by it, to show that a difference is found.
  public init(
    records: [SourceTopicRecord], until end: Timestamp, policy: Policy = .default,
    oracle: Policy? = nil
  ) {
    let said = Self.reducerEpisodes(records, until: end, policy)
    let due = SourceOracle(policy: oracle ?? policy).episodes(of: records, until: end)
    for source in Set(said.keys).union(due.keys).sorted() {
      var rest = said[source, default: []]
      for episode in due[source, default: []] {
        if let position = rest.firstIndex(of: episode) {
          rest.remove(at: position)
          equal[episode.rule, default: 0] += 1
        } else {
          differences.append(Difference(source: source, episode: episode, isOfReducer: false))
        }
      }
      differences += rest.sorted().map {
        Difference(source: source, episode: $0, isOfReducer: true)
      }
    }
  }

  private static func reducerEpisodes(
    _ records: [SourceTopicRecord], until end: Timestamp, _ policy: Policy
  ) -> [Code: [SourceOracle.Episode]] {
    var reducer = SourceReducer(policy: policy, topic: sourcesTopic, partition: 0)
    var verdicts = records.flatMap { reducer.apply($0) }
    verdicts += reducer.advance(to: end)
    var last: [AlertID: Verdict] = [:]
    var order: [AlertID] = []
    for verdict in verdicts where rules.contains(verdict.rule) {
      if last.updateValue(verdict, forKey: verdict.alertID) == nil {
        order.append(verdict.alertID)
      }
    }
    var episodes: [Code: [SourceOracle.Episode]] = [:]
    for id in order {
      guard let verdict = last[id], case .source(let source) = verdict.subject else { continue }
      episodes[source, default: []].append(
        SourceOracle.Episode(
          rule: verdict.rule, cause: verdict.cause?.description ?? "", opened: verdict.opened,
          resolved: verdict.resolvedAt))
    }
    return episodes
  }
}
