internal import HandoffCore
internal import HandoffStores
internal import KafkaClient
internal import Logging

/// Takes snapshots of the partitions that an instance owns, beside its work.
///
/// All are asked for together, and each is copied when a transaction of its partition has shown
/// that it may be: an idle partition has one a minute, and the others do not wait for it. Copies
/// are made one after the other, a few hundred people at a time, between which the owner goes on;
/// the pauses hold the cost to ``SnapshotSettings/load`` of a core. Such a copy is of no one moment,
/// and need not be: what changed since it was asked for is in the changelog from the offset that it
/// names.
struct SnapshotKeeper: Sendable {
  /// A snapshot that waits for its partition's next transaction.
  private struct Asked {
    var owner: PartitionOwner
    var header: SnapshotHeader
  }

  let settings: SnapshotSettings
  let configuration: ReconcilerConfiguration
  let cluster: String
  let status: ReconcilerStatus
  let crew: PartitionCrew

  /// People copied at a time: some milliseconds in which the owner takes no batch.
  private static let countMax = 250
  /// Between two looks at which of those asked for may be copied.
  private static let lookInterval: Duration = .milliseconds(100)

  /// Runs until cancelled; a snapshot that fails is told, and asked for again an interval later.
  func run() async {
    var asked: [Int32: Asked] = [:]
    var next = ContinuousClock.now + settings.interval
    while !Task.isCancelled {
      if next <= .now {
        next = .now + settings.interval
        await telling { try await ask(&asked) }
      }
      for (partition, one) in asked.sorted(by: { $0.key < $1.key }) {
        let isOver = await telling { try await take(partition, one) }
        if isOver ?? true { asked[partition] = nil }
      }
      let look = ContinuousClock.now + Self.lookInterval
      try? await Task.sleep(until: asked.isEmpty ? next : min(look, next))
    }
  }

  /// `nil` where it failed, which costs nothing but time at a restart.
  @discardableResult
  private func telling<Value>(_ body: () async throws -> Value) async -> Value? {
    do {
      return try await body()
    } catch is CancellationError {
      return nil
    } catch {
      configuration.logger.warning(
        "Snapshot not taken; the changelog has all it would hold",
        metadata: ["reason": "\(Self.reason(error))"])
      return nil
    }
  }

  /// Asks for a snapshot of every partition that waits for none.
  private func ask(_ asked: inout [Int32: Asked]) async throws {
    let owners = crew.current.filter { asked[$0.key] == nil }
    for (partition, end) in try await changelogEnds(of: owners.keys.sorted()) {
      guard let owner = owners[partition],
        let header = await owner.beginSnapshot(cluster: cluster, changelogEnd: end)
      else { continue }
      asked[partition] = Asked(owner: owner, header: header)
    }
  }

  /// Takes a snapshot if its time has come; whether there is nothing left to wait for.
  private func take(_ partition: Int32, _ asked: Asked) async throws -> Bool {
    let clock = ContinuousClock()
    var began = clock.now
    var step = await asked.owner.snapshotStep(countMax: Self.countMax)
    switch step {
    case .waiting: return false
    case .gone: return true
    case .entries, .finished: break
    }
    do {
      let writer = try await SnapshotWriter(
        path: settings.path(group: configuration.groupID, partition: partition),
        writer: configuration.instanceID.filter { $0.isLetter || $0.isNumber },
        header: asked.header)
      do {
        while case .entries(let entries) = step {
          try await writer.append(entries)
          try await Task.sleep(for: (clock.now - began) * (1 / settings.load - 1))
          began = clock.now
          step = await asked.owner.snapshotStep(countMax: Self.countMax)
        }
        guard case .finished(let rest) = step else {
          await writer.abandon()
          return true
        }
        try await writer.append(rest)
        let size = try await writer.finish()
        status.update { $0.partitions[partition]?.snapshot = .init(at: .now(), byteCount: size) }
        return true
      } catch {
        await writer.abandon()
        throw error
      }
    } catch {
      await asked.owner.endSnapshot()
      throw error
    }
  }

  /// Where the committed changelog of each partition ends.
  private func changelogEnds(of partitions: [Int32]) async throws -> [(Int32, Int64)] {
    guard !partitions.isEmpty else { return [] }
    let reader = try KafkaReader(configuration.kafka, groupID: configuration.groupID)
    do {
      let places = partitions.map {
        KafkaTopicPartition(topic: Topic.reconcilerState.name, partition: $0)
      }
      let ends = try await reader.endOffsets(places, isolation: .readCommitted)
      await reader.close()
      return ends.map { ($0.partition, $0.offset) }
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
