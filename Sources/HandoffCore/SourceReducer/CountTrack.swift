/// What a source says that it has taken in, against what has been counted of it (A26).
///
/// A total counts what was taken in by the moment at which it was made, and nothing that came later
/// makes up for what it lacks: each total that waits counts for itself, by the source's own clock.
///
/// A total counts from the source's first day, the reducer from the day it first saw the source. How
/// far the two lie apart is learned within the first window, from above and from below. A source that
/// begins at 0 has nothing to be learned.
public struct CountTrack: Hashable, Sendable {
  /// The most totals that wait for what they count; a later one then stands for the last.
  public static let waitingMax = 256

  /// How long a message that is stamped may be missing from the total.
  static let settling = Elapsed.seconds(1)

  /// A total that was said.
  public struct Total: Hashable, Sendable {
    public var frames: UInt64
    public var saidAt: Timestamp
    /// The moment up to which it counts, by the source's clock; the end of all time where that is not
    /// known, so that whatever comes counts.
    public var takenUpTo: Timestamp
    /// Arrivals counted that were taken in by then.
    public var counted: UInt64

    public init(frames: UInt64, saidAt: Timestamp, takenUpTo: Timestamp, counted: UInt64) {
      self.frames = frames
      self.saidAt = saidAt
      self.takenUpTo = takenUpTo
      self.counted = counted
    }

    var difference: Int64 { Int64(bitPattern: frames &- counted) }

    /// When it is held against what came; `nil` while the source has not handed over everything
    /// that it took in by then.
    func due(_ window: Elapsed, completeUpTo: Timestamp?) -> Timestamp? {
      if let completeUpTo, takenUpTo != .distantFuture, completeUpTo < takenUpTo { return nil }
      return saidAt.advanced(by: window)
    }
  }

  /// A total as it is heard.
  struct Statement {
    var frames: UInt64
    /// When it was made, by the source's clock.
    var madeAt: Timestamp
    var completeUpTo: Timestamp?
  }

  /// Arrivals counted.
  public var counted: UInt64 = 0
  /// What the totals count beyond ``counted`` when nothing is missing, or less; `nil` before the
  /// first total.
  public var base: Int64?
  /// The same, or more; `nil` while it is learned.
  public var floor: Int64?
  /// Until when ``base`` is still learned.
  public var learningUntil: Timestamp?
  /// The first total, from which ``floor`` is learned once all that it counts has come.
  public var first: Total?
  /// The latest total, to tell a source that begins anew.
  public var latest: UInt64?
  /// The latest moment at which a total was made.
  public var latestAt: Timestamp?
  /// The latest total that was due, and against which a shortfall stands.
  public var judged: Total?
  /// Totals that wait, the oldest first.
  public var waiting: [Total] = []
  public var recent = RecentArrivals()

  public init() {}

  /// How many more are in a total than were counted; 0 where none are.
  func shortfall(of total: Total) -> UInt64 {
    guard let base else { return 0 }
    let (missing, overflow) = total.difference.subtractingReportingOverflow(base)
    return overflow || missing <= 0 ? 0 : UInt64(missing)
  }

  // MARK: Totals

