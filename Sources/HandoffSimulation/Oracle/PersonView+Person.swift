import HandoffCore

/// The rules that look at more than one handoff, and at the person's stay.
extension PersonView {
  // MARK: One need twice: A04, A05, A06

  var pairClaims: [Claim] {
    let all = requested
    var claims: [Claim] = []
    for (position, later) in all.enumerated() {
      for earlier in all[..<position] { claims += pair(earlier, later, among: all) }
    }
    return claims
  }

  private func pair(_ earlier: Life, _ later: Life, among all: [Life]) -> [Claim] {
    guard let one = earlier.content, let two = later.content, let need = one.needKey,
      need == two.needKey, earlier.isOpen, later.isOpen, let request = later.request,
      let before = earlier.request, one.parentHandoffID != later.id,
      two.parentHandoffID != earlier.id
    else { return [] }
    let windows = request.policy.windows
    func confirmed(_ from: Timestamp) -> Timestamp {
      windows.confirmation.due(from: from, in: request.policy.calendar, for: later.receiver)
    }
    var claims: [Claim] = []
    let isOtherService = earlier.receiver != later.receiver
    if isOtherService, let first = earlier.acceptance, let second = later.acceptance {
      claims.append(
        Claim(
          .a05, later.id, cause: "need", event: second.event.id,
          due: confirmed(max(first.at, second.at))))
    }
    let window = later.isUrgent ? windows.needUrgent : windows.need
    guard request.event.occurredAt.since(before.event.occurredAt) <= window else { return claims }
    let rule: Rule = isOtherService ? .a06 : .a04
    if let group = one.parentHandoffID, group == two.parentHandoffID {
      // Offers of one need: W_conf after one of them is confirmed (§8).
      let offers = all.filter { $0.isOpen && $0.content?.parentHandoffID == group }
      if isOtherService, let first = offers.compactMap(\.acceptance?.at).min() {
        claims.append(Claim(.a06, later.id, event: request.event.id, due: confirmed(first)))
      }
    } else {
      claims.append(
        Claim(rule, later.id, event: request.event.id, due: max(before.at, request.at)))
    }
    return claims
  }

  // MARK: The stay: A20, A21

  var stayClaims: [Claim] {
    guard deathDayEnd == nil else { return [] }
    return dischargeClaims + readyClaims
  }

  private var dischargeClaims: [Claim] {
    guard let said = steps(of: .discharged, .dischargeCancelled).last,
      said.event.type == .discharged, let pathway = said.event.dischargePathway,
      (1...3).contains(pathway)
    else { return [] }
    let windows = said.policy.windows
    let due = said.event.occurredAt.advanced(
      by: pathway == 1 ? windows.dischargeHome : windows.dischargeBed)
    let isReceived = requested.contains { life in
      guard handsOn(life, said) else { return false }
      switch life.state {
      case .started, .completed, .closed: return true
      case .accepted, .booked: return life.booking?.event.bookedFor.map { $0 <= due } ?? false
      default: return false
      }
    }
    return isReceived
      ? [] : [remembered(Claim(.a20, nil, event: said.event.id, due: due), said)]
  }

  /// What was said of a stay is remembered for a month, and longer only by an alert that stands.
  private func remembered(_ claim: Claim, _ said: Step) -> Claim {
    var claim = claim
    claim.forgotten = said.at.advanced(by: said.policy.windows.ended)
    return claim
  }

  private var readyClaims: [Claim] {
    var ready: Step?
    for said in stay {
      switch said.event.type {
      case .readyForDischarge: ready = ready ?? said
      case .dischargeReadinessWithdrawn, .discharged: ready = nil
      default: break
      }
    }
    guard let ready, ready.event.dischargePathway != 0 else { return [] }
    let windows = ready.policy.windows
    let from = ready.event.occurredAt
    let mine = requested.filter { life in
      handsOn(life, ready) && (life.end.map { $0.event.occurredAt > from } ?? true)
    }
    let isAccepted = mine.contains { life in
      life.acceptance != nil
        ? ![.rejected, .redirected, .cancelled, .voided, .failed, .expired].contains(life.state)
        : false
    }
    var claims: [Claim] = []
    if mine.isEmpty {
      let due = from.advanced(by: windows.readyRequest)
      let claim = Claim(.a21, nil, cause: "request", event: ready.event.id, due: due)
      claims.append(remembered(claim, ready))
    }
    if !isAccepted {
      let due = from.advanced(by: windows.readyAccept)
      let claim = Claim(.a21, nil, cause: "acceptance", event: ready.event.id, due: due)
      claims.append(remembered(claim, ready))
    }
    return claims
  }

  /// A handoff that the hospital of the stay gives away, and no letter.
  func handsOn(_ life: Life, _ said: Step) -> Bool {
    guard !life.clocks.isDocument else { return false }
    let hospital = said.event.spokenBy ?? said.event.from?.organisation
    let from = life.request?.event.from?.organisation ?? life.request?.event.spokenBy
    return hospital == nil || from == nil || hospital == from
  }

  // MARK: After death: A23

  var deathClaims: [Claim] {
    guard let death = deathDayEnd else { return [] }
    return requested.compactMap { life in
      guard life.isOpen else { return nil }
      let acts = life.acts.filter { $0.event.occurredAt >= death.end }
      var began = acts.min { $0.at < $1.at }
      if began == nil, let booked = life.booking, let hour = booked.event.bookedFor,
        hour >= death.end
      {
        began = booked
      }
      guard let began else { return nil }
      // One alert a handoff: a further word on the death makes it due at no other moment.
      var claim = Claim(
        .a23, life.id, event: life.request?.event.id, due: max(death.said.at, began.at))
      claim.keepsOpening = true
      return claim
    }
  }
}
