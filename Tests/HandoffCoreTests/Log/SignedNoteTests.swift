import HandoffCore
import Testing

private let goSigner =
  "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
private let goVerifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
private let goText = """
  If you think cryptography is the answer to your problem,
  then you don't know what your problem is.

  """
private let goNote = """
  \(goText)
  — PeterNeumann \
  x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

  """

@Suite struct SignedNoteTests {
  @Test func `signing makes the very note of Go's documentation`() throws {
    let signer = try #require(NoteSigner(goSigner))
    #expect(signer.secretText == goSigner)
    #expect(signer.verifier.description == goVerifier)
    #expect(try SignedNote(signing: goText, by: signer).description == goNote)
  }

  @Test func `the notes of Go and of C2SP verify`() throws {
    let note = try SignedNote(goNote)
    try note.verify(by: #require(NoteVerifier(goVerifier)))
    #expect(note.text == goText)
    #expect(note.description == goNote)
    let specification = try SignedNote(
      """
      This is an example message.

      — example.com/foo \
      Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

      """)
    try specification.verify(
      by: #require(
        NoteVerifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")))
  }

  @Test func `the key of the Go checksum database is read`() throws {
    let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    let key = try #require(NoteVerifier(text))
    #expect(key.name == "sum.golang.org")
    #expect(key.keyID == 0x033d_e0ae)
    #expect(key.description == text)
  }

  @Test(arguments: [
    "", "name", "name+c74f20a3",
    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T=",
  ])
  func `a malformed key is refused`(text: String) {
    #expect(NoteVerifier(text) == nil)
    #expect(NoteSigner("PRIVATE+KEY+" + text) == nil)
  }

  @Test func `a note with any one byte changed does not verify`() throws {
    let verifier = try #require(NoteVerifier(goVerifier))
    let bytes = Array(goNote.utf8)
    for place in bytes.indices {
      for flip: UInt8 in [0x01, 0x20, 0x80] {
        var changed = bytes
        changed[place] ^= flip
        guard let text = String(validating: changed, as: UTF8.self) else { continue }
        #expect(throws: NoteError.self, "byte \(place)") {
          try SignedNote(text).verify(by: verifier)
        }
      }
    }
  }

  @Test(arguments: [
    "", "\n", "text\n", "text\n\n", "\n\n", "text\n\n— a\n", "text\n\n— a AAAA\n",
    "text\n\n- a AAAAAAA=\n", "text\n\n— a AAAAAAA=", "text\u{0}\n\n— a AAAAAAA=\n",
    "text\n\n— a+b AAAAAAA=\n", "text\n\n— a AAAAAAA=\nmore\n", "text\r\n\r\n— a AAAAAAA=\r\n",
  ])
  func `what is not a note is refused`(text: String) {
    #expect(throws: NoteError.malformed) { try SignedNote(text) }
  }

  @Test func `a note by another key is not taken, whatever its name`() throws {
    let (one, other) = (
      try #require(NoteSigner(name: "log.example", seed: Array(repeating: 4, count: 32))),
      try #require(NoteSigner(name: "log.example", seed: Array(repeating: 5, count: 32)))
    )
    let note = try SignedNote(signing: "a\n", by: one)
    #expect(throws: NoteError.notSigned(by: "log.example")) { try note.verify(by: other.verifier) }
    #expect(NoteSigner(name: "two words", seed: Array(repeating: 6, count: 32)) == nil)
    #expect(!"\(one)".contains(one.secretText) && Mirror(reflecting: one).children.isEmpty)
  }

  @Test func `a checkpoint is read as it was written`() throws {
    let signer = try #require(NoteSigner(name: "log.example", seed: Array(repeating: 7, count: 32)))
    let checkpoint = Checkpoint(
      origin: "log.example/handoff.events.v1/3", size: 20_852_163, root: .emptyTree,
      extensions: ["one more line"])
    #expect(
      checkpoint.text == """
        log.example/handoff.events.v1/3
        20852163
        47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
        one more line

        """)
    let note = try checkpoint.signed(by: signer).description
    #expect(try Checkpoint(signedNote: note, verifiedBy: signer.verifier) == checkpoint)
  }

  @Test(arguments: [
    "origin\n1\n", "origin\n01\nAAAA\n", "origin\n1\nAAAA\n",
    "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    "origin\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    "origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
    "origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
  ])
  func `what is not a checkpoint is refused`(text: String) {
    #expect(Checkpoint(text: text) == nil)
  }

  @Test(arguments: 0...70)
  func `base64 is read back, and only in its one spelling`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
    let text = Base64.encode(bytes)
    #expect(Base64.decode(text) == bytes)
    for place in text.indices {
      for other in "A/=b " where other != text[place] {
        var changed = text
        changed.replaceSubrange(place...place, with: String(other))
        #expect(Base64.decode(changed) != bytes)
      }
    }
  }
}
