/// A node that an append completed, at a height which is a multiple of eight.
///
/// These are the entries of the tiles above the lowest level.
public struct TileNode: Hashable, Sendable {
  /// The tile level: the height divided by ``Tile/height``.
  public let level: Int
  /// Counted from the left, from 0.
  public let index: UInt64
  public let hash: MerkleHash
}

/// The right edge of a growing tree: all that appending needs, at most 64 hashes.
///
/// The roots of the perfect subtrees that the leaves fill, one for each bit set in ``size``.
public struct MerkleFrontier: Hashable, Sendable {
  /// How many leaves there are.
  public private(set) var size: UInt64
  /// The roots of the perfect subtrees, the largest (leftmost) first.
  public private(set) var roots: [MerkleHash]

  /// The edge of an empty tree.
  public init() {
    size = 0
    roots = []
  }

  /// Takes up a stored edge; `nil` where the count of roots does not fit the size.
  public init?(size: UInt64, roots: [MerkleHash]) {
    guard size.nonzeroBitCount == roots.count else { return nil }
    self.size = size
    self.roots = roots
  }

  /// Adds one leaf at the right, and gives the tile entries which that completed, lowest first.
  @discardableResult
  public mutating func append(_ leaf: MerkleHash) -> [TileNode] {
    var completed: [TileNode] = []
    var hash = leaf
    var height = 0
    while size & (1 << UInt64(height)) != 0 {
      hash = .node(roots.removeLast(), hash)
      height += 1
      if height % Tile.height == 0 {
        completed.append(
          TileNode(level: height / Tile.height, index: size >> UInt64(height), hash: hash))
      }
    }
    roots.append(hash)
    size += 1
    return completed
  }

  /// The root over all leaves (RFC 6962 §2.1).
  public var root: MerkleHash {
    guard var hash = roots.last else { return .emptyTree }
    for left in roots.dropLast().reversed() { hash = .node(left, hash) }
    return hash
  }
}
