/// The moment at which a person is judged, and what the verdicts of that moment share.
struct Moment {
  var now: Timestamp
  /// The offset read up to.
  var readUpTo: Int64
  var topic: String
  var partition: Int32
  /// By the ordinal of their activation.
  var policies: [Policy]
  /// Which of them is in force.
  var ordinal: Int
  /// What is known of the sources; `nil` where nothing is.
  var completeness: Completeness?
  /// The record being applied, if the moment is one: the answer that resolves.
  var answer: Witness?
  /// Whose word that is.
  var answerer: Answerer?
  /// The transfer being taken in, while it is said that both keys had something open.
  var arriving: EventID?

  /// The policy in force; lent, because a copy of it costs as much as judging a handoff.
  var inForce: Policy {
    // Through the span: an array gives a copy.
    _read { yield policies.span[ordinal] }
  }
}

/// A rule that speaks of something at a moment.
struct Condition {
  var rule: Rule
  var cause: Code?
  var handoffID: HandoffID?
  var subject: Token?
  var beganWith: EventID
  var opened: Timestamp
  var count: UInt32
  var witnesses: [Witness]
  /// What it waits for, where it is not to be judged yet.
  var hanging: Hanging?

  func isSaid(by alert: EmittedAlert) -> Bool {
    rule == alert.rule && beganWith == alert.beganWith && handoffID == alert.handoffID
      && cause == alert.cause && subject == alert.subject
  }
}

extension Condition {
  init(
    _ rule: Rule, _ cause: Code? = nil, of handoffID: HandoffID? = nil, began: Witness,
    opened: Timestamp, count: UInt32 = 1, witnesses: [Witness]
  ) {
    self.init(
      rule: rule, cause: cause, handoffID: handoffID, subject: nil, beganWith: began.eventID,
      opened: opened, count: count, witnesses: witnesses)
  }
}

extension Condition {
  /// Finds out whether a source that could carry the answer is behind.
  mutating func wait(
    for organisations: [OrganisationID?], _ alerts: [EmittedAlert], _ moment: Moment,
    _ next: inout Timestamp?
  ) {
    guard let completeness = moment.completeness else { return }
    hanging = completeness.hanging(
      on: organisations, upTo: opened, moment.inForce, before: alerts.first(where: isSaid)?.hangsOn)
    if let hanging, hanging.until > moment.now { next.lower(to: hanging.until) }
  }
}

extension Person {
  /// Compares what is so at this moment with what was said before, says the difference, and
  /// returns when something may next be different.
  ///
  /// Alerts are a function of the facts and the moment: nothing is opened or resolved anywhere
  /// else, and so an event that is put in order later takes back what it refutes.
  mutating func evaluate(
    _ moment: Moment, books: inout Books, into verdicts: inout [Verdict]
  ) -> Timestamp? {
    settle(at: moment, books: &books)
    var next: Timestamp?
    var open: [Condition] = []
    for index in handoffs.indices {
      judge(handoffAt: index, moment, &open, &next)
    }
    let windows = moment.inForce.windows
    for repetition in repetitions {
      let end = repetition.end(windows)
      if end > moment.now {
        open.append(Condition(repetition))
        next.lower(to: end)
      }
      let memory = repetition.lastAt.advanced(by: windows.memory)
      if memory > moment.now { next.lower(to: memory) }
    }
    judgeMerges(moment, &open)
    judgePairs(moment, &open, &next)
    judgeBounces(moment, &open)
    judgeDischarge(moment, &open, &next)
    judgeReadiness(moment, &open, &next)
    judgeDeath(moment, &open)
    for mark in stay {
      let end = mark.forgetting(windows)
      if end > moment.now { next.lower(to: end) }
    }
    if !open.isEmpty || !alerts.isEmpty { say(&open, moment, into: &verdicts) }
    forget(at: moment, books: &books, into: &verdicts)
    if handoffs.isEmpty, let last = seen.last {
      next.lower(to: last.arrivedAt.advanced(by: windows.memory))
    }
    return next
  }

