/// What can be wrong: with handoffs and sources (domain.md §3.1), and with the bus itself.
public enum Rule: String, CaseIterable, Hashable, Comparable, Sendable {
  case a01 = "A01"
  case a02 = "A02"
  case a03 = "A03"
  case a04 = "A04"
  case a05 = "A05"
  case a06 = "A06"
  case a07 = "A07"
  case a08 = "A08"
  case a09 = "A09"
  case a10 = "A10"
  case a11 = "A11"
  case a12 = "A12"
  case a13 = "A13"
  case a14 = "A14"
  case a15 = "A15"
  case a16 = "A16"
  case a17 = "A17"
  case a18 = "A18"
  case a19 = "A19"
  case a20 = "A20"
  case a21 = "A21"
  case a22 = "A22"
  case a23 = "A23"
  case a24 = "A24"
  case a25 = "A25"
  case a26 = "A26"
  case a27 = "A27"

  // Alerts about ourselves.

  /// A record could not be read; it counts as a tick.
  case s01 = "S01"
  /// A record lies in a partition that its key does not belong to; it counts as a tick.
  case s02 = "S02"
  /// The log is shorter than what was already read from it.
  case s03 = "S03"
  /// Our clock is more than five minutes off the broker's.
  case s04 = "S04"
  /// The policy that the log activates is one that nobody gave us.
  case s05 = "S05"
  /// The books of a partition do not balance.
  case s06 = "S06"
  /// A transfer on the log is not the one that its cause gives.
  case s07 = "S07"
  /// A record does not bear the mark of one of our writers; it counts as a tick.
  case s08 = "S08"
  /// A certificate ends soon, or cannot be used.
  case s09 = "S09"
  /// A table that stops intake when it is full fills up.
  case s10 = "S10"
  /// A frame from outside the boundary was refused: damaged, sent again, or another's.
  case s11 = "S11"

  /// Whether it speaks of the bus itself, and of no handoff, person or source.
  public var isAboutOurselves: Bool { self >= .s01 }

  public static func < (left: Rule, right: Rule) -> Bool { left.rawValue < right.rawValue }
}
