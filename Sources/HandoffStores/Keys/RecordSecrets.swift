package import Crypto
import Foundation
package import HandoffCore

/// The secrets under which the bus's own writers stamp their records.
///
/// Ingest, reconciler, audit and administrators hold this file; connectors and sinks do not. It has
/// nothing in common with ``Secrets``: who can check a record can derive no patient key. Several
/// secrets may be known at once, so that one can be exchanged while the bus runs: give the new one
/// to every reader first, then make it current. Prints redacted.
package struct RecordSecrets: Sendable, CustomStringConvertible, CustomReflectable {
  /// The secrets by id: 1 to 16 lower-case letters and digits.
  package private(set) var secrets: [String: SymmetricKey]
  /// The id of the one that is written with.
  package private(set) var current: String
  /// Records of before this moment may lack a stamp: they are older than the secrets.
  package var unstampedBefore: Timestamp?

  /// New secrets from the system's randomness.
  package static func generate(unstampedBefore: Timestamp? = nil) -> RecordSecrets {
    var made = RecordSecrets(secrets: [:], current: "", unstampedBefore: unstampedBefore)
    made.current = made.add()
    return made
  }

  package init(
    secrets: [String: SymmetricKey], current: String, unstampedBefore: Timestamp? = nil
  ) {
    self.secrets = secrets
    self.current = current
    self.unstampedBefore = unstampedBefore
  }

  /// Adds a secret that is checked with and not yet written with; returns its id.
  @discardableResult
  package mutating func add() -> String {
    var number = secrets.count + 1
    while secrets["k\(number)"] != nil { number += 1 }
    secrets["k\(number)"] = SymmetricKey(size: .bits256)
    return "k\(number)"
  }

  /// Writes with the secret `id` from now on; false where there is none of that id.
  package mutating func activate(_ id: String) -> Bool {
    guard secrets[id] != nil else { return false }
    current = id
    return true
  }

  /// Forgets the secret `id`: what was stamped with it counts as forged from then on.
  ///
  /// False where there is none, or it is the current one.
  package mutating func remove(_ id: String) -> Bool {
    guard id != current else { return false }
    return secrets.removeValue(forKey: id) != nil
  }

  package var description: String { "RecordSecrets(redacted, current \(current))" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension RecordSecrets {
  /// The file: JSON, hexadecimal secrets.
  private struct Document: Codable {
    struct Entry: Codable {
      var id: String
      var secret: String
    }

    var version: Int?
    var current: String?
    var secrets: [Entry]?
    /// Milliseconds since 1970.
    var unstampedBefore: Int64?
  }

  /// Reads a file; refuses one that others may read.
  package static func load(path: String) throws(SecretsError) -> RecordSecrets {
    let data = try SecretFile.read(path: path)
    guard let document = try? JSONDecoder().decode(Document.self, from: data) else {
      throw .invalid(path: path, faults: ["not a JSON object of the expected fields"])
    }
    var faults: [String] = []
    if document.version != 1 { faults.append("version: must be 1") }
    var secrets: [String: SymmetricKey] = [:]
    for (index, entry) in (document.secrets ?? []).enumerated() {
      guard isID(entry.id), secrets[entry.id] == nil else {
        faults.append("secrets[\(index)].id: must be 1 to 16 of a-z, 0-9, and no other's")
        continue
      }
      guard let bytes = bytes(ofDigits: entry.secret), bytes.count == 32 else {
        faults.append("secrets[\(index)].secret: must be 64 hexadecimal digits")
        continue
      }
      secrets[entry.id] = SymmetricKey(data: bytes)
    }
    if secrets.isEmpty, faults.isEmpty { faults.append("secrets: must hold one at least") }
    let current = document.current ?? ""
    if faults.isEmpty, secrets[current] == nil { faults.append("current: must be one of the ids") }
    guard faults.isEmpty else { throw .invalid(path: path, faults: faults) }
    return RecordSecrets(
      secrets: secrets, current: current,
      unstampedBefore: document.unstampedBefore.map { Timestamp(milliseconds: $0) })
  }

  /// Writes a new file with mode 0600; never replaces one.
  package func write(path: String) throws(SecretsError) {
    try SecretFile.create(path: path, try encoded(path))
  }

  /// Replaces the file, whole or not at all.
  package func replace(path: String) throws(SecretsError) {
    try SecretFile.replace(path: path, try encoded(path))
  }

  private func encoded(_ path: String) throws(SecretsError) -> Data {
    let entries = secrets.sorted { $0.key < $1.key }.map { id, secret in
      Document.Entry(id: id, secret: secret.withUnsafeBytes { hexadecimal($0) })
    }
    let document = Document(
      version: 1, current: current, secrets: entries,
      unstampedBefore: unstampedBefore?.milliseconds)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(document) else { throw .notWritable(path: path) }
    return data
  }

  private static func isID(_ text: String) -> Bool {
    (1...16).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
  }

  private static func bytes(ofDigits digits: String) -> [UInt8]? {
    let text = Array(digits.utf8)
    guard text.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: text.count, by: 2).reduce(into: [UInt8]?([])) { bytes, index in
      let pair = String(decoding: text[index...index + 1], as: UTF8.self)
      guard !pair.hasPrefix("+"), let byte = UInt8(pair, radix: 16) else { return bytes = nil }
      bytes?.append(byte)
    }
  }
}
