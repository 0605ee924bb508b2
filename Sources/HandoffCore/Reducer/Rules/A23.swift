// A23, activity after death: a step of people that happened after the end of the local day of
// death, or an appointment that still stands when the death is reported. Guards: what machines say,
// ends and acknowledgements; a corrected date; kinds of handoff that begin with a death.
//
// One alert a handoff, and due when the first of it was known: neither a further step nor a further
// word on the death makes another, although of steps of one sort only the last is remembered.

extension Person {
  func judgeDeath(_ moment: Moment, _ open: inout [Condition]) {
    guard let death else { return }
    let dayEnd = LondonTime(
      date: LondonTime(death.witness.occurredAt).date.advanced(byDays: 1)
    ).timestamp
    for handoff in handoffs where handoff.isOpen && !handoff.current.isAfterDeathKind {
      let facts = handoff.current
      var act = facts.marks.map { mark in
        mark.step.isActivity && mark.witness.occurredAt >= dayEnd ? mark.witness : nil
      }.compactMap(\.self).min { ($0.arrivedAt, $0.eventID) < ($1.arrivedAt, $1.eventID) }
      if act == nil, let bookedFor = facts.bookedFor, bookedFor >= dayEnd {
        act = facts.witness(of: .booked)
      }
      guard let act, let requested = facts.witness(of: .requested) else { continue }
      let said = alerts.first {
        $0.rule == .a23 && $0.isOpen && $0.handoffID == handoff.id
          && $0.beganWith == requested.eventID
      }
      open.append(
        Condition(
          .a23, of: handoff.id, began: requested,
          opened: said?.opened ?? max(act.arrivedAt, death.witness.arrivedAt),
          witnesses: [act, death.witness]))
    }
  }

  /// Whether a death stops a clock: those of care and of the next step stop, those of transport and
  /// of refusals do not.
  func isStopped(_ deadline: Deadline) -> Bool {
    switch deadline.rule {
    case .a08, .a09, .a10, .a11: break
    default: return false
    }
    guard let death else { return false }
    return deadline.due >= death.witness.occurredAt
  }
}

extension Mark.Step {
  /// Whether people did something, as against what ends, what machines say and what acknowledges.
  fileprivate var isActivity: Bool {
    switch self {
    case .requested, .held, .released, .accepted, .booked, .notAttended, .started, .amended: true
    case .transportAccepted, .acknowledged, .completed, .feedbackSent, .feedbackAcknowledged,
      .ended, .disposition:
      false
    }
  }
}

extension HandoffFacts {
  /// Whether it is of a kind that begins with a death.
  fileprivate var isAfterDeathKind: Bool {
    guard let kind else { return false }
    return ["mortuary", "coroner", "medical-examiner", "bereavement"].contains {
      kind.description.hasPrefix($0)
    }
  }
}
