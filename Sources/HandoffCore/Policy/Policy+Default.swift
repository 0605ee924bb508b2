import Crypto

extension Policy {
  /// The table of domain.md §4.2, every row with its source, and its further clocks.
  ///
  /// Its hash is that of its values as text, which a policy file that says the same does not share.
  public static let `default` = Policy(
    version: 1, hash: RecordHash(sha256Of: defaultText), rows: defaultRows,
    fallback: defaultFallback, railDelivery: [Code(known: "mesh"): .hours(24)],
    windows: RuleWindows(), calendar: .england)

  /// For a kind that no row knows: the loosest of the referral rows that still speaks in a week.
  static let defaultFallback = Clocks(
    acknowledge: .hours(4), accept: .days(7), start: .weeks(18), complete: .weeks(18),
    feedback: .days(7), basis: .proposed, note: "as GP to hospital, routine")

  /// T_complete: 30 days for urgent kinds, which are those whose clocks are in hours; 18 weeks else.
  private static let soon = ClockLength.days(30)
  private static let late = ClockLength.weeks(18)

  private static func row(
    _ kind: String, _ priority: String? = nil, ack: ClockLength, accept: ClockLength,
    start: ClockLength?, from anchor: Clocks.StartAnchor = .request,
    complete: ClockLength = soon, outcome: ClockLength? = nil, feedback: ClockLength,
    isDocument: Bool = false,
    _ basis: Clocks.Basis, _ note: String
  ) -> Row {
    Row(
      kind: HandoffKind(known: kind), priority: priority.map { Priority(known: $0) },
      clocks: Clocks(
        acknowledge: ack, accept: accept, start: start, startAnchor: anchor, complete: complete,
        outcome: outcome, feedback: feedback, isFeedbackOwed: !isDocument, isDocument: isDocument,
        basis: basis,
        note: note))
  }

  static let defaultRows: [Row] = referralRows + dischargeRows + otherRows

  private static let referralRows: [Row] = [
    // A09 speaks at 45 min; 15, 30 and 60 min are steps of the ladder, which is handling.
    row(
      "ambulance-ed", ack: .minutes(1), accept: .minutes(15), start: .minutes(45),
      feedback: .hours(24), .national, "release to rescue 2025/26: 45 min at most"),
    row(
      "111-ucr", ack: .minutes(5), accept: .minutes(30), start: .hours(2), feedback: .hours(24),
      .mixed, "start: 2-hour urgent community response; rest proposed"),
    row(
      "gp-ucr", ack: .minutes(5), accept: .minutes(30), start: .hours(2), feedback: .hours(24),
      .mixed, "start: 2-hour urgent community response; rest proposed"),
    row(
      "ed-mh-liaison", ack: .minutes(5), accept: .minutes(30), start: .hours(1),
      feedback: .hours(24), .mixed, "proposed mental health standards 2021: 1 h"),
    row(
      "mh-crisis", ack: .minutes(5), accept: .hours(4), start: .hours(24), feedback: .hours(24),
      .mixed, "proposed mental health standards 2021: urgent 24 h"),
    row(
      "mh-crisis", "very-urgent", ack: .minutes(5), accept: .hours(1), start: .hours(4),
      feedback: .hours(24), .mixed, "proposed mental health standards 2021: very urgent 4 h"),
    row(
      "gp-community-mh", ack: .hours(1), accept: .workingDays(5), start: .weeks(4),
      complete: late, feedback: .days(7), .mixed,
      "proposed mental health standards 2021: 4 weeks; rest proposed"),
    row(
      "mh-follow-up", ack: .hours(1), accept: .hours(24), start: .hours(72), feedback: .hours(24),
      .national, "NHS Standard Contract: 72 h follow-up"),
    // The 28 days are to a diagnosis: an outcome clock, and none of the start (domain.md §8).
    row(
      "gp-suspected-cancer", ack: .hours(1), accept: .workingDays(2), start: nil, complete: late,
      outcome: .days(28), feedback: .days(7), .mixed,
      "outcome: Faster Diagnosis Standard 28 d; rest proposed"),
    row(
      "gp-hospital", ack: .hours(4), accept: .days(7), start: .weeks(18), complete: late,
      feedback: .days(7), .mixed, "start: RTT 18 weeks; accept: Healthwatch, one week"),
    row(
      "gp-hospital", "urgent", ack: .hours(1), accept: .workingDays(3), start: .weeks(6),
      complete: late, feedback: .days(7), .proposed, "no national figure"),
    row(
      "diagnostics", ack: .hours(1), accept: .workingDays(3), start: .weeks(6), complete: late,
      feedback: .days(7), .mixed, "start: DM01 6 weeks; rest proposed"),
  ]

