internal import Foundation

/// A folder into which whole files are put, so that they are there after any crash.
struct DurableFolder {
  let path: String

  /// The folder or a file in it cannot be written.
  struct NotWritable: Error, CustomStringConvertible {
    let code: Int32

    var description: String { "the folder cannot be written (error \(code))" }
  }

  /// Writes `bytes` as `name`: under another name first, then on the disk, then renamed.
  func write(_ name: String, _ bytes: [UInt8]) throws(NotWritable) {
    try makeFolder()
    let draft = path + "/." + name + ".part"
    let descriptor = unsafe open(draft, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw NotWritable(code: errno) }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try file.write(contentsOf: Data(bytes))
      try file.synchronize()
      try file.close()
    } catch {
      throw NotWritable(code: EIO)
    }
    guard unsafe rename(draft, path + "/" + name) == 0 else { throw NotWritable(code: errno) }
    // The name itself must survive a crash too.
    let folder = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { throw NotWritable(code: errno) }
    defer { _ = Foundation.close(folder) }
    guard fsync(folder) == 0 else { throw NotWritable(code: errno) }
  }

  private func makeFolder() throws(NotWritable) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true,
        attributes: [.posixPermissions: NSNumber(value: 0o700)])
    } catch {
      throw NotWritable(code: EACCES)
    }
  }
}
