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

      With --what-if the same history is judged a second time, as if that policy had been in force \
      all along, and what is printed is the difference: which alerts would appear, vanish or move.

        baton reconcile --input events.ndjson --what-if tighter.yaml
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
      "With --input: organisation register (YAML); the first is in force at the start, and it may "
        + "be given again for those that the records switch to.", valueName: "file"))
  var register: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --input: print what would be otherwise under this policy (YAML).", valueName: "file"))
  var whatIf: String?

  @Option(
    name: .long,
    help: ArgumentHelp("With --what-if: as if this profile of it had been on.", valueName: "name"))
  var whatIfProfile: String?

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
    if input == nil, whatIf != nil || !register.isEmpty {
      throw ValidationError("--what-if and --register go with --input.")
    }
    if whatIf == nil, whatIfProfile != nil {
      throw ValidationError("--what-if-profile goes with --what-if.")
    }
    if whatIf != nil, outputFile != "-" {
      throw ValidationError("--what-if prints a difference, and writes no --output.")
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
    let (configuration, bootstrap) = try settings.loadWithBroker(isService: true)
    let file = policy.first ?? configuration.policyFile
    var reconciler = ReconcilerConfiguration(
      kafka: KafkaConfiguration(
        configuration, client: instance, component: "reconcile", as: .reconciler), groupID: group,
      instanceID: instance, policy: try file.map(PolicySource.init(file:)) ?? .standard)
    reconciler.stamp = configuration.recordGuard?.stamp
    reconciler.snapshots = configuration.snapshotSettings
    let service = ReconcilerService(reconciler)
    let sources = SourceReconcilerService(reconciler)
    let certificates = CertificateWatch(
      WatchedCertificate.all(of: configuration, components: ["reconcile"]),
      logger: reconciler.logger, now: ConnectStack.systemTime)
    let watch = KafkaWatch(reconciler.kafka, logger: reconciler.logger)
    let health = configuration.health.map { address in
      HealthService(
        address,
        probes: [
          .reconciler(
            service.status, sources: sources.status, group: group,
            policy: reconciler.policy.policy),
          .kafka(watch), .certificates(certificates.board),
        ], logger: reconciler.logger)
    }
    // Stopped from the last to the first: health says to the end how it goes.
    let parts: [any Service] =
      (health.map { [$0] } ?? []) + [ServiceBundle([service, sources, certificates, watch])]
    let services = ServiceGroup(
      configuration: .init(
        services: parts.map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: reconciler.logger))
    try await reachingKafka(bootstrap) {
      do {
        try await services.run()
      } catch let fault as TopicsFault {
        throw CommandFailure(
          .unavailable, "The topics are not as the reconciler needs them.",
          advice: fault.description)
      } catch let fault as SourceTopicsFault {
        throw CommandFailure(
          .unavailable, "The topics are not as the source reducer needs them.",
          advice: fault.description)
      }
    }
  }

  private func reconcileOffline(_ input: String) async throws {
    let configuration = try settings.load()
    let end = try until.map(time(named: "--until"))
    var history = try RecordedHistory(
      input, configuration: configuration, policies: policy, registers: register,
      partitions: partitions)
    if let whatIf {
      var other = try PolicySource(file: whatIf).policy
      if let whatIfProfile { other = try other.under(named: whatIfProfile, of: whatIf) }
      history.judge(insteadBy: other)
    }
    let (reconciler, other) = try await history.judged(until: end)
    for alert in reconciler.selfAlerts.prefix(20) { warn(alert) }
    if let other {
      let difference = VerdictDifference(before: reconciler.verdicts, after: other.verdicts)
      try WhatIfReport(difference).print(Output(output))
    } else {
      let writer = try NDJSONFile.Writer(outputFile)
      let lines = CanonicalForm.lines(reconciler.verdicts)
      for line in lines { try writer.write(Array(line.utf8)) }
      try writer.close()
    }
    Progress.line(
      "Judged \(reconciler.recordCount) records: \(reconciler.verdicts.count) verdicts, "
        + "\(reconciler.selfAlerts.count) alerts about ourselves.")
  }

  private func warn(_ alert: SelfAlert) {
    let place = alert.coordinates.map { " at partition \($0.partition), offset \($0.offset)" } ?? ""
    let cause = alert.cause.map { " (\($0))" } ?? ""
    Progress.line("warning: \(alert.kind.rawValue)\(place)\(cause)")
  }
}
