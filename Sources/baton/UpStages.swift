import Foundation
import HandoffBus
import HandoffCore
import HandoffStores
import KafkaClient

/// The stages that a message goes through, as far as one has to know whether it is through.
struct UpStages: Sendable {
  let stack: ConnectStack
  let reconciler: ReconcilerService
  let audit: AuditService
  let log: AuditStore
  let kafka: KafkaConfiguration
  let partitionCount: Int
  let files: DataFiles

  /// Between two looks whether all is through: nothing tells of five stages at once, so they are
  /// asked, which costs a fetch of a few offsets.
  private static let lookInterval: Duration = .milliseconds(250)
  /// Longer than a group takes to share its partitions out.
  private static let waitUntold: Duration = .seconds(10)

  /// Waits until everything taken in so far is published, judged, logged, and under a signature.
  func waitUntilThrough(_ isTaken: @Sendable () -> Bool) async throws {
    while true {
      if isTaken(), try await isPublished(), try await isJudged(), try await isLogged() { break }
      try await ContinuousClock().sleep(for: Self.lookInterval)
    }
    let sizes = try await log.logs().map { (name: $0.name, size: $0.size) }
    while true {
      let signed = Dictionary(
        uniqueKeysWithValues: try await log.logs().map { ($0.name, $0.checkpointSize) })
      if sizes.allSatisfy({ signed[$0.name, default: 0] >= $0.size }) { return }
      try await ContinuousClock().sleep(for: Self.lookInterval)
    }
  }

  /// Waits until every partition is judged here: before that, nothing here knows what is through.
  ///
  /// Where that takes long because others judge some, whoever waits is told once.
  func waitUntilReady() async throws {
    let begin = ContinuousClock.now
    var isTold = false
    while true {
      let status = reconciler.status.snapshot
      let missing = (0..<Int32(partitionCount)).filter { status.partitions[$0] == nil }
      if missing.isEmpty { return }
      if !isTold, status.phase != .restoring, begin.duration(to: .now) > Self.waitUntold {
        isTold = true
        Progress.line(
          """
          Waiting for \(missing.count) of \(partitionCount) partitions of \(Topic.events.name), which \
          another member of the group judges.
            If a `baton reconcile` is at work beside this, end it, or run `baton connect run` and \
          `baton audit run` here instead. One that has ended is forgotten when its session ends.
          """)
      }
      try await ContinuousClock().sleep(for: .milliseconds(50))
    }
  }

  /// Answers in the outbox whose request is not known, by source.
  func waiting() async throws -> [Code: Int] {
    let parked = try await stack.outbox.parked(receivedBefore: .distantFuture, limit: 1_000_000)
    return parked.reduce(into: [:]) { $0[$1.source, default: 0] += 1 }
  }

  private func isPublished() async throws -> Bool {
    try await stack.outbox.pending(limit: 1).isEmpty
  }

  private func isJudged() async throws -> Bool {
    let partitions = reconciler.status.snapshot.partitions
    guard partitions.count == partitionCount else { return false }
    let positions = partitions.map {
      KafkaPartitionOffset(
        topic: Topic.events.name, partition: $0.key, offset: $0.value.nextOffset)
    }
    return try await !TopicScan(kafka, topic: .events).hasRecords(after: positions)
  }

  /// Of the three topics that hold what became of a message.
  private func isLogged() async throws -> Bool {
    let offsets = audit.status.snapshot.positions
    for topic in [Topic.events, .alerts, .deadLetters] {
      let positions = offsets.filter { $0.key.topic == topic.name }.map {
        KafkaPartitionOffset(topic: topic.name, partition: $0.key.partition, offset: $0.value)
      }
      guard !positions.isEmpty else { return false }
      if try await TopicScan(kafka, topic: topic).hasRecords(after: positions) { return false }
    }
    return true
  }
}
