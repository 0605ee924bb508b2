internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// Owns one `rd_kafka_t` and its event queue, and brings calls to it.
///
/// `@unchecked Sendable`: librdkafka locks every call made here but `rd_kafka_destroy`
/// (INTRODUCTION.md, "Threads and callbacks"). The pointers never change; `destroy` first closes
/// the gate of `use` and waits for the calls inside.
final class KafkaHandle: @unchecked Sendable {
  enum Role {
    case consumer
    case producer

    var type: rd_kafka_type_t { self == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER }
  }

  let logger: Logger
  /// Where calls that may block are made: a thread of its own, never the cooperative pool.
  let calls: DispatchQueue
  /// The topics this client writes to.
  var topics: TopicTable { resources.topics }
  private let resources: NativeResources
  private let users = DispatchGroup()
  private let isOpen = Mutex(true)

  /// Creates the client; it connects in the background.
  init(
    _ role: Role, configuration: KafkaConfiguration, settings: [String: String],
    events: Int32 = 0
  ) throws(KafkaError) {
    let properties = try configuration.merged(with: settings)
    logger = configuration.logger
    calls = DispatchQueue(label: "kafka.calls.\(configuration.clientID)")
    resources = try NativeResources(
      role, properties: properties, events: events, configuration: configuration)
  }

  deinit {
    // Never closed by its owner: free it where it may block, without leaving the group.
    guard isOpen.withLock({ $0 }) else { return }
    let resources = resources
    DispatchQueue(label: "kafka.destroy").async { resources.destroy() }
  }

  /// Has `react` called, on librdkafka's thread and under the queue's lock, whenever the event
  /// queue becomes non-empty.
  ///
  /// Poll once after this, for what came before.
  func onEvents(_ react: @escaping @Sendable () -> Void) { resources.signal.set(react) }

  /// Makes a call that does not block.
  func use<Value>(
    _ body: (borrowing NativeClient) throws(KafkaError) -> Value
  ) throws(KafkaError) -> Value {
    let entered = isOpen.withLock { isOpen in
      if isOpen { users.enter() }
      return isOpen
    }
    guard entered else { throw .closed }
    defer { users.leave() }
    return try body(resources.client)
  }

  /// Makes a call that may block, on the handle's own thread; gives up waiting at the deadline.
  ///
  /// Some calls of 2.0.2 ignore their own timeout (kafka.md trap 11), hence ours.
  func call<Value: Sendable>(
    _ what: String, within timeout: Duration,
    _ body: @escaping @Sendable (borrowing NativeClient) throws(KafkaError) -> Value
  ) async throws(KafkaError) -> Value {
    let slack: Duration = .seconds(1)  // The C call's own timeout should win: it says more.
    let result = await firstAnswer(within: timeout + slack) {
      (answer: Answer<Result<Value, KafkaError>>) in
      calls.async {
        do throws(KafkaError) {
          answer.give(.success(try self.use(body)))
        } catch {
          answer.give(.failure(error))
        }
      }
    }
    guard let result else { throw .timedOut(what) }
    return try result.get()
  }

  /// Frees the client on a thread of its own; false if that had not finished at the deadline.
  ///
  /// librdkafka 2.0.2, kafka.md trap 2: destroying may hang for good, for example after a topic's
  /// deletion. The thread and the handle are then left behind, and the log says so.
  func destroy(within timeout: Duration) async -> Bool {
    guard isOpen.withLock({ isOpen in exchange(&isOpen, with: false) }) else { return true }
    let (resources, users) = (resources, users)
    let finished: Void? = await firstAnswer(within: timeout) { (answer: Answer<Void>) in
      DispatchQueue(label: "kafka.destroy").async {
        users.wait()
        resources.destroy()
        answer.give(())
      }
    }
    if finished == nil {
      logger.error("Kafka client did not close in time and is left behind")
    }
    return finished != nil
  }
}

/// The two pointers of a client, lent for the time of one call.
struct NativeClient: ~Copyable {
  /// The `rd_kafka_t`.
  let pointer: OpaquePointer
  /// `rd_kafka_queue_t`: the consumer's queue, or the producer's main queue.
  let queue: OpaquePointer
}

/// What `rd_kafka_destroy` frees, and the boxes librdkafka's callbacks point to.
///
/// `@unchecked Sendable`: made once, destroyed once by its `KafkaHandle`, from any thread.
private final class NativeResources: @unchecked Sendable {
  let client: NativeClient
  let signal = QueueSignal()
  let topics = TopicTable()
  private let context: CallbackContext

  init(
    _ role: KafkaHandle.Role, properties: [String: String], events: Int32,
    configuration: KafkaConfiguration
  ) throws(KafkaError) {
    var tokens: KafkaTokenSource?
    if case .token(let source)? = configuration.security?.login { tokens = source }
    context = CallbackContext(LogSink(configuration.logger), tokens: tokens)
    let pointer = try makeNativeClient(
      role.type, properties: properties, events: events, context: context)
    var queue = rd_kafka_queue_get_main(pointer)
    if role == .consumer {
      // Everything then comes through one queue, in order.
      rd_kafka_poll_set_consumer(pointer)
      let main = queue
      queue = rd_kafka_queue_get_consumer(pointer)
      if let main { rd_kafka_queue_destroy(main) }
    }
    guard let queue else {
      rd_kafka_destroy(pointer)
      throw KafkaError(.invalidState, message: "librdkafka gave no queue", disposition: .close)
    }
    client = NativeClient(pointer: pointer, queue: queue)
    signal.attach(to: queue)
  }

  func destroy() {
    QueueSignal.detach(from: client.queue)
    topics.drop()
    rd_kafka_queue_destroy(client.queue)
    // Closing the consumer, where it is due, was the owner's step before.
    rd_kafka_destroy_flags(client.pointer, Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE))
  }
}

/// Sets `value` and returns what it was.
func exchange<Value>(_ value: inout Value, with new: Value) -> Value {
  defer { value = new }
  return value
}
