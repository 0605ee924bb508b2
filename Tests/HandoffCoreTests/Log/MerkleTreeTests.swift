import Crypto
import HandoffCore
import Testing

/// The eight leaves of the Certificate Transparency reference tests.
private let referenceLeaves = [
  "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map { MerkleHash.leaf(bytes(hex: $0)) }

private let referenceRoots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

@Suite struct MerkleTreeTests {
  @Test(arguments: 0...8)
  func `the roots are those of the Certificate Transparency reference`(size: Int) throws {
    var frontier = MerkleFrontier()
    for leaf in referenceLeaves.prefix(size) { frontier.append(leaf) }
    #expect(frontier.root.description == referenceRoots[size])
    let tree = ListedTree(leaves: referenceLeaves)
    #expect(try tree.root(size: UInt64(size)).description == referenceRoots[size])
  }

  @Test(arguments: [
    (0, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    (5, 8, ["bc1a0643", "ca854ea1", "d37ee418"]),
    (2, 3, ["fac54203"]),
    (1, 5, ["6e340b9c", "5f083f0a", "bc1a0643"]),
  ])
  func `inclusion proofs are those of the reference`(
    index: UInt64, size: UInt64, path: [String]
  ) throws {
    let proof = try ListedTree(leaves: referenceLeaves).inclusionProof(index: index, size: size)
    #expect(proof.path.map { String($0.description.prefix(8)) } == path)
    #expect(proof.proves(referenceLeaves[Int(index)], in: try hash(referenceRoots[Int(size)])))
  }

  @Test(arguments: [
    (1, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    (6, 8, ["0ebc5d34", "ca854ea1", "d37ee418"]),
    (2, 5, ["5f083f0a", "bc1a0643"]),
  ])
  func `consistency proofs are those of the reference`(
    old: UInt64, new: UInt64, path: [String]
  ) throws {
    let proof = try ListedTree(leaves: referenceLeaves).consistencyProof(
      oldSize: old, newSize: new)
    #expect(proof.path.map { String($0.description.prefix(8)) } == path)
    let (oldRoot, newRoot) = (
      try hash(referenceRoots[Int(old)]), try hash(referenceRoots[Int(new)])
    )
    #expect(proof.proves(oldRoot, isPrefixOf: newRoot))
  }

  @Test func `every root and proof up to 70 leaves is what another program computed`() throws {
    let tree = ListedTree.counted(70)
    var hasher = SHA256()
    for size in UInt64(1)...70 {
      hasher.update(data: try tree.root(size: size).bytes)
      for index in 0..<size {
        for hash in try tree.inclusionProof(index: index, size: size).path {
          hasher.update(data: hash.bytes)
        }
      }
      for old in 1..<size {
        for hash in try tree.consistencyProof(oldSize: old, newSize: size).path {
          hasher.update(data: hash.bytes)
        }
      }
    }
    // A recursive transcription of RFC 6962 §2.1 in Python, over the same leaves.
    #expect(
      hexadecimal(hasher.finalize())
        == "7f7c62d93a737108159d861a41abe872af2f07fde7523557698dc53eec901d16")
  }

  @Test func `every leaf of every tree up to 70 is proved, and no other leaf by the same proof`()
    throws
  {
    let tree = ListedTree.counted(70)
    for size in UInt64(1)...70 {
      let root = try tree.root(size: size)
      for index in 0..<size {
        let proof = try tree.inclusionProof(index: index, size: size)
        #expect(proof.proves(tree.leaves[Int(index)], in: root))
        #expect(!proof.proves(tree.leaves[Int(index + 1) % 70], in: root))
        #expect(!proof.proves(tree.leaves[Int(index)], in: .emptyTree))
        var moved = proof
        moved.index = (index + 1) % size
        #expect(size == 1 || !moved.proves(tree.leaves[Int(index)], in: root))
        var longer = proof
        longer.path.append(root)
        #expect(!longer.proves(tree.leaves[Int(index)], in: root))
      }
    }
  }

  @Test func `every older tree up to 70 is proved to be the beginning, and no other is`() throws {
    let tree = ListedTree.counted(70)
    let roots = try (0...70).map { try tree.root(size: UInt64($0)) }
    for new in 0...70 {
      for old in 0...new {
        let proof = try tree.consistencyProof(oldSize: UInt64(old), newSize: UInt64(new))
        #expect(proof.proves(roots[old], isPrefixOf: roots[new]))
        let other = roots[(old + 1) % 71]
        #expect(!proof.proves(other, isPrefixOf: roots[new]))
        for place in proof.path.indices {
          var changed = proof
          changed.path[place] = .emptyTree
          #expect(!changed.proves(roots[old], isPrefixOf: roots[new]))
        }
      }
    }
  }

  @Test func `the edge read back from its stored roots grows the same tree`() throws {
    var whole = MerkleFrontier()
    for leaf in ListedTree.counted(70).leaves {
      whole = try #require(MerkleFrontier(size: whole.size, roots: whole.roots))
      whole.append(leaf)
      #expect(whole.roots.count == whole.size.nonzeroBitCount)
    }
    #expect(whole.root == (try ListedTree.counted(70).root(size: 70)))
    #expect(MerkleFrontier(size: 3, roots: [.emptyTree]) == nil)
  }
}
