internal import HandoffCore

/// An event, and when it arrives at the broker.
struct Arrival: Sendable {
  var event: HandoffEvent
  var at: Timestamp
  /// What becomes of its record on the bus, where that is not what should.
  var mishap: Mishap?
  /// The same message as an earlier arrival: of its sender, or only of the bus.
  var again: Again?
  /// Whether nothing of its handoff is said twice otherwise.
  var isAlone = true

  /// Whether its connector knows of it: what only befalls the bus it does not.
  var isOfConnector: Bool { mishap == nil && again != .bus }

  /// Who says something again.
  enum Again: Sendable {
    case sender, bus
  }

  /// What can happen to one record.
  enum Mishap: Sendable {
    /// Its value is cut short.
    case broken
    /// It lies in another partition than its key's.
    case misplaced
  }
}

/// Everything of one journey of one person, or of two who belong together.
struct Journey: Sendable {
  var arrivals: [Arrival] = []
  var truths: [Truth] = []
}

/// Which demand a journey is of, where and when it begins.
struct Occasion: Sendable {
  var demand: Demand
  var at: Timestamp
  /// Counts up over the whole simulation.
  var number: UInt64
}

/// Makes journeys: one for each occasion, from a generator of its own, so that the same occasion
/// gives the same journey whatever else happens.
struct JourneyWriter: Sendable {
  let region: Region
  let policy: Policy
  let plan: FaultPlan
  let names: Pseudonyms
  let seed: UInt64
  /// How many people there are; who is ill twice comes again after all the others.
  let population: UInt64
  var hearing = Hearing()
  var switches: PolicySwitches?

  func journey(of occasion: Occasion) -> Journey {
    var draft = JourneyDraft(writer: self, occasion: occasion)
    draft.write()
    return draft.journey
  }
}

/// A journey in the making.
struct JourneyDraft {
  let writer: JourneyWriter
  let occasion: Occasion
  var chance: Chance
  var journey = Journey()
  var place: Int
  var person: PatientKey
  private var handoffCount = 0
  private var messageCount = 0

  init(writer: JourneyWriter, occasion: Occasion) {
    self.writer = writer
    self.occasion = occasion
    chance = Chance(seed: writer.seed, 1, occasion.number)
    // As the people of the places: 0.56, 0.73 and 0.51 million.
    place = chance.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    let number = (occasion.number &* 7_919) % writer.population
    person = writer.names.patientKey(person: number)
  }

  var policy: Policy { writer.policy }
  var hearing: Hearing { writer.hearing }

  /// From what happens to its arrival at the broker, where nothing holds it up.
  static let lag = Elapsed(nanoseconds: 150_000_000)

  // MARK: Scripts

  /// A handoff as it should go, from the request at `time` to its end.
  mutating func script(
    at time: Timestamp, demand: Demand? = nil, to receiver: Service? = nil, from: Service? = nil,
    need: Code? = nil, parent: HandoffID? = nil, readyAt: Timestamp? = nil
  ) -> Script {
    let demand = demand ?? occasion.demand
    guard let kind = HandoffKind(demand.kind), let priority = Priority(demand.priority) else {
      preconditionFailure("demand names a kind and a priority")
    }
    handoffCount += 1
    let name = "\(occasion.number)-\(handoffCount)"
    let sender = from ?? writer.region.service(demand.from, in: place, &chance)
    var to = receiver ?? writer.region.service(demand.to, in: place, &chance)
    if to.organisation == sender.organisation {
      to = writer.region.other(than: sender, demand.to, &chance)
    }
    var script = Script(
      id: HandoffID(rawValue: writer.names.token("handoff", name).rawValue), name: name,
      person: person, kind: kind, priority: priority, from: sender, to: to,
      need: need ?? Self.needs[chance.below(Self.needs.count)], parent: parent,
      clocks: policy.clocks(kind: kind, priority: priority), readyAt: readyAt)
    let request = latest(time, script)
    script.steps = [step(.handoffRequested, .sender, script.from, at: request)]
    if let switches = writer.switches {
      let arrival = hearing.reach(script.steps[0], of: script)
      script.clocks = switches.policy(at: arrival).clocks(kind: kind, priority: priority)
    }
    transport(&script)
    if script.clocks.isDocument {
      receive(&script)
    } else {
      answer(&script)
      treat(&script)
    }
    return script
  }

  /// What is to be done on the same day is not asked for at ten at night.
  private func latest(_ time: Timestamp, _ script: Script) -> Timestamp {
    guard script.clocks.start == .sameDay else { return time }
    let hour = LondonTime(time).timeOfDay.nanoseconds / 3_600_000_000_000
    return hour >= 17 ? time.advanced(by: .hours(14)) : time
  }

