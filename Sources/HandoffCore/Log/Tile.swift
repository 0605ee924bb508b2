/// One file of a log in the form of C2SP tlog-tiles: 256 hashes of one level, or 256 entries.
///
/// A full tile never changes. The last tile of a level is partial: its path names its width, so a
/// wider one is another file.
public struct Tile: Hashable, Sendable {
  /// How many levels of the tree a tile spans.
  public static let height = 8
  /// How many hashes or entries a full tile holds.
  public static let fullWidth = 256
  /// Levels beyond this would need more than 2^64 leaves.
  public static let levelMax = 7

  /// What a tile holds.
  public enum Content: Hashable, Sendable {
    /// Hashes of perfect subtrees of 256^level leaves.
    case hashes(level: Int)
    /// The leaf entries themselves, each behind its length (16 bits, big-endian).
    case entries

    /// Which tile level the tile is counted at; entries are counted as leaves are.
    public var level: Int {
      switch self {
      case .hashes(let level): level
      case .entries: 0
      }
    }
  }

  public let content: Content
  /// Which tile of its level, from the left, from 0.
  public let index: UInt64
  /// How many hashes or entries it holds, 1 to 256.
  public let width: Int

  /// Makes the coordinates of a tile.
  ///
  /// - Precondition: 0 ≤ level ≤ 7 and 1 ≤ width ≤ 256.
  public init(_ content: Content, index: UInt64, width: Int = Tile.fullWidth) {
    precondition((0...Tile.levelMax).contains(content.level), "no such tile level")
    precondition((1...Tile.fullWidth).contains(width), "a tile holds 1 to 256 entries")
    self.content = content
    self.index = index
    self.width = width
  }

  public var isPartial: Bool { width < Tile.fullWidth }

  /// The leaves below the tile.
  public var leaves: Range<UInt64> {
    let span = UInt64(1) << UInt64(content.level * Tile.height)
    let first = index * UInt64(Tile.fullWidth) * span
    return first..<first + UInt64(width) * span
  }

  /// The path under the log's folder: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
  ///
  /// N is written in groups of three digits, all but the last behind an `x`: `x001/x234/067`.
  public var path: String {
    var groups: [String] = []
    var rest = index
    repeat {
      let digits = String(rest % 1000)
      groups.append(String(repeating: "0", count: 3 - digits.utf8.count) + digits)
      rest /= 1000
    } while rest > 0
    let number = groups.enumerated().reversed().map {
      $0.offset == 0 ? $0.element : "x\($0.element)"
    }
    let folder =
      switch content {
      case .hashes(let level): "tile/\(level)"
      case .entries: "tile/entries"
      }
    return "\(folder)/\(number.joined(separator: "/"))\(isPartial ? ".p/\(width)" : "")"
  }

  /// Reads a path; `nil` where it is not exactly what ``path`` writes.
  public init?(path: String) {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)[...]
    guard parts.popFirst() == "tile", let folder = parts.popFirst() else { return nil }
    let content: Content
    if folder == "entries" {
      content = .entries
    } else {
      guard let level = Int(folder), (0...Tile.levelMax).contains(level) else { return nil }
      content = .hashes(level: level)
    }
    var width = Tile.fullWidth
    if parts.count > 1, parts[parts.endIndex - 2].hasSuffix(".p") {
      guard let last = parts.popLast(), let partial = Int(last),
        (1..<Tile.fullWidth).contains(partial)
      else { return nil }
      width = partial
      guard let number = parts.popLast() else { return nil }
      parts.append(number.dropLast(2))
    }
    var index: UInt64 = 0
    for part in parts {
      guard let group = UInt64(part.hasPrefix("x") ? part.dropFirst() : part) else { return nil }
      let (product, overflow) = index.multipliedReportingOverflow(by: 1000)
      let (sum, carry) = product.addingReportingOverflow(group)
      guard group < 1000, !overflow, !carry else { return nil }
      index = sum
    }
    // Tile 2^56 of level 0 would begin beyond the last leaf that can be counted.
    guard index >> UInt64(56 - content.level * Tile.height) == 0 else { return nil }
    self.init(content, index: index, width: width)
    guard self.path == path else { return nil }
  }

  /// The tiles of one content that a tree of this size has, left to right.
  public static func all(
    _ content: Content, from oldSize: UInt64 = 0, to size: UInt64
  ) -> [Tile] {
    let shift = UInt64(content.level * height)
    let (old, new) = (oldSize >> shift, size >> shift)
    guard new > old else { return [] }
    let full = UInt64(fullWidth)
    return (old / full...(new - 1) / full).map { index in
      Tile(content, index: index, width: Int(min(full, new - index * full)))
    }
  }

  /// Every tile that a tree of `newSize` has and one of `oldSize` had not, entries first.
  ///
  /// - Precondition: `oldSize <= newSize`.
  public static func changed(from oldSize: UInt64, to newSize: UInt64) -> [Tile] {
    precondition(oldSize <= newSize, "a log only grows")
    let contents = [Content.entries] + (0...levelMax).map { .hashes(level: $0) }
    return contents.flatMap { all($0, from: oldSize, to: newSize) }
  }
}
