internal import HandoffCore

/// One step of a handoff as it happens, and what becomes of the word of it on its way to the bus.
struct Step: Sendable {
  var type: EventType
  var speaker: SpeakerRole
  /// The service that says it; `nil` for the platform.
  var by: Service?
  var at: Timestamp
  /// From the step to its arrival at the broker.
  var lag: Elapsed
  var isLost = false
  var reason: Code?
  var bookedFor: Timestamp?
  var newHandoff: HandoffID?
  /// Names the message where several steps share one; a name of its own otherwise.
  var message: String?
  /// The same message again, as a retry of the sender.
  var isRetry = false
  /// By the table of states it changes nothing: evidence of a fault, and no answer.
  var isVoid = false
  var mishap: Arrival.Mishap?

  var arrivesAt: Timestamp { at.advanced(by: lag).roundedUp }

  /// When its message was made: what is late was held up before that, but for a retry, which is the
  /// same message.
  var recordedAt: Timestamp {
    guard !isRetry, lag > JourneyDraft.lag else { return at }
    return at.advanced(by: Elapsed(nanoseconds: lag.nanoseconds - JourneyDraft.lag.nanoseconds))
  }
}

/// One handoff as it happens: who, what, and its steps in order.
struct Script: Sendable {
  var id: HandoffID
  /// Names it in message ids.
  var name: String
  var person: PatientKey
  var kind: HandoffKind
  var priority: Priority
  var from: Service
  var to: Service
  var need: Code
  var parent: HandoffID?
  var journey: Token?
  var cc: [Service] = []
  var clocks: Clocks
  /// Discharge Ready Date, where T_start runs from it.
  var readyAt: Timestamp?
  /// The person leaves hospital for it, with help arranged that must have begun by `due`.
  var leaving: (at: Timestamp, due: Timestamp)?
  /// The person's death: clinical clocks end there.
  var diedAt: Timestamp?
  /// From when on it is told of under the key that the person was merged into.
  var moved: (at: Timestamp, to: PatientKey)?
  var steps: [Step] = []

  /// Of the first step of a type.
  func index(of type: EventType) -> Int? { steps.firstIndex { $0.type == type } }
  func step(_ type: EventType) -> Step? { steps.first { $0.type == type } }

  /// Nothing of these types, or after the first of them, happens.
  mutating func cut(from type: EventType) {
    if let index = index(of: type) { steps.removeSubrange(index...) }
  }

  /// Ends with `step`: nothing after it happens.
  mutating func end(with step: Step) {
    steps.removeAll { $0.at >= step.at }
    steps.append(step)
  }

  /// Moves a step and all that follow it to a later time.
  mutating func delay(from type: EventType, to time: Timestamp) {
    guard let index = index(of: type) else { return }
    let by = time.since(steps[index].at)
    for position in index..<steps.count {
      steps[position].at = steps[position].at.advanced(by: by)
      steps[position].bookedFor = steps[position].bookedFor?.advanced(by: by)
    }
  }

  /// Puts a step where it belongs by its time.
  mutating func insert(_ step: Step) {
    let index = steps.firstIndex { $0.at > step.at } ?? steps.count
    steps.insert(step, at: index)
  }
}

extension Timestamp {
  /// Brokers keep milliseconds.
  var roundedUp: Timestamp {
    let down = Timestamp(milliseconds: milliseconds)
    return down == self ? self : Timestamp(milliseconds: milliseconds + 1)
  }
}
