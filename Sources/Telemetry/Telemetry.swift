import Foundation
public import Logging
import Synchronization

/// Where logs go, decided once for the whole process.
public enum Telemetry {
  private static let isStarted = Mutex(false)

  /// Sends every logger of the process to standard error.
  ///
  /// People read lines at a terminal, machines JSON everywhere else. A second call changes nothing:
  /// swift-log allows one bootstrap a process.
  public static func bootstrap(level: Logger.Level, format: LogFormat? = nil) {
    let isFirst = isStarted.withLock { started in
      defer { started = true }
      return !started
    }
    guard isFirst else { return }
    let chosen = format ?? (isatty(FileHandle.standardError.fileDescriptor) == 1 ? .human : .json)
    LoggingSystem.bootstrap { label in
      StandardErrorLogHandler(label: label, level: level, format: chosen)
    }
  }
}
