import Crypto
import Foundation
import Testing

@testable import HandoffStores

/// Key-encryption keys from files and commands.
struct KeyEncryptionKeyTests {
  private let folder: TemporaryFolder
  private static let digits = String(repeating: "ab", count: 32)
  private static let key = SymmetricKey(data: Array(repeating: UInt8(0xab), count: 32))

  init() throws { folder = try TemporaryFolder() }

  private func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    let path = folder.file(name)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  private func load(
    _ source: KeyEncryptionKeySource, timeout: Duration = .seconds(20)
  ) throws(KeyEncryptionKeyError) -> SymmetricKey? {
    try KeyEncryptionKeys.load(
      current: "k", sources: ["k": source], secrets: nil, timeout: timeout
    ).keys["k"]
  }

  /// A shell as the program, with one argument for the script.
  private func shell(_ script: String) -> KeyEncryptionKeySource {
    .command(["/bin/sh", "-c", script, "kms", "baton"])
  }

  @Test func `a key is read from a file, in digits or base64`() throws {
    #expect(try load(.file(file("a", Self.digits + "\n"))) == Self.key)
    let base64 = Data(repeating: 0xab, count: 32).base64EncodedString()
    #expect(try load(.file(file("b", base64))) == Self.key)
  }

  @Test(arguments: [
    "", "ab", String(repeating: "zz", count: 32), String(repeating: "ab", count: 33),
  ])
  func `what is no key is refused by its id`(text: String) throws {
    let path = try file("a", text)
    #expect(throws: KeyEncryptionKeyError.malformed(id: "k")) { try load(.file(path)) }
  }

  @Test func `a key file that others may read is refused`() throws {
    let path = try file("a", Self.digits, mode: 0o644)
    #expect(throws: KeyEncryptionKeyError.file(id: "k", .tooOpen(path: path, mode: 0o644))) {
      try load(.file(path))
    }
    let missing = folder.file("none")
    #expect(throws: KeyEncryptionKeyError.file(id: "k", .missing(path: missing))) {
      try load(.file(missing))
    }
  }

  @Test func `a command prints the key, and gets its arguments as they are`() throws {
    let source = shell("[ \"$1\" = baton ] && echo \(Self.digits)")
    #expect(try load(source) == Self.key)
    // Without a shell nothing of an argument is expanded or run.
    let touched = folder.file("touched")
    #expect(throws: KeyEncryptionKeyError.malformed(id: "k")) {
      try load(.command(["/bin/echo", "$(touch \(touched))", ";", "touch", touched]))
    }
    #expect(!FileManager.default.fileExists(atPath: touched))
  }

  @Test func `a command that fails, hangs, floods or is not there is named, never what it says`()
    throws
  {
    #expect(throws: KeyEncryptionKeyError.commandFailed(id: "k", code: 3)) {
      try load(shell("echo \(Self.digits); echo secret >&2; exit 3"))
    }
    #expect(throws: KeyEncryptionKeyError.commandTimedOut(id: "k", seconds: 0)) {
      try load(shell("exec sleep 600"), timeout: .milliseconds(200))
    }
    // It closes its output and stays: the end is waited for, and no longer than that.
    #expect(throws: KeyEncryptionKeyError.commandTimedOut(id: "k", seconds: 0)) {
      try load(shell("exec >&-; exec sleep 600"), timeout: .milliseconds(200))
    }
    #expect(throws: KeyEncryptionKeyError.commandPrintedTooMuch(id: "k")) {
      try load(shell("exec cat /dev/zero"))
    }
    #expect(throws: KeyEncryptionKeyError.commandNotFound(id: "k")) {
      try load(.command([folder.file("none")]))
    }
    #expect(throws: KeyEncryptionKeyError.commandNotFound(id: "k")) {
      try load(.command(["sh", "-c", "echo"]))
    }
  }

  @Test func `no passwords of ours reach a command`() throws {
    setenv("BATON_KAFKA_SASL_PASSWORD", "canary", 1)
    defer { unsetenv("BATON_KAFKA_SASL_PASSWORD") }
    let source = shell(
      "[ -z \"$BATON_KAFKA_SASL_PASSWORD\" ] && [ -n \"$PATH\" ] && echo \(Self.digits)")
    #expect(try load(source) == Self.key)
  }

  @Test func `the same key under two ids, and a current one that is not there, are refused`() throws
  {
    #expect(throws: KeyEncryptionKeyError.same("a", "b")) {
      try KeyEncryptionKeys(current: "a", keys: ["a": Self.key, "b": Self.key])
    }
    #expect(throws: KeyEncryptionKeyError.unknownCurrent(id: "c")) {
      try KeyEncryptionKeys(current: "c", keys: ["a": Self.key])
    }
    #expect(throws: KeyEncryptionKeyError.none) {
      try KeyEncryptionKeys.load(current: nil, sources: [:], secrets: nil)
    }
  }

  @Test func `key-encryption keys print redacted`() throws {
    let keys = try KeyEncryptionKeys(current: "a", keys: ["a": Self.key])
    var dumped = ""
    dump(keys, to: &dumped)
    #expect("\(keys)" == "KeyEncryptionKeys(redacted, current a)")
    #expect(!dumped.contains("SymmetricKey"))
  }
}
