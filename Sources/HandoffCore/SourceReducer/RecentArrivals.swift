/// How many messages a source took in of late, by the second of its own clock.
///
/// A total may be heard of after messages that were taken in later than it was made. What is kept
/// here tells which of those that came it does not count. About 12 bytes a second, of the 64 latest
/// in which anything was taken in.
public struct RecentArrivals: Hashable, Sendable {
  public static let countMax = 64

  /// The messages of one second.
  public struct Second: Hashable, Sendable {
    /// Seconds since the Unix epoch.
    public var number: Int64
    public var count: UInt32

    public init(number: Int64, count: UInt32) {
      self.number = number
      self.count = count
    }
  }

  /// In the order of time.
  public var seconds: [Second] = []

  public init() {}

  private static func second(of time: Timestamp) -> Int64 {
    let (number, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest < 0 ? number - 1 : number
  }

  mutating func note(_ time: Timestamp) {
    let number = Self.second(of: time)
    let place = seconds.lastIndex { $0.number <= number }
    if let place, seconds[place].number == number {
      seconds[place].count = seconds[place].count &+ 1
      return
    }
    seconds.insert(Second(number: number, count: 1), at: place.map { $0 + 1 } ?? 0)
    if seconds.count > Self.countMax { seconds.removeFirst() }
  }

  /// How many were taken in after `time` for certain.
  func later(than time: Timestamp) -> UInt64 {
    let number = Self.second(of: time)
    return seconds.reduce(0) { $0 + ($1.number > number ? UInt64($1.count) : 0) }
  }

  /// How many may have been taken in after `time`; `nil` where that was forgotten.
  func perhapsLater(than time: Timestamp) -> UInt64? {
    let number = Self.second(of: time)
    if seconds.count >= Self.countMax, let first = seconds.first, first.number >= number {
      return nil
    }
    return seconds.reduce(0) { $0 + ($1.number >= number ? UInt64($1.count) : 0) }
  }

  /// All that is remembered.
  var count: UInt64 { seconds.reduce(0) { $0 + UInt64($1.count) } }
}
