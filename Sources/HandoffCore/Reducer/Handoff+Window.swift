extension Handoff {
  /// Adds an event where it belongs among those that may still be put in another order.
  ///
  /// The result depends on the set of events within the window and not on their order of arrival;
  /// the usual case, an event that happened last, costs one step.
  mutating func add(_ fact: Fact, in policies: [Policy]) {
    let isRequest = fact.type == .handoffRequested && Lifecycle.may(fact.speaker, say: fact.type)
    if isRequest, !current.isRequested { recallAnswers() }
    guard let last = window.last else {
      settled = current
      window.append(fact)
      current.fold(fact, in: policies)
      return
    }
    guard Fact.precedes(fact, last) else {
      window.append(fact)
      current.fold(fact, in: policies)
      return
    }
    window.insertInOrder(fact)
    current = settled ?? HandoffFacts()
    for fact in window { current.fold(fact, in: policies) }
  }

  /// Puts the answers that wait for their request back among what may still be put in order.
  ///
  /// A request that comes long after its answers comes from a source that was away, and so does what
  /// else happened before them: a failed transport, and the request tried again.
  private mutating func recallAnswers() {
    guard !current.pending.isEmpty else { return }
    var base = settled ?? current
    for fact in base.pending { window.insertInOrder(fact) }
    base.pending = []
    settled = base
  }

  /// The state in which it was at a moment, as far as that may still be put in order.
  func state(at moment: Timestamp, in policies: [Policy]) -> HandoffState {
    guard window.contains(where: { $0.witness.occurredAt > moment }) else { return current.state }
    var facts = settled ?? HandoffFacts()
    for fact in window where fact.witness.occurredAt <= moment { facts.fold(fact, in: policies) }
    return facts.state
  }

  /// Takes in the same content under another message id (A02): nothing new, wherever it stands.
  ///
  /// Of two that are both within the window the one that stands first counts, whichever came first.
  mutating func addAgain(_ fact: Fact, in policies: [Policy]) {
    guard !fact.type.mayDifferBesideContent else { return add(fact, in: policies) }
    let twin = window.firstIndex {
      $0.type == fact.type && $0.contentHash == fact.contentHash && !$0.isRetry
    }
    guard let twin, Fact.precedes(fact, window[twin]) else { return }
    var first = fact
    first.witness.arrivedAt = min(fact.witness.arrivedAt, window[twin].witness.arrivedAt)
    window.remove(at: twin)
    window.insertInOrder(first)
    current = settled ?? HandoffFacts()
    for fact in window { current.fold(fact, in: policies) }
  }

  /// Settles, in order, what arrived so long ago that nothing can overtake it any more.
  ///
  /// When it is done changes nothing but memory, so it is done when the handoff is next touched.
  mutating func settle(at now: Timestamp, _ windows: RuleWindows, in policies: [Policy]) {
    guard !window.isEmpty else { return }
    let ready = window.prefix { $0.witness.arrivedAt.advanced(by: windows.reorder) < now }
    if ready.count == window.count {
      settled = nil
      window = []
      shrink()
    } else if !ready.isEmpty {
      for fact in ready { settled?.fold(fact, in: policies) }
      window.removeFirst(ready.count)
    }
  }

  /// Drops illegal events that nothing made legal within the policy's `illegal`; says how many.
  mutating func dropLapsed(at now: Timestamp, _ windows: RuleWindows) -> Int {
    func isLapsed(_ fact: Fact) -> Bool {
      fact.witness.arrivedAt.advanced(by: windows.illegal) <= now
    }
    let before = current.pending.count
    // Answers to one unknown request are one alert: they wait, and lapse, together.
    guard current.isRequested || current.pending.allSatisfy(isLapsed) else { return 0 }
    current.pending.removeAll(where: isLapsed)
    settled?.pending.removeAll(where: isLapsed)
    return before - current.pending.count
  }

  /// What has ended for good keeps only what its books, its next step and its verdicts need.
  private mutating func shrink() {
    switch current.state {
    case .closed, .rejected, .redirected, .cancelled, .voided:
      current.marks = current.marks.filter { mark in
        switch mark.step {
        // When care began, and when it was done, counts for its whole line (A15).
        case .requested, .acknowledged, .accepted, .started, .completed, .ended, .disposition,
          .feedbackAcknowledged:
          true
        case .transportAccepted, .held, .released, .booked, .notAttended, .feedbackSent, .amended:
          false
        }
      }
    case .requested, .inTransit, .delivered, .received, .onHold, .accepted, .booked, .started,
      .completed, .failed, .expired:
      break
    }
  }
}

extension EventType {
  /// Whether two of one handoff and minute may say different things that no content code covers.
  fileprivate var mayDifferBesideContent: Bool {
    switch self {
    case .handoffAmended, .booked, .interim, .transportFailed: true
    default: false
    }
  }
}
