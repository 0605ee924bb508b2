/// A tree head as C2SP tlog-checkpoint writes it: origin, size, root, and lines of extensions.
public struct Checkpoint: Hashable, Sendable {
  /// Which log: unique, and stable for its life.
  public var origin: String
  public var size: UInt64
  public var root: MerkleHash
  /// Further lines, opaque and not empty.
  public var extensions: [String]

  public init(origin: String, size: UInt64, root: MerkleHash, extensions: [String] = []) {
    self.origin = origin
    self.size = size
    self.root = root
    self.extensions = extensions
  }

  /// Reads the text of a note; `nil` where it is not a checkpoint.
  public init?(text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    guard lines.popLast() == "", lines.count >= 3, let origin = lines.popFirst(), !origin.isEmpty,
      let count = lines.popFirst(), let size = UInt64(count), count == String(size),
      let hash = lines.popFirst(), let bytes = Base64.decode(hash),
      let root = MerkleHash(bytes: bytes), lines.allSatisfy({ !$0.isEmpty })
    else { return nil }
    self.init(origin: String(origin), size: size, root: root, extensions: lines.map(String.init))
  }

  /// What is signed.
  public var text: String {
    ([origin, String(size), Base64.encode(root.bytes)] + extensions).map { $0 + "\n" }
      .joined()
  }

  /// Signs it.
  ///
  /// - Throws: What the signature throws.
  public func signed(by signer: NoteSigner) throws -> SignedNote {
    try SignedNote(signing: text, by: signer)
  }

  /// Reads a signed checkpoint and checks that `verifier` signed it.
  public init(signedNote note: String, verifiedBy verifier: NoteVerifier) throws(NoteError) {
    let note = try SignedNote(note)
    try note.verify(by: verifier)
    guard let checkpoint = Checkpoint(text: note.text) else { throw .malformed }
    self = checkpoint
  }
}
