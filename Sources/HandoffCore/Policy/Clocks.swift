/// The clocks of one kind of handoff at one priority (domain.md §4.2).
public struct Clocks: Hashable, Sendable {
  /// From which moment the clock of the start runs.
  public enum StartAnchor: String, CaseIterable, Hashable, Sendable {
    case request
    /// The Discharge Ready Date, restarted when it is set again; the request while none is known.
    case dischargeReady
  }

  /// Where the values come from.
  public enum Basis: String, CaseIterable, Hashable, Sendable {
    case national = "N"
    case proposed = "P"
    /// Some national, some proposed; the note says which.
    case mixed = "N+P"
    /// Set by a policy file of one's own.
    case local
  }

  /// T_ack: the request to the first evidence from the receiver.
  public var acknowledge: ClockLength
  /// T_deliver: from TransportAccepted on, in place of what is left of T_ack.
  ///
  /// `nil` means as long as T_ack; a slower rail may set another (``Policy/railDelivery``).
  public var deliver: ClockLength?
  /// T_accept: the request to an acceptance or refusal.
  public var accept: ClockLength
  /// T_start: to the first contact.
  ///
  /// `nil` for documents, which nobody starts, and for kinds that ``outcome`` alone times.
  public var start: ClockLength?
  public var startAnchor: StartAnchor
  /// T_complete: from Started to the outcome.
  public var complete: ClockLength
  /// T_outcome: from the request to the outcome, such as the 28 days to a diagnosis (FDS).
  public var outcome: ClockLength?
  /// T_fb: from completion to feedback delivered; the grace is as long again.
  public var feedback: ClockLength
  /// Whether the sender is owed feedback where the request does not say.
  public var isFeedbackOwed: Bool
  /// A summary or letter: receipt is acceptance, and closes it.
  public var isDocument: Bool
  public var basis: Basis
  /// The source of the values in words.
  public var note: String

  public init(
    acknowledge: ClockLength, deliver: ClockLength? = nil, accept: ClockLength,
    start: ClockLength?, startAnchor: StartAnchor = .request, complete: ClockLength,
    outcome: ClockLength? = nil, feedback: ClockLength, isFeedbackOwed: Bool = true,
    isDocument: Bool = false,
    basis: Basis = .local, note: String = ""
  ) {
    self.acknowledge = acknowledge
    self.deliver = deliver
    self.accept = accept
    self.start = start
    self.startAnchor = startAnchor
    self.complete = complete
    self.outcome = outcome
    self.feedback = feedback
    self.isFeedbackOwed = isFeedbackOwed
    self.isDocument = isDocument
    self.basis = basis
    self.note = note
  }
}

/// The windows of the rules, which are the same for every kind.
public struct RuleWindows: Hashable, Sendable {
  /// W_reorder: within it events are put in the order in which they happened.
  public var reorder: Elapsed = .minutes(15)
  /// T_reroute: from a refusal to the next step.
  public var reroute: ClockLength = .workingDays(1)
  /// The same for every priority that says urgent.
  public var rerouteUrgent: ClockLength = .hours(2)
  /// T_hold: how long one question to the sender may stay open.
  public var hold: ClockLength = .workingDays(2)
  /// Caps the sum of the pauses of T_accept.
  public var holdCap: ClockLength = .workingDays(10)
  /// How long after its hour a booked visit may lack a word of it.
  public var bookingGrace: Elapsed = .hours(24)
  /// W_conf: how long two acceptances may stand beside each other (A05).
  public var confirmation: ClockLength = .hours(2)
  /// The sliding hour of A01: a repeat after it begins a new episode.
  public var repeats: Elapsed = .hours(1)
  /// How long an event is remembered, to know it again: 30 days.
  public var memory: Elapsed = .hours(720)
  /// How long an illegal event waits for what would make it legal: 30 days.
  public var illegal: Elapsed = .hours(720)
  /// W_need: how far apart two requests of one need are still one (A04, A06).
  public var need: Elapsed = .hours(336)
  /// The same for every priority that says urgent.
  public var needUrgent: Elapsed = .hours(48)
  /// Within it the same content under another id is a repeat like any other (A02).
  public var resend: Elapsed = .hours(24)
  /// How long an answer may wait for its request, after W_reorder (A13).
  public var orphan: Elapsed = .hours(24)
  /// Within it hops count as one to and fro: 30 days (A15).
  public var bounce: Elapsed = .hours(720)
  /// From a discharge home with support to its start (A20, pathway 1).
  public var dischargeHome: Elapsed = .hours(2)
  /// From a discharge to a bed elsewhere to its start (A20, pathways 2 and 3).
  public var dischargeBed: Elapsed = .hours(4)
  /// From being ready for discharge to a request (A21).
  public var readyRequest: Elapsed = .hours(2)
  /// From being ready for discharge to an acceptance (A21).
  public var readyAccept: Elapsed = .hours(24)
  /// How long a death is remembered: a year (A23).
  public var death: Elapsed = .hours(8760)
  /// T_neg: from a refusal of the person to what the sender does about it (A22).
  public var negative: ClockLength = .workingDays(1)
  /// How long after a merge what was still on its way may name the old number (A16).
  public var supersededGrace: Elapsed = .hours(24)
  /// How long after its last day the code of a closed organisation is only a warning (A17).
  public var closedGrace: ClockLength = .days(90)
  /// How long an ended handoff is kept, so that late evidence finds it: 30 days.
  public var ended: Elapsed = .hours(720)

  public init() {}
}

/// Clocks behind one reference, never changed: a copy costs as much as asking them.
final class HeldClocks: Sendable {
  let value: Clocks

  init(_ value: Clocks) { self.value = value }
}
