internal import CLibrdkafka
internal import Dispatch

/// Looks at a cluster and administers its topics.
public struct KafkaAdmin: Sendable {
  /// A topic to be made.
  public struct TopicSpecification: Sendable {
    public var name: String
    public var partitions: Int32
    /// −1: the broker's default.
    public var replication: Int32
    /// Topic settings, for example `cleanup.policy`.
    public var configs: [String: String]

    public init(
      name: String, partitions: Int32, replication: Int32 = -1, configs: [String: String] = [:]
    ) {
      self.name = name
      self.partitions = partitions
      self.replication = replication
      self.configs = configs
    }
  }

  /// A topic as it is.
  public struct Topic: Hashable, Sendable {
    public let name: String
    public let partitions: Int32
    public let replication: Int32
  }

  /// The cluster as it is.
  public struct Cluster: Hashable, Sendable {
    /// Nil where the broker gives none.
    public let id: String?
    public let brokerCount: Int
  }

  /// One setting of a topic.
  public struct ConfigEntry: Hashable, Sendable {
    public let name: String
    /// Nil if it is secret.
    public let value: String?
    public let isDefault: Bool
    public let isReadOnly: Bool
  }

  let handle: KafkaHandle

  /// Makes the client.
  ///
  /// Free it by `close`.
  public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    handle = try KafkaHandle(.producer, configuration: configuration, settings: [:])
  }

  /// All topics, by name.
  public func topics(
    within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> [Topic] {
    try await metadata(within: timeout).topics
  }

  public func cluster(
    within timeout: Duration = .seconds(10)
  ) async throws(KafkaError) -> Cluster {
    try await metadata(within: timeout).cluster
  }

  /// Waits until a broker answers a question about itself; throws where none does in time.
  public func answer(within timeout: Duration = .seconds(10)) async throws(KafkaError) {
    try await handle.call("an answer", within: timeout) { client throws(KafkaError) in
      var pointer: UnsafePointer<rd_kafka_metadata>?
      // Of no topic but those that this client knows, which are none: an answer costs nothing.
      let response = rd_kafka_metadata(client.pointer, 0, nil, &pointer, timeout.timeoutMs)
      if let pointer { rd_kafka_metadata_destroy(pointer) }
      if let error = KafkaError(response) { throw error }
    }
  }

  /// Frees the client within `timeout`.
  @discardableResult
  public func close(within timeout: Duration = .seconds(10)) async -> KafkaCloseOutcome {
    await handle.destroy(within: timeout) ? .closed : .abandoned
  }

  private func metadata(
    within timeout: Duration
  ) async throws(KafkaError) -> (topics: [Topic], cluster: Cluster) {
    try await handle.call("metadata", within: timeout) { client throws(KafkaError) in
      var pointer: UnsafePointer<rd_kafka_metadata>?
      let response = rd_kafka_metadata(client.pointer, 1, nil, &pointer, timeout.timeoutMs)
      if let error = KafkaError(response) { throw error }
      guard let pointer else { throw KafkaError(.transport) }
      defer { rd_kafka_metadata_destroy(pointer) }
      let metadata = pointer.pointee
      let topics = (0..<Int(metadata.topic_cnt)).map { Topic(metadata.topics[$0]) }
      let id = rd_kafka_clusterid(client.pointer, timeout.timeoutMs)
      defer { if let id { rd_kafka_mem_free(client.pointer, id) } }
      let cluster = Cluster(
        id: id.map { String(cString: $0) }, brokerCount: Int(metadata.broker_cnt))
      return (topics.sorted { $0.name < $1.name }, cluster)
    }
  }
}

extension KafkaAdmin.Topic {
  init(_ topic: rd_kafka_metadata_topic) {
    name = String(cString: topic.topic)
    partitions = topic.partition_cnt
    replication = topic.partition_cnt > 0 ? topic.partitions[0].replica_cnt : 0
  }
}

extension KafkaAdmin {
  /// Runs one admin request and reads its result event.
  func request<Value: Sendable>(
    _ what: String, _ operation: rd_kafka_admin_op_t, within timeout: Duration,
    start:
      @escaping @Sendable (
        _ client: OpaquePointer, _ options: OpaquePointer?, _ queue: OpaquePointer
      )
      throws(KafkaError) -> Void,
    read: @escaping @Sendable (_ event: OpaquePointer) throws(KafkaError) -> Value
  ) async throws(KafkaError) -> Value {
    try await handle.call(what, within: timeout) { client throws(KafkaError) in
      guard let queue = rd_kafka_queue_new(client.pointer) else { throw KafkaError(.invalidState) }
      defer { rd_kafka_queue_destroy(queue) }
      let options = rd_kafka_AdminOptions_new(client.pointer, operation)
      defer { rd_kafka_AdminOptions_destroy(options) }
      var text = [CChar](repeating: 0, count: 256)
      rd_kafka_AdminOptions_set_request_timeout(
        options, Swift.max(1, timeout.timeoutMs), &text, text.count)
      try start(client.pointer, options, queue)
      guard let event = rd_kafka_queue_poll(queue, timeout.timeoutMs) else {
        throw .timedOut(what)
      }
      defer { rd_kafka_event_destroy(event) }
      let message = rd_kafka_event_error_string(event).map { String(cString: $0) }
      if let error = KafkaError(rd_kafka_event_error(event), message: message) { throw error }
      return try read(event)
    }
  }
}
