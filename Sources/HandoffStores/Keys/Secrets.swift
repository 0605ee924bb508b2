package import Crypto
import Foundation

/// The secrets that only ingest holds.
///
/// One master secret, from which every purpose gets its own key by HKDF-SHA-256, so that a token
/// can never be compared with an event id or a patient key. The keys of people come from the
/// secret of their epoch: the master for the first, one of its own for each later (``EpochBook``).
/// Prints redacted.
package struct Secrets: Sendable, CustomStringConvertible, CustomReflectable {
  /// The epoch that patient keys are made in, counted from 1.
  package let epoch: UInt16
  /// Wraps the data keys in the key store, where no other is configured.
  package let keyEncryptionKey: SymmetricKey?
  /// The epoch of the file, whose keys come from the master.
  package let baseEpoch: UInt16
  private let master: SymmetricKey
  private let derived: [Purpose: SymmetricKey]
  private let ofEpochs: [UInt16: [Purpose: SymmetricKey]]

  package init(master: SymmetricKey, keyEncryptionKey: SymmetricKey?, epoch: UInt16) {
    self.init(
      master: master, keyEncryptionKey: keyEncryptionKey,
      book: EpochBook(base: epoch, current: epoch))
  }

  private init(master: SymmetricKey, keyEncryptionKey: SymmetricKey?, book: EpochBook) {
    self.master = master
    self.keyEncryptionKey = keyEncryptionKey
    baseEpoch = book.base
    epoch = book.current
    func keys(_ secret: SymmetricKey, _ epoch: UInt16, _ purposes: [Purpose])
      -> [Purpose: SymmetricKey]
    {
      Dictionary(
        uniqueKeysWithValues: purposes.map { ($0, $0.key(from: secret, epoch: epoch)) })
    }
    derived = keys(master, book.base, Purpose.allCases.filter { !$0.followsEpoch })
    var secrets = book.secrets
    secrets[book.base] = master
    var ofEpochs: [UInt16: [Purpose: SymmetricKey]] = [:]
    for (epoch, secret) in secrets {
      ofEpochs[epoch] = keys(secret, epoch, Purpose.allCases.filter(\.followsEpoch))
    }
    self.ofEpochs = ofEpochs
  }

  /// New secrets from the system's randomness, epoch 1.
  ///
  /// Without a key-encryption key where the configuration names one elsewhere.
  package static func generate(hasKeyEncryptionKey: Bool = true) -> Secrets {
    Secrets(
      master: SymmetricKey(size: .bits256),
      keyEncryptionKey: hasKeyEncryptionKey ? SymmetricKey(size: .bits256) : nil, epoch: 1)
  }

  /// The same secrets with the epochs of the key store; the current one is the book's.
  package func adopting(_ book: EpochBook) -> Secrets {
    Secrets(master: master, keyEncryptionKey: keyEncryptionKey, book: book)
  }

  /// Every epoch whose keys can be made, the oldest first.
  package var epochs: [UInt16] { ofEpochs.keys.sorted() }

  /// HMAC-SHA-256 under the purpose's key over `parts`, each led by its length.
  ///
  /// The lengths keep ("ab", "c") and ("a", "bc") apart. For a purpose that follows the epoch,
  /// `epoch` says which; without it the current one.
  package func code(
    _ purpose: Purpose, _ parts: [[UInt8]], epoch: UInt16? = nil
  ) -> [UInt8] {
    let ofEpoch = ofEpochs[epoch ?? self.epoch]
    guard let key = purpose.followsEpoch ? ofEpoch?[purpose] : derived[purpose] else {
      preconditionFailure("every purpose has its key in every epoch of the book")
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
    let data = try SecretFile.read(path: path)
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
    if document.keyEncryptionKey != nil, wrapping == nil {
      faults.append("keyEncryptionKey: must be 64 hexadecimal digits")
    }
    guard faults.isEmpty, let epoch, let master else {
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
      version: 1, epoch: Int(baseEpoch), masterSecret: Self.digits(master),
      keyEncryptionKey: keyEncryptionKey.map(Self.digits))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(document) else { throw .notWritable(path: path) }
    try SecretFile.create(path: path, data)
  }

  /// The key of 64 hexadecimal digits; `nil` for anything else.
  static func key(_ digits: some StringProtocol) -> SymmetricKey? {
    guard digits.utf8.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var rest = digits[...]
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
