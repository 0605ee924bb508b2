package import HandoffCore
package import HandoffStores
internal import Synchronization

/// Where the audit service stands, for whoever watches it.
package final class AuditStatus: Sendable {
  /// What is known at one moment.
  package struct Snapshot: Sendable {
    /// Records logged since the service was started.
    package var appended = 0
    /// How far each partition is read: past its last logged record, and past what is never logged
    /// behind it, such as a transaction's end.
    package var positions: [AuditLogName: Int64] = [:]
    /// Records of each log that the newest checkpoint covers.
    package var covered: [AuditLogName: UInt64] = [:]
    /// When a checkpoint was signed last.
    package var signedAt: Timestamp?
    /// Where the second count of each partition stands, as of the last look at the books.
    package var counts: [CountStanding] = []
    /// Whether the topics are being read.
    package var isReading = false
  }

  private let state = Mutex(Snapshot())

  package init() {}

  package var snapshot: Snapshot { state.withLock { $0 } }

  func update(_ change: (inout Snapshot) -> Void) { state.withLock { change(&$0) } }
}
