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
      A connector is one YAML file: a source (HL7 v2 over MLLP, FHIR over HTTP, or a drop folder of \
      HL7, FHIR JSON and NDJSON files), the organisations it speaks for, and a name.

        name: rth-pas                  every record of it carries this name
        class: mllp-source             or fhir-source, or drop-folder-source
        listen: 127.0.0.1:2575         mllp-source, fhir-source: where to listen
        tls:                           mllp-source, fhir-source: also client-ca, clients
          certificate: pas.pem
          key: pas.key
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
