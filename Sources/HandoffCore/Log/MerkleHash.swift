internal import Crypto

/// A SHA-256 value of the tree of RFC 6962 §2.1: of a leaf, a node or a whole tree.
///
/// Leaves and nodes are hashed under different prefixes, so that no leaf can be passed off as a
/// node (second preimages).
public struct MerkleHash: Hashable, Sendable {
  /// How many bytes a hash has.
  public static let byteCount = 32

  /// The bytes as they lie in memory, sixteen to each.
  private let first: UInt128
  private let second: UInt128

  /// Takes 32 bytes; `nil` for any other count.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    let bytes = Array(bytes)
    (first, second) = unsafe bytes.withUnsafeBytes { unsafe Self.words(of: $0) }
  }

  private init(_ digest: SHA256.Digest) {
    (first, second) = unsafe digest.withUnsafeBytes { unsafe Self.words(of: $0) }
  }

  private static func words(of bytes: UnsafeRawBufferPointer) -> (UInt128, UInt128) {
    unsafe (
      bytes.loadUnaligned(fromByteOffset: 0, as: UInt128.self),
      bytes.loadUnaligned(fromByteOffset: 16, as: UInt128.self)
    )
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { unsafe withUnsafeBytes(of: self) { unsafe Array($0) } }

  /// The root of a tree without leaves: the hash of nothing.
  public static let emptyTree = MerkleHash(SHA256.hash(data: [UInt8]()))

  /// The hash of a leaf: SHA-256(0x00 ‖ entry).
  public static func leaf(_ entry: some Sequence<UInt8>) -> MerkleHash {
    var hasher = SHA256()
    hasher.update(data: [0x00] + entry)
    return MerkleHash(hasher.finalize())
  }

  /// The hash of a node: SHA-256(0x01 ‖ left ‖ right).
  public static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
    var hasher = SHA256()
    let prefix: UInt8 = 0x01
    unsafe withUnsafeBytes(of: prefix) { unsafe hasher.update(bufferPointer: $0) }
    unsafe withUnsafeBytes(of: left) { unsafe hasher.update(bufferPointer: $0) }
    unsafe withUnsafeBytes(of: right) { unsafe hasher.update(bufferPointer: $0) }
    return MerkleHash(hasher.finalize())
  }

  /// The root over consecutive perfect subtrees of one height, of which there are 2^k.
  static func perfectRoot(of hashes: some Collection<MerkleHash>) -> MerkleHash {
    precondition(hashes.count.nonzeroBitCount == 1, "only a perfect subtree has one root")
    var row = Array(hashes)
    while row.count > 1 {
      row = stride(from: 0, to: row.count, by: 2).map { .node(row[$0], row[$0 + 1]) }
    }
    return row[0]
  }
}

extension MerkleHash: CustomStringConvertible {
  public var description: String { hexadecimal(bytes) }
}

extension RecordHash {
  /// Hashes the stored bytes of a record, in which identity is randomised ciphertext.
  public init(ofStored bytes: some Sequence<UInt8>) {
    var hasher = SHA256()
    hasher.update(data: Array(bytes))
    let digest = Array(hasher.finalize())
    guard let hash = RecordHash(bytes: digest) else {
      preconditionFailure("SHA-256 is 32 bytes long")
    }
    self = hash
  }
}