  /// Whether nothing is left to remember.
  var isEmpty: Bool {
    handoffs.isEmpty && seen.isEmpty && repetitions.isEmpty && links.isEmpty && stay.isEmpty
  }

  /// A16: two records of a person were merged while something was open under both.
  ///
  /// One key holds all of it by now, so it stands only as long as a need is doubled.
  private func judgeMerges(_ moment: Moment, _ open: inout [Condition]) {
    for link in links where link.isMerge && link.hadOpenOnBoth {
      guard link.transferID == moment.arriving || hasDoubledNeed else { continue }
      open.append(
        Condition(
          .a16, began: link.cause, opened: link.cause.arrivedAt, witnesses: [link.cause]))
    }
  }

  func clockContext(at index: Int, in policies: [Policy]) -> ClockContext {
    ClockContext(
      policies: policies, ordinal: Int(handoffs[index].current.policy),
      dischargeReadyAt: dischargeReadyAt, hasNextStep: hasNextStep(at: index))
  }

  private func judge(
    handoffAt index: Int, _ moment: Moment, _ open: inout [Condition], _ next: inout Timestamp?
  ) {
    let context = clockContext(at: index, in: moment.policies)
    let now = moment.now
    // A list and no closure: one that looks at a person takes a copy of all of it along.
    for deadline in handoffs.span[index].current.deadlines(context) {
      if isStopped(deadline) { continue }
      if let said = saidOrphan(deadline, of: handoffs[index].id) {
        open.append(
          Condition(
            rule: .a13, cause: nil, handoffID: handoffs[index].id, subject: nil,
            beganWith: said.beganWith, opened: said.opened, count: said.count,
            witnesses: [deadline.began]))
        continue
      }
      guard deadline.due <= now else {
        next.lower(to: deadline.due)
        continue
      }
      let request = handoffs[index].current.witness(of: .requested)
      var condition = Condition(
        deadline.rule, deadline.cause, of: handoffs[index].id, began: deadline.began,
        opened: deadline.due, witnesses: [request, deadline.began].compactMap(\.self))
      if moment.completeness != nil {
        condition.wait(for: deadline.answerers(handoffs[index].current), alerts, moment, &next)
      }
      open.append(condition)
    }
    for fact in handoffs[index].current.pending {
      let lapse = fact.witness.arrivedAt.advanced(by: context.policy.windows.illegal)
      if lapse > now { next.lower(to: lapse) }
    }
    if mayBeOver(index), let end = handoffs[index].forgetting(context.policy), end > now {
      next.lower(to: end)
    }
    if handoffs[index].current.state.isTerminal,
      let last = handoffs[index].window.map(\.witness.arrivedAt).max()
    {
      // Then it shrinks: strictly after the window, which is inclusive.
      let reorder = context.policy.windows.reorder.adding(Elapsed(nanoseconds: 1))
      next.lower(to: last.advanced(by: reorder))
    }
  }
}

extension Person {
  /// The alert that stands for answers to an unknown request (A13): once, however many there are,
  /// and whichever of them are forgotten meanwhile.
  private func saidOrphan(_ deadline: Deadline, of id: HandoffID) -> EmittedAlert? {
    guard deadline.rule == .a13 else { return nil }
    return alerts.first { $0.isOpen && $0.rule == .a13 && $0.handoffID == id }
  }
}

// MARK: Forgetting

extension Person {
  private mutating func settle(at moment: Moment, books: inout Books) {
    forgetSeen(at: moment.now, moment.inForce.windows)
    forgetStay(at: moment.now, moment.inForce.windows)
    for index in handoffs.indices {
      let windows = moment.policies[Int(handoffs[index].current.policy)].windows
      handoffs[index].settle(at: moment.now, windows, in: moment.policies)
      books.lapsedCount += UInt64(handoffs[index].dropLapsed(at: moment.now, windows))
    }
  }

