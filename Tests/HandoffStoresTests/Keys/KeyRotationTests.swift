import Crypto
import Foundation
import GRDB
import HandoffCore
import Synchronization
import Testing

@testable import HandoffStores

/// Rotation of the key-encryption key, and what must not break it.
struct KeyRotationTests {
  private let folder: TemporaryFolder
  private let old = SymmetricKey(size: .bits256)
  private let new = SymmetricKey(size: .bits256)

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.file("keys.sqlite") }

  private func keks(
    _ current: String, _ keys: [String: SymmetricKey]
  ) throws -> KeyEncryptionKeys {
    try KeyEncryptionKeys(current: current, keys: keys)
  }

  private func both() throws -> KeyEncryptionKeys { try keks("b", ["a": old, "b": new]) }

  private func person(_ number: Int, epoch: UInt16 = 1) throws -> PatientKey {
    let bytes = Array(SHA256.hash(data: Data("\(number)".utf8)))
    return try #require(PatientKey(epoch: epoch, hash: bytes))
  }

  private func names(_ range: Range<Int>) throws -> Set<DataKeyName> {
    Set(try range.map { .person(try person($0)) })
  }

  @Test func `after a rotation every key is the same, and the old one may go`() async throws {
    var store = try KeyStore(path: path, keks: keks("a", ["a": old]))
    let before = try await store.keys(for: names(0..<1_234))
    try await store.adopt(base: 1, at: Timestamp(milliseconds: 1))
    _ = try await store.beginEpoch(at: Timestamp(milliseconds: 2))
    let epochs = try await store.epochs()
    store.close()
    store = try KeyStore(path: path, keks: both())
    let report = try await store.rewrap(batch: 100)
    #expect(report.rewrapped == 1_235)
    #expect(report.already == 0 && report.damaged == 0)
    #expect(report.retired == ["a"])
    let again = try await store.rewrap(batch: 100)
    #expect(again.rewrapped == 0 && again.already == 1_235 && again.retired.isEmpty)
    store.close()
    store = try KeyStore(path: path, keks: keks("b", ["b": new]))
    #expect(try await store.keys(for: names(0..<1_234)) == before)
    #expect(try await store.epochs().secrets == epochs.secrets)
    store.close()
  }

  @Test(arguments: 0..<7)
  func `a rotation cut off anywhere goes on where it was`(batches: Int) async throws {
    var store = try KeyStore(path: path, keks: keks("a", ["a": old]))
    let before = try await store.keys(for: names(0..<600))
    store.close()
    // What kill -9 leaves: some batches committed, the rest not begun.
    store = try KeyStore(path: path, keks: both())
    let cutOff = store
    let seen = Mutex(0)
    if batches > 0 {
      // Closing the database is what ends the run: the next batch finds it gone.
      await #expect(throws: KeyStoreError.self) {
        try await cutOff.rewrap(batch: 100) { _ in
          let count = seen.withLock { count in
            count += 1
            return count
          }
          if count == batches { cutOff.close() }
        }
      }
    }
    store.close()
    store = try KeyStore(path: path, keks: both())
    // Between the two ingest works, under either key.
    #expect(try await store.keys(for: names(0..<600)) == before)
    let report = try await store.rewrap(batch: 100)
    #expect(report.rewrapped == max(0, 600 - batches * 100))
    #expect(report.rewrapped + report.already == 600)
    store.close()
    store = try KeyStore(path: path, keks: keks("b", ["b": new]))
    #expect(try await store.keys(for: names(0..<600)) == before)
    store.close()
  }

  @Test func `ingest goes on while another process rotates`() async throws {
    let ingest = try KeyStore(path: path, keks: both(), cacheCountMax: 10)
    let before = try await ingest.keys(for: names(0..<500))
    let other = try KeyStore(path: path, keks: keks("a", ["a": old, "b": new]))
    async let report = other.rewrap(batch: 7)
    for number in 500..<700 {
      _ = try await ingest.keys(for: names(number..<number + 1))
    }
    _ = try await report
    #expect(try await ingest.keys(for: names(0..<500)) == before)
    let last = try await ingest.rewrap()
    #expect(last.rewrapped + last.already == 700 && last.damaged == 0)
    ingest.close()
    other.close()
  }

  @Test func `a missing and a wrong key-encryption key are told by their ids`() async throws {
    let store = try KeyStore(path: path, keks: keks("a", ["a": old]))
    _ = try await store.keys(for: names(0..<1))
    store.close()
    #expect(throws: KeyStoreError.missingKeyEncryptionKey(id: "a")) {
      _ = try KeyStore(path: path, keks: keks("b", ["b": new]))
    }
    #expect(throws: KeyStoreError.wrongKeyEncryptionKey(id: "a")) {
      _ = try KeyStore(path: path, keks: keks("a", ["a": new]))
    }
  }

  @Test func `a store of the first layout is taken over with all its keys`() async throws {
    let queue = try DatabaseQueue(path: path)
    let data = SymmetricKey(size: .bits256)
    let name = DataKeyName.person(try person(1))
    try await queue.write { db in
      try db.execute(
        sql: """
          CREATE TABLE data_keys (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID
          """)
      for (name, key) in [("mark/1", SymmetricKey(size: .bits256)), (name.description, data)] {
        try db.execute(
          sql: "INSERT INTO data_keys (name, wrapped) VALUES (?, ?)",
          arguments: [name, try Wrapping.wrap(key, name: name, with: self.old)])
      }
    }
    try queue.close()
    #expect(throws: KeyStoreError.wrongKeyEncryptionKey(id: "secrets")) {
      _ = try KeyStore(path: path, keyEncryptionKey: new)
    }
    let store = try KeyStore(path: path, keyEncryptionKey: old)
    #expect(try await store.existingKey(for: name) == data)
    #expect(try await store.withoutBasis(among: [person(1)]) == [person(1)])
    store.close()
  }
}

