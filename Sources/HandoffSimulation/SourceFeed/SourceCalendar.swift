internal import HandoffCore

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
    let midnight = start.advanced(by: Elapsed(nanoseconds: number * length))
    let date = LondonTime(midnight.advanced(by: .hours(12))).date
    if date.weekday == 7 { return maintenance(on: date, &chance) }
    guard let fault = plan.draw(among: Self.faults, &chance) else { return nil }
    let from = midnight.advanced(by: chance.span(.hours(8), .hours(13)))
    let beats =
      fault == .sourceRestarted
      ? chance.span(part(1, 2), part(3, 2)) : chance.span(part(9, 2), part(9, 1))
    return SourceDay(fault: fault, from: from, to: from.advanced(by: beats))
  }

  private static let faults = Fault.ofSources.filter { $0 != .sourceMaintained }

  private func part(_ dividend: Int64, _ divisor: Int64) -> Elapsed {
    Elapsed(nanoseconds: interval.nanoseconds * dividend / divisor)
  }

  // MARK: Maintenance

  /// When every connector may be silent, each week: Sunday from 02:00 on, for two hours.
  static let window = MaintenanceWindow.weekly(weekday: 7, at: .hours(2), length: .hours(2))

  /// Every other Sunday a connector makes use of it, and on that day nothing else befalls it.
  private func maintenance(on date: CivilDate, _ chance: inout Chance) -> SourceDay? {
    guard plan.rates[.sourceMaintained, default: 0] > 0, chance.happens(0.5) else { return nil }
    let from = LondonTime(date: date, timeOfDay: .hours(2)).timestamp
      .advanced(by: chance.span(.minutes(5), .minutes(15)))
    return SourceDay(
      fault: .sourceMaintained, from: from,
      to: from.advanced(by: chance.span(.minutes(50), .minutes(90))))
  }

  // MARK: What arrives when

  /// When something that a connector takes in at `time` reaches the bus.
  func arrival(_ source: Code, at time: Timestamp) -> Timestamp {
    guard let day = day(source, at: time), day.isSpooled, day.from <= time, time < day.to else {
      return time
    }
    // At once, and in the order in which it was taken in.
    let place = Elapsed(nanoseconds: time.since(day.from).nanoseconds / 2_000)
    return day.to.advanced(by: .seconds(2)).advanced(by: place).roundedUp
  }

  /// A connector's first heartbeat after `time`.
  ///
  /// Each beats at moments of its own, and once more when it has handed over what it kept.
  func beat(_ source: Code, after time: Timestamp) -> Timestamp {
    let next = regularBeat(source, after: time)
    guard let day = day(source, at: next), day.isSpooled, day.from <= next, time < day.end else {
      return next
    }
    return day.isMute || day.end <= next ? day.end : next
  }

  private func regularBeat(_ source: Code, after time: Timestamp) -> Timestamp {
    let share = Int64(positions[source] ?? 0) * interval.nanoseconds / Int64(max(1, sources.count))
    // Whole milliseconds, as brokers keep them.
    let base = start.advanced(by: Elapsed(nanoseconds: share / 1_000_000 * 1_000_000))
    guard time >= base else { return base }
    let count = time.since(base).nanoseconds / interval.nanoseconds + 1
    return base.advanced(by: Elapsed(nanoseconds: count * interval.nanoseconds))
  }

  /// Up to where a connector has said everything, by its heartbeat at `time`.
  func completeness(_ source: Code, at time: Timestamp) -> Timestamp {
    // What was taken in a moment ago may still be on its way.
    let moment = Elapsed.seconds(-1)
    guard let day = day(source, at: time), day.isSpooled, day.from <= time, time < day.end else {
      return time.advanced(by: moment)
    }
    return day.from.advanced(by: moment)
  }

  /// When it is known that a connector has said everything up to `moment`.
  func completion(_ source: Code, upTo moment: Timestamp) -> Timestamp {
    var at = beat(source, after: moment)
    while completeness(source, at: at) < moment { at = beat(source, after: at) }
    return at
  }
}
