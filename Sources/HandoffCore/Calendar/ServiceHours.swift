/// When one receiving service works, where that is not the ordinary week.
public struct ServiceHours: Hashable, Sendable {
  /// Days of the week, Monday 1 to Sunday 7; never empty, or no working day would ever come.
  public let days: Set<Int>
  /// Whether it works on bank holidays that fall on its days.
  public var worksOnHolidays: Bool
  /// Days of its own without work, such as a move.
  public var closed: Set<CivilDate>
  /// From when to when it is open on a working day; `nil` where nobody said.
  ///
  /// By the clock on the wall. No deadline depends on it; measures tell by it what came out of hours.
  public var opening: Opening?

  /// A span of one day by the clock on the wall: not over midnight.
  public struct Opening: Hashable, Sendable {
    /// Since midnight; `closes` is at most 24 h and later than `opens`.
    public let opens: Elapsed
    public let closes: Elapsed

    public init?(opens: Elapsed, closes: Elapsed) {
      guard opens >= .zero, opens < closes, closes <= .hours(24) else { return nil }
      self.opens = opens
      self.closes = closes
    }

    /// Reads `08:00-20:00`; midnight at the end is `24:00`.
    public init?(_ text: some StringProtocol) {
      let ends = String(text).split(separator: "-", omittingEmptySubsequences: false)
        .map(Self.time)
      guard ends.count == 2, let opens = ends[0], let closes = ends[1] else { return nil }
      self.init(opens: opens, closes: closes)
    }

    private static func time(_ text: Substring) -> Elapsed? {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }),
        let hour = decimal(parts[0]), let minute = decimal(parts[1]), hour <= 24, minute < 60
      else { return nil }
      return .minutes(Int64(hour * 60 + minute))
    }
  }

  /// `nil` where no day is given, or one that there is not.
  public init?(
    days: Set<Int>, worksOnHolidays: Bool = false, closed: Set<CivilDate> = [],
    opening: Opening? = nil
  ) {
    guard !days.isEmpty, days.allSatisfy({ (1...7).contains($0) }) else { return nil }
    self.days = days
    self.worksOnHolidays = worksOnHolidays
    self.closed = closed
    self.opening = opening
  }

  func isWorkingDay(_ date: CivilDate, holidays: Set<CivilDate>) -> Bool {
    days.contains(date.weekday) && !closed.contains(date)
      && (worksOnHolidays || !holidays.contains(date))
  }
}

extension ServiceHours.Opening: CustomStringConvertible {
  public var description: String {
    func text(_ time: Elapsed) -> String {
      let minutes = Int(time.nanoseconds / 60_000_000_000)
      return "\(padded(minutes / 60, to: 2)):\(padded(minutes % 60, to: 2))"
    }
    return "\(text(opens))-\(text(closes))"
  }
}

extension BusinessCalendar {
  /// Whether a service is open at `moment`; `nil` where its hours are not known.
  public func isOpen(_ service: OrganisationID, at moment: Timestamp) -> Bool? {
    if alwaysOpen.contains(service) { return true }
    guard let opening = services[service]?.opening else { return nil }
    let wall = LondonTime(moment)
    return isWorkingDay(wall.date, for: service) && wall.timeOfDay >= opening.opens
      && wall.timeOfDay < opening.closes
  }

  /// The hours of a service in words, as a comparison tells them; `nil` where it has none.
  public func hoursText(of service: OrganisationID) -> String? {
    if alwaysOpen.contains(service) { return "always open" }
    guard let hours = services[service] else { return nil }
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    var words = [hours.days.sorted().map { names[$0 - 1] }.joined(separator: " ")]
    if let opening = hours.opening { words.append("\(opening)") }
    if hours.worksOnHolidays { words.append("bank holidays too") }
    if !hours.closed.isEmpty {
      words.append("not " + hours.closed.sorted().map(\.description).joined(separator: " "))
    }
    return words.joined(separator: ", ")
  }
}
