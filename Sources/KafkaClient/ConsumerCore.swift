internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// What consumer and reader share: one handle, polled by whoever asks for the next batch.
///
/// Nothing polls in the background, so the bounded queue inside librdkafka is the only buffer, and
/// `max.poll.interval.ms` measures the application and nothing else (librdkafka 2.0.2, kafka.md
/// trap 3: polling any queue of the client would reset it).
final class ConsumerCore: Sendable {
  /// A change of assignment, as librdkafka asks for it.
  enum Rebalance {
    case assign([KafkaTopicPartition])
    case revoke([KafkaTopicPartition], isLost: Bool)
  }

  private enum Progress {
    case full
    case empty
    case rebalance(Rebalance)
    case failed(KafkaError)
  }

  /// A change of where reading goes on.
  private struct Expectation {
    var offsets: [KafkaPartitionOffset]
    var isAfterAssignment: Bool
  }

  /// The decoder's place.
  ///
  /// `@unchecked Sendable`: touched only between `beginPolling` and `endPolling`, which one task
  /// at a time passes, ordered by the lock of `state`.
  private final class Desk: @unchecked Sendable {
    var decoder: RecordDecoder

    init(_ decoder: RecordDecoder) { self.decoder = decoder }
  }

  private struct State {
    /// What the decoder has yet to be told.
    var expectations: [Expectation] = []
    var isPolling = false
    var isClosing = false
    var failure: KafkaError?
    var lastError: KafkaError?
    /// Resumed when the poll under way has ended.
    var onPollEnd: CheckedContinuation<Void, Never>?
  }

  static let events = RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS

  let handle: KafkaHandle
  let statistics = LatestStatistics()
  private let waker = Waker()
  private let state = Mutex(State())
  private let desk: Desk

  init(configuration: KafkaConfiguration, settings: [String: String]) throws(KafkaError) {
    desk = Desk(RecordDecoder(incoming: configuration.interceptor?.incoming))
    handle = try KafkaHandle(
      .consumer, configuration: configuration, settings: settings, events: Self.events)
    handle.onEvents { [waker] in waker.signal() }
  }

  var lastError: KafkaError? { state.withLock { $0.lastError } }

  /// Sets where reading goes on, for the check against truncation.
  func expect(_ offsets: [KafkaPartitionOffset], afterAssignment: Bool) {
    state.withLock {
      $0.expectations.append(.init(offsets: offsets, isAfterAssignment: afterAssignment))
    }
  }

  /// Fills one batch; nil once closed or cancelled.
  ///
  /// `rebalance` is called between records.
  func nextBatch(
    _ limits: KafkaBatchLimits,
    rebalance: (Rebalance) async throws(KafkaError) -> Void
  ) async throws(KafkaError) -> KafkaBatch? {
    guard try beginPolling() else { return nil }
    defer { endPolling() }
    var builder = BatchBuilder(limits)
    let idleDeadline = limits.idleMax.map { ContinuousClock.now + $0 }
    while !Task.isCancelled, !state.withLock({ $0.isClosing }) {
      waker.arm()
      switch try fill(&builder) {
      case .full:
        return builder.take()
      case .rebalance(let change):
        // What was read but not handed over may belong to another member from now on.
        _ = builder.take()
        try await rebalance(change)
      case .failed(let error):
        guard !builder.isEmpty else { throw error }
        state.withLock { $0.failure = error }
        return builder.take()
      case .empty:
        let deadline = builder.deadline ?? idleDeadline
        if let deadline, deadline <= .now { return builder.take() }
        await waker.wait(until: deadline)
      }
    }
    return nil
  }

