import HandoffCore
import Testing

/// A tree whose leaves are all in memory: perfect subtrees are computed from the leaves each time.
struct ListedTree: MerkleHashSource {
  struct Missing: Error {}
  let leaves: [MerkleHash]

  func hashes(level: Int, range: Range<UInt64>) throws -> [MerkleHash] {
    try range.map { index in
      let width = 1 << (8 * level)
      let start = Int(index) * width
      guard start + width <= leaves.count else { throw Missing() }
      var frontier = MerkleFrontier()
      for leaf in leaves[start..<start + width] { frontier.append(leaf) }
      return frontier.root
    }
  }

  /// Leaves of two bytes each, counted up: what the reference program hashed.
  static func counted(_ count: Int) -> ListedTree {
    ListedTree(
      leaves: (0..<count).map { .leaf([UInt8(truncatingIfNeeded: $0 >> 8), UInt8($0 & 255)]) })
  }
}

func bytes(hex: String) -> [UInt8] {
  stride(from: 0, to: hex.count, by: 2).map { place in
    let start = hex.index(hex.startIndex, offsetBy: place)
    return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
  }
}

func hash(_ hex: String) throws -> MerkleHash { try #require(MerkleHash(bytes: bytes(hex: hex))) }
