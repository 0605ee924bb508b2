import Crypto

/// One thing that happened in the handoff of a person, with every identifier of domain.md §2.1.
///
/// Nothing here holds an NHS number, a name or free text: ids are keyed hashes, the rest is codes,
/// and identity is in ``sealedIdentity``, which only ingest can open.
public struct HandoffEvent: Hashable, Sendable {
  /// Deterministic from what the source sent: equal for a sender's repeat.
  public var id: EventID
  /// This arrival: equal only for our own redelivery.
  public var receptionID: ReceptionID
  public var type: EventType
  /// The person; equal to the Kafka key of the record.
  public var patientKey: PatientKey
  /// The handoff, for events of its lifecycle; `nil` for events of the person's stay, and for
  /// lifecycle evidence that no request is known for.
  public var handoffID: HandoffID?

  /// Sender organisation, system, message id and message type under a keyed hash: the key of A03.
  public var messageKey: Token?
  /// HMAC over handoff token, type, from, to, kind, priority, need group and `occurredAt` to the
  /// minute (domain.md §2.1): what a re-send under another id has in common with the first.
  public var contentMac: Token
  /// The ids of other systems, as keyed hashes.
  public var externalReferences: [ExternalReference] = []
  public var conversationID: Token?
  public var journeyID: Token?
  public var causationID: EventID?
  /// The handoff or document version this one replaces.
  public var supersedes: Token?
  /// What an answer to this message names (MSH-10, `Bundle.id`), as a keyed hash: the version of
  /// the request that this one makes; of requests and amendments only.
  public var version: Token?
  /// Which message this one answers (MSA-2, `MessageHeader.response.identifier`), as a keyed hash:
  /// the ``version`` that an answer is about.
  public var answers: Token?
  public var parentHandoffID: HandoffID?
  /// Where a redirection went (`Redirected`).
  public var newHandoffID: HandoffID?
  /// The key a merge moves a person to (`PatientMerged`, `IdentityLinked`).
  public var newPatientKey: PatientKey?

  public var speaker: SpeakerRole
  /// The organisation that says it; `nil` where only the platform does.
  public var spokenBy: OrganisationID?
  public var from: Party?
  public var to: Party?
  public var cc: [Party] = []

  public var kind: HandoffKind?
  public var priority: Priority?
  public var needCode: Code?
  /// HMAC of person, need and site: equal for two referrals of one need.
  public var needKey: Token?

  /// When it happened, as the source says (EVN-2, event[x]); the start of clinical clocks.
  public var occurredAt: Timestamp
  /// When the message was made (MSH-7, lastUpdated).
  public var recordedAt: Timestamp?
  /// The source's sequence number (MSH-13), where it keeps one.
  public var sequence: UInt64?
  /// History loaded later: arms no transport clock.
  public var isBackfill = false

  /// Why: a rejection reason, a transport code such as `408` or `mesh:14`, a disposition.
  public var reason: Code?
  /// What came of it (`Completed`).
  public var outcome: Code?
  /// The appointment's start (`Booked`).
  public var bookedFor: Timestamp?
  /// Discharge Ready Date (`ReadyForDischarge`).
  public var dischargeReadyAt: Timestamp?
  /// Discharge pathway 0 to 3.
  public var dischargePathway: UInt8?
  /// Whether the sender is owed feedback; `nil` leaves it to the policy for the kind.
  public var isFeedbackOwed: Bool?

  /// The connector that took it in.
  public var source: Code
  /// How it travelled: `mllp`, `bars`, `mesh`, `file`, `ndjson`.
  public var rail: Code
  public var payloadReference: Token?
  public var classification: Code?
  /// Identity and raw business ids under AES-256-GCM with the person's data key.
  public var sealedIdentity: [UInt8] = []
  /// Where the record stood before a merge forwarded it.
  public var original: RecordCoordinates?
  /// The broker's time of that record.
  public var originalAt: Timestamp?

  /// Makes an event of its mandatory parts; the rest is set by name.
  public init(
    id: EventID, receptionID: ReceptionID, type: EventType, patientKey: PatientKey,
    handoffID: HandoffID?, contentMac: Token, speaker: SpeakerRole, spokenBy: OrganisationID?,
    occurredAt: Timestamp, source: Code, rail: Code
  ) {
    self.id = id
    self.receptionID = receptionID
    self.type = type
    self.patientKey = patientKey
    self.handoffID = handoffID
    self.contentMac = contentMac
    self.speaker = speaker
    self.spokenBy = spokenBy
    self.occurredAt = occurredAt
    self.source = source
    self.rail = rail
  }
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

  /// The half that a reducer keeps, and zeros (decision 0155).
  public init(prefix: RecordHashPrefix) { self.init(high: prefix.rawValue, low: 0) }

  /// The leftmost 128 bits.
  public var prefix: RecordHashPrefix { RecordHashPrefix(rawValue: high) }

  public var bytes: [UInt8] { Token(rawValue: high).bytes + Token(rawValue: low).bytes }
  public var description: String { hexadecimal(bytes) }
  public static func < (left: Self, right: Self) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}
