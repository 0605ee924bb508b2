import ArgumentParser
import Foundation
import HandoffBus
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import ServiceLifecycle
import UnixSignals

/// `baton audit run`: the service that keeps the log.
struct AuditRunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Keep the audit log: read every audited topic, sign checkpoints.",
    discussion: """
      Runs until it is stopped, and signs a last checkpoint then. Several may run, each with its \
      own folder: they make the same trees. Only one holds the signing key, and says the alerts of \
      the second count.
      """)

  @OptionGroup var settings: SettingsOptions

  @Option(
    name: .long,
    help: ArgumentHelp("Seconds between checkpoints, 1 to 3600.", valueName: "seconds"))
  var interval = 10

  @Flag(name: .long, help: "Log only; another instance signs.")
  var withoutSigning = false

  func run() async throws {
    guard (1...3600).contains(interval) else {
      throw CommandFailure(.usage, "--interval must be from 1 to 3600 seconds.")
    }
    let (configuration, bootstrap) = try settings.loadWithBroker(isService: true)
    let files = configuration.files
    let logger = Logger(label: "audit")
    do {
      try files.makeFolder()
      let signer =
        withoutSigning
        ? nil
        : try AuditKeyFile.signer(
          at: files.checkpointKey, public: files.checkpointPublicKey,
          orGenerateFor: AuditKeyFile.defaultName)
      let store = try AuditStore(folder: files.audit, describe: AuditDescription.ofWire)
      var service = AuditServiceConfiguration(
        kafka: KafkaConfiguration(configuration, client: "audit", as: .audit))
      service.checkpointInterval = .seconds(interval)
      service.stamp = configuration.recordGuard?.stamp
      let audit = AuditService(
        store: store, counts: AuditLog.counts(files, logger), signer: signer,
        configuration: service, logger: logger)
      let certificates = CertificateWatch(
        WatchedCertificate.all(of: configuration, components: ["audit"]), logger: logger,
        now: ConnectStack.systemTime)
      let watch = KafkaWatch(service.kafka, logger: logger)
      var parts: [any Service] = [audit, certificates, watch]
      var health: [any Service] = []
      if let address = configuration.health {
        let measures = MeasureKeeper(
          log: store, kafka: service.kafka, policy: try policy(configuration),
          stamp: service.stamp, logger: logger)
        parts.append(measures)
        health.append(
          HealthService(
            address,
            probes: [
              .audit(audit.status), .measures(measures), .kafka(watch),
              .certificates(certificates.board),
            ], logger: logger))
      }
      // Stopped from the last to the first: health says to the end how it goes.
      try await ServiceGroup(
        services: health + [ServiceBundle(parts)], gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger
      ).run()
    } catch let error as AuditServiceError {
      throw failure(error, bootstrap)
    } catch let error as AuditStoreError {
      throw AuditLog.failure(error)
    } catch let error as AuditKeyError {
      throw AuditLog.failure(error)
    }
  }

  private func policy(_ configuration: BatonConfiguration) throws -> Policy {
    try configuration.policyFile.map(PolicySource.init(file:))?.policy ?? .default
  }

  private func failure(_ error: AuditServiceError, _ bootstrap: String) -> CommandFailure {
    switch error {
    case .truncated, .expired:
      CommandFailure(
        .found, "Audit stopped: \(error.description).",
        advice: "Keep log and topic as they are: this is an incident.")
    case .noTopics:
      CommandFailure(.unavailable, "Audit stopped: \(error.description).")
    case .store(let error): AuditLog.failure(error)
    case .kafka(let error): CommandFailure(error, at: bootstrap)
    }
  }
}
