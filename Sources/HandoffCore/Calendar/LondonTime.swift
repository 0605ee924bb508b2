/// Wall clocks of Europe/London by rule, without a zone database.
///
/// A machine's tzdata may be older than another's, and verdicts must be the same bytes on both. The
/// rule is the European one (directive 2000/84/EC, kept by the United Kingdom): British Summer Time
/// from 01:00 UTC of the last Sunday of March to 01:00 UTC of the last Sunday of October. Before
/// 1996 the dates differed by days; nothing there arms a clock.
public struct LondonTime: Hashable, Sendable {
  public var date: CivilDate
  /// Nanoseconds since the local midnight by the clock on the wall, below 24 h.
  public var timeOfDay: Elapsed

  public init(date: CivilDate, timeOfDay: Elapsed = .zero) {
    self.date = date
    self.timeOfDay = timeOfDay
  }

  /// What the clock on the wall shows at `moment`.
  public init(_ moment: Timestamp) {
    let local = moment.advanced(by: LondonTime.offset(at: moment))
    let (day, rest) = LondonTime.split(local)
    self.init(date: CivilDate(dayNumber: day), timeOfDay: Elapsed(nanoseconds: rest))
  }

  /// The moment at which the wall shows this.
  ///
  /// Saturates at the ends of the range, which a hostile sender's time may touch. Of the doubled
  /// hour in October the first is meant; a time in the hour that March leaves out moves forward by
  /// that hour.
  public var timestamp: Timestamp {
    let (midnight, overflow) = Int64(date.dayNumber)
      .multipliedReportingOverflow(by: LondonTime.dayNanoseconds)
    guard !overflow else { return date.dayNumber < 0 ? .distantPast : .distantFuture }
    let asGreenwich = Timestamp(nanoseconds: midnight).advanced(by: timeOfDay)
    let asSummer = asGreenwich.advanced(by: Elapsed(nanoseconds: -LondonTime.hourNanoseconds))
    return LondonTime.isSummer(at: asSummer) ? asSummer : asGreenwich
  }

  /// How far the wall is ahead of UTC at `moment`: nothing, or one hour.
  public static func offset(at moment: Timestamp) -> Elapsed {
    isSummer(at: moment) ? Elapsed(nanoseconds: hourNanoseconds) : .zero
  }

  /// Whether the hour on the wall comes twice, so that a time without zone is in doubt (A19).
  public static func isDoubled(_ time: LondonTime) -> Bool {
    let first = time.timestamp
    let second = first.advanced(by: Elapsed(nanoseconds: hourNanoseconds))
    return LondonTime(second) == time
  }

  private static let hourNanoseconds: Int64 = 3_600_000_000_000
  private static let dayNanoseconds: Int64 = 24 * hourNanoseconds

  private static func isSummer(at moment: Timestamp) -> Bool {
    let (day, rest) = split(moment)
    let year = CivilDate(dayNumber: day).components.year
    let start = lastSunday(ofMonth: 3, in: year)
    let end = lastSunday(ofMonth: 10, in: year)
    // The change is at 01:00 UTC on both days.
    let isAfterStart = day > start || (day == start && rest >= hourNanoseconds)
    let isBeforeEnd = day < end || (day == end && rest < hourNanoseconds)
    return isAfterStart && isBeforeEnd
  }

  /// March and October both have 31 days.
  private static func lastSunday(ofMonth month: Int, in year: Int) -> Int32 {
    let last = CivilDate(knownYear: year, month: month, day: 31)
    return last.dayNumber - Int32(last.weekday % 7)
  }

  private static func split(_ moment: Timestamp) -> (day: Int32, rest: Int64) {
    var (day, rest) = moment.nanoseconds.quotientAndRemainder(dividingBy: dayNanoseconds)
    if rest < 0 {
      day -= 1
      rest += dayNanoseconds
    }
    return (Int32(day), rest)
  }
}

extension LondonTime: CustomStringConvertible {
  /// Such as `2026-11-23 09:05`: to the minute, for people.
  public var description: String {
    let minutes = Int(timeOfDay.nanoseconds / 60_000_000_000)
    return "\(date) \(padded(minutes / 60, to: 2)):\(padded(minutes % 60, to: 2))"
  }
}
