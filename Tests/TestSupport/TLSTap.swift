internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A server on loopback that ends TLS and looks at what comes out of it, frame by frame of Kafka's
/// protocol: in front of a real broker, or answering by itself.
///
/// What it saw on the wire and what it saw inside are kept apart, so that a test can tell what was
/// sent in clear.
public final class TLSTap: Sendable {
  /// Where requests go.
  public enum Upstream: Sendable {
    /// A broker on loopback; its own port in answers is replaced by the tap's, or clients would go
    /// past it.
    case broker(port: Int)
    /// The answer to a request frame, both without their length; nil gives none.
    case answering(@Sendable (_ request: [UInt8]) -> [UInt8]?)
  }

  /// What was seen so far.
  public struct Seen: Sendable {
    public var connectionCount = 0
    /// Connections on which something came out of the TLS.
    public var handshakeCount = 0
    /// Those of them whose client showed a certificate.
    public var clientCertificateCount = 0
    /// All bytes as they came on the wire.
    public var wire: [UInt8] = []
    /// All requests as they came out of the TLS.
    public var requests: [UInt8] = []
  }

  /// How the tap proves who it is; without, it speaks in clear.
  public struct Identity: Sendable {
    public var certificate: String
    public var key: String
    /// Asks clients for a certificate of this authority.
    public var clientAuthority: String?

    public init(_ issued: TestAuthority.Issued, clientAuthority: String? = nil) {
      certificate = issued.certificate
      key = issued.key
      self.clientAuthority = clientAuthority
    }
  }

  public let port: Int
  private let server: any Channel
  private let state: Shared

  public var seen: Seen { state.seen.withLock { $0 } }

  public static func start(_ identity: Identity?, _ upstream: Upstream) async throws -> TLSTap {
    let state = Shared()
    let context = try identity.map(context)
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          state.note { $0.connectionCount += 1 }
          let sync = channel.pipeline.syncOperations
          try sync.addHandler(WireRecorder(state: state))
          if let context { try sync.addHandler(NIOSSLServerHandler(context: context)) }
          try sync.addHandler(TapHandler(upstream: upstream, state: state))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let port = server.localAddress?.port ?? 0
    state.port.withLock { $0 = port }
    return TLSTap(port: port, server: server, state: state)
  }

  private init(port: Int, server: any Channel, state: Shared) {
    self.port = port
    self.server = server
    self.state = state
  }

  public func stop() async { try? await server.close().get() }

  private static func context(_ identity: Identity) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMFile(identity.certificate)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem)))
    if let authority = identity.clientAuthority {
      configuration.certificateVerification = .noHostnameVerification
      configuration.trustRoots = .file(authority)
    }
    return try NIOSSLContext(configuration: configuration)
  }
}

/// What all connections of a tap note.
private final class Shared: Sendable {
  let seen = Mutex(TLSTap.Seen())
  let port = Mutex(0)

  func note(_ change: (inout TLSTap.Seen) -> Void) { seen.withLock { change(&$0) } }
}

private final class WireRecorder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  private let state: Shared

  init(state: Shared) { self.state = state }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Array(unwrapInboundIn(data).readableBytesView)
    state.note { $0.wire += bytes }
    context.fireChannelRead(data)
  }
}

/// Cuts a stream into frames of four bytes of length and a body.
private struct FrameCutter {
  private var bytes: [UInt8] = []

  mutating func append(_ buffer: ByteBuffer) { bytes += buffer.readableBytesView }

  mutating func next() -> [UInt8]? {
    guard bytes.count >= 4 else { return nil }
    let count = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= 4 + count else { return nil }
    defer { bytes.removeFirst(4 + count) }
    return Array(bytes[4..<4 + count])
  }

  static func framed(_ body: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeInteger(UInt32(body.count))
    buffer.writeBytes(body)
    return buffer
  }
}

/// The client's side of a connection.
private final class TapHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let upstream: TLSTap.Upstream
  private let state: Shared
  private var cutter = FrameCutter()
  private var hasRead = false
  private var broker: EventLoopFuture<any Channel>?

  init(upstream: TLSTap.Upstream, state: Shared) {
    self.upstream = upstream
    self.state = state
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !hasRead {
      hasRead = true
      let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
      let hasCertificate = handler?.peerCertificate != nil
      state.note {
        $0.handshakeCount += 1
        $0.clientCertificateCount += hasCertificate ? 1 : 0
      }
    }
    cutter.append(unwrapInboundIn(data))
    while let request = cutter.next() {
      state.note { $0.requests += request }
      switch upstream {
      case .answering(let answer):
        guard let body = answer(request) else { continue }
        context.writeAndFlush(wrapOutboundOut(FrameCutter.framed(body)), promise: nil)
      case .broker(let port): forward(request, to: port, context.channel)
      }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    broker?.whenSuccess { $0.close(promise: nil) }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func forward(_ request: [UInt8], to port: Int, _ client: any Channel) {
    let broker =
      self.broker
      ?? ClientBootstrap(group: client.eventLoop).channelInitializer { [state] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            BrokerHandler(client: client, brokerPort: port, state: state))
        }
      }.connect(host: "127.0.0.1", port: port)
    self.broker = broker
    broker.whenSuccess { $0.writeAndFlush(FrameCutter.framed(request), promise: nil) }
    broker.whenFailure { _ in client.close(promise: nil) }
  }
}

/// The broker's side of a connection.
private final class BrokerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let client: any Channel
  private let brokerPort: Int
  private let state: Shared
  private var cutter = FrameCutter()

  init(client: any Channel, brokerPort: Int, state: Shared) {
    self.client = client
    self.brokerPort = brokerPort
    self.state = state
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    cutter.append(unwrapInboundIn(data))
    while let answer = cutter.next() {
      client.writeAndFlush(FrameCutter.framed(renamed(answer)), promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  /// The answer with the tap's port wherever the broker tells clients its own: a host led by its
  /// length, then the port in four bytes, in Metadata and FindCoordinator alike.
  private func renamed(_ answer: [UInt8]) -> [UInt8] {
    let host = Array("127.0.0.1".utf8)
    func bytes(_ port: Int) -> [UInt8] { (0..<4).reversed().map { UInt8(port >> ($0 * 8) & 0xFF) } }
    let place = host + bytes(brokerPort)
    guard answer.count >= place.count else { return answer }
    var renamed = answer
    for start in 0...(answer.count - place.count) where answer[start...].starts(with: place) {
      renamed.replaceSubrange(
        start + host.count..<start + place.count, with: bytes(state.port.withLock { $0 }))
    }
    return renamed
  }
}