  func step(
    _ type: EventType, _ speaker: SpeakerRole, _ by: Service?, at time: Timestamp,
    lag: Elapsed = JourneyDraft.lag
  ) -> Step {
    Step(type: type, speaker: speaker, by: by, at: time, lag: lag)
  }

  func due(_ length: ClockLength, _ start: Timestamp, _ script: Script) -> Timestamp {
    length.due(from: start, in: policy.calendar, for: script.to.organisation)
  }

  /// The acknowledgement of the transport, and of the receiver's system.
  private mutating func transport(_ script: inout Script) {
    let request = script.steps[0].at
    let acknowledged = due(script.clocks.acknowledge, request, script)
    let accepted = min(
      chance.moment(from: request, to: acknowledged, between: 0.05, and: 0.2),
      request.advanced(by: .minutes(5)))
    script.steps.append(step(.transportAccepted, .platform, nil, at: accepted))
    let half = chance.moment(
      from: accepted, to: due(script.clocks.accept, request, script), between: 0.4, and: 0.4)
    let slow = due(
      policy.railDelivery[script.from.rail] ?? script.clocks.acknowledge, accepted, script)
    let until = min(half, min(slow, accepted.advanced(by: .hours(2))))
    let delivered = chance.moment(from: accepted, to: until, between: 0.05, and: 0.7)
    script.steps.append(step(.delivered, .platform, nil, at: delivered))
  }

  private mutating func receive(_ script: inout Script) {
    let (request, last) = (script.steps[0].at, script.steps[2].at)
    let due = due(script.clocks.accept, request, script)
    let at = chance.moment(from: last, to: due, between: 0.05, and: 0.6)
    script.steps.append(step(.received, .receiver, script.to, at: at))
  }

  /// Received and accepted: most within the first half of what the clock allows.
  private mutating func answer(_ script: inout Script) {
    let (request, last) = (script.steps[0].at, script.steps[2].at)
    var until = due(script.clocks.accept, request, script)
    if let start = script.clocks.start {
      // In time to begin, where that counts from being ready.
      let isReady = script.clocks.startAnchor == .dischargeReady
      until = min(until, due(start, isReady ? script.readyAt ?? request : request, script))
    }
    let received = chance.moment(from: last, to: until, between: 0.02, and: 0.2)
    script.steps.append(step(.received, .receiver, script.to, at: received))
    let share = chance.unit() * chance.unit()
    let accepted = chance.moment(
      from: received, to: until, between: 0.05 + share * 0.6, and: 0.1 + share * 0.7)
    script.steps.append(step(.accepted, .receiver, script.to, at: accepted))
  }

  /// Booked where people wait for weeks, begun, ended, and the sender told of it.
  private mutating func treat(_ script: inout Script) {
    guard let accepted = script.step(.accepted)?.at else { return }
    let request = script.steps[0].at
    let anchor = script.clocks.startAnchor == .dischargeReady ? script.readyAt ?? request : request
    let limit = script.clocks.start ?? script.clocks.outcome ?? .days(14)
    let share = chance.unit() * chance.unit()
    let until = due(limit, anchor, script)
    let started = chance.moment(
      from: accepted, to: until, between: 0.05 + share * 0.5, and: 0.1 + share * 0.6)
    if started.since(accepted) > .hours(72) {
      var booked = step(
        .booked, .receiver, script.to,
        at: chance.moment(from: accepted, to: started, between: 0.02, and: 0.2))
      booked.bookedFor = started
      script.steps.append(booked)
    }
    script.steps.append(step(.started, .receiver, script.to, at: started))
    var end = min(due(script.clocks.complete, started, script), started.advanced(by: .hours(240)))
    if let outcome = script.clocks.outcome { end = min(end, due(outcome, request, script)) }
    let length = chance.unit() * chance.unit()
    let completed = chance.moment(
      from: started, to: end, between: 0.01 + length * 0.5, and: 0.02 + length * 0.7)
    script.steps.append(step(.completed, .receiver, script.to, at: completed))
    guard script.clocks.isFeedbackOwed else { return }
    let told = due(script.clocks.feedback, completed, script)
    let sent = chance.moment(from: completed, to: told, between: 0.05, and: 0.5)
    script.steps.append(step(.feedbackSent, .receiver, script.to, at: sent))
    let read = chance.moment(from: sent, to: told, between: 0.05, and: 0.6)
    script.steps.append(step(.feedbackAcknowledged, .sender, script.from, at: read))
  }

  // MARK: Events

