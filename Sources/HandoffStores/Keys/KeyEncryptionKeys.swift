package import Crypto
import Foundation

/// Where a key-encryption key comes from.
package enum KeyEncryptionKeySource: Hashable, Sendable {
  /// A file of mode 600 or narrower.
  case file(String)
  /// A program and its arguments, such as the client of a key management service or of an HSM;
  /// it prints the key.
  ///
  /// It is run as it stands, without a shell; no secret belongs among the arguments.
  case command([String])
}

/// Why a key-encryption key is not to be had; names the key, never what it is.
package enum KeyEncryptionKeyError: Error, Hashable, Sendable, CustomStringConvertible {
  case file(id: String, SecretsError)
  /// Neither 64 hexadecimal digits nor 32 bytes in base64.
  case malformed(id: String)
  case commandNotFound(id: String)
  /// The command ended with this code.
  case commandFailed(id: String, code: Int32)
  case commandTimedOut(id: String, seconds: Int)
  /// The command printed more than a key is long.
  case commandPrintedTooMuch(id: String)
  /// Two ids name one key: rotating from one to the other would change nothing.
  case same(String, String)
  /// Neither the configuration nor the secrets file has any.
  case none
  /// The current one is not among those that are configured.
  case unknownCurrent(id: String)

  package var description: String {
    switch self {
    case .file(let id, let error): "key-encryption key \(id): \(error)"
    case .malformed(let id):
      "key-encryption key \(id): neither 64 hexadecimal digits nor 32 bytes in base64"
    case .commandNotFound(let id): "key-encryption key \(id): its command cannot be run"
    case .commandFailed(let id, let code):
      "key-encryption key \(id): its command ended with code \(code)"
    case .commandTimedOut(let id, let seconds):
      "key-encryption key \(id): its command did not end within \(seconds) s"
    case .commandPrintedTooMuch(let id):
      "key-encryption key \(id): its command printed more than a key"
    case .same(let one, let other): "key-encryption keys \(one) and \(other) are the same key"
    case .none: "no key-encryption key is configured, and the secrets file holds none"
    case .unknownCurrent(let id):
      "key-encryption key \(id) is to be the current one and is not among those configured"
    }
  }
}

/// The keys that wrap data keys: the current one, and older ones that rows may still be under.
///
/// Several at once let a rotation run while ingest works. Prints redacted.
package struct KeyEncryptionKeys: Sendable, CustomStringConvertible, CustomReflectable {
  /// The id of the key that stands in the secrets file, for a store that has no other.
  package static let ofSecretsFile = "secrets"

  /// The id of the one that new keys are wrapped with.
  package let current: String
  package let keys: [String: SymmetricKey]

  /// Takes keys by their ids, of which `current` must be one.
  package init(
    current: String, keys: [String: SymmetricKey]
  ) throws(KeyEncryptionKeyError) {
    guard keys[current] != nil else { throw .unknownCurrent(id: current) }
    let ids = keys.keys.sorted()
    for (index, one) in ids.enumerated() {
      for other in ids[(index + 1)...] where keys[one] == keys[other] {
        throw .same(one, other)
      }
    }
    self.current = current
    self.keys = keys
  }

  /// One key alone, as the secrets file holds it.
  package init(_ key: SymmetricKey) {
    current = Self.ofSecretsFile
    keys = [Self.ofSecretsFile: key]
  }

  /// Reads every source; the key of the secrets file is one of them where it is there.
  ///
  /// Blocks for as long as commands run: at most `timeout` each.
  package static func load(
    current: String?, sources: [String: KeyEncryptionKeySource], secrets: SymmetricKey?,
    timeout: Duration = .seconds(20)
  ) throws(KeyEncryptionKeyError) -> KeyEncryptionKeys {
    var keys: [String: SymmetricKey] = [:]
    keys[ofSecretsFile] = secrets
    for (id, source) in sources.sorted(by: { $0.key < $1.key }) {
      keys[id] = try load(id, source, timeout: timeout)
    }
    guard !keys.isEmpty else { throw .none }
    return try KeyEncryptionKeys(current: current ?? ofSecretsFile, keys: keys)
  }

  private static func load(
    _ id: String, _ source: KeyEncryptionKeySource, timeout: Duration
  ) throws(KeyEncryptionKeyError) -> SymmetricKey {
    let bytes: Data
    switch source {
    case .file(let path):
      do {
        bytes = try SecretFile.read(path: path)
      } catch {
        throw .file(id: id, error)
      }
    case .command(let words):
      bytes = try KeyCommand(id: id, words: words, timeout: timeout).run()
    }
    let text = String(decoding: bytes, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    if let key = Secrets.key(text) { return key }
    guard let raw = Data(base64Encoded: text), raw.count == 32 else { throw .malformed(id: id) }
    return SymmetricKey(data: raw)
  }

  package var description: String { "KeyEncryptionKeys(redacted, current \(current))" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
