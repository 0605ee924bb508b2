import Foundation
import GRDB
import HandoffCodecs
import HandoffCore
import HandoffStores
import TestSupport
import Testing

/// Audit logs and proofs of earlier versions are opened, queried and verified by this one.
@Suite struct `Audit logs of earlier versions` {
  @Test(arguments: LandedVersion.all)
  func `have proofs that still verify, by their key alone`(version: LandedVersion) throws {
    let key = try #require(
      NoteVerifier(String(decoding: try version.bytes("log.key"), as: UTF8.self)))
    let bundle = try version.bytes("proof.json")
    let report = ProofBundle.verify(bundle, key: key)
    #expect(report.isSound, "\(report.findings)")
    #expect(report.recordCount > 2)
    var changed = bundle
    changed[bundle.count / 2] ^= 1
    #expect(!ProofBundle.verify(changed, key: key).isSound)
  }

  @Test(arguments: LandedVersion.all)
  func `are opened with every row found, and verify to the last byte`(version: LandedVersion)
    async throws
  {
    let key = try #require(
      NoteVerifier(String(decoding: try version.bytes("log.key"), as: UTF8.self)))
    let folder = try TestSupport.TemporaryFolder()
    let audit = folder.url.appending(path: "audit")
    try FileManager.default.createDirectory(at: audit, withIntermediateDirectories: true)
    try Data(version.bytes("audit.sqlite")).write(to: audit.appending(path: "audit.sqlite"))
    let store = try AuditStore(existing: audit.path(), describe: AuditDescription.ofWire)
    try await store.restoreFiles()
    let page = try await store.records(matching: AuditQuery())
    #expect(page.records.count == 24)
    #expect(try await store.accesses(limit: 9).map(\.reason) == ["a landed version"])
    // It is gone on with, not only looked at.
    let log = try #require(try await store.logs().first)
    var next = try AuditSample.record(log.nextOffset)
    next.log = log.name
    try await store.append([next])
    try store.close()
    let report = try await AuditVerifier(
      folder: audit.path(), key: key, describe: AuditDescription.ofWire
    ).run()
    #expect(report.isSound, "\(report.findings)")
  }

  @Test(arguments: LandedVersion.all)
  func `have records of no type that cannot be asked for`(version: LandedVersion) throws {
    var types: Set<String> = []
    for line in try version.lines("records.ndjson") {
      let stored = try #require(try NDJSON.parse(line).stored)
      let record = AuditRecord(
        log: AuditLogName(
          topic: stored.coordinates.topic, partition: stored.coordinates.partition),
        offset: stored.coordinates.offset, brokerTimeMs: stored.brokerAt.milliseconds,
        key: stored.record.key,
        headers: stored.record.headers.map { LoggedHeader(name: $0.name, value: $0.value) },
        value: stored.record.value)
      types.insert(AuditDescription.ofWire(record).type)
    }
    #expect(types.count > 20)
    for type in types { #expect(AuditDescription.type(meantBy: type.lowercased()) == type) }
    #expect(AuditDescription.type(meantBy: "a07") == "A07")
    #expect(AuditDescription.type(meantBy: "Bogus") == nil)
  }

  @Test func `will have this one's among them`() async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(24)
    try await sample.store.append(Array(records.prefix(12)))
    let old = try await sample.store.publish(by: sample.signer)
    try await sample.store.append(Array(records.dropFirst(12)))
    _ = try await sample.store.publish(by: sample.signer)
    try await sample.store.recordAccess(
      AuditAccess(
        at: Timestamp(milliseconds: 1), reader: "auditor", action: "query", question: "person",
        reason: "a landed version"))
    let key = try #require(try AuditSample.record(0).key)
    let bundle = try await sample.store.prove(.key(key), since: try #require(old.first?.note))
    try sample.store.close()
    #expect(ProofBundle.verify(bundle.bytes, key: sample.signer.verifier).isSound)
    guard let folder = LandedVersion.landing else { return }
    try Data(bundle.bytes).write(to: folder.appending(path: "proof.json"))
    try Data("\(sample.signer.verifier)".utf8).write(to: folder.appending(path: "log.key"))
    // What the write-ahead log still holds would be missing in a copy of the file alone.
    let database = folder.appending(path: "audit.sqlite").path(percentEncoded: false)
    try await DatabaseQueue(path: "\(sample.path)/audit.sqlite").writeWithoutTransaction { db in
      try db.execute(sql: "VACUUM INTO ?", arguments: [database])
    }
  }
}
