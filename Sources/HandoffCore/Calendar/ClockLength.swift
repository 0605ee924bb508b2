/// How long a clock of the policy runs.
public enum ClockLength: Hashable, Sendable {
  /// Time as it passes, over every change of the clocks.
  case elapsed(Elapsed)
  /// The same time on the wall of Europe/London so many days on; weeks are seven of them.
  case days(Int32)
  /// The same time on the wall so many working days of the receiving service on.
  case workingDays(Int32)
  /// Until the end of the local day.
  case sameDay

  public static func minutes(_ count: Int64) -> ClockLength { .elapsed(.minutes(count)) }
  public static func hours(_ count: Int64) -> ClockLength { .elapsed(.hours(count)) }
  public static func weeks(_ count: Int32) -> ClockLength { .days(count * 7) }

  /// When a clock that starts at `start` is due (domain.md §8, Time).
  ///
  /// A clock in working days that starts on a day of rest starts at 00:00 of the next working day.
  public func due(
    from start: Timestamp, in calendar: BusinessCalendar, for receiver: OrganisationID?
  ) -> Timestamp {
    switch self {
    case .elapsed(let elapsed): return start.advanced(by: elapsed)
    case .days(let count):
      var wall = LondonTime(start)
      wall.date = wall.date.advanced(byDays: count)
      return wall.timestamp
    case .workingDays(let count):
      var wall = LondonTime(start)
      if !calendar.isWorkingDay(wall.date, for: receiver) {
        wall = LondonTime(date: calendar.workingDay(onOrAfter: wall.date, for: receiver))
      }
      for _ in 0..<max(0, count) {
        wall.date = calendar.workingDay(onOrAfter: wall.date.advanced(byDays: 1), for: receiver)
      }
      return wall.timestamp
    case .sameDay:
      let wall = LondonTime(start)
      return LondonTime(date: wall.date.advanced(byDays: 1)).timestamp
    }
  }
}

extension ClockLength: CustomStringConvertible {
  /// The largest length that a policy may ask for: 1,000 days.
  public static let countMax = 1_000

  /// Reads `45s`, `15min`, `2h`, `7d`, `4wk`, `3wd` or `sameDay`; `nil` where it is anything else.
  public init?(_ text: some StringProtocol) {
    if text == "sameDay" {
      self = .sameDay
      return
    }
    let digits = text.prefix { ("0"..."9").contains($0) }
    guard digits.utf8.count <= 9, let count = decimal(digits) else { return nil }
    let unit = text.dropFirst(digits.count)
    let seconds: Int
    switch unit {
    case "s": seconds = 1
    case "min": seconds = 60
    case "h": seconds = 3600
    case "d", "wd":
      guard count <= Self.countMax else { return nil }
      self = unit == "d" ? .days(Int32(count)) : .workingDays(Int32(count))
      return
    case "wk":
      guard count * 7 <= Self.countMax else { return nil }
      self = .weeks(Int32(count))
      return
    default: return nil
    }
    guard count * seconds <= Self.countMax * 86_400 else { return nil }
    self = .elapsed(.seconds(Int64(count * seconds)))
  }

  /// The form that ``init(_:)`` reads, in the largest unit that divides it.
  public var description: String {
    switch self {
    case .sameDay: return "sameDay"
    case .workingDays(let count): return "\(count)wd"
    case .days(let count): return count > 7 && count % 7 == 0 ? "\(count / 7)wk" : "\(count)d"
    case .elapsed(let elapsed):
      let seconds = elapsed.nanoseconds / 1_000_000_000
      if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
      if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)min" }
      return "\(seconds)s"
    }
  }
}
