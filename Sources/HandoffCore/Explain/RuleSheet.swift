/// What a rule is for, in words: the page that an alert refers to and a safety case quotes.
public struct RuleSheet: Hashable, Sendable {
  public var rule: Rule
  public var title: String
  public var severity: Severity
  /// When it speaks.
  public var predicate: String
  /// What keeps it from speaking in vain.
  public var guards: String
  /// When it is resolved.
  public var resolution: String
  /// What can happen to a patient if nobody acts.
  public var hazard: String
  /// What the reducer keeps for it, for how long, in about how many bytes.
  public var remembers: String

  /// The sheet as a section of the page of all rules.
  public var markdown: String {
    """
    ## \(rule.rawValue): \(title)

    Severity: \(severity.rawValue).

    - **Speaks when** \(predicate)
    - **Not when** \(guards)
    - **Resolved when** \(resolution)
    - **Hazard**: \(hazard)
    - **Remembers** \(remembers)

    """
  }

  /// The page of all rules that the reducers judge by: `Rules.md` of this catalog, word for word.
  public static var page: String {
    let sheets = Rule.allCases.compactMap(\.sheet)
    return "# Rules\n\nWhat each rule says, when it does not, and why it is there.\n\n"
      + "This page is written by the code: `RuleSheet.page`. The windows named are the defaults.\n\n"
      + honestTime
      + sheets.map(\.markdown).joined(separator: "\n")
  }
}

extension RuleSheet {
  /// What all rules of silence have in common.
  private static let honestTime = """
    Silence (A07 to A11, A13, A14, A20 to A22, A24) is judged once every source that could carry
    the answer is complete up to the deadline. Until then nothing is said; three intervals of the
    source after the deadline the alert is *undetermined*, and names the source. When the source is
    complete it is opened, or resolved; an answer that came meanwhile is judged by when it happened,
    a late one when the other sources are complete too.
    `opened` is always the moment it was due. Which sources could carry an answer the policy says
    (`organisations` of a source); else it is those that have carried a word of the organisation, at
    most 1,024 pairs of source and organisation a partition. What is said at once (a receiver that
    withdraws, 30004) waits for nobody, and nobody waits for a source of which nothing is known.


    """
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
    case .s01, .s02, .s05, .s07, .s11: .high
    case .s04, .s09, .s10: .medium
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
    case .s09: "Certificate ends"
    case .s10: "Table fills up"
    case .s11: "Frame from outside refused"
    }
  }

  /// The sheet of a rule; a test holds that every rule has one.
  public var sheet: RuleSheet? {
    guard let words else { return nil }
    return RuleSheet(
      rule: self, title: title, severity: severity, predicate: words.predicate,
      guards: words.guards, resolution: words.resolution, hazard: words.hazard,
      remembers: words.remembers)
  }
}
