import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
import HandoffStores

/// What a connector would make of sample messages; publishes nothing and stores nothing.
///
/// It goes the way of ingest itself with secrets of its own, so what it shows is what will be, but
/// for the tokens. The samples are one conversation: an answer finds the request before it.
package struct ConnectorCheck {
  /// One message of a sample.
  package struct Message: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Sendable {
      case events
      /// Understood, and nothing a handoff rests on: answered as accepted, kept as a dead letter.
      case noHandoffFact = "no-handoff-fact"
      /// The sender is told so.
      case refused
      /// An answer whose request is in none of the samples before it.
      case waiting
    }

    package var outcome: Outcome
    package var messageType: String?
    package var reason: String?
    package var field: String?
    /// In the sender's terms; never a value.
    package var explanation: String?
    /// What the sender would hear.
    package var answer: Answer
    package var events: [Event]
    /// Fields with content that no value of an event came from, by name.
    ///
    /// Empty for a message that is refused: it is kept whole as a dead letter.
    package var lost: [String]
  }

  /// What a sender hears of a message, in the terms of its transport.
  package struct Answer: Codable, Hashable, Sendable {
    /// `mllp`, `file`, or how else the connector takes messages.
    package var rail: String
    /// MSA-1 (`AA`, `CE`); for a file `done` or `failed`; `none` where nothing is sent.
    package var code: String
  }

  /// One event, as it will stand on the bus, without what is sealed.
  package struct Event: Codable, Hashable, Sendable {
    package var type: String
    package var handoff: String?
    package var speaker: String
    package var from: String?
    package var to: String?
    package var kind: String?
    package var priority: String?
    package var need: String?
    package var reason: String?
    package var outcome: String?
    package var occurredAt: String
    package var recordedAt: String?
    package var sequence: UInt64?
    package var bookedFor: String?
    package var dischargeReadyAt: String?
    /// 0 to 3.
    package var dischargePathway: Int?
    /// Where each property was read, such as `occurredAt` in `EVN-2`.
    ///
    /// `connector` is what the connector's file says, or its default.
    package var provenance: [String: String]
  }

  private let source: ConnectorConfiguration
  private let frames: FrameMapper
  private let mapper: IngestMapper
  private let now: Timestamp
  private var correlation = CorrelationTable()
  private var sequence: Int64 = 0

  package init(_ source: ConnectorConfiguration, now: Timestamp) {
    self.source = source
    frames = FrameMapper(source.mapping)
    mapper = IngestMapper(secrets: .generate(), source: source)
    self.now = now
  }

  /// Every message of `bytes`, in order.
  package mutating func check(_ bytes: [UInt8]) -> [Message] {
    frames.map(bytes).map { check(mapper.judged($0), of: bytes) }
  }

  private mutating func check(_ message: MappedFrame, of bytes: [UInt8]) -> Message {
    sequence += 1
    let own = Array(bytes[message.range])
    let frame = StoredFrame(
      sequence: sequence, receptionID: ReceptionID(rawValue: UInt128(sequence)),
      source: source.name, rail: source.rail, receivedAt: now, bytes: own)
    let result = mapper.map(frame, as: message.outcome, correlation: &correlation)
    _ = correlation.commit()
    var checked = Message(
      outcome: .refused, answer: answer(to: own, message.outcome), events: [],
      lost: Self.lost(own, message.outcome))
    checked.messageType = message.outcome.messageType.flatMap(IngestDraft.typeCode)?.description
    if case .refused(let error) = message.outcome { checked.explanation = error.explanation }
    switch result {
    case .events(let ingested):
      checked.outcome = .events
      checked.events = events(of: ingested, from: message.outcome)
    case .deadLetter(let disposition, let reason, let field, _):
      checked.outcome = disposition == .refused ? .refused : .noHandoffFact
      checked.reason = reason.description
      checked.field = field
    case .parked, .orphaned:
      checked.outcome = .waiting
      checked.reason = "correlation.orphan"
      checked.explanation = "it answers a message that no sample before it is"
    }
    return checked
  }

  /// Each event with the provenance of its fact; an event of ours, such as a link, has none.
  private func events(of ingested: IngestedMessage, from outcome: MappingOutcome) -> [Event] {
    guard case .mapped(let message) = outcome else { return [] }
    var facts = message.facts[...]
    let shared = message.provenance.filter { name, _ in
      ["recordedAt", "sequence", "person", "messageID"].contains(name)
    }
    return ingested.drafts.map(\.event).map { event in
      // Facts that move nothing have no event: the next one of the type is meant.
      guard let place = facts.firstIndex(where: { $0.type == event.type }) else {
        return Event(event, provenance: [:])
      }
      let fact = facts[place]
      facts = facts[(place + 1)...]
      var provenance = shared.merging(fact.provenance) { $1 }
      // A message that says nothing of its time happened when it came in.
      if fact.occurredAt == nil { provenance["occurredAt"] = "(reception)" }
      return Event(event, provenance: provenance)
    }
  }

  private func answer(to bytes: [UInt8], _ outcome: MappingOutcome) -> Answer {
    let rail = source.rail.description
    if case .mllp = source.source {
      let stamp = HL7Acknowledgement.Stamp(controlID: "CHECK", at: now)
      let answer = HL7Acknowledgement.answer(to: bytes, outcome: outcome, stamp: stamp)
      return Answer(rail: rail, code: answer.flatMap(HL7Acknowledgement.verdict) ?? "none")
    }
    if case .dropFolder = source.source {
      if case .refused = outcome { return Answer(rail: rail, code: "failed") }
      return Answer(rail: rail, code: "done")
    }
    if case .refused = outcome { return Answer(rail: rail, code: "refused") }
    return Answer(rail: rail, code: "accepted")
  }

  private static func lost(_ bytes: [UInt8], _ outcome: MappingOutcome) -> [String] {
    switch outcome {
    case .mapped(let message), .noHandoffFact(let message, _):
      LostContent.paths(bytes, after: message)
    case .refused: []
    }
  }
}

