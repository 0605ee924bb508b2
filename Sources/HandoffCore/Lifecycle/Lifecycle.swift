/// What the transition table says of one event in one state.
public enum Cell: Hashable, Sendable {
  /// The handoff goes on to another state.
  case to(HandoffState)
  /// No change of state; recorded.
  case same
  /// No change of state, but the receiver must be seen to have the new version (A24, footnote 4).
  case amend
  /// The hold ends: back to the state before it.
  case release
  /// Accepted late, as evidence.
  case late
  /// A repeat, counted.
  case duplicate
  /// Kept until something makes it legal; A14 after W_reorder.
  case illegal
  /// An alert names it; the state may change with it.
  case flag(Rule, to: HandoffState?)
  /// From the receiver that accepted, a repeat (counted as duplicate or late); from another, A05.
  case confirm(isDuplicate: Bool)
  /// The receiver's word refutes a failure or expiry, and the handoff goes on.
  case refute(HandoffState)
}

/// The transition table of domain.md §2.3 with the readings of §8: reviewed data, in this one place.
///
/// A row is a state, a column an event, in the order of the page. The page's footnotes:
///
/// 1. Skipping states is legal: stronger evidence implies weaker, see ``isReceiverEvidence(_:)``.
/// 2. Failed is retryable: the same request again leads back to Requested. 408, 425 and timeouts
///    say nothing, see ``isUnknownOutcome(_:)``.
/// 3. Completed before any acceptance is held, and A14 after the reordering window.
/// 4. An amendment after delivery must be seen by the receiver: `amend`.
/// 5. A receiver that withdraws after acceptance: Rejected, and A11 at once.
/// 6. The receiver may refuse a cancellation (BaRS 409 conflict): then no Cancelled is sent here.
/// 7. Not attended returns to Accepted.
/// 8. Entered in error is always permitted, and deletes nothing.
/// 9. Rejected to Redirected is the healthy path.
/// 10. CouldNotComplete: Accepted, Booked and Started fail; elsewhere as Completed.
public enum Lifecycle {
  /// The events that are columns, in the order of ``row(_:)``.
  public static let columns: [EventType] = [
    .handoffAmended, .transportAccepted, .delivered, .transportFailed, .received,
    .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected, .booked,
    .notAttended, .started, .completed, .feedbackSent, .feedbackAcknowledged, .cancelled, .voided,
    .expired, .interim, .couldNotComplete, .disposition,
  ]

  /// The cell of an event in a state; `nil` for events that are no step of a handoff.
  ///
  /// A HandoffRequested that is no repeat is an amendment (§8), and Requested where nothing was.
  public static func cell(_ state: HandoffState, _ event: EventType) -> Cell? {
    guard let column = event.column else { return nil }
    return cells[state.row * columns.count + column]
  }

