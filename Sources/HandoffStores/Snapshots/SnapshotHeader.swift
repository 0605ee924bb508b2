/// What a snapshot says of itself: enough to tell whether it may be used, without reading the rest.
package struct SnapshotHeader: Hashable, Codable, Sendable {
  /// The cluster whose topics it belongs to; empty where the broker names none.
  package var cluster: String
  /// The topic whose records made the memory; its name ends in the version of its layout.
  package var topic: String
  package var partition: Int32
  /// The consumer group, which is the name of the reconciler.
  package var group: String
  /// Names one unbroken changelog of the partition: one that was begun anew has another.
  package var lineage: String
  /// What lies before it in the changelog is in the snapshot; from it on the changelog is read.
  package var changelogOffset: Int64
  /// The build that wrote it (``RunningBuild``): its entries are for no other to read.
  package var build: String
  /// By which version of the rules the memory was made.
  package var rulesVersion: UInt32
  /// Every policy that the memory refers to, as SHA-256 in hexadecimal digits.
  package var policies: [String]
  /// When it was begun, in milliseconds since 1970, by the clock of its machine.
  package var takenAtMs: Int64

  package init(
    cluster: String, topic: String, partition: Int32, group: String, lineage: String,
    changelogOffset: Int64, build: String, rulesVersion: UInt32, policies: [String],
    takenAtMs: Int64
  ) {
    self.cluster = cluster
    self.topic = topic
    self.partition = partition
    self.group = group
    self.lineage = lineage
    self.changelogOffset = changelogOffset
    self.build = build
    self.rulesVersion = rulesVersion
    self.policies = policies
    self.takenAtMs = takenAtMs
  }
}

/// Why a snapshot is not read, or not written.
package enum SnapshotFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system says no; its error number.
  case file(code: Int32)
  /// Not a snapshot, cut off, or changed since it was written.
  case damaged(section: Int)
  /// Written by a version of another file format.
  case formatUnknown
  /// Whole, and holds something that nobody wrote.
  case entryUnknown

  package var description: String {
    switch self {
    case .file(let code): "the file cannot be used (error \(code))"
    case .damaged(let section): "section \(section) is not what was written"
    case .formatUnknown: "it is of another file format"
    case .entryUnknown: "it holds an entry of an unknown kind"
    }
  }
}

/// The layout of the file, which writer and reader share.
///
/// Eight bytes name the format and its version. Then sections follow: a kind (one byte), the
/// length of what it holds (four bytes, the least significant first), SHA-256 over the check before
/// it, kind and content, and the content. So a section that is changed, missing, doubled or out of
/// its place shows at once. The first holds the header as JSON, the last the number of entries. The
/// checks tell damage, not malice: whoever may write the data folder has the record secrets too.
enum SnapshotLayout {
  static let magic = Array("BATONS\u{0}\u{2}".utf8)
  static let checkByteCount = 32
  static let headByteCount = 1 + 4 + checkByteCount
  /// No section is larger, so that a damaged length cannot ask for all memory.
  static let sectionByteCountMax = 16 << 20
  /// At this size a section is written.
  static let sectionByteCount = 1 << 20

  enum Kind: UInt8 {
    case header = 1
    case entries = 2
    case end = 3
  }

  static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  static func number<Number: FixedWidthInteger>(
    _ bytes: some Collection<UInt8>, as type: Number.Type = Number.self
  ) -> Number {
    bytes.reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }
}
