internal import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
internal import ServiceLifecycle

/// Outside the boundary: seals what the outbox holds and writes it to the organisation's inbox.
///
/// In the order of the outbox, and a frame leaves the outbox only when Kafka has acknowledged it. A
/// crash in between seals the same reception again; ingest knows it by its id.
package struct InboxWriter: Service {
  package struct Limits: Sendable {
    package var pageCountMax = 500
    package var pageByteCountMax = 8 << 20
    package var timerInterval: Duration = .seconds(1)
    package var pauseMin: Duration = .milliseconds(100)
    package var pauseMax: Duration = .seconds(30)

    package init() {}
  }

  private let kafka: KafkaConfiguration
  private let topic: String
  private let seal: BoundarySeal
  private let outbox: Outbox
  private let sources: [ConnectorConfiguration]
  private let board: ConnectorBoard
  private let limits: Limits
  private let logger: Logger
  private let now: @Sendable () -> Timestamp

  package init(
    _ kafka: KafkaConfiguration, organisation: ODSCode, seal: BoundarySeal, outbox: Outbox,
    sources: [ConnectorConfiguration], board: ConnectorBoard, limits: Limits = Limits(),
    logger: Logger, now: @escaping @Sendable () -> Timestamp
  ) {
    self.kafka = kafka
    topic = TopicTable.inbox(organisation: organisation.description).name
    self.seal = seal
    self.outbox = outbox
    self.sources = sources
    self.board = board
    self.limits = limits
    self.logger = logger
    self.now = now
  }

  package func run() async throws {
    // What is not acknowledged by then stays in the outbox.
    try await untilShutdown { try await self.work() }
  }

  private func work(clock: any Clock<Duration> = ContinuousClock()) async throws {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in outbox.arrivals { wake.yield() }
        wake.finish()
      }
      group.addTask {
        while true {
          try await clock.sleep(for: limits.timerInterval, tolerance: limits.timerInterval / 10)
          wake.yield()
        }
      }
      group.addTask { try await write(wakes, clock: clock) }
      // Whoever ends first ends the rest: the outbox by closing, the loop by cancellation.
      while try await group.next() != nil {
        if Task.isCancelled || outbox.isClosed { group.cancelAll() }
      }
    }
  }

  /// One producer after another: each works until it fails.
  private func write(_ wakes: AsyncStream<Void>, clock: any Clock<Duration>) async throws {
    var heartbeats = Heartbeats()
    var pause = limits.pauseMin
    while !Task.isCancelled {
      let producer = try KafkaProducer(kafka, deliveryTimeout: .seconds(30))
      do {
        try await pass(producer, &heartbeats)
        pause = limits.pauseMin
        for await _ in wakes { try await pass(producer, &heartbeats) }
        await producer.close()
        return
      } catch is CancellationError {
        await producer.close()
        return
      } catch {
        // A message that timed out ends an idempotent producer (kafka.md trap 7).
        await producer.close()
        logger.error(
          "The inbox cannot be written: frames stay in the outbox",
          metadata: [
            "error": "\(error)", "waiting": "\(outbox.level.rowCount)", "pause": "\(pause)",
          ])
        try await clock.sleep(for: pause, tolerance: pause / 10)
        pause = min(pause * 2, limits.pauseMax)
      }
    }
  }

  private struct Heartbeats {
    var due: [Code: Timestamp] = [:]
    var complete: [Code: Timestamp] = [:]
  }

  /// Writes all that waits, then what is due by the clock.
  private func pass(_ producer: KafkaProducer, _ heartbeats: inout Heartbeats) async throws {
    while true {
      try Task.checkCancellation()
      let frames = try await outbox.pending(
        limit: limits.pageCountMax, byteCountMax: limits.pageByteCountMax)
      if frames.isEmpty { break }
      _ = try await producer.send(frames.map { message(of: $0) })
      var settlement = OutboxSettlement()
      settlement.published = frames.map(\.sequence)
      try await outbox.settle(settlement)
    }
    try await beat(producer, &heartbeats)
  }

  /// What is written for a frame of the outbox.
  func message(of frame: StoredFrame) -> KafkaMessage {
    var content = FrameContent(receivedAt: frame.receivedAt)
    content.payload = frame.bytes
    content.headers = frame.transport
    content.refusal = frame.refusal?.reason
    if frame.bytes.count > InboxOpener.frameByteCountMax {
      // Its sender was told so; what goes on is enough for a dead letter.
      content.payload = Array(frame.bytes.prefix(IngestPageMaker.deadLetterByteCountMax))
      content.refusal = content.refusal ?? ingestCode("frame.too-long")
    }
    content.refusalField = frame.refusal?.field
    return message(content, frame.source, frame.receptionID, frame.rail)
  }

  private func message(
    _ content: FrameContent, _ source: Code, _ reception: ReceptionID, _ rail: Code
  ) -> KafkaMessage {
    let record = WireCodec().encode(
      SealedFrame(content, source: source, receptionID: reception, rail: rail, by: seal))
    return KafkaMessage(
      topic: topic, key: record.key, value: record.value,
      headers: record.headers.map { KafkaHeader($0.name, $0.value) })
  }

  /// Heartbeats of the sources whose interval has passed; they follow the frames in the same
  /// partition, so that ingest has every frame that they speak of.
  private func beat(_ producer: KafkaProducer, _ heartbeats: inout Heartbeats) async throws {
    let time = now()
    let due = sources.filter { (heartbeats.due[$0.name] ?? .distantPast) <= time }
    guard !due.isEmpty else { return }
    let totals = try await outbox.totals()
    // After the totals, so that none of the frames they count was taken in later (A26).
    let saidAt = now()
    let oldest = try await outbox.oldestPending()
    // A frame is stamped a moment before it can be seen in the outbox.
    let settled = time.advanced(by: .seconds(-1))
    var messages: [KafkaMessage] = []
    for source in due {
      if board[source.name]?.state == .running {
        let earlier = oldest[source.name].map { $0.advanced(by: Elapsed(nanoseconds: -1)) }
        heartbeats.complete[source.name] = min(settled, earlier ?? settled)
      }
      let total = totals[source.name] ?? SourceTotals()
      var content = FrameContent(receivedAt: saidAt)
      content.heartbeat = SourceHeartbeat(
        source: source.name, at: saidAt, completeUpTo: heartbeats.complete[source.name],
        lastSequence: total.lastSequence, framesTotal: total.frames, eventsTotal: 0,
        refusalsTotal: total.refusals)
      messages.append(message(content, source.name, Self.freshID(), source.rail))
    }
    _ = try await producer.send(messages)
    for source in due {
      heartbeats.due[source.name] = time.advanced(
        by: Elapsed(nanoseconds: Int64(source.heartbeatInterval / .nanoseconds(1))))
    }
  }

  /// No frame has it: a heartbeat is no reception.
  private static func freshID() -> ReceptionID {
    ReceptionID(rawValue: UInt128.random(in: 1...UInt128.max))
  }
}
