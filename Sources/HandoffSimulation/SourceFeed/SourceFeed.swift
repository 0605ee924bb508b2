package import HandoffCore
internal import HeapModule

/// A record of the sources topic, and when it arrives.
package struct SourceArrival: Sendable {
  package var statement: SourceRecord
  package var at: Timestamp
  /// Its value is cut short on the way.
  package var isBroken = false
}

/// What connectors say of themselves: heartbeats, and a reception for each message.
struct SourceFeed: Sendable {
  /// One connector.
  struct Connector: Sendable {
    let source: Code
    var nextBeat: Timestamp
    var heardAt: Timestamp
    var sequence: UInt64 = 0
    /// Taken in, whether or not it was handed over.
    var frames: UInt64 = 0
    /// When it takes in what is on its way to it.
    var expected = Heap<Timestamp>()
    var refusals: UInt64 = 0
    /// Frames that it counts and nobody has seen; below 0, that it did not count.
    var uncounted: Int64 = 0
    /// The total of its last heartbeat.
    var framesSaid: UInt64 = 0
    /// Held back, so that the next number overtakes it.
    var held: SourceReception?
    /// The latest message key and whom it was about.
    var latest: (key: Token, of: PatientKey, at: Timestamp)?
    /// The id of a message that was told of under another's, until it is heard under its own.
    var disguised: Token?
    /// The days whose fault has happened.
    var done: Set<Timestamp> = []
    /// By rule and limb, when it was last seen: an alert stands for what follows within the hour.
    var episodes: [String: Timestamp] = [:]
  }

  let calendar: SourceCalendar
  let names: Pseudonyms
  var connectors: [Code: Connector]
  /// What is to be said later: of answers that wait, of things that are put right.
  var later: [SourceArrival] = []
  var arrivals: [SourceArrival] = []
  private(set) var truths: [Truth] = []

