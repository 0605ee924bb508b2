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
  /// Partitions of the events topic, and where a key belongs among them.
  package let placing: Placing
  /// What really happened, of everything that began so far and can be known by the end.
  package private(set) var truths: [Truth] = []
  /// How often each fault was injected so far, whether or not it can be known by the end.
  package private(set) var faultCounts: [Fault: Int] = [:]
  /// Handoffs and persons begun so far.
  package private(set) var journeyCount: UInt64 = 0

  private let writer: JourneyWriter
  private let seed: UInt64
  private var hour: Timestamp
  private var queue = Heap<Waiting>()
  private var waiting: [UInt64: Arrival] = [:]
  private var arrivalCount: UInt64 = 0

  private struct Waiting: Comparable {
    var at: Timestamp
    var number: UInt64

    static func < (left: Self, right: Self) -> Bool {
      (left.at, left.number) < (right.at, right.number)
    }
  }

  /// Makes a simulation of `days` days of a region `scale` times as large as the real one.
  package init(
    seed: UInt64, days: Int = 7, scale: Double = 0.01, faults: FaultPlan = .standard,
    policy: Policy = .default, start: Timestamp = Simulation.defaultStart,
    placing: Placing = Placing()
  ) {
    self.seed = seed
    self.start = start
    self.scale = scale
    self.placing = placing
    end = start.advanced(by: .hours(24 * Int64(max(0, days))))
    hour = start
    // Below this many the same person would be ill twice in a fortnight.
    let people = max(50_000, Int(Double(Region.population) * scale))
    writer = JourneyWriter(
      region: Region(), policy: policy, plan: faults, names: Pseudonyms(seed: seed), seed: seed,
      population: UInt64(people))
  }

  /// The next record of the events topic; `nil` at the end.
  package mutating func next() -> SimulatedRecord? {
    while hour < end, queue.min.map({ $0.at >= hour }) ?? true { begin() }
    guard let first = queue.popMin(), let arrival = waiting.removeValue(forKey: first.number),
      first.at <= end
    else { return nil }
    return SimulatedRecord(arrival, placing)
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
    for truth in journey.truths {
      faultCounts[truth.fault, default: 0] += 1
      if truth.knowableAt <= end { truths.append(truth) }
    }
    for arrival in journey.arrivals where arrival.at <= end {
      arrivalCount += 1
      queue.insert(Waiting(at: arrival.at, number: arrivalCount))
      waiting[arrivalCount] = arrival
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

  init(_ arrival: Arrival, _ placing: Placing) {
    at = arrival.at
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
