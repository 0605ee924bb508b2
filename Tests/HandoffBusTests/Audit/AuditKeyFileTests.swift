import Foundation
import HandoffBus
import HandoffCore
import TestSupport
import Testing

@Suite struct AuditKeyFileTests {
  @Test func `a generated key is private to its owner, signs, and is never replaced`() throws {
    let folder = try TestSupport.TemporaryFolder()
    let (secret, open) = (folder.path("checkpoint.key"), folder.path("checkpoint.pub"))
    let made = try AuditKeyFile.generate(name: "log.example", secret: secret, public: open)
    let mode = try FileManager.default.attributesOfItem(atPath: secret)[.posixPermissions]
    #expect((mode as? NSNumber)?.intValue == 0o600)
    let note = try SignedNote(signing: "a\n", by: AuditKeyFile.signer(at: secret))
    try note.verify(by: AuditKeyFile.verifier(at: open))
    #expect(throws: AuditKeyError.exists(path: secret)) {
      try AuditKeyFile.generate(name: "log.example", secret: secret, public: open)
    }
    let again = try AuditKeyFile.signer(at: secret, public: open, orGenerateFor: "other")
    #expect(again.verifier.description == made.verifier.description)
    let second = try AuditKeyFile.generate(
      name: "log.example", secret: folder.path("2.key"), public: folder.path("2.pub"))
    #expect(second.verifier.keyID != made.verifier.keyID)
  }

  @Test func `a key that others may read, a missing and a malformed one are refused`() throws {
    let folder = try TestSupport.TemporaryFolder()
    let (secret, open) = (folder.path("checkpoint.key"), folder.path("checkpoint.pub"))
    #expect(throws: AuditKeyError.missing(path: secret)) { try AuditKeyFile.signer(at: secret) }
    try AuditKeyFile.generate(name: "log.example", secret: secret, public: open)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: secret)
    #expect(throws: AuditKeyError.tooOpen(path: secret, mode: 0o640)) {
      try AuditKeyFile.signer(at: secret)
    }
    #expect(throws: AuditKeyError.malformed(path: secret)) {
      try AuditKeyFile.verifier(at: secret)
    }
    #expect(throws: AuditKeyError.invalidName) {
      try AuditKeyFile.generate(
        name: "two words", secret: folder.path("a"), public: folder.path("b"))
    }
  }
}
