// A23, activity after death: a step of people that happened after the end of the local day of
// death, or an appointment that still stands when the death is reported. Guards: what machines say,
// ends and acknowledgements; a corrected date; kinds of handoff that begin with a death.

extension Person {
  func judgeDeath(_ moment: Moment, _ open: inout [Condition]) {
    guard !stay.isEmpty, let death else { return }
    let dayEnd = LondonTime(
      date: LondonTime(death.witness.occurredAt).date.advanced(byDays: 1)
    ).timestamp
    for handoff in handoffs where handoff.isOpen && !handoff.current.isAfterDeathKind {
      let facts = handoff.current
      var began = facts.marks.map { mark in
        mark.step.isActivity && mark.witness.occurredAt >= dayEnd ? mark.witness : nil
      }.compactMap(\.self).min { ($0.occurredAt, $0.eventID) < ($1.occurredAt, $1.eventID) }
      if began == nil, let bookedFor = facts.bookedFor, bookedFor >= dayEnd {
        began = facts.witness(of: .booked)
      }
      guard let began else { continue }
      open.append(
        Condition(
          .a23, of: handoff.id, began: began,
          opened: max(began.arrivedAt, death.witness.arrivedAt),
          witnesses: [began, death.witness]))
    }
  }

  /// Whether a death stops a clock: those of care and of the next step stop, those of transport and
  /// of refusals do not.
  func isStopped(_ deadline: Deadline) -> Bool {
    switch deadline.rule {
    case .a08, .a09, .a10, .a11: break
    default: return false
    }
    guard !stay.isEmpty, let death else { return false }
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
