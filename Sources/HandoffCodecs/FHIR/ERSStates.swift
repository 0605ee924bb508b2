import HandoffCore

/// What the states of e-RS mean, reviewed row by row (domain.md §1.1, §2.2).
enum ERSStates {
  /// eRS-ReferralState-1.
  static let states: [StatusRow] = [
    .init("NOT_BOOKED", .sender(.handoffRequested)),
    .init(
      "AWAITING_TRIAGE", .sender(.handoffRequested), .receiver(.received),
      note: "sent for triage, and on the triage list"),
    .init("BOOKED", .receiver(.accepted), .receiver(.booked)),
    .init("DEFERRED_TO_PROVIDER", .receiver(.infoRequested), note: "no slot: the provider books"),
    .init(
      "TRIAGED_PROVIDER_TO_ACTION", .receiver(.redirected),
      note: "where no outcome below says more"),
    .init("TRIAGE_RESPONSE", .receiver(.completed)),
    .init("ASSESSMENT_RESULT", .receiver(.interim)),
    .init("REJECTED", .receiver(.rejected)),
    .init("DID_NOT_ATTEND", .receiver(.notAttended)),
    .init("CANCELLED_REFERRAL", .sender(.cancelled)),
    .init("APPT_CANCELLED_BY_PATIENT", .sender(.cancelled)),
    .init(
      "APPT_CANCELLED_BY_PROVIDER", .receiver(.rejected),
      note: "the receiver withdraws: somebody must act, so it is no quiet end"),
  ]

  /// eRS-ReviewOutcome-1 and reasons that say more than the state they stand beside.
  static let outcomes: [StatusRow] = [
    .init("ACCEPT_REFER_BOOK_LATER", .receiver(.accepted)),
    .init("RETURN_TO_REFERRER_WITH_ADVICE", .receiver(.infoRequested)),
    .init("PROVIDER_REJECT", .receiver(.rejected)),
    .init(
      "PROVIDER_CONVERTED_ADVICE_AND_GUIDANCE_ADMIN_TO_REFER", .receiver(.redirected),
      note: "advice became a referral that the provider makes"),
    .init("RAISED_IN_ERROR", .sender(.voided)),
  ]

  /// Worklists whose items carry no state of their own.
  static let worklists: [StatusRow] = [
    .init("AppointmentSlotIssues", .receiver(.infoRequested), note: "as DEFERRED_TO_PROVIDER"),
    .init("ReferralsforReview", .receiver(.received), note: "on the provider's list"),
  ]

  /// ReferralRequest.status where no state extension says more (STU3 without e-RS).
  static let referralRequest: [StatusRow] = [
    .init("active", .sender(.handoffRequested)),
    .init("suspended", .sender(.handoffAmended)),
    .init("cancelled", .sender(.cancelled)),
    .init("completed", .receiver(.completed)),
    .init("entered-in-error", .sender(.voided)),
    .init("draft", nothing: "fhir.draft"),
    .init("unknown", nothing: "fhir.status-unknown"),
  ]

  /// The state, however it is spelt; an outcome beside it counts for more.
  static func meaning(of state: String?, reason: String?) -> Meaning? {
    guard let state else { return nil }
    if let row = worklists.meaning(of: state) { return row }
    let name = normal(state)
    guard let meaning = states.meaning(of: name) else { return nil }
    let says = ["TRIAGED_PROVIDER_TO_ACTION", "CANCELLED_REFERRAL", "TRIAGE_RESPONSE"]
    guard says.contains(name), let reason else { return meaning }
    return outcomes.meaning(of: normal(reason)) ?? meaning
  }

  /// The worklist that an item's extension belongs to, where its name stands for a state.
  static func state(ofWorklist url: String) -> String? {
    worklists.first { url.lowercased().contains($0.status.lowercased()) }?.status
  }

  /// Upper case with underscores; `APP_CANCELLED_…` of the worklists is `APPT_CANCELLED_…`.
  static func normal(_ state: String) -> String {
    let words = state.uppercased().split { " -_".contains($0) }.joined(separator: "_")
    return words.hasPrefix("APP_CANCELLED") ? "APPT" + words.dropFirst(3) : words
  }
}
