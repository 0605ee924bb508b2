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
        kinds:                         codes of what is asked for (HL7: RF1-3) to kinds
          MED: gp-hospital             without one its clocks are the policy's fallback

      Check a file against your own sample messages before it is deployed:

        baton connect check rth-pas.yaml --sample REF-I12.hl7 --sample RRI-I12.hl7
      """,
    subcommands: [Run.self, Check.self]
  )

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run connectors and ingest until stopped.",
      discussion: """
        Where the configuration's boundary names an organisation, this process stands outside: it \
        seals every message to ingest and writes it to the organisation's inbox, opens no secret \
        of the bus, and keeps what the bus tells in a folder.

        Every process that ingests into one bus shares two files of its data folder with the \
        others: secrets.json, or one person has several keys, and record-secrets.json, or what is \
        published bears no stamp and is left out (S08). A second process beside `baton up` has \
        them by the settings `secrets` and `record-secrets`, or as copies.

        A sender hears AA only when its message is safe on this machine's disk; what cannot be \
        understood is kept as a dead letter, and its sender hears AE or AR with the field at \
        fault. While Kafka is away messages are kept, and published in their order when it is \
        back. SIGTERM ends politely: what was read is answered first.
        """)

    @OptionGroup var settings: SettingsOptions

    @Option(
      name: .long, parsing: .singleValue,
      help: ArgumentHelp(
        "Connector file, or a folder of them; may be given often. Default: those of the "
          + "configuration.",
        valueName: "file"))
    var connector: [String] = []

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Name of this process among those that ingest; one at a time may have it (`up` is `up`).",
        valueName: "name"))
    var instance = "0"

    func run() async throws {
      let (configuration, bootstrap) = try settings.loadWithBroker(isService: true)
      let connectors = try connectFailures { try configured(configuration) }
      let logger = Logger(label: "baton.connect")
      logger.notice(
        "Connectors start",
        metadata: ["connectors": "\(connectors.count)", "kafka": "\(bootstrap)"])
      if let organisation = configuration.boundary.organisation {
        let stack = try connectFailures {
          try OutsideStack(
            configuration, organisation: organisation, connectors: connectors,
            kafka: KafkaConfiguration(configuration, client: "connector"), logger: logger)
        }
        try await serve(stack.services, logger) { await stack.close() }
      } else {
        warnOfSecrets(configuration, logger)
        let kafka = KafkaConfiguration(configuration, client: "ingest", as: .ingest)
        let stack = try connectFailures {
          try ConnectStack(
            configuration, connectors: connectors, kafka: kafka, instance: instance,
            logger: logger)
        }
        let watch = KafkaWatch(kafka, logger: logger)
        let health: [any Service] =
          configuration.health.map { address in
            [
              HealthService(
                address,
                probes: [
                  .ingest(stack), .kafka(watch, isNeeded: false),
                  .certificates(stack.certificates.board),
                ], logger: logger)
            ]
          } ?? []
        let publishing = ServiceBundle([watch] + stack.publishing)
        // Stopped from the last to the first.
        try await serve(health + [publishing, stack.host], logger) { await stack.close() }
      }
    }

    /// What a first start makes of its own no other process of the bus knows.
    private func warnOfSecrets(_ configuration: BatonConfiguration, _ logger: Logger) {
      let file = configuration.files.secrets
      if configuration.secretsFile == nil, !FileManager.default.fileExists(atPath: file) {
        logger.warning(
          """
          New secrets are made. If others ingest into this bus, stop, and give this process their \
          secrets.json: or one person has several keys
          """, metadata: ["file": "\(file)"])
      }
      if configuration.recordGuard == nil {
        logger.warning(
          """
          No record secrets: what is published bears no stamp, and a bus whose other processes \
          stamp leaves it out (S08), though its sender hears AA. Give this process their file
          """, metadata: ["file": "\(configuration.files.recordSecrets)"])
      }
    }

    private func configured(
      _ configuration: BatonConfiguration
    ) throws -> [ConnectorConfiguration] {
      let boundary = configuration.boundary
      let paths = connector.isEmpty ? configuration.connectors.map { [$0] } ?? [] : connector
      if !paths.isEmpty {
        let found = try ConnectStack.connectors(files: paths)
        guard found.isEmpty, boundary.organisations.isEmpty else { return found }
        throw CommandFailure(
          .noInput, "\(paths.joined(separator: ", ")) holds no connector file (.yaml or .yml).",
          advice: "Name the files with --connector FILE, or put them there.")
      }
      // Ingest may serve organisations outside alone, and they may only listen to it.
      guard boundary.organisations.isEmpty, boundary.noticesFolder == nil else { return [] }
      throw CommandFailure(
        .badConfiguration, "No connector is named.",
        advice: "Give --connector FILE, set BATON_CONNECTORS, or name them in --config.")
    }

    private func serve(
      _ services: [any Service], _ logger: Logger, close: () async -> Void
    ) async throws {
      let group = ServiceGroup(
        configuration: .init(
          services: services.map { .init(service: $0) },
          gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
      let outcome = await Result(catching: { try await group.run() })
      await close()
      try outcome.get()
    }
  }
}

extension CommandFailure {
  /// What is wrong with a connector file.
  init(_ faults: ConnectorFaults, advice: String? = nil) {
    self.init(
      faults.isMissing ? .noInput : .badConfiguration, faults.description, advice: advice)
  }

  /// Why the outbox of a data folder cannot be opened.
  init(_ error: OutboxError) {
    guard error == .inUse else {
      self.init(.readWrite, "The outbox cannot be opened: \(error).")
      return
    }
    self.init(
      .unavailable, "Another process uses this data folder.",
      advice: "Stop it, or name another folder with --data.")
  }
}

/// Turns what can be wrong with connectors and their stores into a sentence and an exit code.
func connectFailures<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let faults as ConnectorFaults {
    throw CommandFailure(faults)
  } catch let error as BoundaryKeyError {
    throw CommandFailure(
      ExitStatus(error), "The boundary cannot be kept: \(error).",
      advice: "Make keys with `baton boundary new-keys`; private files need mode 600.")
  } catch let error as SecretsError {
    throw CommandFailure(
      ExitStatus(error), "\(error).".prefix(1).uppercased() + "\(error).".dropFirst(),
      advice: "Without its secrets ingest can key and seal nothing; restore the file.")
  } catch let error as OutboxError {
    throw CommandFailure(error)
  } catch let error as KeyStoreError {
    throw CommandFailure(error)
  } catch let error as KeyEncryptionKeyError {
    throw CommandFailure(error)
  } catch let error as KafkaError {
    throw CommandFailure(.unavailable, "Kafka cannot be reached: \(error.message)")
  }
}