  /// Forgets what is over for long enough; its alerts are left as they were said last, for people.
  ///
  /// An answer that was late is late now, though a source that was waited for never spoke again; what
  /// nobody answered stays undetermined.
  private mutating func forget(
    at moment: Moment, books: inout Books, into verdicts: inout [Verdict]
  ) {
    let windows = moment.inForce.windows
    for index in indicesOver(at: moment).reversed() {
      let id = handoffs[index].id
      if handoffs[index].current.isRequested { books.forgotten += 1 }
      for position in alerts.indices
      where alerts[position].handoffID == id && alerts[position].hangsOn != nil {
        guard let answeredAt = alerts[position].answeredAt else { continue }
        end(alertAt: position, at: answeredAt, moment, into: &verdicts)
      }
      handoffs.remove(at: index)
      alerts.removeAll { $0.handoffID == id && $0.subject == nil }
    }
    if handoffs.isEmpty { forgetStay(at: moment.now, windows) }
    guard !repetitions.isEmpty else { return }
    repetitions.removeAll { $0.lastAt.advanced(by: windows.memory) <= moment.now }
    alerts.removeAll { alert in
      guard let subject = alert.subject else { return false }
      return !repetitions.contains { $0.rule == alert.rule && $0.subject == subject }
    }
  }
}

extension Person {
  /// Whether a handoff can have an end at all, after which it is forgotten: most have none yet.
  private func mayBeOver(_ index: Int) -> Bool {
    let state = handoffs[index].current.state
    return state.isTerminal || state == .completed || !handoffs[index].current.isRequested
  }

  /// The handoffs to forget: over, and so is everything that they are linked with.
  ///
  /// One of them may be the next step of another, whose A11 must not open because it is forgotten.
  private func indicesOver(at moment: Moment) -> [Int] {
    var isOver: [Bool] = []
    for index in handoffs.indices {
      let isOne =
        mayBeOver(index)
        && handoffs[index].isOver(
          at: moment.now, moment.policies[Int(handoffs[index].current.policy)])
        && !isHeldByStay(handoffs[index], moment.inForce.register)
      guard isOne || !isOver.isEmpty else { continue }
      // Nearly always none is: the list is made for the first.
      if isOver.isEmpty { isOver = Array(repeating: false, count: index) }
      isOver.append(isOne)
    }
    guard !isOver.isEmpty else { return [] }
    var isStable = false
    while !isStable {
      isStable = true
      for index in handoffs.indices where isOver[index] {
        let isHeld = handoffs.indices.contains { other in
          !isOver[other] && handoffs[other].isLinked(with: handoffs[index])
        }
        guard isHeld else { continue }
        isOver[index] = false
        isStable = false
      }
    }
    return handoffs.indices.filter { isOver[$0] }
  }
}

extension Handoff {
  /// When an ended handoff may be forgotten, so that memory is bounded.
  ///
  /// Not while illegal events wait: they lapse first, and resolve what was said of them.
  fileprivate func forgetting(_ policy: Policy) -> Timestamp? {
    guard current.pending.isEmpty else { return nil }
    guard current.isRequested else {
      // Never more than words out of turn about something that nobody requested.
      let last = current.findings.map(\.witness.arrivedAt).max()
      return (last ?? .distantPast).advanced(by: policy.windows.ended)
    }
    if let lapse = current.lapse(in: policy), let completed = current.witness(of: .completed) {
      return max(lapse, completed.arrivedAt).advanced(by: policy.windows.ended)
    }
    guard current.state.isTerminal, let ended = current.witness(of: .ended) else { return nil }
    return ended.arrivedAt.advanced(by: policy.windows.ended)
  }

  fileprivate func isOver(at now: Timestamp, _ policy: Policy) -> Bool {
    forgetting(policy).map { $0 <= now } ?? false
  }
}

// MARK: Saying

extension Person {
  private mutating func say(
    _ open: inout [Condition], _ moment: Moment, into verdicts: inout [Verdict]
  ) {
    for position in alerts.indices where alerts[position].isOpen || alerts[position].hangsOn != nil
    {
      guard !open.contains(where: { $0.isSaid(by: alerts[position]) }) else { continue }
      if goesOnWaiting(alertAt: position, moment) { continue }
      let answered =
        alerts[position].answeredAt ?? moment.answer.map { min($0.occurredAt, moment.now) }
      end(alertAt: position, at: answered, moment, into: &verdicts)
    }
    if open.count > 1 { open.sort { $0.opened < $1.opened } }
    for condition in open { say(condition, moment, into: &verdicts) }
  }

