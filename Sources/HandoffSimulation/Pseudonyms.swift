internal import Crypto
internal import HandoffCore

/// Ids, tokens and patient keys, made of the seed as ingest makes them of its secrets: HMAC-SHA-256,
/// a key for each purpose, each part with its length before it.
struct Pseudonyms: Sendable {
  enum Purpose: String, CaseIterable {
    case patientKey, token, eventID, messageKey, contentMac, needKey
  }

  private let keys: [Purpose: SymmetricKey]

  init(seed: UInt64) {
    var keys: [Purpose: SymmetricKey] = [:]
    for purpose in Purpose.allCases {
      let text = "baton simulation \(seed) \(purpose.rawValue)"
      keys[purpose] = SymmetricKey(data: Array(SHA256.hash(data: Array(text.utf8))))
    }
    self.keys = keys
  }

  /// The key of a person: of an NHS number of the range for tests, or of a local id where the
  /// check digit says that no such number is given out.
  func patientKey(person number: UInt64) -> PatientKey {
    var parts = [Array("local".utf8), Array("RTH".utf8), Array("\(number)".utf8)]
    if number < 1_000_000, let nhs = Self.testNumber(number) {
      parts = [Array("nhs".utf8), Array(nhs.digits.utf8)]
    }
    guard let key = PatientKey(epoch: 1, hash: code(.patientKey, parts)) else {
      preconditionFailure("HMAC-SHA-256 has 32 bytes")
    }
    return key
  }

  /// A number from 999 000 0000 on; `nil` where its check digit would be 10.
  static func testNumber(_ number: UInt64) -> NHSNumber? {
    let rest = String(number)
    let nine = "999" + String(repeating: "0", count: max(0, 6 - rest.count)) + rest
    let weights = stride(from: UInt64(10), through: 2, by: -1)
    let sum = zip(nine.utf8, weights).reduce(UInt64(0)) { $0 + UInt64($1.0 - 48) * $1.1 }
    let check = (11 - sum % 11) % 11
    return check == 10 ? nil : try? NHSNumber("\(nine)\(check)")
  }

  func token(_ words: String...) -> Token {
    Token(rawValue: half(.token, words.map { Array($0.utf8) }))
  }

  func needKey(_ person: PatientKey, _ need: Code) -> Token {
    Token(
      rawValue: half(.needKey, [Array(person.description.utf8), Array(need.description.utf8)]))
  }

  func messageKey(_ message: String) -> Token {
    Token(rawValue: half(.messageKey, [Array(message.utf8)]))
  }

  /// UUIDv8 (RFC 9562 §5.8).
  func eventID(_ message: String, part: Int) -> EventID {
    let value = half(.eventID, [Array(message.utf8), Array("\(part)".utf8)])
    let mask: UInt128 = ~(0xf << 76 | 0b11 << 62)
    return EventID(rawValue: value & mask | 8 << 76 | 0b10 << 62)
  }

  /// Handoff, type, from, to, kind, priority, need and `occurredAt` to the minute (domain.md §2.1).
  func contentMac(_ event: HandoffEvent) -> Token {
    let fields: [String?] = [
      event.handoffID?.description, event.type.rawValue, event.from?.organisation.description,
      event.to?.organisation.description, event.kind?.description, event.priority?.description,
      event.needCode?.description, String(event.occurredAt.milliseconds / 60_000),
    ]
    return Token(rawValue: half(.contentMac, fields.map { Array(($0 ?? "").utf8) }))
  }

  /// UUIDv7 (RFC 9562 §5.7) of the moment of an arrival.
  static func receptionID(at time: Timestamp, _ chance: inout Chance) -> ReceptionID {
    let milliseconds = UInt128(UInt64(max(0, time.milliseconds)) & 0xffff_ffff_ffff)
    let (high, low) = (UInt128(chance.next() & 0xfff), UInt128(chance.next() >> 2))
    return ReceptionID(
      rawValue: milliseconds << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low)
  }

  private func half(_ purpose: Purpose, _ parts: [[UInt8]]) -> UInt128 {
    code(purpose, parts).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
  }

  private func code(_ purpose: Purpose, _ parts: [[UInt8]]) -> [UInt8] {
    guard let key = keys[purpose] else { preconditionFailure("every purpose has its key") }
    var bytes: [UInt8] = []
    for part in parts {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: part.count >> shift))
      }
      bytes += part
    }
    return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
  }
}
