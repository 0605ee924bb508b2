/// What a rule is for, in words: the page that an alert refers to and a safety case quotes.
public struct RuleSheet: Hashable, Sendable {
  public var rule: Rule
  public var title: String
  public var severity: Severity
  /// What can happen to a patient if nobody acts.
  public var hazard: String
  /// What the reducer keeps for it, for how long, in about how many bytes.
  public var remembers: String
}

extension Rule {
  /// How much harm it can do if nobody acts (domain.md §3.1).
  public var severity: Severity {
    switch self {
    case .a01: .info
    case .a02, .a19: .low
    case .a04, .a06, .a10, .a13, .a14, .a21, .a27: .medium
    case .a03, .a05, .a07, .a08, .a09, .a11, .a12, .a15, .a16, .a17, .a22, .a23, .a24, .a25, .a26:
      .high
    case .a18, .a20, .s03, .s06, .s08: .critical
    case .s01, .s02, .s05, .s07: .high
    case .s04: .medium
    }
  }

  /// The rule's name in words.
  public var title: String {
    switch self {
    case .a01: "Message sent again"
    case .a02: "Same content sent again under another id"
    case .a03: "Message id used for other content"
    case .a04: "Same need referred again"
    case .a05: "Accepted twice"
    case .a06: "Parallel referrals of one need"
    case .a07: "Never acknowledged"
    case .a08: "Delivered, never accepted"
    case .a09: "Accepted, never started"
    case .a10: "Loop not closed"
    case .a11: "Refused, and no next step"
    case .a12: "Conflicting ends"
    case .a13: "Answer without a request"
    case .a14: "Step out of order"
    case .a15: "Sent to and fro"
    case .a16: "Split or merged identity"
    case .a17: "Wrong organisation"
    case .a18: "Source gone silent"
    case .a19: "Clock in doubt"
    case .a20: "Discharged, nobody receiving"
    case .a21: "Ready, not handed on"
    case .a22: "Refusal of the patient not handled"
    case .a23: "Activity after death"
    case .a24: "Amendment not seen"
    case .a25: "Gap in a sequence"
    case .a26: "Counts do not match"
    case .a27: "Message refused"
    case .s01: "Record unreadable"
    case .s02: "Record in the wrong partition"
    case .s03: "Log cut short"
    case .s04: "Our clock is off"
    case .s05: "Policy unknown"
    case .s06: "Books out of balance"
    case .s07: "Transfer differs"
    case .s08: "Record not of our making"
    }
  }

  /// The sheet of a rule that the person reducer judges; `nil` for the others.
  public var sheet: RuleSheet? {
    guard let (hazard, remembers) = words else { return nil }
    return RuleSheet(
      rule: self, title: title, severity: severity, hazard: hazard, remembers: remembers)
  }

  private static let ownHazard = "The bus misses what it is there to find, and nobody knows."
  private static let ownMemory = "an episode a cause, about 250 bytes, until an hour after the last"

  private var words: (hazard: String, remembers: String)? {
    let clock = "the steps of the handoff while it is open, about 100 bytes a step"
    let finding = "one finding a handoff and cause, about 150 bytes, until the handoff is forgotten"
    switch self {
    case .a01:
      return (
        "Work is done twice, or a real second request is taken for a repeat.",
        "every event for 30 days, about 130 bytes; an episode for 30 days, about 300 bytes"
      )
    case .a03:
      return (
        "A system that knows messages by id throws a real one away as a repeat.",
        "every event for 30 days, about 130 bytes; an episode for 30 days, about 300 bytes"
      )
    case .a05: return ("Two services prepare for one person, or each relies on the other.", finding)
    case .a07: return ("A request is lost in transport, and nobody is waiting for it.", clock)
    case .a08: return ("A request lies in a list that nobody owns.", clock)
    case .a09: return ("Care that was promised does not begin.", clock)
    case .a10: return ("The outcome never reaches who must act on it.", clock)
    case .a11:
      return (
        "A person whom one service refused is with no service at all.",
        "the end of a handoff and its links, about 600 bytes, for 30 days"
      )
    case .a12: return ("Services disagree on whether care goes on.", finding)
    case .a14:
      return (
        "A step was lost, or a system reports what cannot be.",
        "the event, about 300 bytes, until something makes it legal, for 30 days at most"
      )
    case .a17: return ("A message went to, or came from, who has no part in it.", finding)
    case .a22: return ("Letters and visits go to a family in mourning.", clock)
    case .a24: return ("A service acts on what is no longer so.", finding)
    case .s01, .s02, .s05, .s06, .s07, .s08: return (Self.ownHazard, Self.ownMemory)
    case .s03, .s04: return (Self.ownHazard, "nothing: it is said when it is seen")
    default: return nil
    }
  }
}
