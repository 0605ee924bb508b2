package import HandoffCodecs
package import HandoffCore

/// The reducers against the oracles over the records of simulated regions, one seed after the other.
///
/// Of each seed people are judged over its events, in one of four with a profile that is switched on
/// and off; once more with what is known of the sources among them, so that silence waits for its
/// sources; and sources over what connectors say of themselves in the same region.
/// Of persons who move to another key only the merge is judged (A16); they are left out of the rest.
/// The books of whoever is judged are held against a second count.
package struct Campaign: Sendable {
  /// How large each simulation is, and what goes wrong in it.
  package struct Size: Sendable {
    package var days: Int
    package var scale: Double
    package var faults: FaultPlan
    /// How long both go on after the last day, so that what is armed falls due.
    package var rest: Elapsed
    /// What the oracle alone judges by, to show that a difference is found.
    package var oracle: Policy?

    package init(
      days: Int = 3, scale: Double = 0.001, faults: FaultPlan = .dense,
      rest: Elapsed = .hours(4800), oracle: Policy? = nil
    ) {
      (self.days, self.scale, self.faults, self.rest) = (days, scale, faults, rest)
      self.oracle = oracle
    }
  }

  /// The first difference, with the least of the person's records that still show one.
  package struct Finding: Sendable {
    package var seed: UInt64
    package var difference: Conformance.Difference
    package var records: [StoredRecord]
  }

  private let size: Size
  package private(set) var seedCount = 0
  package private(set) var differingSeeds: [UInt64] = []
  package private(set) var eventCount = 0
  package private(set) var personCount = 0
  /// Keys of persons who moved from one to another.
  package private(set) var movedCount = 0
  /// Merges of two keys that were judged (A16).
  package private(set) var mergeCount = 0
  /// What differs of them, in words.
  package private(set) var mergeDifferences: [String] = []
  /// How many events the books that were counted again are of.
  package private(set) var bookedCount = 0
  /// What differs of the books, in words.
  package private(set) var booksDifferences: [String] = []
  package private(set) var equal: [Rule: Int] = [:]
  package private(set) var onlyReducer: [Rule: Int] = [:]
  package private(set) var onlyOracle: [Rule: Int] = [:]
  /// The same of people whose silence waits for sources.
  package private(set) var equalOfWaiting: [Rule: Int] = [:]
  package private(set) var onlyReducerOfWaiting: [Rule: Int] = [:]
  package private(set) var onlyOracleOfWaiting: [Rule: Int] = [:]
  /// How often both said of them that it cannot be judged.
  package private(set) var equalUndetermined: [Rule: Int] = [:]
  /// The same of the rules about sources.
  package private(set) var equalOfSources: [Rule: Int] = [:]
  package private(set) var onlyReducerOfSources: [Rule: Int] = [:]
  package private(set) var onlyOracleOfSources: [Rule: Int] = [:]
  package private(set) var statementCount = 0
  package private(set) var switchCount = 0
  /// How often each fault was drawn; the switches of the policy that were read, not those drawn.
  package private(set) var faultCounts: [Fault: Int] = [:]
  package private(set) var finding: Finding?
  /// The first difference about a source.
  package private(set) var sourceFinding: (seed: UInt64, difference: SourceConformance.Difference)?

  package init(_ size: Size = Size()) { self.size = size }

  /// Runs one more seed; of the first difference the least records are sought, unless not asked for.
  package mutating func run(seed: UInt64, shrinking: Bool = true) {
    seedCount += 1
    let before = mergeDifferences.count + booksDifferences.count
    let differs = [
      runPeople(seed: seed, shrinking: shrinking), runWaiting(seed: seed, shrinking: shrinking),
      runSources(seed: seed), mergeDifferences.count + booksDifferences.count > before,
    ]
    if differs.contains(true) { differingSeeds.append(seed) }
  }

  /// Whether the two differ about a person.
  private mutating func runPeople(seed: UInt64, shrinking: Bool) -> Bool {
    let region = Recording(seed: seed, size, heartbeat: nil)
    switchCount += region.switchCount
    movedCount += region.moved.count
    judgeMerges(region, seed: seed)
    let people = region.ofThoseWhoStay.compactMap(\.person)
    eventCount += people.count
    personCount += Set(people).count
    faultCounts.merge(region.faultCounts, uniquingKeysWith: +)
    faultCounts[.policySwitched] = switchCount
    let found = judge(region, shrinking: shrinking, seed: seed)
    equal.merge(found.equal, uniquingKeysWith: +)
    Self.count(found.differences, &onlyReducer, &onlyOracle)
    return !found.differences.isEmpty
  }

  /// Whether the two differ about a person whose silence waits for sources.
  private mutating func runWaiting(seed: UInt64, shrinking: Bool) -> Bool {
    let region = Recording(seed: seed, size, heartbeat: Self.heartbeat)
    let found = judge(region, shrinking: shrinking, seed: seed)
    equalOfWaiting.merge(found.equal, uniquingKeysWith: +)
    equalUndetermined.merge(found.equalUndetermined, uniquingKeysWith: +)
    Self.count(found.differences, &onlyReducerOfWaiting, &onlyOracleOfWaiting)
    return !found.differences.isEmpty
  }

  /// Between two heartbeats of a connector.
  static let heartbeat = Elapsed.minutes(15)

  private mutating func judge(_ region: Recording, shrinking: Bool, seed: UInt64) -> Conformance {
    var oracle = size.oracle
    oracle?.register = region.policy.register
    oracle?.sources = region.policy.sources
    func judge(_ some: [Recording.Entry]) -> Conformance {
      Conformance(
        records: some.map(\.read), until: region.end, policy: region.policy, oracle: oracle)
    }
    let all = region.ofThoseWhoStay
    let found = judge(all)
    bookedCount += all.count { $0.person != nil }
    booksDifferences += found.booksDifferences.map { difference in
      "seed \(seed): \(difference.side.rawValue) \(difference.kind?.description ?? "in all"), "
        + "booked \(difference.booked), counted \(difference.counted)"
    }
    if !found.isBalanced { booksDifferences.append("seed \(seed): a page does not balance") }
    guard let first = found.differences.first, shrinking, finding == nil else { return found }
    let least = Self.least(all.filter { $0.person == first.person || $0.person == nil }) {
      !judge($0).differences.isEmpty
    }
    let shown = judge(least).differences.first ?? first
    finding = Finding(seed: seed, difference: shown, records: least.map(\.stored))
    return found
  }

  /// A16 of everybody who moved from one key to another, and no further.
  private mutating func judgeMerges(_ region: Recording, seed: UInt64) {
    for (key, others) in region.moved.sorted(by: { $0.key < $1.key }) {
      guard others.count == 1, let other = others.first, key < other,
        region.moved[other] == [key]
      else { continue }
      mergeCount += 1
      let mine = region.entries.filter { $0.person == key || $0.person == other }
      let found = IdentityConformance(
        records: mine.map(\.stored), until: region.end, policy: .default)
      equal[.a16, default: 0] += found.equal
      guard !found.isEqual else { continue }
      onlyReducer[.a16, default: 0] += found.onlyReducer.count
      onlyOracle[.a16, default: 0] += found.onlyOracle.count
      mergeDifferences.append(
        "seed \(seed): reducer only \(found.onlyReducer), oracle only \(found.onlyOracle)")
    }
  }

  /// Whether the two differ about a source.
  private mutating func runSources(seed: UInt64) -> Bool {
    var simulation = Simulation(
      seed: seed, days: size.days, scale: size.scale, faults: size.faults,
      placing: Placing(partitionCount: 1), heartbeat: Self.heartbeat)
    var log = SimulatedLog(topic: sourcesTopic, partition: 0)
    var records: [SourceTopicRecord] = []
    var isOver = false
    while !isOver {
      isOver = simulation.next() == nil
      for arrival in simulation.takeSources() where !arrival.isBroken {
        let stored = log.append(WireCodec().encode(arrival.statement), at: arrival.at)
        log.trim(before: stored.coordinates.offset)
        records.append(SimulatedSources.record(stored))
      }
    }
    statementCount += records.count
    for (fault, count) in simulation.faultCounts where Fault.ofSources.contains(fault) {
      faultCounts[fault, default: 0] += count
    }
    let found = SourceConformance(
      records: records, until: simulation.end, policy: simulation.policy)
    equalOfSources.merge(found.equal, uniquingKeysWith: +)
    for difference in found.differences {
      if difference.isOfReducer {
        onlyReducerOfSources[difference.episode.rule, default: 0] += 1
      } else {
        onlyOracleOfSources[difference.episode.rule, default: 0] += 1
      }
    }
    guard let first = found.differences.first else { return false }
    if sourceFinding == nil { sourceFinding = (seed, first) }
    return true
  }

  private static func count(
    _ differences: [Conformance.Difference], _ onlyReducer: inout [Rule: Int],
    _ onlyOracle: inout [Rule: Int]
  ) {
    for difference in differences {
      let rule = difference.episode.key.rule
      if difference.isOfReducer {
        onlyReducer[rule, default: 0] += 1
      } else {
        onlyOracle[rule, default: 0] += 1
      }
    }
  }

  /// The least of `all`, in order, that still fails: none of it can be left out (delta debugging).
  static func least<Element>(_ all: [Element], fails: ([Element]) -> Bool) -> [Element] {
    var kept = all
    var length = max(1, kept.count / 2)
    while true {
      var isLess = false
      var start = 0
      while start < kept.count {
        var rest = kept
        rest.removeSubrange(start..<min(start + length, kept.count))
        if fails(rest) {
          kept = rest
          isLess = true
        } else {
          start += length
        }
      }
      if length == 1, !isLess { return kept }
      length = max(1, length / 2)
    }
  }
}
