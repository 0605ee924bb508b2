import Foundation
import HandoffCodecs
import HandoffCore

/// The person reducer over five events of each of so many people, from the bytes that Kafka would
/// give: all are requested before the first is acknowledged, so each event finds its person cold.
struct ReducerBench {
  let sizes: BenchSizes

  /// Events that are encoded at a time, outside the measured time: all of them would fill memory.
  ///
  /// As many as the service applies at a time.
  private static let chunkCount = 1_000
  /// Records that are decoded before the first of them is applied.
  private static let groupCount = 16

  /// What one way through all events took, and left in memory.
  private struct Once {
    var rate: Double
    var ratePerCPU: Double
    var bytesEach = 0.0
  }

  func run() throws -> [BenchResult] {
    var decoding: [Once] = []
    var deciding: [Once] = []
    for _ in 0..<sizes.runs {
      decoding.append(try decode())
      deciding.append(try decide())
    }
    return [
      BenchResult("decoding alone, from encoded bytes", "events/s", decoding.map(\.rate)),
      BenchResult(
        "decoding alone, for each second of processor time", "events/CPU s",
        decoding.map(\.ratePerCPU)),
      BenchResult(
        "reducer, from encoded bytes, \(sizes.persons) handoffs open", "events/s",
        deciding.map(\.rate)),
      BenchResult(
        "reducer, for each second of processor time", "events/CPU s", deciding.map(\.ratePerCPU)),
      // The first run begins with memory that nothing has used before: it tells the most.
      BenchResult(
        "memory of an open handoff of five events", "bytes", [deciding.map(\.bytesEach).max() ?? 0]),
    ]
  }

  private var eventCount: Int { sizes.persons * BenchEvent.stepCount }

  private func decode() throws -> Once {
    var (wall, cpu) = (0.0, 0.0)
    var checked = 0
    try eachChunk { chunk in
      let time = try BenchMeter.measure {
        let chunk = chunk.span
        for index in chunk.indices {
          checked += try Self.read(chunk[index]).coordinates.offset >= 0 ? 1 : 0
        }
      }
      wall += time.wall
      cpu += time.cpu
    }
    guard checked == eventCount else { throw BenchFault.wrongCount }
    return Once(rate: Double(eventCount) / wall, ratePerCPU: Double(eventCount) / cpu)
  }

  private func decide() throws -> Once {
    let before = BenchMeter.residentBytes()
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    var (wall, cpu) = (0.0, 0.0)
    var verdicts: [Verdict] = []
    var group: [EventRecord] = []
    try eachChunk { chunk in
      let time = try BenchMeter.measure {
        reducer.beginBatch()
        // Through the span: an array gives a copy of each.
        let chunk = chunk.span
        for start in stride(from: 0, to: chunk.count, by: Self.groupCount) {
          group.removeAll(keepingCapacity: true)
          for index in start..<min(start + Self.groupCount, chunk.count) {
            group.append(try Self.read(chunk[index]))
          }
          reducer.apply(group[...], into: &verdicts)
        }
        reducer.commitBatch()
      }
      wall += time.wall
      cpu += time.cpu
    }
    let bytes = Double(max(0, BenchMeter.residentBytes() - before)) / Double(sizes.persons)
    guard verdicts.isEmpty, reducer.personCount == sizes.persons,
      reducer.state.books.total[.open] == UInt64(sizes.persons)
    else { throw BenchFault.wrongCount }
    return Once(
      rate: Double(eventCount) / wall, ratePerCPU: Double(eventCount) / cpu, bytesEach: bytes)
  }

  /// From its parts, as a consumer hands them over: a stored record is not copied for it.
  private static func read(_ stored: borrowing StoredRecord) throws -> EventRecord {
    try WireCodec.eventRecord(
      coordinates: stored.coordinates, brokerAt: stored.brokerAt, key: stored.record.key,
      value: stored.record.value, headers: stored.record.headers)
  }

  private func eachChunk(_ body: ([StoredRecord]) throws -> Void) throws {
    for step in 0..<BenchEvent.stepCount {
      var next = 0
      while next < sizes.persons {
        let end = min(next + Self.chunkCount, sizes.persons)
        try body(
          (next..<end).map { person in
            BenchEvent.stored(
              BenchEvent.step(step, of: person, at: BenchEvent.time(person, step: step)),
              offset: step * sizes.persons + person)
          })
        next = end
      }
    }
  }
}

