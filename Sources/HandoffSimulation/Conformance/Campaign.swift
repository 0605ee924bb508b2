package import HandoffCodecs
package import HandoffCore

/// The reducer against the oracle over the records of simulated regions, one seed after the other.
///
/// Persons who move to another key are not judged by the oracle, and are left out and counted.
package struct Campaign: Sendable {
  /// How large each simulation is, and what goes wrong in it.
  package struct Size: Sendable {
    package var days: Int
    package var scale: Double
    package var faults: FaultPlan
    /// How long both go on after the last day, so that what is armed falls due.
    package var rest: Elapsed

    package init(
      days: Int = 3, scale: Double = 0.001, faults: FaultPlan = .dense, rest: Elapsed = .hours(4800)
    ) {
      (self.days, self.scale, self.faults, self.rest) = (days, scale, faults, rest)
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
  package private(set) var movedCount = 0
  package private(set) var equal: [Rule: Int] = [:]
  package private(set) var onlyReducer: [Rule: Int] = [:]
  package private(set) var onlyOracle: [Rule: Int] = [:]
  /// How often each fault fired.
  package private(set) var faultCounts: [Fault: Int] = [:]
  package private(set) var finding: Finding?

  package init(_ size: Size = Size()) { self.size = size }

  /// Runs one more seed; of the first difference the least records are sought, unless not asked for.
  package mutating func run(seed: UInt64, shrinking: Bool = true) {
    var simulation = Simulation(
      seed: seed, days: size.days, scale: size.scale, faults: size.faults,
      placing: Placing(partitionCount: 1))
    var log = SimulatedLog(topic: eventsTopic, partition: 0)
    var records: [Recorded] = []
    var moved: Set<PatientKey> = []
    while let next = simulation.next() {
      let stored = log.append(next.record, at: next.at)
      log.trim(before: stored.coordinates.offset)
      let read = SimulatedOwner.record(stored, simulation.placing)
      guard case .event(let event) = read.content else { continue }
      if let target = event.movesTo { moved.formUnion([event.patientKey, target]) }
      records.append(Recorded(stored: stored, read: read, person: event.patientKey))
    }
    movedCount += moved.count
    records.removeAll { moved.contains($0.person) }
    seedCount += 1
    eventCount += records.count
    personCount += Set(records.map(\.person)).count
    faultCounts.merge(simulation.faultCounts, uniquingKeysWith: +)
    let end = simulation.end.advanced(by: size.rest)
    let found = Conformance(records: records.map(\.read), until: end)
    count(found, seed: seed)
    guard shrinking, finding == nil, let first = found.differences.first else { return }
    let least = Self.least(records.filter { $0.person == first.person }) { some in
      !Conformance(records: some.map(\.read), until: end).differences.isEmpty
    }
    let shown = Conformance(records: least.map(\.read), until: end).differences.first ?? first
    finding = Finding(seed: seed, difference: shown, records: least.map(\.stored))
  }

  private mutating func count(_ found: Conformance, seed: UInt64) {
    equal.merge(found.equal, uniquingKeysWith: +)
    for difference in found.differences {
      let rule = difference.episode.key.rule
      if difference.isOfReducer {
        onlyReducer[rule, default: 0] += 1
      } else {
        onlyOracle[rule, default: 0] += 1
      }
    }
    if !found.differences.isEmpty { differingSeeds.append(seed) }
  }

  /// A record as it is stored, and what it says.
  private struct Recorded {
    var stored: StoredRecord
    var read: EventRecord
    var person: PatientKey
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
