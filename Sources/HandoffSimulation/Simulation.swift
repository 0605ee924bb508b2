package import HandoffCodecs
package import HandoffCore
internal import HeapModule

/// A region's handoffs as they arrive on the bus, in the order of the broker's time.
///
/// A sequence that is made as it is read: memory holds what is still to arrive of journeys that
/// have begun, and no more. The same seed, days, scale and faults give the same bytes on every
/// machine.
package struct Simulation: Sendable {
  /// The first moment: Monday 2 November 2026, 00:00 in London.
  package static let defaultStart = Timestamp(milliseconds: 1_793_577_600_000)

  package let start: Timestamp
  package let end: Timestamp
  package let scale: Double
  /// Between two heartbeats of a connector; `nil` where connectors say nothing of themselves.
  package let heartbeat: Elapsed?
  /// What the bus is to judge by: the policy, with a row for each connector, and the region's
  /// register of organisations.
  package let policy: Policy
  /// When a profile of it is switched on and off; `nil` where none is.
  let switches: PolicySwitches?
  /// Partitions of the events topic, and where a key belongs among them.
  package let placing: Placing
  /// What really happened, of everything that began so far and can be known by the end.
  package private(set) var truths: [Truth] = []
  /// How often each fault was drawn so far, whether or not it can be known by the end.
  package private(set) var faultCounts: [Fault: Int] = [:]
  /// Handoffs and persons begun so far.
  package private(set) var journeyCount: UInt64 = 0

  /// What connectors say of themselves, up to the record that was given last; ``takeSources()``
  /// empties it.
  private var feed: SourceFeed?
  /// The latest events of each connector, for who sends them all again.
  private var latest: [Code: [Arrival]] = [:]
  private var storms: Set<Storm> = []
  private let writer: JourneyWriter
  private let seed: UInt64
  private var hour: Timestamp
  private var queue = Heap<Waiting>()
  private var waiting: [UInt64: Arrival] = [:]
  private var arrivalCount: UInt64 = 0

  private struct Storm: Hashable {
    var source: Code
    var from: Timestamp
  }

  private struct Waiting: Comparable {
    var at: Timestamp
    var number: UInt64

    static func < (left: Self, right: Self) -> Bool {
      (left.at, left.number) < (right.at, right.number)
    }
  }

  /// Makes a simulation of `days` days of a region `scale` times as large as the real one.
  ///
  /// With a time between two heartbeats connectors speak for themselves, and have faults of their
  /// own; without it nothing is known of them.
  package init(
    seed: UInt64, days: Int = 7, scale: Double = 0.01, faults: FaultPlan = .standard,
    policy: Policy = .default, start: Timestamp = Simulation.defaultStart,
    placing: Placing = Placing(), heartbeat: Elapsed? = nil
  ) {
    self.seed = seed
    self.start = start
    self.scale = scale
    self.placing = placing
    end = start.advanced(by: .hours(24 * Int64(max(0, days))))
    hour = start
    // Below this many the same person would be ill twice in a fortnight.
    let people = max(50_000, Int(Double(Region.population) * scale))
    let region = Region()
    let names = Pseudonyms(seed: seed)
    let calendar = heartbeat.map {
      SourceCalendar(
        seed: seed, start: start, plan: faults, sources: region.sources, interval: $0)
    }
    self.heartbeat = heartbeat
    self.policy = Self.policy(policy, of: region, from: start, heartbeat)
    let isSwitched = faults.rates[.policySwitched, default: 0] > 0
    switches = isSwitched ? PolicySwitches(self.policy, from: start, to: end) : nil
    feed = calendar.map { SourceFeed($0, names) }
    writer = JourneyWriter(
      region: region, policy: policy, plan: faults, names: names, seed: seed,
      population: UInt64(people), hearing: Hearing(calendar: calendar), switches: switches)
    if let switches {
      note(
        [switches.on, switches.off].map {
          Truth(
            fault: .policySwitched, rule: nil, subject: .bus, happenedAt: $0, knowableAt: $0)
        })
    }
  }

  /// The next record of the events topic; `nil` at the end.
  package mutating func next() -> SimulatedRecord? {
    while hour < end, queue.min.map({ $0.at >= hour }) ?? true { begin() }
    guard let first = queue.popMin(), let arrival = waiting.removeValue(forKey: first.number),
      first.at <= end
    else {
      feed?.finish(at: end)
      return nil
    }
    if feed != nil { hear(arrival, at: first.at) }
    return SimulatedRecord(arrival, at: first.at, placing)
  }

  /// What connectors said of themselves up to the record that was given last.
  package mutating func takeSources() -> [SourceArrival] {
    guard let taken = feed?.take() else { return [] }
    note(taken.truths)
    return taken.arrivals
  }

  /// What a run that begins at `start` is judged by: `base`, with a row for each connector and the
  /// register of the region.
  package static func policy(
    _ base: Policy = .default, from start: Timestamp = defaultStart, heartbeat: Elapsed?
  ) -> Policy {
    policy(base, of: Region(), from: start, heartbeat)
  }

  private static func policy(
    _ base: Policy, of region: Region, from start: Timestamp, _ heartbeat: Elapsed?
  ) -> Policy {
    var policy = base
    if policy.register == nil { policy.register = region.register(from: start) }
    if !policy.profiles.contains(where: { $0.name == PolicySwitches.name }) {
      policy.profiles.append(PolicySwitches.profile(of: policy))
    }
    guard let heartbeat else { return policy }
    for (code, organisations) in region.organisations where policy.sources[code] == nil {
      var source = SourcePolicy()
      source.interval = heartbeat
      source.organisations = organisations
      source.maintenance = [SourceCalendar.window]
      policy.sources[code] = source
    }
    return policy
  }

  private mutating func note(_ truths: [Truth]) {
    for truth in truths {
      faultCounts[truth.fault, default: 0] += 1
      if truth.knowableAt <= end { self.truths.append(truth) }
    }
  }

  /// Takes the truths known since the last call, so that a long run holds none of them.
  package mutating func takeTruths() -> [Truth] {
    defer { truths = [] }
    return truths
  }

  /// Begins the journeys of the next hour.
  private mutating func begin() {
    for (index, demand) in Demand.all.enumerated() {
      var chance = Chance(
        seed: seed, 2, UInt64(bitPattern: hour.milliseconds), UInt64(index))
      let expected = demand.expected(inHourFrom: hour) * scale
      var count = Int(expected)
      if chance.happens(expected - Double(count)) { count += 1 }
      for _ in 0..<count {
        let at = hour.advanced(by: chance.span(.zero, .hours(1)))
        journeyCount += 1
        admit(writer.journey(of: Occasion(demand: demand, at: at, number: journeyCount)))
      }
    }
    hour = hour.advanced(by: .hours(1))
  }

  private mutating func admit(_ journey: Journey) {
    note(journey.truths)
    for arrival in journey.arrivals { admit(arrival) }
  }

  private mutating func admit(_ arrival: Arrival) {
    if arrival.isOfConnector { feed?.expect(at: arrival.at, of: arrival.event.source) }
    let at = feed?.calendar.arrival(arrival.event.source, at: arrival.at) ?? arrival.at
    guard at <= end else { return }
    arrivalCount += 1
    queue.insert(Waiting(at: at, number: arrivalCount))
    waiting[arrivalCount] = arrival
  }

  // MARK: Connectors

  /// A connector takes in a message, which arrives at `time`.
  private mutating func hear(_ arrival: Arrival, at time: Timestamp) {
    feed?.advance(to: time)
    guard arrival.isOfConnector else { return }
    feed?.receive(arrival, at: time)
    let source = arrival.event.source
    // A merge that is said again is followed already, and no repeat of anything.
    let isPlain = arrival.event.type != .handoffRequested && arrival.event.movesTo == nil
    if arrival.isAlone, arrival.again == nil, isPlain {
      latest[source, default: []].append(arrival)
    }
    if latest[source, default: []].count > 30 { latest[source]?.removeFirst() }
    guard let day = feed?.calendar.day(source, at: time), day.fault == .resendStorm,
      day.from <= time, storms.insert(Storm(source: source, from: day.from)).inserted
    else { return }
    storm(source, at: time)
  }

  /// An engine that lost its place sends again what it sent last.
  private mutating func storm(_ source: Code, at time: Timestamp) {
    var chance = Chance(seed: seed, 7, UInt64(bitPattern: time.nanoseconds))
    var at = time
    var count = 0
    let sent = latest.removeValue(forKey: source) ?? []
    // Of this day only: an older message is not known again by its source.
    for arrival in sent where time.since(arrival.at) < .hours(20) {
      at = at.advanced(by: chance.span(.seconds(5), .seconds(40))).roundedUp
      var again = arrival
      again.at = at
      again.again = .sender
      again.event.receptionID = Pseudonyms.receptionID(at: at, &chance)
      let subject = Verdict.Subject(again.event.patientKey, handoffID: again.event.handoffID)
      note([
        Truth(
          fault: .resendStorm, rule: .a01, subject: subject, happenedAt: time, knowableAt: at)
      ])
      admit(again)
      count += 1
      guard count == 10 else { continue }
      note([
        Truth(
          fault: .resendStorm, rule: .a01, subject: .source(source), happenedAt: time,
          knowableAt: at)
      ])
    }
  }
}

