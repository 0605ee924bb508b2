import HandoffCore
import Testing

private func date(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

/// A moment from UTC, such as `2026-03-29 00:59`.
private func utc(_ day: String, _ hour: Int64 = 0, _ minute: Int64 = 0) throws -> Timestamp {
  Timestamp(nanoseconds: Int64(try date(day).dayNumber) * 86_400_000_000_000)
    .advanced(by: .minutes(hour * 60 + minute))
}

private func wall(_ day: String, _ hour: Int64 = 0, _ minute: Int64 = 0) throws -> LondonTime {
  LondonTime(date: try date(day), timeOfDay: .minutes(hour * 60 + minute))
}

@Suite struct CivilDateTests {
  @Test func `known days have their numbers and weekdays`() throws {
    #expect(try date("1970-01-01").dayNumber == 0)
    #expect(try date("1970-01-01").weekday == 4)
    #expect(try date("2000-02-29").dayNumber == 11_016)
    #expect(try date("2026-11-23").weekday == 1)
    #expect(try date("1969-12-28").weekday == 7)
  }

  @Test func `every day of four centuries reads back`() throws {
    var day = try date("1800-01-01")
    let end = try date("2200-12-31")
    var weekday = day.weekday
    var wrong: [CivilDate] = []
    while day <= end {
      let (year, month, dayOfMonth) = day.components
      let again = CivilDate(year: year, month: month, day: dayOfMonth)
      if again != day || day.weekday != weekday { wrong.append(day) }
      weekday = weekday % 7 + 1
      day = day.advanced(byDays: 1)
    }
    #expect(wrong.isEmpty)
  }

  @Test(arguments: ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", "x", ""])
  func `what is no day is refused`(text: String) {
    #expect(CivilDate(text) == nil)
  }
}

@Suite struct LondonTimeTests {
  @Test func `the clocks change on the last Sundays of March and October at one in UTC`() throws {
    #expect(LondonTime.offset(at: try utc("2026-03-29", 0, 59)) == .zero)
    #expect(LondonTime.offset(at: try utc("2026-03-29", 1)) == .hours(1))
    #expect(LondonTime.offset(at: try utc("2026-10-25", 0, 59)) == .hours(1))
    #expect(LondonTime.offset(at: try utc("2026-10-25", 1)) == .zero)
  }

  @Test func `a wall clock that March leaves out moves forward`() throws {
    #expect(try wall("2026-03-29", 1, 30).timestamp == utc("2026-03-29", 1, 30))
    #expect(LondonTime(try utc("2026-03-29", 1, 30)) == (try wall("2026-03-29", 2, 30)))
  }

  @Test func `of a doubled wall clock in October the first is meant`() throws {
    #expect(try wall("2026-10-25", 1, 30).timestamp == utc("2026-10-25", 0, 30))
    #expect(try LondonTime.isDoubled(wall("2026-10-25", 1, 30)))
    #expect(try !LondonTime.isDoubled(wall("2026-10-25", 2, 30)))
    #expect(try !LondonTime.isDoubled(wall("2026-10-25", 0, 59)))
  }

  @Test func `every hour of ten years reads back, but for the doubled ones`() throws {
    var moment = try utc("2020-01-01")
    let end = try utc("2030-01-01")
    var wrong: [LondonTime] = []
    while moment < end {
      let wall = LondonTime(moment)
      if !LondonTime.isDoubled(wall), wall.timestamp != moment { wrong.append(wall) }
      moment = moment.advanced(by: .hours(1))
    }
    #expect(wrong.isEmpty)
  }

  @Test func `the ends of time saturate`() {
    for length in [ClockLength.days(7), .workingDays(1), .sameDay, .hours(9)] {
      let late = length.due(from: .distantFuture, in: .england, for: nil)
      #expect(late >= Timestamp(nanoseconds: .max - 86_400_000_000_000))
      let early = length.due(from: .distantPast, in: .england, for: nil)
      #expect(early < Timestamp(nanoseconds: 0))
    }
  }

  @Test func `before 1970 the clock is right too`() throws {
    #expect(LondonTime(Timestamp(nanoseconds: -1)).date == (try date("1969-12-31")))
  }
}

@Suite struct BankHolidayTests {
  /// As published on gov.uk/bank-holidays for England and Wales.
  private static let published: [Int: String] = [
    2019: "01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26",
    2020: "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
    2021: "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
    2022: "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
    2023: "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
    2028: "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
  ]

  @Test(arguments: 2019...2028)
  func `the rule gives the published days`(year: Int) throws {
    let published = try #require(Self.published[year])
    #expect(
      BusinessCalendar.englandBankHolidays(in: year...year).map(\.description)
        == published.split(separator: " ").map { "\(year)-\($0)" })
  }
}

@Suite struct ClockLengthTests {
  private let england = BusinessCalendar.england
  private let hospital = Scene.hospital

  private func due(_ length: String, from start: Timestamp) throws -> Timestamp {
    try #require(ClockLength(length)).due(from: start, in: england, for: hospital)
  }

  @Test func `hours pass through a change of the clocks, days keep the wall clock`() throws {
    let saturdayNoon = try wall("2026-10-24", 12).timestamp
    #expect(try due("24h", from: saturdayNoon) == wall("2026-10-25", 11).timestamp)
    #expect(try due("1d", from: saturdayNoon) == wall("2026-10-25", 12).timestamp)
    #expect(try due("4wk", from: saturdayNoon) == wall("2026-11-21", 12).timestamp)
  }

  @Test func `working days leave out weekends and bank holidays`() throws {
    // Thursday before Good Friday 2026 to the Tuesday after Easter Monday.
    #expect(
      try due("1wd", from: wall("2026-04-02", 16).timestamp)
        == wall("2026-04-07", 16).timestamp)
    #expect(
      try due("3wd", from: wall("2026-11-20", 9).timestamp)
        == wall("2026-11-25", 9).timestamp)
  }

  @Test func `a start on a day of rest moves to midnight of the next working day`() throws {
    #expect(
      try due("1wd", from: wall("2026-11-21", 15).timestamp)
        == wall("2026-11-24", 0).timestamp)
  }

  @Test func `a service that is always open works on every day`() throws {
    var calendar = england
    calendar.alwaysOpen = [hospital]
    let start = try wall("2026-11-21", 15).timestamp
    let length = ClockLength.workingDays(2)
    #expect(
      length.due(from: start, in: calendar, for: hospital)
        == (try wall("2026-11-23", 15).timestamp))
    #expect(
      length.due(from: start, in: calendar, for: Scene.gp)
        == (try wall("2026-11-25", 0).timestamp))
  }

  @Test func `the same day ends at local midnight`() throws {
    #expect(try due("sameDay", from: utc("2026-07-01", 22, 30)) == utc("2026-07-01", 23))
    #expect(try due("sameDay", from: utc("2026-07-01", 23, 30)) == utc("2026-07-02", 23))
  }

  @Test(arguments: ["45s", "15min", "2h", "7d", "4wk", "18wk", "3wd", "0wd", "sameDay"])
  func `the written form reads back`(text: String) throws {
    #expect(try #require(ClockLength(text)).description == text)
  }

  @Test(arguments: ["", "h", "2", "-1h", "2 h", "2H", "1y", "1001d", "99999999999h", "1.5h"])
  func `what is no length is refused`(text: String) {
    #expect(ClockLength(text) == nil)
  }
}
