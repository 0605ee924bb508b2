import HandoffCodecs
import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// What a receiver answered to one message.
package struct MLLPAnswer: Hashable, Sendable {
  /// MSA-1: `AA`, `AE`, `AR`, `CA`, `CE` or `CR`.
  package var acknowledgement: String
  /// The whole answer.
  package var bytes: [UInt8]

  package var isAccepted: Bool { acknowledgement == "AA" || acknowledgement == "CA" }
}

/// Why messages could not be sent, or not all were answered.
package enum MLLPSenderError: Error, Hashable, Sendable, CustomStringConvertible {
  case cannotConnect(host: String, port: Int)
  /// The receiver's certificate is not trusted, names another host, or it refused ours.
  case handshakeFailed(host: String, port: Int)
  /// Our own certificate files cannot be used.
  case tls(TLSFault)
  /// The connection ended, or nothing came for the time allowed, with so many un-answered.
  case unanswered(count: Int)
  /// An answer names a message that is not outstanding: matching it by order would be guessing.
  case unmatchedAnswer

  package var description: String {
    switch self {
    case .cannotConnect(let host, let port): "cannot connect to \(host):\(port)"
    case .handshakeFailed(let host, let port): "no TLS connection with \(host):\(port) came about"
    case .tls(let fault): fault.description
    case .unanswered(let count): "\(count) messages were not answered"
    case .unmatchedAnswer: "an answer names a message that is not outstanding"
    }
  }
}

/// Sends HL7 v2 messages over MLLP and matches the answers by id, never by order.
package struct MLLPSender: Sendable {
  package var host: String
  package var port: Int
  /// Messages that are under way at a time.
  package var window = 32
  /// How long nothing may come while answers are outstanding.
  package var answerTimeout: Duration = .seconds(30)
  /// `nil` speaks in clear.
  package var tls: TLSClientSettings?

  package init(host: String = "127.0.0.1", port: Int) {
    self.host = host
    self.port = port
  }

  /// Sends all over one connection.
  ///
  /// - Returns: one answer a message; `nil` where the standard lets the receiver give none.
  package func send(_ messages: [[UInt8]]) async throws -> [MLLPAnswer?] {
    let timeout = TimeAmount(answerTimeout)
    let context = try tls.map { tls throws(MLLPSenderError) in
      do throws(TLSFault) {
        return try tls.clientContext()
      } catch {
        throw .tls(error)
      }
    }
    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    do {
      channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: host, port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            if let context { try shakeHands(on: channel, context) }
            try channel.pipeline.syncOperations.addHandlers([
              IdleStateHandler(readTimeout: timeout), IdleCloser(),
            ])
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw MLLPSenderError.cannotConnect(host: host, port: port)
    }
    do {
      return try await exchange(messages, over: channel)
    } catch  where tls != nil && !(error is MLLPSenderError) {
      // What comes of a wrong authority, name or client certificate, in the reading or the writing.
      throw MLLPSenderError.handshakeFailed(host: host, port: port)
    }
  }

  private func shakeHands(on channel: any Channel, _ context: NIOSSLContext) throws {
    // An address of digits cannot be asked for by name (RFC 6066, 3): the certificate is checked
    // against the address then.
    let name = tls?.serverName ?? host
    let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    let deadline = HandshakeDeadline(
      TimeAmount(tls?.handshakeTimeout ?? .seconds(10)), logger: Logger(label: "baton.mllp"))
    try channel.pipeline.syncOperations.addHandlers([
      NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name), deadline,
    ])
  }

  private func exchange(
    _ messages: [[UInt8]], over channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
  ) async throws -> [MLLPAnswer?] {
    try await channel.executeThenClose { inbound, outbound in
      var exchange = MLLPExchange(messages: messages, window: window)
      var received = inbound.makeAsyncIterator()
      while true {
        for frame in exchange.toSend() { try await outbound.write(ByteBuffer(bytes: frame)) }
        guard exchange.isWaiting else { return exchange.answers }
        guard let buffer = try await received.next() else {
          throw MLLPSenderError.unanswered(count: exchange.outstandingCount)
        }
        try exchange.take(buffer.readableBytesView)
      }
    }
  }
}

