import Foundation
import GRDB

/// Why the second count cannot be used; never a reason to stop the log that it is counted from.
package enum CountStoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Nothing was counted in this folder.
  case missing(path: String)
  /// It was made by another version, and is only read.
  case olderSchema(version: Int)
  /// It was made by a newer version, which alone may change it.
  case newerSchema(version: Int)
  /// It cannot be read back, or is not what was written: it is to be counted anew.
  case corrupt(path: String)
  /// The file, the disk or another process is in the way.
  case store(AuditStoreError)

  package var description: String {
    switch self {
    case .missing(let path): "there is no second count at \(path)"
    case .olderSchema(let version):
      "the second count has schema \(version), made by an older version"
    case .newerSchema(let version):
      "the second count has schema \(version), made by a newer version"
    case .corrupt(let path): "the second count at \(path) cannot be read back"
    case .store(let error): error.description
    }
  }

  /// Says what a failure of SQLite or of the file means for the count.
  init(_ error: any Error, path: String) {
    switch error {
    case let error as CountStoreError: self = error
    // A table or a column that is missing is no work of ours.
    case let error as DatabaseError where error.resultCode == .SQLITE_ERROR:
      self = .corrupt(path: path)
    default:
      let error = AuditStoreError(error, path: path)
      self = if case .corrupt = error { .corrupt(path: path) } else { .store(error) }
    }
  }
}
