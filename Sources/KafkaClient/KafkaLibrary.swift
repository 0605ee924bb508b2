internal import CLibrdkafka

/// The librdkafka this process runs on, and what that version gets wrong.
///
/// Each gate is named after the defect it stands for, so that a newer distribution loses the
/// workaround without a change here. The traps of librdkafka 2.0.2 are numbered as in kafka.md,
/// and each workaround stands beside the call it is for:
///
/// - 1, batch calls lose messages: events are taken one by one (`ConsumerCore`).
/// - 2, closing and destroying may hang: every close has a deadline, after which the client is
///   abandoned (`KafkaHandle`, `KafkaConsumer.close`); topics under live consumers are not deleted.
/// - 3, polling any queue counts as being alive: nothing polls in the background (`ConsumerCore`).
/// - 4, seeking ends a thousand times too soon: `seekTimeoutIsThousandTimesShort`.
/// - 5, truncated logs go unnoticed: `RecordDecoder` notices offsets that go backwards
///   (`KafkaTruncation`), and `KafkaError.Code.offsetReset` tells of offsets that are gone. A log
///   that was cut and has since grown past our position looks like any other.
/// - 6, cooperative-sticky: `cooperativeStickyIsBroken`; `resume` leaves alone what is not paused.
/// - 7, one message that may have been written and timed out ends an idempotent producer: a fatal
///   error says close, make another, send again (`KafkaProducer`).
/// - 8, headers freed twice for an unknown partition: partitions are checked first (`TopicTable`).
/// - 9, the first message to a topic waits up to a second: topics are asked for first (`TopicTable`).
/// - 10, Nagle's algorithm: switched off (`KafkaConfiguration`).
/// - 11, watermark queries ignore their timeout: OffsetsForTimes is asked (`ConsumerCore.lookUp`),
///   and every blocking call has a deadline of ours (`KafkaHandle`).
/// - 12, races between statistics and broker threads, and in timers: none is possible from outside.
///   A number in `KafkaStatistics` may be out of date, so they are shown and never decide what is
///   read, written or committed. Under ThreadSanitizer, suppress reports whose frames are all
///   librdkafka's; a soak test watches resident memory.
/// - 13, LeaveGroup may crash: `leavingWithoutCoordinatorCrashes`.
/// - 14, changes of leaders and brokers are followed slowly: shorter back-offs and several bootstrap
///   addresses (`KafkaConfiguration`, `ConsumerSettings`).
/// - 15, offset metadata with zero bytes are corrupted: we never set any (`NativeOffsets`).
/// - 16, the nonce of SCRAM is sent twice, which strict brokers refuse: none is possible. Prefer
///   mutual TLS, or OAUTHBEARER (`KafkaSecurity`).
/// - 17, Apache Kafka 4.0.0 dropped requests this version needs with Kerberos: none is possible.
///   Supported brokers are 2.5 to 3.x, and 4.0.1 or later.
/// - 18, no KIP-848, KIP-714 nor KIP-932, so groups are of the classic protocol; no ListOffsets, so
///   OffsetsForTimes is asked (`ConsumerCore.lookUp`); no re-authentication (KIP-368), so a broker
///   that enforces it ends the connection when a token expires, and librdkafka connects again with
///   a new one; no assignment by rack.
/// - 19, timed-out transactional calls resume: the same call is made again until its deadline
///   (`KafkaTransactionalProducer`).
/// - 20, late commits may be lost or joined to another transaction: a producer whose outcome is
///   open is closed and its successor fences it; outputs are idempotent by identifier besides.
/// - 21, the mock cluster fakes transactions: it never serves as proof (`KafkaMockCluster`).
public enum KafkaLibrary {
  /// The version linked at run time, as librdkafka prints it (for example "2.0.2").
  public static var version: String { String(cString: rd_kafka_version_str()) }

  /// The version as one number, `0xMMmmrrpp`: 2.0.2 is `0x020002ff`.
  public static var versionNumber: UInt32 { UInt32(bitPattern: rd_kafka_version()) }

  /// Whether librdkafka gets tokens of an OIDC provider by itself.
  ///
  /// It needs libcurl when it is built; Debian's 2.0.2 is built without.
  public static var speaksOIDC: Bool { features.contains("oidc") }

  /// What the linked library was built with (`builtin.features`).
  static var features: Set<String> {
    let configuration = rd_kafka_conf_new()
    defer { rd_kafka_conf_destroy(configuration) }
    var text = [CChar](repeating: 0, count: 1024)
    var count = text.count
    guard rd_kafka_conf_get(configuration, "builtin.features", &text, &count) == RD_KAFKA_CONF_OK
    else { return [] }
    return Set(string(text).split(separator: ",").map(String.init))
  }

  /// Trap 4: `rd_kafka_seek_partitions` takes its milliseconds for microseconds before 2.1.0.
  static var seekTimeoutIsThousandTimesShort: Bool { isBefore(2, 1, 0) }

  /// Trap 6: cooperative-sticky loses assignments, hangs or crashes before 2.10.0.
  static var cooperativeStickyIsBroken: Bool { isBefore(2, 10, 0) }

  /// Trap 13: LeaveGroup crashes when the coordinator is gone, before 2.14.2.
  static var leavingWithoutCoordinatorCrashes: Bool { isBefore(2, 14, 2) }

  /// Whether the library is older than the given release.
  static func isBefore(_ major: UInt32, _ minor: UInt32, _ revision: UInt32) -> Bool {
    versionNumber >> 8 < (major << 16 | minor << 8 | revision)
  }
}
