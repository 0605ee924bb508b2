internal import CLibrdkafka
internal import Logging

/// How a client's end went.
public enum KafkaCloseOutcome: Hashable, Sendable {
  /// All is freed.
  case closed
  /// The deadline passed: a thread of librdkafka's is left behind, which may hold connections open
  /// until the process exits.
  case abandoned
}

extension KafkaConsumer {
  /// Ends the batches, runs the revoke hook for the partitions still owned, leaves the group (a
  /// static member stays until its session times out) and frees the client, all within `timeout`
  /// but for the time the hook itself takes.
  ///
  /// Call it once. A task still processing a batch should be done first: its commits fail after.
  @discardableResult
  public func close(within timeout: Duration = .seconds(10)) async -> KafkaCloseOutcome {
    let deadline = ContinuousClock.now + timeout
    await core.stopPolling()
    if await mayLeave(before: deadline) { await leave(before: deadline) }
    let remaining = assignment
    if !remaining.isEmpty { await hooks.onLost(remaining) }
    // What is left of the time, but never none: freeing an idle client takes a few milliseconds.
    let rest = Swift.max(.milliseconds(500), deadline - .now)
    return await core.handle.destroy(within: rest) ? .closed : .abandoned
  }

  /// librdkafka 2.0.2, kafka.md trap 13: leaving crashes when the coordinator is gone, and trap 2:
  /// closing without a broker may hang.
  ///
  /// So ask whether a broker answers; if none does, the session's timeout does the leaving.
  private func mayLeave(before deadline: ContinuousClock.Instant) async -> Bool {
    guard KafkaLibrary.leavingWithoutCoordinatorCrashes else { return true }
    let probe = Swift.max(.milliseconds(100), Swift.min(.seconds(2), (deadline - .now) / 3))
    let response = try? await core.handle.call("probe", within: probe) { client in
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let response = rd_kafka_metadata(client.pointer, 0, nil, &metadata, probe.timeoutMs)
      if let metadata { rd_kafka_metadata_destroy(metadata) }
      return KafkaError.Code(response)
    }
    return response == KafkaError.Code(RD_KAFKA_RESP_ERR_NO_ERROR)
  }

  /// Closes by events, so that no call blocks and the last revocation has its hook.
  private func leave(before deadline: ContinuousClock.Instant) async {
    let failure: KafkaError?? = try? core.handle.use { client in
      KafkaError(consuming: rd_kafka_consumer_close_queue(client.pointer, client.queue))
    }
    guard case .some(.none) = failure else { return }
    while ContinuousClock.now < deadline {
      guard let step = try? await nextClosingStep(), !step.isClosed else { return }
      if let change = step.change { try? await follow(change, refusing: true) }
    }
  }

  private struct ClosingStep: Sendable {
    var isClosed: Bool
    var change: ConsumerCore.Rebalance?
  }

  private func nextClosingStep() async throws(KafkaError) -> ClosingStep {
    try await core.handle.call("close", within: .seconds(1)) { client in
      guard rd_kafka_consumer_closed(client.pointer) == 0 else {
        return ClosingStep(isClosed: true)
      }
      // Blocks in librdkafka's queue until something comes; the last event of a close is not
      // handed out, hence the short wait.
      guard let event = rd_kafka_queue_poll(client.queue, 20) else {
        return ClosingStep(isClosed: false)
      }
      defer { rd_kafka_event_destroy(event) }
      guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE else {
        return ClosingStep(isClosed: false)
      }
      return ClosingStep(
        isClosed: false, change: ConsumerCore.Rebalance(event, client: client.pointer))
    }
  }
}
