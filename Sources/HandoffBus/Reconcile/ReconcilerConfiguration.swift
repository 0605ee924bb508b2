package import HandoffCore
package import KafkaClient
package import Logging

/// What a reconciler is told: where Kafka is, who it is, by which policy it judges.
package struct ReconcilerConfiguration: Sendable {
  package var kafka: KafkaConfiguration
  package var groupID: String
  /// Names this instance in its group: the same after a restart, another for each instance.
  package var instanceID: String
  /// In force from the start of a partition, and from now on where the log says another.
  package var policy: PolicySource
  package var limits = ReconcilerLimits()
  package var ticks = TickSchedule()
  /// The least time between two copies of one source's state onto the events topic.
  package var sourceCopyInterval: Elapsed = .minutes(1)
  /// Tells our own records from forged ones; `nil` takes every record for ours.
  package var stamp: RecordStamp?
  /// `nil`: memory is made from the changelog alone at every start.
  package var snapshots: SnapshotSettings?
  /// Everybody is looked at as often, by snapshots or without: only so is the age of the oldest
  /// open handoff known.
  package var lookInterval: Duration = .seconds(300)
  package var logger = Logger(label: "baton.reconcile")

  package init(
    kafka: KafkaConfiguration, groupID: String = "baton-reconciler", instanceID: String,
    policy: PolicySource = .standard
  ) {
    self.kafka = kafka
    self.groupID = groupID
    self.instanceID = instanceID
    self.policy = policy
  }

  /// The name that makes a partition's producer one of a kind, so that its owner fences the last.
  package func transactionalID(partition: Int32) -> String { "\(groupID)-\(partition)" }
}

/// A policy and the bytes it was read from, which the config topic keeps.
package struct PolicySource: Sendable {
  package var policy: Policy
  /// `nil` for the policy that ships with Baton: every instance has it.
  package var bytes: [UInt8]?

  package init(policy: Policy, bytes: [UInt8]?) {
    self.policy = policy
    self.bytes = bytes
  }

  /// The policy that ships with Baton.
  package static let standard = PolicySource(policy: .default, bytes: nil)
}

/// The bounds of what a reconciler holds and how long it waits.
package struct ReconcilerLimits: Sendable {
  /// Records of one round over all partitions: what is lost by an abort, and held in memory.
  package var recordCountMax = 20_000
  /// Records of one partition that are applied before what they changed is handed to the producer.
  package var partCount = 1_000
  /// The time from one round of transactions to the next while records keep coming; the first
  /// record after a quiet time waits for nothing.
  package var commitInterval: Duration = .milliseconds(30)
  package var transactionTimeout: Duration = .seconds(30)
  /// How long taking a partition may go without any progress.
  package var restoreTimeout: Duration = .seconds(60)
  /// Aborts in a row of one partition after which the group is joined anew.
  package var abortCountMax = 5
  /// The longest wait before joining the group again after a failure.
  package var rejoinWaitMax: Duration = .seconds(30)

  package init() {}
}
