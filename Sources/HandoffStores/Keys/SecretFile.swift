package import Foundation

/// Files of secrets: read only where nobody but their owner could have read or written them.
package enum SecretFile {
  /// Files are small: whatever is longer is none of ours.
  private static let byteCountMax = 65_536

  /// The content of the file at `path`.
  ///
  /// The opened file is asked for its mode, not the path: it cannot be exchanged in between.
  package static func read(path: String) throws(SecretsError) -> Data {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw [ENOENT, ENOTDIR].contains(errno) ? .missing(path: path) : .unreadable(path: path)
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path)
    }
    guard status.st_mode & 0o177 == 0 else {
      throw .tooOpen(path: path, mode: UInt16(truncatingIfNeeded: status.st_mode & 0o777))
    }
    let data: Data
    do {
      data = try handle.read(upToCount: byteCountMax + 1) ?? Data()  // `nil` is an empty file.
    } catch {
      throw .unreadable(path: path)
    }
    guard data.count <= byteCountMax else { throw .unreadable(path: path) }
    return data
  }

  /// Writes a new file with mode 0600 that is on the disk when this returns; never replaces one.
  package static func create(path: String, _ data: Data) throws(SecretsError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .notWritable(path: path) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: data)
      try handle.synchronize()
    } catch {
      throw .notWritable(path: path)
    }
  }

  /// Replaces the file at `path`, whole or not at all, however the process ends.
  package static func replace(path: String, _ data: Data) throws(SecretsError) {
    let draft = path + ".new"
    unlink(draft)  // Left over from a replacement that was cut off.
    try create(path: draft, data)
    guard rename(draft, path) == 0 else { throw .notWritable(path: path) }
  }
}
