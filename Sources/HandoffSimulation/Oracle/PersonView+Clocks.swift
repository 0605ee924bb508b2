import HandoffCore

/// The clocks of each handoff (domain.md §4 and §8, Time to Booking).
extension PersonView {
  var claims: [Claim] {
    recognition.claims + lives.values.flatMap(claims(of:)) + pairClaims + bounceClaims
      + stayClaims + deathClaims
  }

  private func claims(of life: Life) -> [Claim] {
    guard life.request != nil else { return orphanClaims(of: life) }
    let clinical =
      acceptanceClaims(of: life) + startClaims(of: life) + outcomeClaims(of: life)
    return transportClaims(of: life) + clinical.filter { !isStopped($0.due) }
      + nextStepClaims(of: life).filter { $0.key.rule != .a11 || !isStopped($0.due) }
      + flagClaims(of: life)
  }

  private func due(_ length: ClockLength, from start: Timestamp, _ life: Life) -> Timestamp {
    let calendar = life.request?.policy.calendar ?? .england
    return length.due(from: start, in: calendar, for: life.receiver)
  }

  /// A13: answers that nobody has asked for.
  private func orphanClaims(of life: Life) -> [Claim] {
    let flags = life.flags.map { Claim($0.rule, life.id, cause: $0.cause, due: $0.at) }
    guard let first = life.orphans.first, let last = life.orphans.last else { return flags }
    let windows = first.policy.windows
    return flags + [
      Claim(
        .a13, life.id,
        due: first.at.advanced(by: windows.reorder).advanced(by: windows.orphan),
        until: last.at.advanced(by: windows.illegal))
    ]
  }

