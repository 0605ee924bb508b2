import HTTPTypes
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// What a page of health says.
package struct HealthPage: Sendable {
  /// HTTP status: 200, or 503 where the answer is no.
  package var status: Int
  package var contentType: String
  package var body: String

  package init(status: Int = 200, contentType: String, body: String) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }
}

/// Answers `GET` of a few fixed pages over HTTP/1.1.
///
/// Made for a listener on this machine only: it asks nobody who they are. Heads are limited and a
/// connection that says nothing is closed; a request's body is never read.
package struct HealthListener: Sendable {
  private let host: String
  private let port: Int
  private let logger: Logger
  private let page: @Sendable (String) async -> HealthPage?

  private static let headByteCountMax = 8 << 10
  private static let idleTimeout: TimeAmount = .seconds(10)

  /// `page` makes the page of a path; `nil` is 404.
  package init(
    host: String, port: Int, logger: Logger,
    page: @escaping @Sendable (String) async -> HealthPage?
  ) {
    self.host = host
    self.port = port
    self.logger = logger
    self.page = page
  }

  /// Listens until a graceful shutdown or cancellation; `onListening` is told the port.
  package func run(onListening: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
    var quiet = logger
    quiet.logLevel = .critical
    let server = Server(
      childChannelSetup: HTTP1Channel(
        responder: { [page] request, writer, _ in
          try await Self.respond(to: request, writer, page)
        },
        configuration: .init(
          idleTimeout: Self.idleTimeout,
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: Self.headByteCountMax, maxHeaderListSize: Self.headByteCountMax,
            maxHeaderFieldCount: 50))),
      configuration: ServerConfiguration(address: .hostname(host, port: port), backlog: 16),
      onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
    do {
      try await server.run()
    } catch  where error is IOError || error is SocketAddressError {
      throw SourceFailure(binding: error, rail: "health", to: "\(host):\(port)")
    }
  }

  @concurrent private static func respond(
    to request: Request, _ writer: consuming ResponseWriter,
    _ page: @Sendable (String) async -> HealthPage?
  ) async throws {
    let isReading = request.method == .get || request.method == .head
    let path = request.head.path.map { $0.prefix { $0 != "?" } } ?? ""
    let found = isReading ? await page(String(path)) : nil
    var answer = found ?? HealthPage(status: 404, contentType: "text/plain", body: "")
    if !isReading { answer.status = 405 }
    var head = HTTPResponse(status: .init(code: answer.status))
    head.headerFields[.contentType] = answer.contentType
    head.headerFields[.contentLength] = String(answer.body.utf8.count)
    head.headerFields[.cacheControl] = "no-store"
    // A body that was announced is not read, so nothing may follow it on this connection.
    if !isReading { head.headerFields[.connection] = "close" }
    if request.method == .head {
      try await writer.writeResponse(head)
    } else {
      let body = ResponseBody(byteBuffer: ByteBuffer(string: answer.body))
      try await writer.write(response: head, body: body)
    }
  }
}
