// A deadline that has passed hangs on a source, and then somebody else answers late: it is not judged
// with that answer, because what the source keeps may show that it was answered in time.

/// Whose word a moment is: of which handoff, and through which source.
struct Answerer {
  var handoffID: HandoffID?
  var source: Code
  var type: EventType
}

extension Person {
  /// Whether an alert whose condition is over goes on waiting, because a source may still say that its
  /// deadline was kept; what ended it at this moment is noted.
  ///
  /// A source hands over in the order in which it took in, so that who answers late through it, or
  /// moves the deadline, has nothing earlier to come.
  mutating func goesOnWaiting(alertAt position: Int, _ moment: Moment) -> Bool {
    let alert = alerts[position]
    guard !alert.isOpen, alert.hangsOn != nil, let completeness = moment.completeness,
      let answers = EventType.answers(to: alert),
      let handoff = handoffs.first(where: { $0.id == alert.handoffID }),
      let request = handoff.current.witness(of: .requested)
    else { return false }
    var known: Code?
    if let answer = moment.answer, let answerer = moment.answerer,
      alert.answeredAt == nil
        || answerer.handoffID == alert.handoffID && answers.contains(answerer.type)
    {
      guard answer.occurredAt >= alert.opened else {
        alerts[position].answeredAt = nil
        return false
      }
      alerts[position].answeredAt.lower(to: min(answer.occurredAt, moment.now))
      known = answerer.source
    } else if alert.answeredAt == nil {
      return false
    }
    let deadline = Deadline(alert.rule, alert.cause, began: request, due: alert.opened)
    let hanging = completeness.hanging(
      on: deadline.answerers(handoff.current), upTo: alert.opened, moment.inForce,
      before: alert.hangsOn, besides: known)
    guard let hanging else { return false }
    alerts[position].hangsOn = hanging.source
    return true
  }
}

extension EventType {
  /// What answers the silence that an alert is about: the words that move its handoff on
  /// (domain.md §2.3); `nil` for rules whose answer is no step of the handoff itself.
  fileprivate static func answers(to alert: EmittedAlert) -> Set<EventType>? {
    switch (alert.rule, alert.cause) {
    case (.a07, _): deciding.union([.delivered, .received])
    case (.a08, nil): deciding
    case (.a08, .hold?):
      ending.union([
        .handoffRequested, .handoffAmended, .accepted, .rejected, .booked, .started,
      ])
    case (.a09, _):
      ending.union([
        .rejected, .booked, .notAttended, .started, .completed, .couldNotComplete,
      ])
    case (.a10, nil): [.completed, .couldNotComplete, .redirected, .voided, .expired]
    case (.a10, .outcome?):
      ending.union([.rejected, .recipientRefusedPatient, .completed, .couldNotComplete])
    case (.a10, .feedback?): [.feedbackAcknowledged, .voided]
    case (.a24, nil):
      deciding.union([
        .received, .notAttended, .interim, .completed, .couldNotComplete, .feedbackSent,
      ])
    default: nil
    }
  }

  /// What ends a handoff, whoever says it.
  private static let ending: Set<EventType> = [.redirected, .cancelled, .voided, .expired]
  /// What is said of a request by who decides on it, and what ends it.
  private static let deciding = ending.union([
    .accepted, .rejected, .infoRequested, .booked, .started, .recipientRefusedPatient,
  ])
}
