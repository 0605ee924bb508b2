internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Tells Swift that a librdkafka queue has become non-empty.
///
/// librdkafka calls back once per change from empty to non-empty, under the queue's lock: what
/// runs here must neither block nor touch the queue. (rust-rdkafka lost wake-ups where it did not
/// poll once more after registering; see `Waker`.)
final class QueueSignal: Sendable {
  private let reaction = Mutex<(@Sendable () -> Void)?>(nil)

  func set(_ react: @escaping @Sendable () -> Void) { reaction.withLock { $0 = react } }

  func attach(to queue: OpaquePointer) {
    rd_kafka_queue_cb_event_enable(
      queue, signalQueue, Unmanaged.passUnretained(self).toOpaque())
  }

  static func detach(from queue: OpaquePointer) {
    rd_kafka_queue_cb_event_enable(queue, nil, nil)
  }

  fileprivate func fire() { reaction.withLock { $0 }?() }
}

private func signalQueue(client: OpaquePointer?, opaque: UnsafeMutableRawPointer?) {
  guard let opaque else { return }
  Unmanaged<QueueSignal>.fromOpaque(opaque).takeUnretainedValue().fire()
}

/// Lets one task wait for a signal, a deadline or its cancellation.
///
/// A signal between `arm` and `wait` is kept, which closes the race between "the queue was empty"
/// and "I am waiting".
final class Waker: Sendable {
  private struct State {
    var isSignalled = false
    var waiter: CheckedContinuation<Void, Never>?
    /// Tells a timer of an earlier wait from this one's.
    var round = 0
  }

  private let state = Mutex(State())

  /// Forgets earlier signals; poll after this, then wait.
  func arm() { state.withLock { $0.isSignalled = false } }

  func signal() {
    let waiter = state.withLock { state in
      state.isSignalled = true
      return exchange(&state.waiter, with: nil)
    }
    waiter?.resume()
  }

  /// Waits for a signal since `arm`, at most until `deadline`.
  func wait(until deadline: ContinuousClock.Instant?) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let round: Int? = state.withLock { state in
          precondition(state.waiter == nil, "only one task may wait for a queue")
          state.round += 1
          guard !state.isSignalled else { return nil }
          state.waiter = continuation
          return state.round
        }
        guard let round else { return continuation.resume() }
        if let deadline { wake(round, at: deadline) }
        if Task.isCancelled { signal() }
      }
    } onCancel: {
      signal()
    }
  }

  private func wake(_ round: Int, at deadline: ContinuousClock.Instant) {
    let wait = Swift.max(.zero, deadline - .now)
    DispatchQueue.global().asyncAfter(deadline: .now() + wait.dispatchInterval) { [weak self] in
      let waiter = self?.state.withLock { state in
        state.round == round ? exchange(&state.waiter, with: nil) : nil
      }
      waiter?.resume()
    }
  }
}

/// A continuation that several may try to resume; the first one wins.
final class Answer<Value: Sendable>: Sendable {
  private let continuation: Mutex<CheckedContinuation<Value?, Never>?>

  init(_ continuation: CheckedContinuation<Value?, Never>) {
    self.continuation = Mutex(continuation)
  }

  func give(_ value: Value?) {
    continuation.withLock { exchange(&$0, with: nil) }?.resume(returning: value)
  }
}

/// Starts something that answers later; nil if it has not answered at the deadline.
func firstAnswer<Value: Sendable>(
  within timeout: Duration, _ start: (Answer<Value>) -> Void
) async -> Value? {
  await withCheckedContinuation { continuation in
    let answer = Answer<Value>(continuation)
    // The timer holds the answer: nobody else may, where only the time is waited for.
    DispatchQueue.global().asyncAfter(deadline: .now() + timeout.dispatchInterval) {
      answer.give(nil)
    }
    start(answer)
  }
}

extension Duration {
  /// For a Dispatch timer; a century is as good as never.
  var dispatchInterval: DispatchTimeInterval {
    let seconds = Swift.min(components.seconds, 3_000_000_000)
    return .nanoseconds(
      Int(seconds) * 1_000_000_000 + Int(components.attoseconds / 1_000_000_000))
  }
}
