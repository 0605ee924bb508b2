/// One window of the rules: its key in a policy file, its place in ``RuleWindows``, and what a
/// change of it means.
///
/// The one list of them: files are read and written, compared and hashed by it.
public struct PolicyWindow: Sendable {
  public enum Field: Sendable {
    case elapsed(any WritableKeyPath<RuleWindows, Elapsed> & Sendable)
    case length(any WritableKeyPath<RuleWindows, ClockLength> & Sendable)
  }

  /// Which change of a window lets more be told, and sooner.
  public enum Direction: Hashable, Sendable {
    /// A deadline: tighter where shorter.
    case shorter
    /// A span in which things are seen together: tighter where longer.
    case longer
    /// What is remembered, and for how long: no promise to anybody, so no profile may set it.
    case neither
  }

  public var key: String
  public var field: Field
  public var tighter: Direction
  public var comment: String

  public init(
    key: String, field: Field, tighter: Direction = .neither, comment: String
  ) {
    self.key = key
    self.field = field
    self.tighter = tighter
    self.comment = comment
  }

  /// The window's length.
  public func length(in windows: RuleWindows) -> ClockLength {
    switch field {
    case .elapsed(let path): .elapsed(windows[keyPath: path])
    case .length(let path): windows[keyPath: path]
    }
  }

  /// Sets the window; false where it takes elapsed time only and `length` is another.
  @discardableResult
  public func set(_ length: ClockLength, in windows: inout RuleWindows) -> Bool {
    switch (field, length) {
    case (.length(let path), _): windows[keyPath: path] = length
    case (.elapsed(let path), .elapsed(let elapsed)): windows[keyPath: path] = elapsed
    case (.elapsed, _): return false
    }
    return true
  }

  public static let all: [PolicyWindow] = deadlines + spans + memories

  private static let deadlines: [PolicyWindow] = [
    PolicyWindow(
      key: "reroute", field: .length(\.reroute), tighter: .shorter,
      comment: "from a refusal to the next step (A11)"),
    PolicyWindow(
      key: "rerouteUrgent", field: .length(\.rerouteUrgent), tighter: .shorter,
      comment: "the same for every priority that says urgent"),
    PolicyWindow(
      key: "hold", field: .length(\.hold), tighter: .shorter,
      comment: "one question to the sender (A08)"),
    PolicyWindow(
      key: "holdCap", field: .length(\.holdCap), tighter: .shorter,
      comment: "the sum of the pauses of accept"),
    PolicyWindow(
      key: "bookingGrace", field: .elapsed(\.bookingGrace), tighter: .shorter,
      comment: "after a booked hour without a word of it (A09)"),
    PolicyWindow(
      key: "confirmation", field: .length(\.confirmation), tighter: .shorter,
      comment: "two acceptances beside each other (A05)"),
    PolicyWindow(
      key: "negative", field: .length(\.negative), tighter: .shorter,
      comment: "from a refusal of the person to the sender's answer to it (A22)"),
    PolicyWindow(
      key: "dischargeHome", field: .elapsed(\.dischargeHome), tighter: .shorter,
      comment: "from a discharge on pathway 1 to its start (A20)"),
    PolicyWindow(
      key: "dischargeBed", field: .elapsed(\.dischargeBed), tighter: .shorter,
      comment: "from a discharge on pathway 2 or 3 to its start (A20)"),
    PolicyWindow(
      key: "readyRequest", field: .elapsed(\.readyRequest), tighter: .shorter,
      comment: "from ready for discharge to a request (A21)"),
    PolicyWindow(
      key: "readyAccept", field: .elapsed(\.readyAccept), tighter: .shorter,
      comment: "from ready for discharge to an acceptance (A21)"),
    PolicyWindow(
      key: "orphan", field: .elapsed(\.orphan), tighter: .shorter,
      comment: "an answer waits so long for its request, after reorder (A13)"),
  ]

  private static let spans: [PolicyWindow] = [
    PolicyWindow(
      key: "need", field: .elapsed(\.need), tighter: .longer,
      comment: "two requests of one need within it are one (A04, A06)"),
    PolicyWindow(
      key: "needUrgent", field: .elapsed(\.needUrgent), tighter: .longer,
      comment: "the same for every priority that says urgent"),
    PolicyWindow(
      key: "resend", field: .elapsed(\.resend), tighter: .shorter,
      comment: "within it the same content under another id is a plain repeat (A02)"),
    PolicyWindow(
      key: "bounce", field: .elapsed(\.bounce), tighter: .longer,
      comment: "hops within it are one to and fro (A15)"),
    PolicyWindow(
      key: "closedGrace", field: .length(\.closedGrace),
      comment: "after its last day, when a closed code is only a warning (A17)"),
    PolicyWindow(
      key: "supersededGrace", field: .elapsed(\.supersededGrace), tighter: .shorter,
      comment: "after a merge the old number may still be on its way (A16)"),
  ]

  private static let memories: [PolicyWindow] = [
    PolicyWindow(
      key: "reorder", field: .elapsed(\.reorder),
      comment: "within it events are put in the order in which they happened"),
    PolicyWindow(
      key: "repeats", field: .elapsed(\.repeats),
      comment: "after it a repeat begins a new episode (A01)"),
    PolicyWindow(
      key: "memory", field: .elapsed(\.memory), comment: "how long an event is known again"),
    PolicyWindow(
      key: "illegal", field: .elapsed(\.illegal),
      comment: "how long an illegal event waits for what makes it legal (A14)"),
    PolicyWindow(
      key: "death", field: .elapsed(\.death), comment: "how long a death is remembered (A23)"),
    PolicyWindow(
      key: "ended", field: .elapsed(\.ended), comment: "how long an ended handoff is kept"),
  ]
}
