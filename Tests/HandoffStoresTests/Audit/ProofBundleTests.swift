import Foundation
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@Suite struct ProofBundleTests {
  /// A log of 20 records with checkpoints at 12 and 20.
  private func sample() async throws -> (AuditSample, old: String) {
    let sample = try AuditSample()
    let records = try AuditSample.records(20)
    try await sample.store.append(Array(records.prefix(12)))
    let old = try await sample.store.publish(by: sample.signer)
    try await sample.store.append(Array(records.dropFirst(12)))
    _ = try await sample.store.publish(by: sample.signer)
    return (sample, try #require(old.first?.note))
  }

  @Test func `every record is proved by its bundle and the public key alone`() async throws {
    let (sample, _) = try await sample()
    for record in try AuditSample.records(20) {
      let bundle = try await sample.store.prove(
        .record(log: AuditSample.log, offset: record.offset))
      let report = ProofBundle.verify(bundle.bytes, key: sample.signer.verifier)
      #expect(report.isSound, "\(report.findings)")
      #expect(report.recordCount == 1)
      #expect(bundle.logs.first?.records.first?.offset == record.offset)
    }
  }

  /// A bundle with every part that a bundle can have.
  private func fullBundle(_ sample: AuditSample, _ old: String) async throws -> ProofBundle {
    let key = try #require(try AuditSample.record(0).key)
    let bundle = try await sample.store.prove(.key(key), since: old)
    #expect(bundle.logs.first?.records.count ?? 0 > 2)
    #expect(bundle.logs.first?.consistency?.isEmpty == false)
    let sound = ProofBundle.verify(bundle.bytes, key: sample.signer.verifier)
    #expect(sound.isSound, "\(sound.findings)")
    return bundle
  }

  @Test func `any one byte changed anywhere in a bundle is found`() async throws {
    let (sample, old) = try await sample()
    var bundle = try await fullBundle(sample, old)
    // The first record of a person stands for the others; it has every kind of field but one.
    bundle.logs[0].records.removeLast(bundle.logs[0].records.count - 1)
    let bytes = bundle.bytes
    #expect(ProofBundle.verify(bytes, key: sample.signer.verifier).isSound)
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1 << UInt8(place % 8)
      let report = ProofBundle.verify(changed, key: sample.signer.verifier)
      #expect(!report.isSound, "byte \(place)")
    }
    for end in [0, 1, bytes.count / 2, bytes.count - 1] {
      #expect(!ProofBundle.verify(Array(bytes.prefix(end)), key: sample.signer.verifier).isSound)
    }
    #expect(!ProofBundle.verify(bytes + [10], key: sample.signer.verifier).isSound)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `random bytes changed in a long bundle are found`(seed: UInt64) async throws {
    let (sample, old) = try await sample()
    let bytes = try await fullBundle(sample, old).bytes
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      var changed = bytes
      let place = Int.random(in: bytes.indices, using: &generator)
      changed[place] ^= UInt8.random(in: 1...255, using: &generator)
      #expect(
        !ProofBundle.verify(changed, key: sample.signer.verifier).isSound, "byte \(place)")
    }
  }

  @Test func `a record of a person left out of the middle is noticed`() async throws {
    let (sample, _) = try await sample()
    let key = try #require(try AuditSample.record(0).key)
    let bundle = try await sample.store.prove(.key(key))
    let count = try #require(bundle.logs.first?.records.count)
    for place in 0..<count - 1 {
      var shorter = bundle
      shorter.logs[0].records.remove(at: place)
      let report = ProofBundle.verify(shorter.bytes, key: sample.signer.verifier)
      #expect(report.findings.map(\.explanation).contains { $0.contains("left out") })
    }
  }

  @Test func `a bundle under another key proves nothing`() async throws {
    let (sample, _) = try await sample()
    let bundle = try await sample.store.prove(.record(log: AuditSample.log, offset: 0))
    let other = try #require(NoteSigner(name: "log.example", seed: Array(repeating: 3, count: 32)))
    let report = ProofBundle.verify(bundle.bytes, key: other.verifier)
    #expect(report.findings.map(\.place) == ["logs[0].checkpoint"])
    #expect(
      ProofBundle.verify(ProofBundle(logs: []).bytes, key: other.verifier).findings.map(\.place)
        == ["bundle.logs"])
  }

  @Test func `what cannot be proved says why`() async throws {
    let (sample, old) = try await sample()
    await #expect(throws: ProofError.noSuchRecord) {
      try await sample.store.prove(.record(log: AuditSample.log, offset: 2))
    }
    await #expect(throws: ProofError.noSuchRecord) { try await sample.store.prove(.key([1])) }
    await #expect(throws: ProofError.foreignCheckpoint) {
      try await sample.store.prove(.record(log: AuditSample.log, offset: 0), since: "x")
    }
    try await sample.store.append([AuditSample.record(90)])
    await #expect(throws: ProofError.notCovered(log: AuditSample.log)) {
      try await sample.store.prove(.record(log: AuditSample.log, offset: 90))
    }
    // An older checkpoint of a different history with the same name and key is not proved.
    let other = try AuditSample()
    try await other.store.append(Array(AuditSample.records(20).dropFirst()))
    _ = try await other.store.publish(by: other.signer)
    let bundle = try await other.store.prove(
      .record(log: AuditSample.log, offset: 4), since: old)
    #expect(
      ProofBundle.verify(bundle.bytes, key: other.signer.verifier).findings.map(\.place)
        == ["logs[0].consistency"])
  }
}
