package import HandoffCore

/// A record of the sources topic, and when it arrives.
package struct SourceArrival: Sendable {
  package var statement: SourceRecord
  package var at: Timestamp
}

/// What connectors say of themselves: heartbeats, and a reception for each message.
struct SourceFeed: Sendable {
  /// One connector.
  private struct Connector: Sendable {
    var nextBeat: Timestamp
    var heardAt: Timestamp
    var sequence: UInt64 = 0
    var frames: UInt64 = 0
    var refusals: UInt64 = 0
    /// Frames that it counts and nobody has seen.
    var unseen: UInt64 = 0
    /// Held back, so that the next number overtakes it.
    var held: SourceReception?
    /// The latest message key and the person it was about.
    var latest: (key: Token, of: PatientKey)?
    /// The days whose fault has happened.
    var done: Set<Timestamp> = []
  }

  let calendar: SourceCalendar
  let names: Pseudonyms
  private var connectors: [Code: Connector]
  private(set) var arrivals: [SourceArrival] = []
  private(set) var truths: [Truth] = []

  init(_ calendar: SourceCalendar, _ names: Pseudonyms) {
    (self.calendar, self.names) = (calendar, names)
    connectors = Dictionary(
      uniqueKeysWithValues: calendar.sources.map {
        ($0, Connector(nextBeat: calendar.start, heardAt: calendar.start))
      })
  }

  mutating func take() -> (arrivals: [SourceArrival], truths: [Truth]) {
    defer { (arrivals, truths) = ([], []) }
    return (arrivals, truths)
  }

  // MARK: Heartbeats

  /// Says everything that connectors say by themselves up to `time`.
  mutating func advance(to time: Timestamp) {
    while true {
      var first: (at: Timestamp, source: Code)?
      for source in calendar.sources {
        guard let at = connectors[source]?.nextBeat, at <= time else { continue }
        if first.map({ at < $0.at }) ?? true { first = (at, source) }
      }
      guard let first else { return }
      beat(first.source, at: first.at)
    }
  }

  private mutating func beat(_ source: Code, at time: Timestamp) {
    guard var connector = connectors[source] else { return }
    defer { connectors[source] = connector }
    connector.nextBeat = time.advanced(by: calendar.interval)
    let day = calendar.day(source, at: time)
    var complete = time
    if let day, day.isSpooled, day.from <= time, time < day.to.advanced(by: Self.release) {
      begin(day, &connector, source, at: time)
      guard day.fault == .sourceBehind else {
        // Not a word until it is back, and has handed over what it kept.
        connector.nextBeat = day.to.advanced(by: Self.release)
        return
      }
      complete = day.from
    }
    if let held = connector.held { release(held, at: time, &connector) }
    connector.heardAt = time
    say(
      .heartbeat(
        SourceHeartbeat(
          source: source, at: time, completeUpTo: complete,
          lastSequence: connector.sequence == 0 ? nil : connector.sequence,
          framesTotal: connector.frames + connector.unseen, eventsTotal: connector.frames,
          refusalsTotal: connector.refusals)), at: time)
    if let day, day.from <= time { happen(day, &connector, source, at: time) }
  }

  /// A silence, or a backlog, that lasts three intervals is one alert.
  private mutating func begin(
    _ day: SourceDay, _ connector: inout Connector, _ source: Code, at time: Timestamp
  ) {
    guard connector.done.insert(day.from).inserted else { return }
    let length = Elapsed(nanoseconds: calendar.interval.nanoseconds * 3)
    guard day.fault == .sourceBehind else {
      let due = connector.heardAt.advanced(by: length)
      return tell(day.fault, due <= day.to ? .a18 : nil, source, happened: day.from, knowable: due)
    }
    // Told by its own heartbeats: the first of them after the deadline.
    var known = time
    while known < day.from.advanced(by: length) { known = known.advanced(by: calendar.interval) }
    let isKnown = known < day.to.advanced(by: Self.release)
    tell(day.fault, isKnown ? .a18 : nil, source, happened: day.from, knowable: known)
  }

  /// How long what was kept takes to be handed over.
  private static let release = Elapsed.minutes(1)

