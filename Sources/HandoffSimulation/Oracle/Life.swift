import HandoffCore

/// One handoff, told from the beginning by the steps that were taken, in the order that counts.
struct Life {
  typealias Step = Recognition.Step

  /// A question to the sender, and its answer.
  struct Hold {
    var from: Step
    var to: Step?
  }

  /// A kind of step that later clocks and rules look back at.
  ///
  /// Of the first three the first one counts, of the others the last: a clock that begins again
  /// begins with the last word.
  enum Kind: CaseIterable {
    case transportAccepted, heard, taken
    case amended, held, released, booked, missed, started, completed, feedback, acknowledged
    case ended, disposition
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
    /// Of what the register says of sender and receiver.
    var isOfParties = false
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
  /// Of each kind of step the one that counts; see ``Kind``.
  private(set) var steps: [Kind: Step] = [:]
  private(set) var isWithdrawn = false
  /// The first acceptance by another than who has it, and whether anybody had it by then.
  private(set) var foreign: (step: Step, isSecond: Bool)?
  /// To whom the handoff was when it was first accepted.
  private var takenTo: OrganisationID?
  /// What was asked for, as last amended.
  private(set) var content: HandoffEvent?
  private(set) var beforeHold: HandoffState = .requested
  private(set) var beforeEnd: HandoffState = .requested

  init(id: HandoffID) { self.id = id }

  /// Where the last redirection went.
  private(set) var redirectedTo: HandoffID?

  var clocks: Clocks {
    guard let request else { return Policy.default.fallback }
    return request.policy.clocks(kind: content?.kind, priority: content?.priority)
  }

  /// The last amendment that the receiver has not been heard about.
  var unseen: Step? { isSeen ? nil : steps[.amended] }
  private var isSeen = false
  /// What the request and each amendment are named by in answers, the last that stands.
  private var versions: [Token?] = []
  /// What people did, without what ends or acknowledges.
  private(set) var acts: [Step] = []
  /// The first word of the receiver, or of the transport that the receiver has the request.
  var heard: Step? { steps[.heard] }
  /// The first acceptance, or what implies one.
  var acceptance: Step? { steps[.taken] }
  var booking: Step? { steps[.booked] }
  var notAttended: Step? { steps[.missed] }
  var start: Step? { steps[.started] }
  var completion: Step? { steps[.completed] }
  var disposition: Step? { steps[.disposition] }
  /// What put it into the terminal state in which it is.
  var end: Step? { steps[.ended] }

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
    forget(by: step)
    guard OracleTable.may(step.event.speaker, say: step.event.type) else {
      flag(.a17, "wrong-role", step)
      return
    }
    guard request != nil else {
      begin(with: step)
      return
    }
    apply(step)
  }

  private mutating func begin(with step: Step) {
    guard step.event.type == .handoffRequested else {
      // Answers that nobody asked for are remembered together.
      orphans.append(step)
      orphans.sort(by: PersonView.happenedBefore)
      return
    }
    request = step
    content = step.event
    versions = [step.event.version]
    judgeParties(step)
    acts = [step]
    state = .requested
    let waiting = orphans
    orphans = []
    for earlier in waiting { apply(earlier) }
  }

  /// What was illegal, or asked for by nobody, does not wait for ever.
  private mutating func forget(by step: Step) {
    func isOver(_ waiting: Step) -> Bool {
      step.at.since(waiting.at) >= (request ?? waiting).policy.windows.illegal
    }
    if orphans.allSatisfy(isOver) { orphans = [] }
    pending.removeAll(where: isOver)
  }

  /// Whose word a step is.
  private enum Voice { case party, sharing, stranger, wrongRole }

  private func voice(of event: HandoffEvent) -> Voice {
    guard let by = event.spokenBy, event.speaker != .platform, let content else { return .party }
    let from = content.from?.organisation
    let to = content.to?.organisation
    let own = event.speaker == .sender ? from : to
    let other = event.speaker == .sender ? to : from
    let register = RegisterView(policy: request?.policy ?? .default)
    if own == nil || register.speaks(by, for: own) { return .party }
    if register.speaks(by, for: other) { return .wrongRole }
    return content.cc.contains { register.speaks(by, for: $0.organisation) } ? .sharing : .stranger
  }

