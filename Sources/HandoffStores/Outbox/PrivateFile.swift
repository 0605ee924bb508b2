import Foundation

/// Files that only their owner may read: the outbox, the key store, the secrets.
enum PrivateFile {
  /// The file or its folder cannot be made or written.
  struct NotWritable: Error {}

  /// Makes the file (0600) and its folder (0700) where they are missing, and narrows its mode.
  ///
  /// SQLite gives its log and index the mode of the database, so this comes before it opens.
  static func prepare(path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    if !FileManager.default.fileExists(atPath: folder) {
      do {
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true,
          attributes: [.posixPermissions: 0o700])
      } catch {
        throw NotWritable()
      }
    }
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw NotWritable() }
    defer { _ = Foundation.close(descriptor) }
    guard fchmod(descriptor, 0o600) == 0 else { throw NotWritable() }
  }
}
