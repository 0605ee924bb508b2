package import HandoffCore
internal import Synchronization

/// What a reconciler is doing, for health pages, metrics and whoever waits for its end.
package final class ReconcilerStatus: Sendable {
  /// One owned partition.
  package struct Partition: Hashable, Sendable {
    /// The offset after the last record whose verdicts are committed.
    package var nextOffset: Int64
    /// Partition time; `nil` before the first record.
    package var time: Timestamp?
    package var nextDue: Timestamp?
    /// The rules in force; `nil` before the partition is taken.
    package var rules: RulesActivation?
    package var books = Books()
    /// People remembered.
    package var personCount = 0
    /// How long memory took to be restored, from the fence on.
    package var restoreSeconds: Double?
    package var isFromSnapshot = false
    /// Alerts that are open here, by rule.
    package var openAlerts: [Rule: Int] = [:]
    /// When the oldest handoff that is open was requested, as of the last look at everybody.
    package var oldestOpen: Timestamp?
    /// The latest word on each source.
    package var sources: [SourceState] = []
    /// The last snapshot taken of it by this process.
    package var snapshot: SnapshotMark?
  }

  /// A snapshot that is whole on the disk.
  package struct SnapshotMark: Hashable, Sendable {
    package var at: Timestamp
    package var byteCount: Int
  }

  /// What an instance is at, as its readiness tells it.
  package enum Phase: String, Hashable, Sendable {
    case joining, restoring, serving, stopping
  }

  /// Everything at one moment.
  package struct Snapshot: Hashable, Sendable {
    package var phase = Phase.joining
    /// When the last round of reading and committing ended.
    package var lastRoundAt: Timestamp?
    package var partitions: [Int32: Partition] = [:]
    /// Records between what is committed and the end, of the partitions owned.
    package var lag: [Int32: Int64] = [:]
    package var recordCount: UInt64 = 0
    package var verdictCount: UInt64 = 0
    package var transactionCount: UInt64 = 0
    package var abortCount: UInt64 = 0
    package var tickCount: UInt64 = 0
    package var selfAlertCount: UInt64 = 0
    /// Snapshots that were not what they had to be.
    package var snapshotRefusalCount: UInt64 = 0
    /// How often the group was joined again after a failure.
    package var rejoinCount: UInt64 = 0
    /// Broker's clock less ours, as last measured.
    package var skew: Elapsed?
  }

  private let state = Mutex(Snapshot())

  package init() {}

  package var snapshot: Snapshot { state.withLock { $0 } }

  func update(_ change: (inout Snapshot) -> Void) {
    state.withLock { change(&$0) }
  }
}
