extension Fact {
  /// The order in which events happened; ties by the run of a handoff, then by id.
  static func precedes(_ left: Fact, _ right: Fact) -> Bool {
    let (leftAt, rightAt) = (left.witness.occurredAt, right.witness.occurredAt)
    if leftAt != rightAt { return leftAt < rightAt }
    let (leftRank, rightRank) = (Lifecycle.rank(left.type), Lifecycle.rank(right.type))
    if leftRank != rightRank { return leftRank < rightRank }
    return left.witness.eventID < right.witness.eventID
  }
}

extension Array<Fact> {
  /// Puts `fact` where it belongs in the order.
  mutating func insertInOrder(_ fact: Fact) {
    var position = count
    while position > 0, Fact.precedes(fact, self[position - 1]) { position -= 1 }
    insert(fact, at: position)
  }
}

extension HandoffFacts {
  /// Adds the next event in order, and then whatever it makes legal.
  ///
  /// Pending events are tried again here and not at the end of a batch of events, so that folding
  /// a sequence in two parts gives what folding it at once gives: facts may be settled at any time.
  mutating func fold(_ fact: Fact, in policies: [Policy]) {
    guard step(fact, in: policies) else {
      pending.insertInOrder(fact)
      return
    }
    var next = 0
    while next < pending.count {
      if step(pending[next], in: policies) {
        pending.remove(at: next)
        next = 0
      } else {
        next += 1
      }
    }
  }

  /// Applies one event; false where it is illegal in this state.
  private mutating func step(_ fact: Fact, in policies: [Policy]) -> Bool {
    guard Lifecycle.may(fact.speaker, say: fact.type) else {
      // About what nobody requested it is another story once the first would be forgotten: whether
      // it is forgotten hangs on what else it is linked with.
      let memory = isRequested ? nil : policies.span[Int(policy)].windows.ended
      find(.a17, cause: .wrongRole, fact, due: fact.witness.arrivedAt, within: memory)
      return true
    }
    guard isRequested else {
      guard fact.type == .handoffRequested else { return false }
      begin(fact, in: policies)
      return true
    }
    // The same request under another message id is a repeat (A02), and no amendment.
    let isRepeat =
      fact.type == .handoffRequested && !fact.isRetry && fact.contentHash != 0
      && fact.contentHash == requestHash
    if isRepeat {
      duplicateCount += 1
      return true
    }
    let cell =
      fact.isRetry
      ? (state == .failed ? Cell.to(.requested) : .duplicate)
      : Lifecycle.cell(state, fact.type) ?? .same
    // Whose word it is comes first: a stranger's never waits to become legal. What asks for the register
    // late takes along its place, and not all of the fact.
    let ordinal = Int(fact.policy)
    switch standing(of: fact, policies.span[ordinal].register) {
    case .party:
      if fact.type == .transportFailed, Lifecycle.isUnknownOutcome(fact.reason) {
        sameCount += 1
        return true
      }
      guard cell != .illegal else { return false }
      perform(cell, fact, in: policies)
    case .otherParty: find(.a17, cause: .wrongRole, fact, due: fact.witness.arrivedAt)
    case .stranger: hear(fact, in: policies)
    }
    return true
  }

  /// The request that everything else is about.
  private mutating func begin(_ fact: Fact, in policies: [Policy]) {
    isRequested = true
    policy = fact.policy
    isBackfill = fact.isBackfill
    from = fact.from ?? fact.spokenBy
    requestHash = fact.contentHash
    version = fact.version
    adopt(fact, in: policies)
    set(.requested, fact)
  }

  /// Takes over what a request or an amendment says of the handoff.
  private mutating func adopt(_ fact: Fact, in policies: [Policy]) {
    to = fact.to ?? to
    kind = fact.kind ?? kind
    priority = fact.priority ?? priority
    if !fact.cc.isEmpty { cc = fact.cc }
    needKey = fact.needKey ?? needKey
    needCode = fact.needCode ?? needCode
    journeyID = fact.journeyID ?? journeyID
    parentHandoffID = fact.parentHandoffID ?? parentHandoffID
    dischargeReadyAt = fact.dischargeReadyAt ?? dischargeReadyAt
    let clocks = policies.span[Int(policy)].clocks(kind: kind, priority: priority)
    isDocument = clocks.isDocument
    isFeedbackOwed = fact.isFeedbackOwed ?? clocks.isFeedbackOwed
    judgeParties(fact, in: policies)
  }
}

// MARK: Who speaks

extension HandoffFacts {
  private enum Standing {
    case party, otherParty, stranger
  }

  private func standing(
    of fact: Fact, _ register: @autoclosure () -> OrganisationRegister?
  ) -> Standing {
    // Without a name, or from the platform, the connector that took it in vouches for it.
    guard let speaker = fact.spokenBy, fact.speaker != .platform else { return .party }
    func isSender() -> Bool { speaks(speaker, for: from, register()) }
    func isReceiver() -> Bool {
      speaks(speaker, for: to, register()) || speaks(speaker, for: acceptedBy, register())
    }
    switch fact.speaker {
    case .sender:
      if from == nil || isSender() { return .party }
      return isReceiver() ? .otherParty : .stranger
    case .receiver, .platform:
      if to == nil || isReceiver() { return .party }
      return isSender() ? .otherParty : .stranger
    }
  }