  /// Ends what is no longer so; an answer to what was not judged yet is judged by when it happened.
  private mutating func end(
    alertAt position: Int, at answer: Timestamp?, _ moment: Moment, into verdicts: inout [Verdict]
  ) {
    let wasOpen = alerts[position].isOpen
    let wasSaid = wasOpen || alerts[position].isUndetermined
    let opened = alerts[position].opened
    let answered = wasOpen ? nil : answer
    alerts[position].isOpen = false
    alerts[position].hangsOn = nil
    alerts[position].isUndetermined = false
    alerts[position].answeredAt = nil
    // At the very deadline too, with a lateness of 0 (domain.md §8).
    if let answered, answered >= opened {
      alerts[position].revision += 1
      verdicts.append(verdict(.opened, alerts[position], nil, moment))
    } else if !wasSaid {
      return
    }
    alerts[position].revision += 1
    var verdict = verdict(.resolved, alerts[position], nil, moment)
    if let answered { verdict.resolvedAt = max(answered, opened) }
    verdicts.append(verdict)
  }

  private mutating func say(
    _ condition: Condition, _ moment: Moment, into verdicts: inout [Verdict]
  ) {
    let known = alerts.firstIndex(where: condition.isSaid)
    if let hanging = condition.hanging, known.map({ !alerts[$0].isOpen }) ?? true {
      return wait(condition, hanging, known, moment, into: &verdicts)
    }
    let position = known ?? remember(condition)
    let said = alerts[position]
    guard
      !said.isOpen || said.opened != condition.opened || said.count != condition.count
    else { return }
    alerts[position].isOpen = true
    alerts[position].hangsOn = nil
    alerts[position].isUndetermined = false
    alerts[position].answeredAt = nil
    alerts[position].opened = condition.opened
    alerts[position].count = condition.count
    alerts[position].revision += 1
    let action: Verdict.Action = said.isOpen ? .changed : .opened
    verdicts.append(verdict(action, alerts[position], condition, moment))
  }

  /// Keeps what a source that is behind may still answer; says so once it has had its time.
  private mutating func wait(
    _ condition: Condition, _ hanging: Hanging, _ known: Int?, _ moment: Moment,
    into verdicts: inout [Verdict]
  ) {
    let position = known ?? remember(condition)
    let isNew = alerts[position].hangsOn == nil || alerts[position].opened != condition.opened
    alerts[position].hangsOn = hanging.source
    alerts[position].opened = condition.opened
    alerts[position].answeredAt = nil
    if isNew { alerts[position].isUndetermined = false }
    guard hanging.until <= moment.now, !alerts[position].isUndetermined else { return }
    alerts[position].isUndetermined = true
    alerts[position].revision += 1
    verdicts.append(verdict(.undetermined, alerts[position], condition, moment))
  }

  private mutating func remember(_ condition: Condition) -> Int {
    alerts.append(
      EmittedAlert(
        id: AlertID(condition.rule, of: key, condition), rule: condition.rule,
        handoffID: condition.handoffID, beganWith: condition.beganWith,
        subject: condition.subject, cause: condition.cause, revision: 0, isOpen: false,
        opened: condition.opened, count: condition.count))
    return alerts.endIndex - 1
  }