  /// Ends the polling, now and for good; returns when the poll under way has ended.
  func stopPolling() async {
    state.withLock { $0.isClosing = true }
    waker.signal()
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        guard state.isPolling else { return true }
        state.onPollEnd = continuation
        return false
      }
      if isIdle { continuation.resume() }
    }
  }

  private func beginPolling() throws(KafkaError) -> Bool {
    let failure: KafkaError? = try state.withLock { state throws(KafkaError) in
      precondition(!state.isPolling, "only one task may take batches from a client")
      guard !state.isClosing else { return nil }
      state.isPolling = state.failure == nil
      return exchange(&state.failure, with: nil)
    }
    if let failure { throw failure }
    return state.withLock { $0.isPolling }
  }

  private func endPolling() {
    let waiter = state.withLock { state in
      state.isPolling = false
      return exchange(&state.onPollEnd, with: nil)
    }
    waiter?.resume()
  }

  /// Takes events until the batch is full, the queue is empty or something else comes up.
  ///
  /// librdkafka 2.0.2, kafka.md trap 1: its own batch calls lose messages around seek, pause and
  /// rebalance, so events are taken one by one and batched here.
  private func fill(_ builder: inout BatchBuilder) throws(KafkaError) -> Progress {
    for change in state.withLock({ exchange(&$0.expectations, with: []) }) {
      if change.isAfterAssignment {
        desk.decoder.restart(from: change.offsets)
      } else {
        desk.decoder.expect(change.offsets)
      }
    }
    return try handle.use { client in
      while !builder.isFull {
        guard let event = rd_kafka_queue_poll(client.queue, 0) else { return .empty }
        defer { rd_kafka_event_destroy(event) }
        if let progress = take(event, client: client.pointer, into: &builder) { return progress }
      }
      return .full
    }
  }

  /// Deals with one event; nil: go on.
  private func take(
    _ event: OpaquePointer, client: OpaquePointer, into builder: inout BatchBuilder
  ) -> Progress? {
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_FETCH:
      while let message = rd_kafka_event_message_next(event) {
        desk.decoder.decode(message, into: &builder)
      }
    case RD_KAFKA_EVENT_REBALANCE:
      return .rebalance(Rebalance(event, client: client))
    case RD_KAFKA_EVENT_STATS:
      statistics.store(event)
    case RD_KAFKA_EVENT_ERROR:
      if let end = partitionEnd(event) {
        builder.append(end: end)
      } else if let error = report(event, client: client) {
        return .failed(error)
      }
    default: break
    }
    return nil
  }

  private func partitionEnd(_ event: OpaquePointer) -> KafkaPartitionOffset? {
    guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF,
      let place = rd_kafka_event_topic_partition(event)
    else { return nil }
    defer { rd_kafka_topic_partition_destroy(place) }
    return KafkaPartitionOffset(
      topic: String(cString: place.pointee.topic), partition: place.pointee.partition,
      offset: place.pointee.offset)
  }

  /// The error if the caller must hear of it; librdkafka recovers from the others by itself.
  private func report(_ event: OpaquePointer, client: OpaquePointer) -> KafkaError? {
    let error = KafkaError(event: event, client: client)
    state.withLock { $0.lastError = error }
    handle.logger.warning(
      "Kafka reports an error",
      metadata: ["kafka.code": "\(error.code)", "kafka.message": "\(error.message)"])
    let fromBrokers: Set<KafkaError.Code> = [
      .offsetReset, .topicNotAuthorized, .groupNotAuthorized, .fencedInstance,
    ]
    return error.isFatal || fromBrokers.contains(error.code) ? error : nil
  }
}

extension ConsumerCore.Rebalance {
  init(_ event: OpaquePointer, client: OpaquePointer) {
    let list = rd_kafka_event_topic_partition_list(event)
    let partitions = NativeOffsets.copy(list).map(\.topicPartition).sorted()
    self =
      rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
      ? .assign(partitions)
      : .revoke(partitions, isLost: rd_kafka_assignment_lost(client) != 0)
  }
}

extension KafkaError {
  /// From an error event; for a fatal one, what is behind it.
  init(event: OpaquePointer, client: OpaquePointer) {
    let response = rd_kafka_event_error(event)
    let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
    guard response == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0 else {
      self.init(Code(response), message: text)
      return
    }
    self = KafkaError.fatal(client) ?? KafkaError(Code(response), message: text, isFatal: true)
  }

  /// The error that made the client unusable, if any.
  static func fatal(_ client: OpaquePointer) -> KafkaError? {
    var text = [CChar](repeating: 0, count: 512)
    let response = rd_kafka_fatal_error(client, &text, text.count)
    guard response != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return KafkaError(Code(response), message: string(text), isFatal: true)
  }
}
