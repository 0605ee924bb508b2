internal import Crypto

/// Who signs: a name and an Ed25519 public key, as C2SP signed-note writes a verifier key.
///
/// The text is `name+hash+base64(0x01 ‖ key)`, which Go's `sumdb/note` reads and writes too.
public struct NoteVerifier: Sendable, CustomStringConvertible {
  /// The name on the signature line.
  public let name: String
  /// SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), its first four bytes: a hint, not a proof.
  public let keyID: UInt32
  private let key: Curve25519.Signing.PublicKey

  init(name: String, key: Curve25519.Signing.PublicKey) {
    self.name = name
    self.key = key
    keyID = NoteKey.id(name: name, key: key)
  }

  /// Reads a verifier key; `nil` where it is malformed or its hash does not fit its key.
  public init?(_ text: some StringProtocol) {
    guard let fields = NoteKey.fields(of: text),
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: fields.key)
    else { return nil }
    self.init(name: fields.name, key: key)
    guard keyID == fields.keyID else { return nil }
  }

  public var description: String {
    NoteKey.text(name: name, keyID: keyID, key: Array(key.rawRepresentation))
  }

  func isValid(_ signature: [UInt8], for text: String) -> Bool {
    key.isValidSignature(signature, for: Array(text.utf8))
  }
}

/// The private half, which only the checkpoint signer holds.
public struct NoteSigner: Sendable {
  public let verifier: NoteVerifier
  private let key: Curve25519.Signing.PrivateKey

  /// Makes the key of a seed: 32 bytes that nobody else can know.
  ///
  /// `nil` where they are not 32, and where the name is empty or holds a space, a plus or a control
  /// character.
  public init?(name: String, seed: [UInt8]) {
    guard NoteKey.isValid(name: name),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
    else { return nil }
    self.key = key
    verifier = NoteVerifier(name: name, key: key.publicKey)
  }

  /// Reads `PRIVATE+KEY+name+hash+base64(0x01 ‖ seed)`; `nil` where it is malformed.
  public init?(_ text: some StringProtocol) {
    guard text.hasPrefix(NoteKey.privatePrefix),
      let fields = NoteKey.fields(of: text.dropFirst(NoteKey.privatePrefix.count)),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: fields.key)
    else { return nil }
    self.key = key
    verifier = NoteVerifier(name: fields.name, key: key.publicKey)
    guard verifier.keyID == fields.keyID else { return nil }
  }

  /// The private key as text: for the secrets file, and for nothing else.
  public var secretText: String {
    NoteKey.privatePrefix
      + NoteKey.text(
        name: verifier.name, keyID: verifier.keyID, key: Array(key.rawRepresentation))
  }

  func signature(for text: String) throws -> [UInt8] {
    Array(try key.signature(for: Array(text.utf8)))
  }
}

extension NoteSigner: CustomStringConvertible, CustomReflectable {
  /// Never the key: only who signs.
  public var description: String { "signer \(verifier.name)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What the two texts of a key have in common.
enum NoteKey {
  static let privatePrefix = "PRIVATE+KEY+"
  /// The signature type of Ed25519 (signed-note, "Signature types").
  static let ed25519: UInt8 = 0x01

  static func isValid(name: some StringProtocol) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy {
        $0 != "+" && !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F
      }
  }

  static func id(name: String, key: Curve25519.Signing.PublicKey) -> UInt32 {
    let material = Array(name.utf8) + [0x0A, ed25519] + key.rawRepresentation
    return SHA256.hash(data: material).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  static func text(name: String, keyID: UInt32, key: [UInt8]) -> String {
    let id = hexadecimal((0..<4).map { UInt8(truncatingIfNeeded: keyID >> (24 - 8 * $0)) })
    return "\(name)+\(id)+\(Base64.encode([ed25519] + key))"
  }

  static func fields(
    of text: some StringProtocol
  ) -> (name: String, keyID: UInt32, key: [UInt8])? {
    // A base64 text may hold plus signs; a name and a hash may not.
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, isValid(name: parts[0]), parts[1].utf8.count == 8,
      parts[1].utf8.allSatisfy({ hexadecimalDigit($0) != nil && !(0x41...0x46).contains($0) }),
      let keyID = UInt32(parts[1], radix: 16), let bytes = Base64.decode(parts[2]),
      bytes.count == 33, bytes[0] == ed25519
    else { return nil }
    return (String(parts[0]), keyID, Array(bytes.dropFirst()))
  }
}
