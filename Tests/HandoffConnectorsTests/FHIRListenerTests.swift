import Foundation
import HandoffCodecs
import HandoffCore
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HandoffConnectors

struct FHIRListenerTests {
  let intake = FakeIntake()

  static let id = "3f2a7c1e-1111-4222-8333-944445555666"
  static let conversation = "AAAAAAAA-1111-4222-8333-944445555666"

  /// A message Bundle with `text` in it, for the judgement of the fake intake.
  static func bundle(_ text: String = "x") -> String {
    """
    {"resourceType":"Bundle","id":"b-1","type":"message","note":"\(text)","entry":[{"resource":\
    {"resourceType":"MessageHeader","eventCoding":{"system":"urn:s","code":"servicerequest-request"}}}]}
    """
  }

  static func post(
    _ body: String, to path: String = "/$process-message", id: String? = FHIRListenerTests.id,
    method: String = "POST", _ more: [String: String] = [:]
  ) -> [UInt8] {
    var fields = ["Content-Type": "application/fhir+json"]
    fields["X-Request-ID"] = id
    for (name, value) in more { fields[name] = value }
    return RawHTTP.request("\(method) \(path)", fields, body: body)
  }

  func listening(
    _ change: (inout FHIRSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (Int, FHIRListener) async throws -> Void
  ) async throws {
    var settings = FHIRSettings()
    settings.port = 0
    // A busy machine is not a slow intake.
    settings.answerTimeout = .seconds(600)
    change(&settings)
    let listener = FHIRListener(settings, intake: intake, logger: Logger(label: "test")) {
      Timestamp(milliseconds: 1_767_225_600_000)
    }
    let (ports, isListening) = AsyncStream<Int>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await listener.run { isListening.yield($0) } }
      group.addTask {
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        do {
          try await body(port, listener)
        } catch {
          await listener.stop()
          throw error
        }
        await listener.stop()
      }
      try await group.waitForAll()
    }
  }

  @Test func `a message is answered by a header that claims transport and nothing more`()
    async throws
  {
    try await listening { port, _ in
      let answer = try await RawHTTP.send(
        Self.post(Self.bundle(), ["X-Correlation-ID": Self.conversation]), port: port)
      #expect(answer.status == 200)
      #expect(answer.fields["content-type"] == "application/fhir+json; charset=utf-8")
      #expect(answer.fields["cache-control"] == "no-store")
      #expect(answer.fields["x-request-id"] == Self.id)
      #expect(answer.fields["x-correlation-id"] == Self.conversation.lowercased())
      #expect(answer.body.contains(#""identifier":"b-1""#))
      #expect(answer.body.contains("no acceptance of the work"))
      #expect(!answer.body.contains("servicerequest-response"))
      // Read by our own mapper, the answer is neither receipt nor acceptance.
      for frame in FrameMapper().map(Array(answer.body.utf8)) {
        if case .mapped(let message) = frame.outcome {
          Issue.record("the answer reads as \(message.facts)")
        }
      }
    }
    let arrival = try #require(intake.taken.first)
    #expect(arrival.bytes == Array(Self.bundle().utf8))
    #expect(arrival.transport?.requestID == Self.id)
    #expect(arrival.transport?.correlationID == Self.conversation.lowercased())
    #expect(arrival.request == RequestIdentity(id: Self.id, target: "POST $process-message"))
  }

  @Test(arguments: [
    ("POST", "/Task", "Task", "t-1"), ("POST", "/ServiceRequest", "ServiceRequest", "s-1"),
    ("PUT", "/Task/t-1", "Task", "t-1"), ("PUT", "/ServiceRequest/s-1", "ServiceRequest", "s-1"),
  ])
  func `a resource is answered as stored, not as created`(
    method: String, path: String, type: String, id: String
  ) async throws {
    try await listening { port, _ in
      let body = #"{"resourceType":"\#(type)","id":"\#(id)"}"#
      let answer = try await RawHTTP.send(
        Self.post(body, to: path, id: nil, method: method), port: port)
      #expect(answer.status == 202)
      #expect(answer.fields["location"] == nil)
      #expect(try answer.issue().code == "informational")
    }
    #expect(intake.taken.count == 1)
    #expect(intake.taken.first?.request == nil)
  }

  /// Requests that are refused before anything is taken in.
  static let refused: [(String, [UInt8], Int, String)] = [
    ("path", post("{}", to: "/Patient"), 404, "REC_NOT_FOUND"),
    ("id", post("{}", to: "/Task/a%20b", method: "PUT"), 404, "REC_NOT_FOUND"),
    ("method", post("{}", to: "/metadata"), 405, "REC_METHOD_NOT_ALLOWED"),
    ("delete", post("{}", to: "/Task/1", method: "DELETE"), 405, "REC_METHOD_NOT_ALLOWED"),
    ("accept", post("{}", ["Accept": "text/html"]), 406, "REC_NOT_ACCEPTABLE"),
    ("accept q", post("{}", ["Accept": "application/fhir+json;q=0"]), 406, "REC_NOT_ACCEPTABLE"),
    (
      "turtle", post("<a> <b> <c> .", ["Content-Type": "application/fhir+turtle"]), 415,
      "REC_UNSUPPORTED_MEDIA_TYPE"
    ),
    (
      "gzip", post("{}", ["Content-Encoding": "gzip"]), 415, "REC_UNSUPPORTED_MEDIA_TYPE"
    ),
    (
      "charset", post("{}", ["Content-Type": "application/json; charset=utf-16"]), 415,
      "REC_UNSUPPORTED_MEDIA_TYPE"
    ),
    ("no id", post(bundle(), id: nil), 400, "REC_BAD_REQUEST"),
    ("bad id", post(bundle(), id: "canary-1"), 400, "REC_BAD_REQUEST"),
    ("bad conversation", post(bundle(), ["X-Correlation-ID": "canary"]), 400, "REC_BAD_REQUEST"),
    ("bad target", post(bundle(), ["NHSD-Target-Identifier": "canary"]), 400, "REC_BAD_REQUEST"),
  ]

  @Test(arguments: refused.map(\.0))
  func `what cannot be taken is refused in an OperationOutcome, and not kept`(
    name: String
  ) async throws {
    let (_, request, status, bars) = try #require(Self.refused.first { $0.0 == name })
    try await listening { port, _ in
      let answer = try await RawHTTP.send(request, port: port)
      #expect(answer.status == status)
      #expect(try answer.issue().bars == bars)
      #expect(!answer.body.contains("canary"))
      if status == 405 { #expect(answer.fields["allow"] != nil) }
    }
    #expect(intake.taken.isEmpty)
  }

  /// Bodies that are kept as dead letters, and their senders told.
  @Test(arguments: [
    ("not json at all, canary", 400, "REC_BAD_REQUEST"),
    ("", 400, "REC_BAD_REQUEST"),
    (#"{"resourceType":"Bundle","a":1"#, 400, "REC_BAD_REQUEST"),
    (#"{"specversion":"1.0","data":"canary"}"#, 400, "REC_BAD_REQUEST"),
    (#"{"resourceType":"Task","id":"canary"}"#, 400, "REC_BAD_REQUEST"),
    (#"{"resourceType":"Bundle"}"# + "\n" + #"{"resourceType":"Bundle"}"#, 400, "REC_BAD_REQUEST"),
    (bundle("REFUSE canary"), 422, "REC_UNPROCESSABLE_ENTITY"),
  ])
  func `a body that means nothing here is kept and its sender told why, without its content`(
    body: String, status: Int, bars: String
  ) async throws {
    try await listening { port, _ in
      let answer = try await RawHTTP.send(Self.post(body), port: port)
      #expect(answer.status == status)
      #expect(try answer.issue().bars == bars)
      #expect(!answer.body.contains("canary"))
    }
    #expect(intake.taken.count == 1)
    #expect(intake.taken.first?.bytes == Array(body.utf8))
  }

  @Test func `the same request again is a duplicate, another under its id a conflict`()
    async throws
  {
    try await listening { port, _ in
      let first = try await RawHTTP.send(Self.post(Self.bundle()), port: port)
      let again = try await RawHTTP.send(
        Self.post(Self.bundle(), id: Self.id.uppercased()), port: port)
      let other = try await RawHTTP.send(Self.post(Self.bundle("other")), port: port)
      #expect(first.status == 200 && again.status == 409 && other.status == 409)
      #expect(try again.issue().code == "duplicate")
      #expect(try other.issue().code == "conflict")
      #expect(try again.issue().bars == "REC_CONFLICT")
    }
    #expect(intake.taken.count == 1)
  }

  @Test func `while a write is slow its sender hears 408, and its repeat 425, then 409`()
    async throws
  {
    let (gate, open) = AsyncStream<Void>.makeStream()
    let (ends, end) = AsyncStream<Void>.makeStream()
    intake.state.withLock {
      $0.hold = {
        for await _ in gate {}
        end.yield()
      }
    }
    try await listening({ $0.answerTimeout = .milliseconds(50) }) { port, listener in
      let slow = try await RawHTTP.exchange(
        [
          Array(
            String(decoding: Self.post(Self.bundle()), as: UTF8.self)
              .replacing("Connection: close\r\n", with: "").utf8)
        ], port: port, untilByte: UInt8(ascii: "}"))
      let timeout = try RawHTTP.answer(slow)
      #expect(timeout.status == 408)
      #expect(listener.requestCount == 1)
      let early = try await RawHTTP.send(Self.post(Self.bundle()), port: port)
      #expect(early.status == 425)
      #expect(try early.issue().bars == "REC_TOO_EARLY")
      #expect(early.fields["retry-after"] != nil)
      open.finish()
      var iterator = ends.makeAsyncIterator()
      await iterator.next()
      intake.state.withLock { $0.hold = nil }
      var late = early
      // The write has ended; the desk learns of it a moment later.
      while late.status == 425 {
        late = try await RawHTTP.send(Self.post(Self.bundle()), port: port)
      }
      #expect(late.status == 409)
      #expect(try late.issue().code == "duplicate")
    }
    #expect(intake.taken.count == 1)
  }

  @Test(arguments: [("baton.outbox-full", 429), ("baton.disk-full", 503), ("baton.closing", 503)])
  func `when nothing can be kept the sender is told when to come again`(
    reason: String, status: Int
  ) async throws {
    let failed = try #require(Code(reason))
    intake.state.withLock {
      $0.failure = IntakeFailure(reason: failed, explanation: "not taken in; send it again later")
    }
    try await listening { port, _ in
      let answer = try await RawHTTP.send(Self.post(Self.bundle()), port: port)
      #expect(answer.status == status)
      #expect(answer.fields["retry-after"] == "30")
      #expect(try answer.issue().diagnostics.contains(reason))
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a body over the limit is refused at its announcement, or where it passes it`()
    async throws
  {
    try await listening({ $0.messageByteCountMax = 1_000 }) { port, _ in
      let long = Self.bundle(String(repeating: "x", count: 5_000))
      let announced = try await RawHTTP.send(Self.post(long), port: port)
      #expect(announced.status == 413)
      let head = """
        POST /$process-message HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-ID: \(Self.id)\r
        Content-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n
        """
      let chunked = head + "400\r\n" + String(repeating: "x", count: 0x400) + "\r\n0\r\n\r\n"
      let passed = try await RawHTTP.send(Array(chunked.utf8), port: port)
      #expect(passed.status == 413)
      #expect(try passed.issue().bars == "REC_PAYLOAD_TOO_LARGE")
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a body that does not arrive in time is refused, and nothing of it is kept`()
    async throws
  {
    try await listening({ $0.requestTimeout = .milliseconds(100) }) { port, listener in
      let whole = Self.post(Self.bundle())
      let answer = try await RawHTTP.send(Array(whole.dropLast(9)), port: port)
      #expect(answer.status == 408)
      #expect(try answer.issue().bars == "REC_TIMEOUT")
      #expect(listener.requestCount == 0)
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `a head that trickles in ends with the idle time`() async throws {
    try await listening({ $0.idleTimeout = .milliseconds(100) }) { port, _ in
      // The closing may come as a reset.
      let answer = try? await RawHTTP.exchange([Array("POST /Task HT".utf8)], port: port)
      #expect(answer?.isEmpty != false)
    }
  }

  @Test func `requests and connections beyond the limits are turned away`() async throws {
    try await listening({ $0.requestsInFlightMax = 0 }) { port, _ in
      let answer = try await RawHTTP.send(Self.post(Self.bundle()), port: port)
      #expect(answer.status == 429)
      #expect(answer.fields["retry-after"] == "30")
    }
    try await listening({ $0.connectionCountMax = 0 }) { port, _ in
      let answer = try? await RawHTTP.exchange([Self.post(Self.bundle())], port: port)
      #expect(answer?.isEmpty != false)
    }
    #expect(intake.taken.isEmpty)
  }

  @Test func `the capability statement says what is taken and that nothing can be read`()
    async throws
  {
    try await listening { port, _ in
      let answer = try await RawHTTP.send(RawHTTP.request("GET /metadata?_format=json"), port: port)
      #expect(answer.status == 200)
      let statement = try answer.json()
      #expect(statement["resourceType"] as? String == "CapabilityStatement")
      #expect(statement["fhirVersion"] as? String == "4.0.1")
      let rest = (statement["rest"] as? [[String: Any]])?.first
      let resources = rest?["resource"] as? [[String: Any]] ?? []
      #expect(resources.compactMap { $0["type"] as? String } == FHIRRoute.resourceTypes)
      let codes = resources.flatMap { $0["interaction"] as? [[String: Any]] ?? [] }
        .compactMap { $0["code"] as? String }
      #expect(Set(codes) == ["create", "update"])
    }
  }

  @Test func `requests on one connection are answered one after another`() async throws {
    try await listening { port, _ in
      let keep = String(decoding: Self.post(Self.bundle("one")), as: UTF8.self)
        .replacing("Connection: close\r\n", with: "")
      let last = Self.post(
        Self.bundle("two"), id: "3f2a7c1e-1111-4222-8333-944445555667")
      let answers = try await RawHTTP.exchange([Array(keep.utf8) + last], port: port)
      let text = String(decoding: answers, as: UTF8.self)
      #expect(text.components(separatedBy: "HTTP/1.1 200").count == 3)
    }
    #expect(intake.texts == [Self.bundle("one"), Self.bundle("two")])
  }

  @Test(.enabled(if: TestAuthority.isAvailable, "\(TestAuthority.skipReason)"))
  func `over mutual TLS a request speaks for the organisation of its client`() async throws {
    let authority = try TestAuthority()
    let server = try authority.issue("server", names: ["DNS:localhost"])
    let own = try authority.issue("pas", names: ["DNS:pas.example"])
    let stranger = try authority.issue("stranger", names: ["DNS:stranger.example"])
    let rth = try #require(ODSCode("RTH"))
    var tls = TLSSettings(certificate: server.certificate, key: server.key)
    tls.clientCA = authority.certificate
    tls.clients = ["pas.example": rth]
    try await listening({ $0.tls = tls }) { port, _ in
      let ca = authority.certificate
      let taken = try await RawHTTP.send(
        Self.post(Self.bundle()), port: port, authority: ca, own: own)
      #expect(taken.status == 200)
      let refused = try await RawHTTP.send(
        Self.post(Self.bundle()), port: port, authority: ca, own: stranger)
      #expect(refused.status == 403)
      #expect(try refused.issue().bars == "REC_FORBIDDEN")
      await #expect(throws: (any Error).self) {
        try await RawHTTP.send(Self.post(Self.bundle()), port: port, authority: ca)
      }
    }
    #expect(intake.taken.map(\.principal) == [rth])
  }

  @Test func `a stop answers what is under way`() async throws {
    let (gate, open) = AsyncStream<Void>.makeStream()
    let (begun, begin) = AsyncStream<Void>.makeStream()
    intake.state.withLock {
      $0.hold = {
        begin.yield()
        for await _ in gate {}
      }
    }
    try await listening { port, listener in
      try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask { try await RawHTTP.send(Self.post(Self.bundle()), port: port).status }
        var iterator = begun.makeAsyncIterator()
        await iterator.next()
        try await withThrowingTaskGroup(of: Void.self) { stopping in
          stopping.addTask { await listener.stop() }
          open.finish()
          try await stopping.waitForAll()
        }
        #expect(try await group.next() == 200)
      }
    }
    #expect(intake.taken.count == 1)
  }
}
