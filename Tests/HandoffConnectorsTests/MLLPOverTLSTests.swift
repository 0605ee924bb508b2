import Foundation
import HandoffCodecs
import HandoffCore
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport
import Testing

@testable import HandoffConnectors

/// An MLLP listener with a certificate of a test authority, and senders that are and are not let in.
@Suite(.enabled(if: TestAuthority.isAvailable, "\(TestAuthority.skipReason)"))
struct MLLPOverTLSTests {
  /// Where no deadline is what a test is about: one machine may run all tests at once.
  private static let patience: Duration = .seconds(600)

  private let intake = FakeIntake()
  private let authority: TestAuthority

  init() throws {
    authority = try TestAuthority()
  }

  private static func message(_ id: String) -> [UInt8] {
    Array("MSH|^~\\&|PAS|RTH|BATON|RTH|20260101120000||ADT^A01|\(id)|P|2.4\r".utf8)
  }

  private func listening(
    _ change: (inout TLSSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (Int, MLLPListener) async throws -> Void
  ) async throws {
    let server = try authority.issue("server", names: ["DNS:localhost"])
    var tls = TLSSettings(certificate: server.certificate, key: server.key)
    tls.handshakeTimeout = Self.patience
    change(&tls)
    var settings = MLLPSettings()
    settings.port = 0
    settings.tls = tls
    let listener = MLLPListener(settings, intake: intake, logger: Logger(label: "test")) {
      Timestamp(milliseconds: 0)
    }
    let (ports, isListening) = AsyncStream<Int>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await listener.run { isListening.yield($0) } }
      group.addTask {
        defer { listener.stop() }
        var iterator = ports.makeAsyncIterator()
        try await body(try #require(await iterator.next()), listener)
      }
      try await group.waitForAll()
    }
  }

  private func sender(_ port: Int, as own: TestAuthority.Issued? = nil) -> MLLPSender {
    var sender = MLLPSender(host: "localhost", port: port)
    var tls = TLSClientSettings()
    tls.authorities = authority.certificate
    tls.own = own.map { CertificateFiles(certificate: $0.certificate, key: $0.key) }
    tls.handshakeTimeout = Self.patience
    sender.tls = tls
    sender.answerTimeout = Self.patience
    return sender
  }

  @Test func `messages over TLS are answered as they are in clear`() async throws {
    try await listening { port, _ in
      let answers = try await sender(port).send((0..<200).map { Self.message("ID\($0)") })
      #expect(answers.filter { $0?.isAccepted == true }.count == 200)
    }
    #expect(intake.taken.count == 200)
  }

  @Test func `a sender trusts neither another authority nor another name`() async throws {
    let other = try TestAuthority("other")
    try await listening { port, _ in
      var stranger = sender(port)
      stranger.tls?.authorities = other.certificate
      await #expect(throws: MLLPSenderError.handshakeFailed(host: "localhost", port: port)) {
        try await stranger.send([Self.message("A")])
      }
      var misled = sender(port)
      misled.tls?.serverName = "elsewhere.example"
      await #expect(throws: MLLPSenderError.handshakeFailed(host: "localhost", port: port)) {
        try await misled.send([Self.message("A")])
      }
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a message in clear is no message here`() async throws {
    try await listening({ $0.handshakeTimeout = .seconds(1) }) { port, _ in
      let plain = MLLPSender(port: port)
      await #expect(throws: (any Error).self) { try await plain.send([Self.message("A")]) }
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `without a certificate of the right authority nothing is taken in`() async throws {
    let other = try TestAuthority("other")
    let foreign = try other.issue("client", names: ["DNS:pas.example"])
    try await listening({ $0.clientCA = authority.certificate }) { port, _ in
      for stranger in [sender(port), sender(port, as: foreign)] {
        await #expect(throws: (any Error).self) { try await stranger.send([Self.message("A")]) }
      }
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a client speaks for the organisation of its certificate, and a stranger for none`()
    async throws
  {
    let pas = try authority.issue("pas", names: ["DNS:pas.example"])
    let lab = try authority.issue("lab", names: ["URI:spiffe://rth/lab"])
    let unknown = try authority.issue("unknown", names: ["DNS:other.example"])
    let (rth, rxq) = (try #require(ODSCode("RTH")), try #require(ODSCode("RXQ")))
    try await listening({
      $0.clientCA = authority.certificate
      $0.clients = ["pas.example": rth, "spiffe://rth/lab": rxq]
    }) { port, _ in
      _ = try await sender(port, as: pas).send([Self.message("A")])
      _ = try await sender(port, as: lab).send([Self.message("B")])
      await #expect(throws: (any Error).self) {
        try await sender(port, as: unknown).send([Self.message("C")])
      }
    }
    #expect(intake.taken.map(\.principal) == [rth, rxq])
  }