/// Files that somebody or something has been at.
struct KeyStoreHostilityTests {
  private let folder: TemporaryFolder
  private let wrapping = SymmetricKey(size: .bits256)
  private let anna: PatientKey
  private let ben: PatientKey

  init() throws {
    folder = try TemporaryFolder()
    anna = try #require(PatientKey(epoch: 1, hash: Array(repeating: 1, count: 32)))
    ben = try #require(PatientKey(epoch: 1, hash: Array(repeating: 2, count: 32)))
  }

  private var path: String { folder.file("keys.sqlite") }

  private func open() throws(KeyStoreError) -> KeyStore {
    try KeyStore(path: path, keyEncryptionKey: wrapping)
  }

  private func made() async throws -> [DataKeyName: SymmetricKey] {
    let store = try open()
    let keys = try await store.keys(
      for: [.person(anna), .person(ben)], bases: [anna: PersonBasis(parts: [[1], [2]])])
    store.close()
    return keys
  }

  private func change(_ sql: String) async throws {
    let queue = try DatabaseQueue(path: path)
    try await queue.write { db in try db.execute(sql: sql) }
    try queue.close()
  }

  @Test(arguments: [
    "UPDATE data_keys SET wrapped = substr(wrapped, 1, 59) WHERE name LIKE '%.01%'",
    "UPDATE data_keys SET wrapped = zeroblob(60) WHERE name LIKE '%.01%'",
    "UPDATE data_keys SET wrapped = x'' WHERE name LIKE '%.01%'",
    """
    UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE name LIKE '%.02%')
      WHERE name LIKE '%.01%'
    """,
  ])
  func `a row that was cut, altered or swapped is refused, and the others open`(
    sql: String
  ) async throws {
    let keys = try await made()
    try await change(sql)
    let store = try open()
    await #expect(throws: KeyStoreError.corrupt) { try await store.existingKey(for: .person(anna)) }
    await #expect(throws: KeyStoreError.corrupt) { try await store.keys(for: [.person(anna)]) }
    #expect(try await store.existingKey(for: .person(ben)) == keys[.person(ben)])
    let counts = try await store.checkAll()
    #expect(counts.opened == 1 && counts.damaged == 1)
    #expect(try await store.rewrap().damaged == 1)
    // The way out: what cannot be opened is destroyed, and the person gets a new key.
    let time = Timestamp(milliseconds: 5)
    _ = try await store.destroy([anna], by: "test", reason: nil, at: time)
    #expect(try await store.keys(for: [.person(anna)])[.person(anna)] != keys[.person(anna)])
    store.close()
  }

