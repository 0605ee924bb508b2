import HandoffCore
import TestSupport

/// A stage for sources: what they say at so many seconds past nine on a Monday.
struct SourceScene {
  static let code = JourneyGenerator.code("mllp-rth")

  var reducer: SourceReducer
  var verdicts: [Verdict] = []
  var records: [SourceTopicRecord] = []
  private var offset: Int64 = 0
  private var receptions: UInt128 = 1

  init(policy: Policy = .default) {
    reducer = SourceReducer(policy: policy, topic: "handoff.sources.v1", partition: 0)
  }

  static func seconds(_ count: Int64) -> Timestamp {
    JourneyGenerator.start.advanced(by: .seconds(count))
  }

  @discardableResult
  mutating func apply(_ content: SourceTopicRecord.Content, at second: Int64) -> [Verdict] {
    // Two statements are two records, with two hashes.
    let record = Self.record(content, at: second, offset: offset)
    offset += 1
    records.append(record)
    let said = reducer.apply(record)
    verdicts += said
    return said
  }

  static func record(
    _ content: SourceTopicRecord.Content, at second: Int64, offset: Int64
  ) -> SourceTopicRecord {
    var bytes = [UInt8](repeating: 0, count: 32)
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: offset >> Int64(8 * index)) }
    guard let hash = RecordHash(bytes: bytes) else {
      preconditionFailure("32 bytes are a hash")
    }
    return SourceTopicRecord(
      content: content, brokerAt: seconds(second),
      coordinates: RecordCoordinates(
        topic: "handoff.sources.v1", partition: 0, offset: offset), hash: hash)
  }

  @discardableResult
  mutating func tick(at second: Int64) -> [Verdict] { apply(.tick, at: second) }

  @discardableResult
  mutating func say(_ statement: SourceRecord, at second: Int64) -> [Verdict] {
    apply(.statement(statement), at: second)
  }

  /// A heartbeat, complete up to a second before unless said otherwise.
  @discardableResult
  mutating func beat(
    at second: Int64, _ code: Code = code, complete: Int64? = nil, sequence: UInt64? = nil,
    frames: UInt64 = 0, clock: Int64 = 0
  ) -> [Verdict] {
    say(
      .heartbeat(
        SourceHeartbeat(
          source: code, at: Self.seconds(second + clock),
          completeUpTo: Self.seconds((complete ?? second - 1) + clock), lastSequence: sequence,
          framesTotal: frames, eventsTotal: 0, refusalsTotal: 0)), at: second)
  }

  @discardableResult
  mutating func receive(
    _ key: UInt128? = nil, at second: Int64, _ code: Code = code, content: UInt128 = 1,
    person: UInt128? = 1, sequence: UInt64? = nil,
    _ change: (inout SourceReception) -> Void = { _ in }
  ) -> [Verdict] {
    receptions += 1
    var reception = SourceReception(
      source: code, receptionID: ReceptionID(rawValue: receptions),
      messageKey: key.map { Token(rawValue: $0) }, contentMac: Token(rawValue: content),
      sequence: sequence, at: Self.seconds(second))
    reception.subject = person.map { Token(rawValue: $0) }
    change(&reception)
    return say(.reception(reception), at: second)
  }

  @discardableResult
  mutating func refuse(
    _ reason: String, at second: Int64, sequence: UInt64? = nil, isWarning: Bool = false
  ) -> [Verdict] {
    receptions += 1
    var refusal = SourceRefusal(
      source: Self.code, receptionID: ReceptionID(rawValue: receptions),
      reason: JourneyGenerator.code(reason), field: nil, at: Self.seconds(second))
    refusal.sequence = sequence
    refusal.isWarning = isWarning
    return say(.refusal(refusal), at: second)
  }

  /// The alerts that stand open, with their limb, in the order in which they were due.
  var open: [String] {
    LiveAlerts(verdicts).open.map { verdict in
      verdict.rule.rawValue + (verdict.cause.map { " \($0)" } ?? "")
    }
  }
}
