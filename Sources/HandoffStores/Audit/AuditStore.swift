import Foundation
import GRDB
import HandoffCore

/// The rows of every audited record, its tree, and the offset consumed, in one SQLite file.
///
/// Rows, tree and offset change in one SQL transaction, so a record is logged exactly once however
/// often Kafka gives it. Beside the database, under `log/<topic>/<partition>/`, stand tiles and
/// checkpoint as plain files; those are made from the rows and can be made again.
package final class AuditStore: Sendable {
  /// The folder: `audit.sqlite` and `log/`.
  package let folder: String
  let pool: DatabasePool
  let describe: AuditDescriber

  /// How long a writer waits for another process before it gives up.
  static let busyTimeout: TimeInterval = 10

  /// Opens the audit log in `folder`, and makes it where it is missing.
  ///
  /// - Throws: ``AuditStoreError``.
  package init(folder: String, describe: @escaping AuditDescriber) throws(AuditStoreError) {
    self.folder = folder
    self.describe = describe
    let path = Self.databasePath(in: folder)
    do {
      try PrivateFile.prepare(path: path)
      var configuration = Configuration()
      configuration.busyMode = .timeout(Self.busyTimeout)
      configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
      pool = try DatabasePool(path: path, configuration: configuration)
      try pool.write { db in
        try AuditSchema.prepare(db)
        try Self.deriveAnew(db, describe)
      }
    } catch {
      throw AuditStoreError(error, path: path)
    }
  }

  /// Opens an audit log that is there already.
  ///
  /// - Throws: ``AuditStoreError/missing(path:)`` where it is not.
  package convenience init(
    existing folder: String, describe: @escaping AuditDescriber
  ) throws(AuditStoreError) {
    guard FileManager.default.fileExists(atPath: Self.databasePath(in: folder)) else {
      throw .missing(path: folder)
    }
    try self.init(folder: folder, describe: describe)
  }

  static func databasePath(in folder: String) -> String { "\(folder)/audit.sqlite" }

  /// Where each log stands, in order of their names.
  package func logs() async throws(AuditStoreError) -> [AuditLogState] {
    try await reading { db in try LogRow.all(db).map { $0.state() } }
  }

  /// Where one log stands; `nil` where nothing was ever logged in it.
  package func log(_ name: AuditLogName) async throws(AuditStoreError) -> AuditLogState? {
    try await reading { db in try LogRow.find(name, db)?.state() }
  }

  /// Releases the file; the store is not used afterwards.
  package func close() throws(AuditStoreError) {
    do { try pool.close() } catch { throw AuditStoreError(error, path: folder) }
  }

  func reading<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(AuditStoreError) -> Value {
    do { return try await pool.read(body) } catch {
      throw AuditStoreError(error, path: Self.databasePath(in: folder))
    }
  }

  func writing<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(AuditStoreError) -> Value {
    do { return try await pool.write(body) } catch {
      throw AuditStoreError(error, path: Self.databasePath(in: folder))
    }
  }
}

extension AuditStoreError {
  /// Says what a failure of SQLite or of a file means to who runs the log.
  init(_ error: any Error, path: String) {
    switch error {
    case let error as AuditStoreError: self = error
    case is PrivateFile.NotWritable: self = .notWritable(path: path)
    case let error as DatabaseError:
      switch error.resultCode {
      case .SQLITE_FULL: self = .diskFull(path: path)
      case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
        self = .notWritable(path: path)
      case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
      case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(place: path)
      default: self = .failed(path: path, code: error.extendedResultCode.rawValue)
      }
    case let error as DurableFile.Failure:
      switch error.code {
      case ENOSPC, EDQUOT: self = .diskFull(path: error.path)
      case EACCES, EPERM, EROFS, ENOENT, ENOTDIR: self = .notWritable(path: error.path)
      default: self = .failed(path: error.path, code: error.code)
      }
    case is RowDecodingError: self = .corrupt(place: path)
    case let error as MalformedTile: self = .corrupt(place: error.tile.path)
    default: self = .failed(path: path, code: -1)
    }
  }
}
