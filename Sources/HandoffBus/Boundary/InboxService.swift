internal import HandoffCodecs
internal import HandoffConnectors
internal import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// What has come of the records of all inboxes in this process.
package struct InboxCounts: Hashable, Sendable {
  package var staged: UInt64 = 0
  package var heartbeats: UInt64 = 0
  /// Read before, or sealed again by a connector that did not know that it had arrived.
  package var known: UInt64 = 0
  package var refused: [InboxRefusal: UInt64] = [:]
}

/// The newest word of each connector outside, for the ingest loop to pass on.
package final class InboxBoard: Sendable {
  private let heartbeats = Mutex<[Code: SourceHeartbeat]>([:])

  package init() {}

  /// Takes a newer one; an older that is sent again says nothing.
  func take(_ heartbeat: SourceHeartbeat) {
    heartbeats.withLock { all in
      let known = all[heartbeat.source]
      if known.map({ $0.at < heartbeat.at }) ?? true { all[heartbeat.source] = heartbeat }
    }
  }

  /// The newest of each source, by source.
  var all: [Code: SourceHeartbeat] { heartbeats.withLock { $0 } }
}

/// Reads the inboxes of all organisations into ingest's outbox.
///
/// There is one path for every frame, the outbox: there an answer waits for its request, and there
/// the frame stays until it is published. Reading begins where the group's offsets stand, and those
/// move in the transaction that publishes the frames, so that no frame is lost with this machine's
/// disk; what is read again is known by its reception id.
package struct InboxService: Service {
  /// In whose name the offsets of the inboxes are kept; nobody joins it.
  package static let group = "baton-ingest-inbox"

  private let kafka: KafkaConfiguration
  private let opener: InboxOpener
  private let outbox: Outbox
  private let board: InboxBoard
  private let logger: Logger
  private let counted = Counter()
  package var pauseMin: Duration = .milliseconds(100)
  package var pauseMax: Duration = .seconds(30)

  private final class Counter: Sendable {
    let counts = Mutex(InboxCounts())
  }

  package init(
    _ kafka: KafkaConfiguration, opener: InboxOpener, outbox: Outbox, board: InboxBoard,
    logger: Logger
  ) {
    self.kafka = kafka
    self.opener = opener
    self.outbox = outbox
    self.board = board
    self.logger = logger
  }

  package var counts: InboxCounts { counted.counts.withLock { $0 } }

  package func run() async throws {
    // What was not staged by then stays in the inbox.
    try await untilShutdown { try await self.work() }
  }

  private func work(clock: any Clock<Duration> = ContinuousClock()) async throws {
    guard !opener.topics.isEmpty else {
      try? await gracefulShutdown()
      return
    }
    var pause = pauseMin
    while !Task.isCancelled, !outbox.isClosed {
      do {
        try await read { pause = pauseMin }
      } catch is CancellationError {
        return
      } catch {
        guard !Task.isCancelled else { return }
        logger.error(
          "Inboxes wait: their frames stay where they are",
          metadata: ["error": "\(error)", "pause": "\(pause)"])
        try await clock.sleep(for: pause, tolerance: pause / 10)
        pause = min(pause * 2, pauseMax)
      }
    }
  }

  /// Reads until something fails; `progress` is called after each batch.
  private func read(_ progress: () -> Void) async throws {
    let starts = try await starts()
    let reader = try KafkaReader(kafka, groupID: Self.group)
    do {
      try await reader.assign(starts)
      logger.notice("Inboxes are read", metadata: ["partitions": "\(starts.count)"])
      let limits = KafkaBatchLimits(countMax: 500, byteCountMax: 8 << 20, waitMax: .zero)
      for try await batch in reader.batches(limits) {
        if let truncation = batch.truncations.first { throw Self.truncated(truncation) }
        try await take(batch.records)
        progress()
      }
    } catch {
      await reader.close()
      throw error
    }
    await reader.close()
  }

  /// Where the offsets that were committed with the events stand; else the beginning.
  private func starts() async throws -> [KafkaPartitionOffset] {
    var partitions: [KafkaTopicPartition] = []
    let admin = try KafkaAdmin(kafka)
    let committed: [KafkaPartitionOffset]
    do {
      let counts = Dictionary(
        try await admin.topics().map { ($0.name, $0.partitions) }, uniquingKeysWith: { $1 })
      for topic in opener.topics {
        guard let count = counts[topic] else {
          throw KafkaError(.topicOrPartitionMissing, message: "there is no topic \(topic)")
        }
        partitions += (0..<count).map { KafkaTopicPartition(topic: topic, partition: $0) }
      }
      committed = try await admin.committedOffsets(ofGroup: Self.group, partitions)
    } catch {
      await admin.close()
      throw error
    }
    await admin.close()
    let known = Dictionary(
      committed.map { ($0.topicPartition, $0.offset) }, uniquingKeysWith: { $1 })
    return partitions.map {
      KafkaPartitionOffset($0, offset: known[$0] ?? KafkaPartitionOffset.beginning)
    }
  }

  /// Stages one batch; while there is no room the batch waits, and with it the inbox.
  func take(_ records: [KafkaRecord]) async throws {
    var frames: [(frame: InboxFrame, refusal: InboxRefusal?)] = []
    for record in records {
      switch opener.open(record) {
      case .frame(let frame): frames.append((frame, nil))
      case .refused(let frame, let refusal): frames.append((frame, refusal))
      case .heartbeat(let heartbeat):
        board.take(heartbeat)
        counted.counts.withLock { $0.heartbeats += 1 }
      case nil: break
      }
    }
    guard !frames.isEmpty else { return }
    let outcomes = try await outbox.stage(frames.map(\.frame)) { outcome in
      FrameRefusal(reason: (InboxRefusal(outcome) ?? .replayed).code)
    }
    for ((frame, refusal), outcome) in zip(frames, outcomes) {
      count(frame, refusal: outcome == .known ? nil : refusal ?? InboxRefusal(outcome), outcome)
    }
  }

  private func count(_ frame: InboxFrame, refusal: InboxRefusal?, _ outcome: InboxOutcome) {
    counted.counts.withLock { counts in
      if let refusal {
        counts.refused[refusal, default: 0] += 1
      } else if outcome == .staged {
        counts.staged += 1
      } else {
        counts.known += 1
      }
    }
    guard let refusal else { return }
    logger.log(SelfAlert(.frameRefused, at: frame.place, cause: refusal.code))
  }

  private static func truncated(_ truncation: KafkaTruncation) -> KafkaError {
    KafkaError(
      .offsetReset,
      message: "\(truncation.topicPartition) goes back behind offset \(truncation.expected)",
      disposition: .retry)
  }
}
