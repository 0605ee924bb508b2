import ArgumentParser
import Foundation
import HandoffBus
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import ServiceLifecycle
import UnixSignals

/// `baton connect`: take messages in from other systems.
struct ConnectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect",
    abstract: "Take messages in: check connector files, run connectors.",
    discussion: """
      A connector is one YAML file: a source (HL7 v2 over MLLP, or a drop folder of HL7, FHIR JSON \
      and NDJSON files), the organisations it speaks for, and a name.

        name: rth-pas                  every record of it carries this name
        class: mllp-source             or drop-folder-source
        listen: 127.0.0.1:2575         mllp-source: where to listen
        directory: incoming            drop-folder-source: the folder, relative to the file
        organisation: RTH              ODS code of where it stands
        organisations:                 names in messages to ODS codes
          GOOD HEALTH HOSPITAL: RTH

      Check a file against your own sample messages before it is deployed:

        baton connect check rth-pas.yaml --sample REF-I12.hl7 --sample RRI-I12.hl7
      """,
    subcommands: [Run.self, Check.self]
  )

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run connectors and ingest until stopped.",
      discussion: """
        A sender hears AA only when its message is safe on this machine's disk; what cannot be \
        understood is kept as a dead letter, and its sender hears AE or AR with the field at \
        fault. While Kafka is away messages are kept, and published in their order when it is \
        back. SIGTERM ends politely: what was read is answered first.
        """)

    @OptionGroup var settings: SettingsOptions

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "Connector file; may be given often. Default: those of the configuration.",
        valueName: "file"))
    var connector: [String] = []

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Name of this process among those that ingest; one at a time may have it.",
        valueName: "name"))
    var instance = "0"

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker(isService: true)
      let connectors = try connectFailures {
        if !connector.isEmpty { return try ConnectStack.connectors(files: connector) }
        guard let path = configuration.connectors else {
          throw CommandFailure(
            .badConfiguration, "No connector is named.",
            advice: "Give --connector FILE, set BATON_CONNECTORS, or name them in --config.")
        }
        return try ConnectStack.connectors(at: path)
      }
      let logger = Logger(label: "baton.connect")
      let stack = try connectFailures {
        try ConnectStack(
          configuration, connectors: connectors,
          kafka: KafkaConfiguration(configuration, client: "ingest", as: .ingest),
          instance: instance,
          logger: logger)
      }
      logger.notice(
        "Connectors start",
        metadata: ["connectors": "\(connectors.count)", "kafka": "\(bootstrap)"])
      let group = ServiceGroup(
        configuration: .init(
          services: stack.services.map { .init(service: $0) },
          gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
      do {
        try await group.run()
      } catch {
        await stack.close()
        throw error
      }
      await stack.close()
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check a connector file, and show what sample messages become.",
      discussion: """
        Nothing is published and nothing is stored. Samples are one conversation in the order \
        given: an answer finds the request before it. What names a patient is not shown. Exit \
        code 1 where a message is refused.
        """)

    @Argument(help: ArgumentHelp("The connector file.", valueName: "file"))
    var file: String

    @Option(
      name: .long, parsing: .upToNextOption,
      help: ArgumentHelp("Files of sample messages.", valueName: "file"))
    var sample: [String] = []

    @OptionGroup var output: OutputOptions

    func run() throws {
      let connector = try connectFailures { try ConnectorConfiguration.load(file: file) }
      let output = Output(output)
      var check = ConnectorCheck(connector, now: ConnectStack.systemTime())
      var samples: [Sample] = []
      for path in sample {
        guard let data = FileManager.default.contents(atPath: path) else {
          throw CommandFailure(.noInput, "Cannot read the sample \(path).")
        }
        samples.append(Sample(file: path, messages: check.check(Array(data))))
      }
      let report = Report(connector: connector.name.description, samples: samples)
      try output.result(report) { text(report, output.style) }
      let refused = samples.flatMap(\.messages).filter { $0.outcome == .refused }.count
      if refused > 0 {
        throw CommandFailure(
          .found, "\(refused) of the sample messages would be refused.",
          advice: "The sender would hear AE or AR with the reason shown above.")
      }
    }

    struct Sample: Encodable {
      var file: String
      var messages: [ConnectorCheck.Message]
    }

    struct Report: Encodable {
      var connector: String
      var samples: [Sample]
    }

    private func text(_ report: Report, _ style: Style) -> String {
      var lines = ["Connector \(report.connector): the file is good."]
      for sample in report.samples {
        lines.append("")
        lines.append(style.bold(sample.file))
        for (index, message) in sample.messages.enumerated() {
          let number = sample.messages.count > 1 ? "\(index + 1). " : ""
          lines += describe(message, style).map { "  " + number + $0 }
        }
      }
      return lines.joined(separator: "\n")
    }

    private func describe(_ message: ConnectorCheck.Message, _ style: Style) -> [String] {
      let place = message.field.map { " at \($0)" } ?? ""
      switch message.outcome {
      case .events: return message.events.map { describe($0, style) }
      case .noHandoffFact:
        return [style.dim("no handoff fact (\(message.reason ?? "")): accepted, kept aside")]
      case .waiting:
        return [style.yellow("waits") + ": " + (message.explanation ?? "")]
      case .refused:
        return [
          style.red("refused") + " \(message.reason ?? "")\(place): \(message.explanation ?? "")"
        ]
      }
    }

    private func describe(_ event: ConnectorCheck.Event, _ style: Style) -> String {
      var parts = [style.green(event.type)]
      if let handoff = event.handoff { parts.append("handoff \(handoff)…") }
      if let from = event.from { parts.append("from \(from)") }
      if let to = event.to { parts.append("to \(to)") }
      if let kind = event.kind { parts.append("\(kind), \(event.priority ?? "no priority")") }
      if let reason = event.reason { parts.append("because \(reason)") }
      parts.append("at \(event.occurredAt)")
      return parts.joined(separator: "  ")
    }
  }
}

/// Turns what can be wrong with connectors and their stores into a sentence and an exit code.
func connectFailures<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let faults as ConnectorFaults {
    throw CommandFailure(.badConfiguration, faults.description)
  } catch let error as SecretsError {
    throw CommandFailure(
      .badConfiguration, "\(error).".prefix(1).uppercased() + "\(error).".dropFirst(),
      advice: "Without its secrets ingest can key and seal nothing; restore the file.")
  } catch let error as OutboxError {
    throw CommandFailure(.readWrite, "The outbox cannot be opened: \(error).")
  } catch let error as KeyStoreError {
    throw CommandFailure(.readWrite, "The key store cannot be opened: \(error).")
  } catch let error as KafkaError {
    throw CommandFailure(.unavailable, "Kafka cannot be reached: \(error.message)")
  }
}
