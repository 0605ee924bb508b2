/// An armed deadline: when a rule speaks of a handoff unless something answers before.
public struct Deadline: Hashable, Sendable {
  public var rule: Rule
  /// The limb of the rule, such as `hold` or `feedback`.
  public var cause: Code?
  /// The event that the clock began with.
  public var began: Witness
  public var due: Timestamp

  init(_ rule: Rule, _ cause: Code? = nil, began: Witness, due: Timestamp) {
    self.rule = rule
    self.cause = cause
    self.began = began
    self.due = due
  }
}

/// What the clocks of one handoff depend on beside its own facts.
struct ClockContext {
  /// By the ordinal of their activation.
  var policies: [Policy]
  /// Which of them judges the handoff.
  var ordinal: Int
  /// The person's Discharge Ready Date, where one stands.
  var dischargeReadyAt: Timestamp?
  /// Whether another handoff takes up where this one ended (A11).
  var hasNextStep: Bool

  /// The policy that judges the handoff; lent and not copied.
  var policy: Policy {
    // Through the span: an array gives a copy.
    _read { yield policies.span[ordinal] }
  }
}

extension HandoffFacts {
  /// Every armed deadline, in the order of the rules.
  func deadlines(_ context: ClockContext) -> [Deadline] {
    var deadlines: [Deadline] = []
    forEachDeadline(context) { deadlines.append($0) }
    return deadlines
  }

  /// The silence clocks, the findings that stand, and the illegal events that wait.
  func forEachDeadline(_ context: ClockContext, _ body: (Deadline) -> Void) {
    forEachPendingDeadline(context.policy.windows, body)
    for finding in findings where isStanding(finding) {
      body(Deadline(finding.rule, finding.cause, began: finding.witness, due: finding.due))
    }
    guard let requested = witness(of: .requested) else { return }
    let clocks = context.policy.held(clocksOf: kind, priority)
    switch state {
    case .requested, .inTransit, .delivered, .received:
      forEachAnswerDeadline(requested, clocks, context, body)
    case .onHold:
      forEachHoldDeadline(requested, clocks, context, body)
    case .accepted, .booked:
      forEachStartDeadline(requested, clocks, context, body)
    case .started:
      if let started = witness(of: .started) {
        let due = context.due(clocks.value.complete, from: started.occurredAt, for: to)
        body(Deadline(.a10, began: started, due: due))
      }
    case .completed:
      if let completed = witness(of: .completed) {
        let due = context.due(clocks.value.feedback, from: completed.occurredAt, for: to)
        body(Deadline(.a10, .feedback, began: completed, due: due))
      }
    case .failed:
      // Given back by the transport, it is still not acknowledged: a retry has what is left.
      let isTakenUp = context.hasNextStep || witness(of: .disposition) != nil
      if witness(of: .acknowledged) == nil, !isBackfill, !isTakenUp {
        body(acknowledgeDeadline(requested, clocks, context))
      }
      if let misdirection, let ended = witness(of: .ended), !isTakenUp {
        body(Deadline(.a17, misdirection, began: ended, due: ended.arrivedAt))
      }
      forEachNextStepDeadline(context, body)
    case .rejected, .redirected, .expired: forEachNextStepDeadline(context, body)
    case .closed, .cancelled, .voided: break
    }
    if let outcome = clocks.value.outcome, !state.isTerminal, state != .completed {
      let due = context.due(outcome, from: requested.occurredAt, for: to)
      body(Deadline(.a10, .outcome, began: requested, due: due))
    }
    forEachAmendmentDeadline(clocks, context, body)
  }

  /// A14 for a step that is not possible; A13 for answers to what nobody requested.
  private func forEachPendingDeadline(_ windows: RuleWindows, _ body: (Deadline) -> Void) {
    if isRequested {
      for fact in pending {
        let due = fact.witness.arrivedAt.advanced(by: windows.reorder)
        body(Deadline(.a14, began: fact.witness, due: due))
      }
    } else if let first = pending.first {
      // Once, whatever else is said of the same unknown request.
      let arrived = pending.map(\.witness.arrivedAt).min() ?? first.witness.arrivedAt
      let due = arrived.advanced(by: windows.reorder.adding(windows.orphan))
      body(Deadline(.a13, began: first.witness, due: due))
    }
  }

  private func isStanding(_ finding: Finding) -> Bool {
    switch finding.rule {
    case .a05: return state != .rejected && state != .redirected && state != .cancelled
    case .a17, .a24: return finding.wasTerminal || !state.isTerminal
    default: return true
    }
  }
}

// MARK: Before acceptance

extension HandoffFacts {
  /// A07 until the receiver has been heard, A08 from then on.
  private func forEachAnswerDeadline(
    _ requested: Witness, _ clocks: HeldClocks, _ context: ClockContext, _ body: (Deadline) -> Void
  ) {
    // History loaded later arms no transport clock: its acceptance is judged alone.
    guard isBackfill || witness(of: .acknowledged) != nil else {
      return body(acknowledgeDeadline(requested, clocks, context))
    }
    var due = acceptDue(requested, clocks, context).advanced(by: paused)
    var began = requested
    if let released = witness(of: .released) {
      // After a hold a new episode begins, and it cannot have been due before.
      due = max(due, released.occurredAt)
      began = released
    }
    body(Deadline(.a08, began: began, due: due))
  }

