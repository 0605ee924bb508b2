/// How many messages of a source came within the sliding hour, and how many of them again (A01).
///
/// The hour is this minute of partition time and the 59 before it: 60 pairs of numbers whatever the
/// source sends.
public struct RepeatRate: Hashable, Sendable {
  /// The messages of one minute.
  public struct Minute: Hashable, Sendable {
    /// Minutes since the Unix epoch.
    public var number: Int64
    public var messages: UInt32
    public var repeats: UInt32

    public init(number: Int64, messages: UInt32, repeats: UInt32) {
      self.number = number
      self.messages = messages
      self.repeats = repeats
    }
  }

  /// Minutes with messages, the oldest first.
  public var minutes: [Minute] = []

  public init(_ minutes: [Minute] = []) { self.minutes = minutes }

  public var messages: UInt64 { minutes.reduce(0) { $0 + UInt64($1.messages) } }
  public var repeats: UInt64 { minutes.reduce(0) { $0 + UInt64($1.repeats) } }

  mutating func note(isRepeat: Bool, at now: Timestamp) {
    expire(at: now)
    if minutes.last?.number != now.minute {
      minutes.append(Minute(number: now.minute, messages: 0, repeats: 0))
    }
    let last = minutes.count - 1
    minutes[last].messages &+= 1
    if isRepeat { minutes[last].repeats &+= 1 }
  }

  /// Drops what lies behind the hour.
  mutating func expire(at now: Timestamp) {
    minutes.removeAll { $0.number <= now.minute - 60 }
  }

  func isMany(_ policy: SourcePolicy) -> Bool {
    let (messages, repeats) = (messages, repeats)
    return repeats >= UInt64(policy.repeatsLeast)
      && repeats * 100 >= messages * UInt64(policy.repeatsPercent)
  }

  /// When the hour next moves on.
  var nextMove: Timestamp? {
    guard let first = minutes.first else { return nil }
    let (moment, overflow) = (first.number + 60).multipliedReportingOverflow(by: 60_000_000_000)
    return overflow ? nil : Timestamp(nanoseconds: moment)
  }
}
