import Foundation
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// librdkafka against a TLS server of ours: in front of a real broker, and one that answers just
/// enough to be told credentials.
@Suite(.enabled(if: TestAuthority.isAvailable, "\(TestAuthority.skipReason)"))
struct TLSTests {
  private static func configuration(
    _ port: Int, _ security: KafkaSecurity
  ) -> KafkaConfiguration {
    var configuration = KafkaConfiguration.test(["127.0.0.1:\(port)"])
    configuration.security = security
    return configuration
  }

  /// Runs `body` with a broker behind a tap.
  private func behindTLS(
    _ identity: TLSTap.Identity, _ body: (TLSTap) async throws -> Void
  ) async throws {
    let broker = try TestBroker.start()
    defer { broker.stop() }
    let address = try #require(broker.bootstrapServers.first?.split(separator: ":").last)
    let tap = try await TLSTap.start(identity, .broker(port: try #require(Int(address))))
    do {
      try await body(tap)
    } catch {
      await tap.stop()
      throw error
    }
    await tap.stop()
  }

  @Test(
    .enabled(if: TestBroker.isAvailable && !TestBroker.isExternal, "\(TestBroker.skipReason)"))
  func `records go to a real broker and back through mutual TLS, and none in clear`() async throws {
    let authority = try TestAuthority()
    let server = try authority.issue("broker", names: ["IP:127.0.0.1"])
    let own = try authority.issue("ingest", names: ["DNS:ingest"], password: "key-pass")
    let identity = TLSTap.Identity(server, clientAuthority: authority.certificate)
    try await behindTLS(identity) { tap in
      let kafka = Self.configuration(
        tap.port,
        KafkaSecurity(
          tls: .init(
            authorityFile: authority.certificate, certificateFile: own.certificate,
            keyFile: own.key, keyPassword: KafkaSecret("key-pass"))))
      let admin = try KafkaAdmin(kafka)
      try await admin.createTopics([.init(name: "events", partitions: 1, replication: 1)])
      await admin.close()
      let producer = try KafkaTransactionalProducer(kafka, transactionalID: "tls")
      try await producer.initTransactions(within: .seconds(20))
      let transaction = try await producer.beginTransaction()
      let sent = try await transaction.send([
        KafkaMessage(
          topic: "events", partition: 0, key: Array("k".utf8), value: Array("in-the-dark".utf8))
      ])
      try await transaction.commit(within: .seconds(20))
      #expect(sent.count == 1)
      await producer.close()
      let reader = try KafkaReader(kafka)
      try await reader.assign(beginnings("events"))
      let records = try await take(1, from: reader.batches())
      await reader.close()
      #expect(records.first?.text == "in-the-dark")
      let seen = tap.seen
      #expect(seen.handshakeCount >= 3)
      #expect(seen.clientCertificateCount == seen.handshakeCount)
      #expect(seen.requests.contains(Array("in-the-dark".utf8)))
      #expect(!seen.wire.contains(Array("in-the-dark".utf8)))
    }
  }

  /// Whom a client must not talk to, and who must not be talked to.
  enum Stranger: String, CaseIterable, Sendable {
    case otherAuthority, otherName, noClientCertificate, otherClientAuthority
  }

  @Test(arguments: Stranger.allCases)
  func `a broker or a client that is not who it must be hears no request`(
    stranger: Stranger
  ) async throws {
    let (authority, other) = (try TestAuthority(), try TestAuthority("other"))
    let names = stranger == .otherName ? ["DNS:elsewhere.example"] : ["IP:127.0.0.1"]
    let server = try authority.issue("broker", names: names)
    let asksClients = stranger == .noClientCertificate || stranger == .otherClientAuthority
    let identity = TLSTap.Identity(
      server, clientAuthority: asksClients ? authority.certificate : nil)
    let tap = try await TLSTap.start(identity, .answering { _ in nil })
    var tls = KafkaSecurity.TLS(
      authorityFile: (stranger == .otherAuthority ? other : authority).certificate)
    if stranger == .otherClientAuthority {
      let own = try other.issue("client", names: ["DNS:client"])
      tls.certificateFile = own.certificate
      tls.keyFile = own.key
    }
    let admin = try KafkaAdmin(
      Self.configuration(
        tap.port,
        KafkaSecurity(
          tls: tls, login: .plain(username: "u", password: KafkaSecret("hunter2-canary")))))
    await #expect(throws: KafkaError.self) { try await admin.cluster(within: .seconds(2)) }
    await admin.close()
    await tap.stop()
    let seen = tap.seen
    #expect(seen.connectionCount > 0)
    #expect(seen.requests.isEmpty)
    #expect(!seen.wire.contains(Array("canary".utf8)))
  }

  @Test(arguments: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
  func `credentials are sent inside the TLS and nowhere else`(mechanism: String) async throws {
    let authority = try TestAuthority()
    let server = try authority.issue("broker", names: ["IP:127.0.0.1"])
    let (logins, note) = AsyncStream<[UInt8]>.makeStream()
    let tap = try await TLSTap.start(
      TLSTap.Identity(server),
      .answering { SASLAnswers.answer($0, mechanism: mechanism) { note.yield($0) } })
    let password = KafkaSecret("hunter2-canary")
    let login: KafkaSecurity.Login =
      switch mechanism {
      case "PLAIN": .plain(username: "baton-user", password: password)
      case "SCRAM-SHA-256": .scram(.sha256, username: "baton-user", password: password)
      case "SCRAM-SHA-512": .scram(.sha512, username: "baton-user", password: password)
      default: .token { Self.token("baton-user.hunter2-canary.x", lifetime: 3_600) }
      }
    let admin = try KafkaAdmin(
      Self.configuration(
        tap.port,
        KafkaSecurity(tls: .init(authorityFile: authority.certificate), login: login)))
    var iterator = logins.makeAsyncIterator()
    let request = try #require(await iterator.next())
    await admin.close()
    await tap.stop()
    #expect(request.contains(Array("baton-user".utf8)))
    // SCRAM proves that it knows the password and never sends it (RFC 5802).
    #expect(request.contains(Array("hunter2-canary".utf8)) == !mechanism.hasPrefix("SCRAM"))
    #expect(!tap.seen.wire.contains(Array("hunter2-canary".utf8)))
    #expect(!tap.seen.wire.contains(Array("baton-user".utf8)))
  }

  @Test func `a server that speaks no TLS is told no credentials`() async throws {
    let tap = try await TLSTap.start(nil, .answering { _ in nil })
    let admin = try KafkaAdmin(
      Self.configuration(
        tap.port,
        KafkaSecurity(
          tls: .init(), login: .plain(username: "baton-user", password: KafkaSecret("canary")))))
    await #expect(throws: KafkaError.self) { try await admin.cluster(within: .seconds(1)) }
    await admin.close()
    await tap.stop()
    #expect(tap.seen.connectionCount > 0)
    #expect(!tap.seen.wire.contains(Array("baton-user".utf8)))
    #expect(!tap.seen.wire.contains(Array("canary".utf8)))
  }

  @Test func `a token is asked for again before it ends, and a failure is asked for again`()
    async throws
  {
    let (calls, note) = AsyncStream<Int>.makeStream()
    let count = Mutex(0)
    var configuration = Self.configuration(
      1,
      KafkaSecurity(
        tls: .init(),
        login: .token {
          let call = count.withLock { count in
            count += 1
            return count
          }
          note.yield(call)
          return Self.token("a.b.c", lifetime: 3)
        }))
    configuration.logger = .silent
    let producer = try KafkaProducer(configuration)
    var iterator = calls.makeAsyncIterator()
    // Nobody polls: the thread of librdkafka serves the renewal.
    #expect(await iterator.next() == 1)
    #expect(await iterator.next() == 2)
    await producer.close()
  }

  private static func token(_ value: String, lifetime seconds: Double) -> KafkaToken {
    KafkaToken(
      value: value, principal: "baton",
      expiresAtMilliseconds: Int64((Date().timeIntervalSince1970 + seconds) * 1_000))
  }
}

/// Just enough of Kafka's protocol to be told credentials.
private enum SASLAnswers {
  static func answer(
    _ request: [UInt8], mechanism: String, onLogin: ([UInt8]) -> Void
  ) -> [UInt8]? {
    guard request.count >= 8 else { return nil }
    let correlation = Array(request[4..<8])
    switch request[1] {
    case 18: return correlation + versions
    case 17:
      let name = Array(mechanism.utf8)
      return correlation + [0, 0, 0, 0, 0, 1, 0, UInt8(name.count)] + name
    case 36:
      onLogin(request)
      return nil
    default: return nil
    }
  }

  /// ApiVersions, version 3: SaslHandshake, SaslAuthenticate, ApiVersions, Metadata.
  private static let versions: [UInt8] = {
    let kinds: [(UInt8, UInt8)] = [(3, 4), (17, 1), (18, 3), (36, 0)]
    let entries = kinds.flatMap { kind, newest -> [UInt8] in [0, kind, 0, 0, 0, newest, 0] }
    return [0, 0, UInt8(kinds.count + 1)] + entries + [0, 0, 0, 0, 0]
  }()
}
