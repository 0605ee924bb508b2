package import Crypto
import Foundation

extension Secrets {
  /// What a derived key is for; each has its own.
  ///
  /// This is the one table of purposes. A purpose added later changes none that is here: each key
  /// comes from its own ``info`` alone. What is not here needs no secret of ingest: alert ids are
  /// hashes over ids that are keyed already, and the reconciler holds no secret of persons; dead
  /// letters are sealed under a random key of their day, identity under a random key of its person
  /// (both in the key store); records are stamped under secrets of their own (`RecordSecrets`).
  package enum Purpose: String, CaseIterable, Sendable {
    /// Who a record is about: the Kafka key.
    case patientKey = "patient-key"
    /// What one message says, the same again for the same bytes.
    case eventID = "event-id"
    /// A sender's message id.
    case messageKey = "message-key"
    /// A business id or a local name, as it stands in events.
    case token = "token"
    /// A person's need.
    case needKey = "need-key"
    /// What a message says, whatever its id.
    case contentMac = "content-mac"
    /// Under what an id is looked up.
    case correlation = "correlation"
    /// A file of a drop folder.
    case fileClaim = "file-claim"
    /// A numbered request over HTTP.
    case requestClaim = "request-claim"
    /// Keys and ids of what organisations outside are told.
    case outbox = "outbox"
    /// The event that moves a person to the key of a new epoch.
    case rekey = "re-key"

    /// Counts up when the way of deriving or using this purpose changes; 1 has no suffix.
    var version: Int { 1 }

    /// A new epoch re-keys people, and nothing else.
    package var followsEpoch: Bool { self == .patientKey || self == .needKey }

    /// What HKDF gets as its info: names the purpose, its version and, where it follows one, the
    /// epoch.
    package func info(epoch: UInt16) -> String {
      let name = version == 1 ? rawValue : "\(rawValue);v=\(version)"
      return followsEpoch ? "\(name)/\(epoch)" : name
    }

    /// The key of this purpose: HKDF-SHA-256 (RFC 5869) of `secret`, 32 bytes.
    func key(from secret: SymmetricKey, epoch: UInt16) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: secret, salt: Data("baton.handoff.v1".utf8),
        info: Data(info(epoch: epoch).utf8), outputByteCount: 32)
    }
  }
}

/// The epochs of the patient keys, as the key store has them.
package struct EpochBook: Sendable, CustomStringConvertible, CustomReflectable {
  /// The epoch whose keys come from the master secret: the first.
  package var base: UInt16
  /// The epoch that new keys are made in.
  package var current: UInt16
  /// The secret of each later epoch.
  package var secrets: [UInt16: SymmetricKey]
  /// Earlier epochs that still have people, who move when they are met or when their turn comes.
  package var leaving: [UInt16]
  /// Whether the current epoch still fetches people from earlier ones by itself.
  package var isMoving: Bool
  /// When the current epoch began, in milliseconds since 1970.
  package var beganAt: Int64

  package init(
    base: UInt16, current: UInt16, secrets: [UInt16: SymmetricKey] = [:],
    leaving: [UInt16] = [], isMoving: Bool = false, beganAt: Int64 = 0
  ) {
    self.base = base
    self.current = current
    self.secrets = secrets
    self.leaving = leaving
    self.isMoving = isMoving
    self.beganAt = beganAt
  }

  package var description: String { "EpochBook(redacted, epoch \(current))" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
