import ArgumentParser
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

extension EventsCommand {
  /// Brings exported records back onto a topic.
  struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Publish exported records again, their stored bytes unchanged.",
      discussion: """
        For a new cluster or a rehearsal: keys, values and headers are those of the file, offsets \
        and broker's times are the cluster's own. A topic that already has records is refused, \
        because the same events would then stand in it twice; --force does it all the same.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The export (NDJSON); - is standard input.", valueName: "file"))
    var file: String

    @Flag(name: .long, help: "Import although the topic has records.")
    var force = false

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      try NDJSONFile.look(at: file)
      let kafka = KafkaConfiguration(configuration, client: "import", as: .administrator)
      let scan = TopicScan(kafka, topic: .events)
      try await reachingKafka(bootstrap) {
        let partitions = try await scan.partitions()
        guard !partitions.isEmpty else {
          throw CommandFailure(
            .unavailable, "There is no topic \(Topic.events.name).",
            advice: "Create the topics with `baton topics apply`.")
        }
        let starts = partitions.map {
          KafkaPartitionOffset($0, offset: KafkaPartitionOffset.beginning)
        }
        if !force, try await scan.hasRecords(after: starts) {
          throw CommandFailure(
            .cannotCreate, "\(Topic.events.name) already has records.",
            advice: "Import into an empty topic, or give --force if the records are to be added.")
        }
        let producer = try KafkaProducer(kafka)
        let counts: Counts
        do {
          counts = try await publish(to: producer, partitionCount: Int32(partitions.count))
        } catch {
          await producer.close()
          throw error
        }
        await producer.close()
        try Output(output).result(counts) {
          "Imported \(counts.imported) records; left out \(counts.leftOut) ticks and copies of "
            + "partitions that this topic does not have."
        }
      }
    }

    struct Counts: Encodable {
      var imported = 0
      var leftOut = 0
    }

    private func publish(
      to producer: KafkaProducer, partitionCount: Int32
    ) async throws -> Counts {
      var counts = Counts()
      var batch: [KafkaMessage] = []
      try await NDJSONFile.read(file) { line, number in
        guard let key = line.record.key, line.record.value != nil else {
          throw CommandFailure(
            .badData, "Line \(number) of \(NDJSONFile.name(file)) has no key or no value.")
        }
        var message = KafkaMessage(topic: .events, line.record)
        message.timestampMilliseconds = line.brokerAt?.milliseconds
        if PatientKey(String(decoding: key, as: UTF8.self)) == nil {
          // Ticks, source states and rules stand on the partition they were written to.
          message.partition = line.coordinates?.partition ?? 0
        }
        guard message.partition.map({ $0 < partitionCount }) ?? true else {
          counts.leftOut += 1
          return
        }
        batch.append(message)
        counts.imported += 1
        if batch.count == 1000 {
          _ = try await producer.send(batch)
          batch.removeAll(keepingCapacity: true)
        }
      }
      _ = try await producer.send(batch)
      return counts
    }
  }
}
