import ArgumentParser
import Foundation
import HandoffBus
import HandoffCodecs
import HandoffCore
import KafkaClient
import Logging
import ServiceLifecycle
import UnixSignals

/// `baton reconcile`: the reconciler, in service or over a file.
struct ReconcileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Find what was duplicated or dropped: live on Kafka, or offline from a file.",
    discussion: """
      Without --input it runs as a service: it reads handoff.events.v1, writes verdicts to \
      handoff.alerts.v1 exactly once, and goes on where it was after any crash. Run several, each \
      with an --instance of its own, and they share the partitions.

      With --input it judges recorded events (`baton events export`) by the same rules without a \
      broker. The output is canonical: the same records and the same policy give the same bytes, \
      so two runs can be compared with diff.

        baton events export --output events.ndjson
        baton reconcile --input events.ndjson --output alerts.ndjson --policy winter.yaml
      """)

  @OptionGroup var settings: SettingsOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Judge these recorded events (NDJSON) instead of running; - is standard input.",
      valueName: "file"))
  var input: String?

  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Where the verdicts go (NDJSON), with --input; - is standard output.", valueName: "file"))
  var outputFile: String = "-"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --input: go on until this time, as if nothing else came (2026-11-23T17:00:00Z).",
      valueName: "time"))
  var until: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Policy file (YAML); also BATON_POLICY. Offline it may be given again for those that the "
        + "records switch to.", valueName: "file"))
  var policy: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --input: partitions of the topic, to find records in the wrong one, and where a "
        + "person goes who is moved to another key.",
      valueName: "count"))
  var partitions: Int32?

  @Option(name: .long, help: ArgumentHelp("Consumer group of the service.", valueName: "name"))
  var group = "baton-reconciler"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Name of this instance: the same after a restart, another for each instance.",
      valueName: "name"))
  var instance = "baton-reconciler-1"

  func validate() throws {
    if input == nil, until != nil || outputFile != "-" || partitions != nil {
      throw ValidationError("--until, --output and --partitions go with --input.")
    }
    if input == nil, policy.count > 1 {
      throw ValidationError("The service runs by one --policy.")
    }
    if let partitions, partitions < 1 {
      throw ValidationError("--partitions must be at least 1.")
    }
  }

  func run() async throws {
    if let input {
      try await reconcileOffline(input)
    } else {
      try await serve()
    }
  }

  private func serve() async throws {
    let (configuration, bootstrap) = try settings.loadWithBroker()
    let file = policy.first ?? configuration.policyFile
    var reconciler = ReconcilerConfiguration(
      kafka: KafkaConfiguration(
        configuration, client: instance, component: "reconcile", as: .reconciler), groupID: group,
      instanceID: instance, policy: try file.map(PolicySource.init(file:)) ?? .standard)
    reconciler.stamp = configuration.recordGuard?.stamp
    let service = ReconcilerService(reconciler)
    let certificates = CertificateWatch(
      WatchedCertificate.all(of: configuration, components: ["reconcile"]),
      logger: reconciler.logger, now: ConnectStack.systemTime)
    let services = ServiceGroup(
      configuration: .init(
        services: [.init(service: service), .init(service: certificates)],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: reconciler.logger))
    try await reachingKafka(bootstrap) {
      do {
        try await services.run()
      } catch let fault as TopicsFault {
        throw CommandFailure(
          .unavailable, "The topics are not as the reconciler needs them.",
          advice: fault.description)
      } catch let fault as ChangelogFault {
        throw CommandFailure(.badData, "The changelog is incomplete.", advice: fault.description)
      }
    }
  }

  private func reconcileOffline(_ input: String) async throws {
    let configuration = try settings.load()
    var files = policy
    if files.isEmpty, let file = configuration.policyFile { files = [file] }
    let policies = try files.map { try PolicySource(file: $0).policy }
    let end = try until.map(time(named: "--until"))
    var reconciler = OfflineReconciler(
      policies: policies.isEmpty ? [.default] : policies, partitionCount: partitions,
      stamp: configuration.recordGuard?.stamp)
    if input != "-" {
      // What reducers wrote counts where it stands, and not where its cause does.
      try await NDJSONFile.read(input) { line, _ in reconciler.expect(line) }
    }
    try await NDJSONFile.read(input) { line, number in
      do {
        try reconciler.take(line)
      } catch {
        throw CommandFailure(
          .badData, "Line \(number) of \(NDJSONFile.name(input)) cannot be judged: \(error).",
          advice: "`baton events export` writes lines that can.")
      }
    }
    if let end { reconciler.advance(to: end) }
    for alert in reconciler.selfAlerts.prefix(20) { warn(alert) }
    let lines = CanonicalForm.lines(reconciler.verdicts)
    let writer = try NDJSONFile.Writer(outputFile)
    for line in lines { try writer.write(Array(line.utf8)) }
    try writer.close()
    Progress.line(
      "Judged \(reconciler.recordCount) records: \(lines.count) verdicts, "
        + "\(reconciler.selfAlerts.count) alerts about ourselves.")
  }

  private func warn(_ alert: SelfAlert) {
    let place = alert.coordinates.map { " at partition \($0.partition), offset \($0.offset)" } ?? ""
    let cause = alert.cause.map { " (\($0))" } ?? ""
    Progress.line("warning: \(alert.kind.rawValue)\(place)\(cause)")
  }
}
