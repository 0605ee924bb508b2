// A deadline that has passed hangs on a source, and then somebody else answers late: it is not judged
// with that answer, because what the source keeps may show that it was answered in time.

/// Whose word a moment is: of which handoff, and through which source.
struct Answerer {
  var handoffID: HandoffID?
  var source: Code
  var type: EventType

  /// Whether it answers a silence: the transport's acceptance and the sender's own words do not.
  fileprivate var isAnswer: Bool {
    switch type {
    case .handoffRequested, .handoffAmended, .transportAccepted, .transportFailed, .disposition:
      false
    default: true
    }
  }
}

extension Person {
  /// The source that may still say that the deadline of an alert was kept, though its condition is
  /// over; `nil` where it is to be judged now.
  ///
  /// A source hands over in the order in which it took in, so that who answers late through it has
  /// nothing earlier to come.
  func sourceStillToCome(_ alert: EmittedAlert, _ moment: Moment) -> Code? {
    guard !alert.isOpen, alert.hangsOn != nil, let steps = Mark.Step.answers(to: alert),
      let handoff = handoffs.first(where: { $0.id == alert.handoffID }),
      let completeness = moment.completeness, let request = handoff.current.witness(of: .requested)
    else { return nil }
    let isOfIt = moment.answerer.map { $0.handoffID == alert.handoffID && $0.isAnswer } ?? false
    let answer = isOfIt ? moment.answer : nil
    if let answer, answer.occurredAt < alert.opened { return nil }
    if answer == nil, lateAnswer(to: alert, steps, handoff) == nil { return nil }
    let deadline = Deadline(alert.rule, alert.cause, began: request, due: alert.opened)
    return completeness.hanging(
      on: deadline.answerers(handoff.current), upTo: alert.opened, moment.inForce,
      besides: answer == nil ? nil : moment.answerer?.source)?.source
  }

  /// When what an alert waits for was answered, where that was no sooner than its deadline.
  func lateAnswer(to alert: EmittedAlert) -> Timestamp? {
    guard let steps = Mark.Step.answers(to: alert),
      let handoff = handoffs.first(where: { $0.id == alert.handoffID })
    else { return nil }
    return lateAnswer(to: alert, steps, handoff)
  }

  private func lateAnswer(
    to alert: EmittedAlert, _ steps: Set<Mark.Step>, _ handoff: Handoff
  ) -> Timestamp? {
    let first = handoff.current.marks.filter { steps.contains($0.step) }
      .map(\.witness.occurredAt).min()
    return first.flatMap { $0 >= alert.opened ? $0 : nil }
  }
}

extension Mark.Step {
  /// What answers the silence that an alert is about; `nil` for rules that are not about silence.
  fileprivate static func answers(to alert: EmittedAlert) -> Set<Mark.Step>? {
    switch (alert.rule, alert.cause) {
    case (.a07, _): [.acknowledged, .accepted, .booked, .started, .completed, .ended]
    case (.a08, nil): [.accepted, .booked, .started, .completed, .held, .ended]
    case (.a09, _): [.started, .completed, .notAttended, .ended]
    case (.a10, nil): [.completed, .ended]
    default: nil
    }
  }
}