  private func acceptDue(
    _ requested: Witness, _ clocks: HeldClocks, _ context: ClockContext
  ) -> Timestamp {
    context.due(clocks.value.accept, from: requested.occurredAt, for: to)
  }

  /// T_ack from the broker time of the request; an earlier TransportAccepted replaces it once.
  private func acknowledgeDeadline(
    _ requested: Witness, _ clocks: HeldClocks, _ context: ClockContext
  ) -> Deadline {
    var due = context.due(clocks.value.acknowledge, from: requested.arrivedAt, for: to)
    if let accepted = witness(of: .transportAccepted), accepted.arrivedAt < due {
      let ofRail = rail.flatMap { context.policy.railDelivery[$0] }
      let deliver = ofRail ?? clocks.value.deliver ?? clocks.value.acknowledge
      due = context.due(deliver, from: accepted.arrivedAt, for: to)
    }
    return Deadline(.a07, began: requested, due: due)
  }

  /// T_hold for this hold; T_accept runs on once the pauses have used up their cap.
  private func forEachHoldDeadline(
    _ requested: Witness, _ clocks: HeldClocks, _ context: ClockContext, _ body: (Deadline) -> Void
  ) {
    guard let held = witness(of: .held) else { return }
    let windows = context.policy.windows
    let holdDue = context.due(windows.hold, from: held.occurredAt, for: to)
    body(Deadline(.a08, .hold, began: held, due: holdDue))
    switch stateBeforeHold {
    case .accepted, .booked: forEachStartDeadline(requested, clocks, context, body)
    default:
      let cap = capped(context.due(windows.holdCap, from: held.occurredAt, for: to))
      let pause = max(cap, held.occurredAt).since(held.occurredAt)
      let due = acceptDue(requested, clocks, context)
      // What was due before the question was answered by it.
      guard due.advanced(by: paused) >= held.occurredAt else { return }
      body(Deadline(.a08, began: held, due: due.advanced(by: paused.adding(pause))))
    }
  }
}

// MARK: After acceptance

extension HandoffFacts {
  /// A09: T_start, or the booking and a day where that is later.
  ///
  /// A kind that only its outcome times still has the day after a booking.
  private func forEachStartDeadline(
    _ requested: Witness, _ clocks: HeldClocks, _ context: ClockContext, _ body: (Deadline) -> Void
  ) {
    let grace = context.policy.windows.bookingGrace
    if clocks.value.start == nil, clocks.value.outcome != nil {
      guard let bookedFor, let booked = witness(of: .booked) else { return }
      return body(Deadline(.a09, began: booked, due: bookedFor.advanced(by: grace)))
    }
    var anchor = requested.occurredAt
    if clocks.value.startAnchor == .dischargeReady {
      anchor = context.dischargeReadyAt ?? dischargeReadyAt ?? anchor
    }
    var began = witness(of: .accepted) ?? requested
    if let missed = witness(of: .notAttended) {
      anchor = missed.occurredAt
      began = missed
    }
    // A document that waits for a start has only its outcome to wait for.
    let due = context.due(clocks.value.start ?? clocks.value.complete, from: anchor, for: to)
    if let bookedFor, bookedFor > due, let booked = witness(of: .booked) {
      return body(Deadline(.a09, began: booked, due: bookedFor.advanced(by: grace)))
    }
    body(Deadline(.a09, began: began, due: due))
  }

  /// A11: the next step after an end that is none for the patient; A22 where the patient has died.
  private func forEachNextStepDeadline(_ context: ClockContext, _ body: (Deadline) -> Void) {
    guard let ended = witness(of: .ended), witness(of: .disposition) == nil else { return }
    if endReason?.isDeceased == true {
      // A death ends the clocks: the sender is told at once, and nothing is to be rerouted.
      return body(Deadline(.a22, .deceased, began: ended, due: ended.occurredAt))
    }
    guard !context.hasNextStep else { return }
    if isNegativelyAnswered {
      let due = context.due(context.policy.windows.negative, from: ended.occurredAt, for: from)
      body(Deadline(.a22, began: ended, due: due))
    }
    switch (state, stateBeforeEnd) {
    case (.rejected, .accepted), (.rejected, .booked):
      body(Deadline(.a11, .withdrawn, began: ended, due: ended.occurredAt))
    default:
      let windows = context.policy.windows
      let length = priority?.isUrgent == true ? windows.rerouteUrgent : windows.reroute
      let due = context.due(length, from: ended.occurredAt, for: to)
      body(Deadline(.a11, state == .redirected ? .redirected : nil, began: ended, due: due))
    }
  }

  /// When Completed with feedback owed closes without it, A10 kept.
  func lapse(in policy: Policy) -> Timestamp? {
    guard state == .completed, let completed = witness(of: .completed) else { return nil }
    let feedback = policy.clocks(kind: kind, priority: priority).feedback
    let due = feedback.due(from: completed.occurredAt, in: policy.calendar, for: to)
    return feedback.due(from: due, in: policy.calendar, for: to)
  }
}

extension ClockContext {
  func due(
    _ length: ClockLength, from start: Timestamp, for receiver: OrganisationID?
  ) -> Timestamp {
    // Without the calendar, which would be copied, where none is asked for.
    if case .elapsed(let elapsed) = length { return start.advanced(by: elapsed) }
    return length.due(from: start, in: policy.calendar, for: receiver)
  }
}
