import HandoffCore

/// The clocks of each handoff (domain.md §4 and §8, Time to Booking).
extension PersonView {
  var claims: [Claim] {
    let claims =
      recognition.claims + lives.values.flatMap(claims(of:)) + pairClaims + bounceClaims
      + stayClaims + deathClaims
    return claims.map { claim in
      var claim = claim
      claim.answerers = answerers(to: claim.key)
      return claim
    }
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
    let flags = life.flags.map {
      Claim($0.rule, life.id, cause: $0.cause, event: $0.event, due: $0.at)
    }
    guard let said = life.orphans.first, let first = life.orphans.map(\.at).min(),
      let last = life.orphans.map(\.at).max()
    else { return flags }
    let windows = said.policy.windows
    return flags + [
      // One alert, whichever of the answers turns out to have been the first.
      Claim(
        .a13, life.id,
        due: first.advanced(by: windows.reorder).advanced(by: windows.orphan),
        until: last.advanced(by: windows.illegal))
    ]
  }

  /// A07.
  private func transportClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state, !request.event.isBackfill,
      life.heard == nil
    else { return [] }
    let isUnderway = state == .requested || state == .inTransit
    let isFailed = state == .failed && !nextStep(of: life) && life.disposition == nil
    guard isUnderway || isFailed else { return [] }
    var due = due(life.clocks.acknowledge, from: request.at, life)
    if let accepted = life.steps[.transportAccepted], accepted.at < due {
      let length =
        request.policy.railDelivery[accepted.event.rail] ?? life.clocks.deliver
        ?? life.clocks.acknowledge
      due = self.due(length, from: accepted.at, life)
    }
    return [Claim(.a07, life.id, event: request.event.id, due: due)]
  }

  /// A08, and the question to the sender that stays open.
  private func acceptanceClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state else { return [] }
    let isWaiting =
      state == .delivered || state == .received || state == .onHold
      || (request.event.isBackfill || life.heard != nil)
        && (state == .requested || state == .inTransit)
    guard isWaiting else { return [] }
    let windows = request.policy.windows
    guard state == .onHold, let hold = life.holds.last else {
      var due = acceptanceDue(of: life, windows)
      // After a question it is another episode, which cannot have been due before its answer.
      if let answer = life.steps[.released] { due = max(due, answer.event.occurredAt) }
      return [
        Claim(.a08, life.id, event: (life.steps[.released] ?? request).event.id, due: due)
      ]
    }
    let asked = hold.from.event
    var claims = [
      Claim(
        .a08, life.id, cause: "hold", event: asked.id,
        due: due(windows.hold, from: asked.occurredAt, life))
    ]
    // A question after T_accept, or after an acceptance, has its own clock only.
    let isAccepted = life.beforeHold == .accepted || life.beforeHold == .booked
    if !isAccepted, acceptanceDue(of: life, windows, before: hold.from) >= asked.occurredAt {
      let due = acceptanceDue(of: life, windows)
      claims.append(Claim(.a08, life.id, event: asked.id, due: due))
    }
    return claims
  }

  /// T_accept, which stands still while the sender is asked, until it answers: at most T_holdCap in
  /// all.
  private func acceptanceDue(
    of life: Life, _ windows: RuleWindows, before: Step? = nil
  ) -> Timestamp {
    let request = life.request?.event.occurredAt ?? at
    var paused = Elapsed(nanoseconds: 0)
    for hold in life.holds where hold.from.index != before?.index {
      let start = hold.from.event.occurredAt
      let cap = due(windows.holdCap, from: start, life)
        .advanced(by: Elapsed(nanoseconds: -paused.nanoseconds))
      let end = min(hold.to?.event.occurredAt ?? .distantFuture, cap)
      let pause = max(0, end.since(start).nanoseconds)
      paused = Elapsed(nanoseconds: paused.nanoseconds + pause)
    }
    return due(life.clocks.accept, from: request, life).advanced(by: paused)
  }

  /// A09.
  private func startClaims(of life: Life) -> [Claim] {
    let state = life.state == .onHold ? life.beforeHold : life.state
    guard let request = life.request, state == .accepted || state == .booked else {
      return []
    }
    var from = request.event.occurredAt
    var began = life.acceptance ?? request
    if life.clocks.startAnchor == .dischargeReady {
      from = readiness ?? life.content?.dischargeReadyAt ?? from
    }
    if let missed = life.notAttended {
      from = missed.event.occurredAt
      began = missed
    }
    let length = life.clocks.start ?? (life.clocks.outcome == nil ? life.clocks.complete : nil)
    var due = length.map { self.due($0, from: from, life) }
    if let booking = life.booking, let booked = booking.event.bookedFor,
      due.map({ booked > $0 }) ?? true
    {
      due = booked.advanced(by: request.policy.windows.bookingGrace)
      began = booking
    }
    return due.map { [Claim(.a09, life.id, event: began.event.id, due: $0)] } ?? []
  }

  /// The Discharge Ready Date as it was said last; where it was taken back, from when on another is
  /// awaited (§4.2, "DRD reset restarts").
  private var readiness: Timestamp? {
    guard let said = steps(of: .readyForDischarge, .dischargeReadinessWithdrawn).last else {
      return nil
    }
    let isReady = said.event.type == .readyForDischarge
    return isReady ? said.event.dischargeReadyAt ?? said.event.occurredAt : said.event.occurredAt
  }

  /// A10 and its limbs.
  private func outcomeClaims(of life: Life) -> [Claim] {
    guard let request = life.request, let state = life.state else { return [] }
    var claims: [Claim] = []
    if state == .started, let start = life.start {
      claims.append(
        Claim(
          .a10, life.id, event: start.event.id,
          due: due(life.clocks.complete, from: start.event.occurredAt, life)))
    }
    if !state.isTerminal, state != .completed, let length = life.clocks.outcome {
      claims.append(
        Claim(
          .a10, life.id, cause: "outcome", event: request.event.id,
          due: due(length, from: request.event.occurredAt, life)))
    }
    if state == .completed, let completion = life.completion {
      claims.append(
        Claim(
          .a10, life.id, cause: "feedback", event: completion.event.id,
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
    let began = end.event.id
    let happened = end.event.occurredAt
    let hasNext = nextStep(of: life)
    var claims: [Claim] = []
    if state == .failed, !hasNext, let limb = misdirection(end.event) {
      claims.append(Claim(.a17, life.id, cause: limb, event: began, due: end.at))
    }
    let refused = RefusalCode(end.event)
    if refused == .deceased {
      return claims + [Claim(.a22, life.id, cause: "deceased", event: began, due: happened)]
    }
    guard !hasNext else { return claims }
    // The transport that gives back what it had delivered is a refusal too (§2.3).
    if state == .failed, refused == .refused || life.beforeEnd == .delivered {
      let due = due(windows.negative, from: happened, life)
      claims.append(Claim(.a22, life.id, event: began, due: due))
    }
    switch state {
    case .rejected where life.isWithdrawn:
      claims.append(Claim(.a11, life.id, cause: "withdrawn", event: began, due: happened))
    case .rejected, .failed, .expired, .redirected:
      let length = life.isUrgent ? windows.rerouteUrgent : windows.reroute
      claims.append(
        Claim(
          .a11, life.id, cause: state == .redirected ? "redirected" : "", event: began,
          due: due(length, from: happened, life)))
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
      claims.append(
        Claim(flag.rule, life.id, cause: flag.cause, event: flag.event, due: flag.at))
    }
    for step in life.pending {
      claims.append(
        Claim(
          .a14, life.id, event: step.event.id, due: step.at.advanced(by: windows.reorder),
          until: step.at.advanced(by: windows.illegal)))
    }
    let isAnsweredFromOld = life.flags.contains { $0.cause == "older-version" }
    if let unseen = life.unseen, !request.event.isBackfill, !isAnsweredFromOld {
      claims.append(
        Claim(
          .a24, life.id, event: unseen.event.id,
          due: due(life.clocks.acknowledge, from: unseen.at, life)))
    }
    if let foreign = life.foreign, ![.rejected, .redirected, .cancelled].contains(state) {
      let wait = due(windows.confirmation, from: foreign.step.at, life)
      claims.append(
        Claim(
          .a05, life.id, event: foreign.step.event.id,
          due: foreign.isSecond ? wait : foreign.step.at))
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