  // MARK: Receptions

  /// A message of an event was taken in at `taken`, and arrives at `time`.
  mutating func receive(_ arrival: Arrival, at time: Timestamp) {
    let (event, taken) = (arrival.event, arrival.at)
    let source = event.source
    guard var connector = connectors[source] else { return }
    defer { connectors[source] = connector }
    let day = calendar.day(source, at: taken)
    connector.frames += 1
    // Who sends again sends the number again: it is not known here, and counts no further.
    if arrival.again == nil { connector.sequence += 1 }
    connector.heardAt = max(connector.heardAt, time)
    var reception = SourceReception(
      source: source, receptionID: event.receptionID, messageKey: event.messageKey,
      contentMac: event.contentMac,
      sequence: arrival.again == nil ? connector.sequence : nil, at: taken)
    if let day, day.from <= taken, !connector.done.contains(day.from), !day.isSpooled,
      arrival.again == nil
    {
      disturb(&reception, of: event.patientKey, day, &connector, at: time)
    }
    if let key = reception.messageKey { connector.latest = (key, event.patientKey) }
    guard connector.held?.receptionID != reception.receptionID else { return }
    say(.reception(reception), at: time)
    if let held = connector.held { release(held, at: time, &connector) }
  }

  /// The first message after the moment of a fault bears it.
  private mutating func disturb(
    _ reception: inout SourceReception, of person: PatientKey, _ day: SourceDay,
    _ connector: inout Connector, at time: Timestamp
  ) {
    let source = reception.source
    switch day.fault {
    case .sequenceGap:
      connector.sequence += 3
      reception.sequence = connector.sequence
      let due = time.advanced(by: .minutes(15))
      tell(day.fault, .a25, source, happened: time, knowable: due)
    case .sequenceBegunAnew:
      connector.sequence = 1
      reception.sequence = 1
      tell(day.fault, nil, source, happened: time, knowable: time)
    case .sequenceGapFilled:
      connector.held = reception
      tell(day.fault, nil, source, happened: time, knowable: time)
    case .idReusedAcross:
      guard let latest = connector.latest, latest.of != person else { return }
      reception.messageKey = latest.key
      tell(day.fault, .a03, source, happened: time, knowable: time)
    default: return
    }
    connector.done.insert(day.from)
  }

  private mutating func release(
    _ held: SourceReception, at time: Timestamp, _ connector: inout Connector
  ) {
    connector.held = nil
    say(.reception(held), at: time)
  }

  // MARK: Faults of the connector itself

  private mutating func happen(
    _ day: SourceDay, _ connector: inout Connector, _ source: Code, at time: Timestamp
  ) {
    guard !connector.done.contains(day.from) else { return }
    switch day.fault {
    case .payloadRefused:
      var chance = Chance(seed: calendar.seed, 6, UInt64(bitPattern: time.nanoseconds))
      connector.refusals += 1
      connector.frames += 1
      say(
        .refusal(
          SourceRefusal(
            source: source, receptionID: Pseudonyms.receptionID(at: time, &chance),
            reason: code("hl7.segment-missing"), field: "PID", at: time)), at: time)
      tell(day.fault, .a27, source, happened: time, knowable: time)
    case .countMismatch:
      // What is missing stays missing: a second time would change the first alert.
      guard connector.unseen == 0 else { return }
      connector.unseen = 4
      let said = time.advanced(by: calendar.interval)
      tell(
        day.fault, .a26, source, happened: time, knowable: said.advanced(by: .hours(2)))
    default: return
    }
    connector.done.insert(day.from)
  }

  private mutating func say(_ statement: SourceRecord, at time: Timestamp) {
    arrivals.append(SourceArrival(statement: statement, at: time.roundedUp))
  }

  private mutating func tell(
    _ fault: Fault, _ rule: Rule?, _ source: Code, happened: Timestamp, knowable: Timestamp
  ) {
    truths.append(
      Truth(
        fault: fault, rule: rule, subject: .source(source), happenedAt: happened,
        knowableAt: knowable.roundedUp))
  }
}
