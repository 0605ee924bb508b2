import HandoffCore
import TestSupport
import Testing

@testable import HandoffCodecs

struct MLLPFrameTests {
  /// What a decoder says of the whole stream, fed in pieces.
  private func events(
    _ pieces: [[UInt8]], limit: Int = 1_000
  ) -> [MLLPFrameDecoder.Event] {
    var decoder = MLLPFrameDecoder(messageBytesMax: limit)
    var events: [MLLPFrameDecoder.Event] = []
    for piece in pieces {
      decoder.append(piece)
      while let event = decoder.next() { events.append(event) }
    }
    if let last = decoder.finish() { events.append(last) }
    return events
  }

  private func code(of event: MLLPFrameDecoder.Event) -> String? {
    guard case .fault(let error, _) = event else { return nil }
    return error.code.description
  }

  private static let first = Array("MSH|^~\\&|A|B\rPID|1\r".utf8)
  private static let second = Array("MSH|^~\\&|C|D\r".utf8)
  private static let stream = MLLPFrame.encode(first) + MLLPFrame.encode(second)

  @Test func `two frames survive every cut of the stream in two`() {
    for cut in 0...Self.stream.count {
      let pieces = [Array(Self.stream[..<cut]), Array(Self.stream[cut...])]
      #expect(events(pieces) == [.message(Self.first), .message(Self.second)], "cut at \(cut)")
    }
  }

  @Test func `two frames survive every cut of the stream in three`() {
    for one in 0...Self.stream.count {
      for two in one...Self.stream.count {
        let pieces = [
          Array(Self.stream[..<one]), Array(Self.stream[one..<two]), Array(Self.stream[two...]),
        ]
        #expect(events(pieces) == [.message(Self.first), .message(Self.second)])
      }
    }
  }

  @Test func `frames that come byte by byte are the same frames`() {
    #expect(
      events(Self.stream.map { [$0] }) == [.message(Self.first), .message(Self.second)])
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `random frames in random pieces come out as they went in`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let messages = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
      (0..<Int.random(in: 0...60, using: &generator)).map { _ in
        UInt8.random(in: 0x20...0x7E, using: &generator)
      }
    }
    var rest = messages.flatMap { MLLPFrame.encode($0) }[...]
    var pieces: [[UInt8]] = []
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...40, using: &generator))
      pieces.append(Array(piece))
      rest = rest.dropFirst(piece.count)
    }
    #expect(events(pieces) == messages.map { .message($0) })
  }

  @Test func `a sender that leaves out the final CR is understood`() {
    let stream = [0x0B] + Self.first + [0x1C, 0x0B] + Self.second + [0x1C]
    #expect(events([stream]) == [.message(Self.first), .message(Self.second)])
  }

  @Test func `blanks and line ends between frames are nothing`() {
    let stream = [0x0D, 0x0A, 0x20] + MLLPFrame.encode(Self.first) + [0x0A, 0x0A, 0x00]
    #expect(events([stream]) == [.message(Self.first)])
  }

  @Test func `bytes outside a frame are one fault and harm no frame`() {
    let stream = Array("GET / HTTP/1.1".utf8) + MLLPFrame.encode(Self.first)
    let events = events([stream])
    #expect(events.count == 2)
    #expect(code(of: events[0]) == "mllp.bytes-outside-frame")
    #expect(events[1] == .message(Self.first))
  }

  @Test func `a frame without an end is a fault, and the next frame is read`() {
    let events = events([[0x0B] + Self.first + MLLPFrame.encode(Self.second)])
    #expect(events.map(code) == ["mllp.frame-unfinished", nil])
    #expect(events.last == .message(Self.second))
  }

  @Test func `a connection that closes inside a frame is a fault with the frame's head`() {
    let events = events([[0x0B] + Self.first])
    #expect(events.map(code) == ["mllp.frame-unfinished"])
    guard case .fault(_, let head) = events[0] else { return }
    #expect(head == Self.first)
  }

  @Test func `a message of exactly the limit passes, one byte more does not`() {
    let message = [UInt8](repeating: 0x41, count: 100)
    #expect(events([MLLPFrame.encode(message)], limit: 100) == [.message(message)])
    let tooLong = events([MLLPFrame.encode(message + [0x41])], limit: 100)
    #expect(tooLong.map(code) == ["mllp.message-too-long"])
    guard case .fault(let error, _) = tooLong[0] else { return }
    #expect(error.explanation.contains("messageBytesMax of 100"))
  }

  @Test func `a message of 50 MB is skipped without being kept, and the next one is read`() {
    var decoder = MLLPFrameDecoder(messageBytesMax: 100_000)
    decoder.append([0x0B] + Self.first)
    let chunk = [UInt8](repeating: 0x41, count: 100_000)
    for _ in 0..<500 {
      decoder.append(chunk)
      #expect(decoder.bytesHeld <= 100_000)
    }
    #expect(decoder.next() == nil)
    decoder.append([0x1C, 0x0D] + MLLPFrame.encode(Self.second))
    guard case .fault(let error, let head)? = decoder.next() else {
      Issue.record("a fault is expected")
      return
    }
    #expect(error.code.description == "mllp.message-too-long")
    // Enough of it is left to answer the sender by MSH-10.
    #expect(head.starts(with: Self.first) && head.count == MLLPFrameDecoder.headBytesMax)
    #expect(decoder.next() == .message(Self.second))
  }
}
