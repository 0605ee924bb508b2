/// The framing of HL7 v2 over TCP: VT, message, FS, CR (HL7 Transmission: MLLP, release 1).
package enum MLLPFrame {
  static let start: UInt8 = 0x0B
  static let end: UInt8 = 0x1C
  static let carriageReturn: UInt8 = 0x0D

  /// Wraps a message for the wire.
  package static func encode(_ message: some Sequence<UInt8>) -> [UInt8] {
    [start] + message + [end, carriageReturn]
  }
}

/// Finds messages in a stream of bytes, however the network has cut or joined it.
///
/// Pure and fed by the byte. It holds at most ``messageBytesMax`` bytes of an unfinished frame: a
/// longer frame is skipped to its end without being kept. A frame is complete at FS, so a sender
/// that leaves out the CR is understood, and the CR of one that sends it is skipped as filling.
package struct MLLPFrameDecoder: Sendable {
  /// What the stream holds next.
  package enum Event: Hashable, Sendable {
    case message([UInt8])
    /// Something that is no message.
    ///
    /// `head` is the beginning of the frame, enough to answer it; empty where there was no frame.
    case fault(MappingError, head: [UInt8])
  }

  private enum State: Sendable {
    case betweenFrames
    case inGarbage
    case inFrame
    case skippingFrame
  }

  /// Bytes of a skipped frame that are kept: an MSH segment fits, for the answer.
  static let headBytesMax = 1_024

  private let messageBytesMax: Int
  private var state = State.betweenFrames
  private var frame: [UInt8] = []
  private var events: [Event] = []
  private var eventsTaken = 0

  package init(messageBytesMax: Int = MappingLimits().messageBytesMax) {
    self.messageBytesMax = messageBytesMax
  }

  /// Takes what was read from the connection.
  package mutating func append(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { take(byte) }
  }

  /// The next message or fault; `nil` until more bytes come.
  package mutating func next() -> Event? {
    guard eventsTaken < events.count else { return nil }
    let event = events[eventsTaken]
    eventsTaken += 1
    if eventsTaken == events.count {
      events.removeAll(keepingCapacity: false)
      eventsTaken = 0
    }
    return event
  }

  /// Call when the peer has closed and ``next()`` has returned `nil`: what was left unfinished.
  package mutating func finish() -> Event? {
    defer {
      frame = []
      state = .betweenFrames
    }
    switch state {
    case .betweenFrames, .inGarbage: return nil
    case .inFrame: return .fault(Self.unfinished, head: head)
    case .skippingFrame: return .fault(tooLong, head: frame)
    }
  }

  /// Bytes of the frame that is not finished yet.
  package var bytesHeld: Int { frame.count }

  private var head: [UInt8] { Array(frame.prefix(Self.headBytesMax)) }

  private mutating func take(_ byte: UInt8) {
    switch (state, byte) {
    case (.betweenFrames, MLLPFrame.start), (.inGarbage, MLLPFrame.start):
      state = .inFrame
    case (.betweenFrames, MLLPFrame.carriageReturn), (.betweenFrames, 0x0A),
      (.betweenFrames, 0x20), (.betweenFrames, 0x00), (.betweenFrames, MLLPFrame.end):
      break  // Filling: the CR after FS, and what keep-alives send.
    case (.betweenFrames, _):
      events.append(.fault(Self.garbage, head: []))
      state = .inGarbage
    case (.inGarbage, _):
      break
    case (.inFrame, MLLPFrame.start):
      // VT cannot be part of a message: the frame before it was never finished.
      events.append(.fault(Self.unfinished, head: head))
      frame = []
    case (.inFrame, MLLPFrame.end):
      events.append(.message(frame))
      frame = []
      state = .betweenFrames
    case (.inFrame, _):
      guard frame.count < messageBytesMax else {
        frame = head
        state = .skippingFrame
        return
      }
      frame.append(byte)
    case (.skippingFrame, MLLPFrame.end), (.skippingFrame, MLLPFrame.start):
      events.append(.fault(tooLong, head: frame))
      frame = []
      state = byte == MLLPFrame.end ? .betweenFrames : .inFrame
    case (.skippingFrame, _):
      break
    }
  }

  private static let garbage = MappingError(
    code("mllp.bytes-outside-frame"),
    explanation: "bytes came that no frame holds: a message stands between VT (0x0B) and FS CR")

  private static let unfinished = MappingError(
    code("mllp.frame-unfinished"),
    explanation: "the frame has no end: FS CR (0x1C 0x0D) must follow the message")

  private var tooLong: MappingError {
    MappingError(
      code("mllp.message-too-long"),
      explanation: "the message is longer than the limit messageBytesMax of \(messageBytesMax)"
        + " bytes; it was skipped")
  }
}
