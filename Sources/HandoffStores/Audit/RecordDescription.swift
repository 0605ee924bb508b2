import HandoffCodecs
import HandoffCore

extension AuditDescription {
  /// What stands for a record that cannot be read: it is logged all the same.
  package static let unknownType = "unknown"

  /// The CloudEvents type of an access record.
  package static let accessEventType = "baton.handoff.v1.Access"

  /// Every type that a record can be searched by: ``ofWire(_:)`` gives no other.
  package static let types: [String] =
    EventType.allCases.map(\.rawValue)
    + ["PersonTransfer", "Tick", "SourceState", "RulesActivation"]
    + ["SourceHeartbeat", "SourceReception", "SourceRefusal", "SourceOrphan", "SourceConflict"]
    + ["SourceCondition", "Access", "Policy", "Register", "Activated", unknownType]
    + DeadLetter.Disposition.allCases.map { "DeadLetter.\($0.rawValue)" }
    + Rule.allCases.flatMap { rule in
      Verdict.Action.allCases.map { "\(rule.rawValue).\($0.rawValue)" }
    }

  /// The type that somebody means by `text`, in whatever case; `nil` where there is none.
  ///
  /// The part before a dot stands for all that begin by it.
  package static func type(meantBy text: String) -> String? {
    let wanted = text.lowercased()
    for type in types {
      if type.lowercased() == wanted { return type }
      if let dot = type.firstIndex(of: "."), type[..<dot].lowercased() == wanted {
        return String(type[..<dot])
      }
    }
    return nil
  }

  /// Reads what a record of the bus can be searched by.
  ///
  /// A type is an event's (`Accepted`), `Tick`, `SourceState`, `RulesActivation`, an alert's rule
  /// and what was done (`A07.opened`), `SourceHeartbeat`, `SourceReception`, `SourceRefusal`,
  /// `SourceOrphan`, `SourceConflict`, `SourceCondition`, a dead letter's (`DeadLetter.refused`),
  /// `Access`, or of what the config topic keeps `Policy`, `Register` and `Activated`: the rules
  /// that a person activated last.
  @Sendable package static func ofWire(_ record: AuditRecord) -> AuditDescription {
    let eventType = record.headers.first { $0.name == "ce_type" }?.value
      .flatMap { String(validating: $0, as: UTF8.self) }
    let stored = record.stored
    let wire = stored.record
    var description =
      event(stored) ?? verdict(wire) ?? source(wire) ?? deadLetter(wire) ?? rules(wire)
      ?? AuditDescription(type: eventType == accessEventType ? "Access" : unknownType)
    description.eventType = eventType
    return description
  }

  private static func event(_ stored: StoredRecord) -> AuditDescription? {
    switch try? WireCodec.eventRecord(stored).content {
    case nil: return nil
    case .event(let held):
      let event = held.value
      return AuditDescription(
        type: event.type.rawValue, handoff: event.handoffID, from: event.from?.organisation,
        to: event.to?.organisation, kind: event.kind)
    case .unusable: return nil
    case .transfer: return AuditDescription(type: "PersonTransfer")
    case .tick: return AuditDescription(type: "Tick")
    case .sourceState: return AuditDescription(type: "SourceState")
    case .rulesActivation: return AuditDescription(type: "RulesActivation")
    }
  }

  private static func verdict(_ wire: WireRecord) -> AuditDescription? {
    guard let verdict = try? WireCodec.verdict(wire) else { return nil }
    return AuditDescription(
      type: "\(verdict.rule.rawValue).\(verdict.action.rawValue)", handoff: verdict.handoffID,
      alert: verdict.alertID, from: verdict.from, to: verdict.to, kind: verdict.kind)
  }

  private static func source(_ wire: WireRecord) -> AuditDescription? {
    switch try? WireCodec.sourceRecord(wire) {
    case nil: nil
    case .heartbeat: AuditDescription(type: "SourceHeartbeat")
    case .reception: AuditDescription(type: "SourceReception")
    case .refusal: AuditDescription(type: "SourceRefusal")
    case .orphan: AuditDescription(type: "SourceOrphan")
    case .conflict: AuditDescription(type: "SourceConflict")
    case .condition: AuditDescription(type: "SourceCondition")
    }
  }

  /// What the config topic keeps: files under their hash, and what a person activated last.
  private static func rules(_ wire: WireRecord) -> AuditDescription? {
    guard let value = wire.value, let key = wire.key else { return nil }
    let name = String(decoding: key, as: UTF8.self)
    if name == RulesActivation.lastKey {
      let isReadable = (try? RulesActivation(protobuf: value)) != nil
      return isReadable ? AuditDescription(type: "Activated") : nil
    }
    // Only a hash that is right tells such a file from anything else.
    guard name == WireCodec.recordHash(value).description else { return nil }
    return AuditDescription(type: RegisterDocument.isRegister(value) ? "Register" : "Policy")
  }

  private static func deadLetter(_ wire: WireRecord) -> AuditDescription? {
    guard let letter = try? WireCodec.deadLetter(wire) else { return nil }
    return AuditDescription(type: "DeadLetter.\(letter.disposition.rawValue)")
  }
}
