import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores

/// Every pseudonym that ingest makes: always keyed, each purpose under its own secret.
///
/// There is no unkeyed hash over anything that could hold an identity (architecture.md, "Three
/// hashes").
struct KeyedHashes: Sendable {
  private let secrets: Secrets

  init(_ secrets: Secrets) {
    self.secrets = secrets
  }

  /// HMAC of the NHS number.
  func patientKey(_ number: NHSNumber) -> PatientKey { patientKey(Self.basis(number)) }

  /// HMAC of a local id and the organisation that gave it.
  func patientKey(_ id: ClearPerson.LocalID) -> PatientKey { patientKey(Self.basis(id)) }

  /// What the key of an NHS number is the hash of.
  static func basis(_ number: NHSNumber) -> PersonBasis {
    PersonBasis(parts: [Array("nhs".utf8), Array(number.digits.utf8)])
  }

  /// What the key of a local id is the hash of.
  static func basis(_ id: ClearPerson.LocalID) -> PersonBasis {
    PersonBasis(parts: [
      Array("local".utf8), Array((id.assigner ?? "").utf8), Array(id.value.utf8),
    ])
  }

  /// The key of a person in `epoch`; without it in the current one.
  func patientKey(_ basis: PersonBasis, epoch: UInt16? = nil) -> PatientKey {
    let hash = secrets.code(.patientKey, basis.parts, epoch: epoch)
    guard let key = PatientKey(epoch: epoch ?? secrets.epoch, hash: hash) else {
      preconditionFailure("HMAC-SHA-256 has 32 bytes")
    }
    return key
  }

  /// The epoch that keys are made in.
  var epoch: UInt16 { secrets.epoch }

  /// Every epoch whose keys can be made, the oldest first.
  var epochs: [UInt16] { secrets.epochs }

  /// Id of the event that moves `old` to `new`, and of its only arrival: the same after a crash.
  func rekey(_ old: PatientKey, to new: PatientKey) -> (event: EventID, reception: ReceptionID) {
    let parts = [Array(old.description.utf8), Array(new.description.utf8)]
    return (
      EventID(rawValue: Self.uuid8(half(.rekey, [Array("event".utf8)] + parts))),
      ReceptionID(rawValue: Self.uuid8(half(.rekey, [Array("reception".utf8)] + parts)))
    )
  }

  /// The token of a business id: of namespace and value, wherever it was read.
  func token(_ reference: RawReference) -> Token {
    Token(
      rawValue: half(
        .token, [Array((reference.assigner ?? "").utf8), Array(reference.value.utf8)]))
  }

  /// The token of an organisation that only its sender has a name for.
  func organisation(_ name: String) -> Token {
    Token(rawValue: half(.token, [Array("organisation".utf8), [], Array(name.utf8)]))
  }

  /// The name of a message, as its answers have it: within one handoff its id tells it apart, and
  /// the two sides need not agree on whose it is.
  func messageName(_ reference: RawReference) -> Token {
    Token(rawValue: half(.token, [Array("message".utf8), [], Array(reference.value.utf8)]))
  }

  func handoff(_ reference: RawReference) -> HandoffID {
    HandoffID(rawValue: token(reference).rawValue)
  }

  /// Under what an id is looked up in the correlation table.
  func correlation(_ reference: RawReference) -> Token {
    Token(
      rawValue: half(
        .correlation,
        [Array("id".utf8), Array((reference.assigner ?? "").utf8), Array(reference.value.utf8)]))
  }

  /// The same for an answer whose namespace is not the one that the request was sent under.
  func correlation(_ reference: RawReference, of source: Code) -> Token {
    Token(
      rawValue: half(
        .correlation,
        [Array("source".utf8), Array(source.description.utf8), Array(reference.value.utf8)]))
  }

  /// Under what a local id of a person is looked up.
  func correlation(_ id: ClearPerson.LocalID) -> Token {
    Token(
      rawValue: half(
        .correlation,
        [Array("person".utf8), Array((id.assigner ?? "").utf8), Array(id.value.utf8)]))
  }

  /// Under what the correlation table keeps that a key has given its place to another.
  func correlation(link old: PatientKey) -> Token {
    Token(rawValue: half(.correlation, [Array("link".utf8), Array(old.description.utf8)]))
  }

  /// UUIDv8 (RFC 9562 §5.8) of what the source sent.
  func eventID(of message: SourceMessage, part: String) -> EventID {
    let value = half(.eventID, message.name + [message.bytes, Array(part.utf8)])
    return EventID(rawValue: Self.uuid8(value))
  }

  private static func uuid8(_ value: UInt128) -> UInt128 {
    let version: UInt128 = 8 << 76
    let variant: UInt128 = 0b10 << 62
    let mask: UInt128 = ~(0xf << 76 | 0b11 << 62)
    return value & mask | version | variant
  }

  /// The key of A03; `nil` where the message has no id of its own.
  func messageKey(of message: SourceMessage) -> Token? {
    message.id == nil ? nil : Token(rawValue: half(.messageKey, message.name))
  }

  /// The content code of a whole message, for the sources topic.
  func frameMac(_ bytes: [UInt8]) -> Token {
    Token(rawValue: half(.contentMac, [Array("frame".utf8), bytes]))
  }

  /// Equal for two referrals of one need (domain.md §2.1).
  func needKey(_ person: PatientKey, need: Code) -> Token {
    Token(
      rawValue: half(
        .needKey, [Array(person.description.utf8), Array(need.description.utf8)]))
  }

  /// Handoff, type, from, to, kind, priority, need and `occurredAt` to the minute, and no more.
  func contentMac(_ event: HandoffEvent) -> Token {
    let minutes = event.occurredAt.milliseconds / 60_000
    let fields: [String?] = [
      event.handoffID?.description, event.type.rawValue, event.from?.organisation.description,
      event.to?.organisation.description, event.kind?.description, event.priority?.description,
      event.needCode?.description, String(minutes),
    ]
    // An absent field and an empty one are the same: no field here can be empty.
    return Token(rawValue: half(.contentMac, fields.map { Array(($0 ?? "").utf8) }))
  }

  /// What a numbered request is known by: its sender and number, and what it asks for.
  func claim(
    _ request: RequestIdentity, of principal: ODSCode?, source: Code, bytes: [UInt8]
  ) -> RequestClaim {
    let sender = [source.description, principal?.description ?? ""].map { Array($0.utf8) }
    return RequestClaim(
      key: secrets.code(.requestClaim, [Array("key".utf8)] + sender + [Array(request.id.utf8)]),
      content: secrets.code(
        .requestClaim, [Array("content".utf8), Array(request.target.utf8), bytes]))
  }
  /// What stands outside for something that one organisation is told.
  func outbox(_ parts: [[UInt8]]) -> Token { Token(rawValue: half(.outbox, parts)) }

  /// What tells a file of a drop folder from every other.
  func claim(_ parts: [[UInt8]]) -> FileClaim {
    FileClaim(bytes: secrets.code(.fileClaim, parts))
  }

  /// The first 128 bits: HMAC-SHA-256-128.
  private func half(_ purpose: Secrets.Purpose, _ parts: [[UInt8]]) -> UInt128 {
    secrets.code(purpose, parts).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
  }
}

/// What a source sent, as far as ids are made of it.
struct SourceMessage: Sendable {
  var organisation: String
  var system: String
  var id: String?
  var type: String
  var bytes: [UInt8]

  var name: [[UInt8]] {
    [organisation, system, id ?? "", type].map { Array($0.utf8) }
  }
}
