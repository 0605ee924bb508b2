import HandoffCore

/// A date and time of day before it is known which zone they belong to.
struct LocalDateTime: Hashable, Sendable {
  private let days: Int64
  private let seconds: Int64
  private let nanoseconds: Int64
  private let year: Int

  /// `nil` where there is no such day or time of day, or it lies outside 1800 to 2200.
  init?(
    year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, nanosecond: Int = 0
  ) {
    guard (1800...2200).contains(year), (1...12).contains(month),
      (1...Self.daysInMonth(month, of: year)).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    self.year = year
    days = Self.days(year, month, day)
    // A leap second is the last one of its minute: the timeline here has none.
    seconds = Int64(hour * 3600 + minute * 60 + min(second, 59))
    nanoseconds = Int64(nanosecond)
  }

  /// The moment, where the zone is `offsetMinutes` east of UTC.
  func timestamp(offsetMinutes: Int) -> Timestamp {
    let total = days * 86_400 + seconds - Int64(offsetMinutes) * 60
    return Timestamp(nanoseconds: total * 1_000_000_000 + nanoseconds)
  }

  /// The moment in a connector's local time, and whether it is one of two.
  ///
  /// Of the two moments that the end of summer time gives one name, the earlier is taken; the
  /// hour that its beginning skips is read as if the clocks had not moved yet.
  func resolved(in zone: MappingContext.LocalTime) -> (Timestamp, isDoubtful: Bool) {
    switch zone {
    case .offset(let minutes): return (timestamp(offsetMinutes: minutes), false)
    case .europeLondon:
      let utc = days * 86_400 + seconds
      // EU rule (in force in the UK since 1996): 01:00 UTC on the last Sundays of March, October.
      let begins = Self.lastSunday(of: 3, year) * 86_400 + 3_600
      let ends = Self.lastSunday(of: 10, year) * 86_400 + 3_600
      let isSummer = utc - 3_600 >= begins && utc - 3_600 < ends
      let isDoubtful = utc >= ends && utc - 3_600 < ends
      return (timestamp(offsetMinutes: isSummer ? 60 : 0), isDoubtful)
    }
  }

  private static func daysInMonth(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible
  /// low-level date algorithms").
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }

  /// The date of a day counted from 1970-01-01.
  static func date(ofDay days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    return (yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0), calendarMonth, day)
  }

  private static func lastSunday(of month: Int, _ year: Int) -> Int64 {
    let last = days(year, month, 31)
    // 1970-01-01 was a Thursday, so day 3 was a Sunday.
    return last - (last - 3) % 7
  }
}
