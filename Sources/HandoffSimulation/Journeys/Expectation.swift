internal import HandoffCore

/// Which deadlines pass without an answer, by the clocks of domain.md §4 and nothing else: the
/// truth about silence, taken from what the script says will arrive, and when.
struct Expectation: Sendable {
  /// A deadline that passes.
  struct Silence: Hashable, Sendable {
    var rule: Rule
    var due: Timestamp
    /// When it can be known: the deadline, or the word from which on it is one.
    var knowableAt: Timestamp
  }

  private let script: Script
  private let policy: Policy
  private let hearing: Hearing
  /// What arrives of it, in the order in which it happened.
  private let told: [Step]
  private let request: Step?

  init(_ script: Script, _ policy: Policy, _ hearing: Hearing) {
    self.script = script
    self.policy = policy
    self.hearing = hearing
    told = script.steps.filter { !$0.isLost && !$0.isVoid && $0.mishap == nil }
    request = told.first { $0.type == .handoffRequested }
  }

  /// Every one, by its deadline; A20 is of the person.
  ///
  /// Nothing where no request is told: then answers are orphans.
  func silences(nextStepAt: Timestamp?) -> [Silence] {
    guard let request else { return [] }
    var all: [Silence?] = [acknowledgement(request), decision(request), start(request)]
    all += [completion(), feedback(), outcome(request), hold(), reroute(nextStepAt)]
    all.append(reception())
    return all.compactMap(\.self).sorted { $0.due < $1.due }
  }

  // MARK: Clocks

  private func due(_ length: ClockLength, _ start: Timestamp, _ service: Service? = nil)
    -> Timestamp
  {
    length.due(from: start, in: policy.calendar, for: (service ?? script.to).organisation)
  }

  private func reach(_ step: Step) -> Timestamp { hearing.reach(step, of: script) }

  private func answers(of types: Set<EventType>) -> [Hearing.Answer] {
    told.filter { types.contains($0.type) }.map(answer)
  }

  private func answer(_ step: Step) -> Hearing.Answer {
    Hearing.Answer(
      at: step.at, reachedAt: reach(step), service: step.by ?? script.from)
  }

  /// A silence from `from` on, unless an answer comes by then; an answer at the deadline is late.
  private func silence(
    _ rule: Rule, due: Timestamp, from: Timestamp, until answers: [Hearing.Answer],
    by services: [Service]
  ) -> Silence? {
    guard
      let knowable = hearing.silence(due: due, from: from, until: answers, by: services)
    else { return nil }
    if let diedAt = script.diedAt, due >= diedAt, [.a08, .a09, .a10].contains(rule) { return nil }
    return Silence(rule: rule, due: due, knowableAt: knowable)
  }

  private static let ends: Set<EventType> = [.cancelled, .voided, .expired, .redirected]
  private static let evidence: Set<EventType> = [
    .delivered, .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .booked,
    .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent,
  ]
  private static let decisions: Set<EventType> = [
    .accepted, .rejected, .booked, .started, .recipientRefusedPatient, .transportFailed,
  ]

  private func acknowledgement(_ request: Step) -> Silence? {
    var due = due(script.clocks.acknowledge, reach(request))
    let accepted = told.first { $0.type == .transportAccepted }
    if let accepted, reach(accepted) < due {
      let length =
        policy.railDelivery[script.from.rail] ?? script.clocks.deliver
        ?? script.clocks.acknowledge
      due = self.due(length, reach(accepted))
    }
    return silence(
      .a07, due: due, from: reach(request),
      until: answers(of: Self.evidence.union(Self.ends)), by: [script.from, script.to])
  }

  /// How long questions to the sender were open, as far as they were answered.
  private var paused: Elapsed {
    guard let held = told.first(where: { $0.type == .infoRequested }),
      let answer = told.first(where: { $0.type == .handoffAmended && $0.at >= held.at })
    else { return .zero }
    return answer.at.since(held.at)
  }

  private func decision(_ request: Step) -> Silence? {
    guard let known = answers(of: Self.evidence).map(\.reachedAt).min() else { return nil }
    // A letter is closed by its receipt.
    let decisions =
      script.clocks.isDocument ? Self.decisions.union([.received]) : Self.decisions
    var pause = paused
    if let held = told.first(where: { $0.type == .infoRequested }), pause == .zero {
      // A question that nobody answers stops the clock for as long as may be, and then it runs on.
      pause = due(policy.windows.holdCap, held.at).since(held.at)
    }
    let due = due(script.clocks.accept, request.at).advanced(by: pause)
    return silence(
      .a08, due: due, from: known, until: answers(of: decisions.union(Self.ends)),
      by: [script.to])
  }