  /// One row of the table.
  static func row(_ state: HandoffState) -> [Cell] {
    let stop = Cell.illegal
    switch state {
    case .requested:
      return [
        .same, .to(.inTransit), .to(.delivered), .to(.failed), .to(.received), .to(.failed),
        .to(.accepted), .to(.rejected), .to(.onHold), .to(.redirected), .to(.booked), stop,
        .to(.started), stop, stop, stop, .to(.cancelled), .to(.voided), .to(.expired),
        stop, stop, stop,
      ]
    case .inTransit:
      return [
        .same, .duplicate, .to(.delivered), .to(.failed), .to(.received), .to(.failed),
        .to(.accepted), .to(.rejected), .to(.onHold), .to(.redirected), .to(.booked), stop,
        .to(.started), stop, stop, stop, .to(.cancelled), .to(.voided), .to(.expired),
        stop, stop, stop,
      ]
    case .delivered:
      return [
        .amend, .late, .duplicate, .flag(.a22, to: .failed), .to(.received), .to(.failed),
        .to(.accepted), .to(.rejected), .to(.onHold), .to(.redirected), .to(.booked), stop,
        .to(.started), stop, stop, stop, .to(.cancelled), .to(.voided), .to(.expired),
        stop, stop, stop,
      ]
    case .received:
      return [
        .amend, .late, .late, stop, .duplicate, stop,
        .to(.accepted), .to(.rejected), .to(.onHold), .to(.redirected), .to(.booked), stop,
        .to(.started), stop, stop, stop, .to(.cancelled), .to(.voided), .to(.expired),
        stop, stop, stop,
      ]
    case .onHold:
      return [
        .release, .late, .late, stop, .duplicate, stop,
        .to(.accepted), .to(.rejected), .duplicate, .to(.redirected), .to(.booked), stop,
        .to(.started), stop, stop, stop, .to(.cancelled), .to(.voided), .to(.expired),
        stop, stop, stop,
      ]
    case .accepted:
      return [
        .amend, .late, .late, stop, .late, stop,
        .confirm(isDuplicate: true), .flag(.a11, to: .rejected), .to(.onHold), .to(.redirected),
        .to(.booked), stop, .to(.started), .to(.completed), .same, stop, .to(.cancelled),
        .to(.voided), .to(.expired), .same, .to(.failed), stop,
      ]
    case .booked:
      return [
        .amend, .late, .late, stop, .late, stop,
        .confirm(isDuplicate: true), .flag(.a11, to: .rejected), .to(.onHold), .to(.redirected),
        .same, .to(.accepted), .to(.started), .to(.completed), .same, stop, .to(.cancelled),
        .to(.voided), .to(.expired), .same, .to(.failed), stop,
      ]
    case .started, .completed, .closed: return rowAfterStart(state)
    case .rejected, .redirected, .cancelled, .voided, .failed, .expired: return rowAfterEnd(state)
    }
  }

  private static func rowAfterStart(_ state: HandoffState) -> [Cell] {
    let stop = Cell.illegal
    let amended = Cell.flag(.a24, to: nil)
    let conflict = Cell.flag(.a12, to: nil)
    switch state {
    case .started:
      return [
        amended, .late, .late, stop, .late, stop,
        .confirm(isDuplicate: false), conflict, .same, .to(.redirected), .same, stop,
        .duplicate, .to(.completed), .same, stop, conflict, .to(.voided), stop,
        .same, .to(.failed), stop,
      ]
    case .completed:
      return [
        amended, .late, .late, stop, .late, stop,
        .confirm(isDuplicate: false), conflict, stop, stop, stop, stop,
        .late, .duplicate, .same, .to(.closed), conflict, .to(.voided), stop,
        .same, .duplicate, stop,
      ]
    default:
      return [
        amended, .late, .late, stop, .late, stop,
        .late, conflict, stop, stop, stop, stop,
        .late, .duplicate, .duplicate, .duplicate, conflict, .to(.voided), stop,
        .same, .duplicate, .same,
      ]
    }
  }

  /// The last row of the page, which §8 splits: after Failed and Expired the receiver's word refutes
  /// (no A12); two noes, Cancelled and Rejected, are compatible; Voided is as the others.
  private static func rowAfterEnd(_ state: HandoffState) -> [Cell] {
    let isRefutable = state == .failed || state == .expired
    let conflict = Cell.flag(.a12, to: nil)
    func live(_ next: HandoffState) -> Cell { isRefutable ? .refute(next) : conflict }
    let rejected: Cell =
      switch state {
      case .rejected: .duplicate
      case .cancelled: .late
      default: conflict
      }
    return [
      .flag(.a24, to: nil), .late, .late, .late, isRefutable ? .refute(.received) : .late, .late,
      live(.accepted), rejected, .illegal, .to(.redirected), live(.booked), conflict,
      live(.started), conflict, .late, .late, .duplicate,
      state == .voided ? .duplicate : .to(.voided), .duplicate,
      .late, conflict, .same,
    ]
  }

