import HandoffCore
import TestSupport

/// A stage for one person: says events at so many minutes past nine on a Monday, keeps the verdicts.
struct Scene {
  /// Monday 23 November 2026, 09:00 in London, which is UTC then.
  static let nine = JourneyGenerator.start
  static let gp = JourneyGenerator.organisation("K81001")
  static let hospital = JourneyGenerator.organisation("RTH")
  static let stranger = JourneyGenerator.organisation("RXQ")
  static let handoff = HandoffID(rawValue: 7)
  static let key: PatientKey = {
    guard let key = PatientKey(epoch: 1, hash: Array(0..<32)) else {
      preconditionFailure("32 bytes are a hash")
    }
    return key
  }()

  var reducer: PersonReducer
  var verdicts: [Verdict] = []
  private var offset = 0
  private var receptions: UInt128 = 1000

  init(policy: Policy = .default) {
    reducer = PersonReducer(policy: policy, topic: "handoff.events.v1", partition: 0)
  }

  static func minutes(_ count: Int64) -> Timestamp { nine.advanced(by: .minutes(count)) }

  /// An event of the handoff, said by whom it is for to say, at the minute it happens.
  static func event(
    _ type: EventType, id: UInt128? = nil, handoff: HandoffID? = Scene.handoff,
    at minute: Int64 = 0
  ) -> HandoffEvent {
    let role = JourneyGenerator.speaker(of: type)
    let id = id ?? UInt128(type.rawValue.utf8.reduce(7) { ($0 &* 31) &+ UInt64($1) })
    var event = HandoffEvent(
      id: EventID(rawValue: id), receptionID: ReceptionID(rawValue: 0), type: type,
      patientKey: key, handoffID: handoff, contentMac: Token(rawValue: id),
      speaker: role, spokenBy: role == .sender ? gp : role == .receiver ? hospital : nil,
      occurredAt: minutes(minute), source: JourneyGenerator.code("test"),
      rail: JourneyGenerator.code("mllp"))
    event.from = Party(organisation: gp)
    event.to = Party(organisation: hospital)
    if type == .handoffRequested {
      event.kind = HandoffKind("gp-hospital")
      event.priority = .urgent
    }
    return event
  }

  /// Says an event that arrives at a minute, by default the one in which it happens.
  @discardableResult
  mutating func say(
    _ type: EventType, at minute: Int64, id: UInt128? = nil,
    handoff: HandoffID? = Scene.handoff, arriving: Int64? = nil,
    _ change: (inout HandoffEvent) -> Void = { _ in }
  ) -> [Verdict] {
    var event = Self.event(type, id: id, handoff: handoff, at: minute)
    receptions += 1
    event.receptionID = ReceptionID(rawValue: receptions)
    change(&event)
    return apply(.event(event), at: arriving ?? minute)
  }

  @discardableResult
  mutating func tick(at minute: Int64) -> [Verdict] { apply(.tick, at: minute) }

  @discardableResult
  mutating func apply(_ content: EventRecord.Content, at minute: Int64) -> [Verdict] {
    let record = JourneyGenerator.record(content, at: Self.minutes(minute), offset: offset)
    offset += 1
    let said = reducer.apply(record)
    verdicts += said
    return said
  }

  var state: HandoffState? { reducer.handoffState(Self.handoff, person: Self.key) }

  var facts: HandoffFacts? {
    reducer.person(for: Self.key)?.handoffs.first { $0.id == Self.handoff }?.current
  }

  var deadlines: [Deadline] { reducer.deadlines(of: Self.handoff, person: Self.key) }

  /// The rules of the alerts that stand open, in the order in which they were due.
  var open: [Rule] { LiveAlerts(verdicts).open.map(\.rule) }
}

extension [Verdict] {
  /// What was said, in short: `A07 opened`.
  var short: [String] { map { "\($0.rule.rawValue) \($0.action.rawValue)" } }
}

extension Timestamp {
  /// Minutes past nine of the scene.
  var minute: Int64 { since(Scene.nine).nanoseconds / 60_000_000_000 }
}
