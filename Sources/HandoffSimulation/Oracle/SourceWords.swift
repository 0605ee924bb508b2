import HandoffCore

/// What is known of the sources at one moment: who speaks for whom, and how far each has come.
///
/// Honest time, from architecture.md ("The reconciler") and the page of the rules: silence is judged
/// only when every source able to carry the answer is complete up to the deadline.
struct SourceWords {
  /// Something that is learned, and when.
  struct Change {
    enum Content {
      case said(SourceState)
      /// A source brought a word of an organisation.
      case carried(OrganisationID, by: Code)
      case policy(Policy)
    }

    var at: Timestamp
    var content: Content

    init(at: Timestamp, _ content: Content) { (self.at, self.content) = (at, content) }
  }

  private var latest: [Code: SourceState] = [:]
  private var carried: [Code: Set<OrganisationID>] = [:]
  private var policy: Policy

  init(policy: Policy) { self.policy = policy }

  mutating func take(_ change: Change) {
    switch change.content {
    case .said(let state): latest[state.source] = state
    case .carried(let organisation, let source):
      // Where the policy says who speaks for somebody, nothing is learned.
      guard latest[source] != nil, declared(for: organisation).isEmpty else { return }
      carried[source, default: []].insert(organisation)
    case .policy(let policy): self.policy = policy
    }
  }

  /// The first source, by code, that could carry a word of one of `organisations`, and lacks
  /// something of what happened up to `due`; the one that was waited for `before`, where it is one.
  func behind(
    for organisations: Set<OrganisationID>, upTo due: Timestamp, before: Code? = nil,
    besides answered: Code? = nil
  ) -> Code? {
    if latest.isEmpty { return nil }
    let able = organisations.flatMap { organisation in
      let declared = declared(for: organisation)
      return declared.isEmpty
        ? carried.filter { $0.value.contains(organisation) }.map(\.key) : declared
    }
    let behind = able.filter { source in
      guard source != answered, let state = latest[source] else { return false }
      guard let completeUpTo = state.completeUpTo else { return state.condition != .running }
      return completeUpTo < due
    }
    return behind.first { $0 == before } ?? behind.min()
  }

  /// From when on it is said that a source is missing: three of its intervals after the deadline.
  func patienceEnds(of source: Code, since due: Timestamp) -> Timestamp {
    policy.source(source).silenceDue(since: due)
  }

  private func declared(for organisation: OrganisationID) -> [Code] {
    policy.sources.filter { $0.value.organisations.contains(organisation) }.map(\.key)
  }
}