  private static let dischargeRows: [Row] = [
    row(
      "hospital-council", ack: .hours(1), accept: .hours(24), start: .hours(24),
      from: .dischargeReady, feedback: .hours(24), .proposed,
      "local: the statutory clocks ended on 1 July 2022 (SI 2022/734)"),
    row(
      "hospital-council", "urgent", ack: .minutes(15), accept: .hours(4), start: .sameDay,
      feedback: .hours(24), .proposed, "local: no statutory clock"),
    row(
      "hospital-council", "self-discharge", ack: .minutes(15), accept: .hours(4),
      start: .sameDay, feedback: .hours(24), .proposed, "local: no statutory clock"),
    row(
      "community-bed", ack: .minutes(15), accept: .hours(4), start: .hours(24),
      from: .dischargeReady, feedback: .hours(24), .proposed, "pathway 2: no national figure"),
    row(
      "home-care", ack: .hours(1), accept: .hours(24), start: .hours(48), from: .dischargeReady,
      feedback: .workingDays(2), .mixed, "pathway 1: aspiration of 2 days"),
    row(
      "virtual-ward", ack: .minutes(15), accept: .hours(2), start: .sameDay,
      feedback: .hours(24), .proposed, "step-down: national figure not found"),
    row(
      "virtual-ward", "step-up", ack: .minutes(15), accept: .hours(1), start: .hours(4),
      feedback: .hours(24), .proposed, "step-up: national figure not found"),
    row(
      "care-home", ack: .hours(1), accept: .hours(24), start: .hours(72), from: .dischargeReady,
      feedback: .hours(24), .proposed, "pathway 3: no national figure"),
  ]

  private static let otherRows: [Row] = [
    row(
      "discharge-summary", ack: .minutes(15), accept: .hours(3), start: nil,
      feedback: .hours(24), isDocument: true, .national,
      "NHS Standard Contract: 24 h; GP Connect: acknowledged within 3 h"),
    row(
      "outpatient-letter", ack: .hours(1), accept: .hours(3), start: nil, feedback: .days(7),
      isDocument: true, .national, "NHS Standard Contract: 7 days"),
    row(
      "social-prescribing", ack: .workingDays(1), accept: .workingDays(3),
      start: .workingDays(10), complete: late, feedback: .workingDays(10), .proposed,
      "voluntary services: no national figure"),
    row(
      "pharmacy", ack: .minutes(5), accept: .hours(4), start: .hours(24), feedback: .hours(24),
      .proposed, "minor illness: no national figure"),
    mutualAid(nil, .hours(3)), mutualAid("c1", .minutes(15)), mutualAid("c2", .minutes(40)),
    mutualAid("c3", .hours(2)), mutualAid("c4", .hours(3)),
  ]

  /// "Per category": the 90th centiles of the Ambulance Response Programme, C5 as C4.
  private static func mutualAid(_ category: String?, _ start: ClockLength) -> Row {
    row(
      "mutual-aid", category, ack: .elapsed(.seconds(30)), accept: .minutes(2), start: start,
      feedback: .hours(24), .proposed, "start: Ambulance Response Programme, 90th centile")
  }

  /// Every value that a verdict can depend on, as text, so that the default has a hash as a file
  /// has one.
  private static var defaultText: String {
    let rows = defaultRows.map { row in
      "\(row.kind) \(row.priority?.description ?? "*") \(text(of: row.clocks))"
    }
    let windows = PolicyWindow.all.map { "\($0.key) \($0.length(in: RuleWindows()))" }
    let rest = [text(of: defaultFallback)] + windows
    return (rows + rest).joined(separator: "\n")
  }

  private static func text(of clocks: Clocks) -> String {
    let lengths = [
      clocks.acknowledge, clocks.deliver, clocks.accept, clocks.start, clocks.complete,
      clocks.outcome, clocks.feedback,
    ]
    let words =
      lengths.map { $0?.description ?? "-" }
      + [clocks.startAnchor.rawValue, "\(clocks.isFeedbackOwed)", "\(clocks.isDocument)"]
    return words.joined(separator: " ")
  }
}

extension RecordHash {
  /// SHA-256 of `text` in UTF-8.
  init(sha256Of text: String) {
    self.init(SHA256.hash(data: Array(text.utf8)))
  }
}
