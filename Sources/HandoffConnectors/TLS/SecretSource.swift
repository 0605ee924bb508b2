import Foundation

/// Where a secret comes from: a file or the environment, never the configuration itself.
///
/// A configuration file is copied, mailed and put under version control; what is secret stays out
/// of it, and only says where it is.
package enum SecretSource: Hashable, Sendable {
  case file(String)
  case environment(String)

  /// The secret, without the line end that editors leave behind.
  ///
  /// - Throws: ``SecretFault``, which names the place and never the content.
  package func read(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(SecretFault) -> SecretText {
    switch self {
    case .environment(let name):
      guard let value = environment[name] else { throw .notSet(name: name) }
      guard !value.isEmpty else { throw .empty(place: name) }
      return SecretText(value)
    case .file(let path):
      let bytes = try PrivateFile.read(path, byteCountMax: SecretText.byteCountMax)
      guard var text = String(validating: bytes, as: UTF8.self), !text.contains("\0") else {
        throw .notText(path: path)
      }
      while let last = text.last, last.isNewline { text.removeLast() }
      guard !text.isEmpty else { throw .empty(place: path) }
      return SecretText(text)
    }
  }
}

/// A secret in memory; it prints redacted.
package struct SecretText: Hashable, Sendable {
  /// Bytes of a secret: a password, a client secret or a token.
  package static let byteCountMax = 64 * 1_024

  /// The secret itself, for the library that needs it and for nothing else.
  package let revealed: String

  package init(_ text: String) { revealed = text }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "redacted" }
  package var debugDescription: String { "redacted" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a secret cannot be had; it names a place, never a content.
package enum SecretFault: Error, Hashable, Sendable, CustomStringConvertible {
  case notSet(name: String)
  case missing(path: String)
  case unreadable(path: String)
  /// Others than the owner and the group may read it, or others than the owner may write it.
  case tooOpen(path: String, mode: UInt16)
  case empty(place: String)
  case notText(path: String)
  case tooLong(path: String, byteCountMax: Int)

  package var description: String {
    switch self {
    case .notSet(let name): "the environment variable \(name) is not set"
    case .missing(let path): "\(path) does not exist"
    case .unreadable(let path): "\(path) cannot be read; check the permission"
    case .tooOpen(let path, let mode):
      "\(path) has mode \(String(mode, radix: 8)): others may read it or change it; "
        + "run chmod 600 \(path)"
    case .empty(let place): "\(place) is empty"
    case .notText(let path): "\(path) is not text in UTF-8"
    case .tooLong(let path, let limit): "\(path) is longer than \(limit) bytes"
    }
  }
}

/// Files that hold a secret: passwords, tokens and private keys.
package enum PrivateFile {
  /// Reads a file that only its owner, and at most its group, may read.
  ///
  /// The group may, because an orchestrator mounts secrets that way (mode 0440); nobody but the
  /// owner may write. The opened file is asked, not the path: it cannot be exchanged in between.
  package static func read(
    _ path: String, byteCountMax: Int
  ) throws(SecretFault) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path)
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path)
    }
    guard status.st_mode & 0o027 == 0 else {
      throw .tooOpen(path: path, mode: UInt16(truncatingIfNeeded: status.st_mode & 0o777))
    }
    guard let data = try? handle.read(upToCount: byteCountMax + 1) else {
      // At the end of an empty file Foundation gives nothing.
      guard status.st_size == 0 else { throw .unreadable(path: path) }
      return []
    }
    guard data.count <= byteCountMax else {
      throw .tooLong(path: path, byteCountMax: byteCountMax)
    }
    return Array(data)
  }
}
