internal import HandoffCore
package import HandoffStores
package import KafkaClient

/// Where reading begins, and the first check of what comes: pure, so that it can be tested apart.
///
/// Reading begins at the last logged record, not after it: when it comes again it must be what was
/// logged, or the topic is another one than it was (KIP-320 is not in librdkafka 2.0.2).
struct AuditIntake {
  /// One partition, as store and broker know it.
  struct Partition {
    var log: AuditLogName
    /// Offsets before this one are logged; 0 for a new log.
    var nextOffset: Int64
    var beginning: Int64
    /// The end of the topic, open transactions included.
    var end: Int64
    /// Whether the broker may have thrown away records that newer ones replace.
    var isCompacted: Bool
  }

  let start: [KafkaPartitionOffset]
  /// Last logged offsets that are to come again first.
  private var expected: [AuditLogName: Int64] = [:]

  init(_ partitions: [Partition]) throws(AuditServiceError) {
    var start: [KafkaPartitionOffset] = []
    for partition in partitions {
      let (log, next) = (partition.log, partition.nextOffset)
      var first = max(next, partition.beginning)
      if next > 0 {
        guard partition.end >= next else {
          throw .truncated(log: log, logged: next, end: partition.end)
        }
        guard partition.beginning <= next || partition.isCompacted else {
          throw .expired(log: log, wanted: next, beginning: partition.beginning)
        }
        if partition.beginning < next {
          first = next - 1
          if !partition.isCompacted { expected[log] = first }
        }
      }
      start.append(
        KafkaPartitionOffset(topic: log.topic, partition: log.partition, offset: first))
    }
    self.start = start
  }

  /// Takes a batch's records for the store.
  mutating func records(of batch: KafkaBatch) throws(AuditServiceError) -> [AuditRecord] {
    if let truncation = batch.truncations.first {
      throw .truncated(
        log: AuditLogName(truncation.topicPartition), logged: truncation.expected,
        end: truncation.found)
    }
    var records: [AuditRecord] = []
    records.reserveCapacity(batch.records.count)
    for record in batch.records {
      let log = AuditLogName(record.topicPartition)
      if let last = expected.removeValue(forKey: log), record.offset != last {
        throw .store(.diverged(log: log, offset: last))
      }
      records.append(
        AuditRecord(
          log: log, offset: record.offset, brokerTimeMs: record.timestampMilliseconds,
          key: record.key,
          headers: record.headers.map { LoggedHeader(name: $0.name, value: $0.value) },
          value: record.value))
    }
    return records
  }
}

extension AuditLogName {
  package init(_ partition: KafkaTopicPartition) {
    self.init(topic: partition.topic, partition: partition.partition)
  }
}
