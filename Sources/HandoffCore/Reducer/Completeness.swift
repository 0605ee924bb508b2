// Honest time (architecture.md, "The reconciler"): silence is judged only when every source that could
// carry the answer has said everything up to the deadline.
//
// - A deadline that has passed hangs on the first source, by code, that is not complete up to it.
//   Nothing is said of it for three of the source's intervals; then it is `undetermined`.
// - When the source is complete up to the deadline it is judged: `opened` is the moment it was due,
//   `knownAt` when that became known.
// - An answer that comes meanwhile is judged by when it happened: in time, nothing was dropped; late,
//   it is judged when the other sources are complete too (`Person+Waiting.swift`).
// - A source of which nothing is known is waited for by nobody.

/// What a partition knows of who carries the word of an organisation, and up to when.
struct Completeness {
  /// The latest word on each source.
  var states: [Code: SourceState]
  /// By organisation, the sources that the policy says speak for it.
  var declared: [OrganisationID: [Code]]
  /// By source, whom it has carried.
  var observed: [Code: Set<OrganisationID>]

  /// The first source, by code, that could carry a word of one of `organisations` and has not said
  /// everything up to `due`; `nil` where all have.
  ///
  /// The one that was waited for `before` is waited for as long as it is behind: a source that falls
  /// back meanwhile does not take its place.
  func hanging(
    on organisations: [OrganisationID?], upTo due: Timestamp, _ policy: Policy,
    before: Code? = nil, besides known: Code? = nil
  ) -> Hanging? {
    let behind = Set(organisations.compactMap(\.self)).flatMap(carriers).filter { source in
      guard source != known, let state = states[source] else { return false }
      return !state.isComplete(upTo: due)
    }
    let first = behind.first { $0 == before } ?? behind.min()
    return first.map {
      Hanging(source: $0, until: policy.source($0).silenceDue(since: due))
    }
  }

  private func carriers(of organisation: OrganisationID) -> [Code] {
    if let declared = declared[organisation] { return declared }
    return observed.filter { $0.value.contains(organisation) }.map(\.key)
  }

  /// By organisation, the sources that a policy says speak for it.
  static func declared(by policy: Policy) -> [OrganisationID: [Code]] {
    var declared: [OrganisationID: [Code]] = [:]
    for (source, row) in policy.sources {
      for organisation in row.organisations { declared[organisation, default: []].append(source) }
    }
    return declared
  }
}

/// What a deadline that has passed waits for, and from when on that is said.
struct Hanging {
  var source: Code
  var until: Timestamp
}

extension SourceState {
  /// Whether everything that happened up to `moment` has been published.
  ///
  /// A source that never says how far it is is taken at its word that it runs.
  func isComplete(upTo moment: Timestamp) -> Bool {
    completeUpTo.map { $0 >= moment } ?? (condition == .running)
  }
}

// MARK: Who could answer

extension Deadline {
  /// The organisations of which one could say what the deadline waits for.
  ///
  /// The sender carries what its own transport says of the request, and what it does next.
  func answerers(_ facts: HandoffFacts) -> [OrganisationID?] {
    switch (rule, cause) {
    // Said at once: no silence, whatever else may still come.
    case (.a11, .withdrawn?), (.a22, .deceased?): []
    case (.a08, .hold?): [facts.from]
    case (.a08, _), (.a09, _), (.a24, _): [facts.to, facts.acceptedBy]
    case (.a07, _), (.a10, _), (.a14, _): [facts.from, facts.to, facts.acceptedBy]
    case (.a11, _), (.a22, _): [facts.from, facts.to]
    case (.a13, _): facts.pending.flatMap { [$0.from, $0.to] }
    default: []
    }
  }
}

// MARK: In the partition

extension PersonReducer {
  /// The most pairs of source and organisation that are learned in a partition.
  static let carriageMax = 1_024

  /// What is known of the sources; `nil` while nothing is.
  var completeness: Completeness? {
    guard !state.sources.isEmpty else { return nil }
    return Completeness(
      states: state.sources, declared: declared, observed: state.carriage)
  }

  /// Learns that a source carries the word of an organisation, where the policy does not say.
  mutating func learnCarrier(of event: HeldEvent) {
    guard !state.sources.isEmpty else { return }
    let source = event.brief.source
    guard let speaker = event.brief.said.spokenBy, state.sources[source] != nil,
      state.carriage[source]?.contains(speaker) != true, declared[speaker] == nil,
      state.carriage.reduce(0, { $0 + $1.value.count }) < Self.carriageMax
    else { return }
    state.carriage[source, default: []].insert(speaker)
  }

  /// Takes a word on a source, and judges what hung on it up to where it is complete now.
  mutating func take(_ source: SourceState, into verdicts: inout [Verdict]) {
    state.sources[source.source] = source
    guard let waiting = hanging[source.source] else { return }
    let ready = waiting.filter { source.isComplete(upTo: $0.value) }
      .sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    for (key, _) in ready {
      hanging[source.source]?[key] = nil
      judgeAgain(key, into: &verdicts)
    }
    if hanging[source.source]?.isEmpty == true { hanging[source.source] = nil }
  }

  /// Judges anew whoever waits, because who carries whose word may have changed.
  mutating func rejudgeHanging(into verdicts: inout [Verdict]) {
    let keys = Set(hanging.values.flatMap(\.keys)).sorted()
    hanging = [:]
    for key in keys { judgeAgain(key, into: &verdicts) }
  }

  private mutating func judgeAgain(_ key: PatientKey, into verdicts: inout [Verdict]) {
    guard let slot = persons.slot(of: key) else { return }
    note(slot)
    var person = persons.person(at: slot)
    evaluate(&person, at: slot, answer: nil, into: &verdicts)
  }

  /// Keeps which sources a person waits for, so that a word on one of them finds it.
  mutating func noteHanging(of person: Person) {
    for alert in person.alerts {
      guard let source = alert.hangsOn else { continue }
      let known = hanging[source]?[person.key] ?? .distantFuture
      hanging[source, default: [:]][person.key] = min(known, alert.opened)
    }
  }
}