  @Test func `a key that is marked as wrapped by nobody's key is told so`() async throws {
    _ = try await made()
    try await change("UPDATE data_keys SET kek = 'lost' WHERE name LIKE '%.01%'")
    let store = try open()
    await #expect(throws: KeyStoreError.missingKeyEncryptionKey(id: "lost")) {
      try await store.existingKey(for: .person(anna))
    }
    store.close()
  }

  @Test func `an epoch with an altered secret, and one of later layout, are refused`() async throws
  {
    var store = try open()
    try await store.adopt(base: 1, at: Timestamp(milliseconds: 1))
    _ = try await store.beginEpoch(at: Timestamp(milliseconds: 2))
    store.close()
    try await change("UPDATE epochs SET wrapped = zeroblob(60) WHERE epoch = 2")
    store = try open()
    await #expect(throws: KeyStoreError.corrupt) { try await store.epochs() }
    await #expect(throws: KeyStoreError.epochMismatch(file: 2, store: 1)) {
      try await store.adopt(base: 2, at: Timestamp(milliseconds: 3))
    }
    store.close()
    try await change("PRAGMA user_version = 99")
    #expect(throws: KeyStoreError.newer(version: 99)) { _ = try open() }
    #expect(throws: KeyStoreError.newer(version: 99)) { _ = try KeyStore.status(path: path) }
  }

  @Test func `what is no database, or a folder, is an error and no crash`() throws {
    try Data(repeating: 0x5a, count: 9_000).write(to: URL(fileURLWithPath: path))
    #expect(throws: KeyStoreError.corrupt) { _ = try open() }
    #expect(throws: KeyStoreError.corrupt) { _ = try KeyStore.status(path: path) }
    #expect(throws: KeyStoreError.notWritable) {
      _ = try KeyStore(path: folder.path, keyEncryptionKey: wrapping)
    }
  }

  @Test func `a full disk is an error, and what was there still opens`() async throws {
    let keys = try await made()
    let pages = try await DatabaseQueue(path: path).read { db in
      try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    }
    let store = try KeyStore(
      path: path, keks: KeyEncryptionKeys(wrapping), pageCountMax: pages + 2)
    let many = try (0..<2_000).map { number in
      DataKeyName.person(
        try #require(
          PatientKey(epoch: 1, hash: Array(SHA256.hash(data: Data("\(number)".utf8))))))
    }
    await #expect(throws: KeyStoreError.diskFull) { try await store.keys(for: Set(many)) }
    #expect(try await store.keys(for: [.person(anna)])[.person(anna)] == keys[.person(anna)])
    #expect(try await store.existingKey(for: many[0]) == nil)
    store.close()
  }

  @Test func `two processes give a person one key`() async throws {
    let (one, two) = (try open(), try open())
    let people = try (0..<200).map { number in
      DataKeyName.person(
        try #require(
          PatientKey(epoch: 1, hash: Array(SHA256.hash(data: Data("\(number)".utf8))))))
    }
    async let first = one.keys(for: Set(people))
    async let second = two.keys(for: Set(people.reversed()))
    #expect(try await first == second)
    one.close()
    two.close()
  }

  @Test func `a basis is written as it is read, and anything else is none`() {
    let basis = PersonBasis(parts: [[1, 2], [], Array(repeating: 9, count: 300)])
    #expect(PersonBasis(bytes: basis.bytes) == basis)
    #expect(PersonBasis(bytes: Array(basis.bytes.dropLast())) == nil)
    #expect(PersonBasis(bytes: [0, 0, 0]) == nil)
    #expect(PersonBasis(bytes: [0xff, 0xff, 0xff, 0xff, 1]) == nil)
    #expect("\(basis)" == "PersonBasis(redacted)")
  }
}
