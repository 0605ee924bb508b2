internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// What plain and transactional producers share: a handle, room accounting, delivery reports.
///
/// Delivery reports are taken on a queue of their own as librdkafka signals them, so that they
/// come while a blocking call, such as the commit that flushes, waits for them.
final class ProducerCore: Sendable {
  private struct State {
    var messageCount = 0
    var byteCount = 0
    /// Those who wait for room, first come first served.
    var waiters: [CheckedContinuation<Void, Never>] = []
    var batches: [ObjectIdentifier: DeliveryBatch] = [:]
    var fatal: KafkaError?
    var isClosing = false
    var failedDeliveryCount: UInt64 = 0
  }

  static let events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS

  /// What all producers have in common.
  static let settings = [
    // Java's partitioner: librdkafka's own default agrees with it on one key in twelve.
    "partitioner": "murmur2_random",
    "acks": "all",
    // A batch is handed over whole and then awaited: waiting for more only adds delay.
    "linger.ms": "1",
    "compression.type": "lz4",
  ]

  let handle: KafkaHandle
  let statistics = LatestStatistics()
  /// What a failed delivery means: within a transaction, that it must be aborted.
  let failedDelivery: KafkaError.Disposition?
  private let reports: DispatchQueue
  private let limits: KafkaProducerLimits
  private let interceptor: KafkaInterceptor?
  private let state = Mutex(State())

  init(
    configuration: KafkaConfiguration, settings: [String: String], limits: KafkaProducerLimits,
    failedDelivery: KafkaError.Disposition? = nil
  ) throws(KafkaError) {
    let settings = settings.merging(limits.settings) { old, _ in old }
      .merging(Self.settings) { _, ours in ours }
    self.limits = limits
    interceptor = configuration.interceptor
    self.failedDelivery = failedDelivery
    reports = DispatchQueue(label: "kafka.reports.\(configuration.clientID)")
    handle = try KafkaHandle(
      .producer, configuration: configuration, settings: settings, events: Self.events)
    handle.onEvents { [weak self] in
      guard let self else { return }
      reports.async { self.takeEvents() }
    }
    reports.async { self.takeEvents() }
  }

  /// Hands all messages over; waits for room where there is none.
  ///
  /// The batch, if given, hears of every message.
  func enqueue(
    _ messages: [KafkaMessage], reportingTo batch: DeliveryBatch?
  ) async throws(KafkaError) {
    var next = 0
    do throws(KafkaError) {
      try await handle.topics.know(messages, on: handle)
      while next < messages.count {
        let (accepted, refusal) = try enqueueWhatFits(messages, from: next, reportingTo: batch)
        next += accepted
        if let refusal { throw refusal }
        if next < messages.count { await room() }
      }
    } catch {
      // Order matters: nothing after the first refused message may be written. A transaction that the
      // broker has refused takes no more (`_STATE`): it is to be aborted, and the producer lives.
      let isOver = error.disposition == .close && error.code != .invalidState
      let error = failedDelivery.map { isOver ? error : error.with($0) } ?? error
      for index in next..<messages.count { batch?.report(index, .failure(error)) }
      throw error
    }
  }

  /// Hands all messages over and waits until each is acknowledged.
  func send(_ messages: [KafkaMessage]) async throws(KafkaError) -> [KafkaDelivery] {
    guard !messages.isEmpty else { return [] }
    let batch = DeliveryBatch(count: messages.count)
    let id = ObjectIdentifier(batch)
    state.withLock { $0.batches[id] = batch }
    defer { state.withLock { $0.batches[id] = nil } }
    do throws(KafkaError) {
      try await enqueue(messages, reportingTo: batch)
    } catch {
      // What was handed over before is awaited: the caller must know that nothing is under way.
      _ = try? await batch.deliveries()
      throw error
    }
    return try await batch.deliveries()
  }

  var fatalError: KafkaError? { state.withLock { $0.fatal } }

  /// How many messages were not written, of all whose reports are there by now.
  func failedDeliveryCount() async -> UInt64 {
    await withCheckedContinuation { continuation in
      reports.async {
        self.takeEvents()
        continuation.resume(returning: self.state.withLock { $0.failedDeliveryCount })
      }
    }
  }

  /// Waits until every message is acknowledged or has failed; false at the deadline.
  func flush(within timeout: Duration) async throws(KafkaError) -> Bool {
    let code = try await handle.call("flush", within: timeout) { client in
      KafkaError.Code(rd_kafka_flush(client.pointer, timeout.timeoutMs))
    }
    return code == KafkaError.Code(RD_KAFKA_RESP_ERR_NO_ERROR)
  }