  /// An organisation that is neither party: evidence only, and never a change of state.
  private mutating func hear(_ fact: Fact, in policies: [Policy]) {
    let arrived = fact.witness.arrivedAt
    if let speaker = fact.spokenBy, isCopied(speaker, policies[Int(fact.policy)].register) {
      lateCount += 1
      return
    }
    guard fact.type == .accepted || fact.type == .started else {
      find(.a17, cause: .noParty, fact, due: arrived)
      return
    }
    // Beside an acceptance of a party the two have W_conf to sort it out; alone, at once.
    let due = acceptedBy == nil ? arrived : confirmationDue(arrived, in: policies)
    find(.a05, cause: nil, fact, due: due)
  }

  private func confirmationDue(_ start: Timestamp, in policies: [Policy]) -> Timestamp {
    let policy = policies[Int(policy)]
    return policy.windows.confirmation.due(from: start, in: policy.calendar, for: to)
  }

  /// One finding of a rule and cause stands at a time, or within `memory` of another: further ones
  /// are counted with it.
  mutating func find(
    _ rule: Rule, cause: Code?, _ fact: Fact, due: Timestamp, within memory: Elapsed? = nil
  ) {
    let isFound = findings.contains { finding in
      finding.rule == rule && finding.cause == cause
        && (memory.map { fact.witness.arrivedAt.since(finding.witness.arrivedAt) < $0 } ?? true)
    }
    guard !isFound else {
      lateCount += 1
      return
    }
    findings.append(
      Finding(
        rule: rule, cause: cause, witness: fact.witness, due: due, wasTerminal: state.isTerminal))
  }
}

// MARK: What a cell does

extension HandoffFacts {
  private mutating func perform(_ cell: Cell, _ fact: Fact, in policies: [Policy]) {
    let ordinal = Int(fact.policy)
    let isSecond = isSecondAcceptance(fact, policies.span[ordinal].register)
    if isSecond {
      let due = confirmationDue(fact.witness.arrivedAt, in: policies)
      find(.a05, cause: nil, fact, due: due)
    }
    switch cell {
    case .to(let next): enter(next, fact, in: policies)
    case .same: remain(fact, in: policies)
    case .amend:
      remain(fact, in: policies)
      set(.amended, fact)
      isAmendmentSeen = false
    case .release: release(fact, in: policies)
    case .late: lateCount += 1
    case .duplicate: duplicateCount += 1
    case .illegal: preconditionFailure("an illegal event is held back before")
    case .flag(let rule, let next): flag(rule, to: next, fact, in: policies)
    case .confirm where isSecond: break
    case .confirm(isDuplicate: true): duplicateCount += 1
    case .confirm: lateCount += 1
    case .refute(let next): refute(to: next, fact, in: policies)
    }
    // A disposition may come with any end, and late feedback to any.
    if fact.type == .feedbackAcknowledged { set(.feedbackAcknowledged, fact) }
    guard Lifecycle.isReceiverEvidence(fact.type) else { return }
    if witness(of: .acknowledged) == nil { set(.acknowledged, fact) }
    // Delivered is the platform's word; that the new version is seen only the receiver can say.
    if fact.type != .delivered { hearOfVersion(fact) }
  }

  private mutating func remain(_ fact: Fact, in policies: [Policy]) {
    sameCount += 1
    switch fact.type {
    case .handoffRequested, .handoffAmended:
      adopt(fact, in: policies)
      replaceVersion(by: fact)
    case .booked:
      bookedFor = fact.bookedFor
      set(.booked, fact)
    case .feedbackSent: set(.feedbackSent, fact)
    case .disposition: set(.disposition, fact)
    default: break
    }
  }

  private mutating func flag(
    _ rule: Rule, to next: HandoffState?, _ fact: Fact, in policies: [Policy]
  ) {
    switch rule {
    // A11 and A22 are clocks of the state that they lead to.
    case .a11, .a22: break
    default: find(rule, cause: nil, fact, due: fact.witness.arrivedAt)
    }
    if rule == .a24 {
      adopt(fact, in: policies)
      replaceVersion(by: fact)
      set(.amended, fact)
      isAmendmentSeen = true
    }
    if let next { enter(next, fact, in: policies) }
  }

  /// Whether a service accepts or starts what another has: neither is a stranger where the handoff
  /// names no receiver, or another by now.
  private func isSecondAcceptance(
    _ fact: Fact, _ register: @autoclosure () -> OrganisationRegister?
  ) -> Bool {
    guard fact.type == .accepted || fact.type == .started, isTakenUp,
      let speaker = fact.spokenBy, let acceptedBy
    else { return false }
    return !speaks(speaker, for: acceptedBy, register())
      && !speaks(acceptedBy, for: speaker, register()) && !isCopied(speaker, register())
  }

  /// Whether somebody has the work.
  private var isTakenUp: Bool {
    switch state == .onHold ? stateBeforeHold : state {
    case .accepted, .booked, .started, .completed: true
    default: false
    }
  }

