internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// A client that writes exactly the bytes a test gives it, and reads what comes.
public enum RawHTTP {
  /// One answer, read whole.
  public struct Answer: Sendable {
    public var status: Int
    /// By lower-case name.
    public var fields: [String: String]
    public var body: String

    /// The body as JSON.
    public func json() throws -> [String: Any] {
      try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
    }

    /// `issue[0]` of an OperationOutcome.
    public func issue() throws -> (code: String, bars: String, diagnostics: String) {
      let issue = (try json()["issue"] as? [[String: Any]])?.first ?? [:]
      let coding = ((issue["details"] as? [String: Any])?["coding"] as? [[String: Any]])?.first
      return (
        issue["code"] as? String ?? "", coding?["code"] as? String ?? "",
        issue["diagnostics"] as? String ?? ""
      )
    }
  }

  public static func request(
    _ line: String, _ fields: [String: String] = [:], body: String? = nil
  ) -> [UInt8] {
    var head = "\(line) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
    return Array((head + "\r\n" + (body ?? "")).utf8)
  }

  /// With an `authority` (a PEM file) it speaks TLS, and the server must be `localhost`.
  ///
  /// Writes `chunks` one by one and reads until the server closes, or what came ends in `untilByte`.
  public static func exchange(
    _ chunks: [[UInt8]], port: Int, authority: String? = nil, own: TestAuthority.Issued? = nil,
    untilByte: UInt8? = nil
  ) async throws -> [UInt8] {
    let tls = try authority.map { file in
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.trustRoots = .file(file)
      if let own {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(own.certificate).map {
          .certificate($0)
        }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: own.key, format: .pem))
      }
      return try NIOSSLContext(configuration: configuration)
    }
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(
              try NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
          }
          try channel.pipeline.syncOperations.addHandler(Opening(chunks))
          return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, _ in
      var all: [UInt8] = []
      do {
        for try await buffer in inbound {
          all += buffer.readableBytesView
          if let untilByte, all.last == untilByte { break }
        }
      } catch {
        // A server that ends TLS without saying so has still said what it said.
        guard !all.isEmpty else { throw error }
      }
      return all
    }
  }

  public static func send(
    _ request: [UInt8], port: Int, authority: String? = nil, own: TestAuthority.Issued? = nil
  ) async throws -> Answer {
    try answer(await exchange([request], port: port, authority: authority, own: own))
  }

  public struct Malformed: Error {}

  public static func answer(_ bytes: [UInt8]) throws -> Answer {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { throw Malformed() }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count >= 2, let status = Int(words[1]) else { throw Malformed() }
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    return Answer(status: status, fields: fields, body: String(text[end.upperBound...]))
  }
}

/// Writes on the event loop, as soon as there is a connection: a test that waited for its turn on a busy
/// machine would be taken for an idle sender, and find its connection closed.
private final class Opening: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let chunks: [[UInt8]]

  init(_ chunks: [[UInt8]]) { self.chunks = chunks }

  func channelActive(context: ChannelHandlerContext) {
    for chunk in chunks {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: chunk)), promise: nil)
    }
    context.fireChannelActive()
  }
}