  private func hold() -> Silence? {
    guard let held = told.first(where: { $0.type == .infoRequested }) else { return nil }
    return silence(
      .a08, due: due(policy.windows.hold, held.at), from: reach(held),
      until: answers(of: Self.decisions.union(Self.ends).union([.handoffAmended])),
      by: [script.from])
  }

  private func start(_ request: Step) -> Silence? {
    let agreed = told.filter { $0.type == .accepted || $0.type == .booked }
    guard let accepted = agreed.map(reach).min() else { return nil }
    var anchor = request.at
    if script.clocks.startAnchor == .dischargeReady { anchor = script.readyAt ?? anchor }
    let missed = told.last { $0.type == .notAttended }
    if let missed { anchor = missed.at }
    let booking = agreed.last { $0.type == .booked && $0.at >= (missed?.at ?? .distantPast) }
    var due: Timestamp?
    if let start = script.clocks.start {
      due = self.due(start, anchor)
    } else if script.clocks.outcome == nil {
      due = self.due(script.clocks.complete, anchor)
    }
    if let bookedFor = booking?.bookedFor, due.map({ bookedFor > $0 }) ?? true {
      due = bookedFor.advanced(by: policy.windows.bookingGrace)
    }
    guard let due, !script.clocks.isDocument else { return nil }
    return silence(
      .a09, due: due, from: missed.map(reach) ?? accepted,
      until: answers(
        of: Self.ends.union([.started, .completed, .rejected, .couldNotComplete])),
      by: [script.to])
  }

  private func completion() -> Silence? {
    guard let started = told.first(where: { $0.type == .started }) else { return nil }
    return silence(
      .a10, due: due(script.clocks.complete, started.at), from: reach(started),
      until: answers(of: [.completed, .couldNotComplete, .redirected, .voided]),
      by: [script.from, script.to])
  }

  private func feedback() -> Silence? {
    guard script.clocks.isFeedbackOwed,
      let completed = told.first(where: { $0.type == .completed })
    else { return nil }
    return silence(
      .a10, due: due(script.clocks.feedback, completed.at), from: reach(completed),
      until: answers(of: [.feedbackAcknowledged, .voided]), by: [script.from, script.to])
  }

  private func outcome(_ request: Step) -> Silence? {
    guard let outcome = script.clocks.outcome else { return nil }
    return silence(
      .a10, due: due(outcome, request.at), from: reach(request),
      until: answers(
        of: Self.ends.union([
          .completed, .rejected, .recipientRefusedPatient, .transportFailed, .couldNotComplete,
        ])), by: [script.from, script.to])
  }

  /// A20, where the help that a discharge relies on has neither begun by then nor is booked for it.
  private func reception() -> Silence? {
    guard let leaving = script.leaving,
      !told.contains(where: { $0.bookedFor.map { $0 <= leaving.due } ?? false })
    else { return nil }
    return silence(
      .a20, due: leaving.due,
      from: hearing.reach(leaving.at.advanced(by: JourneyDraft.lag), by: script.from),
      until: answers(of: [.started, .completed]), by: [script.from, script.to])
  }

  /// A11 after an end that leaves the person with nobody; A22 too where the person was refused.
  private func reroute(_ nextStepAt: Timestamp?) -> Silence? {
    let refusing: Set<EventType> = [
      .rejected, .expired, .transportFailed, .recipientRefusedPatient, .couldNotComplete,
    ]
    guard let ended = told.last(where: { refusing.contains($0.type) }),
      ended.reason?.description.hasSuffix("30004") != true,
      !told.contains(where: { $0.type == .cancelled && $0.at < ended.at })
    else { return nil }
    let windows = policy.windows
    var due = due(script.priority.isUrgent ? windows.rerouteUrgent : windows.reroute, ended.at)
    let wasAccepted = told.contains { $0.type == .accepted && $0.at < ended.at }
    // A receiver that withdraws is said at once, whoever else could speak.
    let isWithdrawn = ended.type == .rejected && wasAccepted
    if isWithdrawn { due = ended.at }
    let steps: Set<EventType> = [.disposition, .redirected, .received, .accepted]
    let own = told.filter { step in
      step.isRetry
        ? step.arrivesAt > ended.arrivesAt : step.at > ended.at && steps.contains(step.type)
    }
    var answers = own.map(answer)
    if let nextStepAt {
      let reached = hearing.reach(nextStepAt, by: script.from)
      answers.append(
        Hearing.Answer(at: nextStepAt, reachedAt: reached, service: script.from))
    }
    return silence(
      .a11, due: due, from: reach(ended), until: answers,
      by: isWithdrawn ? [] : [script.from, script.to])
  }
}
