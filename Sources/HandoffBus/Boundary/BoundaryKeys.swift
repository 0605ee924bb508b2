internal import Crypto
internal import Foundation
package import HandoffCodecs
internal import HandoffCore
internal import HandoffStores

/// What is wrong with a file of boundary keys; never its content.
package enum BoundaryKeyError: Error, Hashable, Sendable, CustomStringConvertible {
  case missing(path: String)
  /// Somebody other than the owner may read or write private keys.
  case tooOpen(path: String)
  case malformed(path: String, line: Int)
  /// No key at all.
  case empty(path: String)
  case notWritable(path: String)

  package var description: String {
    switch self {
    case .missing(let path): "key file \(path) does not exist or cannot be read"
    case .tooOpen(let path): "key file \(path) can be read by others: it must have mode 600"
    case .malformed(let path, let line): "key file \(path), line \(line), is no key of this kind"
    case .empty(let path): "key file \(path) holds no key"
    case .notWritable(let path): "key file \(path) cannot be written, or exists already"
    }
  }
}

/// Public keys of one side, by id; the last one of the file is sealed to.
package struct BoundaryPublicKeys: Sendable {
  let keys: [BoundaryKeyID: Curve25519.KeyAgreement.PublicKey]
  /// The one that is sealed to.
  package let current: BoundaryKeyID

  static let mark = "baton-x25519-public"

  init(_ list: [Curve25519.KeyAgreement.PublicKey], current: BoundaryKeyID) {
    keys = Dictionary(list.map { (BoundaryKeys.id(of: $0), $0) }, uniquingKeysWith: { $1 })
    self.current = current
  }

  /// Reads a file: one key a line, oldest first.
  package static func load(path: String) throws(BoundaryKeyError) -> BoundaryPublicKeys {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .missing(path: path)
    }
    let list = try BoundaryKeys.lines(of: data, mark, path: path) {
      try Curve25519.KeyAgreement.PublicKey(rawRepresentation: $0)
    }
    guard let last = list.last else { throw .empty(path: path) }
    return BoundaryPublicKeys(list, current: BoundaryKeys.id(of: last))
  }

  /// The file's text.
  package var text: String {
    let last = keys[current]
    let others = keys.filter { $0.key != current }.sorted { $0.key < $1.key }.map(\.value)
    return (others + [last].compactMap(\.self))
      .map { "\(Self.mark) \($0.rawRepresentation.base64EncodedString())\n" }.joined()
  }
}

/// Private keys of one side: what it opens and seals with.
///
/// All of them open, so that a frame that was sealed before a rotation can still be read; the last
/// one of the file seals. Prints redacted.
package struct BoundaryKeys: Sendable, CustomStringConvertible, CustomReflectable {
  private let list: [Curve25519.KeyAgreement.PrivateKey]
  let keys: [BoundaryKeyID: Curve25519.KeyAgreement.PrivateKey]
  package let current: BoundaryKeyID

  static let mark = "baton-x25519-private"

  private init(_ list: [Curve25519.KeyAgreement.PrivateKey], current: BoundaryKeyID) {
    self.list = list
    keys = Dictionary(
      list.map { (Self.id(of: $0.publicKey), $0) }, uniquingKeysWith: { $1 })
    self.current = current
  }

  /// A new key from the system's randomness.
  package static func generate() -> BoundaryKeys {
    let key = Curve25519.KeyAgreement.PrivateKey()
    return BoundaryKeys([key], current: id(of: key.publicKey))
  }

  /// The same with a newer key; the older stay readable.
  package func rotated() -> BoundaryKeys {
    let key = Curve25519.KeyAgreement.PrivateKey()
    return BoundaryKeys(list + [key], current: Self.id(of: key.publicKey))
  }

  /// The public halves, to be given to the other side.
  package var publicKeys: BoundaryPublicKeys {
    BoundaryPublicKeys(list.map(\.publicKey), current: current)
  }

  /// Reads a file of mode 600: one key a line, oldest first.
  package static func load(path: String) throws(BoundaryKeyError) -> BoundaryKeys {
    let data: Data
    do throws(SecretsError) {
      data = try SecretFile.read(path: path)
    } catch {
      if case .tooOpen = error { throw .tooOpen(path: path) }
      throw .missing(path: path)
    }
    let list = try lines(of: data, mark, path: path) {
      try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
    }
    guard let last = list.last else { throw .empty(path: path) }
    return BoundaryKeys(list, current: id(of: last.publicKey))
  }

  /// Writes the private keys (600; replaced whole where `isReplacing`).
  package func write(path: String, isReplacing: Bool = false) throws(BoundaryKeyError) {
    let text = list.map { "\(Self.mark) \($0.rawRepresentation.base64EncodedString())\n" }.joined()
    do throws(SecretsError) {
      if isReplacing {
        try SecretFile.replace(path: path, Data(text.utf8))
      } else {
        try SecretFile.create(path: path, Data(text.utf8))
      }
    } catch {
      throw .notWritable(path: path)
    }
  }

  package var description: String { "BoundaryKeys(redacted, current \(current))" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  static func id(of key: Curve25519.KeyAgreement.PublicKey) -> BoundaryKeyID {
    let hash = Array(SHA256.hash(data: key.rawRepresentation))
    return BoundaryKeyID(rawValue: hash.prefix(16).reduce(0) { $0 << 8 | UInt128($1) })
  }

  /// The keys of a file; lines that begin with `#` are for people.
  static func lines<Key>(
    of data: Data, _ mark: String, path: String, _ make: (Data) throws -> Key
  ) throws(BoundaryKeyError) -> [Key] {
    var keys: [Key] = []
    let lines = String(decoding: data, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      guard words.count == 2, words[0] == mark, let bytes = Data(base64Encoded: String(words[1])),
        let key = try? make(bytes)
      else { throw .malformed(path: path, line: index + 1) }
      keys.append(key)
    }
    return keys
  }
}
