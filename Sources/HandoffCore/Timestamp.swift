/// A moment in nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Kafka stamps milliseconds, senders write anything up to nanoseconds; deadlines that start at a
/// sender's time keep its full precision. The range is the years 1678 to 2262.
public struct Timestamp: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Nanoseconds since the Unix epoch.
  public let nanoseconds: Int64

  public static let distantPast = Timestamp(nanoseconds: .min)
  public static let distantFuture = Timestamp(nanoseconds: .max)

  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Saturates at the ends of the range: a broker's timestamp is input from outside.
  public init(milliseconds: Int64) {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    nanoseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
  }

  /// Whole milliseconds since the Unix epoch, rounded down: the unit of Kafka's timestamps.
  public var milliseconds: Int64 {
    let quotient = nanoseconds / 1_000_000
    return nanoseconds % 1_000_000 < 0 ? quotient - 1 : quotient
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The moment `elapsed` later; saturates at the ends of the range.
  public func advanced(by elapsed: Elapsed) -> Timestamp {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(elapsed.nanoseconds)
    return Timestamp(nanoseconds: overflow ? (elapsed.nanoseconds < 0 ? .min : .max) : sum)
  }

  /// The time from `earlier` to here, negative where `earlier` is later; saturates.
  public func since(_ earlier: Timestamp) -> Elapsed {
    let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
    return Elapsed(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : difference)
  }
}

/// A length of elapsed time in nanoseconds.
///
/// Not `Duration`: that is 128 bits wide, and there are several in every open handoff.
public struct Elapsed: BitwiseCopyable, Hashable, Comparable, Sendable {
  public let nanoseconds: Int64

  public static let zero = Elapsed(nanoseconds: 0)

  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  public static func seconds(_ count: Int64) -> Elapsed {
    Elapsed(nanoseconds: count &* 1_000_000_000)
  }
  public static func minutes(_ count: Int64) -> Elapsed { .seconds(count * 60) }
  public static func hours(_ count: Int64) -> Elapsed { .minutes(count * 60) }

  public static func < (left: Elapsed, right: Elapsed) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}
