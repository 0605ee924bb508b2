internal import Crypto
internal import Foundation
internal import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores
package import KafkaClient

/// An organisation outside the boundary, as ingest takes and tells.
package struct BoundaryOrganisation: Sendable {
  package var code: ODSCode
  /// Its connectors, held to what the organisation may say.
  package var connectors: [ConnectorConfiguration]
  package var hasOutbox: Bool
  let inbox: BoundarySeal
  let outbox: BoundarySeal

  /// `speaksFor` are the organisation itself and those that it is registered as agent for: whatever
  /// the connectors' own files say, nobody else's word is taken from it.
  package init(
    code: ODSCode, speaksFor: Set<ODSCode>, connectors: [ConnectorConfiguration], hasOutbox: Bool,
    ingest: BoundaryKeys, keys: BoundaryPublicKeys
  ) {
    self.code = code
    self.hasOutbox = hasOutbox
    self.connectors = connectors.map { connector in
      var connector = connector
      connector.speaksFor = .only(speaksFor)
      connector.principals = speaksFor
      return connector
    }
    inbox = BoundarySeal(.inbox, organisation: code, own: ingest, other: keys)
    outbox = BoundarySeal(.outbox, organisation: code, own: ingest, other: keys)
  }

  /// The topic that its connectors write.
  package var inboxTopic: String { TopicTable.inbox(organisation: code.description).name }
  /// The topic that its sinks read.
  package var outboxTopic: String { TopicTable.outbox(organisation: code.description).name }
}

/// Why a record of an inbox is a dead letter; also told as an alert about ourselves.
package enum InboxRefusal: String, CaseIterable, Hashable, Sendable {
  /// Larger than any frame that a connector of ours seals.
  case oversized = "inbox.oversized"
  /// No sealed frame at all.
  case damaged = "inbox.damaged"
  /// From a connector that is not registered for this organisation.
  case sourceUnknown = "inbox.source-unknown"
  /// Sealed to a key that ingest does not have.
  case recipientUnknown = "inbox.recipient-unknown"
  /// Sealed by somebody who is not this organisation.
  case senderUnknown = "inbox.sender-unknown"
  /// Altered, or taken from another organisation's inbox.
  case notAuthentic = "inbox.not-authentic"
  /// The very same record written again.
  case replayed = "inbox.replayed"
  /// Another content under a reception id that was taken already.
  case receptionReused = "inbox.reception-reused"

  package var code: Code { Code(rawValue) ?? inboxSource }
}

/// The source that stands in for one that cannot be believed.
private let inboxSource = ingestCode("inbox")