  /// Flushes, fails what is left and frees the client.
  func close(within timeout: Duration) async -> KafkaCloseOutcome {
    let deadline = ContinuousClock.now + timeout
    let isDead = state.withLock { state in
      state.isClosing = true
      return state.fatal != nil
    }
    releaseWaiters()
    if !isDead { _ = try? await flush(within: timeout * 3 / 4) }
    _ = try? await handle.call("purge", within: .seconds(1)) { client in
      let all = RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT
      return KafkaError.Code(rd_kafka_purge(client.pointer, all))
    }
    reports.async { self.takeEvents() }
    let isClosed = await handle.destroy(
      within: Swift.max(.milliseconds(500), deadline - .now))
    for batch in state.withLock({ $0.batches }).values { batch.giveUp(.closed) }
    return isClosed ? .closed : .abandoned
  }
}

extension ProducerCore {
  /// Hands over as many messages as there is room for; returns how many, and why no more.
  private func enqueueWhatFits(
    _ messages: [KafkaMessage], from start: Int, reportingTo batch: DeliveryBatch?
  ) throws(KafkaError) -> (accepted: Int, refusal: KafkaError?) {
    try handle.use { client in
      var next = start
      var latest: TopicTable.Topic?
      while next < messages.count {
        let byteCount = messages[next].byteCount
        do throws(KafkaError) {
          guard try reserve(byteCount) else { break }
        } catch {
          return (next - start, error)
        }
        var message = messages[next]
        if let interceptor { message = interceptor.outgoing(message) }
        let error = handle.topics.produce(
          message, client: client.pointer, opaque: batch?.opaque(next), latest: &latest)
        if let error {
          release(count: 1, byteCount: byteCount)
          guard error.code != .queueFull else { break }
          return (next - start, fatalError ?? error)
        }
        next += 1
      }
      return (next - start, nil)
    }
  }

  private func reserve(_ byteCount: Int) throws(KafkaError) -> Bool {
    try state.withLock { state throws(KafkaError) in
      if let fatal = state.fatal { throw fatal }
      guard !state.isClosing else { throw .closed }
      let isRoom =
        state.messageCount < limits.messageCountMax
        && state.byteCount + byteCount <= limits.byteCountMax
      guard isRoom || state.messageCount == 0 else { return false }
      state.messageCount += 1
      state.byteCount += byteCount
      return true
    }
  }

  private func release(count: Int, byteCount: Int) {
    state.withLock { state in
      state.messageCount -= count
      state.byteCount -= byteCount
    }
  }

  /// Waits until a delivery report has made room.
  private func room() async {
    await withCheckedContinuation { continuation in
      let isRoom = state.withLock { state in
        guard state.messageCount > 0, !state.isClosing, state.fatal == nil else { return true }
        state.waiters.append(continuation)
        return false
      }
      if isRoom { continuation.resume() }
    }
  }

  private func releaseWaiters() {
    let waiters = state.withLock { exchange(&$0.waiters, with: []) }
    for waiter in waiters { waiter.resume() }
  }

  /// Takes all events there are; runs on `reports` only.
  private func takeEvents() {
    try? handle.use { client throws(KafkaError) in
      while let event = rd_kafka_queue_poll(client.queue, 0) {
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR: takeReports(event)
        case RD_KAFKA_EVENT_STATS: statistics.store(event)
        case RD_KAFKA_EVENT_ERROR: takeError(KafkaError(event: event, client: client.pointer))
        default: break
        }
      }
    }
  }

  private func takeReports(_ event: OpaquePointer) {
    var (count, byteCount, failedCount) = (0, 0, 0)
    while let message = rd_kafka_event_message_next(event)?.pointee {
      count += 1
      byteCount += message.len + message.key_len
      if message.err != RD_KAFKA_RESP_ERR_NO_ERROR { failedCount += 1 }
      let slot = message._private?.assumingMemoryBound(to: DeliveryBatch.Slot.self).pointee
      let batch = slot?.batch.takeUnretainedValue()
      guard let slot, let batch else { continue }
      if var error = KafkaError(message.err) {
        if let fatal = fatalError {
          error = fatal
        } else if let failedDelivery, error.disposition != .close {
          error = error.with(failedDelivery)
        }
        batch.report(slot.index, .failure(error))
      } else {
        batch.report(
          slot.index,
          .success(KafkaDelivery(partition: message.partition, offset: message.offset)))
      }
    }
    let failed = UInt64(failedCount)
    if failed > 0 { state.withLock { $0.failedDeliveryCount += failed } }
    release(count: count, byteCount: byteCount)
    releaseWaiters()
  }

  private func takeError(_ error: KafkaError) {
    handle.logger.warning(
      "Kafka reports an error",
      metadata: ["kafka.code": "\(error.code)", "kafka.message": "\(error.message)"])
    guard error.isFatal else { return }
    state.withLock { $0.fatal = error }
    releaseWaiters()
  }
}

extension KafkaMessage {
  /// As librdkafka counts it in a delivery report.
  var byteCount: Int { (key?.count ?? 0) + (value?.count ?? 0) }
}
