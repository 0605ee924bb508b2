import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import TestSupport
import Testing

@testable import HandoffBus

/// Ingest with the inbox of one organisation, over a fake Kafka.
final class InboxBench {
  static let source = ingestCode("rth-pas")

  let scene: BoundaryScene
  let folder: TemporaryFolder
  let secrets: Secrets
  let publisher = FakePublisher()
  let logLines = LogKeeper.Lines()
  let organisation: BoundaryOrganisation
  private(set) var outbox: Outbox
  private(set) var keys: KeyStore
  private(set) var ingest: IngestService
  private(set) var inbox: InboxService
  private var session = IngestService.Session()
  private var time = Timestamp(milliseconds: 1_700_000_000_000)
  private var nextOffset: Int64 = 0
  private var nextReception: UInt128 = 1

  init(agentFor: [ODSCode] = [], secrets: Secrets = .generate()) throws {
    let scene = try BoundaryScene()
    let folder = try TemporaryFolder()
    var source = ConnectorConfiguration(name: Self.source, source: .mllp(MLLPSettings()))
    source.mapping.namesAreODSCodes = true
    let organisation = BoundaryOrganisation(
      code: scene.rthCode, speaksFor: Set(agentFor + [scene.rthCode]), connectors: [source],
      hasOutbox: true, ingest: scene.ingest, keys: scene.rth.publicKeys)
    self.scene = scene
    self.folder = folder
    self.secrets = secrets
    self.organisation = organisation
    (outbox, keys, ingest, inbox) = try Self.parts(
      folder, secrets, organisation, publisher, logLines, time)
  }

  private static func parts(
    _ folder: TemporaryFolder, _ secrets: Secrets, _ organisation: BoundaryOrganisation,
    _ publisher: FakePublisher, _ lines: LogKeeper.Lines, _ time: Timestamp
  ) throws -> (Outbox, KeyStore, IngestService, InboxService) {
    let now: @Sendable () -> Timestamp = { time }
    let outbox = try Outbox(path: folder.path("outbox.sqlite"), now: now)
    let keys = try KeyStore(
      path: folder.path("keys.sqlite"), keyEncryptionKey: try #require(secrets.keyEncryptionKey))
    let logger = Logger(label: "test") { _ in LogKeeper(lines: lines) }
    let board = InboxBoard()
    let ingest = IngestService(
      outbox: outbox, keys: keys, secrets: secrets, sources: [], board: ConnectorBoard(),
      publisher: publisher,
      outside: .init(
        [organisation], board: board, notices: NoticeMaker([organisation], secrets: secrets)),
      logger: logger, now: now)
    let inbox = InboxService(
      KafkaConfiguration(bootstrapServers: ["127.0.0.1:9"]),
      opener: InboxOpener([organisation], secrets: secrets), outbox: outbox, board: board,
      logger: logger)
    return (outbox, keys, ingest, inbox)
  }

  /// As after a crash: memory is gone, files and topics are what they were.
  func restart(later: Elapsed = .zero) async throws {
    await outbox.close()
    keys.close()
    time = time.advanced(by: later)
    session = IngestService.Session()
    (outbox, keys, ingest, inbox) = try Self.parts(
      folder, secrets, organisation, publisher, logLines, time)
  }

  func close() async {
    await outbox.close()
    keys.close()
  }

  /// The record that RTH's connector writes of a message; the next place of the inbox.
  func record(
    _ text: String, reception: ReceptionID? = nil, source: Code = InboxBench.source,
    by seal: BoundarySeal? = nil
  ) -> KafkaRecord {
    var content = FrameContent(receivedAt: time)
    content.payload = Array(text.utf8)
    return record(content, reception: reception, source: source, by: seal)
  }

  func record(
    _ content: FrameContent, reception: ReceptionID? = nil, source: Code = InboxBench.source,
    by seal: BoundarySeal? = nil
  ) -> KafkaRecord {
    nextReception += 1
    let frame = SealedFrame(
      content, source: source, receptionID: reception ?? ReceptionID(rawValue: nextReception),
      rail: ingestCode("mllp"), by: seal ?? scene.sealing)
    return placed(WireCodec().encode(frame))
  }

  /// A record at the next place of RTH's inbox, whoever wrote it.
  func placed(_ wire: WireRecord) -> KafkaRecord {
    defer { nextOffset += 1 }
    return KafkaRecord(
      topic: organisation.inboxTopic, partition: 0, offset: nextOffset,
      timestampMilliseconds: time.milliseconds, timestampType: .logAppend, key: wire.key,
      value: wire.value, headers: wire.headers.map { KafkaHeader($0.name, $0.value) })
  }

  /// Reads records and publishes all that waits.
  func take(_ records: KafkaRecord...) async throws {
    try await inbox.take(records)
    try await pass()
  }

  func pass() async throws {
    if !session.isOpen { try await ingest.open(&session) }
    do {
      try await ingest.pass(&session)
    } catch {
      session.table.rollBack()
      throw error
    }
  }

  /// Reasons of the dead letters, in their order.
  func reasons() throws -> [String] {
    try publisher.deadLetters().map(\.reason.description)
  }
}
