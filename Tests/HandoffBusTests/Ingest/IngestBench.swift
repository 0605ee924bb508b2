import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HandoffBus

/// What was committed, by whom, in order.
final class FakeLog: Sendable {
  let entries = Mutex<[(writer: ObjectIdentifier, message: KafkaMessage)]>([])
}

/// A Kafka of one process: committed transactions, and failures on demand.
final class FakePublisher: IngestPublisher {
  struct State {
    /// How far the log was restored and read on.
    var followed = 0
    var consumed: [KafkaPartitionOffset] = []
    var failures: [KafkaError] = []
    var openCount = 0
    var transactionCount = 0
  }

  let state = Mutex(State())
  let crash = CrashPlan()
  /// Shared by those who write to one bus.
  let log: FakeLog

  init(log: FakeLog = FakeLog()) {
    self.log = log
  }

  var committed: [KafkaMessage] { log.entries.withLock { $0.map(\.message) } }
  var consumed: [KafkaPartitionOffset] { state.withLock { $0.consumed } }

  func open(restoring restore: (CorrelationChange) -> Void) async throws(KafkaError) {
    let messages = committed
    state.withLock { state in
      state.openCount += 1
      state.followed = messages.count
    }
    for message in messages { try Self.give(message, to: restore) }
  }

  func follow(_ body: (CorrelationChange) -> Void) async throws(KafkaError) {
    let entries = log.entries.withLock { $0 }
    let news = state.withLock { state in
      defer { state.followed = entries.count }
      return entries[state.followed...]
    }
    for entry in news where entry.writer != ObjectIdentifier(self) {
      try Self.give(entry.message, to: body)
    }
  }

