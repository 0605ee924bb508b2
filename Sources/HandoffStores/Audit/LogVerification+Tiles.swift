import Foundation
import GRDB
import HandoffCore

extension LogVerification {
  /// Takes stock of the tile files; what is not a tile is a finding.
  mutating func listTiles() {
    for path in files.tilePaths() {
      if let tile = Tile(path: path) {
        tiles.append(tile)
      } else {
        report.add("\(name) \(path)", "not a file of a log")
      }
    }
  }

  /// Compares hash tiles and entry bundles of up to 256 leaves with the leaves believed.
  mutating func verifyLeafTiles(block: UInt64, expected: [MerkleHash]) throws {
    let leaves = coveredLeaves(of: block)
    guard !leaves.isEmpty else { return }
    for content in [Tile.Content.entries, .hashes(level: 0)] {
      for tile in files(of: content, block, width: leaves.count) {
        guard let bytes = try files.read(tile) else {
          report.add("\(name) \(tile.path)", "missing")
          continue
        }
        do {
          let hashes =
            content == .entries
            ? try tile.entries(of: bytes).map { MerkleHash.leaf($0) } : try tile.hashes(of: bytes)
          compare(hashes, with: expected, tile)
        } catch {
          report.add("\(name) \(tile.path)", error.description)
        }
      }
    }
  }

  /// Compares the tiles above the lowest level with the nodes that the leaves make.
  mutating func verifyUpperTiles() throws {
    let full = UInt64(Tile.fullWidth)
    for level in 1...Tile.levelMax {
      let count = covered >> UInt64(level * Tile.height)
      for start in stride(from: 0, to: count, by: Tile.fullWidth) {
        let width = Int(min(full, count - start))
        let expected = nodes[level, default: []].dropFirst(Int(start)).prefix(width)
        for tile in files(of: .hashes(level: level), start / full, width: width) {
          guard let bytes = try files.read(tile) else {
            report.add("\(name) \(tile.path)", "missing")
            continue
          }
          do {
            compare(try tile.hashes(of: bytes), with: Array(expected), tile)
          } catch {
            report.add("\(name) \(tile.path)", error.description)
          }
        }
      }
    }
  }

  /// The file that a tree of the covered size must have, and narrower ones that are there too.
  private func files(of content: Tile.Content, _ index: UInt64, width: Int) -> [Tile] {
    [Tile(content, index: index, width: width)]
      + tiles.filter { $0.content == content && $0.index == index && $0.width < width }
  }

  private mutating func compare(_ found: [MerkleHash], with expected: [MerkleHash], _ tile: Tile) {
    for (index, hash) in found.enumerated() {
      guard index < expected.count, hash == expected[index] else {
        report.add("\(name) \(tile.path), index \(index)", "it is not what the tree is made of")
        continue
      }
    }
  }

  /// Compares the stored upper nodes with those that the leaves make.
  mutating func verifyNodes() throws {
    var seen: [Int: Int] = [:]
    let rows = try Row.fetchCursor(
      db, sql: "SELECT level, position, hash FROM node WHERE log = ? ORDER BY level, position",
      arguments: [log.id])
    while let row = try rows.next() {
      let level = Int(truncatingIfNeeded: row["level"] as Int64)
      let position: Int64 = row["position"]
      let place = "\(name) table node, level \(level), position \(position)"
      let made = nodes[level, default: []]
      guard let index = Int(exactly: position), made.indices.contains(index) else {
        report.add(place, "the tree has no such node")
        continue
      }
      seen[level, default: 0] += 1
      if Array(row["hash"] as Data) != made[index].bytes {
        report.add("\(place), column hash", "it is not what the leaves make")
      }
    }
    for (level, made) in nodes.sorted(by: { $0.key < $1.key })
    where seen[level, default: 0] != made.count {
      report.add("\(name) table node, level \(level)", "nodes are missing")
    }
  }
}
