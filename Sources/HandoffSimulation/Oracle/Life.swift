import HandoffCore

/// One handoff, told from the beginning by the steps that were taken, in the order that counts.
struct Life {
  typealias Step = Recognition.Step

  /// A question to the sender, and its answer.
  struct Hold {
    var from: Step
    var to: Step?
  }

  /// Something that is flagged as it stands, whatever happens next.
  struct Flag: Hashable {
    var rule: Rule
    var cause: String
    var at: Timestamp
    var event: EventID
    var index: Int
    /// Said when it was at its end already.
    var isAfterEnd: Bool
  }

  let id: HandoffID
  /// Nil while only answers are known.
  private(set) var request: Step?
  private(set) var state: HandoffState?
  /// What was said before anybody requested it.
  private(set) var orphans: [Step] = []
  /// What is illegal as things stand.
  private(set) var pending: [Step] = []
  private(set) var flags: [Flag] = []
  private(set) var holds: [Hold] = []
  /// The last amendment that the receiver has not been heard about.
  private(set) var unseen: Step?
  /// The words of the receiver, or of the transport that it has the request.
  private(set) var heard: [Step] = []
  private(set) var transportAccepted: Step?
  private(set) var acceptance: Step?
  private(set) var booking: Step?
  private(set) var notAttended: Step?
  private(set) var start: Step?
  private(set) var completion: Step?
  private(set) var acknowledgement: Step?
  private(set) var disposition: Step?
  private(set) var refusal: Step?
  /// What put it into the terminal state in which it is.
  private(set) var end: Step?
  private(set) var isWithdrawn = false
  /// Acceptances by organisations that are no party, and whether the party had accepted by then.
  private(set) var foreign: (step: Step, isSecond: Bool)?
  /// What was said and legal, in order.
  private(set) var done: [Step] = []
  /// When something moved it.
  private(set) var moves: [Timestamp] = []
  /// What was asked for, as last amended.
  private(set) var content: HandoffEvent?
  private(set) var beforeHold: HandoffState = .requested

  init(id: HandoffID) { self.id = id }

  /// Where the last redirection went.
  private(set) var redirectedTo: HandoffID?

  var clocks: Clocks {
    guard let request else { return Policy.default.fallback }
    return request.policy.clocks(kind: content?.kind, priority: content?.priority)
  }

  var isUrgent: Bool { content?.priority?.isUrgent ?? false }
  var receiver: OrganisationID? { content?.to?.organisation }

  /// Whether it is under way: requested, and neither at an end nor completed.
  var isOpen: Bool {
    guard let state else { return false }
    return !state.isTerminal && state != .completed
  }

  /// Whether the receiver is owed nothing more than a word that was not said.
  var isFeedbackOwed: Bool {
    completion?.event.isFeedbackOwed ?? content?.isFeedbackOwed ?? clocks.isFeedbackOwed
  }

  // MARK: The steps

  mutating func take(_ step: Step) {
    if request == nil {
      guard OracleTable.may(step.event.speaker, say: step.event.type) else {
        flag(.a17, "wrong-role", step)
        return
      }
      guard step.event.type == .handoffRequested else {
        // Answers that nobody asked for are remembered together.
        if let last = orphans.last, step.at.since(last.at) >= step.policy.windows.illegal {
          orphans = []
        }
        orphans.append(step)
        return
      }
      request = step
      done = [step]
      content = step.event
      state = .requested
      let waiting = orphans
      orphans = []
      for earlier in waiting { apply(earlier) }
      return
    }
    if step.isRetry {
      if state == .failed { retry() }
      return
    }
    apply(step)
  }

  private mutating func retry() {
    state = .requested
    (end, refusal) = (nil, nil)
    settle()
  }

  /// Whose word a step is.
  private enum Voice { case party, sharing, stranger, wrongRole }

  private func voice(of event: HandoffEvent) -> Voice {
    guard OracleTable.may(event.speaker, say: event.type) else { return .wrongRole }
    guard let by = event.spokenBy, event.speaker != .platform, let content else { return .party }
    let from = content.from?.organisation
    let to = content.to?.organisation
    let own = event.speaker == .sender ? from : to
    let other = event.speaker == .sender ? to : from
    if own == nil || by == own { return .party }
    if content.cc.contains(where: { $0.organisation == by }) { return .sharing }
    return by == other ? .wrongRole : .stranger
  }

  private mutating func apply(_ step: Step) {
    switch voice(of: step.event) {
    case .party: break
    case .sharing: return
    case .wrongRole:
      flag(.a17, "wrong-role", step)
      return
    case .stranger:
      if step.event.type == .accepted || step.event.type == .started {
        foreign = foreign ?? (step, acceptance != nil || start != nil || booking != nil)
      } else {
        flag(.a17, "no-party", step)
      }
      return
    }
    if move(step) { settle() }
  }

