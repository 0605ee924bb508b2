import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

extension ClusterDoctor {
  /// Beyond this a writer moves no partition's time (architecture.md, "Time").
  private static let offsetMax: Duration = .seconds(300)
  private static let offsetWell: Duration = .seconds(2)

  /// Writes a tick, reads back what the broker stamped, and compares with the time between.
  func clock() async throws -> [Finding] {
    let kafka = KafkaConfiguration(configuration, client: "doctor", as: .administrator)
    let admin = try KafkaAdmin(kafka)
    let names = await Result(catching: { try await admin.topics(within: Self.patience).map(\.name) }
    )
    await admin.close()
    guard try names.get().contains(Topic.events.name) else { return [] }
    let producer = try KafkaProducer(kafka, deliveryTimeout: Self.patience)
    let before = Date()
    let tick = WireCodec().encodeTick(at: timestamp(before))
    let message = KafkaMessage(
      topic: Topic.events.name, partition: 0, key: tick.key, value: tick.value ?? [],
      headers: tick.headers.map { KafkaHeader($0.name, $0.value) })
    let delivery = await Result(catching: { try await producer.send([message]) })
    let after = Date()
    await producer.close()
    guard let place = try delivery.get().first else { return [] }
    guard let stamped = try await stamp(at: place, kafka) else { return [] }
    let middle = before.addingTimeInterval(after.timeIntervalSince(before) / 2)
    let offset = Double(stamped) / 1000 - middle.timeIntervalSince1970
    return [judgement(of: offset)]
  }

  private func stamp(at place: KafkaDelivery, _ kafka: KafkaConfiguration) async throws -> Int64? {
    let reader = try KafkaReader(kafka)
    let start = KafkaPartitionOffset(
      topic: Topic.events.name, partition: place.partition, offset: place.offset)
    let end = KafkaPartitionOffset(start.topicPartition, offset: place.offset + 1)
    var found: Int64?
    let outcome = await Result(catching: {
      try await reader.read(from: [start], to: [end], within: Self.patience) { batch in
        for record in batch.records where record.offset == place.offset {
          found = record.timestampMilliseconds
        }
      }
    })
    await reader.close()
    try outcome.get()
    return found
  }

  private func judgement(of offset: Double) -> Finding {
    let text =
      "this machine is \(abs(offset).formatted(.number.precision(.fractionLength(3)))) s "
      + (offset < 0 ? "ahead of" : "behind") + " the broker"
    let size = Duration.seconds(abs(offset))
    if size > Self.offsetMax {
      return .fail("clock", text, "Set the clocks by NTP: nothing written here moves time.")
    }
    if size > Self.offsetWell {
      return .warn("clock", text, "Set the clocks by NTP.")
    }
    return .ok("clock", text)
  }

  private func timestamp(_ date: Date) -> Timestamp {
    Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
  }
}
