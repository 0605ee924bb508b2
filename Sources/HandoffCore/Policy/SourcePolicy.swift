/// What is expected of one source: how often it speaks, for whom, and how far it may be off.
///
/// ``Policy/source(_:)`` gives that of a source by its code, and the defaults for one that no row
/// names.
public struct SourcePolicy: Hashable, Sendable {
  /// The organisations whose answers it can carry.
  ///
  /// Empty where nobody said so: then nothing follows from its silence for any one organisation.
  public var organisations: Set<OrganisationID> = []
  /// Its usual time between two heartbeats; three of them without a word are silence (A18).
  public var interval: Elapsed = .minutes(1)
  /// References older than this raise nothing (A13); `nil` where everything counts.
  public var onboardedAt: Timestamp?
  /// When it may be silent, or behind.
  public var maintenance: [MaintenanceWindow] = []
  /// How far its clock may be off the broker's (A19).
  public var skew: Elapsed = .minutes(5)
  /// How far in the future what it reports may lie (A19).
  public var ahead: Elapsed = .minutes(2)
  /// The fewest repeats within the sliding hour that count as many (A01).
  public var repeatsLeast: UInt32 = 10
  /// The same in percent of its messages of that hour; both must be reached (A01).
  public var repeatsPercent: UInt32 = 1
  /// How long its totals may differ from what has been counted (A26).
  public var countWindow: Elapsed = .hours(2)

  public init() {}

  /// After how long without a word it is silent: three intervals.
  public var silence: Elapsed {
    let (triple, overflow) = interval.nanoseconds.multipliedReportingOverflow(by: 3)
    return Elapsed(nanoseconds: overflow ? .max : triple)
  }

  /// When silence since `moment` is due, maintenance considered.
  ///
  /// A deadline that falls into a window waits for the window's end and three intervals more, so
  /// that a source has time to come back.
  public func silenceDue(since moment: Timestamp) -> Timestamp {
    var due = moment.advanced(by: silence)
    // Each turn passes a window; windows that cover all time leave nothing to judge.
    for _ in 0...maintenance.count * 2 {
      guard let end = maintenance.compactMap({ $0.end(covering: due) }).max() else { return due }
      due = end.advanced(by: silence)
    }
    return .distantFuture
  }
}

/// A time in which a source may be silent.
public enum MaintenanceWindow: Hashable, Sendable {
  /// Once, both ends included.
  case once(from: Timestamp, to: Timestamp)
  /// Every week: ISO weekday (Monday 1), from a time on the wall of Europe/London on, for so long.
  case weekly(weekday: Int, at: Elapsed, length: Elapsed)

  /// The end of the window that covers `moment`; `nil` where none does.
  public func end(covering moment: Timestamp) -> Timestamp? {
    switch self {
    case .once(let from, let to):
      return from <= moment && moment <= to ? to : nil
    case .weekly(let weekday, let at, let length):
      let today = LondonTime(moment).date
      let back = (today.weekday - weekday + 7) % 7
      // A window of up to a week may have begun on its day before this one.
      return [back, back + 7].compactMap { days -> Timestamp? in
        let begin = LondonTime(date: today.advanced(byDays: Int32(-days)), timeOfDay: at).timestamp
        let end = begin.advanced(by: length)
        return begin <= moment && moment <= end ? end : nil
      }.max()
    }
  }
}

extension Policy {
  /// What is expected of a source.
  public func source(_ code: Code) -> SourcePolicy { sources[code] ?? sourceDefaults }
}
