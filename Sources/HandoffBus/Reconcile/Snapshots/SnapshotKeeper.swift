internal import HandoffCore
internal import HandoffStores
internal import KafkaClient
internal import Logging

/// Takes snapshots of the partitions that an instance owns, one after the other, beside its work.
///
/// The memory is copied a few hundred people at a time, between which the owner goes on; the pauses
/// hold the cost to ``SnapshotSettings/load`` of a core. Such a copy is of no one moment, and need
/// not be: what changed since it was begun is in the changelog from the offset that it names.
struct SnapshotKeeper: Sendable {
  let settings: SnapshotSettings
  let configuration: ReconcilerConfiguration
  let cluster: String
  let status: ReconcilerStatus
  let crew: PartitionCrew

  /// People copied at a time: some milliseconds in which the owner takes no batch.
  private static let countMax = 250
  /// Between two looks at whether the owner has committed the transaction that a copy waits for.
  private static let lookInterval: Duration = .milliseconds(100)

  /// Runs until cancelled; a snapshot that fails is told, and tried again an interval later.
  func run() async {
    while !Task.isCancelled {
      do {
        try await Task.sleep(for: settings.interval)
        for (partition, owner) in crew.current.sorted(by: { $0.key < $1.key }) {
          try await take(partition, owner)
        }
      } catch is CancellationError {
        return
      } catch {
        configuration.logger.warning(
          "Snapshot not taken; the changelog has all it would hold",
          metadata: ["reason": "\(Self.reason(error))"])
      }
    }
  }

  private func take(_ partition: Int32, _ owner: PartitionOwner) async throws {
    guard
      let header = await owner.beginSnapshot(
        cluster: cluster, changelogEnd: try await changelogEnd(of: partition))
    else { return }
    let writer = try await SnapshotWriter(
      path: settings.path(group: configuration.groupID, partition: partition),
      writer: configuration.instanceID.filter { $0.isLetter || $0.isNumber }, header: header)
    do {
      let clock = ContinuousClock()
      copying: while true {
        let began = clock.now
        switch await owner.snapshotStep(countMax: Self.countMax) {
        case .waiting: try await Task.sleep(for: Self.lookInterval)
        case .gone:
          await writer.abandon()
          return
        case .persons(let entries):
          try await writer.append(entries)
          try await Task.sleep(for: (clock.now - began) * (1 / settings.load - 1))
        case .finished: break copying
        }
      }
      let size = try await writer.finish()
      status.update { $0.partitions[partition]?.snapshot = .init(at: .now(), byteCount: size) }
    } catch {
      await owner.endSnapshot()
      await writer.abandon()
      throw error
    }
  }

  /// Where the committed changelog of a partition ends.
  private func changelogEnd(of partition: Int32) async throws -> Int64 {
    let reader = try KafkaReader(configuration.kafka, groupID: configuration.groupID)
    do {
      let place = KafkaTopicPartition(topic: Topic.reconcilerState.name, partition: partition)
      let end = try await reader.endOffsets([place], isolation: .readCommitted).first?.offset
      await reader.close()
      return end ?? 0
    } catch {
      await reader.close()
      throw error
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let fault as SnapshotFault: fault.description
    case let error as KafkaError: "Kafka: \(error.code)"
    default: "unknown"
    }
  }
}
