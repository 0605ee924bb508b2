import Foundation
import GRDB
import HandoffCore

extension LogVerification {
  /// The leaves of a block that the newest checkpoint covers.
  func coveredLeaves(of block: UInt64) -> Range<UInt64> {
    let first = block * UInt64(Tile.fullWidth)
    return first..<max(first, min(covered, first + UInt64(Tile.fullWidth)))
  }

  /// The root over the covered leaves as one source has them; `nil` where it is not whole.
  func root(of source: LeafSource) throws -> MerkleHash? {
    var frontier = MerkleFrontier()
    for start in stride(from: 0, to: covered, by: Tile.fullWidth) {
      guard let hashes = try hashes(of: source, block: start / UInt64(Tile.fullWidth)) else {
        return nil
      }
      for hash in hashes { frontier.append(hash) }
    }
    return frontier.root
  }

  /// The covered leaves of a block as one source has them; `nil` where it is not whole.
  func hashes(of source: LeafSource, block: UInt64) throws -> [MerkleHash]? {
    let leaves = coveredLeaves(of: block)
    switch source {
    case .entries: return try entries(ofBlock: block)?.map { .leaf($0) }
    case .tiles:
      let tile = Tile(.hashes(level: 0), index: block, width: leaves.count)
      return try files.read(tile).flatMap { try? tile.hashes(of: $0) }
    case .hashColumn, .columns:
      let rows = try RecordRow.leaves(leaves, ofLog: log.id, db)
      guard rows.map(\.leafIndex) == Array(leaves) else { return nil }
      let hashes = rows.compactMap { row in
        source == .columns ? row.leaf(of: name).hash : MerkleHash(bytes: row.leafHash)
      }
      return hashes.count == rows.count ? hashes : nil
    }
  }

  private func entries(ofBlock block: UInt64) throws -> [[UInt8]]? {
    let leaves = coveredLeaves(of: block)
    guard !leaves.isEmpty else { return nil }
    let tile = Tile(.entries, index: block, width: leaves.count)
    return try files.read(tile).flatMap { try? tile.entries(of: $0) }
  }

  /// Compares everything that is stored of up to 256 leaves, and grows the tree by them.
  mutating func scan(
    block: UInt64, rowEnd: UInt64, trusted: LeafSource, lastOffset: inout Int64
  ) throws {
    let first = block * UInt64(Tile.fullWidth)
    let end = min(max(covered, rowEnd), first + UInt64(Tile.fullWidth))
    let coveredHere = coveredLeaves(of: block)
    let believed = coveredHere.isEmpty ? nil : try hashes(of: trusted, block: block)
    let bundle = try entries(ofBlock: block)
    var rows: [UInt64: RecordRow] = [:]
    for row in try RecordRow.leaves(first..<end, ofLog: log.id, db) { rows[row.leafIndex] = row }

    var expected: [MerkleHash] = []
    for index in first..<end {
      let place = Int(index - first)
      let row = rows[index]
      let hash = believed.map { place < $0.count ? $0[place] : nil } ?? nil
      let entry = bundle.flatMap { place < $0.count ? $0[place] : nil }
      guard let leaf = hash ?? row?.leaf(of: name).hash else {
        report.add("\(name) leaf \(index)", "its row is missing")
        return
      }
      // Only an entry that has the believed hash says what the columns must be.
      let signed = entry.flatMap { MerkleHash.leaf($0) == leaf ? AuditLeaf(bytes: $0) : nil }
      if let row {
        verify(row, leaf: leaf, signed: signed, after: lastOffset)
        lastOffset = signed?.offset ?? row.offset
      } else {
        report.add(
          "\(name) offset \(signed.map { String($0.offset) } ?? "?") (leaf \(index))",
          "its row is missing")
        lastOffset = signed?.offset ?? lastOffset
      }
      expected.append(leaf)
      for node in frontier.append(leaf) { nodes[node.level, default: []].append(node.hash) }
      for old in older where old.size == frontier.size && old.root != frontier.root {
        report.add("\(name) checkpoint", "the one of size \(old.size) is of another history")
      }
    }
    try verifyLeafTiles(block: block, expected: expected)
  }

  /// Compares one row with the leaf that is believed.
  private mutating func verify(
    _ row: RecordRow, leaf: MerkleHash, signed: AuditLeaf?, after lastOffset: Int64
  ) {
    let offset = signed?.offset ?? row.offset
    let place = "\(name) offset \(offset) (leaf \(row.leafIndex)), column"
    var differing: [String] = []
    let made = row.leaf(of: name)
    let valueHash = row.value.map { RecordHash(ofStored: $0) }
    if row.leafHash != leaf.bytes { differing.append("leaf_hash") }
    if made.hash == leaf {
      // What is no hash at all reads as none.
      if row.recordHash != made.recordHash?.bytes { differing.append("record_hash") }
      if valueHash != made.recordHash { differing.append("value") }
    } else if let signed {
      differing += differences(of: row, made, from: signed)
      if valueHash != signed.recordHash { differing.append("value") }
    } else if valueHash?.bytes != row.recordHash {
      differing.append("value or record_hash")
    } else {
      differing.append("one of offset, broker_time, key, headers, value, previous")
    }
    for column in differing {
      report.add("\(place) \(column)", "it is not what the leaf was made of")
    }
    if made.offset <= lastOffset, differing.isEmpty {
      report.add("\(place) offset", "it does not come after the offset of the leaf before")
    }
    guard differing.isEmpty else { return }
    verifySearchable(row, place: place)
  }

  /// The columns that are not what the signed entry says.
  private func differences(
    of row: RecordRow, _ made: AuditLeaf, from signed: AuditLeaf
  ) -> [String] {
    var columns: [String] = []
    if made.topic != signed.topic { columns.append("topic of table log") }
    if made.partition != signed.partition { columns.append("partition of table log") }
    if made.offset != signed.offset { columns.append("offset") }
    if made.brokerTimeMs != signed.brokerTimeMs { columns.append("broker_time") }
    if made.key != signed.key { columns.append("key") }
    if made.headersHash != signed.headersHash { columns.append("headers") }
    if row.recordHash != signed.recordHash?.bytes { columns.append("record_hash") }
    if made.previous != signed.previous { columns.append("previous") }
    return columns
  }

  /// The searchable columns are derived from the record: deriving them again must give the same.
  private mutating func verifySearchable(_ row: RecordRow, place: String) {
    guard let record = try? row.record(of: name) else {
      report.add("\(place) headers", "they cannot be read")
      return
    }
    let derived = RecordRow.Searchable(describe(record))
    for (stored, made) in zip(row.searchable.columns, derived.columns)
    where stored.value != made.value {
      report.add("\(place) \(stored.name)", "it is not what the record says")
    }
  }
}
