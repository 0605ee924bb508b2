import Crypto
import Foundation
import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import Logging
import TestSupport
import Testing

@testable import HandoffBus

/// Somebody has all that a connector outside the boundary holds, and all that it may read.
struct StolenConnectorTests {
  /// Invented numbers, of which one is the patient's: ten digits each, from the range for tests.
  private static let numbers = (9_990_000_000..<9_990_002_000).compactMap {
    try? NHSNumber("\($0)")
  }

  private func hexadecimalStrings(_ text: String) -> [[UInt8]] {
    text.matches(of: /[0-9a-fA-F]{32,}/).map { match in
      let digits = Array(match.output.utf8)
      return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
      }
    }
  }

  private func base64Strings(_ text: String) -> [[UInt8]] {
    text.matches(of: /[A-Za-z0-9+\/]{40,}={0,2}/)
      .compactMap { Data(base64Encoded: String($0.output)).map(Array.init) }
  }

  @Test func `with all that it holds and reads, a patient key gives no NHS number`() async throws {
    // What is outside: a data folder, key files, and the records of its own inbox and outbox.
    let folder = try TemporaryFolder()
    let bench = try InboxBench()
    try bench.scene.rth.write(path: folder.path("rth.keys"))
    let ingestPublic = bench.scene.ingest.publicKeys.text
    try Data(ingestPublic.utf8).write(to: URL(filePath: folder.path("ingest.pub")))
    var configuration = BatonConfiguration()
    configuration.dataFolder = folder.path("data")
    configuration.boundary.organisation = bench.scene.rthCode
    configuration.boundary.privateKeysFile = folder.path("rth.keys")
    configuration.boundary.ingestKeysFile = folder.path("ingest.pub")
    configuration.boundary.noticesFolder = folder.path("notices")
    let stack = try OutsideStack(
      configuration, organisation: bench.scene.rthCode, connectors: [],
      kafka: KafkaConfiguration(bootstrapServers: ["127.0.0.1:9"]), logger: .init(label: "test"))
    await stack.close()
    let inbox = bench.record(Sample.request())
    try await bench.take(inbox)
    let event = try #require(try bench.publisher.events().first)
    let outbox = bench.publisher.committed.filter { $0.topic == bench.organisation.outboxTopic }
    #expect(!outbox.isEmpty)

    // No secret of ingest is in any file: neither by name nor by content.
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
    #expect(!names.contains { $0.hasSuffix("secrets.json") || $0.contains("keys.sqlite") })
    #expect(!names.contains { $0.contains("record-secrets") })
    var bytes: [[UInt8]] = []
    for name in names {
      guard let data = try? Data(contentsOf: URL(filePath: folder.path(name))) else { continue }
      bytes.append(Array(data.prefix(4096)))
      let text = String(decoding: data, as: UTF8.self)
      bytes += hexadecimalStrings(text) + base64Strings(text)
    }
    for message in outbox {
      bytes += [message.key, message.value].compactMap(\.self)
      bytes += message.headers.compactMap(\.value)
    }
    bytes += [inbox.key, inbox.value].compactMap(\.self)
    // And what it can open of it.
    let seal = BoundarySeal(
      .outbox, organisation: bench.scene.rthCode, own: bench.scene.rth,
      other: bench.scene.ingest.publicKeys)
    for message in outbox {
      let notice = try WireCodec.sealedNotice(message.wire).notice(by: seal)
      bytes += [notice.protobuf, notice.json] + hexadecimalStrings("\(message)")
    }
    #expect(!bytes.contains { Data($0).range(of: Data(event.patientKey.hash)) != nil })

    let wanted = event.patientKey.hash
    #expect(Self.numbers.contains { $0.digits == Sample.nhsNumber })
    tryByForce(bytes, wanted)
    // The same search with ingest's own secrets finds it at once: the test can fail.
    let own = KeyedHashes(bench.secrets)
    let found = Self.numbers.filter { own.patientKey($0).hash == wanted }
    #expect(found.map(\.digits) == [Sample.nhsNumber])
    await bench.close()
  }

  /// Every number under every byte string as a key, in the bus's own construction and in plain
  /// HMAC, and under no key at all.
  private func tryByForce(_ bytes: [[UInt8]], _ wanted: [UInt8]) {
    var tried = 0
    for material in Set(bytes.filter { (16...4096).contains($0.count) }) {
      let key = SymmetricKey(data: material)
      let hashes = KeyedHashes(Secrets(master: key, keyEncryptionKey: key, epoch: 1))
      for number in Self.numbers {
        let plain = HMAC<SHA256>.authenticationCode(for: Array(number.digits.utf8), using: key)
        if hashes.patientKey(number).hash == wanted || Array(plain) == wanted {
          Issue.record("a byte string of \(material.count) bytes outside is the secret")
        }
        tried += 1
      }
    }
    for number in Self.numbers {
      #expect(Array(SHA256.hash(data: Data(number.digits.utf8))) != wanted)
    }
    #expect(tried > 2000)
  }

  @Test func `what another organisation is told, or sent, does not open with its keys`() throws {
    let scene = try BoundaryScene()
    let theirs = BoundarySeal(
      .inbox, organisation: scene.rxqCode, own: scene.rxq, other: scene.ingest.publicKeys)
    let header: [[UInt8]] = [[1]]
    let sent = theirs.seal([1, 2, 3], header: header)
    let told = BoundarySeal(
      .outbox, organisation: scene.rxqCode, own: scene.ingest, other: scene.rxq.publicKeys
    ).seal([1, 2, 3], header: header)
    for envelope in [sent, told] {
      for direction in BoundarySeal.Direction.allCases {
        for code in [scene.rthCode, scene.rxqCode] {
          for other in [scene.ingest.publicKeys, scene.rxq.publicKeys] {
            let seal = BoundarySeal(direction, organisation: code, own: scene.rth, other: other)
            #expect(throws: BoundarySealError.self) { try seal.open(envelope, header: header) }
          }
        }
      }
    }
  }

  @Test func `its keys stamp no record of the bus`() throws {
    let scene = try BoundaryScene()
    let stamp = RecordStamp(RecordSecrets.generate())
    for key in scene.rth.keys.values {
      let secrets = RecordSecrets(
        secrets: ["k1": SymmetricKey(data: key.rawRepresentation)], current: "k1")
      for writer in BusRole.allCases {
        let message = RecordStamp(secrets).stamped(
          KafkaMessage(topic: .events, partition: 0, WireCodec().encodeTick(at: .distantPast)),
          by: writer)
        let record = KafkaRecord(
          topic: message.topic, partition: 0, offset: 0, key: message.key, value: message.value,
          headers: message.headers)
        #expect(stamp.forgery(in: record) != nil)
      }
    }
  }
}