  /// What was illegal is tried again after every step that changed something.
  private mutating func settle() {
    var changed = true
    while changed {
      changed = false
      let waiting = pending
      pending = []
      for step in waiting where move(step) { changed = true }
    }
  }

  private mutating func flag(_ rule: Rule, _ cause: String, _ step: Step) {
    guard !flags.contains(where: { $0.rule == rule && $0.cause == cause }) else { return }
    flags.append(
      Flag(
        rule: rule, cause: cause, at: step.at, event: step.event.id, index: step.index,
        isAfterEnd: state?.isTerminal ?? false))
  }

  /// Whether the step was legal.
  private mutating func move(_ step: Step) -> Bool {
    guard let state else { return false }
    let event = step.event
    if event.type == .transportFailed, isUnknown(event.reason) { return true }
    let what = OracleTable.move(state, event.type)
    if what == .illegal {
      pending.append(step)
      return false
    }
    if event.speaker == .receiver || event.type == .delivered {
      heard.append(step)
      if event.speaker == .receiver, event.type != .delivered, event.type != .transportFailed {
        unseen = nil
        flags.removeAll { $0.rule == .a24 }
      }
    }
    if what != .nothing || event.type == .feedbackSent { moves.append(step.at) }
    if what != .nothing || event.type == .booked { done.append(step) }
    note(step)
    switch what {
    case .nothing, .illegal: break
    case .mustBeSeen: unseen = step
    case .answered:
      if let last = holds.indices.last { holds[last].to = step }
      self.state = beforeHold
    case .conflict: flag(.a12, "", step)
    case .tooLate: flag(.a24, "", step)
    case .withdraw:
      isWithdrawn = true
      enter(.rejected, step)
    case .undelivered:
      flag(.a22, "", step)
      enter(.failed, step)
    case .refute(let next):
      if let end, isOfReceiver(end), event.occurredAt < end.event.occurredAt { break }
      enter(next, step)
    case .go(let next): enter(next, step)
    }
    return true
  }

  /// 408 and 425 say nothing of what happened (note 2; §8, Transport).
  private func isUnknown(_ reason: Code?) -> Bool {
    reason?.description == "408" || reason?.description == "425"
  }

  private func isOfReceiver(_ step: Step) -> Bool {
    step.event.type == .couldNotComplete || step.event.type == .recipientRefusedPatient
  }

  private mutating func enter(_ next: HandoffState, _ step: Step) {
    if state == .onHold, let last = holds.indices.last, holds[last].to == nil {
      holds[last].to = step
    }
    if next == .onHold {
      beforeHold = state ?? .requested
      holds.append(Hold(from: step))
    }
    state = next
    end = nil
    if next.isTerminal {
      end = step
      unseen = nil
    }
    if next == .voided { flags = [] }
    let isDone = next == .completed && !isFeedbackOwed
    if isDone || clocks.isDocument && (next == .received || next == .accepted) {
      state = .closed
      end = step
    }
  }

  /// An amendment says anew what it names, and leaves the rest.
  private mutating func amend(_ event: HandoffEvent) {
    guard var said = content else { return }
    said.kind = event.kind ?? said.kind
    said.priority = event.priority ?? said.priority
    said.needKey = event.needKey ?? said.needKey
    said.journeyID = event.journeyID ?? said.journeyID
    said.parentHandoffID = event.parentHandoffID ?? said.parentHandoffID
    said.isFeedbackOwed = event.isFeedbackOwed ?? said.isFeedbackOwed
    said.from = event.from ?? said.from
    said.to = event.to ?? said.to
    if !event.cc.isEmpty { said.cc = event.cc }
    content = said
  }

  /// What people did of late: of each kind of step the last, without what ends or acknowledges.
  var acts: [Step] {
    var last: [EventType: Step] = [:]
    for step in done {
      switch step.event.type {
      case .handoffRequested, .handoffAmended, .accepted, .infoRequested, .booked, .started:
        last[step.event.type] = step
      case .notAttended:
        last[.notAttended] = step
        last[.booked] = nil
      default: break
      }
    }
    return Array(last.values)
  }

  /// What later clocks start at.
  private mutating func note(_ step: Step) {
    switch step.event.type {
    case .transportAccepted where state == .requested: transportAccepted = step
    case .accepted: acceptance = acceptance ?? step
    case .booked: booking = step
    case .notAttended:
      notAttended = step
      booking = nil
    case .started: start = start ?? step
    case .completed: completion = completion ?? step
    case .feedbackAcknowledged: acknowledgement = acknowledgement ?? step
    case .disposition: disposition = step
    case .redirected: redirectedTo = step.event.newHandoffID ?? redirectedTo
    case .handoffRequested, .handoffAmended: amend(step.event)
    case .recipientRefusedPatient, .transportFailed: refusal = refusal ?? step
    default: break
    }
  }
}
