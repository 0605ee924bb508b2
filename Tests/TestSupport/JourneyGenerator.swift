public import HandoffCore

/// Journeys of invented people, as a topic would hold them: the same from the same seed everywhere.
///
/// Some requests are lost, some messages are sent twice or delivered twice by the bus, some answers
/// overtake what they answer, some are illegal, some ids are used twice, some requests are tried
/// again after the transport failed, some come again under another id; needs are referred twice,
/// passed on and passed back, people are discharged and some die. Every hash is a random number: there is nobody behind it.
public struct JourneyGenerator: Sendable {
  private var random: SeededGenerator
  private var personCount: UInt64 = 0

  /// The moment of the first journey: Monday 23 November 2026, 09:00.
  public static let start = Timestamp(milliseconds: 1_795_424_400_000)

  public init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// An event, and when the broker took it in.
  public struct Arrival: Sendable {
    public var event: HandoffEvent
    public var at: Timestamp

    public init(event: HandoffEvent, at: Timestamp) {
      self.event = event
      self.at = at
    }
  }

  /// About `count` records of one partition in offset order, with ticks in between.
  public mutating func records(count: Int) -> [EventRecord] {
    var arrivals: [Arrival] = []
    while arrivals.count < count { arrivals += journey() }
    arrivals = Array(arrivals.prefix(count))
    var records: [EventRecord] = []
    for arrival in arrivals.enumerated().sorted(by: {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }).map(\.element) {
      if chance(0.1), let last = records.last {
        let gap = arrival.at.since(last.brokerAt).nanoseconds
        let tick = last.brokerAt.advanced(by: Elapsed(nanoseconds: gap / 2))
        records.append(Self.record(.tick, at: tick, offset: records.count))
      }
      records.append(
        Self.record(.event(arrival.event), at: arrival.at, offset: records.count))
    }
    return records
  }

  /// The same without times of a broker: what a test publishes for a broker to stamp.
  public mutating func events(count: Int) -> [HandoffEvent] {
    records(count: count + count / 5).compactMap(\.content.event).prefix(count).map(\.self)
  }

  /// A record of the topic `handoff.events.v1`, partition 0; equal events have equal hashes.
  public static func record(
    _ content: EventRecord.Content, at time: Timestamp, offset: Int
  ) -> EventRecord {
    var seed: UInt64 = 0
    if let event = content.event {
      seed = UInt64(truncatingIfNeeded: event.id.rawValue ^ event.receptionID.rawValue << 1)
    }
    var bytes = SeededGenerator(seed: seed)
    guard
      let hash = RecordHash(bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &bytes) })
    else { preconditionFailure("32 bytes are a hash") }
    return EventRecord(
      content: content, brokerAt: Timestamp(milliseconds: time.milliseconds),
      coordinates: RecordCoordinates(
        topic: "handoff.events.v1", partition: 0, offset: Int64(offset)),
      hash: hash)
  }

  /// Everything about one person, in the order of arrival.
  public mutating func journey() -> [Arrival] {
    personCount += 1
    let key = patientKey()
    let begin = Self.start.advanced(by: .minutes(Int64.random(in: 0..<20_000, using: &random)))
    var arrivals: [Arrival] = []
    for _ in 0..<pick([1, 1, 1, 2, 3]) {
      arrivals += handoff(of: key, from: begin, after: arrivals)
    }
    if chance(0.15) { arrivals += stay(of: key, from: begin) }
    return arrivals.enumerated()
      .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
  }
}

// MARK: One handoff

extension JourneyGenerator {
  private struct Parties {
    var from: OrganisationID
    var to: OrganisationID
  }

