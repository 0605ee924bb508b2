import Crypto
import Dispatch
import Foundation

/// Writes one snapshot: beside its place, flushed, then renamed, so that it is there whole or not.
///
/// Everything that may wait for the disk happens on a queue of its own, never on a thread of the
/// concurrency pool. A writer that is dropped without ``finish()`` leaves the older snapshot in
/// force; what it had written is removed by ``abandon()`` or overwritten by the next.
package actor SnapshotWriter {
  private let path: String
  private let draft: String
  private let descriptor: Int32
  private let queue = DispatchQueue(label: "baton.snapshot")
  private var check: [UInt8] = []
  private var section: [UInt8] = []
  private var entryCount: UInt64 = 0
  private var isOpen = true

  /// Begins a snapshot at `path`; `writer` tells drafts of several processes apart.
  ///
  /// The folder (0700) is made where it is missing; the file has mode 0600.
  package init(
    path: String, writer: String, header: SnapshotHeader
  ) async throws(SnapshotFault) {
    self.path = path
    draft = "\(path).\(writer)\(DurableFile.temporarySuffix)"
    do {
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw SnapshotFault.file(code: EACCES)
    }
    descriptor = open(draft, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SnapshotFault.file(code: errno) }
    guard fchmod(descriptor, 0o600) == 0 else {
      Foundation.close(descriptor)
      throw SnapshotFault.file(code: errno)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = (try? encoder.encode(header)).map { Array($0) } ?? []
    try await write(SnapshotLayout.magic + sealed(.header, json))
  }

  /// Adds entries, each as it will be read.
  package func append(_ entries: [[UInt8]]) async throws(SnapshotFault) {
    for entry in entries {
      section += SnapshotLayout.bytes(UInt32(clamping: entry.count))
      section += entry
      entryCount += 1
      if section.count >= SnapshotLayout.sectionByteCount { try await writeSection() }
    }
  }

  /// Ends the snapshot and puts it into its place; returns its size in bytes.
  @discardableResult
  package func finish() async throws(SnapshotFault) -> Int {
    if !section.isEmpty { try await writeSection() }
    try await write(sealed(.end, SnapshotLayout.bytes(entryCount)))
    guard isOpen else { throw SnapshotFault.file(code: EBADF) }
    isOpen = false
    let (descriptor, draft, path) = (descriptor, draft, path)
    let outcome: (code: Int32, size: Int) = await onQueue {
      let size = Int(lseek(descriptor, 0, SEEK_END))
      let flushed = fsync(descriptor) == 0 ? 0 : errno
      Foundation.close(descriptor)
      guard flushed == 0 else { return (flushed, size) }
      guard rename(draft, path) == 0 else { return (errno, size) }
      do throws(DurableFile.Failure) {
        try DurableFile.flush(folder: (path as NSString).deletingLastPathComponent)
      } catch {
        return (error.code, size)
      }
      return (0, size)
    }
    guard outcome.code == 0 else { throw SnapshotFault.file(code: outcome.code) }
    return outcome.size
  }

  /// Drops what was written; harmless after ``finish()``.
  package func abandon() {
    guard isOpen else { return }
    isOpen = false
    Foundation.close(descriptor)
    unlink(draft)
  }

  private func writeSection() async throws(SnapshotFault) {
    let content = section
    section = []
    guard content.count <= SnapshotLayout.sectionByteCountMax else {
      throw SnapshotFault.file(code: EFBIG)
    }
    try await write(sealed(.entries, content))
  }

  /// The section's bytes, its check chained to the one before.
  private func sealed(_ kind: SnapshotLayout.Kind, _ content: [UInt8]) -> [UInt8] {
    var digest = SHA256()
    digest.update(data: check)
    digest.update(data: [kind.rawValue])
    digest.update(data: content)
    check = Array(digest.finalize())
    return [kind.rawValue] + SnapshotLayout.bytes(UInt32(content.count)) + check + content
  }

  private func write(_ bytes: [UInt8]) async throws(SnapshotFault) {
    guard isOpen else { throw SnapshotFault.file(code: EBADF) }
    let descriptor = descriptor
    let code: Int32 = await onQueue {
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 {
          rest = rest.dropFirst(count)
        } else if errno != EINTR {
          return errno
        }
      }
      return 0
    }
    guard code == 0 else { throw SnapshotFault.file(code: code) }
  }

  private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body()) }
    }
  }
}
