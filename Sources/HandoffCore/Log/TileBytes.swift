/// A tile whose bytes are not what its path says.
public struct MalformedTile: Error, Hashable, CustomStringConvertible {
  public let tile: Tile

  public init(tile: Tile) { self.tile = tile }

  public var description: String { "\(tile.path): not \(tile.width) entries of a tile" }
}

extension Tile {
  /// The hashes of a hash tile's bytes.
  public func hashes(of bytes: [UInt8]) throws(MalformedTile) -> [MerkleHash] {
    guard bytes.count == width * MerkleHash.byteCount else { throw MalformedTile(tile: self) }
    return stride(from: 0, to: bytes.count, by: MerkleHash.byteCount).compactMap {
      MerkleHash(bytes: bytes[$0..<$0 + MerkleHash.byteCount])
    }
  }

  /// The entries of an entry bundle's bytes.
  public func entries(of bytes: [UInt8]) throws(MalformedTile) -> [[UInt8]] {
    var entries: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard rest.count >= 2, entries.count < width else { throw MalformedTile(tile: self) }
      let count = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
      rest = rest.dropFirst(2)
      guard rest.count >= count else { throw MalformedTile(tile: self) }
      entries.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    guard entries.count == width else { throw MalformedTile(tile: self) }
    return entries
  }

  /// The bytes of a hash tile.
  public static func bytes(of hashes: some Sequence<MerkleHash>) -> [UInt8] {
    hashes.flatMap(\.bytes)
  }

  /// The bytes of an entry bundle.
  ///
  /// - Precondition: No entry is longer than 65,535 bytes.
  public static func bytes(ofEntries entries: some Sequence<[UInt8]>) -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in entries {
      precondition(entry.count <= Int(UInt16.max), "an entry's length is written in 16 bits")
      bytes.append(UInt8(truncatingIfNeeded: entry.count >> 8))
      bytes.append(UInt8(truncatingIfNeeded: entry.count))
      bytes.append(contentsOf: entry)
    }
    return bytes
  }
}

/// The tree of a log as its hash tiles hold it.
public struct TiledTree: MerkleHashSource {
  /// The size whose tiles are read: it says how wide the last tile of each level is.
  public let size: UInt64
  private let read: (Tile) throws -> [UInt8]

  /// Makes a tree of `size` leaves over a reader of tile bytes.
  public init(size: UInt64, read: @escaping (Tile) throws -> [UInt8]) {
    self.size = size
    self.read = read
  }

  public func hashes(level: Int, range: Range<UInt64>) throws -> [MerkleHash] {
    let full = UInt64(Tile.fullWidth)
    let entryCount = size >> UInt64(level * Tile.height)
    precondition(range.upperBound <= entryCount, "no such hash in a tree of this size")
    var hashes: [MerkleHash] = []
    var position = range.lowerBound
    while position < range.upperBound {
      let index = position / full
      let tile = Tile(
        .hashes(level: level), index: index, width: Int(min(full, entryCount - index * full)))
      let entries = try tile.hashes(of: read(tile))
      let end = min(range.upperBound, (index + 1) * full)
      hashes += entries[Int(position - index * full)..<Int(end - index * full)]
      position = end
    }
    return hashes
  }
}
