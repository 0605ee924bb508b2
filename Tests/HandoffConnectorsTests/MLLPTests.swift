import HandoffCodecs
import HandoffCore
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HandoffConnectors

struct MLLPTests {
  private let intake = FakeIntake()

  private static func message(_ id: String, _ body: String = "") -> [UInt8] {
    Array(
      "MSH|^~\\&|PAS|RTH|BATON|RTH|20260101120000||ADT^A01|\(id)|P|2.4\rZZZ|\(body)\r".utf8)
  }

  /// Runs `body` against a listener on a free port, and stops it.
  private func listening(
    _ change: (inout MLLPSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (Int, MLLPListener) async throws -> Void
  ) async throws {
    var settings = MLLPSettings()
    settings.port = 0
    change(&settings)
    let listener = MLLPListener(settings, intake: intake, logger: Logger(label: "test")) {
      Timestamp(milliseconds: 0)
    }
    let (ports, isListening) = AsyncStream<Int>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await listener.run { isListening.yield($0) } }
      group.addTask {
        defer { listener.stop() }
        var iterator = ports.makeAsyncIterator()
        try await body(try #require(await iterator.next()), listener)
      }
      try await group.waitForAll()
    }
  }

  /// Writes `chunks` one by one, closes its side, and gives back all that came.
  private static func exchange(_ chunks: [[UInt8]], port: Int) async throws -> [UInt8] {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel,
            configuration: .init(isOutboundHalfClosureEnabled: true))
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      for chunk in chunks { try await outbound.write(ByteBuffer(bytes: chunk)) }
      outbound.finish()
      var all: [UInt8] = []
      for try await buffer in inbound { all += buffer.readableBytesView }
      return all
    }
  }

  private static func answers(_ bytes: [UInt8]) -> [String] {
    var decoder = MLLPFrameDecoder()
    decoder.append(bytes)
    var answers: [String] = []
    while case .message(let answer)? = decoder.next() {
      guard let (code, id) = HL7Glance.acknowledgement(answer) else { continue }
      answers.append(code + " " + String(decoding: id, as: UTF8.self))
    }
    return answers
  }

  @Test func `pipelined frames are all answered, in order and by id`() async throws {
    try await listening { port, _ in
      let messages = (0..<500).map { Self.message("ID\($0)") }
      let bytes = try await Self.exchange([messages.flatMap(MLLPFrame.encode)], port: port)
      #expect(Self.answers(bytes) == (0..<500).map { "AA ID\($0)" })
    }
    #expect(intake.taken.map(\.bytes) == (0..<500).map { Self.message("ID\($0)") })
  }

  @Test func `every split of two frames gives the same two answers`() async throws {
    let bytes = MLLPFrame.encode(Self.message("A")) + MLLPFrame.encode(Self.message("B", "REFUSE"))
    try await listening { port, _ in
      for cut in 1..<bytes.count {
        let parts = [Array(bytes[..<cut]), Array(bytes[cut...])]
        let answers = try await Self.exchange(parts, port: port)
        #expect(Self.answers(answers) == ["AA A", "AE B"], "cut at \(cut)")
      }
    }
  }

  @Test func `a refusal names the field and never the value`() async throws {
    try await listening { port, _ in
      let answer = try await Self.exchange(
        [MLLPFrame.encode(Self.message("A", "REFUSE-CANARY"))], port: port)
      let text = String(decoding: answer, as: UTF8.self)
      #expect(text.contains("PID^1^3"))
      #expect(text.contains("hl7.field-missing"))
      #expect(!text.contains("CANARY"))
    }
  }

  @Test func `a message over the limit is rejected by name, and the next is taken`() async throws {
    try await listening({ $0.messageByteCountMax = 2_000 }) { port, _ in
      let long = Self.message("LONG", String(repeating: "x", count: 200_000))
      let bytes = MLLPFrame.encode(long) + MLLPFrame.encode(Self.message("NEXT"))
      let answer = try await Self.exchange([bytes], port: port)
      #expect(Self.answers(answer) == ["AR LONG", "AA NEXT"])
      #expect(String(decoding: answer, as: UTF8.self).contains("2000 bytes"))
    }
    #expect(intake.taken.first?.fault?.code == code("mllp.message-too-long"))
    #expect((intake.taken.first?.bytes.count ?? 0) < 2_000)
  }

  @Test func `a frame that the peer cuts off is refused and kept as such`() async throws {
    try await listening { port, _ in
      let answer = try await Self.exchange(
        [Array(MLLPFrame.encode(Self.message("CUT")).dropLast(9))], port: port)
      #expect(Self.answers(answer) == ["AE CUT"])
    }
    #expect(intake.taken.map(\.fault?.code) == [code("mllp.frame-unfinished")])
  }

  @Test func `when nothing can be kept the sender is told to try later`() async throws {
    intake.state.withLock {
      $0.failure = IntakeFailure(
        reason: code("baton.outbox-full"), explanation: "Baton is full; send it again later")
    }
    try await listening { port, _ in
      let answer = try await Self.exchange([MLLPFrame.encode(Self.message("A"))], port: port)
      #expect(Self.answers(answer) == ["AE A"])
      #expect(String(decoding: answer, as: UTF8.self).contains("baton.outbox-full"))
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `frames are made durable in groups no larger than may be in flight`() async throws {
    try await listening({ $0.framesInFlightMax = 3 }) { port, _ in
      let bytes = (0..<20).flatMap { MLLPFrame.encode(Self.message("ID\($0)")) }
      let answer = try await Self.exchange([bytes], port: port)
      #expect(Self.answers(answer).count == 20)
    }
    #expect(intake.state.withLock { $0.groups }.allSatisfy { $0 <= 3 })
  }

  @Test func `one connection too many is closed without an answer`() async throws {
    try await listening({ $0.connectionCountMax = 0 }) { port, _ in
      let answer = try? await Self.exchange([MLLPFrame.encode(Self.message("A"))], port: port)
      #expect(answer?.isEmpty != false)
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a port in use is named`() async throws {
    try await listening { port, _ in
      var settings = MLLPSettings()
      settings.port = port
      let second = MLLPListener(settings, intake: FakeIntake(), logger: Logger(label: "test")) {
        Timestamp(milliseconds: 0)
      }
      let failure = await #expect(throws: SourceFailure.self) { try await second.run() }
      #expect(failure?.reason == code("mllp.port-in-use"))
      #expect(failure?.explanation.contains("\(port)") == true)
    }
  }

  @Test func `the sender matches answers by id and counts every message`() async throws {
    try await listening { port, _ in
      var messages = (0..<100).map { Self.message("ID\($0)", $0 == 7 ? "REFUSE" : "") }
      messages.append(Self.message("ID7"))  // The same id again waits for the first's answer.
      messages.append(Array("MSH|^~\\&|A|B|C|D|||ACK|X|P|2.4\rMSA|AA|1\r".utf8))
      let answers = try await MLLPSender(port: port).send(messages)
      #expect(answers.count == 102)
      #expect(answers[7]?.acknowledgement == "AE")
      #expect(answers[100]?.isAccepted == true)
      #expect(answers[101] == nil)
      #expect(answers.dropLast().filter { $0?.isAccepted == true }.count == 100)
    }
  }

  @Test func `a sender without a receiver says so`() async throws {
    let free = Mutex(0)
    try await listening { port, _ in free.withLock { $0 = port } }
    let port = free.withLock { $0 }
    await #expect(throws: MLLPSenderError.cannotConnect(host: "127.0.0.1", port: port)) {
      try await MLLPSender(port: port).send([Self.message("A")])
    }
  }

  @Test func `an answer that matches nothing outstanding is an error, never a guess`() throws {
    var exchange = MLLPExchange(messages: [Self.message("A")], window: 1)
    _ = exchange.toSend()
    let wrong = Array("MSH|^~\\&|A|B|C|D|||ACK|X|P|2.4\rMSA|AA|B\r".utf8)
    #expect(throws: MLLPSenderError.unmatchedAnswer) {
      try exchange.take(MLLPFrame.encode(wrong))
    }
  }
}
