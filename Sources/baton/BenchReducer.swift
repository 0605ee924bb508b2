import Foundation
import HandoffCodecs
import HandoffCore

/// The person reducer over events of so many people, from the bytes that Kafka would give.
struct ReducerBench {
  let sizes: BenchSizes

  /// Events that are encoded at a time, outside the measured time: a million would fill memory.
  private static let chunkCount = 10_000

  func run() throws -> [BenchResult] {
    var decoding: [Double] = []
    var deciding: [Double] = []
    var memory: [Double] = []
    for _ in 0..<sizes.runs {
      decoding.append(try decode())
      let (rate, bytes) = try decide()
      deciding.append(rate)
      memory.append(bytes)
    }
    return [
      BenchResult("decoding alone, from encoded bytes", "events/s", decoding),
      BenchResult("reducer, from encoded bytes, each of another person", "events/s", deciding),
      BenchResult("memory of an open handoff", "bytes", memory),
    ]
  }

  private func decode() throws -> Double {
    var seconds = 0.0
    var bytes = 0
    try eachChunk { chunk in
      let time = try ContinuousClock().measure {
        for record in chunk { bytes &+= try WireCodec.eventRecord(record).hash.bytes.count }
      }
      seconds += BenchMeter.seconds(time)
    }
    guard bytes == 32 * sizes.persons else { throw BenchFault.wrongCount }
    return Double(sizes.persons) / seconds
  }

  private func decide() throws -> (rate: Double, bytesEach: Double) {
    let before = BenchMeter.residentBytes()
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    var seconds = 0.0
    try eachChunk { chunk in
      let time = try ContinuousClock().measure {
        reducer.beginBatch()
        for record in chunk { _ = reducer.apply(try WireCodec.eventRecord(record)) }
        _ = reducer.commitBatch()
      }
      seconds += BenchMeter.seconds(time)
    }
    guard reducer.keys.count == sizes.persons else { throw BenchFault.wrongCount }
    let bytes = Double(max(0, BenchMeter.residentBytes() - before)) / Double(sizes.persons)
    return (Double(sizes.persons) / seconds, bytes)
  }

  private func eachChunk(_ body: ([StoredRecord]) throws -> Void) throws {
    let codec = WireCodec()
    var next = 0
    while next < sizes.persons {
      let end = min(next + Self.chunkCount, sizes.persons)
      let chunk = (next..<end).map { number in
        StoredRecord(
          record: codec.encode(BenchEvent.request(number)),
          coordinates: RecordCoordinates(
            topic: "handoff.events.v1", partition: 0, offset: Int64(number)),
          brokerAt: BenchEvent.time(number))
      }
      try body(chunk)
      next = end
    }
  }
}

/// What makes a measurement worthless, and ends it.
enum BenchFault: Error {
  case wrongCount
}

/// Requests of invented people, each with ids of its own.
enum BenchEvent {
  private static let start = Timestamp(milliseconds: 1_780_000_000_000)

  static func time(_ number: Int) -> Timestamp {
    start.advanced(by: Elapsed(nanoseconds: Int64(number) * 1_000_000))
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
