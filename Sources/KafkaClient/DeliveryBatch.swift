internal import CLibrdkafka
internal import Synchronization

/// The messages of one `send`, from their hand-over to librdkafka to the last delivery report.
///
/// One continuation a batch: one a message was too dear for every client that tried.
///
/// `@unchecked Sendable`: `slots` never changes after `init`; it is freed in `deinit`, which the
/// retain held for the reports to come puts off until the last of them.
final class DeliveryBatch: @unchecked Sendable {
  /// What a message's opaque pointer points to.
  struct Slot {
    let batch: Unmanaged<DeliveryBatch>
    let index: Int
  }

  private struct State {
    var deliveries: [KafkaDelivery]
    var failure: KafkaError?
    /// Reports to come, and one for the hand-over itself.
    var outstanding: Int
    var continuation: CheckedContinuation<Void, Never>?

    /// The gravest failure is the batch's.
    mutating func fail(_ error: KafkaError) {
      let rank: [KafkaError.Disposition: Int] = [.retry: 0, .abortTransaction: 1, .close: 2]
      if let failure, rank[error.disposition, default: 2] <= rank[failure.disposition, default: 2] {
        return
      }
      failure = error
    }
  }

  private let slots: UnsafeMutablePointer<Slot>
  private let state: Mutex<State>

  init(count: Int) {
    slots = .allocate(capacity: count)
    let nowhere = KafkaDelivery(partition: -1, offset: -1)
    state = Mutex(
      State(deliveries: Array(repeating: nowhere, count: count), outstanding: count))
    let unmanaged = Unmanaged.passUnretained(self)
    for index in 0..<count {
      (slots + index).initialize(to: Slot(batch: unmanaged, index: index))
    }
    _ = unmanaged.retain()
  }

  deinit { slots.deallocate() }

  func opaque(_ index: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(slots + index) }

  /// Takes a delivery report, or the refusal of a message that never got into the queue.
  func report(_ index: Int, _ result: Result<KafkaDelivery, KafkaError>) {
    let (isLast, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
      switch result {
      case .success(let delivery): state.deliveries[index] = delivery
      case .failure(let error): state.fail(error)
      }
      state.outstanding -= 1
      guard state.outstanding == 0 else { return (false, nil) }
      return (true, exchange(&state.continuation, with: nil))
    }
    waiter?.resume()
    if isLast { Unmanaged.passUnretained(self).release() }
  }

  /// Ends the waiting although reports are missing; they may still come.
  func giveUp(_ error: KafkaError) {
    let waiter = state.withLock { state in
      state.fail(error)
      return exchange(&state.continuation, with: nil)
    }
    waiter?.resume()
  }

  /// Waits for the last report.
  func deliveries() async throws(KafkaError) -> [KafkaDelivery] {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        guard state.outstanding > 0 else { return true }
        state.continuation = continuation
        return false
      }
      if isDone { continuation.resume() }
    }
    let (deliveries, failure) = state.withLock { ($0.deliveries, $0.failure) }
    if let failure { throw failure }
    return deliveries
  }
}
