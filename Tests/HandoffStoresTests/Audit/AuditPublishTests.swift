import Foundation
import HandoffCore
import HandoffStores
import TestSupport
import Testing

@Suite struct AuditPublishTests {
  private func files(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    let manager = FileManager.default
    for path in manager.enumerator(atPath: "\(folder)/log")?.allObjects as? [String] ?? [] {
      files[path] = manager.contents(atPath: "\(folder)/log/\(path)")
    }
    return files.filter { !$0.value.isEmpty }
  }

  @Test func `every checkpoint extends the one before, and the tiles prove it`() async throws {
    let sample = try AuditSample()
    let records = try AuditSample.records(600)
    var last: Checkpoint?
    for end in [1, 2, 255, 256, 257, 511, 600] {
      let start = Int(last?.size ?? 0)
      try await sample.store.append(Array(records[start..<end]))
      let published = try await sample.store.publish(by: sample.signer)
      let checkpoint = try #require(published.first?.checkpoint)
      #expect(checkpoint.size == UInt64(end))
      #expect(checkpoint.origin == "log.example/handoff.events.v1/3")
      let tree = TiledTree(size: checkpoint.size) { tile in
        Array(try Data(contentsOf: URL(filePath: sample.file(tile.path))))
      }
      #expect(try tree.root(size: checkpoint.size) == checkpoint.root)
      if let last {
        let proof = try tree.consistencyProof(oldSize: last.size, newSize: checkpoint.size)
        #expect(proof.proves(last.root, isPrefixOf: checkpoint.root))
      }
      let report = try await sample.verify()
      #expect(report.isSound, "\(report.findings)")
      last = checkpoint
    }
    #expect(try await sample.store.publish(by: sample.signer).isEmpty)
    // Full tiles have replaced their partial ones.
    #expect(!FileManager.default.fileExists(atPath: sample.file("tile/0/000.p")))
    #expect(FileManager.default.fileExists(atPath: sample.file("tile/0/002.p/88")))
    #expect(FileManager.default.fileExists(atPath: sample.file("tile/1/000.p/2")))
    #expect(FileManager.default.fileExists(atPath: sample.file("tile/entries/002.p/88")))
  }

  @Test func `files lost or half-written in a crash are made again, byte for byte`() async throws {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(700))
    let published = try await sample.store.publish(by: sample.signer)
    let whole = try files(sample.path)
    #expect(whole.count == 8)

    // The database committed, the files did not: none at all, or an older checkpoint.
    try FileManager.default.removeItem(atPath: "\(sample.path)/log")
    #expect(try await sample.verify().isSound == false)
    let newest = try await sample.store.restoreFiles()
    #expect(newest.map(\.note) == published.map(\.note))
    #expect(try files(sample.path) == whole)

    // The files were written, the database did not commit its checkpoint.
    try sample.tamper("UPDATE log SET checkpoint = NULL")
    try await sample.store.append(Array(AuditSample.records(710).dropFirst(700)))
    _ = try await sample.store.publish(by: sample.signer)
    let report = try await sample.verify()
    #expect(report.isSound, "\(report.findings)")
    #expect(report.logs.first?.covered == 710)
  }

  @Test func `a tree that lost what was signed is not signed again`() async throws {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(300))
    _ = try await sample.store.publish(by: sample.signer)
    try sample.tamper("UPDATE record SET leaf_hash = zeroblob(32) WHERE id & 1023 = 270")
    try await sample.store.append([AuditSample.record(9_000)])
    await #expect(throws: AuditStoreError.self) {
      try await sample.store.publish(by: sample.signer)
    }
  }

  @Test func `another key signs nothing over a log that this one signed`() async throws {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(3))
    _ = try await sample.store.publish(by: sample.signer)
    try await sample.store.append([AuditSample.record(50)])
    let other = try #require(NoteSigner(name: "log.example", seed: Array(repeating: 1, count: 32)))
    await #expect(throws: AuditStoreError.self) { try await sample.store.publish(by: other) }
    #expect(try await sample.verify().isSound)
  }

  @Test func `a log folder that cannot be written is named, and the next try succeeds`()
    async throws
  {
    let sample = try AuditSample()
    try await sample.store.append(AuditSample.records(3))
    // A file stands where the folder must be: permissions mean nothing to root.
    _ = FileManager.default.createFile(atPath: "\(sample.path)/log", contents: Data([1]))
    await #expect(throws: AuditStoreError.self) {
      try await sample.store.publish(by: sample.signer)
    }
    try FileManager.default.removeItem(atPath: "\(sample.path)/log")
    #expect(try await sample.store.publish(by: sample.signer).count == 1)
    #expect(try await sample.verify().isSound)
  }
}
