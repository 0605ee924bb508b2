package import Crypto
import Foundation

/// The secrets that only ingest holds.
///
/// One master secret, from which every purpose gets its own key by HKDF-SHA-256, so that a token
/// can never be compared with an event id or a patient key; and the key-encryption key, which
/// wraps the data key of each person. Prints redacted.
package struct Secrets: Sendable, CustomStringConvertible, CustomReflectable {
  /// What a derived key is for; each has its own.
  package enum Purpose: String, CaseIterable, Sendable {
    case patientKey = "patient-key"
    case eventID = "event-id"
    case messageKey = "message-key"
    case token = "token"
    case needKey = "need-key"
    case contentMac = "content-mac"
    case correlation = "correlation"
    case fileClaim = "file-claim"
    case requestClaim = "request-claim"
    /// Keys and ids of what organisations outside are told.
    case outbox = "outbox"

    /// A new epoch re-keys people, and nothing else.
    var followsEpoch: Bool { self == .patientKey || self == .needKey }
  }

  /// Which secret the patient keys are made with, counted from 1.
  package let epoch: UInt16
  /// Wraps the data keys in the key store.
  package let keyEncryptionKey: SymmetricKey
  private let master: SymmetricKey
  private let derived: [Purpose: SymmetricKey]

  package init(master: SymmetricKey, keyEncryptionKey: SymmetricKey, epoch: UInt16) {
    self.master = master
    self.keyEncryptionKey = keyEncryptionKey
    self.epoch = epoch
    derived = Dictionary(
      uniqueKeysWithValues: Purpose.allCases.map { purpose in
        let info = purpose.followsEpoch ? "\(purpose.rawValue)/\(epoch)" : purpose.rawValue
        let key = HKDF<SHA256>.deriveKey(
          inputKeyMaterial: master, salt: Data("baton.handoff.v1".utf8), info: Data(info.utf8),
          outputByteCount: 32)
        return (purpose, key)
      })
  }

  /// New secrets from the system's randomness, epoch 1.
  package static func generate() -> Secrets {
    Secrets(
      master: SymmetricKey(size: .bits256), keyEncryptionKey: SymmetricKey(size: .bits256),
      epoch: 1)
  }

  /// HMAC-SHA-256 under the purpose's key over `parts`, each led by its length.
  ///
  /// The lengths keep ("ab", "c") and ("a", "bc") apart.
  package func code(_ purpose: Purpose, _ parts: [[UInt8]]) -> [UInt8] {
    guard let key = derived[purpose] else {
      preconditionFailure("every purpose has its key from the initialiser on")
    }
    var mac = HMAC<SHA256>(key: key)
    for part in parts {
      var count = UInt64(part.count).bigEndian
      Swift.withUnsafeBytes(of: &count) { mac.update(data: Data($0)) }
      mac.update(data: part)
    }
    return Array(mac.finalize())
  }

  package var description: String { "Secrets(redacted, epoch \(epoch))" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is wrong with a secrets file, all of it at once.
package enum SecretsError: Error, Hashable, Sendable, CustomStringConvertible {
  case missing(path: String)
  /// Somebody other than the owner may read or write it.
  case tooOpen(path: String, mode: UInt16)
  case unreadable(path: String)
  case notWritable(path: String)
  /// Each fault names its field, and never holds its value.
  case invalid(path: String, faults: [String])

  package var description: String {
    switch self {
    case .missing(let path): "secrets file \(path) does not exist"
    case .tooOpen(let path, let mode):
      "secrets file \(path) has mode \(String(mode, radix: 8)): it must be 600 or narrower"
    case .unreadable(let path): "secrets file \(path) cannot be read"
    case .notWritable(let path): "secrets file \(path) cannot be written, or exists already"
    case .invalid(let path, let faults):
      "secrets file \(path): " + faults.joined(separator: "; ")
    }
  }
}

extension Secrets {
  /// The file: JSON, hexadecimal keys.
  private struct Document: Codable {
    var version: Int?
    var epoch: Int?
    var masterSecret: String?
    var keyEncryptionKey: String?
  }

  /// Reads a secrets file; refuses one that others may read.
  package static func load(path: String) throws(SecretsError) -> Secrets {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path)
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path)
    }
    // The opened file is asked, not the path: it cannot be exchanged in between.
    guard status.st_mode & 0o177 == 0 else {
      throw .tooOpen(path: path, mode: UInt16(truncatingIfNeeded: status.st_mode & 0o777))
    }
    guard let data = try? handle.read(upToCount: 65_536) else { throw .unreadable(path: path) }
    guard let document = try? JSONDecoder().decode(Document.self, from: data) else {
      throw .invalid(path: path, faults: ["not a JSON object of the expected fields"])
    }
    return try decode(document, path: path)
  }

  private static func decode(
    _ document: Document, path: String
  ) throws(SecretsError) -> Secrets {
    var faults: [String] = []
    if document.version != 1 { faults.append("version: must be 1") }
    let epoch = document.epoch.flatMap(UInt16.init(exactly:)).flatMap { $0 > 0 ? $0 : nil }
    if epoch == nil { faults.append("epoch: must be 1 to 65535") }
    let master = document.masterSecret.flatMap(key)
    if master == nil { faults.append("masterSecret: must be 64 hexadecimal digits") }
    let wrapping = document.keyEncryptionKey.flatMap(key)
    if wrapping == nil { faults.append("keyEncryptionKey: must be 64 hexadecimal digits") }
    guard faults.isEmpty, let epoch, let master, let wrapping else {
      throw .invalid(path: path, faults: faults)
    }
    guard master != wrapping else {
      throw .invalid(path: path, faults: ["masterSecret and keyEncryptionKey must differ"])
    }
    return Secrets(master: master, keyEncryptionKey: wrapping, epoch: epoch)
  }

  /// Writes a new file with mode 0600; never replaces one.
  package func write(path: String) throws(SecretsError) {
    let document = Document(
      version: 1, epoch: Int(epoch), masterSecret: Self.digits(master),
      keyEncryptionKey: Self.digits(keyEncryptionKey))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(document) else { throw .notWritable(path: path) }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .notWritable(path: path) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: data)
      try handle.synchronize()
    } catch {
      throw .notWritable(path: path)
    }
  }

  private static func key(_ digits: String) -> SymmetricKey? {
    guard digits.utf8.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var rest = Substring(digits)
    while !rest.isEmpty {
      guard let byte = UInt8(rest.prefix(2), radix: 16), rest.first != "+" else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return SymmetricKey(data: bytes)
  }

  private static func digits(_ key: SymmetricKey) -> String {
    key.withUnsafeBytes { bytes in
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