  private static let cells: [Cell] = HandoffState.allCases
    .sorted { $0.row < $1.row }.flatMap(row)
}

extension Lifecycle {
  /// Who may say an event: the sender, the receiver, or the platform that carries it.
  ///
  /// Transport evidence may also come from the receiver's own system, and what is no step of a
  /// handoff from anybody.
  public static func may(_ speaker: SpeakerRole, say event: EventType) -> Bool {
    switch event {
    case .handoffRequested, .handoffAmended, .cancelled, .voided, .disposition:
      speaker == .sender
    case .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .booked,
      .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent:
      speaker == .receiver
    case .redirected: speaker != .platform
    case .feedbackAcknowledged: speaker != .receiver
    case .transportAccepted: speaker == .platform
    case .delivered, .transportFailed, .expired: speaker != .sender
    case .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
      .bedAssigned, .bedFreed, .bedMoved, .patientMerged, .patientMoved, .patientDied,
      .identityLinked, .handoffTransferred, .orgChanged, .wardClosed, .wardOpened,
      .feedbackReceived, .patientChased:
      true
    }
  }

  /// Whether the event proves that the receiver has it (footnote 1; A07).
  ///
  /// TransportAccepted and TransportFailed never do.
  public static func isReceiverEvidence(_ event: EventType) -> Bool {
    switch event {
    case .delivered, .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested,
      .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent:
      true
    default: false
    }
  }

  /// Whether a TransportFailed says only that nothing is known: a timeout, or an answer "too early".
  public static func isUnknownOutcome(_ reason: Code?) -> Bool {
    guard let reason else { return false }
    return unknownOutcomes.contains(reason.description)
  }

  private static let unknownOutcomes: Set<String> = [
    "408", "425", "http:408", "http:425", "http-408", "http-425", "bars:408", "bars:425", "timeout",
    "REC_TIMEOUT", "REC_TOO_EARLY",
  ]

  /// The order of events that happened at the same moment: as a handoff runs.
  static func rank(_ event: EventType) -> Int {
    event == .handoffRequested ? -1 : event.column ?? columns.count
  }
}

extension EventType {
  /// Its place in ``Lifecycle/columns``; `nil` for events that are no step of a handoff.
  ///
  /// A switch, because this is asked of every event: the compiler makes a table of it.
  var column: Int? {
    switch self {
    // A request that is no repeat changes what was asked for.
    case .handoffRequested, .handoffAmended: 0
    case .transportAccepted: 1
    case .delivered: 2
    case .transportFailed: 3
    case .received: 4
    case .recipientRefusedPatient: 5
    case .accepted: 6
    case .rejected: 7
    case .infoRequested: 8
    case .redirected: 9
    case .booked: 10
    case .notAttended: 11
    case .started: 12
    case .completed: 13
    case .feedbackSent: 14
    case .feedbackAcknowledged: 15
    case .cancelled: 16
    case .voided: 17
    case .expired: 18
    case .interim: 19
    case .couldNotComplete: 20
    case .disposition: 21
    case .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
      .bedAssigned, .bedFreed, .bedMoved, .patientMerged, .patientMoved, .patientDied,
      .identityLinked, .handoffTransferred, .orgChanged, .wardClosed, .wardOpened,
      .feedbackReceived, .patientChased:
      nil
    }
  }

  /// Whether it is a step of a handoff.
  public var isLifecycle: Bool { column != nil }
}

extension HandoffState {
  /// Its row in the table.
  var row: Int {
    switch self {
    case .requested: 0
    case .inTransit: 1
    case .delivered: 2
    case .received: 3
    case .onHold: 4
    case .accepted: 5
    case .booked: 6
    case .started: 7
    case .completed: 8
    case .closed: 9
    case .rejected: 10
    case .redirected: 11
    case .cancelled: 12
    case .voided: 13
    case .failed: 14
    case .expired: 15
    }
  }
}
