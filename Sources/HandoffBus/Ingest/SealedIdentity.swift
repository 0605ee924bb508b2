package import Crypto
import Foundation
import HandoffCodecs
package import HandoffCore

/// What stands in the sealed field of an event: the person, and every raw id that outside is a
/// token only.
package struct SealedIdentity: Codable, Hashable, Sendable, CustomStringConvertible,
  CustomReflectable
{
  package struct Person: Codable, Hashable, Sendable {
    package var nhsNumber: String?
    package var nhsNumberStatus: String
    package var localIDs: [LocalID]
    package var familyName: String?
    package var givenName: String?
    package var birthDate: String?
    package var postcode: String?
  }

  package struct LocalID: Codable, Hashable, Sendable {
    package var value: String
    package var assigner: String?
    package var type: String?
  }

  package struct RawID: Codable, Hashable, Sendable {
    /// The place of the id in the event, such as `handoff` or `conversation`.
    package var role: String
    package var system: String
    package var value: String
    package var assigner: String?
  }

  package var person: Person?
  package var priorPerson: Person?
  package var messageID: String?
  package var ids: [RawID]
  /// Names of organisations that stand outside as tokens.
  package var organisations: [String]

  package var description: String { "SealedIdentity(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension SealedIdentity.Person: CustomStringConvertible, CustomReflectable {
  package var description: String { "Person(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  init(_ person: ClearPerson) {
    self.init(
      nhsNumber: person.nhsNumber?.digits, nhsNumberStatus: person.nhsNumberStatus.rawValue,
      localIDs: person.localIDs.map {
        .init(value: $0.value, assigner: $0.assigner, type: $0.type)
      },
      familyName: person.familyName, givenName: person.givenName, birthDate: person.birthDate,
      postcode: person.postcode)
  }
}

/// Seals and opens with AES-256-GCM; what is sealed is bound to where it stands.
package enum Sealer {
  /// The sealed field is altered, or was taken from another record, or the key is another's.
  package struct NotAuthentic: Error, Hashable, Sendable {
    package init() {}
  }

  /// Nonce, ciphertext and tag of `plain`.
  ///
  /// The nonce is 12 random bytes: of one key no more than 2³² are used.
  package static func seal(
    _ plain: [UInt8], with key: SymmetricKey, nonce: [UInt8], bound: [UInt8]
  ) -> [UInt8] {
    guard let nonce = try? AES.GCM.Nonce(data: nonce),
      let box = try? AES.GCM.seal(plain, using: key, nonce: nonce, authenticating: bound),
      let combined = box.combined
    else { preconditionFailure("a 256-bit key and a 12-byte nonce always seal") }
    return Array(combined)
  }

  package static func open(
    _ sealed: [UInt8], with key: SymmetricKey, bound: [UInt8]
  ) throws(NotAuthentic) -> [UInt8] {
    guard let box = try? AES.GCM.SealedBox(combined: sealed),
      let plain = try? AES.GCM.open(box, using: key, authenticating: bound)
    else { throw NotAuthentic() }
    return Array(plain)
  }

  /// Binds identity to its event: patient key, then event id.
  package static func binding(_ key: PatientKey, _ event: EventID) -> [UInt8] {
    Array(key.description.utf8) + event.bytes
  }

  /// Binds a dead letter's payload to its arrival.
  package static func binding(_ source: Code, _ reception: ReceptionID) -> [UInt8] {
    Array(source.description.utf8) + reception.bytes
  }

  /// Opens the sealed field of an event.
  package static func identity(
    of event: HandoffEvent, with key: SymmetricKey
  ) throws(NotAuthentic) -> SealedIdentity {
    let plain = try open(
      event.sealedIdentity, with: key, bound: binding(event.patientKey, event.id))
    guard let identity = try? JSONDecoder().decode(SealedIdentity.self, from: Data(plain)) else {
      throw NotAuthentic()
    }
    return identity
  }

  /// What is sealed: JSON with sorted keys.
  static func plain(_ identity: SealedIdentity) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(identity) else {
      preconditionFailure("strings always encode")
    }
    return Array(data)
  }
}
