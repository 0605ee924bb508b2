// A21, ready and not handed on: no request within 2 h of being ready, or nobody who accepted within
// 24 h; each limb is an episode. Guards: the criteria to reside met again restart the clock, a
// discharge or a death ends it, pathway 0 needs no handoff.

extension Person {
  func judgeReadiness(
    _ moment: Moment, _ open: inout [Condition], _ next: inout Timestamp?
  ) {
    guard let ready = currentReadiness, ready.pathway != 0, death == nil else {
      return
    }
    let windows = moment.policy(of: ready).windows
    let mine = handoffs.filter { handoff in
      guard handsOn(handoff, ready.saidBy, moment.inForce.register) else { return false }
      guard let ended = handoff.current.witness(of: .ended) else { return true }
      return ended.occurredAt > ready.witness.occurredAt
    }
    let isAccepted = mine.contains { handoff in
      guard handoff.current.witness(of: .accepted) != nil else { return false }
      switch handoff.current.state {
      case .rejected, .redirected, .cancelled, .voided, .failed, .expired: return false
      default: return true
      }
    }
    let limbs: [(Code, Elapsed, Bool)] = [
      (.request, windows.readyRequest, !mine.isEmpty),
      (.acceptance, windows.readyAccept, isAccepted),
    ]
    for (cause, grace, isMet) in limbs where !isMet {
      let due = ready.witness.occurredAt.advanced(by: grace)
      if due <= moment.now {
        var condition = Condition(
          .a21, cause, began: ready.witness, opened: due, witnesses: [ready.witness])
        condition.wait(for: answerers(ofStay: ready.saidBy, moment), alerts, moment, &next)
        open.append(condition)
      } else {
        next.lower(to: due)
      }
    }
  }

  /// The first word of the current period of being ready.
  var currentReadiness: StayMark? {
    var first: StayMark?
    for mark in stay {
      switch mark.type {
      case .readyForDischarge: first = first ?? mark
      case .dischargeReadinessWithdrawn, .discharged: first = nil
      default: break
      }
    }
    return first
  }
}

extension Code {
  static let request = Code(known: "request")
  static let acceptance = Code(known: "acceptance")
}