  /// The name of a message that has not been used.
  mutating func message() -> String {
    messageCount += 1
    return "m\(occasion.number)-\(messageCount)"
  }

  /// The event of a step, as ingest would make it.
  mutating func event(_ step: Step, of script: Script) -> HandoffEvent {
    let message = step.message ?? message()
    let source = (step.by ?? script.from)
    var event = HandoffEvent(
      id: writer.names.eventID("\(message) \(script.name)", part: step.type.column),
      receptionID: Pseudonyms.receptionID(at: step.arrivesAt, &chance), type: step.type,
      patientKey: script.key(at: step.at), handoffID: script.id, contentMac: Token(rawValue: 0),
      speaker: step.speaker, spokenBy: step.by?.organisation, occurredAt: step.at,
      source: source.source, rail: source.rail)
    event.messageKey = writer.names.messageKey("\(message) \(step.type.rawValue)")
    event.recordedAt = step.recordedAt
    event.from = Party(organisation: script.from.organisation)
    event.to = Party(organisation: script.to.organisation)
    event.conversationID = writer.names.token("conversation", script.name)
    event.journeyID = script.journey
    event.reason = step.reason
    event.bookedFor = step.bookedFor
    event.newHandoffID = step.newHandoff
    if step.type == .completed { event.outcome = code("done") }
    if step.type == .handoffRequested || step.type == .handoffAmended {
      event.kind = script.kind
      event.priority = script.priority
      event.needCode = script.need
      event.needKey = writer.names.needKey(event.patientKey, script.need)
      event.parentHandoffID = script.parent
      event.cc = script.cc.map { Party(organisation: $0.organisation, role: code("shared-care")) }
      event.externalReferences = [
        ExternalReference(
          system: code("ServiceRequest.identifier"),
          token: writer.names.token("reference", script.name))
      ]
    }
    event.contentMac = writer.names.contentMac(event)
    return event
  }

  /// Puts what is told of a script on its way, with what is expected of its silences.
  @discardableResult
  mutating func send(
    _ script: Script, fault: Fault? = nil, nextStepAt: Timestamp? = nil
  ) -> [HandoffEvent] {
    var events: [HandoffEvent] = []
    for step in script.steps where !step.isLost {
      let event = event(step, of: script)
      events.append(event)
      journey.arrivals.append(
        Arrival(
          event: event, at: step.arrivesAt, mishap: step.mishap,
          again: step.isRetry ? .sender : nil))
    }
    let expected = Expectation(script, policy, hearing).silences(nextStepAt: nextStepAt)
    for silence in expected {
      expect(
        silence.rule, fault ?? .lateButLegal, script, happened: silence.due,
        knowable: silence.knowableAt, ofPerson: silence.rule == .a20)
    }
    // A fault that something else makes up for is to be told from one that was not drawn at all.
    let isTold = journey.truths.contains { $0.fault == fault && $0.rule != nil }
    if let fault, expected.isEmpty, !isTold { benign(fault, script) }
    return events
  }

  // MARK: Truth

  mutating func expect(
    _ rule: Rule, _ fault: Fault, _ script: Script, happened: Timestamp, knowable: Timestamp,
    ofPerson: Bool = false
  ) {
    journey.truths.append(
      Truth(
        fault: fault, rule: rule,
        subject: ofPerson ? .person(script.person) : .handoff(script.id, of: script.person),
        kind: script.kind, happenedAt: happened, knowableAt: knowable.roundedUp))
  }

  mutating func benign(_ fault: Fault, _ script: Script) {
    guard let first = script.steps.first else { return }
    journey.truths.append(
      Truth(
        fault: fault, rule: nil, subject: .handoff(script.id, of: script.person),
        kind: script.kind, happenedAt: first.at, knowableAt: first.arrivesAt))
  }

  /// What people need help with; codes of this simulation, not SNOMED's.
  private static let needs: [Code] = [
    "falls", "frailty", "wound", "copd", "heart-failure", "diabetes", "stroke", "dementia", "hip",
    "knee", "back", "shoulder", "skin", "breast", "colorectal", "lung", "prostate", "eye", "ear",
    "anxiety", "depression", "psychosis", "eating", "housing", "loneliness", "debt", "carer",
    "catheter", "infection", "medication", "equipment", "nutrition", "speech", "mobility", "pain",
  ].map { code("need:\($0)") }
}

extension Script {
  /// Under which key a step is told of.
  func key(at time: Timestamp) -> PatientKey {
    guard let moved, time > moved.at else { return person }
    return moved.to
  }
}

extension EventType {
  /// A number for the part of a message that an event is.
  fileprivate var column: Int { EventType.allCases.firstIndex(of: self) ?? 0 }
}
