import Foundation
import NIOPosix

/// The file operations of a drop folder, on threads that may block.
struct FolderAccess: Sendable {
  let path: String

  /// Why a single file could not be read; the folder itself is fine.
  enum FileFault: Error {
    /// Gone, or no longer the file that was listed.
    case changed
    case noPermission
    case tooLong
    case unreadable
  }

  /// Makes `done` and `failed`, and checks that files can be moved there.
  func prepare() async throws(SourceFailure) {
    try await onThread { [path] in
      let type = try? FileManager.default.attributesOfItem(atPath: path)[.type]
      guard type as? FileAttributeType == .typeDirectory else {
        throw SourceFailure(
          reason: code("folder.missing"), explanation: "the folder does not exist")
      }
      for name in [DropFolder.done, DropFolder.failed] {
        do {
          try FileManager.default.createDirectory(
            atPath: path + "/" + name, withIntermediateDirectories: true)
        } catch {
          throw Self.failure(error, doing: "making its folder \(name)")
        }
        guard FileManager.default.isWritableFile(atPath: path + "/" + name) else {
          throw SourceFailure(
            reason: code("folder.no-permission"),
            explanation: "no permission to write into its folder \(name)")
        }
      }
      guard FileManager.default.isWritableFile(atPath: path) else {
        throw SourceFailure(
          reason: code("folder.no-permission"),
          explanation: "no permission to move files out of the folder")
      }
    }
  }

  func list() async throws(SourceFailure) -> [FolderEntry] {
    try await onThread { [path] in
      let names: [String]
      do {
        names = try FileManager.default.contentsOfDirectory(atPath: path)
      } catch {
        throw Self.failure(error, doing: "listing it")
      }
      // A name that is gone by now has vanished between the two calls: that is no error.
      return names.compactMap { Self.entry($0, in: path) }
    }
  }

  /// Reads a file that must still be the one that was listed.
  func read(_ entry: FolderEntry, byteCountMax: Int) async throws -> [UInt8] {
    try await NIOThreadPool.singleton.runIfActive { [path] in
      guard entry.byteCount <= UInt64(byteCountMax) else { throw FileFault.tooLong }
      guard Self.entry(entry.name, in: path) == entry else { throw FileFault.changed }
      let file = path + "/" + entry.name
      guard let handle = FileHandle(forReadingAtPath: file) else {
        throw FileManager.default.fileExists(atPath: file)
          ? FileFault.noPermission : FileFault.changed
      }
      defer { try? handle.close() }
      // One byte more than it had: a file that grew while it was read is not complete.
      guard let data = try? handle.read(upToCount: Int(entry.byteCount) + 1) else {
        guard entry.byteCount == 0 else { throw FileFault.unreadable }
        return []
      }
      guard data.count == Int(entry.byteCount), Self.entry(entry.name, in: path) == entry else {
        throw FileFault.changed
      }
      return Array(data)
    }
  }

  /// Moves a file to `folder`, under a free name, with an explanation beside it.
  func move(
    _ entry: FolderEntry, to folder: String, explanation: String?
  ) async throws(SourceFailure) {
    try await onThread { [path] in
      let source = path + "/" + entry.name
      guard FileManager.default.fileExists(atPath: source) else { return }
      var target = path + "/" + folder + "/" + entry.name
      var number = 1
      while FileManager.default.fileExists(atPath: target) {
        number += 1
        target = path + "/" + folder + "/" + entry.name + ".\(number)"
      }
      do {
        if let explanation {
          try Data(explanation.utf8).write(to: URL(fileURLWithPath: target + ".error.txt"))
        }
        try FileManager.default.moveItem(atPath: source, toPath: target)
      } catch {
        throw Self.failure(error, doing: "moving a file to \(folder)")
      }
    }
  }

  private static func entry(_ name: String, in path: String) -> FolderEntry? {
    guard
      let attributes = try? FileManager.default.attributesOfItem(atPath: path + "/" + name),
      let type = attributes[.type] as? FileAttributeType
    else { return nil }
    let kind: FolderEntry.Kind =
      switch type {
      case .typeRegular: .file
      case .typeDirectory: .folder
      case .typeSymbolicLink: .link
      default: .other
      }
    let modified = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    return FolderEntry(
      name: name, kind: kind,
      fileNumber: (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0,
      byteCount: (attributes[.size] as? NSNumber)?.uint64Value ?? 0,
      modified: Int64((modified * 1e9).rounded()))
  }

  /// What an error of the file system means; never the name of a file, which may be a name.
  private static func failure(_ error: any Error, doing: String) -> SourceFailure {
    let top = error as NSError
    let underlying = top.userInfo[NSUnderlyingErrorKey] as? NSError
    let number = [top, underlying].compactMap { $0 }.first { $0.domain == NSPOSIXErrorDomain }?.code
    switch number.map(Int32.init) {
    case EACCES, EPERM, EROFS:
      return SourceFailure(
        reason: code("folder.no-permission"), explanation: "no permission for \(doing)")
    case ENOSPC, EDQUOT:
      return SourceFailure(
        reason: code("folder.disk-full"), explanation: "no space left on the disk for \(doing)")
    case ENOENT:
      return SourceFailure(
        reason: code("folder.missing"), explanation: "the folder was gone for \(doing)")
    default:
      return SourceFailure(reason: code("folder.failed"), explanation: "\(doing) failed")
    }
  }

  private func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws(SourceFailure) -> Value {
    do {
      return try await NIOThreadPool.singleton.runIfActive(body)
    } catch let failure as SourceFailure {
      throw failure
    } catch {
      throw SourceFailure(reason: code("folder.failed"), explanation: "a file operation failed")
    }
  }
}