extension ConnectorCheck.Event {
  init(_ event: HandoffEvent, provenance: [String: String]) {
    self.init(
      type: event.type.rawValue,
      handoff: event.handoffID.map { String($0.description.prefix(8)) },
      speaker: event.speaker.rawValue, from: event.from?.organisation.description,
      to: event.to?.organisation.description, kind: event.kind?.description,
      priority: event.priority?.description, need: event.needCode?.description,
      reason: event.reason?.description, outcome: event.outcome?.description,
      occurredAt: RFC3339.text(event.occurredAt),
      recordedAt: event.recordedAt.map { RFC3339.text($0) }, sequence: event.sequence,
      bookedFor: event.bookedFor.map { RFC3339.text($0) },
      dischargeReadyAt: event.dischargeReadyAt.map { RFC3339.text($0) },
      dischargePathway: event.dischargePathway.map { Int($0) }, provenance: provenance)
  }

  /// Each property that was read, what it became, and where; ids and people are not shown.
  package var fields: [(property: String, value: String, from: String)] {
    let shown: [String: String?] = [
      "type": type, "handoff": handoff.map { $0 + "…" }, "from": from, "to": to, "kind": kind,
      "priority": priority, "needCode": need, "reason": reason, "outcome": outcome,
      "occurredAt": occurredAt, "recordedAt": recordedAt, "sequence": sequence.map(String.init),
      "bookedFor": bookedFor, "dischargeReadyAt": dischargeReadyAt,
      "dischargePathway": dischargePathway.map { "P\($0)" },
    ]
    return provenance.sorted { $0.key < $1.key }.map { name, place in
      (name, shown[name].flatMap(\.self) ?? "(sealed or keyed)", place)
    }
  }
}
