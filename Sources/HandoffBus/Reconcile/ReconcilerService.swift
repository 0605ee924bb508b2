internal import HandoffCore
internal import KafkaClient
internal import Logging
internal import ServiceLifecycle

/// The reconciler in service: events in, verdicts out, exactly once.
///
/// It consumes as a member of a group; each partition it owns has a memory and a transactional
/// producer of its own (``PartitionOwner``). Whatever breaks for good is answered in one way: let
/// everything go, wait, join again; the log has all that is needed.
package struct ReconcilerService: Service {
  package let status = ReconcilerStatus()
  private let configuration: ReconcilerConfiguration

  package init(_ configuration: ReconcilerConfiguration) {
    self.configuration = configuration
  }

  /// Runs until the service is shut down; a transaction that is open then is finished first.
  ///
  /// Throws where trying again cannot help: a topic is missing, the changelog cannot be read.
  package func run() async throws {
    try await untilShutdown { try await serve() }
  }

  /// Whether every event that is committed by now is judged, and its verdicts are committed too.
  ///
  /// Asks of an instance that owns all partitions; one that shares them is never at the end alone.
  package func isCaughtUp() async throws -> Bool {
    let scan = TopicScan(configuration.kafka, topic: .events)
    let owned = status.snapshot.partitions
    guard try await scan.partitions().allSatisfy({ owned[$0.partition] != nil }) else {
      return false
    }
    let positions = owned.sorted { $0.key < $1.key }.map { number, partition in
      KafkaPartitionOffset(
        topic: Topic.events.name, partition: number,
        offset: partition.nextOffset > 0 ? partition.nextOffset : KafkaPartitionOffset.beginning)
    }
    return try await !scan.hasRecords(after: positions)
  }

  private func serve() async throws {
    let partitionCount = try await checkTopics()
    let cluster = try await clusterName()
    let rules = try await PolicyLog(configuration.kafka).publish(configuration.policy)
    try await configuration.join(configuration.groupID, status) {
      try await ReconcilerSession(
        configuration: configuration, rules: rules, partitionCount: partitionCount,
        cluster: cluster, status: status
      ).run()
    }
  }

  /// Empty where the broker gives none.
  private func clusterName() async throws(KafkaError) -> String {
    let admin = try KafkaAdmin(configuration.kafka)
    do throws(KafkaError) {
      let name = try await admin.cluster().id
      await admin.close()
      return name ?? ""
    } catch {
      await admin.close()
      throw error
    }
  }

  /// How many partitions the events have; the changelog must have as many.
  private func checkTopics() async throws -> Int32 {
    let producer = try KafkaProducer(configuration.kafka)
    do {
      let count = try await producer.partitionCount(Topic.events.name)
      let stateCount = try await producer.partitionCount(Topic.reconcilerState.name)
      guard count > 0, stateCount >= count else {
        throw TopicsFault(events: count, state: stateCount)
      }
      await producer.close()
      return count
    } catch {
      await producer.close()
      throw error
    }
  }
}

extension ReconcilerService: CustomStringConvertible {
  /// The name only: the log of a service group prints its services, and settings may be secret.
  package var description: String { "reconciler" }
}

/// The topics are not there, or not as many partitions as the events need.
package struct TopicsFault: Error, CustomStringConvertible {
  package var events: Int32
  package var state: Int32

  package var description: String {
    "\(Topic.events.name) has \(events) partitions and \(Topic.reconcilerState.name) \(state); "
      + "run `baton topics apply`"
  }
}

extension KafkaError {
  /// Whether joining again would end the same way.
  var isPermanent: Bool {
    switch code {
    case .invalidArgument, .offsetReset: true
    // What a hook could not do for lack of a broker may go well next time, a changelog that
    // cannot be read will not.
    case .hookFailed: (underlying as? KafkaError)?.isPermanent ?? true
    default: false
    }
  }
}
