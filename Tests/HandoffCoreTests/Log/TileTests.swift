import HandoffCore
import Testing

@Suite struct TileTests {
  @Test(arguments: [
    (Tile(.hashes(level: 0), index: 0), "tile/0/000"),
    (Tile(.hashes(level: 0), index: 1_234_067), "tile/0/x001/x234/067"),
    (Tile(.hashes(level: 1), index: 999, width: 1), "tile/1/999.p/1"),
    (Tile(.entries, index: 1000, width: 112), "tile/entries/x001/000.p/112"),
    (Tile(.hashes(level: 7), index: 0, width: 255), "tile/7/000.p/255"),
  ])
  func `a path is written as C2SP tlog-tiles says, and read back`(tile: Tile, path: String) {
    #expect(tile.path == path)
    #expect(Tile(path: path) == tile)
  }

  @Test(arguments: [
    "tile/0/0", "tile/0/0000", "tile/0/x000/001", "tile/0/001/002", "tile/00/000", "tile/8/000",
    "tile/-1/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/+01",
    "tile/entries", "tile/0/", "checkpoint", "tile/0/000.p", "/tile/0/000", "tile/0/000/",
    "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/7/256",
  ])
  func `a path that is written in no other way is refused`(path: String) {
    #expect(Tile(path: path) == nil)
  }

  @Test func `growing step by step names each tile exactly when it gets wider`() {
    var widths: [String: Int] = [:]
    var size: UInt64 = 0
    for step: UInt64 in [1, 254, 1, 1, 255, 65_024, 1, 300] {
      for tile in Tile.changed(from: size, to: size + step) {
        let key = "\(tile.content) \(tile.index)"
        #expect(tile.width > widths[key, default: 0])
        widths[key] = tile.width
      }
      size += step
    }
    for content in [Tile.Content.entries] + (0...7).map({ .hashes(level: $0) }) {
      for tile in Tile.all(content, to: size) {
        #expect(widths.removeValue(forKey: "\(content) \(tile.index)") == tile.width)
      }
    }
    #expect(widths.isEmpty)
    #expect(Tile.changed(from: 5, to: 5).isEmpty)
  }

  @Test(arguments: [1, 255, 256, 257, 600, 66_000] as [UInt64])
  func `proofs read from tiles are those computed from the leaves`(size: UInt64) throws {
    var frontier = MerkleFrontier()
    var levels: [Int: [MerkleHash]] = [:]
    for leaf in 0..<size {
      let hash = MerkleHash.leaf(withUnsafeBytes(of: leaf) { Array($0) })
      levels[0, default: []].append(hash)
      for node in frontier.append(hash) {
        #expect(node.index == UInt64(levels[node.level, default: []].count))
        levels[node.level, default: []].append(node.hash)
      }
    }
    var files: [String: [UInt8]] = [:]
    for tile in Tile.changed(from: 0, to: size) {
      guard case .hashes(let level) = tile.content else { continue }
      let start = Int(tile.index) * 256
      files[tile.path] = Tile.bytes(of: levels[level, default: []][start..<start + tile.width])
    }
    let tree = TiledTree(size: size) { try #require(files[$0.path]) }
    #expect(try tree.root(size: size) == frontier.root)
    for index in [0, size / 3, size / 2, size - 1] {
      let proof = try tree.inclusionProof(index: index, size: size)
      #expect(
        proof.proves(try tree.hashes(level: 0, range: index..<index + 1)[0], in: frontier.root))
      let consistency = try tree.consistencyProof(oldSize: index, newSize: size)
      #expect(consistency.proves(try tree.root(size: index), isPrefixOf: frontier.root))
    }
  }

  @Test func `entries are written behind their length and read back`() throws {
    let entries: [[UInt8]] = [[], [7], Array(repeating: 9, count: 300)]
    let bytes = Tile.bytes(ofEntries: entries)
    #expect(bytes.prefix(5) == [0, 0, 0, 1, 7])
    #expect(try Tile(.entries, index: 0, width: 3).entries(of: bytes) == entries)
  }

  @Test(arguments: [[], [0], [0, 2, 1], [0, 0, 0, 0], [0, 1]] as [[UInt8]])
  func `a bundle of another length is refused`(bytes: [UInt8]) {
    #expect(throws: MalformedTile.self) {
      try Tile(.entries, index: 0, width: 1).entries(of: bytes)
    }
    #expect(throws: MalformedTile.self) {
      try Tile(.hashes(level: 0), index: 0, width: 1).hashes(of: bytes)
    }
  }
}
