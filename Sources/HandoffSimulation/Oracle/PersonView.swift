import HandoffCore

/// Everything that is known of one person at one moment.
struct PersonView {
  typealias Step = Recognition.Step

  let recognition: Recognition
  let at: Timestamp
  /// What was said of the person's stay, in the order in which it happened.
  let stay: [Step]
  private(set) var lives: [HandoffID: Life] = [:]

  init(_ recognition: Recognition, at: Timestamp) {
    self.recognition = recognition
    self.at = at
    stay = recognition.steps.filter { !OracleTable.isStep($0.event.type) }
      .sorted(by: Self.happenedBefore)
    let ofHandoffs = recognition.steps.filter {
      OracleTable.isStep($0.event.type) && $0.event.handoffID != nil
    }
    for (id, steps) in Dictionary(grouping: ofHandoffs, by: \.event.handoffID) {
      guard let id else { continue }
      var life = Life(id: id)
      let (settled, window) = Self.order(steps)
      for step in settled + window { life.take(step) }
      lives[id] = life
    }
  }

  /// The state of a handoff at a moment: what has settled when a step arrives counts, and of the rest
  /// what had happened by the moment.
  static func state(
    of handoff: HandoffID, _ recognition: Recognition, at step: Step, asOf moment: Timestamp
  ) -> HandoffState? {
    var (settled, window) = order(
      recognition.steps.filter {
        OracleTable.isStep($0.event.type) && $0.event.handoffID == handoff
      })
    let ready = window.prefix { step.at.since($0.at) > step.policy.windows.reorder }
    settled += ready
    window.removeFirst(ready.count)
    var life = Life(id: handoff)
    for step in settled + window.filter({ Self.moment($0) <= moment }) { life.take(step) }
    return life.state
  }

  /// In the order of what happened inside W_reorder, and of arrival beyond it (§8, Ends).
  private static func order(_ steps: [Step]) -> (settled: [Step], window: [Step]) {
    var settled: [Step] = []
    var window: [Step] = []
    var isRequested = false
    for step in steps {
      let limit = step.policy.windows.reorder
      // What stands behind something that may still be overtaken waits with it.
      let ready = window.prefix { step.at.since($0.at) > limit }
      settled += ready
      window.removeFirst(ready.count)
      if !isRequested, isRequest(step) {
        isRequested = true
        // What answered it before it came is put in order with it.
        window = waiting(settled, for: step) + window
        settled.removeAll(where: isLegal)
      }
      window.append(step)
      window.sort(by: happenedBefore)
    }
    return (settled, window)
  }

  private static func isRequest(_ step: Step) -> Bool {
    step.event.type == .handoffRequested && isLegal(step)
  }

  private static func isLegal(_ step: Step) -> Bool {
    OracleTable.may(step.event.speaker, say: step.event.type)
  }

  /// Of answers that nobody had asked for those that still wait; they are given up together.
  private static func waiting(_ answers: [Step], for request: Step) -> [Step] {
    var waiting: [Step] = []
    for step in answers.filter(isLegal).sorted(by: { $0.index < $1.index }) + [request] {
      if waiting.allSatisfy({ step.at.since($0.at) >= $0.policy.windows.illegal }) { waiting = [] }
      if step.index != request.index { waiting.append(step) }
    }
    return waiting
  }

  static func happenedBefore(_ left: Step, _ right: Step) -> Bool {
    (moment(left), OracleTable.rank(left.event.type), left.event.id)
      < (moment(right), OracleTable.rank(right.event.type), right.event.id)
  }

  /// A request that is tried again happens when it is tried.
  private static func moment(_ step: Step) -> Timestamp {
    step.triedAgain ?? step.event.occurredAt
  }

  /// The handoffs that were requested, by when that happened.
  var requested: [Life] {
    lives.values.filter { $0.request != nil }.sorted {
      guard let left = $0.request, let right = $1.request else { return false }
      return (left.event.occurredAt, $0.id) < (right.event.occurredAt, $1.id)
    }
  }

  func steps(of types: EventType...) -> [Step] {
    stay.filter { types.contains($0.event.type) }
  }

  // MARK: Death

  /// The death as it was said last: a date that is corrected counts as corrected.
  ///
  /// A receiver's 30004 is one too (A23), unless a death was taken back after it; a register's word
  /// comes first.
  private var death: Step? {
    let said = steps(of: .patientDied).max { $0.index < $1.index }
    if let said, said.event.reason?.description != "retracted" { return said }
    return recognition.steps
      .filter {
        $0.event.type == .recipientRefusedPatient && RefusalCode($0.event) == .deceased
          && $0.index > said?.index ?? -1
      }
      .min(by: Self.happenedBefore)
  }

  /// The end of the local day of death, as last said (A23).
  var deathDayEnd: (end: Timestamp, said: Step)? {
    guard let said = death else { return nil }
    let day = LondonTime(said.event.occurredAt).date
    return (LondonTime(date: day.advanced(byDays: 1)).timestamp, said)
  }

  /// Clocks of care stop at the death; what was due before it stands.
  func isStopped(_ due: Timestamp) -> Bool {
    death.map { due >= $0.event.occurredAt } ?? false
  }

  // MARK: The next step of what came to nothing

  /// What takes the place of a handoff that ended (A11, and §8, Rules).
  ///
  /// Of a redirection what it names, or what names it. Else what it names; a new one of its need or
  /// journey, or that names it; one that names it and is under way or done; of offers of one need one
  /// that is under way or done, or that came to nothing later and speaks for both.
  func nextStep(of life: Life) -> Bool {
    guard let end = life.end else { return false }
    return requested.contains { other in
      guard other.id != life.id, let request = other.request else { return false }
      if other.id == life.redirectedTo { return true }
      let isPart = other.content?.parentHandoffID == life.id
      if life.state == .redirected, life.redirectedTo != nil { return isPart }
      let isNew = request.event.occurredAt >= end.event.occurredAt
      let isAlive = other.state == .closed || other.state?.isTerminal == false
      if isPart { return isNew || isAlive }
      if isNew, let journey = life.content?.journeyID, journey == other.content?.journeyID {
        return true
      }
      guard let need = life.content?.needKey, need == other.content?.needKey else { return false }
      return isNew || isAlive || speaksForBoth(other, instead: life)
    }
  }

  private func speaksForBoth(_ other: Life, instead life: Life) -> Bool {
    guard let mine = life.end, let its = other.end,
      other.state != .cancelled, other.state != .voided
    else { return false }
    return (its.event.occurredAt, other.id) > (mine.event.occurredAt, life.id)
  }
}
