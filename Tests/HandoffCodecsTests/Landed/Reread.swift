import HandoffCodecs
import HandoffCore

/// Reads what was written, and writes it again.
enum Reread {
  /// Through the typed reader of the record's topic and its writer.
  static func typed(_ stored: StoredRecord) throws -> WireRecord {
    let record = stored.record
    let codec = WireCodec()
    // Attributes that do not come from the data: those of the record itself.
    var again: WireRecord
    switch stored.coordinates.topic {
    case "handoff.events.v1":
      switch try WireCodec.eventRecord(stored).content {
      case .event(let held): again = codec.encode(held.value)
      case .tick: again = codec.encodeTick(at: stored.brokerAt)
      case .sourceState(let state): again = codec.encode(state, at: stored.brokerAt)
      case .rulesActivation(let rules): again = codec.encode(rules, at: stored.brokerAt)
      case .transfer(let transfer): again = codec.encode(transfer)
      case .unusable: throw Absent()
      }
    case "handoff.alerts.v1": again = codec.encode(try WireCodec.verdict(record))
    case "handoff.sources.v1": again = codec.encode(try WireCodec.sourceRecord(record))
    case "handoff.correlation.v1": again = codec.encode(try WireCodec.correlationEntry(record))
    case "handoff.deadletter.v1": again = codec.encode(try WireCodec.deadLetter(record))
    case "handoff.source-state.v1":
      again = codec.encode(try WireCodec.sourceReducerState(record))
    case "handoff.inbox.x10.v1": again = codec.encode(try WireCodec.sealedFrame(record))
    case "handoff.outbox.x10.v1":
      let key = Token(String(decoding: record.key ?? [], as: UTF8.self))
      again = codec.encode(try WireCodec.sealedNotice(record), key: try unwrapped(key))
    default:
      switch try WireCodec.stateRecord(record) {
      case .person(let person): again = codec.encode(person)
      case .partition(let state): again = codec.encode(state)
      case .removed(let key): again = codec.tombstone(of: key)
      }
    }
    // A tick and its like are named by the moment of their writing, which no reader keeps.
    for name in ["ce_id", "ce_time"] {
      guard let then = record.headers.first(where: { $0.name == name }),
        let place = again.headers.firstIndex(where: { $0.name == name }),
        isMoment(again.headers[place].value)
      else { continue }
      again.headers[place] = then
    }
    return again
  }

  private static func isMoment(_ value: [UInt8]?) -> Bool {
    let digits = (value ?? []).allSatisfy { $0 < 0x3a }
    return digits || value?.last == UInt8(ascii: "Z")
  }

  /// What ingest makes of one line of a thin client, in words.
  static func submission(_ line: [UInt8]) -> String {
    FrameMapper().map(line).map { frame in
      switch frame.outcome {
      case .mapped(let message):
        message.facts.map { words($0) }.joined(separator: " ")
          + " of \(message.person?.nhsNumber?.digits ?? "nobody") in \(message.messageID ?? "?")"
      case .noHandoffFact(_, let reason): "none \(reason)"
      case .refused(let error): "refused \(error.code) \(error.field ?? "")"
      }
    }.joined(separator: "; ")
  }

  private static func words(_ fact: MappedFact) -> String {
    let words: [(String, String?)] = [
      ("handoff", fact.handoff?.value), ("answers", fact.answers?.value),
      ("conversation", fact.conversation?.value), ("journey", fact.journey?.value),
      ("supersedes", fact.supersedes?.value), ("parent", fact.parentHandoff?.value),
      ("from", fact.from?.odsCode?.description), ("to", fact.to?.openReferral?.description),
      ("cc", fact.cc.first?.organisation), ("kind", fact.kind?.description),
      ("priority", fact.priority?.description), ("need", fact.needCode?.description),
      ("at", fact.occurredAt.map { RFC3339.text($0) }), ("reason", fact.reason?.description),
      ("ready", fact.dischargeReadyAt.map { RFC3339.text($0) }),
      ("pathway", fact.dischargePathway.map { "\($0)" }),
      ("prior", fact.priorPerson?.localIDs.first?.value),
    ]
    return "\(fact)" + words.compactMap { name, word in word.map { " \(name)=\($0)" } }.joined()
  }
}
