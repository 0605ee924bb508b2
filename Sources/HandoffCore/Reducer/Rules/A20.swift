// A20, discharged with nobody receiving: pathway 1 to 3, and at discharge + T neither a start nor a
// booking by then. Guards: a discharge that was cancelled, a death, an unknown pathway (a metric),
// pathway 0, whose summary is A10's.

extension Person {
  func judgeDischarge(
    _ moment: Moment, _ open: inout [Condition], _ next: inout Timestamp?
  ) {
    guard let discharged = currentDischarge, let pathway = discharged.pathway,
      (1...3).contains(pathway), death == nil
    else { return }
    let windows = moment.policy(of: discharged).windows
    let grace = pathway == 1 ? windows.dischargeHome : windows.dischargeBed
    let due = discharged.witness.occurredAt.advanced(by: grace)
    let isReceived = handoffs.contains { handoff in
      guard handsOn(handoff, discharged.saidBy, moment.inForce.register) else { return false }
      switch handoff.current.state {
      case .started, .completed, .closed: return true
      case .accepted, .booked:
        return handoff.current.bookedFor.map { $0 <= due } ?? false
      default: return false
      }
    }
    guard !isReceived else { return }
    guard due <= moment.now else { return next.lower(to: due) }
    var condition = Condition(
      .a20, began: discharged.witness, opened: due, witnesses: [discharged.witness])
    condition.wait(for: answerers(ofStay: discharged.saidBy, moment), alerts, moment, &next)
    open.append(condition)
  }

  /// Who could say that a stay is handed on: the hospital, and whoever it asked.
  func answerers(ofStay hospital: OrganisationID?, _ moment: Moment) -> [OrganisationID?] {
    guard moment.completeness != nil else { return [] }
    let register = moment.inForce.register
    return [hospital]
      + handoffs.filter { handsOn($0, hospital, register) }
      .flatMap { [$0.current.to, $0.current.acceptedBy] }
  }

  /// The last discharge, unless it was taken back.
  var currentDischarge: StayMark? {
    guard let last = stay.last(where: { $0.type == .discharged || $0.type == .dischargeCancelled })
    else { return nil }
    return last.type == .discharged ? last : nil
  }
}