  /// A failure that the receiver itself declared is refuted only by what it says afterwards.
  private mutating func refute(to next: HandoffState, _ fact: Fact, in policies: [Policy]) {
    guard let end = witness(of: .ended),
      isEndedByPlatform || fact.witness.occurredAt > end.occurredAt
    else {
      lateCount += 1
      return
    }
    enter(next, fact, in: policies)
  }

  private mutating func release(_ fact: Fact, in policies: [Policy]) {
    remain(fact, in: policies)
    if let held = witness(of: .held) {
      let policy = policies[Int(policy)]
      let cap = policy.windows.holdCap.due(
        from: held.occurredAt, in: policy.calendar, for: to)
      let end = min(fact.witness.occurredAt, capped(cap))
      if end > held.occurredAt { paused = paused.adding(end.since(held.occurredAt)) }
    }
    set(.released, fact)
    state = stateBeforeHold
  }

  /// Where a cap of the whole falls when part of it is used up.
  func capped(_ cap: Timestamp) -> Timestamp {
    cap.advanced(by: Elapsed(nanoseconds: -paused.nanoseconds))
  }

  private mutating func enter(_ next: HandoffState, _ fact: Fact, in policies: [Policy]) {
    let before = state
    guard before != next || !next.isTerminal else {
      // Redirected again: the clock of the next step runs on.
      newHandoffID = fact.newHandoffID ?? newHandoffID
      duplicateCount += 1
      return
    }
    state = next
    if before.isTerminal, !next.isTerminal {
      clear(.ended)
      endReason = nil
    }
    switch next {
    case .requested, .inTransit, .delivered, .received: break
    case .onHold:
      stateBeforeHold = before
      set(.held, fact)
    case .accepted, .booked, .started: accept(fact, policies.span[Int(fact.policy)].register)
    case .completed:
      set(.completed, fact)
      isFeedbackOwed = fact.isFeedbackOwed ?? isFeedbackOwed
      if !isFeedbackOwed { end(.closed, before: before, fact) }
    case .closed, .rejected, .redirected, .cancelled, .voided, .failed, .expired:
      end(next, before: before, fact)
    }
    if next == .inTransit, witness(of: .transportAccepted) == nil {
      rail = fact.rail
      set(.transportAccepted, fact)
    }
    if isDocument, isReceipt(next) { end(.closed, before: before, fact) }
  }

  /// What a summary or letter needs to be at its end.
  private func isReceipt(_ state: HandoffState) -> Bool {
    switch state {
    case .received, .accepted, .booked, .started, .completed: true
    default: false
    }
  }

  private mutating func accept(_ fact: Fact, _ register: OrganisationRegister?) {
    switch fact.type {
    case .notAttended:
      // The booking is used up; the clock of the start runs again from here.
      bookedFor = nil
      clear(.booked)
      set(.notAttended, fact)
    case .booked:
      bookedFor = fact.bookedFor
      set(.booked, fact)
    case .started: set(.started, fact)
    default: break
    }
    if witness(of: .accepted) == nil { set(.accepted, fact) }
    acceptedBy = acceptedBy ?? accepting(fact.spokenBy, register) ?? to
  }

  /// Who has the work when `speaker` takes it: an agent takes it for the party.
  private func accepting(
    _ speaker: OrganisationID?, _ register: OrganisationRegister?
  ) -> OrganisationID? {
    guard let speaker, let to, let register, !register.isOneLine(speaker, to),
      register.isAgent(speaker, of: to)
    else { return speaker }
    return to
  }

  private mutating func end(_ next: HandoffState, before: HandoffState, _ fact: Fact) {
    state = next
    stateBeforeEnd = before
    endReason = fact.reason
    isEndedByPlatform = fact.speaker == .platform
    if next == .redirected { newHandoffID = fact.newHandoffID ?? newHandoffID }
    isAmendmentSeen = true
    // Entered in error: nothing that was found about it matters any more.
    if next == .voided { findings = [] }
    set(.ended, fact)
  }

  private mutating func set(_ step: Mark.Step, _ fact: Fact) {
    clear(step)
    marks.append(Mark(step: step, witness: fact.witness))
  }

  private mutating func clear(_ step: Mark.Step) {
    // Looked for first: taking out of a list is slow even where there is nothing to take out.
    guard marks.contains(where: { $0.step == step }) else { return }
    marks.removeAll { $0.step == step }
  }
}

extension Code {
  static let wrongRole = Code(known: "wrong-role")
  static let noParty = Code(known: "no-party")
  static let hold = Code(known: "hold")
  static let feedback = Code(known: "feedback")
  static let outcome = Code(known: "outcome")
  static let withdrawn = Code(known: "withdrawn")
  static let redirected = Code(known: "redirected")
  static let deceased = Code(known: "deceased")
}

extension Elapsed {
  /// The sum; saturates.
  func adding(_ other: Elapsed) -> Elapsed {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(other.nanoseconds)
    return Elapsed(nanoseconds: overflow ? (other.nanoseconds < 0 ? .min : .max) : sum)
  }
}
