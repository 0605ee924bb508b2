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
    #expect(throws: KeyStoreError.wrongKeyEncryptionKey(id: "secrets")) {
      _ = try open(SymmetricKey(size: .bits256))
    }
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

  /// Computed by another implementation of HKDF and HMAC (Python's hmac and hashlib).
  private static let vectors: [Secrets.Purpose: String] = [
    .patientKey: "14183b885810963b134c4ce75a7fb3754e8febdbf646c899d8d1d37af8d225aa",
    .eventID: "353a7f51c1511273815f8668b2b59de998021118f4ac616f22160009b18b631b",
    .messageKey: "37a936971a764c7c538de4e7b0045cba345758e1e78169ff9ddef3c43ae2e3b9",
    .token: "00df4fe384d9fd996021f8fa415c908a584c042ff014df441efa9d255eb63bcd",
    .needKey: "a1d2a46bafe5b6f19beb42f1d8b2816e9d034cfa0d111172a9c7e45a28ef6934",
    .contentMac: "e0ace15f7b7eada4b4eb873bca446046b9039ca4c5522684891d1db9b20271ba",
    .correlation: "ac47ffff406549f1d8ab9ebf3b98d2b611ab1fac433e56f752e36a7dd6d7034f",
    .fileClaim: "6473e51d4730f66c25c12df38b6478b55e61e15b250c841aef4977b3d6db26f7",
    .requestClaim: "23a11c46530832955c6e83804d2be9026d2e81d7ee5083243ee49b3711df4f3a",
    .outbox: "c90383db0eb14a812491b8a615a74329bbb6368ef8eb85221b26d6bbaca2b32e",
    .rekey: "89af2cf8e15ca7852fff47858aac917bd8456a0c1ac539d300df1d9c38c8e41b",
  ]

  @Test(arguments: Secrets.Purpose.allCases)
  func `the key of each purpose is what it always was`(purpose: Secrets.Purpose) throws {
    let secrets = Secrets(
      master: SymmetricKey(data: (0..<32).map { UInt8($0) }), keyEncryptionKey: nil, epoch: 1)
    let code = secrets.code(purpose, [[0x61], [0x62, 0x63]])
    let vector = try #require(Self.vectors[purpose], "a new purpose needs a vector of its own")
    #expect(hexadecimal(code) == vector)
  }

  @Test func `a later epoch has a secret of its own, and the earlier keys stay`() {
    let first = Secrets(
      master: SymmetricKey(data: (0..<32).map { UInt8($0) }), keyEncryptionKey: nil, epoch: 1)
    let second = first.adopting(
      EpochBook(
        base: 1, current: 2, secrets: [2: SymmetricKey(data: Array(repeating: 7, count: 32))]))
    let parts: [[UInt8]] = [[0x61], [0x62, 0x63]]
    #expect(
      hexadecimal(second.code(.patientKey, parts))
        == "13d3d94ce649dfc81c3adce145860ba3754785cbd8efdddeb7dfe05cdccc2b34")
    for purpose in Secrets.Purpose.allCases {
      #expect(second.code(purpose, parts, epoch: 1) == first.code(purpose, parts))
      let isSame = second.code(purpose, parts) == first.code(purpose, parts)
      #expect(isSame == !purpose.followsEpoch)
    }
    #expect(second.epochs == [1, 2])
  }

  @Test func `no two purposes share an info, in any epoch`() {
    let infos = Secrets.Purpose.allCases.flatMap { purpose in
      (1...300).map { purpose.info(epoch: $0) }
    }
    let perEpoch = Secrets.Purpose.allCases.count { $0.followsEpoch }
    let others = Secrets.Purpose.allCases.count - perEpoch
    #expect(Set(infos).count == perEpoch * 300 + others)
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
