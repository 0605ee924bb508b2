/// A short code from a code list: 1 to 64 of letters, digits and `. _ : / -`.
///
/// Never free text: what stands outside the sealed field is codes only. A run of ten digits is
/// refused, because that is what an NHS number put into the wrong field looks like.
public struct Code: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let description: String

  /// `nil` where a character, the length or a run of ten digits rules it out.
  public init?(_ text: some StringProtocol) {
    guard (1...64).contains(text.utf8.count) else { return nil }
    var digits = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits += 1
        guard digits < 10 else { return nil }
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "/"):
        digits = 0
      case UInt8(ascii: "-"):
        break  // 999-000-0000 is still an NHS number.
      default: return nil
      }
    }
    description = String(text)
  }

  /// For constants of ours, which a test reads back through the other initialiser.
  init(known text: String) { description = text }

  public static func < (left: Code, right: Code) -> Bool { left.description < right.description }
}

/// A kind of handoff, by which the policy finds its clocks, such as `gp-hospital`.
public struct HandoffKind: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let description: String

  /// 1 to 40 lower-case letters, digits and hyphens; `nil` otherwise.
  public init?(_ text: some StringProtocol) {
    guard isSlug(text) else { return nil }
    description = String(text)
  }

  /// What a message that names no kind is taken for; its clocks are the policy's defaults.
  public static let unspecified = HandoffKind(known: "unspecified")

  init(known text: String) { description = text }

  public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}

/// How soon a handoff is meant to be acted on, such as `routine` or `very-urgent`.
public struct Priority: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let description: String

  /// 1 to 40 lower-case letters, digits and hyphens; `nil` otherwise.
  public init?(_ text: some StringProtocol) {
    guard isSlug(text) else { return nil }
    description = String(text)
  }

  public static let routine = Priority(known: "routine")
  public static let urgent = Priority(known: "urgent")

  init(known text: String) { description = text }

  /// Whether the priority says urgent (domain.md §8: every one that says so).
  public var isUrgent: Bool { description.contains("urgent") || description == "emergency" }

  public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}

private func isSlug(_ text: some StringProtocol) -> Bool {
  (1...40).contains(text.utf8.count)
    && text.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
    }
}
