package import HandoffCore
import HandoffCodecs
import HTTPTypes
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Takes FHIR messages and resources over HTTP/1.1, and answers each when it is safe.
///
/// `POST $process-message` in the shape of NHS BaRS, `POST` and `PUT` of ServiceRequest and Task,
/// and `GET metadata`. Everything that a peer could make grow has a limit: connections, requests at
/// a time, head, body, and the time that each of them may take.
package final class FHIRListener: Sendable {
  private let settings: FHIRSettings
  private let desk: FHIRDesk
  private let logger: Logger
  private let server = Mutex<Server<FHIRChannel>?>(nil)

  package init(
    _ settings: FHIRSettings, intake: any FrameIntake, logger: Logger,
    now: @escaping @Sendable () -> Timestamp, clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.settings = settings
    self.logger = logger
    desk = FHIRDesk(settings, intake: intake, logger: logger, now: now, clock: clock)
  }

  /// Listens until ``stop()``, a graceful shutdown or cancellation.
  ///
  /// `onListening` is told the port once connections are taken.
  package func run(
    onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws {
    let identity = try settings.tls.map { tls throws(SourceFailure) in
      do throws(TLSFault) {
        return try TLSIdentity(tls, logger: logger)
      } catch {
        throw SourceFailure(reason: error.code, explanation: error.description)
      }
    }
    // Hummingbird logs addresses and errors of its own, whose text is not ours.
    var quiet = logger
    quiet.logLevel = .critical
    let server = Server(
      childChannelSetup: FHIRChannel(
        settings, identity: identity, desk: desk, logger: logger),
      configuration: ServerConfiguration(
        address: .hostname(settings.host, port: settings.port), backlog: 256),
      onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
    self.server.withLock { $0 = server }
    do {
      try await server.run()
    } catch  where error is IOError || error is SocketAddressError {
      throw SourceFailure(
        binding: error, rail: "fhir", to: "\(settings.host):\(settings.port)")
    }
  }

  /// Takes no more connections; requests under way are still answered.
  package func stop() async {
    let server = server.withLock { $0 }
    try? await server?.shutdownGracefully()
  }

  /// Requests under way.
  package var requestCount: Int { desk.requestCount }
}

/// One connection: TLS where it is configured, then HTTP/1.1.
struct FHIRChannel: ServerChildChannel {
  typealias Value = HTTP1Channel.Value

  private let base: HTTP1Channel
  private let settings: FHIRSettings
  private let identity: TLSIdentity?
  private let connections: ConnectionLimit
  private let logger: Logger

  init(_ settings: FHIRSettings, identity: TLSIdentity?, desk: FHIRDesk, logger: Logger) {
    self.settings = settings
    self.identity = identity
    self.logger = logger
    connections = ConnectionLimit(settings.connectionCountMax)
    let exchange = FHIRExchange(desk: desk, identity: identity)
    base = HTTP1Channel(
      responder: { request, writer, channel in
        try await exchange.respond(to: request, writer, on: channel)
      },
      configuration: .init(
        idleTimeout: TimeAmount(settings.idleTimeout),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: settings.headerByteCountMax,
          maxHeaderListSize: settings.headerByteCountMax, maxHeaderFieldCount: 100)))
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      if let identity { try channel.pipeline.syncOperations.addHandlers(identity.handlers()) }
    }.flatMap { base.setup(channel: channel, logger: logger) }
      .flatMapThrowing { value in
        try FHIRProtocolErrors.add(to: channel, settings)
        return value
      }
  }

  func handle(value: Value, logger: Logger) async {
    guard connections.enter() else {
      self.logger.warning("FHIR connection refused: too many are open")
      try? await value.executeThenClose { _, _ in }
      return
    }
    defer { connections.leave() }
    await base.handle(value: value, logger: logger)
  }
}

/// Counts open connections.
private final class ConnectionLimit: Sendable {
  private let countMax: Int
  private let count = Mutex(0)

  init(_ countMax: Int) { self.countMax = countMax }

  func enter() -> Bool {
    count.withLock { count in
      guard count < countMax else { return false }
      count += 1
      return true
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}

/// Brings one request to the desk, and its answer back.
struct FHIRExchange: Sendable {
  let desk: FHIRDesk
  let identity: TLSIdentity?

  private static let lingeringTime: TimeAmount = .seconds(2)

  @concurrent func respond(
    to request: Request, _ writer: consuming ResponseWriter, on channel: any Channel
  ) async throws {
    let principal = await identity?.principal(of: channel) ?? .anybody
    let opening = desk.open(
      method: request.method.rawValue, path: request.head.path ?? "", fields: request.headers,
      principal: principal)
    switch opening {
    case .answer(let answer):
      try await write(answer, writer, to: request, on: channel)
    case .body(let ticket):
      defer { desk.close(ticket) }
      let body: [UInt8]
      do throws(FHIRRefusal) {
        body = try await read(request, on: channel)
      } catch {
        return try await write(desk.refuse(error, ticket), writer, to: request, on: channel)
      }
      let (answers, give) = AsyncStream.makeStream(
        of: FHIRAnswer.self, bufferingPolicy: .bufferingOldest(1))
      async let work: Void = desk.finish(ticket, body: body) { give.yield($0) }
      var iterator = answers.makeAsyncIterator()
      if let answer = await iterator.next() {
        try await write(answer, writer, to: request, on: channel)
      }
      await work
    }
  }

  /// The whole body, within the limits of size and time.
  private func read(
    _ request: Request, on channel: any Channel
  ) async throws(FHIRRefusal) -> [UInt8] {
    let limit = desk.settings.messageByteCountMax
    let late = LateFlag()
    // Closing the input ends the waiting for the next part: the answer can still be written.
    let timer = channel.eventLoop.scheduleTask(in: TimeAmount(desk.settings.requestTimeout)) {
      late.raise()
      channel.close(mode: .input, promise: nil)
    }
    defer { timer.cancel() }
    var bytes: [UInt8] = []
    do {
      for try await part in request.body {
        guard bytes.count + part.readableBytes <= limit else { throw FHIRRefusal.tooLong(limit) }
        bytes += part.readableBytesView
      }
    } catch let refusal as FHIRRefusal {
      throw refusal
    } catch {
      throw late.isRaised ? .bodyTimeout : .bodyCut
    }
    guard !late.isRaised else { throw .bodyTimeout }
    return bytes
  }

  @concurrent private func write(
    _ answer: FHIRAnswer, _ writer: consuming ResponseWriter, to request: Request,
    on channel: any Channel
  ) async throws {
    var head = HTTPResponse(status: answer.status, headerFields: answer.fields)
    head.headerFields[.contentLength] = String(answer.body.count)
    if answer.closesConnection { head.headerFields[.connection] = "close" }
    if request.method == .head {
      try await writer.writeResponse(head)
    } else {
      let body = ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
      try await writer.write(response: head, body: body)
    }
    // The peer may still be sending: it gets a moment to read the answer before the reset.
    if answer.closesConnection {
      channel.eventLoop.scheduleTask(in: Self.lingeringTime) {
        channel.close(mode: .all, promise: nil)
      }
    }
  }
}

/// Says across threads that a timer has fired.
private final class LateFlag: Sendable {
  private let flag = Mutex(false)

  var isRaised: Bool { flag.withLock { $0 } }

  func raise() { flag.withLock { $0 = true } }
}
