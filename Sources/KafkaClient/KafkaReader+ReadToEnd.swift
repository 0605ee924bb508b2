extension KafkaReader {
  /// Reads everything from `offsets` to the end of the log as it is now, and returns those ends.
  ///
  /// librdkafka 2.0.2 tells a read-committed client an end that lies before an open transaction
  /// (kafka.md, "Brokers"): reading until there would lose state in silence. So the ends are taken
  /// by a read-uncommitted client, and each partition is read until its position, which also
  /// counts control and aborted records, has got there. An open transaction is waited for; whoever
  /// restores its own state fences its predecessor first, by
  /// `KafkaTransactionalProducer.initTransactions`.
  ///
  /// Throws `KafkaError.Code.timedOut` after `timeout` without any progress, and what `body` throws.
  @discardableResult
  public func readToEnd(
    from offsets: [KafkaPartitionOffset], limits: KafkaBatchLimits = .init(waitMax: .zero),
    within timeout: Duration, forEach body: (KafkaBatch) async throws -> Void
  ) async throws -> [KafkaPartitionOffset] {
    let ends = try await endOffsets(
      offsets.map(\.topicPartition), isolation: .readUncommitted, within: timeout)
    try await read(from: offsets, to: ends, limits: limits, within: timeout, forEach: body)
    return ends
  }

  /// Reads from `offsets` until every partition's position is at its entry of `ends`; records from
  /// there on are left out.
  ///
  /// Throws `KafkaError.Code.timedOut` after `timeout` without any progress, and what `body` throws.
  public func read(
    from offsets: [KafkaPartitionOffset], to ends: [KafkaPartitionOffset],
    limits: KafkaBatchLimits = .init(waitMax: .zero), within timeout: Duration,
    forEach body: (KafkaBatch) async throws -> Void
  ) async throws {
    var limits = limits
    limits.idleMax = timeout
    var goal = ReadingGoal(from: offsets, to: ends)
    goal.settle(try await beginningOffsets(goal.fromBeginning, within: timeout))
    guard !goal.isReached else { return }
    try await assign(offsets.filter { goal.open[$0.topicPartition] != nil })
    for try await batch in batches(limits) {
      let wanted = goal.advance(by: batch)
      if !wanted.isEmpty { try await body(wanted) }
      if goal.isReached { break }
      guard !batch.isEmpty else {
        let missing = goal.open.map { "\($0.key) short of \($0.value)" }.sorted()
        throw KafkaError.timedOut("Reading to the end: \(missing.joined(separator: ", "))")
      }
    }
    try Task.checkCancellation()
    guard goal.isReached else { throw KafkaError.closed }
    try await assign([])
  }
}

/// How far each partition has yet to be read.
struct ReadingGoal {
  /// The partitions not yet read to the end, with that end.
  private(set) var open: [KafkaTopicPartition: Int64] = [:]
  /// Those that start wherever their log begins: that may already be the end.
  let fromBeginning: [KafkaTopicPartition]

  init(from offsets: [KafkaPartitionOffset], to ends: [KafkaPartitionOffset]) {
    for end in ends { open[end.topicPartition] = end.offset }
    fromBeginning = offsets.filter { $0.offset == KafkaPartitionOffset.beginning }
      .map(\.topicPartition)
    settle(offsets.filter { $0.offset >= 0 })
  }

  var isReached: Bool { open.isEmpty }

  /// Drops the partitions that are where they shall get.
  mutating func settle(_ positions: [KafkaPartitionOffset]) {
    for position in positions {
      guard let end = open[position.topicPartition], position.offset >= end else { continue }
      open[position.topicPartition] = nil
    }
  }

  /// Takes note of a batch; returns it without the records past the ends.
  mutating func advance(by batch: KafkaBatch) -> KafkaBatch {
    let before = open
    var wanted = batch
    wanted.records.removeAll { record in
      before[record.topicPartition].map { record.offset >= $0 } ?? true
    }
    settle(batch.nextOffsets)
    settle(batch.ends)
    return wanted
  }
}
