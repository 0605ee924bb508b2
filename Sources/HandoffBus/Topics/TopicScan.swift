package import HandoffCore
package import KafkaClient

/// Reads a topic from its beginning to where it is committed now, all partitions beside each other.
package struct TopicScan: Sendable {
  private let kafka: KafkaConfiguration
  private let topic: Topic

  package init(_ kafka: KafkaConfiguration, topic: Topic) {
    self.kafka = kafka
    self.topic = topic
  }

  /// The partitions that the topic has; none where it does not exist.
  package func partitions() async throws(KafkaError) -> [KafkaTopicPartition] {
    let admin = try KafkaAdmin(kafka)
    let topics: [KafkaAdmin.Topic]
    do throws(KafkaError) {
      topics = try await admin.topics()
    } catch {
      await admin.close()
      throw error
    }
    await admin.close()
    let count = topics.first { $0.name == topic.name }?.partitions ?? 0
    return (0..<count).map { KafkaTopicPartition(topic: topic.name, partition: $0) }
  }

  /// Hands over every committed record, in order within each partition, and returns the ends.
  ///
  /// The end is that of a committed reader: what a transaction is still writing is not waited for.
  @discardableResult
  package func readToEnd(
    of chosen: [KafkaTopicPartition]? = nil, within timeout: Duration = .seconds(60),
    forEach body: (KafkaRecord) async throws -> Void
  ) async throws -> [KafkaPartitionOffset] {
    let found = try await partitions()
    let wanted = chosen.map { Set($0) }
    let partitions = found.filter { wanted?.contains($0) ?? true }
    guard !partitions.isEmpty else { return [] }
    return try await withReader { reader in
      let starts = try await reader.beginningOffsets(partitions)
      let ends = try await reader.endOffsets(partitions, isolation: .readCommitted)
      try await reader.read(
        from: starts, to: ends, limits: KafkaBatchLimits(countMax: 10_000, waitMax: .zero),
        within: timeout
      ) { batch in
        for record in batch.records { try await body(record) }
      }
      return ends
    }
  }

  /// The same of the newest records alone: those that are not older than `time`, and of each
  /// partition about `countMax` at most.
  package func readNewest(
    since time: Timestamp, countMax: Int64, within timeout: Duration,
    forEach body: (KafkaRecord) async throws -> Void
  ) async throws {
    let partitions = try await partitions()
    guard !partitions.isEmpty else { return }
    try await withReader { reader in
      let ends = try await reader.endOffsets(partitions, isolation: .readCommitted)
      let kept = Self.byPartition(try await reader.beginningOffsets(partitions))
      let recent = Self.byPartition(
        try await reader.offsets(partitions, for: max(0, time.milliseconds)))
      let starts = ends.map { end in
        // Where all are older, what is found stands for the end and is no offset.
        let found = recent[end.topicPartition].flatMap { $0 < 0 ? nil : $0 } ?? end.offset
        return KafkaPartitionOffset(
          end.topicPartition,
          offset: max(found, end.offset - countMax, kept[end.topicPartition] ?? 0))
      }
      try await reader.read(from: starts, to: ends, within: timeout) { batch in
        for record in batch.records { try await body(record) }
      }
    }
  }

  private static func byPartition(
    _ offsets: [KafkaPartitionOffset]
  ) -> [KafkaTopicPartition: Int64] {
    Dictionary(offsets.map { ($0.topicPartition, $0.offset) }) { $1 }
  }

  /// Hands over committed records as they come, until the task is cancelled.
  package func follow(
    from starts: [KafkaPartitionOffset], forEach body: (KafkaRecord) async throws -> Void
  ) async throws {
    try await withReader { reader in
      try await reader.assign(starts)
      for try await batch in reader.batches(KafkaBatchLimits(waitMax: .zero)) {
        for record in batch.records { try await body(record) }
      }
    }
  }

  /// Where each partition's committed records end now.
  package func committedEnds() async throws -> [KafkaPartitionOffset] {
    let partitions = try await partitions()
    guard !partitions.isEmpty else { return [] }
    return try await withReader { reader in
      try await reader.endOffsets(partitions, isolation: .readCommitted)
    }
  }

  /// Whether a committed record lies at or after one of `positions`.
  ///
  /// An offset alone does not tell: the marks that end transactions take offsets too.
  package func hasRecords(after positions: [KafkaPartitionOffset]) async throws -> Bool {
    guard !positions.isEmpty else { return false }
    return try await withReader { reader in
      let ends = try await reader.endOffsets(
        positions.map(\.topicPartition), isolation: .readCommitted)
      var hasRecords = false
      try await reader.read(from: positions, to: ends, within: .seconds(30)) { batch in
        if !batch.records.isEmpty { hasRecords = true }
      }
      return hasRecords
    }
  }

  private func withReader<Value>(
    _ body: (KafkaReader) async throws -> Value
  ) async throws -> Value {
    let reader = try KafkaReader(kafka)
    do {
      let value = try await body(reader)
      await reader.close()
      return value
    } catch {
      await reader.close()
      throw error
    }
  }
}