  private func verdict(
    _ action: Verdict.Action, _ alert: EmittedAlert, _ condition: Condition?, _ moment: Moment
  ) -> Verdict {
    let handoff = handoffs.first { $0.id == alert.handoffID }
    var witnesses = condition?.witnesses ?? witnesses(of: alert, handoff)
    if action == .resolved, let answer = moment.answer { witnesses.append(answer) }
    let policy =
      handoff.map { moment.policies[Int($0.current.policy)] }
      ?? mark(of: alert).map(moment.policy(of:)) ?? moment.inForce
    var verdict = Verdict(
      alertID: alert.id, revision: alert.revision, rule: alert.rule, action: action,
      severity: alert.rule.severity(cause: alert.cause),
      subject: Verdict.Subject(key, handoffID: alert.handoffID),
      beganWith: alert.beganWith, opened: alert.opened, knownAt: moment.now,
      evidence: moment.evidence(witnesses), rulesVersion: PersonReducer.rulesVersion,
      policyHash: policy.hash, readUpTo: moment.readUpTo, count: alert.count)
    verdict.profile = policy.profile
    verdict.cause = alert.cause
    verdict.hangsOn = alert.hangsOn
    if action == .resolved { verdict.resolvedAt = moment.now }
    if let handoff {
      verdict.state = handoff.state(at: moment.now, in: policy)
      verdict.from = handoff.current.from
      verdict.to = handoff.current.to
      verdict.kind = handoff.current.kind
      verdict.priority = handoff.current.priority
      verdict.nameRegister(moment.inForce.register)
    }
    return verdict
  }

  /// What an alert about a stay began with (A20, A21), as far as it is still known.
  private func mark(of alert: EmittedAlert) -> StayMark? {
    guard alert.rule == .a20 || alert.rule == .a21 else { return nil }
    return stay.first { $0.witness.eventID == alert.beganWith }
  }

  /// What a resolved alert rested on, as far as it is still known.
  private func witnesses(of alert: EmittedAlert, _ handoff: Handoff?) -> [Witness] {
    if let subject = alert.subject {
      let repetition = repetitions.first { $0.rule == alert.rule && $0.subject == subject }
      return repetition.map { [$0.first, $0.latest] } ?? []
    }
    let marks = handoff?.current.marks ?? []
    let causes = (links.map(\.cause) + stay.map(\.witness)).filter { $0.eventID == alert.beganWith }
    return causes
      + marks.filter { $0.step == .requested || $0.witness.eventID == alert.beganWith }
      .map(\.witness)
  }
}

extension Handoff {
  /// The state that people see: Completed closes when feedback is owed for twice its time.
  public func state(at now: Timestamp, in policy: Policy) -> HandoffState {
    guard let lapse = current.lapse(in: policy), lapse <= now else { return current.state }
    return .closed
  }
}

extension Condition {
  fileprivate init(_ repetition: Repetition) {
    self.init(
      rule: repetition.rule, cause: repetition.cause, handoffID: repetition.handoffID,
      subject: repetition.subject, beganWith: repetition.beganWith, opened: repetition.opened,
      count: repetition.count, witnesses: [repetition.first, repetition.latest])
  }
}

extension AlertID {
  fileprivate init(_ rule: Rule, of person: PatientKey, _ condition: Condition) {
    // Of A03 the message is the subject, whichever handoff its contents belong to.
    let handoffID = rule == .a03 ? nil : condition.handoffID
    // Of A16 the first use is: after a month of quiet the same source may begin again.
    let episode = rule == .a16 ? nil : condition.subject
    self.init(
      rule: rule, person: person, handoffID: handoffID,
      episode: episode ?? Token(rawValue: condition.beganWith.rawValue),
      cause: condition.cause)
  }
}

extension Moment {
  /// Each record once, in the order given.
  fileprivate func evidence(_ witnesses: [Witness]) -> [Evidence] {
    var evidence: [Evidence] = []
    for witness in witnesses {
      let hash = RecordHash(prefix: witness.hash)
      if evidence.contains(where: { $0.hash == hash }) { continue }
      let coordinates = RecordCoordinates(
        topic: topic, partition: witness.partition ?? partition, offset: witness.offset)
      evidence.append(
        Evidence(eventID: witness.eventID, hash: hash, coordinates: coordinates))
    }
    return evidence
  }
}

extension Timestamp? {
  /// Keeps the earlier.
  mutating func lower(to moment: Timestamp) {
    self = self.map { Swift.min($0, moment) } ?? moment
  }
}