  /// Takes a total; returns by how much more was counted than it says.
  mutating func take(
    _ said: Statement, at now: Timestamp, _ policy: SourcePolicy
  ) -> UInt64 {
    let isBelieved = said.madeAt <= now.advanced(by: policy.skew)
    let isInOrder = isBelieved && said.madeAt >= latestAt ?? said.madeAt
    let takenUpTo = isBelieved ? max(said.madeAt, latestAt ?? said.madeAt) : .distantFuture
    if isBelieved { latestAt = takenUpTo }
    let total = Total(
      frames: said.frames, saidAt: now, takenUpTo: takenUpTo,
      counted: counted &- recent.later(than: takenUpTo))
    // What was stamped a moment before may not be in it yet.
    let settled = said.madeAt.advanced(by: Elapsed(nanoseconds: -Self.settling.nanoseconds))
    let least = isInOrder ? recent.perhapsLater(than: settled).map { counted &- $0 } : nil
    if base == nil || said.frames < latest ?? 0 {
      begin(with: total, least: least ?? counted &- recent.count, policy.countWindow)
    }
    latest = said.frames
    let most = least.map { Int64(bitPattern: said.frames &- $0) }
    if isLearning(at: now, said.completeUpTo) {
      if let most { base = min(base ?? most, most) }
      return 0
    }
    // Nobody knows what it counts: whatever comes would make up for it.
    guard isBelieved else { return 0 }
    let surplus = most.map { refine(by: $0) } ?? 0
    if shortfall(of: total) > 0 {
      wait(for: total)
    } else if most == base {
      (waiting, judged) = ([], nil)
    }
    return surplus
  }

  private mutating func begin(with total: Total, least: UInt64, _ window: Elapsed) {
    base = Int64(bitPattern: total.frames &- least)
    let isKnown = total.frames == 0 && counted == 0
    floor = isKnown ? 0 : nil
    learningUntil = isKnown ? nil : total.saidAt.advanced(by: window)
    first = isKnown ? nil : total
    waiting = []
    judged = nil
  }

  /// Ends the learning when the window is over and all that the first total counts has come.
  private mutating func isLearning(at now: Timestamp, _ completeUpTo: Timestamp?) -> Bool {
    guard let until = learningUntil else { return false }
    if now <= until || first?.due(.zero, completeUpTo: completeUpTo) == nil && first != nil {
      return true
    }
    if let first, let base { floor = min(base, first.difference) }
    learningUntil = nil
    first = nil
    return false
  }

  /// Takes in that no more than `most` are beyond what was counted; returns how many too few that is.
  private mutating func refine(by most: Int64) -> UInt64 {
    guard let base, most < base else { return 0 }
    let least = floor ?? base
    self.base = most
    guard most < least else { return 0 }
    floor = most
    let (more, overflow) = least.subtractingReportingOverflow(most)
    return overflow ? .max : UInt64(more)
  }

  private mutating func wait(for total: Total) {
    if waiting.last?.frames == total.frames { return }
    if waiting.count >= Self.waitingMax { waiting.removeLast() }
    waiting.append(total)
  }

  // MARK: Arrivals

  /// One more arrival, which the source took in at `time` by its own clock.
  mutating func count(takenInAt time: Timestamp, at now: Timestamp, _ policy: SourcePolicy) {
    counted &+= 1
    // Nothing is taken in after it has come; a clock that says so is not believed.
    let time = time <= now.advanced(by: policy.skew) ? time : now
    recent.note(time)
    if let total = first, time <= total.takenUpTo { first?.counted = total.counted &+ 1 }
    if let total = judged, time <= total.takenUpTo { judged?.counted = total.counted &+ 1 }
    for index in waiting.indices where time <= waiting[index].takenUpTo {
      waiting[index].counted &+= 1
    }
    // Where a later total lacks nothing, an earlier one does not either.
    guard let whole = waiting.lastIndex(where: { shortfall(of: $0) == 0 }) else { return }
    waiting.removeFirst(whole + 1)
    judged = nil
  }

  /// When the first total that waits is due.
  func nextDue(_ window: Elapsed, completeUpTo: Timestamp?) -> Timestamp? {
    waiting.first?.due(window, completeUpTo: completeUpTo)
  }

  /// Takes out the totals that are due by now; how many arrivals the latest of them lacks.
  mutating func settle(
    at now: Timestamp, window: Elapsed, completeUpTo: Timestamp?
  ) -> UInt64 {
    while let due = nextDue(window, completeUpTo: completeUpTo), due <= now {
      judged = waiting.removeFirst()
    }
    return judged.map { shortfall(of: $0) } ?? 0
  }
}
