internal import HandoffCodecs
package import HandoffCore
package import KafkaClient

/// Reads the newest books of every partition off the end of the reconcilers' changelog.
///
/// The partition's own record is the last of every transaction, so a look at the last few records
/// finds it, however long the changelog is. Where a swarm of aborted records lies behind it, the
/// next look goes further back.
package actor BooksReader {
  private let kafka: KafkaConfiguration
  /// Tells the reconcilers' records from forged ones; `nil` where there are no secrets for it.
  private let stamp: RecordStamp?
  /// Short, for the next look is soon, and who stops waits for the one under way.
  private let timeout: Duration
  private var reader: KafkaReader?
  private var partitionCount: Int32 = 0
  /// How many offsets are looked at from the end, by partition.
  private var depths: [Int32: Int64] = [:]
  /// The ends of the last look: where nothing came since, nothing is read.
  private var ends: [Int32: Int64] = [:]

  private static let depthMin: Int64 = 16
  private static let depthMax: Int64 = 100_000

  package init(
    _ kafka: KafkaConfiguration, stamp: RecordStamp? = nil, timeout: Duration = .seconds(5)
  ) {
    self.kafka = kafka
    self.stamp = stamp
    self.timeout = timeout
  }

  /// What was committed since the last look, the newest of each partition.
  ///
  /// A record that cannot be read is left out: whoever restores from it says so.
  ///
  /// - Throws: `KafkaError` where the broker does not do what is asked, and where it is cancelled.
  package func newest() async throws -> [Int32: PartitionState] {
    do {
      return try await look()
    } catch {
      await close()
      throw error
    }
  }

  /// Frees the client; the next look makes another.
  package func close() async {
    await reader?.close()
    reader = nil
    ends = [:]
  }

  private func look() async throws -> [Int32: PartitionState] {
    let places = try await places()
    guard !places.isEmpty else { return [:] }
    let reader = try reader ?? KafkaReader(kafka, groupID: "baton-audit", prefetchKilobyteMax: 1024)
    self.reader = reader
    let ends = try await reader.endOffsets(places, isolation: .readCommitted, within: timeout)
    let news = ends.filter { $0.offset > 0 && self.ends[$0.partition] != $0.offset }
    guard !news.isEmpty else { return [:] }
    let beginnings = Dictionary(
      try await reader.beginningOffsets(news.map(\.topicPartition), within: timeout)
        .map { ($0.partition, $0.offset) }, uniquingKeysWith: { $1 })
    let starts = news.map { end in
      let depth = depths[end.partition] ?? Self.depthMin
      return KafkaPartitionOffset(
        end.topicPartition,
        offset: max(0, beginnings[end.partition] ?? 0, end.offset - depth))
    }
    let key = Array(WireCodec.partitionStateKey.utf8)
    var latest: [Int32: KafkaRecord] = [:]
    try await reader.read(from: starts, to: news, within: timeout) { batch in
      for record in batch.records where record.key == key && stamp?.forgery(in: record) == nil {
        latest[record.partition] = record
      }
    }
    for end in news {
      let depth = depths[end.partition] ?? Self.depthMin
      let isFound = latest[end.partition] != nil
      depths[end.partition] = isFound ? Self.depthMin : min(depth * 8, Self.depthMax)
      self.ends[end.partition] = isFound || depth == Self.depthMax ? end.offset : nil
    }
    return latest.compactMapValues { record in
      guard case .partition(let state) = try? WireCodec.stateRecord(record.wire) else { return nil }
      return state
    }
  }

  /// The partitions of the changelog; none where there is none yet.
  private func places() async throws -> [KafkaTopicPartition] {
    let name = Topic.reconcilerState.name
    if partitionCount == 0 {
      let admin = try KafkaAdmin(kafka)
      let topics: [KafkaAdmin.Topic]
      do {
        topics = try await admin.topics(within: timeout)
      } catch {
        await admin.close()
        throw error
      }
      await admin.close()
      partitionCount = topics.first { $0.name == name }?.partitions ?? 0
    }
    return (0..<partitionCount).map { KafkaTopicPartition(topic: name, partition: $0) }
  }
}
