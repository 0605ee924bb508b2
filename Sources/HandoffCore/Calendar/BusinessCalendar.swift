/// On which days a receiving service works.
public struct BusinessCalendar: Hashable, Sendable {
  /// Days that are no working days although they are none of a weekend.
  public var holidays: Set<CivilDate>
  /// Services that work every day of the year.
  public var alwaysOpen: Set<OrganisationID>
  /// Services whose week is not the ordinary one.
  public var services: [OrganisationID: ServiceHours]

  public init(
    holidays: Set<CivilDate>, alwaysOpen: Set<OrganisationID> = [],
    services: [OrganisationID: ServiceHours] = [:]
  ) {
    self.holidays = holidays
    self.alwaysOpen = alwaysOpen
    self.services = services
  }

  /// Weekends and the bank holidays of England, 2019 to 2040.
  ///
  /// By rule; what a later proclamation moves or adds stands in a policy file, under `closed`.
  public static let england = BusinessCalendar(holidays: Set(englandBankHolidays(in: 2019...2040)))

  /// Whether `receiver` works on `date`; an unknown receiver keeps the ordinary week.
  public func isWorkingDay(_ date: CivilDate, for receiver: OrganisationID?) -> Bool {
    if let receiver {
      if alwaysOpen.contains(receiver) { return true }
      if let hours = services[receiver] { return hours.isWorkingDay(date, holidays: holidays) }
    }
    return date.weekday <= 5 && !holidays.contains(date)
  }

  /// The first working day on or after `date`.
  func workingDay(onOrAfter date: CivilDate, for receiver: OrganisationID?) -> CivilDate {
    var day = date
    while !isWorkingDay(day, for: receiver) { day = day.advanced(byDays: 1) }
    return day
  }

  /// The bank holidays of England in each year, in order.
  ///
  /// By rule (Banking and Financial Dealings Act 1971 and the yearly proclamations), with the days
  /// that were moved or added once: VE Day 2020, the jubilee and the Queen's funeral 2022, the
  /// coronation 2023.
  public static func englandBankHolidays(in years: ClosedRange<Int>) -> [CivilDate] {
    years.flatMap(englandBankHolidays(in:)).sorted()
  }

  private static func englandBankHolidays(in year: Int) -> [CivilDate] {
    func date(_ month: Int, _ day: Int) -> CivilDate {
      CivilDate(knownYear: year, month: month, day: day)
    }
    /// The first Monday on or after a day of a month.
    func monday(from month: Int, _ day: Int) -> CivilDate {
      let start = date(month, day)
      return start.advanced(byDays: Int32((8 - start.weekday) % 7))
    }
    let easter = easterSunday(in: year)
    var days = [easter.advanced(byDays: -2), easter.advanced(byDays: 1), monday(from: 8, 25)]
    // A new year's day on a weekend is kept on the Monday after it.
    days.append(date(1, 1).weekday > 5 ? monday(from: 1, 1) : date(1, 1))
    days.append(year == 2020 ? date(5, 8) : monday(from: 5, 1))
    days.append(year == 2022 ? date(6, 2) : monday(from: 5, 25))
    switch date(12, 25).weekday {
    case 5: days += [date(12, 25), date(12, 28)]
    case 6: days += [date(12, 27), date(12, 28)]
    case 7: days += [date(12, 26), date(12, 27)]
    default: days += [date(12, 25), date(12, 26)]
    }
    switch year {
    case 2022: days += [date(6, 3), date(9, 19)]
    case 2023: days.append(date(5, 8))
    default: break
    }
    return days
  }

  /// The anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
  private static func easterSunday(in year: Int) -> CivilDate {
    let golden = year % 19
    let century = year / 100
    let leapCenturies = century / 4
    let epact =
      (19 * golden + century - leapCenturies - (century - (century + 8) / 25 + 1) / 3 + 15) % 30
    let weekdayShift = (32 + 2 * (century % 4) + 2 * (year % 100 / 4) - epact - year % 4) % 7
    let correction = (golden + 11 * epact + 22 * weekdayShift) / 451
    let sum = epact + weekdayShift - 7 * correction + 114
    return CivilDate(knownYear: year, month: sum / 31, day: sum % 31 + 1)
  }
}
