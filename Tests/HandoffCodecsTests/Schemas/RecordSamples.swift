import HandoffCodecs
import HandoffCore
import TestSupport

/// One record of each kind, random in every field, and the typed reader of each.
enum RecordSamples {
  static func all(seed: UInt64) throws -> [WireRecord] {
    var random = EventGenerator(seed: seed)
    let codec = WireCodec()
    let now = JourneyGenerator.start
    let state = SourceState(
      source: random.code(), condition: random.one(), completeUpTo: random.maybe { $0.time() },
      since: random.maybe { $0.time() })
    let rules = RulesActivation(
      rulesVersion: 1, policyHash: random.hash(), profile: random.maybe { $0.code() },
      registerHash: random.maybe { $0.hash() }, isCommanded: random.chance())
    return [
      codec.encode(try random.event()), codec.encodeTick(at: now), codec.encode(state, at: now),
      codec.encode(rules, at: now), codec.encode(try random.verdict()),
      codec.encode(try random.statement()), codec.encode(try random.correlationEntry()),
      codec.encode(random.deadLetter()), codec.encode(try random.person()),
      codec.encode(random.sourceReducerState()), codec.encode(try random.partition()),
      codec.encode(try random.transfer()),
      codec.encode(
        SealedFrame(
          source: random.code(), receptionID: random.id(), rail: random.code(),
          envelope: random.envelope())),
      codec.encode(
        SealedNotice(
          organisation: try unwrapped(ODSCode("X10")), noticeID: random.id(),
          envelope: random.envelope()), key: random.id()),
    ]
  }

  /// Reads data in JSON by the reader of its type.
  static func read(_ type: String, _ data: JSONTree) throws {
    try read(
      type,
      protobuf: WireJSON.protobuf(
        fromJSON: Array(data.compact.utf8), type: "\(ProtoSource.package).\(type)"))
  }

  /// Reads data in Protobuf by the reader of its type.
  static func read(_ type: String, protobuf bytes: [UInt8]) throws {
    switch type {
    case "HandoffEvent": _ = try HandoffEvent(protobuf: bytes)
    case "Tick": _ = try Tick(protobuf: bytes)
    case "SourceState": _ = try SourceState(protobuf: bytes)
    case "RulesActivation": _ = try RulesActivation(protobuf: bytes)
    case "Verdict": _ = try Verdict(protobuf: bytes)
    case "SourceRecord": _ = try SourceRecord(protobuf: bytes)
    case "CorrelationEntry": _ = try CorrelationEntry(protobuf: bytes)
    case "DeadLetter": _ = try DeadLetter(protobuf: bytes)
    case "PersonState": _ = try Person(protobuf: bytes)
    case "PersonTransfer": _ = try PersonTransfer(protobuf: bytes)
    case "PartitionState": _ = try PartitionState(protobuf: bytes)
    case "SealedFrame": _ = try SealedFrame(protobuf: bytes)
    case "SourceReducerState": _ = try SourceReducerState(protobuf: bytes)
    case "SealedNotice": _ = try SealedNotice(protobuf: bytes)
    default: throw Absent()
    }
  }
}

extension EventGenerator {
  mutating func envelope() -> SealedEnvelope {
    SealedEnvelope(
      recipientKey: id(), senderKey: id(), encapsulatedKey: bytes(32),
      ciphertext: bytes(number(1...99)))
  }
}
