import NIOCore

/// Lets the reading side of a TLS connection be closed by itself.
///
/// NIOSSL cannot: TLS knows no such thing. A listener that ends reads no more, and still answers
/// what it has read, so the end of the input is told upwards here and what comes later is dropped:
/// its sender gets no answer, and sends it again.
final class InputGate: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var isClosed = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !isClosed { context.fireChannelRead(data) }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .input else { return context.close(mode: mode, promise: promise) }
    if !isClosed {
      isClosed = true
      context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
    promise?.succeed(())
  }
}