  private mutating func handoff(
    of key: PatientKey, from begin: Timestamp, after earlier: [Arrival]
  ) -> [Arrival] {
    let id = HandoffID(rawValue: identity())
    let parties = pick(Self.parties)
    let kind = pick(Policy.default.kinds)
    let priority = pick(Self.priorities)
    let need = chance(0.5) ? earlier.first?.event.needKey ?? Token(rawValue: identity()) : nil
    var now = begin.advanced(by: .minutes(Int64.random(in: 0..<3000, using: &random)))
    var arrivals: [Arrival] = []
    var state: EventType? = .handoffRequested
    while let type = state {
      var event = self.event(type, of: key, id, parties, at: now)
      if type == .handoffRequested {
        (event.kind, event.priority, event.needKey) = (kind, priority, need)
        event.parentHandoffID = chance(0.2) ? earlier.first?.event.handoffID : nil
      }
      arrivals += deliver(event)
      if chance(0.03) {
        var resent = event
        resent.id = EventID(rawValue: identity())
        resent.receptionID = ReceptionID(rawValue: identity())
        resent.messageKey = Token(rawValue: identity())
        let gap = min(pick(Self.gaps), .hours(600))
        arrivals.append(Arrival(event: resent, at: event.occurredAt.advanced(by: gap)))
      }
      if chance(0.02) {
        var reused = self.event(type, of: key, id, parties, at: now)
        reused.messageKey = event.messageKey
        arrivals += deliver(reused)
      }
      now = now.advanced(by: pick(Self.gaps))
      state = following(type)
    }
    return arrivals
  }

  private mutating func event(
    _ type: EventType, of key: PatientKey, _ id: HandoffID, _ parties: Parties, at now: Timestamp
  ) -> HandoffEvent {
    var speaker = Self.speaker(of: type)
    if chance(0.01) { speaker = speaker == .sender ? .receiver : .sender }
    let names: [SpeakerRole: OrganisationID] = [.sender: parties.from, .receiver: parties.to]
    var event = HandoffEvent(
      id: EventID(rawValue: identity()), receptionID: ReceptionID(rawValue: identity()),
      type: type, patientKey: key, handoffID: id, contentMac: Token(rawValue: identity()),
      speaker: speaker, spokenBy: chance(0.02) ? Self.stranger : names[speaker],
      occurredAt: now.advanced(by: Elapsed(nanoseconds: Int64(pick([0, 0, 123_456])))),
      source: Self.source, rail: Self.rail)
    event.messageKey = Token(rawValue: identity())
    event.from = Party(organisation: parties.from)
    event.to = Party(organisation: parties.to)
    switch type {
    case .transportFailed: event.reason = pick([Self.timeout, Self.refused])
    case .booked: event.bookedFor = now.advanced(by: .hours(pick([1, 48, 400])))
    case .completed: event.isFeedbackOwed = pick([nil, true, false])
    case .recipientRefusedPatient: event.reason = pick(Self.refusals)
    case .redirected: event.newHandoffID = HandoffID(rawValue: identity())
    default: break
    }
    return event
  }

  /// A stay that ends, well or not.
  private mutating func stay(of key: PatientKey, from begin: Timestamp) -> [Arrival] {
    let parties = Parties(from: Self.parties[1].from, to: Self.parties[1].to)
    var types: [EventType] = [.readyForDischarge]
    if chance(0.3) { types += [.dischargeReadinessWithdrawn, .readyForDischarge] }
    types.append(.discharged)
    if chance(0.2) { types.append(.dischargeCancelled) }
    if chance(0.3) { types.append(.patientDied) }
    var now = begin.advanced(by: .minutes(Int64.random(in: 0..<3000, using: &random)))
    var arrivals: [Arrival] = []
    let pathway: UInt8? = pick([nil, 0, 1, 1, 2, 3])
    for type in types {
      var event = self.event(type, of: key, HandoffID(rawValue: 0), parties, at: now)
      (event.handoffID, event.dischargePathway) = (nil, pathway)
      (event.speaker, event.spokenBy) = (.sender, parties.from)
      arrivals += deliver(event)
      now = now.advanced(by: pick(Self.gaps))
    }
    return arrivals
  }

  /// Delays, repeats by the sender, and redeliveries by the bus; or nothing, when it is lost.
  private mutating func deliver(_ event: HandoffEvent) -> [Arrival] {
    guard !chance(0.03) else { return [] }
    let at = event.occurredAt.advanced(by: pick(Self.delays))
    var arrivals = [Arrival(event: event, at: at)]
    if chance(0.08) {
      var again = event
      let reception = identity()
      // Within the month for which messages are remembered.
      let gap = min(pick(Self.gaps), .hours(600))
      again.receptionID = Self.reception(reception, of: event, by: at.advanced(by: gap))
      arrivals.append(Arrival(event: again, at: at.advanced(by: gap)))
    }
    if chance(0.08), let last = arrivals.last {
      arrivals.append(Arrival(event: last.event, at: last.at.advanced(by: pick(Self.delays))))
    }
    return arrivals
  }

