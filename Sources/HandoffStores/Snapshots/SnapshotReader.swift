import Crypto
import Foundation

/// Reads one snapshot, section by section, and believes none before its check.
///
/// A use of the file is one pass: ``header`` first, then ``forEachEntry(_:)``, which ends well only
/// where the file ends as it was written.
package final class SnapshotReader {
  package let header: SnapshotHeader
  /// Size of the file in bytes.
  package let byteCount: Int
  private let file: FileHandle
  private var check: [UInt8] = []
  private var sectionCount = 0

  /// Opens the snapshot at `path` and reads its header; `nil` where there is none.
  package init?(path: String) throws(SnapshotFault) {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SnapshotFault.file(code: errno) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    byteCount = Int(lseek(descriptor, 0, SEEK_END))
    lseek(descriptor, 0, SEEK_SET)
    let magic = try Self.read(file, SnapshotLayout.magic.count, section: 0)
    guard magic.dropLast() == SnapshotLayout.magic.dropLast() else {
      throw SnapshotFault.damaged(section: 0)
    }
    guard magic == SnapshotLayout.magic else { throw SnapshotFault.formatUnknown }
    let (kind, content, check) = try Self.section(file, after: [], number: 0)
    guard kind == .header,
      let header = try? JSONDecoder().decode(SnapshotHeader.self, from: Data(content))
    else { throw SnapshotFault.damaged(section: 0) }
    self.header = header
    self.check = check
  }

  /// Hands over every entry, in the order in which they were written.
  ///
  /// - Throws: ``SnapshotFault`` at the first section that is not what was written; entries of
  ///   sections before it have been handed over by then. What `body` throws.
  package func forEachEntry(_ body: (ArraySlice<UInt8>) throws -> Void) throws {
    var entryCount: UInt64 = 0
    while true {
      sectionCount += 1
      let (kind, content, check) = try Self.section(file, after: check, number: sectionCount)
      self.check = check
      switch kind {
      case .header: throw SnapshotFault.damaged(section: sectionCount)
      case .end:
        guard content.count == 8, SnapshotLayout.number(content, as: UInt64.self) == entryCount
        else { throw SnapshotFault.damaged(section: sectionCount) }
        return
      case .entries:
        var rest = content[...]
        while !rest.isEmpty {
          let length = SnapshotLayout.number(rest.prefix(4), as: UInt32.self)
          guard rest.count >= 4, Int(length) <= rest.count - 4 else {
            throw SnapshotFault.damaged(section: sectionCount)
          }
          rest = rest.dropFirst(4)
          try body(rest.prefix(Int(length)))
          rest = rest.dropFirst(Int(length))
          entryCount += 1
        }
      }
    }
  }

  /// Removes the snapshot at `path`, where there is one.
  package static func remove(path: String) { unlink(path) }

  private static func section(
    _ file: FileHandle, after check: [UInt8], number: Int
  ) throws(SnapshotFault) -> (kind: SnapshotLayout.Kind, content: [UInt8], check: [UInt8]) {
    let head = try read(file, SnapshotLayout.headByteCount, section: number)
    let length = SnapshotLayout.number(head[1..<5], as: UInt32.self)
    guard let kind = SnapshotLayout.Kind(rawValue: head[0]),
      Int(length) <= SnapshotLayout.sectionByteCountMax
    else { throw SnapshotFault.damaged(section: number) }
    let content = try read(file, Int(length), section: number)
    var digest = SHA256()
    digest.update(data: check)
    digest.update(data: [kind.rawValue])
    digest.update(data: content)
    let found = Array(digest.finalize())
    guard found == Array(head[5...]) else { throw SnapshotFault.damaged(section: number) }
    return (kind, content, found)
  }

  private static func read(
    _ file: FileHandle, _ count: Int, section: Int
  ) throws(SnapshotFault) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let part: Data?
      do {
        part = try file.read(upToCount: count - bytes.count)
      } catch {
        throw SnapshotFault.file(code: EIO)
      }
      guard let part, !part.isEmpty else { throw SnapshotFault.damaged(section: section) }
      bytes += part
    }
    return bytes
  }
}
