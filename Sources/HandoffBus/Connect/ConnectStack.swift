import Foundation
package import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
package import ServiceLifecycle

/// Everything that takes messages in and publishes them: stores, connectors and ingest.
///
/// Used by `baton connect run` and by `baton up`. Run ``publishing`` and then ``host`` in a service
/// group, which stops connectors first: what they still answer is published if it can be.
package struct ConnectStack: Sendable {
  package let outbox: Outbox
  package let keys: KeyStore
  package let board: ConnectorBoard
  package let host: ConnectorHost
  package let ingest: IngestService
  package let certificates: CertificateWatch
  /// Reads the inboxes of organisations outside; `nil` where there are none.
  package let inbox: InboxService?
  /// Tells organisations outside of verdicts; `nil` where nobody is told.
  package let notices: NoticeService?

  /// What runs beside ``host``, and may end in any order: what is not published is in the outbox.
  package var publishing: [any Service] {
    let outside: [(any Service)?] = [inbox, notices]
    return [ingest, certificates] + outside.compactMap(\.self)
  }

  /// Opens the stores in the data folder, and makes secrets there where none are configured yet.
  ///
  /// `instance` names this process among those that ingest: it is part of the transactional id.
  ///
  /// `components` are the parts of this process that are on Kafka, whose certificates are watched.
  package init(
    _ configuration: BatonConfiguration, connectors: [ConnectorConfiguration],
    kafka: KafkaConfiguration, components: [String] = ["ingest"], instance: String = "0",
    outboxLimits: OutboxLimits = .init(),
    codec: WireCodec = WireCodec(), logger: Logger,
    now: @escaping @Sendable () -> Timestamp = ConnectStack.systemTime
  ) throws {
    let secrets = try Self.secrets(configuration)
    let files = configuration.files
    outbox = try Outbox(path: files.outbox, limits: outboxLimits, now: now)
    keys = try KeyStore(path: files.keys, keks: Self.keks(configuration, secrets))
    board = ConnectorBoard()
    certificates = CertificateWatch(
      WatchedCertificate.all(of: configuration, components: components, connectors: connectors),
      logger: logger, now: now)
    let organisations = try BoundaryOrganisation.load(
      configuration.boundary, inside: connectors)
    let maker = NoticeMaker(organisations, secrets: secrets)
    let outside = OutsideWorld(organisations, notices: maker.isEmpty ? nil : maker)
    host = ConnectorHost(
      connectors, secrets: secrets, outbox: outbox, board: board, logger: logger, now: now)
    var limits = IngestLimits()
    limits.correlation = configuration.correlation
    ingest = IngestService(
      outbox: outbox, keys: keys, secrets: secrets, sources: connectors, board: board,
      publisher: KafkaIngestPublisher(kafka, transactionalID: "baton-ingest-\(instance)"),
      outside: outside, certificates: certificates.board, limits: limits, codec: codec,
      statusPath: files.ingestStatus, logger: logger, now: now)
    inbox =
      organisations.isEmpty
      ? nil
      : InboxService(
        kafka, opener: InboxOpener(organisations, secrets: secrets), outbox: outbox,
        board: outside.board, logger: logger)
    notices =
      maker.isEmpty
      ? nil
      : NoticeService(
        kafka, maker: maker, transactionalID: "baton-ingest-\(instance)-notices", logger: logger)
  }

  /// Whether nothing is left to publish but answers that wait for their request.
  package var isIdle: Bool {
    ingest.waitingCount == 0 && !board.all.contains(where: \.isExpecting)
  }

  /// Closes the stores; call it when the services have ended.
  package func close() async {
    await outbox.close()
    keys.close()
  }

  /// The clock of this machine.
  package static let systemTime: @Sendable () -> Timestamp = {
    Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
  }

  /// The configured secrets; else those of the data folder, made at the first start.
  package static func secrets(
    _ configuration: BatonConfiguration
  ) throws(SecretsError) -> Secrets {
    let file = configuration.files.secrets
    do throws(SecretsError) {
      return try Secrets.load(path: file)
    } catch {
      // A file that was named and is not there is a mistake; new secrets would hide it.
      guard case .missing = error, configuration.secretsFile == nil else { throw error }
    }
    do {
      try configuration.files.makeFolder()
    } catch {
      throw .notWritable(path: file)
    }
    let secrets = Secrets.generate(hasKeyEncryptionKey: configuration.keys == nil)
    try secrets.write(path: file)
    return secrets
  }

  /// The keys that wrap the data keys: those configured, and that of the secrets file.
  package static func keks(
    _ configuration: BatonConfiguration, _ secrets: Secrets
  ) throws(KeyEncryptionKeyError) -> KeyEncryptionKeys {
    try KeyEncryptionKeys.load(
      current: configuration.keys?.current, sources: configuration.keys?.sources ?? [:],
      secrets: secrets.keyEncryptionKey)
  }

  /// The connectors of a file, or of every `.yaml` and `.yml` file of a folder, by name of file.
  ///
  /// - Throws: ``ConnectorFaults`` of the first file that has any, and of two of one name.
  package static func connectors(
    at path: String
  ) throws(ConnectorFaults) -> [ConnectorConfiguration] {
    try connectors(files: [path])
  }

  private static func filesAt(_ path: String) -> [String] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return [path]
    }
    return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map {
      path + "/" + $0
    }
  }

  /// The connectors of files, and of those in folders; no two may have one name.
  package static func connectors(
    files: [String]
  ) throws(ConnectorFaults) -> [ConnectorConfiguration] {
    var connectors: [ConnectorConfiguration] = []
    for file in files.flatMap(filesAt) {
      let connector = try ConnectorConfiguration.load(file: file)
      guard !connectors.contains(where: { $0.name == connector.name }) else {
        throw ConnectorFaults(
          file: file,
          faults: [
            .init(setting: "name", line: nil, explanation: "is that of another connector file")
          ])
      }
      connectors.append(connector)
    }
    return connectors
  }
}
