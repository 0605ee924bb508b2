/// Why a signed note is not taken.
public enum NoteError: Error, Hashable, CustomStringConvertible {
  /// Not in the form of C2SP signed-note.
  case malformed
  /// No signature of the key that is asked for.
  case notSigned(by: String)
  /// A signature of that key which does not fit the text.
  case invalidSignature(by: String)

  public var description: String {
    switch self {
    case .malformed: "not a signed note (C2SP signed-note)"
    case .notSigned(let name): "no signature by the key of \(name)"
    case .invalidSignature(let name): "the signature of \(name) does not fit the text"
    }
  }
}

/// A text and who signed it (C2SP signed-note).
///
/// The text, an empty line, then for each signature `— name base64(key id ‖ signature)`.
public struct SignedNote: Hashable, Sendable, CustomStringConvertible {
  /// One signature line.
  public struct Signature: Hashable, Sendable {
    public var name: String
    public var keyID: UInt32
    public var bytes: [UInt8]
  }

  /// Notes and signatures beyond these limits are refused, as Go's `sumdb/note` does.
  public static let byteCountMax = 1_000_000
  public static let signatureCountMax = 100

  /// What is signed; ends in a newline.
  public let text: String
  public let signatures: [Signature]

  /// Signs a text.
  ///
  /// - Throws: What the signature throws.
  /// - Precondition: The text ends in a newline and holds no other control character.
  public init(signing text: String, by signer: NoteSigner) throws {
    precondition(Self.isValid(text: text), "a note's text is lines without control characters")
    self.text = text
    signatures = [
      Signature(
        name: signer.verifier.name, keyID: signer.verifier.keyID,
        bytes: try signer.signature(for: text))
    ]
  }

  /// Reads a note, without judging its signatures.
  public init(_ note: String) throws(NoteError) {
    guard note.utf8.count <= Self.byteCountMax, Self.isValid(text: note) else {
      throw .malformed
    }
    // The last empty line: the text itself may hold others.
    var lines = note.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    guard let empty = lines.lastIndex(of: "") else { throw .malformed }
    var signatures: [Signature] = []
    for line in lines[(empty + 1)...] {
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0] == "\u{2014}", NoteKey.isValid(name: parts[1]),
        let bytes = Base64.decode(parts[2]), bytes.count > 4,
        signatures.count < Self.signatureCountMax
      else { throw .malformed }
      signatures.append(
        Signature(
          name: String(parts[1]), keyID: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
          bytes: Array(bytes.dropFirst(4))))
    }
    lines = lines[..<empty]
    guard !signatures.isEmpty, !lines.isEmpty else { throw .malformed }
    text = lines.map { $0 + "\n" }.joined()
    self.signatures = signatures
  }

  /// The whole note, as it is stored and published.
  public var description: String {
    let lines = signatures.map { signature in
      let id = (0..<4).map { UInt8(truncatingIfNeeded: signature.keyID >> (24 - 8 * $0)) }
      return "\u{2014} \(signature.name) \(Base64.encode(id + signature.bytes))\n"
    }
    return "\(text)\n\(lines.joined())"
  }

  /// Checks that this key signed the text; signatures of others are ignored.
  public func verify(by verifier: NoteVerifier) throws(NoteError) {
    let own = signatures.filter { $0.name == verifier.name && $0.keyID == verifier.keyID }
    guard !own.isEmpty else { throw .notSigned(by: verifier.name) }
    for signature in own {
      guard verifier.isValid(signature.bytes, for: text) else {
        throw .invalidSignature(by: verifier.name)
      }
    }
  }

  private static func isValid(text: String) -> Bool {
    text.hasSuffix("\n")
      && text.utf8.allSatisfy { $0 == 0x0A || ($0 >= 0x20 && $0 != 0x7F) }
  }
}
