internal import HandoffCore

/// When the bus hears what happened: at once, or when the connector that kept it is back; and when
/// it can be told that something did not happen.
///
/// The truth of honest time (architecture.md, "The reconciler"), made of the calendar of the
/// connectors and of no reducer's state.
struct Hearing: Sendable {
  /// `nil` where connectors do not speak for themselves: then silence is judged when it is due.
  var calendar: SourceCalendar?

  /// When a step arrives at the broker.
  func reach(_ step: Step, of script: Script) -> Timestamp {
    reach(step.arrivesAt, by: step.by ?? script.from)
  }

  /// When a word arrives that the connector of `service` has taken in at `time`.
  func reach(_ time: Timestamp, by service: Service) -> Timestamp {
    calendar?.arrival(service.source, at: time) ?? time
  }

  /// Whether steps are heard in the order in which they happened: where one is kept by a connector
  /// and the next is not, nobody can tell that it was out of turn.
  func isInOrder(_ steps: [Step], of script: Script) -> Bool {
    zip(steps, steps.dropFirst()).allSatisfy {
      reach($0, of: script) < reach($1, of: script)
    }
  }

  /// When everybody who could have answered by `due` is known to have said all of it.
  func judged(_ due: Timestamp, by services: [Service]) -> Timestamp {
    guard let calendar else { return due }
    return services.map { calendar.completion($0.source, upTo: due) }.reduce(due, max)
  }

  /// A word that may answer: when it happened, and when it arrived.
  struct Answer: Sendable {
    var at: Timestamp
    var reachedAt: Timestamp
    /// Of whom; the platform speaks through the sender's connector.
    var service: Service
  }

  /// When it can be known that nothing answered by `due`; `nil` where something did.
  ///
  /// A clock that begins with a word which arrives after its end is judged with that word. What
  /// arrives late from a connector that was behind is judged by when it happened.
  func silence(
    due: Timestamp, from: Timestamp, until answers: [Answer], by services: [Service]
  ) -> Timestamp? {
    let first = answers.map(\.reachedAt).min() ?? .distantFuture
    let armed = max(due, from)
    guard armed <= first, from < first else { return nil }
    let judged = max(armed, judged(due, by: services))
    guard !answers.contains(where: { $0.at <= due && $0.reachedAt <= judged }) else { return nil }
    // A late answer shows it too, once nobody else may have answered before.
    guard let late = answers.min(by: { $0.reachedAt < $1.reachedAt }) else { return judged }
    let others = services.filter { $0.source != late.service.source }
    return min(judged, max(armed, late.reachedAt, self.judged(due, by: others)))
  }
}
