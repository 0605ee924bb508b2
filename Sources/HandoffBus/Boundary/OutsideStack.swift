internal import Foundation
internal import HandoffCodecs
package import HandoffConnectors
package import HandoffCore
package import HandoffStores
package import KafkaClient
package import Logging
package import ServiceLifecycle

/// Everything that runs at an organisation, outside the boundary: connectors, an outbox, the writer
/// of its inbox, and a folder for what the bus tells.
///
/// Nothing here knows a secret of ingest: no patient key can be made or matched with what this
/// process holds. Its own secrets tell files apart, and say nothing of anybody elsewhere.
package struct OutsideStack: Sendable {
  package let outbox: Outbox
  package let board: ConnectorBoard
  package let host: ConnectorHost
  package let writer: InboxWriter
  package let sink: NoticeSink?
  package let certificates: CertificateWatch

  package var services: [any Service] {
    let told: [(any Service)?] = [sink]
    return [ServiceBundle([writer, certificates] + told.compactMap(\.self)), host]
  }

  /// Opens the outbox of the data folder, and the keys that the configuration names.
  ///
  /// - Throws: ``BoundaryKeyError``, `OutboxError`, `SecretsError`.
  package init(
    _ configuration: BatonConfiguration, organisation: ODSCode,
    connectors: [ConnectorConfiguration], kafka: KafkaConfiguration, logger: Logger,
    now: @escaping @Sendable () -> Timestamp = ConnectStack.systemTime
  ) throws {
    let boundary = configuration.boundary
    let keys = try BoundaryKeys.load(path: boundary.privateKeysFile ?? "")
    let ingest = try BoundaryPublicKeys.load(path: boundary.ingestKeysFile ?? "")
    let claims = try Self.claimSecrets(configuration)
    let connectors = connectors.map(Self.bounded)
    outbox = try Outbox(path: configuration.files.outbox, now: now)
    board = ConnectorBoard()
    certificates = CertificateWatch(
      WatchedCertificate.all(
        of: configuration, components: ["connector"], connectors: connectors),
      logger: logger, now: now)
    host = ConnectorHost(
      connectors, secrets: claims, outbox: outbox, board: board, logger: logger, now: now)
    writer = InboxWriter(
      kafka, organisation: organisation,
      seal: BoundarySeal(.inbox, organisation: organisation, own: keys, other: ingest),
      outbox: outbox, sources: connectors, board: board, logger: logger, now: now)
    sink = boundary.noticesFolder.map { folder in
      NoticeSink(
        kafka, organisation: organisation,
        seal: BoundarySeal(.outbox, organisation: organisation, own: keys, other: ingest),
        folder: folder, logger: logger)
    }
  }

  /// Closes the outbox; call it when the services have ended.
  package func close() async { await outbox.close() }

  /// A frame must fit into one record of Kafka: a longer one is refused to its sender.
  private static func bounded(_ connector: ConnectorConfiguration) -> ConnectorConfiguration {
    var connector = connector
    let limit = InboxOpener.frameByteCountMax
    connector.mapping.limits.messageBytesMax = min(connector.mapping.limits.messageBytesMax, limit)
    switch connector.source {
    case .mllp(var settings):
      settings.messageByteCountMax = min(settings.messageByteCountMax, limit)
      connector.source = .mllp(settings)
    case .fhir(var settings):
      settings.messageByteCountMax = min(settings.messageByteCountMax, limit)
      connector.source = .fhir(settings)
    case .dropFolder: break
    }
    return connector
  }

  /// Random secrets of this machine, made at the first start: files taken in are known by them.
  private static func claimSecrets(_ configuration: BatonConfiguration) throws -> Secrets {
    let path = configuration.files.claimSecrets
    do throws(SecretsError) {
      return try Secrets.load(path: path)
    } catch {
      guard case .missing = error else { throw error }
    }
    do {
      try configuration.files.makeFolder()
    } catch {
      throw SecretsError.notWritable(path: path)
    }
    let secrets = Secrets.generate()
    try secrets.write(path: path)
    return secrets
  }
}

extension BoundaryOrganisation {
  /// The organisations of a configuration, with their keys and connectors.
  ///
  /// - Throws: ``BoundaryKeyError``, `ConnectorFaults` of the first file that has any; also where two
  ///   organisations, or one and the connectors `inside`, have a connector of one name.
  package static func load(
    _ boundary: BoundaryConfiguration, inside: [ConnectorConfiguration]
  ) throws -> [BoundaryOrganisation] {
    guard !boundary.organisations.isEmpty else { return [] }
    let keys = try BoundaryKeys.load(path: boundary.privateKeysFile ?? "")
    var names = Set(inside.map(\.name))
    return try boundary.organisations.map { organisation in
      let connectors = try organisation.connectors.map { try ConnectStack.connectors(at: $0) } ?? []
      for connector in connectors where !names.insert(connector.name).inserted {
        throw ConnectorFaults(
          file: organisation.connectors,
          faults: [
            .init(
              setting: "name", line: nil,
              explanation: "\(connector.name) is that of another connector: whose word it is must "
                + "be told from it")
          ])
      }
      return BoundaryOrganisation(
        code: organisation.code, speaksFor: organisation.speaksFor, connectors: connectors,
        hasOutbox: organisation.hasOutbox, ingest: keys,
        keys: try BoundaryPublicKeys.load(path: organisation.publicKeysFile))
    }
  }
}
