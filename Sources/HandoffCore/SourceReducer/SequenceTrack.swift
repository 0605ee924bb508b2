/// The sequence numbers of a source that have come, and those that are missing (A25).
///
/// At most 64 gaps of at most 64 parts are kept, the oldest go first: about 2 KiB a gap at worst.
public struct SequenceTrack: Hashable, Sendable {
  public static let gapsMax = 64
  public static let partsMax = 64

  /// Numbers that were jumped over.
  public struct Gap: Hashable, Sendable {
    /// What was jumped over, as a whole.
    public var from: UInt64
    public var to: UInt64
    /// What of it has not come since, in order.
    public var missing: [ClosedRange<UInt64>]
    /// When it was seen.
    public var seenAt: Timestamp
    /// The record that showed it.
    public var evidence: Evidence
    /// Whether its alert was raised.
    public var isSaid: Bool

    public init(
      from: UInt64, to: UInt64, missing: [ClosedRange<UInt64>], seenAt: Timestamp,
      evidence: Evidence, isSaid: Bool
    ) {
      self.from = from
      self.to = to
      self.missing = missing
      self.seenAt = seenAt
      self.evidence = evidence
      self.isSaid = isSaid
    }

    /// How many numbers are missing; what tells it from every other gap is its first number and the
    /// record that showed it.
    var count: UInt32 {
      var sum: UInt64 = 0
      for part in missing {
        let (length, overflow) = (part.upperBound - part.lowerBound).addingReportingOverflow(1)
        sum = overflow || sum &+ length < sum ? .max : sum + length
      }
      return UInt32(clamping: sum)
    }

    /// Stands for the gap in the book of episodes.
    var reference: Token { Token(rawValue: UInt128(from) << 64 | UInt128(to)) }

    /// Takes a number out; false where it is not missing.
    mutating func fill(_ number: UInt64) -> Bool {
      guard let index = missing.firstIndex(where: { $0.contains(number) }) else { return false }
      let part = missing[index]
      var rest: [ClosedRange<UInt64>] = []
      if part.lowerBound < number { rest.append(part.lowerBound...number - 1) }
      if number < part.upperBound { rest.append(number + 1...part.upperBound) }
      // One more part than there is room for: it counts as missing still.
      guard missing.count + rest.count - 1 <= SequenceTrack.partsMax else { return true }
      missing.replaceSubrange(index...index, with: rest)
      return true
    }
  }

  public var highest: UInt64?
  /// In the order in which they were seen.
  public var gaps: [Gap] = []

  public init(highest: UInt64? = nil, gaps: [Gap] = []) {
    self.highest = highest
    self.gaps = gaps
  }

  /// A message with its number came.
  ///
  /// A number behind the highest that is not missing is a repeat, or, at 0 or 1, a new beginning.
  mutating func arrived(_ number: UInt64, at now: Timestamp, _ evidence: Evidence) {
    guard let highest else {
      self.highest = number
      return
    }
    if number > highest {
      if number - highest > 1 { jump(from: highest + 1, to: number - 1, now, evidence) }
      self.highest = number
      return
    }
    for index in gaps.indices.reversed() where gaps[index].fill(number) { return }
    if number <= 1, number < highest { self.highest = number }
  }

  /// The source says that it has seen all up to a number.
  mutating func claimed(_ number: UInt64, at now: Timestamp, _ evidence: Evidence) {
    guard let highest, number > highest else {
      if highest == nil { self.highest = number }
      return
    }
    jump(from: highest + 1, to: number, now, evidence)
    self.highest = number
  }

  private mutating func jump(
    from: UInt64, to: UInt64, _ now: Timestamp, _ evidence: Evidence
  ) {
    if gaps.count >= Self.gapsMax { gaps.removeFirst() }
    gaps.append(
      Gap(
        from: from, to: to, missing: [from...to], seenAt: now, evidence: evidence, isSaid: false))
  }
}