/// Which messages are under way and which are answered; no socket.
struct MLLPExchange {
  private(set) var answers: [MLLPAnswer?]
  private let messages: [[UInt8]]
  private let window: Int
  private var next = 0
  private var outstanding: [(index: Int, id: [UInt8])] = []
  private var decoder = MLLPFrameDecoder()

  init(messages: [[UInt8]], window: Int) {
    self.messages = messages
    self.window = max(1, window)
    answers = Array(repeating: nil, count: messages.count)
  }

  var isWaiting: Bool { !outstanding.isEmpty }
  var outstandingCount: Int { outstanding.count + messages.count - next }

  /// The frames that may go out now.
  ///
  /// Two messages of one id are never under way together: their answers could not be told apart.
  mutating func toSend() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    while next < messages.count, outstanding.count < window {
      let message = messages[next]
      let id = HL7Glance.controlID(message)
      if HL7Glance.expectsAnswer(message) {
        if outstanding.contains(where: { $0.id == id }) { break }
        outstanding.append((next, id))
      }
      frames.append(MLLPFrame.encode(message))
      next += 1
    }
    return frames
  }

  mutating func take(_ bytes: some Sequence<UInt8>) throws(MLLPSenderError) {
    decoder.append(bytes)
    while let event = decoder.next() {
      guard case .message(let answer) = event,
        let (acknowledgement, id) = HL7Glance.acknowledgement(answer),
        let place = outstanding.firstIndex(where: { $0.id == id })
      else { throw .unmatchedAnswer }
      let index = outstanding.remove(at: place).index
      answers[index] = MLLPAnswer(acknowledgement: acknowledgement, bytes: answer)
    }
  }
}

/// The few fields of HL7 v2 that a sender needs, read where they stand.
enum HL7Glance {
  private static let carriageReturn: UInt8 = 0x0D

  /// MSH-10 as it stands; empty where there is none.
  static func controlID(_ message: [UInt8]) -> [UInt8] { field(10, of: header(message)) }

  /// Whether the receiver must answer in every case (HL7 v2.8, chapter 2.9).
  static func expectsAnswer(_ message: [UInt8]) -> Bool {
    let header = header(message)
    let type = field(9, of: header)
    if type.prefix(3) == Array("ACK".utf8)[...] { return false }
    let accept = String(decoding: field(15, of: header), as: UTF8.self)
    let application = String(decoding: field(16, of: header), as: UTF8.self)
    guard !(accept.isEmpty && application.isEmpty) else { return true }
    return accept == "AL" || application == "AL"
  }

  /// MSA-1 and MSA-2.
  static func acknowledgement(_ message: [UInt8]) -> (String, [UInt8])? {
    guard let separator = header(message).dropFirst(3).first else { return nil }
    for segment in message.split(separator: carriageReturn)
    where segment.prefix(3) == Array("MSA".utf8)[...] {
      let fields = segment.split(separator: separator, omittingEmptySubsequences: false)
      guard fields.count > 1 else { return nil }
      return (String(decoding: fields[1], as: UTF8.self), fields.count > 2 ? Array(fields[2]) : [])
    }
    return nil
  }

  private static func header(_ message: [UInt8]) -> ArraySlice<UInt8> {
    let end = message.firstIndex { $0 == carriageReturn || $0 == 0x0A } ?? message.count
    return message[..<end]
  }

  /// Field `number` of MSH, whose first field is the separator itself.
  private static func field(_ number: Int, of header: ArraySlice<UInt8>) -> [UInt8] {
    guard let separator = header.dropFirst(3).first else { return [] }
    let fields = header.split(separator: separator, omittingEmptySubsequences: false)
    return number - 1 < fields.count ? Array(fields[number - 1]) : []
  }
}