  init(_ calendar: SourceCalendar, _ names: Pseudonyms) {
    self.calendar = calendar
    self.names = names
    connectors = Dictionary(
      uniqueKeysWithValues: calendar.sources.map {
        let first = calendar.beat($0, after: calendar.start.advanced(by: .seconds(-1)))
        return ($0, Connector(source: $0, nextBeat: first, heardAt: first))
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
      sayWaiting(upTo: first?.at ?? time)
      guard let first else { return }
      beat(first.source, at: first.at)
    }
  }

  private mutating func sayWaiting(upTo time: Timestamp) {
    guard later.contains(where: { $0.at <= time }) else { return }
    later.sort { $0.at < $1.at }
    while let next = later.first, next.at <= time {
      later.removeFirst()
      arrivals.append(next)
    }
  }

  private mutating func beat(_ source: Code, at time: Timestamp) {
    guard var connector = connectors.removeValue(forKey: source) else { return }
    defer { connectors[source] = connector }
    let day = calendar.day(source, at: time)
    connector.nextBeat = calendar.beat(source, after: time)
    if let day, day.isSpooled, day.from <= time { stop(day, &connector) }
    if let held = connector.held { release(held, at: time, &connector) }
    connector.heardAt = time
    while let taken = connector.expected.min, taken <= time {
      connector.expected.removeMin()
      connector.frames += 1
    }
    if let day, day.from <= time { happen(day, &connector, at: time) }
    var heartbeat = heartbeat(of: connector, at: time)
    if let day, day.fault == .clockAhead, day.from <= time, time < day.to {
      let ahead = Elapsed.minutes(7)
      heartbeat.at = heartbeat.at.advanced(by: ahead)
      heartbeat.completeUpTo = heartbeat.completeUpTo?.advanced(by: ahead)
    }
    connector.framesSaid = heartbeat.framesTotal
    say(.heartbeat(heartbeat), at: time)
  }

  func heartbeat(of connector: Connector, at time: Timestamp) -> SourceHeartbeat {
    SourceHeartbeat(
      source: connector.source, at: time,
      completeUpTo: calendar.completeness(connector.source, at: time),
      lastSequence: connector.sequence == 0 ? nil : connector.sequence,
      framesTotal: connector.frames &+ UInt64(bitPattern: connector.uncounted),
      eventsTotal: connector.frames, refusalsTotal: connector.refusals)
  }

  /// Tells of what has begun by the end, and would be told when it is over.
  mutating func finish(at time: Timestamp) {
    advance(to: time)
    for source in calendar.sources {
      guard var connector = connectors[source], let day = calendar.day(source, at: time),
        day.isSpooled, day.from <= time
      else { continue }
      stop(day, &connector)
      connectors[source] = connector
    }
  }

  /// A silence, or a backlog, that lasts three intervals is one alert.
  ///
  /// Told when it is over, from what was heard before it.
  private mutating func stop(_ day: SourceDay, _ connector: inout Connector) {
    guard connector.done.insert(day.from).inserted else { return }
    let length = Elapsed(nanoseconds: calendar.interval.nanoseconds * 3)
    if day.isMute {
      let due = connector.heardAt.advanced(by: length)
      let isKnown = due <= day.to && day.fault != .sourceMaintained
      return tell(
        day.fault, isKnown ? .a18 : nil, connector.source, happened: day.from, knowable: due)
    }
    // Told by its own heartbeats: the first of them after the deadline.
    let due = calendar.completeness(connector.source, at: day.from).advanced(by: length)
    let known = calendar.beat(connector.source, after: due.advanced(by: .seconds(-1)))
    tell(
      day.fault, known < day.end ? .a18 : nil, connector.source, happened: day.from,
      knowable: known)
  }

  // MARK: Receptions

  /// A message will be taken in at `time`, and counts from then on.
  mutating func expect(at time: Timestamp, of source: Code) {
    connectors[source]?.expected.insert(time)
  }

  /// A message of an event was taken in at `taken`, and arrives at `time`.
  mutating func receive(_ arrival: Arrival, at time: Timestamp) {
    let (event, taken) = (arrival.event, arrival.at)
    guard var connector = connectors.removeValue(forKey: event.source) else { return }
    defer { connectors[event.source] = connector }
    let day = calendar.day(event.source, at: taken)
    // Who sends again sends the number again: it is not known here, and counts no further.
    if arrival.again == nil { connector.sequence += 1 }
    var reception = SourceReception(
      source: event.source, receptionID: event.receptionID, messageKey: event.messageKey,
      contentMac: event.contentMac,
      sequence: arrival.again == nil ? connector.sequence : nil, at: taken)
    reception.eventMac = event.contentMac
    reception.subject = names.token("person", event.patientKey.description)
    reception.recordedAt = event.recordedAt
    reception.occurredAt = event.occurredAt
    if let day, day.from <= taken, !day.isSpooled, arrival.again == nil {
      disturb(&reception, of: event.patientKey, day, &connector, at: time)
    }
    unmask(reception, &connector, at: time)
    // Its silence is over with this.
    if let day, day.isSpooled, day.from <= taken, time >= day.to { stop(day, &connector) }
    connector.heardAt = max(connector.heardAt, time)
    if let key = reception.messageKey { connector.latest = (key, event.patientKey, taken) }
    guard connector.held?.receptionID != reception.receptionID else { return }
    say(.reception(reception), at: time)
    if let held = connector.held { release(held, at: time, &connector) }
  }

  private mutating func release(
    _ held: SourceReception, at time: Timestamp, _ connector: inout Connector
  ) {
    connector.held = nil
    say(.reception(held), at: time)
  }

  // MARK: What is said

  mutating func say(_ statement: SourceRecord, at time: Timestamp, isBroken: Bool = false) {
    arrivals.append(
      SourceArrival(statement: statement, at: time.roundedUp, isBroken: isBroken))
  }

  mutating func tell(
    _ fault: Fault, _ rule: Rule?, _ source: Code, happened: Timestamp, knowable: Timestamp
  ) {
    truths.append(
      Truth(
        fault: fault, rule: rule,
        subject: rule == .s01 || rule == .s10 ? .bus : .source(source), happenedAt: happened,
        knowableAt: knowable.roundedUp))
  }
}
