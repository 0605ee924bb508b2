internal import Foundation
package import HandoffCore

/// Why a key file is not taken or made.
package enum AuditKeyError: Error, Hashable, Sendable, CustomStringConvertible {
  case missing(path: String)
  /// Somebody other than the owner may read or write the private key.
  case tooOpen(path: String, mode: UInt16)
  case malformed(path: String)
  case exists(path: String)
  case notWritable(path: String)
  /// The name would not fit on a signature line.
  case invalidName

  package var description: String {
    switch self {
    case .missing(let path): "key file \(path) does not exist or cannot be read"
    case .tooOpen(let path, let mode):
      "key file \(path) has mode \(String(mode, radix: 8)): it must be 600 or narrower"
    case .malformed(let path): "key file \(path) holds no key in the form of signed notes"
    case .exists(let path): "key file \(path) exists already; a log keeps its key"
    case .notWritable(let path): "key file \(path) cannot be written"
    case .invalidName: "signer's name must not be empty, nor hold a space or a plus"
    }
  }
}

/// The files of the key that signs checkpoints: one line each, as Go's `sumdb/note` writes them.
package enum AuditKeyFile {
  /// Who signs where nobody chose a name: a log on one machine, for trying out.
  package static let defaultName = "baton.local"

  /// Makes a new key: the private half with mode 0600, the public half for everybody.
  ///
  /// Neither file may be there already.
  @discardableResult
  package static func generate(
    name: String, secret: String, public publicPath: String
  ) throws(AuditKeyError) -> NoteSigner {
    var generator = SystemRandomNumberGenerator()
    let seed = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    guard let signer = NoteSigner(name: name, seed: seed) else { throw .invalidName }
    for path in [secret, publicPath] where FileManager.default.fileExists(atPath: path) {
      throw .exists(path: path)
    }
    try create(secret, mode: 0o600, signer.secretText)
    try create(publicPath, mode: 0o644, signer.verifier.description)
    return signer
  }

  /// Reads the private key; refuses a file that others may read.
  package static func signer(at path: String) throws(AuditKeyError) -> NoteSigner {
    let text = try read(path)
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let mode = (attributes?[.posixPermissions] as? NSNumber)?.uint16Value ?? 0o777
    guard mode & 0o077 == 0 else { throw .tooOpen(path: path, mode: mode) }
    guard let signer = NoteSigner(text) else { throw .malformed(path: path) }
    return signer
  }

  /// Reads the private key, or makes one where neither half is there yet.
  package static func signer(
    at path: String, public publicPath: String, orGenerateFor name: String
  ) throws(AuditKeyError) -> NoteSigner {
    guard FileManager.default.fileExists(atPath: path) else {
      return try generate(name: name, secret: path, public: publicPath)
    }
    return try signer(at: path)
  }

  /// Reads a public key.
  package static func verifier(at path: String) throws(AuditKeyError) -> NoteVerifier {
    guard let verifier = NoteVerifier(try read(path)) else { throw .malformed(path: path) }
    return verifier
  }

  private static func read(_ path: String) throws(AuditKeyError) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .missing(path: path)
    }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
  }

  private static func create(
    _ path: String, mode: mode_t, _ text: String
  ) throws(AuditKeyError) {
    // O_EXCL and the mode at creation: nobody can read the key in between.
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw errno == EEXIST ? .exists(path: path) : .notWritable(path: path)
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try file.write(contentsOf: Data((text + "\n").utf8))
      try file.synchronize()
      try file.close()
    } catch {
      throw .notWritable(path: path)
    }
  }
}
