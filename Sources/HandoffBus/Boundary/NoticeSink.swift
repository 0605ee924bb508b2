internal import Foundation
internal import HandoffCodecs
package import HandoffCore
package import KafkaClient
package import Logging
internal import ServiceLifecycle

/// Outside the boundary: opens the organisation's notices and writes them into a folder as NDJSON.
///
/// One file for each batch, complete from the moment that it can be seen, and on the disk before the
/// offset is committed; after a crash the same notices may come again, under the same notice ids and
/// the same file name. What does not open is kept as it came, beside the others.
package struct NoticeSink: Service {
  private let kafka: KafkaConfiguration
  private let organisation: ODSCode
  private let seal: BoundarySeal
  private let folder: String
  private let logger: Logger
  package var pauseMin: Duration = .milliseconds(100)
  package var pauseMax: Duration = .seconds(30)

  package init(
    _ kafka: KafkaConfiguration, organisation: ODSCode, seal: BoundarySeal, folder: String,
    logger: Logger
  ) {
    self.kafka = kafka
    self.organisation = organisation
    self.seal = seal
    self.folder = folder
    self.logger = logger
  }

  /// The consumer group, which no other organisation may join.
  package var group: String { AccessTable.prefix(of: organisation) + "notices" }
  private var topic: String { TopicTable.outbox(organisation: organisation.description).name }

  package func run() async throws {
    // What is not on the disk by then is read again.
    try await untilShutdown { try await self.work() }
  }

  private func work(clock: any Clock<Duration> = ContinuousClock()) async throws {
    var pause = pauseMin
    while !Task.isCancelled {
      do {
        try await read { pause = pauseMin }
      } catch is CancellationError {
        return
      } catch {
        guard !Task.isCancelled else { return }
        logger.error("Notices wait", metadata: ["error": "\(error)", "pause": "\(pause)"])
        try await clock.sleep(for: pause, tolerance: pause / 10)
        pause = min(pause * 2, pauseMax)
      }
    }
  }

  private func read(_ progress: () -> Void) async throws {
    let consumer = try KafkaConsumer(
      KafkaConsumerConfiguration(
        kafka: kafka, groupID: group, groupInstanceID: group, topics: [topic]))
    do {
      let limits = KafkaBatchLimits(countMax: 500, waitMax: .milliseconds(100))
      for try await batch in consumer.batches(limits) where !batch.records.isEmpty {
        try write(batch.records)
        try await consumer.commit(batch.nextOffsets)
        progress()
      }
    } catch {
      await consumer.close()
      throw error
    }
    await consumer.close()
  }

  /// Writes one file for each partition of a batch.
  func write(_ records: [KafkaRecord]) throws {
    var lines: [Int32: [UInt8]] = [:]
    var strange: [Int32: [UInt8]] = [:]
    for record in records {
      let newline = [UInt8(ascii: "\n")]
      do {
        let sealed = try WireCodec.sealedNotice(record.wire)
        guard sealed.organisation == organisation else { throw BoundarySealError.notAuthentic }
        lines[record.partition, default: []] += try sealed.notice(by: seal).json + newline
      } catch {
        let place = RecordCoordinates(
          topic: record.topic, partition: record.partition, offset: record.offset)
        logger.log(SelfAlert(.frameRefused, at: place, cause: Code("outbox.not-authentic")))
        strange[record.partition, default: []] += NDJSON.line(record.stored, form: .exact) + newline
      }
    }
    for (partition, bytes) in lines { try save(bytes, records, partition, "ndjson") }
    for (partition, bytes) in strange { try save(bytes, records, partition, "refused") }
  }

  /// Named after the first offset, so that a batch that is read again replaces its own file.
  private func save(
    _ bytes: [UInt8], _ records: [KafkaRecord], _ partition: Int32, _ kind: String
  ) throws {
    let first = records.first { $0.partition == partition }?.offset ?? 0
    let digits = String(first)
    let number = String(repeating: "0", count: max(0, 19 - digits.count)) + digits
    let name = "notices-\(partition)-\(number).\(kind)"
    try DurableFolder(path: folder).write(name, bytes)
  }
}