/// What makes a measurement worthless, and ends it.
enum BenchFault: Error {
  case wrongCount
  /// A service ended before it was told to.
  case serviceEnded
}

/// Requests of invented people, each with ids of its own.
enum BenchEvent {
  private static let start = Timestamp(milliseconds: 1_780_000_000_000)

  static func time(_ number: Int) -> Timestamp {
    start.advanced(by: Elapsed(nanoseconds: Int64(number) * 1_000_000))
  }

  /// Steps are twenty minutes apart, so that each finds the one before settled.
  static func time(_ person: Int, step: Int) -> Timestamp {
    time(0).advanced(by: .minutes(20 * Int64(step)))
      .advanced(by: Elapsed(nanoseconds: Int64(person) * 1_000_000))
  }

  private static let steps: [(type: EventType, speaker: SpeakerRole)] = [
    (.handoffRequested, .sender), (.transportAccepted, .platform), (.received, .receiver),
    (.accepted, .receiver), (.booked, .receiver), (.started, .receiver), (.completed, .receiver),
    (.feedbackSent, .receiver), (.feedbackAcknowledged, .sender),
  ]
  /// Up to the booking, with which the handoff is still open.
  static let stepCount = 5
  /// Up to the feedback, with which it is closed.
  static var wholeCount: Int { steps.count }

  /// One step of a person's handoff, with two references to ids of other systems.
  static func step(_ step: Int, of person: Int, at time: Timestamp) -> HandoffEvent {
    var event = request(person)
    let number = UInt128(mixed(UInt64(person * 16 + step))) << 64 | UInt128(person * 16 + step)
    event.id = EventID(rawValue: number)
    event.receptionID = ReceptionID(rawValue: number &+ 1)
    event.contentMac = Token(rawValue: number &+ 3)
    event.messageKey = Token(rawValue: number &+ 4)
    event.occurredAt = time
    (event.type, event.speaker) = steps[step]
    switch event.speaker {
    case .sender: event.spokenBy = event.from?.organisation
    case .receiver: event.spokenBy = event.to?.organisation
    case .platform: event.spokenBy = nil
    }
    if event.type == .booked { event.bookedFor = time.advanced(by: .hours(480)) }
    if let visit = Code("PV1-19"), let order = Code("ORC-2") {
      event.externalReferences = [
        ExternalReference(system: visit, token: Token(rawValue: number &+ 5)),
        ExternalReference(system: order, token: Token(rawValue: number &+ 6)),
      ]
    }
    return event
  }

  /// An event as the events topic of one partition would hold it.
  static func stored(_ event: HandoffEvent, offset: Int) -> StoredRecord {
    StoredRecord(
      record: WireCodec().encode(event),
      coordinates: RecordCoordinates(
        topic: "handoff.events.v1", partition: 0, offset: Int64(offset)),
      brokerAt: Timestamp(milliseconds: event.occurredAt.milliseconds))
  }

  private static func mixed(_ number: UInt64) -> UInt64 {
    var value = number &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  static func request(_ number: Int) -> HandoffEvent {
    let mixed = UInt128(UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
    let id = mixed << 64 | UInt128(number)
    guard
      let key = PatientKey(epoch: 1, hash: Token(rawValue: id).bytes + Token(rawValue: ~id).bytes),
      let source = Code("bench"), let rail = Code("ndjson"), let sender = ODSCode("Z99101"),
      let receiver = ODSCode("ZH101")
    else { preconditionFailure("literals of the bench are valid") }
    var event = HandoffEvent(
      id: EventID(rawValue: id), receptionID: ReceptionID(rawValue: id &+ 1),
      type: .handoffRequested, patientKey: key, handoffID: HandoffID(rawValue: id &+ 2),
      contentMac: Token(rawValue: id &+ 3), speaker: .sender, spokenBy: .ods(sender),
      occurredAt: time(number), source: source, rail: rail)
    event.messageKey = Token(rawValue: id &+ 4)
    event.from = Party(organisation: .ods(sender))
    event.to = Party(organisation: .ods(receiver))
    event.kind = HandoffKind("gp-hospital")
    event.priority = .routine
    event.sealedIdentity = Array(repeating: 0xA5, count: 160)
    return event
  }
}
