import Crypto
import Foundation
import GRDB
import HandoffCore
import Testing

@testable import HandoffStores

/// Destruction of one person's key.
struct KeyDestructionTests {
  private let folder: TemporaryFolder
  private let wrapping = SymmetricKey(size: .bits256)
  private let time = Timestamp(milliseconds: 1_700_000_000_000)

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.file("keys.sqlite") }

  private func open() throws(KeyStoreError) -> KeyStore {
    try KeyStore(path: path, keyEncryptionKey: wrapping)
  }

  private func person(_ number: Int, epoch: UInt16 = 1) throws -> PatientKey {
    let bytes = Array(SHA256.hash(data: Data("\(number)".utf8)))
    return try #require(PatientKey(epoch: epoch, hash: bytes))
  }

  private func rows() async throws -> [String: Data] {
    let queue = try DatabaseQueue(path: path)
    let rows: [String: Data] = try await queue.read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT name, wrapped FROM data_keys WHERE wrapped IS NOT NULL")
      return Dictionary(uniqueKeysWithValues: rows.map { ($0["name"], $0["wrapped"]) })
    }
    try queue.close()
    return rows
  }

  @Test func `a destroyed key is gone for good, and from memory too`() async throws {
    var store = try open()
    let name = DataKeyName.person(try person(1))
    let before = try await store.keys(for: [name])
    let destruction = try await store.destroy(
      [person(1)], by: "dpo", reason: Code("gdpr-art-17"), at: time)
    #expect(destruction.destroyed == 1 && destruction.by == "dpo")
    #expect(try await store.existingKey(for: name) == nil)
    store.close()
    store = try open()
    #expect(try await store.existingKey(for: name) == nil)
    let status = try #require(try KeyStore.status(path: path))
    #expect(status.destructions == 1)
    // What comes in later is sealed under a new key.
    let after = try await store.keys(for: [name])
    #expect(after != before)
    // A second time there is the new key to destroy.
    #expect(try await store.destroy([person(1)], by: "dpo", reason: nil, at: time).destroyed == 1)
    store.close()
  }

  @Test func `no byte of a destroyed key stands in any file`() async throws {
    let store = try open()
    // Enough, in an order of their own, for pages to be split and joined.
    for start in stride(from: 0, to: 6_000, by: 60) {
      let people = try (start..<start + 60).map { try person($0) }
      let bases = Dictionary(
        uniqueKeysWithValues: people.map { ($0, PersonBasis(parts: [Array($0.hash)])) })
      _ = try await store.keys(for: Set(people.map { .person($0) }), bases: bases)
    }
    let before = try await rows()
    let doomed = try stride(from: 3, to: 6_000, by: 97).map { try person($0) }
    for one in doomed {
      _ = try await store.destroy([one], by: "dpo", reason: nil, at: time)
    }
    let bytes = try folder.contents()
    for one in doomed {
      let wrapped = try #require(before[DataKeyName.person(one).description])
      #expect(bytes.range(of: wrapped) == nil)
      // Half of it would be too much.
      #expect(bytes.range(of: wrapped.suffix(30)) == nil)
    }
    // The search itself can see: what was not destroyed stands there.
    let alive = try #require(before[DataKeyName.person(try person(4)).description])
    #expect(bytes.range(of: alive) != nil)
    #expect(try await store.checkAll().damaged == 0)
    store.close()
  }

  @Test func `another process's destruction empties the memory of this one`() async throws {
    let (ingest, operations) = (try open(), try open())
    let name = DataKeyName.person(try person(1))
    let before = try await ingest.keys(for: [name])
    _ = try await operations.destroy([person(1)], by: "dpo", reason: nil, at: time)
    #expect(try await ingest.existingKey(for: name) == nil)
    #expect(try await ingest.keys(for: [name]) != before)
    ingest.close()
    operations.close()
  }

  @Test func `merges, links and epochs of one person go together, and nobody else`() async throws {
    let store = try open()
    let people = try (0..<6).map { try person($0) }
    let keys = try await store.keys(for: Set(people.map { .person($0) }))
    // 0 and 1 were merged into 2, 2 moved to the next epoch; 3 was linked with 4; 5 is alone.
    try await store.noteMerges([people[0]: people[2], people[1]: people[2], people[3]: people[4]])
    let moved = PersonMove(old: people[2], new: try person(2, epoch: 2))
    try await store.prepare([moved])
    try await store.settle([moved])
    #expect(try await store.existingKey(for: .person(moved.new)) == keys[.person(people[2])])
    let reach = try await store.reach(of: [people[0]])
    #expect(Set(reach) == Set(people[0...2] + [moved.new]))
    let destruction = try await store.destroy([people[0]], by: "dpo", reason: nil, at: time)
    #expect(destruction.destroyed == 4)
    for key in reach { #expect(try await store.existingKey(for: .person(key)) == nil) }
    for key in people[3...] {
      #expect(try await store.existingKey(for: .person(key)) == keys[.person(key)])
    }
    #expect(try await store.reach(of: [try person(77)]).isEmpty)
    store.close()
  }

  @Test func `keys of dead letters go with their days`() async throws {
    let store = try open()
    let days = ["2026-09-01", "2026-09-02", "2026-11-23"]
    _ = try await store.keys(for: Set(days.map { .deadLetters(day: $0) }))
    #expect(try await store.eraseDeadLetters(before: "2026-09-03") == 2)
    #expect(try await store.existingKey(for: .deadLetters(day: days[0])) == nil)
    #expect(try await store.existingKey(for: .deadLetters(day: days[2])) != nil)
    store.close()
  }
}
