import Foundation
package import HandoffCore
package import Logging
package import NIOCore
package import NIOSSL
import NIOTLS
import Synchronization

/// The certificate that a listener shows, taken anew from its files when they are renewed.
///
/// Every connection asks for the context as it is accepted: files that have changed are read again
/// then, so a renewed certificate is shown to the next client, and connections that stand keep
/// theirs. Files that cannot be used leave the old certificate in force and are told once.
package final class TLSIdentity: Sendable {
  /// What tells a file from its successor.
  private struct Trace: Equatable {
    var fileNumber: UInt64?
    var byteCount: UInt64?
    var modified: Date?
  }

  private struct State {
    var context: NIOSSLContext
    var traces: [Trace]
  }

  package let settings: TLSSettings
  private let logger: Logger
  private let state: Mutex<State>

  /// Reads the files.
  ///
  /// - Throws: ``TLSFault`` where they cannot be used: a listener does not start without.
  package init(_ settings: TLSSettings, logger: Logger) throws(TLSFault) {
    self.settings = settings
    self.logger = logger
    // Looked at before they are read: a change in between is then seen as one.
    let traces = Self.traces(settings)
    state = Mutex(State(context: try settings.serverContext(), traces: traces))
  }

  /// The context for the next connection.
  package var context: NIOSSLContext {
    state.withLock { state in
      let traces = Self.traces(settings)
      guard traces != state.traces else { return state.context }
      state.traces = traces
      do throws(TLSFault) {
        state.context = try settings.serverContext()
        logger.notice(
          "Certificate renewed", metadata: ["certificate": "\(settings.certificate)"])
      } catch {
        logger.error(
          "Renewed certificate cannot be used; the former one stays in force",
          metadata: ["reason": "\(error.code)", "explanation": "\(error)"])
      }
      return state.context
    }
  }

  /// The handlers that stand first on a connection.
  ///
  /// - Throws: what NIOSSL says of a context it cannot use.
  package func handlers() throws -> [any ChannelHandler] {
    [
      NIOSSLServerHandler(context: context),
      HandshakeDeadline(TimeAmount(settings.handshakeTimeout), logger: logger), InputGate(),
    ]
  }

  /// Whom the client of a connection speaks for, and whether it is let in.
  package enum Principal: Hashable, Sendable {
    /// No client is named in the settings.
    case anybody
    case organisation(ODSCode)
    /// Its certificate holds no name that the settings know.
    case stranger
  }

  /// Reads who the peer is; call it once the handshake is over.
  package func principal(of channel: any Channel) async -> Principal {
    guard settings.clientCA != nil, !settings.clients.isEmpty else { return .anybody }
    let certificate = try? await channel.pipeline.handler(type: NIOSSLHandler.self).map {
      $0.peerCertificate
    }.get()
    guard let certificate = certificate ?? nil else { return .stranger }
    let names = Self.names(of: certificate)
    return names.lazy.compactMap { self.settings.clients[$0] }.first.map { .organisation($0) }
      ?? .stranger
  }

  /// The DNS names and URIs of a certificate; its common name is not one (RFC 6125, 6.4.4).
  private static func names(of certificate: NIOSSLCertificate) -> [String] {
    let alternatives = certificate._subjectAlternativeNames()
    return alternatives.compactMap { name in
      guard name.nameType == .dnsName || name.nameType == .uri else { return nil }
      return unsafe name.contents.withUnsafeBufferPointer { bytes in
        unsafe String(decoding: bytes, as: UTF8.self)
      }
    }
  }

  private static func traces(_ settings: TLSSettings) -> [Trace] {
    [settings.certificate, settings.key, settings.clientCA].compactMap(\.self).map { file in
      let found = try? FileManager.default.attributesOfItem(
        atPath: URL(fileURLWithPath: file).resolvingSymlinksInPath().path)
      return Trace(
        fileNumber: (found?[.systemFileNumber] as? NSNumber)?.uint64Value,
        byteCount: (found?[.size] as? NSNumber)?.uint64Value,
        modified: found?[.modificationDate] as? Date)
    }
  }
}

/// Closes a connection whose peer has not agreed on keys in time.
///
/// Each such connection costs a socket and a place among those that may be open, so one that says
/// nothing must not keep it.
final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let timeout: TimeAmount
  private let logger: Logger
  private var timer: Scheduled<Void>?

  init(_ timeout: TimeAmount, logger: Logger) {
    self.timeout = timeout
    self.logger = logger
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: timeout) { [logger] in
      logger.info("TLS handshake took too long")
      channel.close(mode: .all, promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
      timer?.cancel()
      timer = nil
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Without its certificates the log names the kind of the error; its text may hold theirs.
    if timer != nil {
      logger.info("TLS handshake failed", metadata: ["error": "\(Self.kind(error))"])
    }
    context.fireErrorCaught(error)
  }

  /// The name of the error's case, without what it carries.
  private static func kind(_ error: any Error) -> String {
    String("\(error)".prefix { $0.isLetter || $0 == "." })
  }
}
