import Foundation
import HandoffBus
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import ServiceLifecycle
import UnixSignals

/// One run of `baton up`: puts the parts together, starts them in order, stops them in reverse.
struct UpRun {
  var configuration: BatonConfiguration
  let messages: String?
  let isDemo: Bool
  let endsWhenIdle: Bool
  let partitions: Int
  let output: Output

  /// The group id is the one of `baton reconcile`, so that either goes on where the other was.
  private static let instanceID = "baton-up"
  /// Another than `connect run` has by default: two of one name shut each other out.
  private static let ingestInstance = "up"

  /// What files say.
  private struct Given {
    let feed: MessageFeed?
    let connectors: [ConnectorConfiguration]
    let policy: PolicySource
  }

  func run() async throws {
    var configuration = configuration
    // Whatever is wrong with them is told before anything is made on a cluster.
    let given = try given(configuration)
    // Held to the end: the mock cluster lives as long as this.
    let mock = try startMockIfNeeded(&configuration)
    defer { withExtendedLifetime(mock) {} }
    let bootstrap = configuration.kafka.bootstrap ?? ""
    do {
      try configuration.files.makeFolder()
    } catch {
      throw CommandFailure.file(configuration.dataFolder, doing: "make", error)
    }
    configuration.recordGuard = try recordGuards {
      try RecordGuard.loadOrMake(configuration, now: ConnectStack.systemTime())
    }
    try await reachingKafka(bootstrap) {
      let count = try await applyTopics(configuration, mock: mock)
      try await serve(configuration, given, partitionCount: count, isInMemory: mock != nil)
    }
  }

  private func given(_ configuration: BatonConfiguration) throws -> Given {
    let feed = try messages.map {
      try MessageFeed(path: $0, dropRoot: configuration.dataFolder + "/drop")
    }
    var connectors = try connectors(configuration, feed)
    if isDemo {
      // Nobody at a demonstration waits a minute to hear that no answer is on its way.
      for index in connectors.indices { connectors[index].heartbeatInterval = .seconds(1) }
    }
    return Given(
      feed: feed, connectors: connectors,
      policy: try configuration.policyFile.map(PolicySource.init(file:)) ?? .standard)
  }

  private func startMockIfNeeded(
    _ configuration: inout BatonConfiguration
  ) throws -> KafkaMockCluster? {
    guard configuration.kafka.bootstrap == nil else { return nil }
    Progress.line(
      """
      No broker is configured: librdkafka's mock cluster runs in this process.
        Everything is in memory and gone at the end, transactions are not real, and records that \
      were taken back can be seen. Give --bootstrap for anything but a look around.
      """)
    let mock = try KafkaMockCluster()
    configuration.kafka.bootstrap = mock.bootstrapServers.joined(separator: ",")
    return mock
  }

  /// Creates what is missing and returns the number of partitions of the events topic.
  private func applyTopics(
    _ configuration: BatonConfiguration, mock: KafkaMockCluster?
  ) async throws -> Int {
    let sizes = TopicSizes(
      partitions: Int32(partitions), replication: Int16(configuration.topics.replication))
    let table = TopicTable.all(organisations: configuration.boundary.organisations.map(\.code))
    if let mock {
      for topic in table {
        try mock.createTopic(topic.name, partitions: sizes.partitions(of: topic))
      }
      return partitions
    }
    let scan = TopicScan(KafkaConfiguration(configuration, client: "up"), topic: .events)
    let present = try await scan.partitions().count
    var wanted = sizes
    if present > 0 { wanted.partitions = Int32(present) }
    let administrator = try TopicAdministrator(KafkaConfiguration(configuration, client: "up"))
    let outcome = await Result(catching: {
      let plan = try await administrator.plan(table: table, sizes: wanted)
      guard !plan.isRefused else {
        throw CommandFailure(
          .badConfiguration, "The topics on this cluster do not fit each other.",
          advice: "See what differs: baton topics plan --partitions \(wanted.partitions)")
      }
      announce(plan, partitions: wanted.partitions)
      try await administrator.apply(plan)
    })
    await administrator.close()
    try outcome.get()
    return Int(wanted.partitions)
  }

  /// Says what cannot be changed afterwards before it is done.
  private func announce(_ plan: TopicPlan, partitions: Int32) {
    let created = plan.steps.count {
      if case .create = $0 { true } else { false }
    }
    guard created > 0 else { return }
    let topics = counted(created, "topic", "topics")
    let each = counted(Int(partitions), "partition", "partitions")
    Progress.line("Creating \(topics); those of events have \(each), which cannot be changed later")
  }

