package import HandoffCore
package import HandoffStores
internal import Synchronization

/// Where the audit service stands, for whoever watches it.
package final class AuditStatus: Sendable {
  /// What is known at one moment.
  package struct Snapshot: Sendable {
    /// Records logged since the service was started.
    package var appended = 0
    /// The offset that each partition is read from next.
    package var nextOffsets: [AuditLogName: Int64] = [:]
    /// Records of each log that the newest checkpoint covers.
    package var covered: [AuditLogName: UInt64] = [:]
    /// When a checkpoint was signed last.
    package var signedAt: Timestamp?
    /// Whether everything that was in the topics when last asked is logged.
    package var isReading = false
  }

  private let state = Mutex(Snapshot())

  package init() {}

  package var snapshot: Snapshot { state.withLock { $0 } }

  func update(_ change: (inout Snapshot) -> Void) { state.withLock { change(&$0) } }
}
