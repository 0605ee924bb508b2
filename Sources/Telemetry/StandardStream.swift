public import Foundation
import Synchronization

/// Standard output and standard error, whose readers may go away before we do.
///
/// `FileHandle.write(_:)` traps where a write fails: a log shipper that has died, or a full disk,
/// would end the process. What is written here fails with an error instead.
public enum StandardStream: Sendable {
  case output, error

  /// One line after another, also where a pipe takes a long one in pieces; each stream for itself,
  /// so that a reader of the output who has stopped holds up no log.
  private static let isWritingOutput = Mutex(())
  private static let isWritingError = Mutex(())

  /// Has a write to a pipe without a reader fail, and not end the process by SIGPIPE: for
  /// services, whose work goes on without whoever watches.
  public static func outliveReaders() {
    signal(SIGPIPE, SIG_IGN)
  }

  /// Writes `data` whole; throws what the system says.
  public func write(_ data: Data) throws {
    switch self {
    case .output:
      try Self.isWritingOutput.withLock { _ in
        try FileHandle.standardOutput.write(contentsOf: data)
      }
    case .error:
      try Self.isWritingError.withLock { _ in try FileHandle.standardError.write(contentsOf: data) }
    }
  }
}
