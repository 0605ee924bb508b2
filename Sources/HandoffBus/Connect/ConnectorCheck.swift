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
    package var events: [Event]
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
    package var occurredAt: String
    /// Where each property was read, such as `occurredAt` in `EVN-2`.
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
    let frame = StoredFrame(
      sequence: sequence, receptionID: ReceptionID(rawValue: UInt128(sequence)),
      source: source.name, rail: source.rail, receivedAt: now,
      bytes: Array(bytes[message.range]))
    let result = mapper.map(frame, as: message.outcome, correlation: &correlation)
    _ = correlation.commit()
    let facts: [MappedFact] =
      if case .mapped(let mapped) = message.outcome { mapped.facts } else { [] }
    var error: MappingError?
    if case .refused(let refusal) = message.outcome { error = refusal }
    switch result {
    case .events(let ingested):
      let own = ingested.drafts.map(\.event).filter { $0.type != .identityLinked }
      let events = ingested.drafts.map(\.event).map { event in
        let place = own.firstIndex { $0.id == event.id }
        let fact = place.flatMap { $0 < facts.count ? facts[$0] : nil }
        return Event(event, provenance: fact?.provenance ?? [:])
      }
      return Message(outcome: .events, events: events)
    case .deadLetter(let disposition, let reason, let field, let type):
      return Message(
        outcome: disposition == .refused ? .refused : .noHandoffFact,
        messageType: type.flatMap(IngestDraft.typeCode)?.description,
        reason: reason.description, field: field, explanation: error?.explanation, events: [])
    case .parked:
      return Message(
        outcome: .waiting, reason: "correlation.orphan",
        explanation: "it answers a message that no sample before it is", events: [])
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
      reason: event.reason?.description, occurredAt: RFC3339.text(event.occurredAt),
      provenance: provenance)
  }
}
