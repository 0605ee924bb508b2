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
  /// What arrives of it, in the order in which it happened.
  private let told: [Step]
  private let request: Step?

  init(_ script: Script, _ policy: Policy) {
    self.script = script
    self.policy = policy
    told = script.steps.filter { !$0.isLost && !$0.isVoid && $0.mishap == nil }
    request = told.first { $0.type == .handoffRequested }
  }

  /// Every one, by its deadline.
  ///
  /// Nothing where no request is told: then answers are orphans.
  func silences(nextStepAt: Timestamp?) -> [Silence] {
    guard let request else { return [] }
    var all: [Silence?] = [acknowledgement(request), decision(request), start(request)]
    all += [completion(), feedback(), outcome(request), hold(), reroute(nextStepAt)]
    return all.compactMap(\.self).sorted { $0.due < $1.due }
  }

  // MARK: Clocks

  private func due(_ length: ClockLength, _ start: Timestamp, _ service: Service? = nil)
    -> Timestamp
  {
    length.due(from: start, in: policy.calendar, for: (service ?? script.to).organisation)
  }

  private func arrival(of types: Set<EventType>) -> Timestamp? {
    told.filter { types.contains($0.type) }.map(\.arrivesAt).min()
  }

  /// A silence from `from` on, unless an answer comes by then; an answer at the deadline is late.
  private func silence(
    _ rule: Rule, due: Timestamp, from: Timestamp, until answers: [Timestamp?]
  ) -> Silence? {
    let answer = answers.compactMap(\.self).min() ?? .distantFuture
    let knowable = max(due, from)
    guard knowable <= answer, from < answer else { return nil }
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
    var due = due(script.clocks.acknowledge, request.arrivesAt)
    let accepted = told.first { $0.type == .transportAccepted }
    if let accepted, accepted.arrivesAt < due {
      let length =
        policy.railDelivery[script.from.rail] ?? script.clocks.deliver
        ?? script.clocks.acknowledge
      due = self.due(length, accepted.arrivesAt)
    }
    return silence(
      .a07, due: due, from: request.arrivesAt,
      until: [arrival(of: Self.evidence.union(Self.ends))])
  }

  /// How long questions to the sender were open, as far as they were answered.
  private var paused: Elapsed {
    guard let held = told.first(where: { $0.type == .infoRequested }),
      let answer = told.first(where: { $0.type == .handoffAmended && $0.at >= held.at })
    else { return .zero }
    return answer.at.since(held.at)
  }

  private func decision(_ request: Step) -> Silence? {
    guard let known = arrival(of: Self.evidence) else { return nil }
    // A letter is closed by its receipt.
    let answers =
      script.clocks.isDocument ? Self.decisions.union([.received]) : Self.decisions
    let until = arrival(of: answers.union(Self.ends))
    var pause = paused
    if let held = told.first(where: { $0.type == .infoRequested }), pause == .zero {
      // A question that nobody answers stops the clock for as long as may be, and then it runs on.
      pause = due(policy.windows.holdCap, held.at).since(held.at)
    }
    let due = due(script.clocks.accept, request.at).advanced(by: pause)
    return silence(.a08, due: due, from: known, until: [until])
  }

  private func hold() -> Silence? {
    guard let held = told.first(where: { $0.type == .infoRequested }) else { return nil }
    return silence(
      .a08, due: due(policy.windows.hold, held.at), from: held.arrivesAt,
      until: [arrival(of: Self.decisions.union(Self.ends).union([.handoffAmended]))])
  }

  private func start(_ request: Step) -> Silence? {
    let agreed = told.filter { $0.type == .accepted || $0.type == .booked }
    guard let accepted = agreed.map(\.arrivesAt).min() else { return nil }
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
      .a09, due: due, from: missed?.arrivesAt ?? accepted,
      until: [
        arrival(of: Self.ends.union([.started, .completed, .rejected, .couldNotComplete]))
      ])
  }

  private func completion() -> Silence? {
    guard let started = told.first(where: { $0.type == .started }) else { return nil }
    return silence(
      .a10, due: due(script.clocks.complete, started.at), from: started.arrivesAt,
      until: [arrival(of: [.completed, .couldNotComplete, .redirected, .voided])])
  }

  private func feedback() -> Silence? {
    guard script.clocks.isFeedbackOwed,
      let completed = told.first(where: { $0.type == .completed })
    else { return nil }
    return silence(
      .a10, due: due(script.clocks.feedback, completed.at), from: completed.arrivesAt,
      until: [arrival(of: [.feedbackAcknowledged, .voided])])
  }

  private func outcome(_ request: Step) -> Silence? {
    guard let outcome = script.clocks.outcome else { return nil }
    return silence(
      .a10, due: due(outcome, request.at), from: request.arrivesAt,
      until: [
        arrival(
          of: Self.ends.union([
            .completed, .rejected, .recipientRefusedPatient, .transportFailed, .couldNotComplete,
          ]))
      ])
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
    if ended.type == .rejected, wasAccepted { due = ended.at }
    let steps: Set<EventType> = [.disposition, .redirected, .received, .accepted]
    let own = told.filter { step in
      step.isRetry
        ? step.arrivesAt > ended.arrivesAt : step.at > ended.at && steps.contains(step.type)
    }
    return silence(
      .a11, due: due, from: ended.arrivesAt, until: own.map(\.arrivesAt) + [nextStepAt])
  }
}
