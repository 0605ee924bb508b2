import Crypto
import Foundation
import HandoffCore
import Testing

@testable import HandoffStores

struct KeyStoreTests {
  private let folder: TemporaryFolder
  private let wrapping = SymmetricKey(size: .bits256)
  private let anna: DataKeyName
  private let ben: DataKeyName

  init() throws {
    folder = try TemporaryFolder()
    anna = .person(try #require(PatientKey(epoch: 1, hash: Array(repeating: 1, count: 32))))
    ben = .person(try #require(PatientKey(epoch: 1, hash: Array(repeating: 2, count: 32))))
  }

  private func open(_ key: SymmetricKey? = nil) throws(KeyStoreError) -> KeyStore {
    try KeyStore(path: folder.file("keys.sqlite"), keyEncryptionKey: key ?? wrapping)
  }

  @Test func `a key is made once and is the same after the store is opened again`() async throws {
    var store = try open()
    let first = try await store.keys(for: [anna, ben])
    #expect(first[anna] != first[ben])
    #expect(try await store.keys(for: [anna]) == [anna: first[anna]])
    store.close()
    store = try open()
    #expect(try await store.keys(for: [ben, anna]) == first)
    #expect(try await store.existingKey(for: anna) == first[anna])
    store.close()
  }

  @Test func `no key stands in the file in clear`() async throws {
    let store = try open()
    let key = try #require(try await store.keys(for: [anna])[anna])
    let plain = key.withUnsafeBytes { Data($0) }
    #expect(try folder.contents().range(of: plain) == nil)
    store.close()
  }

  @Test func `the wrong key-encryption key is told at once`() async throws {
    let store = try open()
    store.close()
    #expect(throws: KeyStoreError.wrongKeyEncryptionKey) {
      _ = try open(SymmetricKey(size: .bits256))
    }
  }

  @Test func `an erased key is gone for good`() async throws {
    var store = try open()
    let before = try await store.keys(for: [anna])
    try await store.erase(anna)
    #expect(try await store.existingKey(for: anna) == nil)
    store.close()
    store = try open()
    #expect(try await store.existingKey(for: anna) == nil)
    #expect(try await store.keys(for: [anna]) != before)
    store.close()
  }

  @Test func `a bounded cache changes nothing but speed`() async throws {
    let store = try KeyStore(
      path: folder.file("keys.sqlite"), keyEncryptionKey: wrapping, cacheCountMax: 1)
    let first = try await store.keys(for: [anna])
    _ = try await store.keys(for: [ben])
    #expect(try await store.keys(for: [anna]) == first)
    store.close()
  }
}

struct SecretsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, mode: Int = 0o600) throws -> String {
    let path = folder.file("secrets.json")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  @Test func `secrets read back are the same in every purpose`() throws {
    let secrets = Secrets.generate()
    try secrets.write(path: folder.file("s.json"))
    let again = try Secrets.load(path: folder.file("s.json"))
    for purpose in Secrets.Purpose.allCases {
      #expect(secrets.code(purpose, [[1]]) == again.code(purpose, [[1]]))
    }
    #expect(again.keyEncryptionKey == secrets.keyEncryptionKey)
    #expect(throws: SecretsError.notWritable(path: folder.file("s.json"))) {
      try secrets.write(path: folder.file("s.json"))
    }
  }

  @Test func `every purpose has a key of its own, and parts do not run together`() {
    let secrets = Secrets.generate()
    let codes = Secrets.Purpose.allCases.map { secrets.code($0, [[1, 2], [3]]) }
    #expect(Set(codes).count == Secrets.Purpose.allCases.count)
    #expect(secrets.code(.token, [[1, 2], [3]]) != secrets.code(.token, [[1], [2, 3]]))
  }

  @Test func `a new epoch re-keys people and nothing else`() {
    let master = SymmetricKey(size: .bits256)
    let old = Secrets(master: master, keyEncryptionKey: master, epoch: 1)
    let new = Secrets(master: master, keyEncryptionKey: master, epoch: 2)
    #expect(old.code(.patientKey, [[1]]) != new.code(.patientKey, [[1]]))
    #expect(old.code(.token, [[1]]) == new.code(.token, [[1]]))
  }

  @Test(arguments: [0o640, 0o604, 0o700, 0o666])
  func `a file that others may read is refused`(mode: Int) throws {
    let path = try write("{}", mode: mode)
    #expect(throws: SecretsError.tooOpen(path: path, mode: UInt16(mode))) {
      try Secrets.load(path: path)
    }
  }

  @Test func `a missing file, garbage and bad fields are each named, all faults at once`() throws {
    let missing = folder.file("none.json")
    #expect(throws: SecretsError.missing(path: missing)) { try Secrets.load(path: missing) }
    let garbage = try write("not json")
    #expect(
      throws: SecretsError.invalid(
        path: garbage, faults: ["not a JSON object of the expected fields"])
    ) { try Secrets.load(path: garbage) }
    let path = try write(#"{"version":2,"epoch":0,"masterSecret":"zz","keyEncryptionKey":"12"}"#)
    let error = #expect(throws: SecretsError.self) { try Secrets.load(path: path) }
    guard case .invalid(_, let faults) = error else {
      Issue.record("expected faults")
      return
    }
    #expect(faults.count == 4)
  }

  @Test func `secrets print redacted`() {
    let secrets = Secrets.generate()
    var dumped = ""
    dump(secrets, to: &dumped)
    #expect("\(secrets)" == "Secrets(redacted, epoch 1)")
    #expect(!dumped.contains("SymmetricKey"))
  }
}