  private static func give(
    _ message: KafkaMessage, to body: (CorrelationChange) -> Void
  ) throws(KafkaError) {
    guard message.topic == Topic.correlation.name else { return }
    do {
      if message.value == nil {
        let key = String(decoding: message.key ?? [], as: UTF8.self)
        body(.forgotten(try #require(Token(key))))
      } else {
        body(.entry(try WireCodec.correlationEntry(message.wire)))
      }
    } catch {
      throw KafkaError(.invalidState, message: "\(error)", disposition: .close)
    }
  }

  func publish(
    _ messages: [KafkaMessage], consumed: [KafkaPartitionOffset]
  ) async throws(KafkaError) {
    guard crash.goesOn() else { throw KafkaError(.transport, disposition: .close) }
    let failure: KafkaError? = state.withLock { state in
      if !state.failures.isEmpty { return state.failures.removeFirst() }
      let writer = ObjectIdentifier(self)
      log.entries.withLock { $0 += messages.map { (writer, $0) } }
      state.consumed += consumed
      state.transactionCount += 1
      return nil
    }
    if let failure { throw failure }
    guard crash.goesOn() else { throw KafkaError(.transport, disposition: .close) }
  }

  func readEvents(_ body: ([HandoffEvent]) async throws -> Void) async throws {
    try await body(try events())
  }

  func close() async {}

  /// The events in the order they were published.
  func events() throws -> [HandoffEvent] {
    try committed.filter { $0.topic == Topic.events.name }.enumerated().map { index, message in
      let record = try WireCodec.eventRecord(
        StoredRecord(
          record: message.wire,
          coordinates: RecordCoordinates(
            topic: message.topic, partition: 0, offset: Int64(index)),
          brokerAt: Timestamp(milliseconds: 0)))
      guard let event = record.content.event else {
        throw KafkaError(.invalidState, message: "no event")
      }
      return event
    }
  }

  func deadLetters() throws -> [DeadLetter] {
    try committed.filter { $0.topic == Topic.deadLetters.name }.map {
      try WireCodec.deadLetter($0.wire)
    }
  }

  /// The correlation topic as a reader restores it: the last record of each token.
  func entries() throws -> [Token: CorrelationEntry] {
    var entries: [Token: CorrelationEntry] = [:]
    for message in committed where message.topic == Topic.correlation.name {
      if message.value == nil {
        entries[try #require(Token(String(decoding: message.key ?? [], as: UTF8.self)))] = nil
      } else {
        let entry = try WireCodec.correlationEntry(message.wire)
        entries[entry.token] = entry
      }
    }
    return entries
  }

  func orphans() throws -> [SourceOrphan] {
    try sourceRecords().compactMap { if case .orphan(let orphan) = $0 { orphan } else { nil } }
  }

  func conflicts() throws -> [SourceConflict] {
    try sourceRecords().compactMap { if case .conflict(let it) = $0 { it } else { nil } }
  }

  func sourceRecords() throws -> [SourceRecord] {
    try committed.filter { $0.topic == Topic.sources.name }.map {
      try WireCodec.sourceRecord($0.wire)
    }
  }
}

extension KafkaMessage {
  var wire: WireRecord {
    WireRecord(
      key: key, value: value, headers: headers.map { RecordHeader($0.name, $0.value) })
  }
}

/// Keeps log lines instead of writing them.
struct LogKeeper: LogHandler {
  final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  let lines: Lines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let line = "\(event.message) \(event.metadata ?? [:]) \(metadata)"
    lines.all.withLock { $0.append(line) }
  }
}

/// Stores in a folder of their own, an intake and an ingest service over a fake Kafka.
final class IngestBench {
  let folder: TemporaryFolder
  let secrets: Secrets
  let publisher: FakePublisher
  /// Where the service writes: ``publisher``, unless another was given.
  private let through: any IngestPublisher
  let source: ConnectorConfiguration
  /// Connectors beside ``source``, for what comes by another way.
  let others: [ConnectorConfiguration]
  let logLines: LogKeeper.Lines
  private var time: Timestamp
  private(set) var outbox: Outbox
  private(set) var keys: KeyStore
  private(set) var service: IngestService
  private(set) var intake: ConnectorIntake
  private(set) var session: IngestService.Session
  private let board: ConnectorBoard
  private let limits: IngestLimits

  init(
    _ change: (inout ConnectorConfiguration) -> Void = { _ in }, secrets: Secrets = .generate(),
    limits: IngestLimits = IngestLimits(), others: [ConnectorConfiguration] = [],
    log: FakeLog = FakeLog(), through: (any IngestPublisher)? = nil
  ) throws {
    let folder = try TemporaryFolder()
    let publisher = FakePublisher(log: log)
    let lines = LogKeeper.Lines()
    let board = ConnectorBoard()
    let start = Timestamp(milliseconds: 1_700_000_000_000)
    var source = ConnectorConfiguration(name: ingestCode("pas"), source: .mllp(MLLPSettings()))
    source.mapping.namesAreODSCodes = true
    change(&source)
    let parts = try Self.parts(
      folder, secrets, [source] + others, publisher, through ?? publisher, board, limits, lines,
      start)
    self.through = through ?? publisher
    self.folder = folder
    self.secrets = secrets
    self.publisher = publisher
    self.source = source
    self.others = others
    self.board = board
    self.limits = limits
    session = IngestService.Session(limits)
    logLines = lines
    time = start
    (outbox, keys, service, intake) = parts
  }

  private static func parts(
    _ folder: TemporaryFolder, _ secrets: Secrets, _ sources: [ConnectorConfiguration],
    _ publisher: FakePublisher, _ through: any IngestPublisher, _ board: ConnectorBoard,
    _ limits: IngestLimits, _ lines: LogKeeper.Lines, _ time: Timestamp
  ) throws -> (Outbox, KeyStore, IngestService, ConnectorIntake) {
    let now: @Sendable () -> Timestamp = { time }
    let outbox = try Outbox(path: folder.path("outbox.sqlite"), now: now)
    let keys = try KeyStore(
      path: folder.path("keys.sqlite"),
      keks: KeyEncryptionKeys(try #require(secrets.keyEncryptionKey)))
    let logger = Logger(label: "test") { _ in LogKeeper(lines: lines) }
    let service = IngestService(
      outbox: outbox, keys: CrashingKeys(keys: keys, crash: publisher.crash), secrets: secrets,
      sources: sources, board: board,
      publisher: through, limits: limits, logger: logger, now: now)
    let intake = ConnectorIntake(sources[0], secrets: secrets, outbox: outbox, now: now)
    return (outbox, keys, service, intake)
  }

  /// As after a crash: memory is gone, files and topics are what they were.
  func restart(later: Elapsed = .zero) async throws {
    await outbox.close()
    keys.close()
    time = time.advanced(by: later)
    session = IngestService.Session(limits)
    (outbox, keys, service, intake) = try Self.parts(
      folder, secrets, [source] + others, publisher, through, board, limits, logLines, time)
  }

  func close() async {
    await outbox.close()
    keys.close()
  }

  @discardableResult
  func take(_ messages: String...) async throws -> [Reception] {
    try await intake.take(messages.map { Arrival(bytes: Array($0.utf8)) }, of: nil)
  }

  /// The same by one of the other connectors.
  @discardableResult
  func take(by other: ConnectorConfiguration, _ messages: String...) async throws -> [Reception] {
    let time = time
    let intake = ConnectorIntake(other, secrets: secrets, outbox: outbox) { time }
    return try await intake.take(messages.map { Arrival(bytes: Array($0.utf8)) }, of: nil)
  }

  /// Publishes all that waits.
  func pass() async throws {
    if !session.isOpen { try await service.open(&session) }
    do {
      try await service.pass(&session)
    } catch {
      session.table.rollBack()
      throw error
    }
  }
}

/// Messages of one referral between RTH and RXQ.
enum Sample {
  static let nhsNumber = "9990000018"

  static func segments(_ lines: String...) -> String {
    lines.joined(separator: "\r") + "\r"
  }

  static func request(
    id: String = "M1", referral: String = "UBRN1", nhs: String? = nhsNumber,
    record: String? = "PAT77"
  ) -> String {
    let ids = [nhs.map { "\($0)^^^NHS^NH" }, record.map { "\($0)^^^RTH^MR" }].compactMap(\.self)
    return segments(
      "MSH|^~\\&|PAS|RTH|EPR|RXQ|20231114220000||REF^I12|\(id)|P|2.4",
      "RF1|P|R|MED|||\(referral)^ERS", "PRD|RP|GPNAME^GIVEN",
      "PID|1||\(ids.joined(separator: "~"))||CANARYNAME^GIVENNAME||19700101|F")
  }

  /// RRI without a patient.
  static func acceptance(id: String = "R1", of message: String = "M1") -> String {
    segments(
      "MSH|^~\\&|EPR|RXQ|PAS|RTH|20231114220500||RRI^I12|\(id)|P|2.4", "MSA|AA|\(message)",
      "RF1|A|R|MED")
  }
}
