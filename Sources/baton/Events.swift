import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient

/// `baton events`: the log itself, to look at, to carry away, to bring back.
struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Watch, export and import the events.",
    discussion: """
      One line is one record: a CloudEvent in JSON with the broker's time and place beside it. \
      Nothing in it names a person; identity is sealed inside.

        baton events tail
        baton events export --output events.ndjson
        baton events export --type Rejected --from 2026-11-23T00:00:00Z --decoded
      """,
    subcommands: [Tail.self, Export.self, Import.self]
  )

  /// Which records.
  struct Filters: ParsableArguments {
    @Option(
      name: .long,
      help: ArgumentHelp("From this broker's time on, inclusive.", valueName: "time"))
    var from: String?

    @Option(
      name: .long, help: ArgumentHelp("Up to this broker's time, exclusive.", valueName: "time"))
    var to: String?

    @Option(name: .long, help: ArgumentHelp("Only these partitions.", valueName: "number"))
    var partition: [Int32] = []

    @Option(
      name: .long,
      help: ArgumentHelp("Only events of these types, such as Rejected.", valueName: "type"))
    var type: [String] = []

    @Option(
      name: .long,
      help: ArgumentHelp("Only one person, by patient key.", valueName: "key"))
    var person: String?

    @Option(name: .long, help: ArgumentHelp("Only one handoff, by its id.", valueName: "id"))
    var handoff: String?

    /// The filter, or a failure that names the option that is wrong.
    func filter() throws -> EventFilter {
      var filter = EventFilter()
      (filter.from, filter.to) = try period(from: from, to: to)
      for name in type {
        guard let type = EventType(rawValue: name) else {
          let known = EventType.allCases.map(\.rawValue).joined(separator: ", ")
          throw CommandFailure(
            .usage, "--type is not an event type.", advice: "Known are \(known).")
        }
        filter.types.insert(type)
      }
      if let person {
        guard let key = PatientKey(person) else {
          throw CommandFailure(
            .usage, "--person is not a patient key.",
            advice: "A patient key is an epoch, a dot and 64 hexadecimal digits; "
              + "an NHS number is never given here.")
        }
        filter.person = key
      }
      if let handoff {
        guard let id = HandoffID(handoff) else {
          throw CommandFailure(.usage, "--handoff is not 32 hexadecimal digits.")
        }
        filter.handoff = id
      }
      return filter
    }

    /// The chosen ones of the topic's partitions.
    func partitions(of scan: TopicScan) async throws -> [KafkaTopicPartition] {
      let all = try await scan.partitions()
      guard !all.isEmpty else {
        throw CommandFailure(
          .unavailable, "There is no topic \(Topic.events.name).",
          advice: "Create the topics with `baton topics apply`.")
      }
      guard !partition.isEmpty else { return all }
      guard partition.allSatisfy({ number in all.contains { $0.partition == number } }) else {
        throw CommandFailure(
          .usage, "--partition is not one of 0 to \(all.count - 1).")
      }
      return all.filter { partition.contains($0.partition) }
    }
  }

  struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print events as they are committed, until stopped.")

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var filters: Filters

    @Flag(name: .long, help: "Begin with the first event there is.")
    var fromBeginning = false

    @Flag(name: .long, help: "Print ticks too.")
    var ticks = false

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      let filter = try filters.filter()
      let output = Output(output)
      let scan = TopicScan(KafkaConfiguration(configuration, client: "events"), topic: .events)
      try await reachingKafka(bootstrap) {
        let partitions = try await filters.partitions(of: scan)
        var starts = partitions.map {
          KafkaPartitionOffset($0, offset: KafkaPartitionOffset.beginning)
        }
        if !fromBeginning {
          let chosen = Set(partitions)
          starts = try await scan.committedEnds().filter { chosen.contains($0.topicPartition) }
        }
        try await scan.follow(from: starts) { record in
          let stored = record.stored
          guard filter.accepts(stored) else { return }
          let content = (try? WireCodec.eventRecord(stored))?.content
          if case .tick = content, !ticks { return }
          if output.isJSON {
            output.write(
              String(decoding: NDJSON.line(stored, form: .decoded), as: UTF8.self) + "\n")
          } else {
            output.line(EventLine(stored, content).text(output.style))
          }
        }
      }
    }
  }

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the committed records to a file, partition by partition.",
      discussion: """
        The stored bytes go out unchanged, so that the export can be proved, judged offline and \
        imported. --decoded writes them for people instead.
        """)

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var filters: Filters

    @Option(
      name: [.short, .long],
      help: ArgumentHelp("The file; - is standard output.", valueName: "file"))
    var output = "-"

    @Flag(name: .long, help: "Write decoded events for people instead of the stored bytes.")
    var decoded = false

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker()
      let filter = try filters.filter()
      let scan = TopicScan(KafkaConfiguration(configuration, client: "events"), topic: .events)
      try await reachingKafka(bootstrap) {
        let partitions = try await filters.partitions(of: scan)
        let writer = try NDJSONFile.Writer(output)
        var count = 0
        for partition in partitions {
          try await scan.readToEnd(of: [partition]) { record in
            let stored = record.stored
            guard filter.accepts(stored) else { return }
            try writer.write(NDJSON.line(stored, form: decoded ? .decoded : .exact))
            count += 1
          }
        }
        try writer.close()
        Progress.line("Exported \(count) records of \(partitions.count) partitions.")
      }
    }
  }
}

/// Reads a moment with a zone, as arguments give it.
func time(named option: String) -> (String) throws -> Timestamp {
  { text in
    guard let time = RFC3339.parse(text) else {
      throw CommandFailure(
        .usage, "\(option) is not a time with a zone.",
        advice: "Write it like 2026-11-23T17:00:00Z or 2026-06-01T17:00:00+01:00.")
    }
    return time
  }
}

/// The period of `--from` and `--to`.
///
/// One that ends before it begins is a slip of the pen: that nothing lies in it would be no answer.
func period(from: String?, to: String?) throws -> (from: Timestamp?, to: Timestamp?) {
  let begin = try from.map(time(named: "--from"))
  let end = try to.map(time(named: "--to"))
  if let begin, let end, end <= begin {
    throw CommandFailure(.usage, "--to is not after --from: nothing can lie between them.")
  }
  return (begin, end)
}
