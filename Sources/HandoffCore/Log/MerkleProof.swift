/// Proves that a leaf is in a tree (RFC 6962 §2.1.1).
public struct InclusionProof: Hashable, Sendable {
  public var index: UInt64
  /// The size of the tree it is proved in.
  public var size: UInt64
  /// The siblings on the way up, the leaf's own first.
  public var path: [MerkleHash]

  public init(index: UInt64, size: UInt64, path: [MerkleHash]) {
    self.index = index
    self.size = size
    self.path = path
  }

  /// Whether `leaf` is at ``index`` of the tree with this root (RFC 9162 §2.1.3.2).
  public func proves(_ leaf: MerkleHash, in root: MerkleHash) -> Bool {
    guard index < size else { return false }
    var position = index
    var last = size - 1
    var hash = leaf
    for sibling in path {
      guard last != 0 else { return false }
      if position & 1 == 1 || position == last {
        hash = .node(sibling, hash)
        while position & 1 == 0 && position != 0 {
          position >>= 1
          last >>= 1
        }
      } else {
        hash = .node(hash, sibling)
      }
      position >>= 1
      last >>= 1
    }
    return last == 0 && hash == root
  }
}

/// Proves that an older tree is the beginning of a newer one: nothing in it changed (RFC 6962 §2.1.2).
public struct ConsistencyProof: Hashable, Sendable {
  public var oldSize: UInt64
  public var newSize: UInt64
  public var path: [MerkleHash]

  public init(oldSize: UInt64, newSize: UInt64, path: [MerkleHash]) {
    self.oldSize = oldSize
    self.newSize = newSize
    self.path = path
  }

  /// Whether the tree with `oldRoot` is the beginning of the one with `newRoot` (RFC 9162 §2.1.4.2).
  public func proves(_ oldRoot: MerkleHash, isPrefixOf newRoot: MerkleHash) -> Bool {
    guard oldSize <= newSize else { return false }
    if oldSize == newSize { return path.isEmpty && oldRoot == newRoot }
    // Nothing is the beginning of everything.
    if oldSize == 0 { return path.isEmpty && oldRoot == .emptyTree }

    var path = path[...]
    var position = oldSize - 1
    var last = newSize - 1
    while position & 1 == 1 {
      position >>= 1
      last >>= 1
    }
    // A perfect old tree is itself the first node; otherwise the proof names that node.
    guard let first = oldSize.nonzeroBitCount == 1 ? oldRoot : path.popFirst() else { return false }
    var old = first
    var new = first
    for hash in path {
      guard last != 0 else { return false }
      if position & 1 == 1 || position == last {
        old = .node(hash, old)
        new = .node(hash, new)
        while position & 1 == 0 && position != 0 {
          position >>= 1
          last >>= 1
        }
      } else {
        new = .node(new, hash)
      }
      position >>= 1
      last >>= 1
    }
    return last == 0 && old == oldRoot && new == newRoot
  }
}

/// Where the hashes of a stored tree are read from: rows, or tiles.
public protocol MerkleHashSource {
  /// The entries of one tile level: hashes of perfect subtrees of 256^level leaves, from the left.
  ///
  /// - Throws: What reading throws, and where an entry is missing.
  func hashes(level: Int, range: Range<UInt64>) throws -> [MerkleHash]
}

extension MerkleHashSource {
  /// The root of the first `size` leaves.
  public func root(size: UInt64) throws -> MerkleHash {
    size == 0 ? .emptyTree : try root(of: 0..<size)
  }

  /// The proof that leaf `index` is in the tree of the first `size` leaves.
  ///
  /// - Precondition: `index < size`.
  public func inclusionProof(index: UInt64, size: UInt64) throws -> InclusionProof {
    precondition(index < size, "a leaf is proved only in a tree that holds it")
    var path: [MerkleHash] = []
    var range = 0..<size
    while range.count > 1 {
      let middle = Self.split(range)
      if index < middle {
        path.append(try root(of: middle..<range.upperBound))
        range = range.lowerBound..<middle
      } else {
        path.append(try root(of: range.lowerBound..<middle))
        range = middle..<range.upperBound
      }
    }
    return InclusionProof(index: index, size: size, path: path.reversed())
  }

  /// The proof that the first `oldSize` leaves are the beginning of the first `newSize`.
  ///
  /// - Precondition: `oldSize <= newSize`.
  public func consistencyProof(oldSize: UInt64, newSize: UInt64) throws -> ConsistencyProof {
    precondition(oldSize <= newSize, "an older tree is not larger than a newer one")
    var path: [MerkleHash] = []
    if oldSize != 0 && oldSize != newSize {
      var range = 0..<newSize
      // SUBPROOF of RFC 6962 §2.1.2: until the range is the old tree's own right end.
      while range.upperBound != oldSize {
        let middle = Self.split(range)
        if oldSize <= middle {
          path.append(try root(of: middle..<range.upperBound))
          range = range.lowerBound..<middle
        } else {
          path.append(try root(of: range.lowerBound..<middle))
          range = middle..<range.upperBound
        }
      }
      if range.lowerBound != 0 { path.append(try root(of: range)) }
    }
    return ConsistencyProof(oldSize: oldSize, newSize: newSize, path: path.reversed())
  }

  /// Where RFC 6962 divides a range: after the largest power of two smaller than its count.
  private static func split(_ range: Range<UInt64>) -> UInt64 {
    let count = range.upperBound - range.lowerBound
    return range.lowerBound + 1 << (63 - UInt64((count - 1).leadingZeroBitCount))
  }

  /// The root of a range that begins where RFC 6962 divides, so its left parts are perfect subtrees.
  private func root(of range: Range<UInt64>) throws -> MerkleHash {
    var roots: [MerkleHash] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let height = 63 - (range.upperBound - start).leadingZeroBitCount
      let index = start >> UInt64(height)
      let width = UInt64(1) << UInt64(height % Tile.height)
      let entries = try hashes(
        level: height / Tile.height, range: index * width..<(index + 1) * width)
      roots.append(.perfectRoot(of: entries))
      start += 1 << UInt64(height)
    }
    var root = roots.removeLast()
    for left in roots.reversed() { root = .node(left, root) }
    return root
  }
}
