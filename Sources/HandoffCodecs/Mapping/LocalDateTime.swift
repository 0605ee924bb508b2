import HandoffCore

/// A date and time of day before it is known which zone they belong to.
struct LocalDateTime: Hashable, Sendable {
  private let date: CivilDate
  private let timeOfDay: Elapsed

  /// `nil` where there is no such day or time of day, or it lies outside 1800 to 2200.
  init?(
    year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, nanosecond: Int = 0
  ) {
    guard (1800...2200).contains(year), (0...23).contains(hour), (0...59).contains(minute),
      (0...60).contains(second), let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    self.date = date
    // A leap second is the last one of its minute: the timeline here has none.
    let seconds = Int64(hour * 3600 + minute * 60 + min(second, 59))
    timeOfDay = Elapsed(nanoseconds: seconds * 1_000_000_000 + Int64(nanosecond))
  }

  /// The moment, where the zone is `offsetMinutes` east of UTC.
  func timestamp(offsetMinutes: Int) -> Timestamp {
    Timestamp(nanoseconds: Int64(date.dayNumber) * 86_400_000_000_000)
      .advanced(by: timeOfDay).advanced(by: .minutes(Int64(-offsetMinutes)))
  }

  /// The moment in a connector's local time, and whether it is one of two (``LondonTime``).
  func resolved(in zone: MappingContext.LocalTime) -> (Timestamp, isDoubtful: Bool) {
    switch zone {
    case .offset(let minutes): return (timestamp(offsetMinutes: minutes), false)
    case .europeLondon:
      let local = LondonTime(date: date, timeOfDay: timeOfDay)
      return (local.timestamp, LondonTime.isDoubled(local))
    }
  }
}
