internal import HandoffCore

/// What befalls one connector on one day.
struct SourceDay: Hashable, Sendable {
  var fault: Fault
  var from: Timestamp
  var to: Timestamp

  /// Whether what the connector takes in meanwhile reaches the bus only at the end.
  var isSpooled: Bool { [.sourceSilent, .sourceBehind, .sourceRestarted].contains(fault) }
}

/// Draws the days of connectors: a function of seed, connector and day, so that whoever asks gets
/// the same answer.
struct SourceCalendar: Sendable {
  let seed: UInt64
  let start: Timestamp
  let plan: FaultPlan
  let sources: [Code]
  /// Between two heartbeats.
  let interval: Elapsed
  private let positions: [Code: Int]

  init(seed: UInt64, start: Timestamp, plan: FaultPlan, sources: [Code], interval: Elapsed) {
    (self.seed, self.start, self.plan) = (seed, start, plan)
    (self.sources, self.interval) = (sources, interval)
    positions = Dictionary(uniqueKeysWithValues: zip(sources, sources.indices))
  }

  /// What befalls a connector on the day of `time`; `nil` on an ordinary day.
  func day(_ source: Code, at time: Timestamp) -> SourceDay? {
    guard let position = positions[source], time >= start else { return nil }
    let length = Elapsed.hours(24).nanoseconds
    let number = time.since(start).nanoseconds / length
    var chance = Chance(seed: seed, 5, UInt64(position), UInt64(number))
    guard let fault = plan.draw(among: Fault.ofSources, &chance) else { return nil }
    let midnight = start.advanced(by: Elapsed(nanoseconds: number * length))
    let from = midnight.advanced(by: chance.span(.hours(8), .hours(13)))
    let beats =
      fault == .sourceRestarted
      ? chance.span(
        Elapsed(nanoseconds: interval.nanoseconds / 2),
        Elapsed(nanoseconds: interval.nanoseconds * 3 / 2))
      : chance.span(
        Elapsed(nanoseconds: interval.nanoseconds * 9 / 2),
        Elapsed(nanoseconds: interval.nanoseconds * 9))
    return SourceDay(fault: fault, from: from, to: from.advanced(by: beats))
  }

  /// When something that a connector takes in at `time` reaches the bus.
  func arrival(_ source: Code, at time: Timestamp) -> Timestamp {
    guard let day = day(source, at: time), day.isSpooled, day.from <= time, time < day.to else {
      return time
    }
    // At once, and in the order in which it was taken in.
    let place = Elapsed(nanoseconds: time.since(day.from).nanoseconds / 1_000)
    return day.to.advanced(by: .seconds(2)).advanced(by: place).roundedUp
  }
}