  /// Half of them a UUIDv7 of a moment between what happened and its arrival: when a connector took
  /// it in that could publish it only later.
  private static func reception(
    _ drawn: UInt128, of event: HandoffEvent, by arrival: Timestamp
  ) -> ReceptionID {
    guard drawn & 1 == 0 else { return ReceptionID(rawValue: drawn) }
    let way = arrival.milliseconds - event.occurredAt.milliseconds
    let moment = event.occurredAt.milliseconds + way * Int64(drawn >> 1 & 0xff) / 256
    let random = drawn & 0x0fff_3fff_ffff_ffff_ffff
    return ReceptionID(
      rawValue: UInt128(UInt64(moment)) << 80 | 7 << 76 | 0b10 << 62 | random)
  }

  /// What may come next; now and then something that may not.
  private mutating func following(_ type: EventType) -> EventType? {
    if chance(0.04) { return pick(Lifecycle.columns) }
    return pick(Self.next[type] ?? [nil])
  }
}

// MARK: Choices

extension JourneyGenerator {
  private static let next: [EventType: [EventType?]] = [
    .handoffRequested: [
      .transportAccepted, .transportAccepted, .delivered, .received, .accepted, .transportFailed,
      nil,
    ],
    .transportAccepted: [.delivered, .delivered, .received, nil],
    .transportFailed: [.transportAccepted, .received, .disposition, nil],
    .delivered: [.received, .received, .accepted, .rejected, .recipientRefusedPatient, nil],
    .received: [.accepted, .accepted, .accepted, .rejected, .infoRequested, .cancelled, nil],
    .infoRequested: [.handoffAmended, .accepted, .rejected, nil],
    .handoffAmended: [.received, .accepted, .booked, nil],
    .accepted: [.booked, .booked, .started, .started, .rejected, .handoffAmended, nil],
    .booked: [.started, .started, .notAttended, .booked, .cancelled, nil],
    .notAttended: [.booked, .started, nil],
    .started: [.completed, .completed, .completed, .interim, .couldNotComplete, nil],
    .interim: [.completed, nil],
    .completed: [.feedbackSent, .feedbackAcknowledged, nil],
    .feedbackSent: [.feedbackAcknowledged, .feedbackAcknowledged, nil],
    .rejected: [.redirected, .disposition, nil, nil],
    .couldNotComplete: [.disposition, nil],
    .expired: [.disposition, .received, nil],
  ]

  private static let gaps: [Elapsed] = [
    .seconds(2), .minutes(1), .minutes(5), .minutes(14), .hours(1), .hours(5), .hours(30),
    .hours(200), .hours(900),
  ]
  private static let delays: [Elapsed] = [
    .zero, .zero, .seconds(1), .seconds(40), .minutes(6), .minutes(20),
  ]
  private static let priorities: [Priority] = [.routine, .routine, .urgent]
  private static let parties: [Parties] = [
    Parties(from: organisation("K81001"), to: organisation("RTH")),
    Parties(from: organisation("RTH"), to: organisation("RNU")),
    Parties(from: organisation("RTH"), to: organisation("10B")),
  ]
  private static let stranger = organisation("RXQ")
  private static let source = code("generator")
  private static let rail = code("ndjson")
  private static let refusals = [
    code("itk3:30002"), code("itk3:30003"), code("itk3:30004"), code("itk3:20002"),
  ]
  private static let timeout = code("408")
  private static let refused = code("mesh:12")

  /// Who says an event where several may.
  public static func speaker(of type: EventType) -> SpeakerRole {
    for role in [SpeakerRole.sender, .receiver] where Lifecycle.may(role, say: type) {
      let isTransport = Lifecycle.may(.platform, say: type) && type != .feedbackAcknowledged
      return isTransport ? .platform : role
    }
    return .platform
  }

  public static func organisation(_ code: String) -> OrganisationID {
    guard let code = ODSCode(code) else { preconditionFailure("\(code) is no ODS code") }
    return .ods(code)
  }

  public static func code(_ text: String) -> Code {
    guard let code = Code(text) else { preconditionFailure("\(text) is no code") }
    return code
  }

  private mutating func chance(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &random) < probability
  }

  private mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  private mutating func identity() -> UInt128 {
    UInt128(random.next()) << 64 | UInt128(random.next())
  }

  private mutating func patientKey() -> PatientKey {
    let hash = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    guard let key = PatientKey(epoch: 1, hash: hash) else {
      preconditionFailure("32 bytes are a hash")
    }
    return key
  }
}
