/// What a source says that it has taken in, against what has been counted of it (A26).
///
/// A total counts from the source's first day, the reducer from the day it first saw the source. How
/// far the two lie apart is learned: it is the least difference seen within the first window, when
/// at some moment nothing was on its way. A source that begins at 0 has nothing to be learned.
public struct CountTrack: Hashable, Sendable {
  /// The most totals that wait for what they count; a later one then stands for the last.
  public static let waitingMax = 256

  /// A total that was said.
  public struct Total: Hashable, Sendable {
    public var frames: UInt64
    public var saidAt: Timestamp

    public init(frames: UInt64, saidAt: Timestamp) {
      self.frames = frames
      self.saidAt = saidAt
    }
  }

  /// Arrivals counted.
  public var counted: UInt64 = 0
  /// What the totals count beyond ``counted`` when nothing is missing; `nil` before the first total.
  public var base: Int64?
  /// Until when ``base`` is still learned.
  public var learningUntil: Timestamp?
  /// The latest total, to tell a source that begins anew.
  public var latest: UInt64?
  /// The latest total that was due, and against which a shortfall stands.
  public var judged: UInt64?
  /// Totals that wait, the oldest first.
  public var waiting: [Total] = []

  public init() {}

  /// How many more are in a total than were counted; 0 where none are.
  func shortfall(of total: UInt64) -> UInt64 {
    guard let base else { return 0 }
    let (missing, overflow) = difference(of: total).subtractingReportingOverflow(base)
    return overflow || missing <= 0 ? 0 : UInt64(missing)
  }

  private func difference(of total: UInt64) -> Int64 { Int64(bitPattern: total &- counted) }

  /// Takes a total; returns by how much more was counted than it says.
  mutating func said(_ total: UInt64, at now: Timestamp, window: Elapsed) -> UInt64 {
    let difference = difference(of: total)
    if base == nil || total < latest ?? 0 {
      base = difference
      learningUntil = total == 0 && counted == 0 ? nil : now.advanced(by: window)
      waiting = []
      judged = nil
    }
    latest = total
    if let until = learningUntil {
      if now <= until {
        base = min(base ?? difference, difference)
        return 0
      }
      learningUntil = nil
    }
    var surplus: UInt64 = 0
    if let base, difference < base {
      let (more, overflow) = base.subtractingReportingOverflow(difference)
      surplus = overflow ? .max : UInt64(more)
      self.base = difference
    }
    if shortfall(of: total) > 0 { wait(for: Total(frames: total, saidAt: now)) }
    return surplus
  }

  private mutating func wait(for total: Total) {
    if waiting.last?.frames == total.frames { return }
    if waiting.count >= Self.waitingMax { waiting.removeLast() }
    waiting.append(total)
  }

  /// One more arrival.
  mutating func count() {
    counted &+= 1
    while let first = waiting.first, shortfall(of: first.frames) == 0 { waiting.removeFirst() }
  }

  /// When the first total that waits is due.
  func nextDue(_ window: Elapsed) -> Timestamp? { waiting.first?.saidAt.advanced(by: window) }

  /// Takes out the totals that are due by now; how many arrivals the latest of them lacks.
  mutating func settle(at now: Timestamp, window: Elapsed) -> UInt64 {
    while let first = waiting.first, first.saidAt.advanced(by: window) <= now {
      judged = first.frames
      waiting.removeFirst()
    }
    return judged.map { shortfall(of: $0) } ?? 0
  }
}
