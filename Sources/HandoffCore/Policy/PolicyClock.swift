/// One clock of a row: its key in a policy file and its place in ``Clocks``.
///
/// The one list of them: profiles and comparisons go by it.
public enum PolicyClock: String, CaseIterable, Hashable, Sendable {
  case acknowledge, deliver, accept, start, complete, outcome, feedback

  /// Its length; `nil` where the row does not time it.
  public func length(in clocks: Clocks) -> ClockLength? {
    switch self {
    case .acknowledge: clocks.acknowledge
    // Absent means as long as the acknowledgement, and is compared as that.
    case .deliver: clocks.deliver ?? clocks.acknowledge
    case .accept: clocks.accept
    case .start: clocks.start
    case .complete: clocks.complete
    case .outcome: clocks.outcome
    case .feedback: clocks.feedback
    }
  }

  func set(_ length: ClockLength, in clocks: inout Clocks) {
    switch self {
    case .acknowledge: clocks.acknowledge = length
    case .deliver: clocks.deliver = length
    case .accept: clocks.accept = length
    case .start: clocks.start = length
    case .complete: clocks.complete = length
    case .outcome: clocks.outcome = length
    case .feedback: clocks.feedback = length
    }
  }

  /// Which rule speaks when it runs out.
  public var rule: Rule {
    switch self {
    case .acknowledge, .deliver: .a07
    case .accept: .a08
    case .start: .a09
    case .complete, .outcome, .feedback: .a10
    }
  }
}

/// How one length compares with another.
public enum Tightness: String, CaseIterable, Hashable, Sendable {
  case same, tighter, looser
  /// Due earlier from some moments and later from others, such as 5d beside 3wd.
  case mixed

  var reversed: Tightness {
    switch self {
    case .tighter: .looser
    case .looser: .tighter
    case .same, .mixed: self
    }
  }
}

extension ClockLength {
  /// Whether a deadline of this length falls earlier than one of `other`, whenever it starts.
  ///
  /// Lengths of one unit compare as numbers. Others are laid beside each other from every hour of a
  /// year with its bank holidays and changes of the clocks, each in its own calendar: that is the
  /// only honest answer to whether 5d is tighter than 3wd.
  public func tightness(
    than other: ClockLength, in calendar: BusinessCalendar = .england,
    otherIn otherCalendar: BusinessCalendar? = nil, for receiver: OrganisationID? = nil
  ) -> Tightness {
    let otherCalendar = otherCalendar ?? calendar
    switch (self, other) {
    case (.elapsed(let one), .elapsed(let two)): return Self.order(one, two)
    case (.days(let one), .days(let two)): return Self.order(one, two)
    case (.sameDay, .sameDay): return .same
    case (.workingDays(let one), .workingDays(let two)) where calendar == otherCalendar:
      return Self.order(one, two)
    default: break
    }
    var (isEarlier, isLater) = (false, false)
    for hour in 0..<Int64(8_784) {
      let start = Self.yearStart.advanced(by: .hours(hour))
      let one = due(from: start, in: calendar, for: receiver)
      let two = other.due(from: start, in: otherCalendar, for: receiver)
      isEarlier = isEarlier || one < two
      isLater = isLater || one > two
      if isEarlier, isLater { return .mixed }
    }
    return isEarlier ? .tighter : isLater ? .looser : .same
  }

  /// 1 January 2027, so that the year ends in bank holidays that are moved off a weekend.
  private static let yearStart = LondonTime(
    date: CivilDate(knownYear: 2027, month: 1, day: 1)
  ).timestamp

  private static func order<Value: Comparable>(_ one: Value, _ two: Value) -> Tightness {
    one < two ? .tighter : one > two ? .looser : .same
  }
}
