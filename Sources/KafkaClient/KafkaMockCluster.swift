internal import CLibrdkafka
public import Logging
internal import Synchronization

/// librdkafka's mock cluster: brokers within this process, reachable over loopback, in memory only.
///
/// It stands in for a cluster where none is configured and injects faults in tests. It is no proof
/// of exactly-once (librdkafka 2.0.2, kafka.md trap 21): transactional calls succeed, but open and
/// aborted records are visible and offsets in a transaction are dropped. It keeps 5 MiB or 100,000
/// batches a partition, and answers no CreateTopics (`createTopic` does).
///
/// `@unchecked Sendable`: librdkafka locks the mock's calls; the pointers never change and are
/// freed in `deinit`, when nobody calls any more.
public final class KafkaMockCluster: @unchecked Sendable {
  /// The requests errors can be injected into, by Kafka's key.
  public enum Request: Int16, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case syncGroup = 14
    case initProducerID = 22
    case addPartitionsToTransaction = 24
    case addOffsetsToTransaction = 25
    case endTransaction = 26
    case transactionOffsetCommit = 28
  }

  /// The brokers' addresses.
  public let bootstrapServers: [String]
  private let client: OpaquePointer
  private let cluster: OpaquePointer
  private let context: CallbackContext

  /// Starts `brokerCount` brokers, numbered from 1.
  public init(
    brokerCount: Int32 = 1, logger: Logger = Logger(label: "kafka.mock")
  ) throws(KafkaError) {
    context = CallbackContext(LogSink(logger), tokens: nil)
    client = try makeNativeClient(
      RD_KAFKA_PRODUCER, properties: ["client.id": "kafka-mock"], events: 0, context: context)
    guard let cluster = rd_kafka_mock_cluster_new(client, brokerCount) else {
      rd_kafka_destroy(client)
      throw KafkaError(
        .invalidState, message: "the mock cluster did not start", disposition: .close)
    }
    self.cluster = cluster
    bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
      .split(separator: ",").map(String.init)
  }

  deinit {
    rd_kafka_mock_cluster_destroy(cluster)
    rd_kafka_destroy(client)
  }

  /// Makes a topic; one that exists is an error.
  public func createTopic(
    _ name: String, partitions: Int32, replication: Int32 = 1
  ) throws(KafkaError) {
    try check(rd_kafka_mock_topic_create(cluster, name, partitions, replication), name)
  }

  /// Has the next requests of this kind, to whichever broker, fail with these errors in turn.
  public func pushRequestErrors(_ errors: [KafkaError.Code], into request: Request) {
    let responses = errors.map(\.response)
    rd_kafka_mock_push_request_errors_array(
      cluster, request.rawValue, responses.count, responses)
  }

  /// Has the next requests of this kind to one broker fail, each answer delayed by `roundTrip`.
  ///
  /// Unlike those for any broker, these can be counted: see `pendingRequestErrors`.
  public func pushRequestErrors(
    _ errors: [KafkaError.Code], into request: Request, broker: Int32,
    roundTrip: Duration = .zero
  ) throws(KafkaError) {
    for error in errors {
      let response = kafka_mock_push_broker_error(
        cluster, broker, request.rawValue, error.response, roundTrip.timeoutMs)
      try check(response, "broker \(broker)")
    }
  }

  /// How many of the errors pushed for `broker` have not been used yet: zero proves to a test that
  /// its injection took place.
  public func pendingRequestErrors(
    _ request: Request, broker: Int32
  ) throws(KafkaError) -> Int {
    var count = 0
    let response = rd_kafka_mock_broker_error_stack_cnt(
      cluster, broker, request.rawValue, &count)
    try check(response, "broker \(broker)")
    return count
  }

  /// Forgets the errors pushed and not used yet.
  public func clearRequestErrors(_ request: Request) {
    rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
  }

  /// Takes a broker down: its connections break and new ones are refused.
  public func setBroker(_ id: Int32, isUp: Bool) throws(KafkaError) {
    try check(
      isUp
        ? rd_kafka_mock_broker_set_up(cluster, id) : rd_kafka_mock_broker_set_down(cluster, id),
      "broker \(id)")
  }

  /// Delays a broker's answers.
  public func setBroker(_ id: Int32, roundTrip: Duration) throws(KafkaError) {
    try check(rd_kafka_mock_broker_set_rtt(cluster, id, roundTrip.timeoutMs), "broker \(id)")
  }

  /// Moves a partition to another broker.
  public func setLeader(
    of partition: KafkaTopicPartition, to broker: Int32
  ) throws(KafkaError) {
    try check(
      rd_kafka_mock_partition_set_leader(cluster, partition.topic, partition.partition, broker),
      "\(partition)")
  }

  private func check(_ response: rd_kafka_resp_err_t, _ what: String) throws(KafkaError) {
    let text = "\(what): \(String(cString: rd_kafka_err2str(response)))"
    if let error = KafkaError(response, message: text) { throw error }
  }
}
