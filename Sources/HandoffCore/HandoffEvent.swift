import Crypto

/// One thing that happened in the handoff of a person, with every identifier of domain.md §2.1.
///
/// Nothing here holds an NHS number, a name or free text: ids are keyed hashes, the rest is codes,
/// and identity is in ``sealedIdentity``, which only ingest can open.
public struct HandoffEvent: Hashable, Sendable {
  /// One reference: an event is handed on many times between being read and being judged.
  private var contents: Contents

  /// Deterministic from what the source sent: equal for a sender's repeat.
  public var id: EventID {
    get { contents.fields.id }
    set { change { $0.id = newValue } }
  }
  /// This arrival: equal only for our own redelivery.
  public var receptionID: ReceptionID {
    get { contents.fields.receptionID }
    set { change { $0.receptionID = newValue } }
  }
  public var type: EventType {
    get { contents.fields.type }
    set { change { $0.type = newValue } }
  }
  /// The person; equal to the Kafka key of the record.
  public var patientKey: PatientKey {
    get { contents.fields.patientKey }
    set { change { $0.patientKey = newValue } }
  }
  /// The handoff, for events of its lifecycle; `nil` for events of the person's stay, and for
  /// lifecycle evidence that no request is known for.
  public var handoffID: HandoffID? {
    get { contents.fields.handoffID }
    set { change { $0.handoffID = newValue } }
  }

  /// Sender organisation, system, message id and message type under a keyed hash: the key of A03.
  public var messageKey: Token? {
    get { contents.fields.messageKey }
    set { change { $0.messageKey = newValue } }
  }
  /// HMAC over handoff token, type, from, to, kind, priority, need group and `occurredAt` to the
  /// minute (domain.md §2.1): what a re-send under another id has in common with the first.
  public var contentMac: Token {
    get { contents.fields.contentMac }
    set { change { $0.contentMac = newValue } }
  }
  /// The ids of other systems, as keyed hashes.
  public var externalReferences: [ExternalReference] {
    get { contents.fields.externalReferences }
    set { change { $0.externalReferences = newValue } }
  }
  public var conversationID: Token? {
    get { contents.fields.conversationID }
    set { change { $0.conversationID = newValue } }
  }
  public var journeyID: Token? {
    get { contents.fields.journeyID }
    set { change { $0.journeyID = newValue } }
  }
  public var causationID: EventID? {
    get { contents.fields.causationID }
    set { change { $0.causationID = newValue } }
  }
  /// The handoff or document version this one replaces.
  public var supersedes: Token? {
    get { contents.fields.supersedes }
    set { change { $0.supersedes = newValue } }
  }
  /// What an answer to this message names (MSH-10, `Bundle.id`), as a keyed hash: the version of
  /// the request that this one makes; of requests and amendments only.
  public var version: Token? {
    get { contents.fields.version }
    set { change { $0.version = newValue } }
  }
  /// Which message this one answers (MSA-2, `MessageHeader.response.identifier`), as a keyed hash:
  /// the ``version`` that an answer is about.
  public var answers: Token? {
    get { contents.fields.answers }
    set { change { $0.answers = newValue } }
  }
  public var parentHandoffID: HandoffID? {
    get { contents.fields.parentHandoffID }
    set { change { $0.parentHandoffID = newValue } }
  }
  /// Where a redirection went (`Redirected`).
  public var newHandoffID: HandoffID? {
    get { contents.fields.newHandoffID }
    set { change { $0.newHandoffID = newValue } }
  }
  /// The key a merge moves a person to (`PatientMerged`, `IdentityLinked`).
  public var newPatientKey: PatientKey? {
    get { contents.fields.newPatientKey }
    set { change { $0.newPatientKey = newValue } }
  }

  public var speaker: SpeakerRole {
    get { contents.fields.speaker }
    set { change { $0.speaker = newValue } }
  }
  /// The organisation that says it; `nil` where only the platform does.
  public var spokenBy: OrganisationID? {
    get { contents.fields.spokenBy }
    set { change { $0.spokenBy = newValue } }
  }
  public var from: Party? {
    get { contents.fields.from }
    set { change { $0.from = newValue } }
  }
  public var to: Party? {
    get { contents.fields.to }
    set { change { $0.to = newValue } }
  }
  public var cc: [Party] {
    get { contents.fields.cc }
    set { change { $0.cc = newValue } }
  }

  public var kind: HandoffKind? {
    get { contents.fields.kind }
    set { change { $0.kind = newValue } }
  }
  public var priority: Priority? {
    get { contents.fields.priority }
    set { change { $0.priority = newValue } }
  }
  public var needCode: Code? {
    get { contents.fields.needCode }
    set { change { $0.needCode = newValue } }
  }
  /// HMAC of person, need and site: equal for two referrals of one need.
  public var needKey: Token? {
    get { contents.fields.needKey }
    set { change { $0.needKey = newValue } }
  }

  /// When it happened, as the source says (EVN-2, event[x]); the start of clinical clocks.
  public var occurredAt: Timestamp {
    get { contents.fields.occurredAt }
    set { change { $0.occurredAt = newValue } }
  }
  /// When the message was made (MSH-7, lastUpdated).
  public var recordedAt: Timestamp? {
    get { contents.fields.recordedAt }
    set { change { $0.recordedAt = newValue } }
  }
  /// The source's sequence number (MSH-13), where it keeps one.
  public var sequence: UInt64? {
    get { contents.fields.sequence }
    set { change { $0.sequence = newValue } }
  }
  /// History loaded later: arms no transport clock.
  public var isBackfill: Bool {
    get { contents.fields.isBackfill }
    set { change { $0.isBackfill = newValue } }
  }

