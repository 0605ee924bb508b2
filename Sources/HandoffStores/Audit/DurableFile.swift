import Foundation

/// Files that are there whole or not at all, also after a crash.
enum DurableFile {
  /// What the system said, and of which file.
  struct Failure: Error {
    let path: String
    let code: Int32
  }

  /// A file of this ending is what a crash left half-written; nobody reads it.
  static let temporarySuffix = ".tmp"

  /// Writes `bytes` beside the place, flushes them, then renames: readers see old or new, never half.
  static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    let folder = (path as NSString).deletingLastPathComponent
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure(path: folder, code: errorNumber(of: error))
    }
    let temporary = path + temporarySuffix
    let descriptor = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
    var failed = false
    var rest = bytes[...]
    while !rest.isEmpty, !failed {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 { failed = errno != EINTR } else { rest = rest.dropFirst(count) }
    }
    failed = failed || fsync(descriptor) != 0
    let code = errno
    Foundation.close(descriptor)
    guard !failed else {
      unlink(temporary)
      throw Failure(path: path, code: code)
    }
    guard rename(temporary, path) == 0 else { throw Failure(path: path, code: errno) }
    try flush(folder: folder)
  }

  /// Makes a rename in `folder` outlast a crash.
  static func flush(folder: String) throws(Failure) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path: folder, code: errno) }
    defer { Foundation.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure(path: folder, code: errno) }
  }

  /// The bytes of a file; `nil` where it is not there.
  static func read(_ path: String) throws(Failure) -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      return Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw Failure(path: path, code: errorNumber(of: error))
    }
  }

  private static func errorNumber(of error: any Error) -> Int32 {
    let top = error as NSError
    let posix = [top, top.userInfo[NSUnderlyingErrorKey] as? NSError].compactMap { $0 }
      .first { $0.domain == NSPOSIXErrorDomain }
    return posix.map { Int32(clamping: $0.code) } ?? EIO
  }
}