  private mutating func apply(_ step: Step) {
    let event = step.event
    if event.type == .handoffRequested, !step.isRetry, event.contentMac == request?.event.contentMac
    {
      return
    }
    switch voice(of: event) {
    case .party: compareTaker(with: step)
    case .sharing: return
    case .wrongRole:
      flag(.a17, "wrong-role", step)
      return
    case .stranger:
      if event.type == .accepted || event.type == .started {
        foreign = foreign ?? (step, acceptance != nil)
      } else {
        flag(.a17, "no-party", step)
      }
      return
    }
    if move(step) { settle() }
  }

  /// A party that takes up what another has is the second to do so (A05).
  private mutating func compareTaker(with step: Step) {
    guard [.accepted, .started].contains(step.event.type), let by = step.event.spokenBy,
      let state,
      [.accepted, .booked, .started, .completed].contains(
        state == .onHold ? beforeHold : state),
      var taker = acceptance?.event.spokenBy ?? content?.to?.organisation
    else { return }
    let register = RegisterView(policy: request?.policy ?? .default)
    if let to = takenTo, register.speaks(taker, for: to) { taker = to }
    let isOne = register.speaks(by, for: taker) || register.speaks(taker, for: by)
    let isCopied = content?.cc.contains { register.speaks(by, for: $0.organisation) } == true
    if !isOne, !isCopied { foreign = foreign ?? (step, true) }
  }

  /// What was illegal is tried again, the earliest first, after every step.
  private mutating func settle() {
    var position = 0
    while position < pending.count {
      let step = pending.remove(at: position)
      if move(step) {
        position = 0
      } else {
        position += 1
      }
    }
  }

  private mutating func flag(_ rule: Rule, _ cause: String, _ step: Step) {
    // About what nobody requested it is another story after a month.
    let memory = step.policy.windows.ended
    let isSaid = flags.contains {
      $0.rule == rule && $0.cause == cause && (request != nil || step.at.since($0.at) < memory)
    }
    guard !isSaid else { return }
    flags.append(
      Flag(
        rule: rule, cause: cause, at: step.at, event: step.event.id, index: step.index,
        isAfterEnd: state?.isTerminal ?? false))
  }

  /// Whether the step was legal; what is not waits.
  private mutating func move(_ step: Step) -> Bool {
    guard let state else { return false }
    let event = step.event
    if step.isRetry {
      if state == .failed { (self.state, steps[.ended]) = (.requested, nil) }
      return true
    }
    if event.type == .transportFailed, OracleTable.isUnknown(event.reason) { return true }
    let what = OracleTable.move(state, event.type)
    if what == .illegal {
      pending.append(step)
      pending.sort(by: PersonView.happenedBefore)
      return false
    }
    carryOut(what, step)
    switch event.type {
    case .feedbackAcknowledged: steps[.acknowledged] = step
    case .booked where what == .nothing && state.isUnderway:
      steps[.booked] = step
    case .disposition: steps[.disposition] = step
    case .feedbackSent where what == .nothing && !state.isTerminal: steps[.feedback] = step
    default: break
    }
    if OracleTable.isHeard(event.type) {
      steps[.heard] = steps[.heard] ?? step
      if event.type != .delivered { hearOfVersion(step) }
    }
    let kinds: [Kind] = [.amended, .held, .released, .taken, .booked, .missed, .started]
    if kinds.contains(where: { steps[$0]?.index == step.index }) { acts.append(step) }
    return true
  }

  /// A word of the receiver: it has seen the amendment, unless it answers an older version (A24).
  private mutating func hearOfVersion(_ step: Step) {
    let named = step.event.answers
    guard let named, named != versions.last ?? nil, versions.contains(named) else {
      isSeen = true
      flags.removeAll { $0.rule == .a24 }
      return
    }
    guard step.event.type != .received, state?.isTerminal == false else { return }
    flag(.a24, "older-version", step)
  }

