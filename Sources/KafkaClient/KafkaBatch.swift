/// The bounds of one batch, so that memory and delay are both known beforehand.
public struct KafkaBatchLimits: Sendable {
  /// A batch is handed over as soon as it holds this many records.
  public var countMax: Int
  /// A batch is handed over as soon as its keys and values hold this many bytes.
  public var byteCountMax: Int
  /// A batch that has begun is handed over after this time; zero: what is there at once.
  public var waitMax: Duration
  /// If nothing at all arrives for this time, an empty batch is handed over, so that a loop can do
  /// what time demands; nil: wait for ever.
  public var idleMax: Duration?

  public init(
    countMax: Int = 500, byteCountMax: Int = 4 << 20, waitMax: Duration = .milliseconds(200),
    idleMax: Duration? = nil
  ) {
    precondition(countMax > 0 && byteCountMax > 0, "a batch holds at least one record")
    self.countMax = countMax
    self.byteCountMax = byteCountMax
    self.waitMax = waitMax
    self.idleMax = idleMax
  }
}

/// Records in the order they were read: in order within each partition.
public struct KafkaBatch: Sendable {
  public var records: [KafkaRecord]
  /// The ends of partitions reached while reading (readers only).
  ///
  /// Such an offset counts control records and aborted ones, which never appear among `records`.
  public var ends: [KafkaPartitionOffset]
  /// Places where the log turned out shorter than what was already read from it.
  public var truncations: [KafkaTruncation]

  public init(
    records: [KafkaRecord], ends: [KafkaPartitionOffset] = [], truncations: [KafkaTruncation] = []
  ) {
    self.records = records
    self.ends = ends
    self.truncations = truncations
  }

  public var isEmpty: Bool { records.isEmpty && ends.isEmpty && truncations.isEmpty }

  /// The offsets to commit once these records have been dealt with: one a partition, after its
  /// last record.
  public var nextOffsets: [KafkaPartitionOffset] {
    var next: [KafkaTopicPartition: Int64] = [:]
    for record in records { next[record.topicPartition] = record.offset + 1 }
    return next.sorted { $0.key < $1.key }.map { KafkaPartitionOffset($0.key, offset: $0.value) }
  }
}

/// A partition went back behind what had been read from it: acknowledged records were lost, or
/// the topic was made anew (librdkafka 2.0.2, kafka.md trap 5: KIP-320 came with 2.1.0).
public struct KafkaTruncation: Hashable, Sendable {
  public let topicPartition: KafkaTopicPartition
  /// The offset that was to come next at the least.
  public let expected: Int64
  /// The offset that came.
  public let found: Int64

  public init(_ topicPartition: KafkaTopicPartition, expected: Int64, found: Int64) {
    self.topicPartition = topicPartition
    self.expected = expected
    self.found = found
  }
}

/// Collects a batch until one of its limits is reached.
struct BatchBuilder {
  let limits: KafkaBatchLimits
  private var batch = KafkaBatch(records: [])
  private var byteCount = 0
  private(set) var deadline: ContinuousClock.Instant?

  init(_ limits: KafkaBatchLimits) { self.limits = limits }

  var isEmpty: Bool { batch.isEmpty }
  var isFull: Bool {
    batch.records.count >= limits.countMax || byteCount >= limits.byteCountMax
  }

  mutating func append(_ record: consuming KafkaRecord) {
    begin()
    if batch.records.isEmpty { batch.records.reserveCapacity(min(limits.countMax, 4096)) }
    byteCount += record.byteCount
    batch.records.append(record)
  }

  mutating func append(_ truncation: KafkaTruncation) {
    begin()
    batch.truncations.append(truncation)
  }

  mutating func append(end: KafkaPartitionOffset) {
    begin()
    batch.ends.append(end)
  }

  mutating func take() -> KafkaBatch {
    let taken = batch
    self = BatchBuilder(limits)
    return taken
  }

  private mutating func begin() {
    if deadline == nil { deadline = .now + limits.waitMax }
  }
}
