import HTTPTypes
import NIOCore
import NIOHTTP1

/// Gives what is no HTTP request an answer in FHIR's terms.
///
/// The HTTP library answers it with a bare 400 of its own, after every answer that is still owed on
/// the connection; that one is completed here, at its place, so that no order is disturbed.
final class FHIRProtocolErrors: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let settings: FHIRSettings
  private var refusal: FHIRRefusal?

  init(_ settings: FHIRSettings) { self.settings = settings }

  /// Puts one into a pipeline that reads HTTP, right behind what reads it.
  static func add(to channel: any Channel, _ settings: FHIRSettings) throws {
    let pipeline = channel.pipeline.syncOperations
    let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
    try pipeline.addHandler(FHIRProtocolErrors(settings), position: .after(decoder))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError { refusal = FHIRRefusal(error, settings) }
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // Every answer of ours has a body.
    guard let refusal, case .head(let head) = unwrapOutboundIn(data), head.status == .badRequest,
      head.headers["content-length"] == ["0"]
    else {
      context.write(data, promise: promise)
      return
    }
    let answer = FHIRAnswer(refusal, settings: settings)
    var headers = HTTPHeaders(answer.fields.map { ($0.name.canonicalName, $0.value) })
    headers.add(name: "Content-Length", value: String(answer.body.count))
    headers.add(name: "Connection", value: "close")
    let status = HTTPResponseStatus(statusCode: answer.status.code)
    let completed = HTTPResponseHead(version: head.version, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(completed)), promise: nil)
    let body = ByteBuffer(bytes: answer.body)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: promise)
  }
}

@available(*, unavailable)
extension FHIRProtocolErrors: Sendable {}

extension FHIRRefusal {
  /// Why no request could be read from the connection.
  init(_ error: HTTPParserError, _ settings: FHIRSettings) {
    switch error {
    case .headerOverflow:
      self.init(
        .requestHeaderFieldsTooLarge, issue: "too-long", bars: "REC_BAD_REQUEST",
        "the head of the request is longer than the limit of \(settings.headerByteCountMax) bytes")
    case .invalidVersion:
      self.init(
        .httpVersionNotSupported, issue: "not-supported", bars: "REC_BAD_REQUEST",
        "HTTP/1.1 is spoken here")
    case .invalidMethod:
      self.init(
        .notImplemented, issue: "not-supported", bars: "REC_METHOD_NOT_ALLOWED",
        "the request line begins with no method that HTTP knows")
    case .invalidContentLength, .unexpectedContentLength:
      self = .badRequest(field: "Content-Length", "is not a length, or is given twice")
    case .invalidEOFState, .closedConnection:
      self.init(
        .badRequest, issue: "incomplete", bars: "REC_BAD_REQUEST",
        "the request ended in the middle of its head")
    default:
      self.init(
        .badRequest, issue: "structure", bars: "REC_BAD_REQUEST",
        "what came cannot be read as an HTTP request")
    }
    closesConnection = true
  }
}