  /// A07.
  private func transportClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state, !request.event.isBackfill,
      life.heard.isEmpty
    else { return [] }
    let isUnderway = state == .requested || state == .inTransit
    let isFailed = state == .failed && !nextStep(of: life) && life.disposition == nil
    guard isUnderway || isFailed else { return [] }
    var due = due(life.clocks.acknowledge, from: request.at, life)
    if let accepted = life.transportAccepted, accepted.at < due {
      let length =
        request.policy.railDelivery[accepted.event.rail] ?? life.clocks.deliver
        ?? life.clocks.acknowledge
      due = self.due(length, from: accepted.at, life)
    }
    return [Claim(.a07, life.id, due: due)]
  }

  /// A08, and the question to the sender that stays open.
  private func acceptanceClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state else { return [] }
    let isWaiting =
      state == .delivered || state == .received || state == .onHold
      || (request.event.isBackfill || !life.heard.isEmpty)
        && (state == .requested || state == .inTransit)
    guard isWaiting else { return [] }
    let windows = request.policy.windows
    let due = acceptanceDue(of: life, windows)
    guard state == .onHold, let hold = life.holds.last else {
      let since = life.holds.last?.to?.event.id
      return [Claim(.a08, life.id, event: since, due: due)]
    }
    // A question after T_accept has its own clock only.
    var claims: [Claim] = []
    let isAccepted = life.beforeHold == .accepted || life.beforeHold == .booked
    if !isAccepted, !isOverdue(life, by: hold.from, windows) {
      claims.append(Claim(.a08, life.id, event: hold.from.event.id, due: due))
    }
    do {
      claims.append(
        Claim(
          .a08, life.id, cause: "hold", event: hold.from.event.id,
          due: self.due(windows.hold, from: hold.from.event.occurredAt, life)))
    }
    return claims
  }

  private func isOverdue(_ life: Life, by hold: Step, _ windows: RuleWindows) -> Bool {
    acceptanceDue(of: life, windows, before: hold) <= hold.event.occurredAt
  }

  /// T_accept, which stands still while the sender is asked: at most T_holdCap in all.
  private func acceptanceDue(
    of life: Life, _ windows: RuleWindows, before: Step? = nil
  ) -> Timestamp {
    let request = life.request?.event.occurredAt ?? at
    var due = due(life.clocks.accept, from: request, life)
    guard let first = life.holds.first?.from.event.occurredAt else { return due }
    var left = self.due(windows.holdCap, from: first, life).since(first)
    for hold in life.holds where hold.from.index != before?.index {
      let start = hold.from.event.occurredAt
      let end = min(hold.to?.event.occurredAt ?? .distantFuture, start.advanced(by: left))
      let pause = Elapsed(nanoseconds: max(0, end.since(start).nanoseconds))
      left = Elapsed(nanoseconds: left.nanoseconds - pause.nanoseconds)
      due = max(due, start).advanced(by: pause)
      if let released = hold.to?.event.occurredAt { due = max(due, released) }
    }
    return due
  }

  /// A09.
  private func startClaims(of life: Life) -> [Claim] {
    let state = life.state == .onHold ? life.beforeHold : life.state
    guard let request = life.request, state == .accepted || state == .booked else {
      return []
    }
    var from = request.event.occurredAt
    if life.clocks.startAnchor == .dischargeReady,
      let ready = steps(of: .readyForDischarge).last
    {
      from = ready.event.dischargeReadyAt ?? ready.event.occurredAt
    }
    if let missed = life.notAttended { from = missed.event.occurredAt }
    let length = life.clocks.start ?? (life.clocks.outcome == nil ? life.clocks.complete : nil)
    var due = length.map { self.due($0, from: from, life) }
    if let booked = life.booking?.event.bookedFor, due.map({ booked > $0 }) ?? true {
      due = booked.advanced(by: request.policy.windows.bookingGrace)
    }
    return due.map { [Claim(.a09, life.id, due: $0)] } ?? []
  }

  /// A10 and its limbs.
  private func outcomeClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state else { return [] }
    var claims: [Claim] = []
    if state == .started, let start = life.start {
      claims.append(
        Claim(.a10, life.id, due: due(life.clocks.complete, from: start.event.occurredAt, life)))
    }
    if !state.isTerminal, state != .completed, let length = life.clocks.outcome {
      claims.append(
        Claim(
          .a10, life.id, cause: "outcome",
          due: due(length, from: request.event.occurredAt, life)))
    }
    if state == .completed, let completion = life.completion {
      claims.append(
        Claim(
          .a10, life.id, cause: "feedback",
          due: due(life.clocks.feedback, from: completion.event.occurredAt, life)))
    }
    return claims
  }

  /// A11 and A22: what came to nothing.
  private func nextStepClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state, let end = life.end,
      life.disposition == nil
    else { return [] }
    let windows = request.policy.windows
    var claims: [Claim] = []
    let hasNext = nextStep(of: life)
    if state == .failed, !hasNext, let limb = misdirection(end.event) {
      claims.append(Claim(.a17, life.id, cause: limb, due: end.at))
    }
    let refused = life.refusal.map { RefusalCode($0.event) } ?? .none
    if state == .failed, refused != .none, let refusal = life.refusal {
      if refused == .deceased {
        claims.append(Claim(.a22, life.id, cause: "deceased", due: refusal.event.occurredAt))
      } else if !hasNext {
        claims.append(
          Claim(
            .a22, life.id, due: due(windows.negative, from: refusal.event.occurredAt, life)))
      }
    }
    guard !hasNext, refused != .deceased else { return claims }
    switch state {
    case .rejected where life.isWithdrawn:
      claims.append(Claim(.a11, life.id, cause: "withdrawn", due: end.event.occurredAt))
    case .rejected, .failed, .expired, .redirected:
      let length = life.isUrgent ? windows.rerouteUrgent : windows.reroute
      claims.append(
        Claim(
          .a11, life.id, cause: state == .redirected ? "redirected" : "",
          due: due(length, from: end.event.occurredAt, life)))
    default: break
    }
    return claims
  }

  /// A17 by the transport's own word: MESH 12 and 17, ITK3 20002, 20003 and 20012.
  private func misdirection(_ event: HandoffEvent) -> String? {
    let reason = event.reason?.description ?? ""
    if reason == "mesh:12" { return "mailbox-unregistered" }
    if reason == "mesh:17" { return "workflow-unregistered" }
    switch reason.split(separator: ":").last {
    case "20002": return "receiver-unrecognised"
    case "20003": return "sender-unrecognised"
    case "20012": return "sender-unauthorised"
    default: return nil
    }
  }

  /// What is flagged as it stands: A05, A12, A14, A17, A24.
  private func flagClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state else { return [] }
    let windows = request.policy.windows
    var claims: [Claim] = []
    for flag in life.flags where flag.rule == .a12 || flag.isAfterEnd || !state.isTerminal {
      claims.append(Claim(flag.rule, life.id, cause: flag.cause, due: flag.at))
    }
    for step in life.pending {
      claims.append(
        Claim(
          .a14, life.id, event: step.event.id, due: step.at.advanced(by: windows.reorder),
          until: step.at.advanced(by: windows.illegal)))
    }
    if let unseen = life.unseen, !request.event.isBackfill {
      claims.append(
        Claim(.a24, life.id, due: due(life.clocks.acknowledge, from: unseen.at, life)))
    }
    if let foreign = life.foreign, ![.rejected, .redirected, .cancelled, .voided].contains(state) {
      let wait = due(windows.confirmation, from: foreign.step.at, life)
      claims.append(Claim(.a05, life.id, due: foreign.isSecond ? wait : foreign.step.at))
    }
    return claims
  }
}

/// What a refusal of the person says (A22).
enum RefusalCode {
  case none, refused, deceased

  init(_ event: HandoffEvent) {
    let code = event.reason?.description ?? ""
    let number = code.split(separator: ":").last.map(String.init) ?? ""
    if event.type == .recipientRefusedPatient {
      self = number == "30004" ? .deceased : .refused
    } else if number.hasPrefix("EPL-15") {
      self = .refused
    } else if number.count == 5, number.hasPrefix("2"),
      !["20007", "20008", "20013"].contains(number)
    {
      self = .refused
    } else {
      self = .none
    }
  }
}
