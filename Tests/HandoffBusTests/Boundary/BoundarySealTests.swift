import Foundation
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

@testable import HandoffBus

/// Keys of ingest and of two organisations, as tests of the boundary need them.
struct BoundaryScene {
  let ingest = BoundaryKeys.generate()
  let rth = BoundaryKeys.generate()
  let rxq = BoundaryKeys.generate()
  let rthCode: ODSCode
  let rxqCode: ODSCode

  init() throws {
    rthCode = try #require(ODSCode("RTH"))
    rxqCode = try #require(ODSCode("RXQ"))
  }

  /// How RTH's connectors seal.
  var sealing: BoundarySeal {
    BoundarySeal(.inbox, organisation: rthCode, own: rth, other: ingest.publicKeys)
  }

  /// How ingest opens RTH's inbox.
  var opening: BoundarySeal {
    BoundarySeal(.inbox, organisation: rthCode, own: ingest, other: rth.publicKeys)
  }
}

struct BoundarySealTests {
  private let scene: BoundaryScene
  private let header: [[UInt8]] = [[1, 2], [3]]
  private let content: [UInt8] = Array("CANARYNAME 9990000018".utf8)

  init() throws { scene = try BoundaryScene() }

  @Test func `what an organisation seals, ingest alone can open, and knows whose it is`() throws {
    let envelope = scene.sealing.seal(content, header: header)
    #expect(try scene.opening.open(envelope, header: header) == content)
    #expect(envelope.encapsulatedKey.count == 32)
    #expect(envelope.ciphertext.count == content.count + 16)
    // Whoever sealed it cannot open it again, nor can anybody else.
    #expect(throws: BoundarySealError.recipientUnknown) {
      try scene.sealing.open(envelope, header: header)
    }
    let eve = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: scene.rxq, other: scene.rth.publicKeys)
    #expect(throws: BoundarySealError.recipientUnknown) { try eve.open(envelope, header: header) }
    #expect(Data(envelope.ciphertext).range(of: Data("CANARY".utf8)) == nil)
  }

  @Test func `sealed to the wrong key, by another organisation or for another inbox is refused`()
    throws
  {
    let wrong = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: scene.rth,
      other: BoundaryKeys.generate().publicKeys)
    #expect(throws: BoundarySealError.recipientUnknown) {
      try scene.opening.open(wrong.seal(content, header: header), header: header)
    }
    let foreign = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: scene.rxq, other: scene.ingest.publicKeys)
    #expect(throws: BoundarySealError.senderUnknown) {
      try scene.opening.open(foreign.seal(content, header: header), header: header)
    }
    // A name on the envelope that is not the sender's makes no key.
    var lying = foreign.seal(content, header: header)
    lying.senderKey = scene.rth.current
    #expect(throws: BoundarySealError.notAuthentic) {
      try scene.opening.open(lying, header: header)
    }
    for (direction, code) in [
      (BoundarySeal.Direction.outbox, scene.rthCode), (.inbox, scene.rxqCode),
    ] {
      let other = BoundarySeal(
        direction, organisation: code, own: scene.rth, other: scene.ingest.publicKeys)
      #expect(throws: BoundarySealError.notAuthentic) {
        try scene.opening.open(other.seal(content, header: header), header: header)
      }
    }
  }

  @Test func `no bit of what is sealed or bound can be changed`() throws {
    let envelope = scene.sealing.seal(content, header: header)
    for bit in 0..<(envelope.ciphertext.count * 8) {
      var changed = envelope
      changed.ciphertext[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: BoundarySealError.self) { try scene.opening.open(changed, header: header) }
    }
    for bit in 0..<255 {  // X25519 ignores the last bit of a key; it is bound all the same.
      var changed = envelope
      changed.encapsulatedKey[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: BoundarySealError.self) { try scene.opening.open(changed, header: header) }
    }
    let others: [[[UInt8]]] = [[[1, 2], [4]], [[1], [2, 3]], [[1, 2, 3], []], [[1, 2]]]
    for other in others {
      #expect(throws: BoundarySealError.notAuthentic) {
        try scene.opening.open(envelope, header: other)
      }
    }
  }

  @Test func `after a rotation the older keys still open, and the newest seals`() throws {
    let before = scene.sealing.seal(content, header: header)
    let rotated = scene.ingest.rotated()
    #expect(rotated.current != scene.ingest.current)
    let opening = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: rotated, other: scene.rth.publicKeys)
    #expect(try opening.open(before, header: header) == content)
    let sealing = BoundarySeal(
      .inbox, organisation: scene.rthCode, own: scene.rth, other: rotated.publicKeys)
    let after = sealing.seal(content, header: header)
    #expect(after.recipientKey == rotated.current)
    #expect(try opening.open(after, header: header) == content)
    #expect(throws: BoundarySealError.recipientUnknown) {
      try scene.opening.open(after, header: header)
    }
  }

  @Test func `key files keep their keys, private ones are their owner's, bad ones name the line`()
    throws
  {
    let folder = try TemporaryFolder()
    let (secret, open) = (folder.path("a.keys"), folder.path("a.pub"))
    let keys = scene.rth.rotated()
    try keys.write(path: secret)
    #expect(throws: BoundaryKeyError.notWritable(path: secret)) { try keys.write(path: secret) }
    try Data(("# of RTH\n" + keys.publicKeys.text).utf8).write(to: URL(filePath: open))
    let loaded = try BoundaryKeys.load(path: secret)
    #expect(loaded.current == keys.current)
    #expect(Set(loaded.keys.keys) == Set(keys.keys.keys))
    #expect(try BoundaryPublicKeys.load(path: open).current == keys.current)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: secret)
    #expect(throws: BoundaryKeyError.tooOpen(path: secret)) {
      try BoundaryKeys.load(path: secret)
    }
    // A private file in the place of a public one is a slip that must not be read over.
    #expect(throws: BoundaryKeyError.malformed(path: secret, line: 1)) {
      try BoundaryPublicKeys.load(path: secret)
    }
    try Data("\n# nothing\n".utf8).write(to: URL(filePath: open))
    #expect(throws: BoundaryKeyError.empty(path: open)) {
      try BoundaryPublicKeys.load(path: open)
    }
    #expect(!"\(keys)".contains("private"))
  }
}
