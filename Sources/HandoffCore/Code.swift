/// A short code from a code list: 1 to 64 of letters, digits and `. _ : / -`.
///
/// Never free text: what stands outside the sealed field is codes only. A run of ten digits is
/// refused, because that is what an NHS number put into the wrong field looks like.
public struct Code: BitwiseCopyable, Hashable, Comparable, Sendable, CustomStringConvertible {
  let text: InlineText<8>

  public var description: String { text.text }

  /// `nil` where a character, the length or a run of ten digits rules it out.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    self.init(utf8: text.utf8.span)
  }

  /// The same from ASCII bytes that a codec holds.
  public init?(utf8 bytes: Span<UInt8>) {
    guard (1...64).contains(bytes.count) else { return nil }
    text = InlineText(ascii: bytes)
    guard text.isMade(of: .code, count: bytes.count) else { return nil }
    if bytes.count >= 10, text.digitCount >= 10, Self.hasTenDigits(bytes) { return nil }
  }

  /// For constants of ours, which a test reads back through the other initialiser.
  init(known text: String) { self.text = InlineText(text) }

  /// Whether ten digits follow each other, hyphens between them or not.
  private static func hasTenDigits(_ bytes: Span<UInt8>) -> Bool {
    var digits = 0
    for index in bytes.indices {
      let byte = bytes[index]
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        digits += 1
        if digits == 10 { return true }
      } else if byte != UInt8(ascii: "-") {
        digits = 0  // 999-000-0000 is still an NHS number.
      }
    }
    return false
  }

  public static func < (left: Code, right: Code) -> Bool { left.text < right.text }
}

/// A kind of handoff, by which the policy finds its clocks, such as `gp-hospital`.
public struct HandoffKind: BitwiseCopyable, Hashable, Comparable, Sendable,
  CustomStringConvertible
{
  let text: InlineText<5>

  public var description: String { text.text }

  /// 1 to 40 lower-case letters, digits and hyphens; `nil` otherwise.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    self.init(utf8: text.utf8.span)
  }

  /// The same from ASCII bytes that a codec holds.
  public init?(utf8 bytes: Span<UInt8>) {
    guard (1...40).contains(bytes.count) else { return nil }
    text = InlineText(ascii: bytes)
    guard text.isMade(of: .slug, count: bytes.count) else { return nil }
  }

  /// What a message that names no kind is taken for; its clocks are the policy's defaults.
  public static let unspecified = HandoffKind(known: "unspecified")

  init(known text: String) { self.text = InlineText(text) }

  public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// How soon a handoff is meant to be acted on, such as `routine` or `very-urgent`.
public struct Priority: BitwiseCopyable, Hashable, Comparable, Sendable, CustomStringConvertible {
  let text: InlineText<5>

  public var description: String { text.text }

  /// 1 to 40 lower-case letters, digits and hyphens; `nil` otherwise.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    self.init(utf8: text.utf8.span)
  }

  /// The same from ASCII bytes that a codec holds.
  public init?(utf8 bytes: Span<UInt8>) {
    guard (1...40).contains(bytes.count) else { return nil }
    text = InlineText(ascii: bytes)
    guard text.isMade(of: .slug, count: bytes.count) else { return nil }
  }

  public static let routine = Priority(known: "routine")
  public static let urgent = Priority(known: "urgent")
  private static let emergency = Priority(known: "emergency")

  init(known text: String) { self.text = InlineText(text) }

  /// Whether the priority says urgent (domain.md §8: every one that says so).
  public var isUrgent: Bool {
    // Nearly all are routine, and letters take longest to look through.
    self != .routine && (text.contains("urgent") || self == .emergency)
  }

  public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
