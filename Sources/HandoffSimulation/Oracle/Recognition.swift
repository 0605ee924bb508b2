import HandoffCore

/// Which arrivals say something, and which repeat what was said (A01 to A03).
struct Recognition {
  /// One arrival that is no repeat, or a request tried again.
  struct Step {
    var event: HandoffEvent
    var at: Timestamp
    var policy: Policy
    var index: Int
    /// When the sender tried again what had failed (note 2).
    var triedAgain: Timestamp?
    var isRetry: Bool { triedAgain != nil }
  }

  /// The fresh steps, in the order of arrival.
  private(set) var steps: [Step] = []
  private var all: [Step] = []
  private var repeats: [Repeats.Key: Repeats] = [:]

  /// Repeats of one message, or uses of one message id.
  struct Repeats {
    struct Key: Hashable {
      var rule: Rule
      var token: Token
    }
    var moments: [Timestamp]
    var window: Elapsed
    var handoff: HandoffID?
    var receptions: Set<ReceptionID>
  }

  /// Looks at an arrival, in order; false for our own redelivery of one.
  @discardableResult
  mutating func take(_ arrival: Oracle.Arrival, index: Int) -> Bool {
    let event = arrival.event
    var step = Step(event: event, at: arrival.at, policy: arrival.policy, index: index)
    let windows = arrival.policy.windows
    let remembered = all.filter { arrival.at.since($0.at) < windows.memory }
    if remembered.contains(where: {
      $0.event.id == event.id && $0.event.receptionID == event.receptionID
    }) {
      return false
    }
    defer { all.append(step) }
    if remembered.contains(where: { $0.event.id == event.id }) {
      step.triedAgain = momentOfRetry(step)
      if step.isRetry {
        steps.append(step)
      } else {
        note(
          .a01, step, of: event.messageKey ?? Token(rawValue: event.id.rawValue), windows.repeats)
      }
      return true
    }
    if let key = event.messageKey {
      let same = remembered.filter { $0.event.messageKey == key && $0.event.type == event.type }
      if same.contains(where: { $0.event.contentMac == event.contentMac }) {
        note(.a01, step, of: key, windows.repeats)
        return true
      }
      if event.supersedes == nil, !same.isEmpty {
        note(.a03, step, of: key, windows.memory)
        steps.append(step)
        return true
      }
    }
    if event.handoffID != nil,
      let known = remembered.first(where: {
        $0.event.handoffID == event.handoffID && $0.event.contentMac == event.contentMac
          && $0.event.type == event.type && $0.event.spokenBy == event.spokenBy
          && !isOfNewVersion(step, $0)
      })
    {
      let between = hasMoved(event.handoffID, after: known.at, before: arrival.at, windows)
      let isPlain = arrival.at.since(known.at) <= windows.resend && !between
      note(
        isPlain ? .a01 : .a02, step,
        of: event.contentMac, windows.repeats)
      // Content codes do not cover what these say beside: they are taken all the same.
      if [.handoffAmended, .booked, .interim, .transportFailed].contains(event.type) {
        steps.append(step)
      } else {
        exchange(step)
      }
      return true
    }
    steps.append(step)
    return true
  }

  /// Of two of one content that may still be put in order the first counts, whichever came first.
  private mutating func exchange(_ again: Step) {
    let twin = steps.firstIndex {
      $0.event.handoffID == again.event.handoffID && $0.event.type == again.event.type
        && $0.event.contentMac == again.event.contentMac && !$0.isRetry
        && again.at.since($0.at) <= $0.policy.windows.reorder
    }
    guard let twin, PersonView.happenedBefore(again, steps[twin]) else { return }
    steps[twin].event = again.event
  }

  private mutating func note(_ rule: Rule, _ step: Step, of token: Token, _ window: Elapsed) {
    let key = Repeats.Key(rule: rule, token: token)
    var known =
      repeats[key]
      ?? Repeats(moments: [], window: window, handoff: step.event.handoffID, receptions: [])
    if known.receptions.insert(step.event.receptionID).inserted || rule == .a03 {
      known.moments.append(step.at)
    }
    repeats[key] = known
  }

  /// Whether a handoff moved on since a moment; not counting what may still be put in order.
  private func hasMoved(
    _ handoff: HandoffID?, after first: Timestamp, before now: Timestamp, _ windows: RuleWindows
  ) -> Bool {
    guard let handoff, let life = PersonView(self, at: now).lives[handoff] else { return false }
    let settled = now.advanced(by: Elapsed(nanoseconds: -windows.reorder.nanoseconds))
    return life.hasMoved(after: first, before: settled)
  }

  /// A request that had failed when the connector received it again, or has failed by now.
  private func momentOfRetry(_ step: Step) -> Timestamp? {
    guard step.event.type == .handoffRequested, let handoff = step.event.handoffID else {
      return nil
    }
    if let received = step.event.receptionID.receivedAt,
      (step.event.occurredAt...max(step.at, step.event.occurredAt)).contains(received),
      PersonView.state(of: handoff, self, at: step, asOf: received) == .failed
    {
      return received
    }
    guard let life = PersonView(self, at: step.at).lives[handoff], life.state == .failed else {
      return nil
    }
    let behind = life.end?.event.occurredAt.advanced(by: Elapsed(nanoseconds: 1))
    return max(step.at, behind ?? step.at)
  }

  /// Whether the receiver says again of an amended request what it said of the first.
  private func isOfNewVersion(_ step: Step, _ known: Step) -> Bool {
    guard step.event.speaker == .receiver, let handoff = step.event.handoffID,
      let life = PersonView(self, at: step.at).lives[handoff], life.state?.isTerminal != true
    else { return false }
    let isRecent = step.at.since(known.at) <= step.policy.windows.reorder
    return [life.steps[.amended], life.steps[.released]].compactMap(\.self).contains { change in
      let isKnownBefore = isRecent && known.event.occurredAt < change.event.occurredAt
      return step.event.occurredAt >= change.event.occurredAt
        && (isKnownBefore || known.at < change.at)
    }
  }

  /// The last episode of each repeated message; what ended before has been seen to end.
  var claims: [Claim] {
    repeats.map { key, repeats in
      var opened = repeats.moments[0]
      var last = opened
      for moment in repeats.moments.dropFirst() {
        if moment >= last.advanced(by: repeats.window) { opened = moment }
        last = moment
      }
      return Claim(
        key.rule, nil, cause: "\(key.token)", due: opened,
        until: last.advanced(by: repeats.window))
    }
  }
}