  /// Why: a rejection reason, a transport code such as `408` or `mesh:14`, a disposition.
  public var reason: Code? {
    get { contents.fields.reason }
    set { change { $0.reason = newValue } }
  }
  /// What came of it (`Completed`).
  public var outcome: Code? {
    get { contents.fields.outcome }
    set { change { $0.outcome = newValue } }
  }
  /// The appointment's start (`Booked`).
  public var bookedFor: Timestamp? {
    get { contents.fields.bookedFor }
    set { change { $0.bookedFor = newValue } }
  }
  /// Discharge Ready Date (`ReadyForDischarge`).
  public var dischargeReadyAt: Timestamp? {
    get { contents.fields.dischargeReadyAt }
    set { change { $0.dischargeReadyAt = newValue } }
  }
  /// Discharge pathway 0 to 3.
  public var dischargePathway: UInt8? {
    get { contents.fields.dischargePathway }
    set { change { $0.dischargePathway = newValue } }
  }
  /// Whether the sender is owed feedback; `nil` leaves it to the policy for the kind.
  public var isFeedbackOwed: Bool? {
    get { contents.fields.isFeedbackOwed }
    set { change { $0.isFeedbackOwed = newValue } }
  }

  /// The connector that took it in.
  public var source: Code {
    get { contents.fields.source }
    set { change { $0.source = newValue } }
  }
  /// How it travelled: `mllp`, `bars`, `mesh`, `file`, `ndjson`.
  public var rail: Code {
    get { contents.fields.rail }
    set { change { $0.rail = newValue } }
  }
  public var payloadReference: Token? {
    get { contents.fields.payloadReference }
    set { change { $0.payloadReference = newValue } }
  }
  public var classification: Code? {
    get { contents.fields.classification }
    set { change { $0.classification = newValue } }
  }
  /// Identity and raw business ids under AES-256-GCM with the person's data key.
  public var sealedIdentity: [UInt8] {
    get { contents.fields.sealedIdentity }
    set { change { $0.sealedIdentity = newValue } }
  }
  /// Where the record stood before a merge forwarded it.
  public var original: RecordCoordinates? {
    get { contents.fields.original }
    set { change { $0.original = newValue } }
  }
  /// The broker's time of that record.
  public var originalAt: Timestamp? {
    get { contents.fields.originalAt }
    set { change { $0.originalAt = newValue } }
  }

  /// Makes an event of its mandatory parts; the rest is set by name.
  public init(
    id: EventID, receptionID: ReceptionID, type: EventType, patientKey: PatientKey,
    handoffID: HandoffID?, contentMac: Token, speaker: SpeakerRole, spokenBy: OrganisationID?,
    occurredAt: Timestamp, source: Code, rail: Code
  ) {
    self.init(
      Fields(
        id: id, receptionID: receptionID, type: type, patientKey: patientKey,
        handoffID: handoffID, contentMac: contentMac, speaker: speaker, spokenBy: spokenBy,
        occurredAt: occurredAt, source: source, rail: rail))
  }

  /// Makes an event of fields that a reader filled.
  package init(_ fields: Fields) { contents = Contents(fields) }

  private final class Contents: Sendable {
    let fields: Fields

    init(_ fields: Fields) { self.fields = fields }
  }

  private mutating func change(_ change: (inout Fields) -> Void) {
    var fields = contents.fields
    change(&fields)
    contents = Contents(fields)
  }

  public static func == (left: HandoffEvent, right: HandoffEvent) -> Bool {
    left.contents === right.contents || left.contents.fields == right.contents.fields
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(contents.fields) }
}

/// An id that another system gave, as a keyed hash.
public struct ExternalReference: Hashable, Sendable {
  /// What kind of id it is, such as `RF1-6`, `PV1-19` or `ServiceRequest.identifier`.
  public var system: Code
  public var token: Token
  public var assigner: OrganisationID?

  public init(system: Code, token: Token, assigner: OrganisationID? = nil) {
    self.system = system
    self.token = token
    self.assigner = assigner
  }
}

/// Where a record stands in a topic.
public struct RecordCoordinates: Hashable, Sendable {
  public var topic: String
  public var partition: Int32
  public var offset: Int64

  public init(topic: String, partition: Int32, offset: Int64) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }
}

/// SHA-256 of the stored bytes of a record: for proofs and evidence (architecture.md, three hashes).
public struct RecordHash: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The two halves, most significant byte first.
  public let high: UInt128
  public let low: UInt128

  /// Takes 32 bytes; `nil` for any other count.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32,
      let high = Token(bytes: bytes.prefix(16)), let low = Token(bytes: bytes.dropFirst(16))
    else { return nil }
    self.high = high.rawValue
    self.low = low.rawValue
  }

  /// Takes a digest, whose 32 bytes its type promises.
  init(_ digest: SHA256.Digest) {
    // The digest's own bytes: walking it as a sequence costs as much as the hash.
    (high, low) = unsafe digest.withUnsafeBytes { bytes in
      unsafe (
        UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt128.self)),
        UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt128.self))
      )
    }
  }

  public var bytes: [UInt8] { Token(rawValue: high).bytes + Token(rawValue: low).bytes }
  public var description: String { hexadecimal(bytes) }
  public static func < (left: Self, right: Self) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}
