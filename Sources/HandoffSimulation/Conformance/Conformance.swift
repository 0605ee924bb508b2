public import HandoffCore

/// What the reducer says over records of one partition, held against what the oracle says.
public struct Conformance: Sendable {
  /// An alert that one of the two has and the other has not.
  public struct Difference: Hashable, Sendable, CustomStringConvertible {
    public var person: PatientKey
    public var episode: Episode
    /// The reducer said it, and the oracle does not know it; or the other way round.
    public var isOfReducer: Bool

    public var description: String {
      "\(isOfReducer ? "reducer only" : "oracle only"): \(episode)"
    }
  }

  /// How often both said the same, by rule.
  public private(set) var equal: [Rule: Int] = [:]
  /// How often both said that it cannot be judged, by rule.
  public private(set) var equalUndetermined: [Rule: Int] = [:]
  public private(set) var differences: [Difference] = []
  /// Where the reducer's books are not what a count of the records comes to.
  public private(set) var booksDifferences: [BooksDifference] = []
  /// Whether every page of the books balances.
  public private(set) var isBalanced = true

  /// Runs both over `records`, and on to `end`.
  ///
  /// Episodes are compared by rule, handoff, limb, opening and end; those of A01 to A03, which are
  /// about messages, by rule, opening and end. The reducer's books are held against a second count.
  ///
  /// With a policy of the `oracle`'s own that one judges by it, to show that a difference is found.
  public init(
    records: [EventRecord], until end: Timestamp, policy: Policy = .default, oracle: Policy? = nil
  ) {
    let (said, books) = Self.reducerEpisodes(records, until: end, policy)
    isBalanced = books.isBalanced
    booksDifferences = PartitionCount(records).differences(from: books)
    let due = Oracle(policy: oracle ?? policy).episodes(of: records, until: end)
    for person in Set(said.keys).union(due.keys).sorted() {
      var rest = said[person, default: []]
      for episode in due[person, default: []].map(Self.compared) {
        if let position = rest.firstIndex(of: episode) {
          rest.remove(at: position)
          if episode.waitsFor == nil {
            equal[episode.key.rule, default: 0] += 1
          } else {
            equalUndetermined[episode.key.rule, default: 0] += 1
          }
        } else {
          differences.append(Difference(person: person, episode: episode, isOfReducer: false))
        }
      }
      differences += rest.map { Difference(person: person, episode: $0, isOfReducer: true) }
    }
  }

  private static func reducerEpisodes(
    _ records: [EventRecord], until end: Timestamp, _ policy: Policy
  ) -> ([PatientKey: [Episode]], Books) {
    var reducer = PersonReducer(policy: policy, topic: "handoff.events.v1", partition: 0)
    var verdicts = records.flatMap { reducer.apply($0) }
    verdicts += reducer.advance(to: end)
    var open: [AlertID: Episode] = [:]
    var episodes: [PatientKey: [Episode]] = [:]
    for verdict in verdicts {
      guard let person = verdict.patientKey else { continue }
      switch verdict.action {
      case .opened: open[verdict.alertID] = episode(verdict)
      case .changed:
        let known = open[verdict.alertID]?.known
        open[verdict.alertID] = episode(verdict)
        open[verdict.alertID]?.known = known
      case .resolved:
        // What was undetermined is not resolved as an alert that was opened is.
        guard var episode = open.removeValue(forKey: verdict.alertID) else { continue }
        episode.resolved = verdict.resolvedAt
        episodes[person, default: []].append(compared(episode))
      case .undetermined: episodes[person, default: []].append(compared(episode(verdict)))
      }
    }
    for verdict in verdicts {
      guard let person = verdict.patientKey, let last = open.removeValue(forKey: verdict.alertID)
      else { continue }
      episodes[person, default: []].append(compared(last))
    }
    return (episodes, reducer.state.books)
  }

  private static func episode(_ verdict: Verdict) -> Episode {
    let key = Claim.Key(
      rule: verdict.rule, handoff: verdict.handoffID,
      cause: verdict.cause?.description ?? "", event: verdict.beganWith)
    return Episode(
      key: key, opened: verdict.opened, resolved: nil, known: verdict.knownAt,
      waitsFor: verdict.hangsOn)
  }

  private static func compared(_ episode: Episode) -> Episode {
    var episode = episode
    // Of A13 it is one alert, whichever answer was the first.
    if episode.key.rule <= .a03 || episode.key.rule == .a13 { episode.key.event = nil }
    if episode.key.rule <= .a03 { (episode.key.handoff, episode.key.cause) = (nil, "") }
    return episode
  }
}
