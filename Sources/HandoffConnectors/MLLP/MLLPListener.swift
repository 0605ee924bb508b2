package import HandoffCore
package import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The bounds of a listener and where it listens.
package struct MLLPSettings: Hashable, Sendable {
  /// Loopback unless the configuration says otherwise.
  package var host = "127.0.0.1"
  /// 0 takes any free port.
  package var port = 2575
  /// Connections at a time; one more is closed at once.
  package var connectionCountMax = 64
  /// Frames of one connection that are un-answered at a time; then nothing more is read from it.
  package var framesInFlightMax = 64
  /// A longer message is skipped without being kept, and refused.
  package var messageByteCountMax = 5_000_000
  /// A connection that sends nothing for so long is closed.
  package var idleTimeout: Duration = .seconds(300)
  /// `nil` speaks in clear: for loopback and trusted networks only.
  package var tls: TLSSettings?

  package init() {}
}

/// Takes HL7 v2 messages over TCP in MLLP frames, and answers each when it is safe.
///
/// Answers of one connection go out in the order of its frames, and carry the id of the message
/// they answer. What was read together is made durable together, so pipelining senders share
/// commits; while they wait nothing more is read, which is all the back-pressure there is.
package final class MLLPListener: Sendable {
  private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private struct State {
    var server: (any Channel)?
    var connections: [ObjectIdentifier: any Channel] = [:]
    var isStopping = false
  }

  private let settings: MLLPSettings
  private let intake: any FrameIntake
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private let state = Mutex(State())

  package init(
    _ settings: MLLPSettings, intake: any FrameIntake, logger: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.settings = settings
    self.intake = intake
    self.logger = logger
    self.now = now
  }

  /// Listens until ``stop()`` or cancellation.
  ///
  /// `onListening` is told the port once connections are taken.
  package func run(onListening: @Sendable (Int) -> Void = { _ in }) async throws {
    let identity = try settings.tls.map { tls throws(SourceFailure) in
      do throws(TLSFault) {
        return try TLSIdentity(tls, logger: logger)
      } catch {
        throw SourceFailure(reason: error.code, explanation: error.description)
      }
    }
    let server = try await bind(identity)
    let isStopping = state.withLock { state in
      state.server = server.channel
      return state.isStopping
    }
    guard !isStopping else {
      try await server.executeThenClose { _ in }
      return
    }
    onListening(server.channel.localAddress?.port ?? settings.port)
    try await server.executeThenClose { inbound in
      try await withThrowingDiscardingTaskGroup { group in
        for try await connection in inbound {
          group.addTask { await self.serve(connection, identity) }
        }
      }
    }
  }

  /// Takes no more connections and no more bytes; what was read is still answered.
  package func stop() {
    let (server, connections) = state.withLock { state in
      state.isStopping = true
      return (state.server, Array(state.connections.values))
    }
    server?.close(promise: nil)
    for connection in connections { connection.close(mode: .input, promise: nil) }
  }

  /// Connections that are open now.
  package var connectionCount: Int { state.withLock { $0.connections.count } }

  private func bind(
    _ identity: TLSIdentity?
  ) async throws(SourceFailure) -> NIOAsyncChannel<Connection, Never> {
    let idle = TimeAmount(settings.idleTimeout)
    do {
      return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.backlog, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        // A sender that has said all may close its side first: it is still answered.
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .bind(host: settings.host, port: settings.port) { channel in
          channel.eventLoop.makeCompletedFuture {
            if let identity {
              try channel.pipeline.syncOperations.addHandlers(identity.handlers())
            }
            try channel.pipeline.syncOperations.addHandlers([
              IdleStateHandler(readTimeout: idle), IdleCloser(),
            ])
            return try Connection(wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: any Error) -> SourceFailure {
    SourceFailure(binding: error, rail: "mllp", to: "\(settings.host):\(settings.port)")
  }

  private func serve(_ connection: Connection, _ identity: TLSIdentity?) async {
    let id = ObjectIdentifier(connection.channel)
    let isWelcome = state.withLock { state in
      guard !state.isStopping, state.connections.count < settings.connectionCountMax else {
        return false
      }
      state.connections[id] = connection.channel
      return true
    }
    defer { state.withLock { $0.connections[id] = nil } }
    do {
      try await connection.executeThenClose { inbound, outbound in
        guard isWelcome else {
          logger.warning(
            "MLLP connection refused: too many are open",
            metadata: ["limit": "\(settings.connectionCountMax)"])
          return
        }
        var conversation = MLLPConversation(
          intake: intake, settings: settings, logger: logger, now: now)
        var isKnown = identity == nil
        for try await buffer in inbound {
          if let identity, !isKnown {
            guard await identify(&conversation, identity, connection.channel) else { return }
            isKnown = true
          }
          conversation.append(buffer.readableBytesView)
          while let answers = await conversation.answers() {
            try await outbound.write(contentsOf: answers.map { ByteBuffer(bytes: $0) })
          }
        }
        if let last = await conversation.finish() {
          try await outbound.write(ByteBuffer(bytes: last))
        }
      }
    } catch {
      // The peer is gone or too slow; what was taken in is safe, and it will send the rest again.
      logger.debug("MLLP connection ended", metadata: ["error": "\(type(of: error))"])
    }
  }

  /// Learns from the peer's certificate whom it speaks for; false for one that is not known.
  private func identify(
    _ conversation: inout MLLPConversation, _ identity: TLSIdentity, _ channel: any Channel
  ) async -> Bool {
    switch await identity.principal(of: channel) {
    case .anybody: return true
    case .organisation(let code):
      conversation.principal = code
      return true
    case .stranger:
      logger.warning("MLLP connection refused: no name of the client's certificate is in clients")
      return false
    }
  }
}