  @Test func `a renewed certificate is shown to the next connection, and the old one goes on`()
    async throws
  {
    try await listening { port, _ in
      let (old, close) = try await connect(port)
      let first = try await old.certificate()
      let renewed = try authority.issue("server", names: ["DNS:localhost"], days: 50)
      _ = renewed
      let (new, closeNew) = try await connect(port)
      #expect(try await new.certificate() != first)
      try await closeNew()
      // The connection from before stands, and is answered.
      #expect(try await old.isOpen())
      try await close()
    }
  }

  @Test func `a renewed file that cannot be used leaves the old certificate in force`() async throws
  {
    try await listening { port, _ in
      let file = authority.folder.appending(path: "server.pem")
      try Data("broken".utf8).write(to: file)
      let answers = try await sender(port).send([Self.message("A")])
      #expect(answers.first??.isAccepted == true)
    }
  }

  @Test func `a peer that never shakes hands is closed`() async throws {
    try await listening({ $0.handshakeTimeout = .milliseconds(200) }) { port, listener in
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port).get()
      // Ends when the other side closes; the test's time limit is the only other end.
      try await channel.closeFuture.get()
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a listener without its certificate says which file is at fault`() async throws {
    var settings = MLLPSettings()
    settings.port = 0
    settings.tls = TLSSettings(certificate: "/nowhere/pas.pem", key: "/nowhere/pas.key")
    let listener = MLLPListener(settings, intake: intake, logger: Logger(label: "test")) {
      Timestamp(milliseconds: 0)
    }
    let failure = await #expect(throws: SourceFailure.self) { try await listener.run() }
    #expect(failure?.reason == code("tls.file-unreadable"))
    #expect(failure?.explanation.contains("/nowhere/pas.pem") == true)
  }

  /// A TLS connection that a test holds open.
  private struct Held: Sendable {
    let channel: any Channel

    /// The certificate that the server showed, as bytes.
    func certificate() async throws -> [UInt8] {
      let certificate = try await channel.pipeline.handler(type: NIOSSLHandler.self).map {
        $0.peerCertificate
      }.get()
      return try #require(certificate).toDERBytes()
    }

    func isOpen() async throws -> Bool {
      try await channel.writeAndFlush(
        ByteBuffer(bytes: MLLPFrame.encode(MLLPOverTLSTests.message("HELD"))))
      return channel.isActive
    }
  }

  private func connect(
    _ port: Int
  ) async throws -> (Held, @Sendable () async throws -> Void) {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .file(authority.certificate)
    let context = try NIOSSLContext(configuration: configuration)
    let (ready, isReady) = AsyncStream<Void>.makeStream()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers([
            try NIOSSLClientHandler(context: context, serverHostname: "localhost"),
            FirstBytes { isReady.yield() },
          ])
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    try await channel.writeAndFlush(ByteBuffer(bytes: MLLPFrame.encode(Self.message("HELLO"))))
    var iterator = ready.makeAsyncIterator()
    await iterator.next()
    return (Held(channel: channel), { try await channel.close() })
  }
}

/// Tells when anything comes: then the handshake is over.
private final class FirstBytes: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let tell: @Sendable () -> Void

  init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { tell() }
}
