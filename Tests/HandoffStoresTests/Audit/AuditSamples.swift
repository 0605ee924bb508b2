import Foundation
import GRDB
import HandoffCodecs
import HandoffCore
import HandoffStores
import TestSupport
import Testing

/// A log in a folder of its own, and what tests put into it.
struct AuditSample {
  let folder: TestSupport.TemporaryFolder
  let store: AuditStore
  let signer: NoteSigner

  static let log = AuditLogName(topic: "handoff.events.v1", partition: 3)

  init() throws {
    folder = try TestSupport.TemporaryFolder()
    store = try AuditStore(folder: folder.path("audit"), describe: AuditDescription.ofWire)
    signer = try #require(NoteSigner(name: "log.example", seed: Array(repeating: 2, count: 32)))
  }

  var path: String { folder.path("audit") }

  func verify() async throws -> AuditReport {
    try await AuditVerifier(
      folder: path, key: signer.verifier, describe: AuditDescription.ofWire
    ).run()
  }

  /// The places that a verification names.
  func places() async throws -> [String] { try await verify().findings.map(\.place) }

  /// Runs SQL on the database as somebody with the file would.
  func tamper(_ sql: String, _ arguments: StatementArguments = []) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let database = try DatabaseQueue(
      path: "\(path)/audit.sqlite", configuration: configuration)
    try database.write { db in
      try db.execute(sql: sql, arguments: arguments)
    }
  }

  func file(_ tile: String, of log: AuditLogName = log) -> String {
    "\(path)/log/\(log)/\(tile)"
  }

  /// The record at an offset: events, ticks, an alert and one that cannot be read, in turns.
  static func record(_ offset: Int64, of log: AuditLogName = log) throws -> AuditRecord {
    let key = try #require(
      PatientKey(epoch: 1, hash: Array(repeating: UInt8(offset % 5), count: 32)))
    let wire: WireRecord
    switch offset % 7 {
    case 3: wire = WireCodec().encodeTick(at: Timestamp(milliseconds: offset))
    case 5:
      wire = WireRecord(
        key: nil, value: offset % 2 == 0 ? nil : [1, 2, 3],
        headers: [RecordHeader("odd", nil), RecordHeader("odd", "x")])
    case 6: wire = WireCodec().encode(try verdict(offset, key))
    default: wire = WireCodec().encode(try event(offset, key))
    }
    return AuditRecord(
      log: log, offset: offset, brokerTimeMs: 1_795_000_000_000 + offset, key: wire.key,
      headers: wire.headers.map { LoggedHeader(name: $0.name, value: $0.value) },
      value: wire.value)
  }

  /// The root over the entries that the records of one log make.
  static func root(of records: [AuditRecord]) -> MerkleHash {
    var frontier = MerkleFrontier()
    var last: [[UInt8]: UInt64] = [:]
    for record in records {
      let leaf = AuditLeaf(
        topic: record.log.topic, partition: record.log.partition, offset: record.offset,
        brokerTimeMs: record.brokerTimeMs, key: AuditLeaf.Key(record.key),
        headersHash: RecordHash(ofStored: AuditLeaf.canonicalBytes(of: record.headers)),
        recordHash: record.value.map { RecordHash(ofStored: $0) },
        previous: record.key.flatMap { last[$0] })
      if let key = record.key { last[key] = frontier.size }
      frontier.append(leaf.hash)
    }
    return frontier.root
  }

  /// Records with gaps in their offsets, as transactions leave them.
  static func records(_ count: Int, of log: AuditLogName = log) throws -> [AuditRecord] {
    try (0..<Int64(count)).map { try record($0 * 3 / 2, of: log) }
  }

  private static func event(_ number: Int64, _ key: PatientKey) throws -> HandoffEvent {
    let token = try #require(Token(bytes: Array(repeating: UInt8(number % 200), count: 16)))
    var event = HandoffEvent(
      id: EventID(rawValue: UInt128(number + 1)), receptionID: ReceptionID(rawValue: 7),
      type: number % 2 == 0 ? .handoffRequested : .accepted, patientKey: key,
      handoffID: HandoffID(rawValue: UInt128(number / 4 + 1)), contentMac: token,
      speaker: .sender, spokenBy: nil, occurredAt: Timestamp(milliseconds: number),
      source: try #require(Code("pas")), rail: try #require(Code("mllp")))
    event.from = Party(organisation: .ods(try #require(ODSCode("RTH"))))
    event.to = Party(organisation: .ods(try #require(ODSCode("RNU"))))
    event.kind = HandoffKind("gp-hospital")
    event.sealedIdentity = [9, 9, 9]
    return event
  }

  private static func verdict(_ number: Int64, _ key: PatientKey) throws -> Verdict {
    Verdict(
      alertID: AlertID(rawValue: UInt128(number)), revision: 1, rule: .a07, action: .opened,
      severity: .high, subject: .handoff(HandoffID(rawValue: 1), of: key),
      beganWith: EventID(rawValue: 1), opened: Timestamp(milliseconds: 1),
      knownAt: Timestamp(milliseconds: 2), evidence: [], rulesVersion: 1,
      policyHash: RecordHash(ofStored: []), readUpTo: 1)
  }
}