/// One record on its way to the bus.
package struct SimulatedRecord: Sendable {
  /// Of the events topic.
  package var partition: Int32
  /// The broker's time, which it will bear.
  package var at: Timestamp
  package var record: WireRecord
  /// What it says; `nil` where its bytes are broken.
  package var event: HandoffEvent?

  init(_ arrival: Arrival, at time: Timestamp, _ placing: Placing) {
    at = time
    record = WireCodec().encode(arrival.event)
    event = arrival.event
    partition = placing.partition(of: record.key ?? [])
    switch arrival.mishap {
    case .broken:
      // Cut inside the last field: what is left is no message.
      record.value = record.value.map { Array($0.dropLast(3)) }
      event = nil
    case .misplaced: partition = (partition + 1) % placing.partitionCount
    case nil: break
    }
  }
}

/// How many partitions there are, and which of them a key belongs to.
package struct Placing: Sendable {
  package let partitionCount: Int32
  private let function: @Sendable ([UInt8]) -> Int32

  /// `function` is the partitioner of the producers; without it the keys are spread by a hash that
  /// is not Kafka's.
  package init(partitionCount: Int32 = 4, by function: (@Sendable ([UInt8]) -> Int32)? = nil) {
    self.partitionCount = partitionCount
    self.function =
      function
      ?? { key in
        let hash = key.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
          ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return Int32((hash >> 20) % UInt64(partitionCount))
      }
  }

  package func partition(of key: [UInt8]) -> Int32 { function(key) }
}