  private func serve(
    _ configuration: BatonConfiguration, _ given: Given, partitionCount: Int, isInMemory: Bool
  ) async throws {
    try makeDropFolders(of: given.connectors, below: configuration.dataFolder)
    let kafka = KafkaConfiguration(configuration, client: "up", as: .ingest)
    let stack = try makeStack(configuration, given.connectors, kafka)
    var reconciling = ReconcilerConfiguration(
      kafka: KafkaConfiguration(configuration, client: "reconcile", as: .reconciler),
      instanceID: Self.instanceID, policy: given.policy)
    reconciling.logger = Logger(label: "baton.reconcile")
    reconciling.stamp = configuration.recordGuard?.stamp
    if isDemo { reconciling.sourceCopyInterval = .seconds(1) }
    // The cluster in this process is gone with it.
    reconciling.snapshots = isInMemory ? nil : configuration.snapshotSettings
    let reconciler = ReconcilerService(reconciling)
    let sources = SourceReconcilerService(reconciling)
    let (audit, log) = try makeAudit(configuration)
    let stages = UpStages(
      stack: stack, reconciler: reconciler, audit: audit, log: log, kafka: kafka,
      partitionCount: partitionCount,
      files: configuration.files)
    let alerts = AlertPrinter(
      kafka: kafka, policy: reconciling.policy.policy, output: output)
    let driver = UpDriver(
      stages: stages, alerts: alerts, feed: given.feed, isDemo: isDemo, endsWhenIdle: endsWhenIdle,
      dropFolder: configuration.dataFolder + "/drop/up", output: output)
    let watch = KafkaWatch(kafka, logger: Logger(label: "baton.kafka"))
    var parts: [any Service] = [audit, reconciler, sources, watch] + stack.publishing
    var health: [any Service] = []
    if let address = configuration.health {
      let measures = MeasureKeeper(
        log: log, kafka: KafkaConfiguration(configuration, client: "audit", as: .audit),
        policy: reconciling.policy.policy, stamp: reconciling.stamp,
        logger: Logger(label: "baton.audit"))
      parts.append(measures)
      let probes: [HealthProbe] = [
        .reconciler(
          reconciler.status, sources: sources.status, group: reconciling.groupID,
          policy: reconciling.policy.policy),
        .ingest(stack), .audit(audit.status), .measures(measures), .kafka(watch),
        .certificates(stack.certificates.board),
      ]
      health.append(
        HealthService(address, probes: probes, logger: Logger(label: "baton.health")))
    }
    // Stopped from the last to the first: health says to the end how it goes.
    let ordered: [any Service] = health + [ServiceBundle(parts), stack.host, alerts]
    var services = ordered.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
    services.append(.init(service: driver, successTerminationBehavior: .gracefullyShutdownGroup))
    let group = ServiceGroup(
      configuration: .init(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint],
        logger: Logger(label: "baton.up")))
    let outcome = await Result(catching: { try await group.run() })
    await stack.close()
    try? log.close()
    try outcome.get()
    if let failure = driver.failure { throw failure }
  }

  /// Drop folders of our own are made; a configured one that is missing is a fault to be told.
  private func makeDropFolders(
    of connectors: [ConnectorConfiguration], below folder: String
  ) throws {
    for connector in connectors {
      guard case .dropFolder(let settings) = connector.source, settings.path.hasPrefix(folder)
      else { continue }
      do {
        try FileManager.default.createDirectory(
          atPath: settings.path, withIntermediateDirectories: true)
      } catch {
        throw CommandFailure.file(settings.path, doing: "make", error)
      }
    }
  }

  private func makeStack(
    _ configuration: BatonConfiguration, _ connectors: [ConnectorConfiguration],
    _ kafka: KafkaConfiguration
  ) throws -> ConnectStack {
    do {
      return try ConnectStack(
        configuration, connectors: connectors, kafka: kafka,
        components: ["up", "reconcile", "audit"], instance: Self.ingestInstance,
        logger: Logger(label: "baton.connect"))
    } catch let error as SecretsError {
      throw CommandFailure(
        ExitStatus(error), "The secrets cannot be used: \(error.description).",
        advice: "`baton doctor` says more.")
    } catch let error as KeyStoreError {
      throw CommandFailure(error)
    } catch let error as KeyEncryptionKeyError {
      throw CommandFailure(error)
    } catch let error as OutboxError {
      throw CommandFailure(error)
    }
  }

  private func makeAudit(
    _ configuration: BatonConfiguration
  ) throws -> (AuditService, AuditStore) {
    let files = configuration.files
    do {
      let signer = try AuditKeyFile.signer(
        at: files.checkpointKey, public: files.checkpointPublicKey,
        orGenerateFor: AuditKeyFile.defaultName)
      let log = try AuditStore(folder: files.audit, describe: AuditDescription.ofWire)
      var auditing = AuditServiceConfiguration(
        kafka: KafkaConfiguration(configuration, client: "audit", as: .audit))
      auditing.checkpointInterval = .seconds(2)
      auditing.stamp = configuration.recordGuard?.stamp
      let logger = Logger(label: "baton.audit")
      let service = AuditService(
        store: log, counts: AuditLog.counts(files, logger), signer: signer,
        configuration: auditing, logger: logger)
      return (service, log)
    } catch let error as AuditStoreError {
      throw AuditLog.failure(error)
    } catch let error as AuditKeyError {
      throw AuditLog.failure(error)
    }
  }

  /// What is configured; else what the feed needs; else an MLLP listener and a drop folder.
  private func connectors(
    _ configuration: BatonConfiguration, _ feed: MessageFeed?
  ) throws -> [ConnectorConfiguration] {
    if let feed { return feed.connectors }
    if let path = configuration.connectors, !isDemo {
      do {
        return try ConnectStack.connectors(at: path)
      } catch {
        throw CommandFailure(error, advice: "`baton connect check` says more.")
      }
    }
    return UpDriver.ownConnectors(dropFolder: configuration.dataFolder + "/drop/up")
  }
}
