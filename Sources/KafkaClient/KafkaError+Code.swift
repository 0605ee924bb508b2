internal import CLibrdkafka

extension KafkaError {
  /// A `rd_kafka_resp_err_t`: negative values are librdkafka's own, the others Kafka's protocol's.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    init(_ response: rd_kafka_resp_err_t) { rawValue = response.rawValue }

    /// As librdkafka names it, for example `_TIMED_OUT` or `TOPIC_ALREADY_EXISTS`.
    public var name: String {
      guard self != .hookFailed else { return "HOOK_FAILED" }
      return String(cString: rd_kafka_err2name(response))
    }

    public var description: String { name }

    var response: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }

    var explanation: String {
      guard self != .hookFailed else { return "A rebalance hook failed" }
      return String(cString: rd_kafka_err2str(response))
    }
  }
}

extension KafkaError.Code {
  /// A hook of the caller's threw; its error is in `underlying`.
  ///
  /// Not one of librdkafka's codes.
  public static let hookFailed = Self(rawValue: -1000)
  public static let destroyed = Self(RD_KAFKA_RESP_ERR__DESTROY)
  public static let fatal = Self(RD_KAFKA_RESP_ERR__FATAL)
  public static let timedOut = Self(RD_KAFKA_RESP_ERR__TIMED_OUT)
  public static let messageTimedOut = Self(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
  public static let transport = Self(RD_KAFKA_RESP_ERR__TRANSPORT)
  public static let allBrokersDown = Self(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
  public static let invalidArgument = Self(RD_KAFKA_RESP_ERR__INVALID_ARG)
  public static let invalidState = Self(RD_KAFKA_RESP_ERR__STATE)
  public static let conflict = Self(RD_KAFKA_RESP_ERR__CONFLICT)
  public static let fenced = Self(RD_KAFKA_RESP_ERR__FENCED)
  public static let queueFull = Self(RD_KAFKA_RESP_ERR__QUEUE_FULL)
  public static let unknownPartition = Self(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
  public static let unknownTopic = Self(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
  public static let partitionEnd = Self(RD_KAFKA_RESP_ERR__PARTITION_EOF)
  public static let noOffset = Self(RD_KAFKA_RESP_ERR__NO_OFFSET)
  public static let offsetReset = Self(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
  public static let maxPollExceeded = Self(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
  public static let purged = Self(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
  public static let purgedInFlight = Self(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
  public static let topicOrPartitionMissing = Self(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
  public static let topicExists = Self(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
  /// The cluster has no access control to ask for.
  public static let securityDisabled = Self(RD_KAFKA_RESP_ERR_SECURITY_DISABLED)
  /// Broker or library does not know the request.
  public static let unsupportedFeature = Self(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
  public static let unsupportedVersion = Self(RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
  public static let clusterNotAuthorized = Self(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
  public static let topicNotAuthorized = Self(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
  public static let groupNotAuthorized = Self(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
  public static let messageTooLarge = Self(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
  public static let illegalGeneration = Self(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
  public static let unknownMember = Self(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
  public static let rebalanceInProgress = Self(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
  public static let fencedInstance = Self(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
  public static let unknownProducer = Self(RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID)
  public static let producerMappingUnknown = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
  public static let producerFenced = Self(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
  public static let invalidProducerEpoch = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
  public static let outOfOrderSequence = Self(
    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  public static let coordinatorNotAvailable = Self(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
  public static let coordinatorLoading = Self(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
  public static let notCoordinator = Self(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
  public static let leaderNotAvailable = Self(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
  public static let notLeader = Self(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
  public static let requestTimedOut = Self(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
  public static let notEnoughReplicas = Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS)
}

extension KafkaError.Code {
  /// What a caller can do who knows no more than the code.
  ///
  /// librdkafka tells retriable from fatal only in a `rd_kafka_error_t`; delivery reports and the
  /// older calls carry a bare code, which this table sorts.
  var disposition: KafkaError.Disposition {
    switch self {
    case .timedOut, .messageTimedOut, .transport, .allBrokersDown, .queueFull,
      .rebalanceInProgress, .coordinatorNotAvailable, .coordinatorLoading, .notCoordinator,
      .leaderNotAvailable, .notLeader, .requestTimedOut, .notEnoughReplicas, .partitionEnd,
      .topicOrPartitionMissing, .unknownTopic, .unknownPartition, .noOffset,
      .init(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND),
      .init(RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION), .init(RD_KAFKA_RESP_ERR__WAIT_COORD),
      .init(RD_KAFKA_RESP_ERR__RETRY), .init(RD_KAFKA_RESP_ERR__IN_PROGRESS),
      .init(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE),
      .init(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS),
      .init(RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED),
      .init(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR), .init(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT):
      .retry
    case .messageTooLarge, .illegalGeneration, .unknownMember, .purged, .purgedInFlight,
      .topicExists, .invalidArgument, .maxPollExceeded,
      .init(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST), .init(RD_KAFKA_RESP_ERR_INVALID_MSG),
      .init(RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE), .init(RD_KAFKA_RESP_ERR_INVALID_RECORD),
      .init(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE), .init(RD_KAFKA_RESP_ERR_INVALID_CONFIG),
      .init(RD_KAFKA_RESP_ERR_INVALID_PARTITIONS), .init(RD_KAFKA_RESP_ERR_INVALID_REQUEST),
      .init(RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR),
      .init(RD_KAFKA_RESP_ERR_POLICY_VIOLATION), .init(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION):
      .abortTransaction
    default:
      // Fenced, refused or broken. An unknown code is no ground for going on as before.
      .close
    }
  }
}
