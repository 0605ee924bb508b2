import Foundation
import HandoffStores
import TestSupport
import Testing

@Suite struct `A snapshot on the disk` {
  private static let header = SnapshotHeader(
    cluster: "c", topic: "handoff.events.v1", partition: 3, group: "g", lineage: "l",
    changelogOffset: 42, build: "b", rulesVersion: 1, policies: ["p"], takenAtMs: 1_780_000_000_000)

  private static func write(_ entries: [[UInt8]], to path: String) async throws {
    let writer = try await SnapshotWriter(path: path, writer: "one", header: header)
    try await writer.append(entries)
    try await writer.finish()
  }

  private static func read(_ path: String) throws -> [[UInt8]]? {
    guard let reader = try SnapshotReader(path: path) else { return nil }
    #expect(reader.header == header)
    var entries: [[UInt8]] = []
    try reader.forEachEntry { entries.append(Array($0)) }
    return entries
  }

  @Test func `is read as it was written, by its owner only`() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/deep/g-3.snapshot"
    // More than one section, and an empty entry.
    let entries = (0..<3000).map { Array(repeating: UInt8(truncatingIfNeeded: $0), count: $0) }
    try await Self.write(entries, to: path)
    #expect(try Self.read(path) == entries)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    #expect((mode as? NSNumber)?.intValue == 0o600)
    #expect(try Self.read("\(folder.path)/none") == nil)
  }

  @Test func `with any one byte changed is refused`() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/s"
    try await Self.write([[1, 2, 3], [], [4]], to: path)
    let whole = try Data(contentsOf: URL(filePath: path))
    #expect(try Self.read(path) == [[1, 2, 3], [], [4]])
    for position in whole.indices {
      var damaged = whole
      damaged[position] ^= 0x10
      try damaged.write(to: URL(filePath: path))
      #expect(throws: SnapshotFault.self, "byte \(position)") { try Self.read(path) }
    }
  }

  @Test func `cut off anywhere is refused`() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/s"
    try await Self.write([[1, 2, 3], [4]], to: path)
    let whole = try Data(contentsOf: URL(filePath: path))
    for count in 0..<whole.count {
      try whole.prefix(count).write(to: URL(filePath: path))
      #expect(throws: SnapshotFault.self, "\(count) bytes") { try Self.read(path) }
    }
  }

  @Test func `that was not finished leaves the one before in force`() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/s"
    try await Self.write([[1]], to: path)
    let writer = try await SnapshotWriter(path: path, writer: "two", header: Self.header)
    try await writer.append([[2]])
    #expect(try Self.read(path) == [[1]])
    await writer.abandon()
    #expect(try Self.read(path) == [[1]])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s"])
    await #expect(throws: SnapshotFault.self) { try await writer.finish() }
  }

  @Test func `of another file format is named as such`() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/s"
    try await Self.write([], to: path)
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[7] = 99
    try bytes.write(to: URL(filePath: path))
    #expect(throws: SnapshotFault.formatUnknown) { try Self.read(path) }
  }
}