  private mutating func carryOut(_ what: OracleTable.Move, _ step: Step) {
    if step.event.type == .handoffRequested || step.event.type == .handoffAmended {
      amend(step.event)
      judgeParties(step)
      versions.append(step.event.version)
    }
    switch what {
    case .nothing, .illegal: break
    case .mustBeSeen: (steps[.amended], isSeen) = (step, false)
    case .answered:
      if let last = holds.indices.last { holds[last].to = step }
      steps[.released] = step
      state = beforeHold
    case .conflict: flag(.a12, "", step)
    case .tooLate:
      flag(.a24, "", step)
      (steps[.amended], isSeen) = (step, true)
    case .withdraw:
      isWithdrawn = true
      enter(.rejected, step)
    case .undelivered: enter(.failed, step)
    case .refute(let next):
      // What the receiver said itself is refuted only by what happened later.
      if let end, end.event.speaker != .platform, step.event.occurredAt <= end.event.occurredAt {
        break
      }
      enter(next, step)
    case .go(let next): enter(next, step)
    }
  }

  private mutating func enter(_ next: HandoffState, _ step: Step) {
    if next == .redirected { redirectedTo = step.event.newHandoffID ?? redirectedTo }
    // The same end again: the clock of the next step runs on (§8, Ends).
    guard next != state || !next.isTerminal else { return }
    if state == .onHold { holds.removeAll { $0.to == nil } }
    let before = state ?? .requested
    state = next
    steps[.ended] = nil
    switch next {
    case .inTransit: steps[.transportAccepted] = steps[.transportAccepted] ?? step
    case .onHold:
      beforeHold = before
      holds.append(Hold(from: step))
      steps[.held] = step
    case .accepted, .booked, .started: take(up: step)
    case .completed: steps[.completed] = step
    default: break
    }
    if next.isTerminal { finish(from: before, step) }
    if next == .voided { (flags, foreign) = ([], nil) }
    let isRead =
      clocks.isDocument
      && [.received, .accepted, .booked, .started, .completed].contains(next)
    if isRead || next == .completed && !isFeedbackOwed {
      state = .closed
      finish(from: before, step)
    }
  }

  private mutating func finish(from before: HandoffState, _ step: Step) {
    beforeEnd = before
    steps[.ended] = step
    isSeen = true
  }

  /// The receiver has the work.
  private mutating func take(up step: Step) {
    if steps[.taken] == nil { takenTo = content?.to?.organisation }
    steps[.taken] = steps[.taken] ?? step
    switch step.event.type {
    case .booked: steps[.booked] = step
    case .started: steps[.started] = step
    case .notAttended:
      steps[.missed] = step
      steps[.booked] = nil
    default: break
    }
  }

  /// What the register says of the parties (A17): an amendment puts right what it does not bring with
  /// it again.
  private mutating func judgeParties(_ step: Step) {
    let causes = RegisterView(policy: step.policy).causes(
      from: content?.from?.organisation, to: content?.to?.organisation, content?.kind,
      at: step.event.occurredAt)
    flags.removeAll { $0.isOfParties && !causes.contains($0.cause) }
    for cause in causes.sorted() where !flags.contains(where: { $0.cause == cause }) {
      flags.append(
        Flag(
          rule: .a17, cause: cause, at: step.at, event: step.event.id, index: step.index,
          isAfterEnd: false, isOfParties: true))
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
    said.dischargeReadyAt = event.dischargeReadyAt ?? said.dischargeReadyAt
    said.isFeedbackOwed = event.isFeedbackOwed ?? said.isFeedbackOwed
    said.to = event.to ?? said.to
    if !event.cc.isEmpty { said.cc = event.cc }
    content = said
  }

  /// Whether it moved on between two moments, as far as its steps still stand.
  ///
  /// What led to an end and was heard of after it has moved nothing.
  func hasMoved(after first: Timestamp, before last: Timestamp) -> Bool {
    let lasting: [Kind] = [
      .heard, .taken, .started, .completed, .acknowledged, .ended, .disposition,
    ]
    let isOver = end.map { $0.at <= first } ?? false && state != .failed && state != .expired
    let kinds = isOver ? lasting : Kind.allCases
    return ([request] + kinds.map { steps[$0] }).compactMap(\.self)
      .contains { $0.at > first && $0.at < last }
  }
}

extension HandoffState {
  /// Where a booking says when it will begin.
  fileprivate var isUnderway: Bool { self == .booked || self == .started }
}