/// What one record of an inbox is: pure, but for the keys.
package struct InboxOpener: Sendable {
  /// What came out.
  package enum Result: Sendable {
    case frame(InboxFrame)
    case heartbeat(SourceHeartbeat)
    case refused(InboxFrame, InboxRefusal)
  }

  /// Bytes of a record's value that are looked at: brokers refuse more than 1 MiB.
  package static let valueByteCountMax = 1_200_000
  /// Bytes of a frame that a connector outside seals.
  package static let frameByteCountMax = 900_000

  private let organisations: [String: BoundaryOrganisation]
  private let sources: [String: [Code: ConnectorConfiguration]]
  private let contentCode: @Sendable ([UInt8]) -> Token

  /// `contentCode` is a keyed hash of a frame's bytes.
  package init(
    _ organisations: [BoundaryOrganisation], contentCode: @escaping @Sendable ([UInt8]) -> Token
  ) {
    self.organisations = Dictionary(
      organisations.map { ($0.inboxTopic, $0) }, uniquingKeysWith: { first, _ in first })
    sources = self.organisations.mapValues { organisation in
      Dictionary(
        organisation.connectors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
    self.contentCode = contentCode
  }

  /// The same with the keyed hash of these secrets.
  package init(_ organisations: [BoundaryOrganisation], secrets: Secrets) {
    let hashes = KeyedHashes(secrets)
    self.init(organisations) { hashes.frameMac($0) }
  }

  /// The inboxes.
  package var topics: [String] { organisations.keys.sorted() }

  /// Opens one record; whatever it holds, something comes out.
  package func open(_ record: KafkaRecord) -> Result? {
    guard let organisation = organisations[record.topic] else { return nil }
    guard (record.value?.count ?? 0) <= Self.valueByteCountMax else {
      return refused(record, organisation, .oversized)
    }
    guard let frame = try? WireCodec.sealedFrame(record.wire),
      record.key.map({ $0.elementsEqual(frame.source.description.utf8) }) ?? false
    else { return refused(record, organisation, .damaged) }
    guard sources[record.topic]?[frame.source] != nil else {
      return refused(record, organisation, .sourceUnknown)
    }
    let content: FrameContent
    do throws(BoundarySealError) {
      content = try frame.content(by: organisation.inbox)
    } catch {
      return refused(record, organisation, InboxRefusal(error), of: frame.source)
    }
    guard content.payload.count <= Self.frameByteCountMax else {
      return refused(record, organisation, .oversized, of: frame.source)
    }
    // Its clock may be off; what it says must not lie in our future.
    let receivedAt = min(content.receivedAt, Timestamp(milliseconds: record.timestampMilliseconds))
    if var heartbeat = content.heartbeat {
      heartbeat.source = frame.source
      heartbeat.at = receivedAt
      heartbeat.completeUpTo = heartbeat.completeUpTo.map { min($0, receivedAt) }
      return .heartbeat(heartbeat)
    }
    let new = NewFrame(
      source: frame.source, rail: frame.rail, receivedAt: receivedAt, bytes: content.payload,
      refusal: content.refusal.map { FrameRefusal(reason: $0, field: content.refusalField) },
      transport: content.headers)
    return .frame(
      InboxFrame(
        receptionID: frame.receptionID, frame: new, place: place(record),
        sealing: Self.sealing(frame.envelope), content: contentCode(content.payload),
        sealed: record.value ?? []))
  }

  /// A dead letter in the organisation's own name: a source that is not proved is not believed.
  private func refused(
    _ record: KafkaRecord, _ organisation: BoundaryOrganisation, _ refusal: InboxRefusal,
    of source: Code? = nil
  ) -> Result {
    let place = place(record)
    let name = Code("inbox.\(organisation.code.description.lowercased())") ?? inboxSource
    // What is too large for us is not kept; its length is all that there is to say of it.
    let sealed = refusal == .oversized ? [] : record.value ?? []
    let frame = NewFrame(
      source: source ?? name, rail: inboxSource,
      receivedAt: Timestamp(milliseconds: record.timestampMilliseconds), bytes: sealed,
      refusal: FrameRefusal(reason: refusal.code))
    return .refused(
      InboxFrame(
        receptionID: Outbox.letterID(of: place), frame: frame, place: place,
        sealing: Token(rawValue: 0), content: contentCode(sealed), sealed: sealed), refusal)
  }

  private func place(_ record: KafkaRecord) -> RecordCoordinates {
    RecordCoordinates(topic: record.topic, partition: record.partition, offset: record.offset)
  }

  /// HPKE makes a new key for each sealing, so that the same one means the same record.
  private static func sealing(_ envelope: SealedEnvelope) -> Token {
    let hash = SHA256.hash(data: Data(envelope.encapsulatedKey + envelope.ciphertext)).prefix(16)
    return Token(rawValue: hash.reduce(0) { $0 << 8 | UInt128($1) })
  }
}

extension InboxRefusal {
  init(_ error: BoundarySealError) {
    self =
      switch error {
      case .recipientUnknown: .recipientUnknown
      case .senderUnknown: .senderUnknown
      case .notAuthentic: .notAuthentic
      }
  }

  /// What must not be taken, as the outbox found it.
  init?(_ outcome: InboxOutcome) {
    switch outcome {
    case .replayed: self = .replayed
    case .reused: self = .receptionReused
    case .staged, .known, .redelivered: return nil
    }
  }
}
