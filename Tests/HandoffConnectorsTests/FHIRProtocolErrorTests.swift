import Foundation
import TestSupport
import Testing

@testable import HandoffConnectors

/// What is refused before a request of ours is there: by the HTTP library, in FHIR's terms.
@Suite struct `What is no HTTP request` {
  private let tests = FHIRListenerTests()

  /// Name, what is sent, status, and the code of the issue.
  static let refused: [(String, String, Int, String)] = [
    ("HL7", "MSH|^~\\&|canary|B\r\r\n\r\n", 501, "not-supported"),
    (
      "a method that HTTP does not know", "HANDOVER /Task HTTP/1.1\r\nHost: a\r\n\r\n", 501,
      "not-supported"
    ),
    ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "structure"),
    ("a version that is none", "GET /metadata HTTP/9.7\r\nHost: a\r\n\r\n", 505, "not-supported"),
    ("a field without a colon", "GET /metadata HTTP/1.1\r\ncanary\r\n\r\n", 400, "structure"),
    (
      "a field with a blank in its name", "GET /metadata HTTP/1.1\r\nX canary: 1\r\n\r\n", 400,
      "structure"
    ),
    (
      "a length that is none", "POST /Task HTTP/1.1\r\nHost: a\r\nContent-Length: canary\r\n\r\n",
      400, "value"
    ),
    (
      "two lengths",
      "POST /Task HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{", 400,
      "value"
    ),
    (
      "a head over the limit",
      "GET /metadata HTTP/1.1\r\nX-Long: \(String(repeating: "x", count: 10_000))\r\n\r\n", 431,
      "too-long"
    ),
    (
      "a path over the limit",
      "GET /\(String(repeating: "x", count: 100_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 431,
      "too-long"
    ),
    (
      "too many fields",
      "GET /metadata HTTP/1.1\r\n\((0..<200).map { "X-\($0): 1\r\n" }.joined())\r\n", 431,
      "too-long"
    ),
  ]

  @Test(arguments: refused.map(\.0))
  func `is answered with an OperationOutcome, and ends the connection`(name: String) async throws {
    let (_, text, status, issue) = try #require(Self.refused.first { $0.0 == name })
    try await tests.listening({ $0.headerByteCountMax = 2_000 }) { port, _ in
      let answer = try await RawHTTP.send(Array(text.utf8), port: port)
      #expect(answer.status == status)
      #expect(try answer.issue().code == issue)
      #expect(answer.fields["content-type"] == "application/fhir+json; charset=utf-8")
      #expect(answer.fields["connection"] == "close")
      #expect(!answer.body.contains("canary"))
    }
    #expect(tests.intake.taken.isEmpty)
  }

  @Test func `behind a good request is answered after it`() async throws {
    try await tests.listening { port, _ in
      let good = String(decoding: FHIRListenerTests.post(FHIRListenerTests.bundle()), as: UTF8.self)
        .replacing("Connection: close\r\n", with: "")
      let both = try await RawHTTP.exchange(
        [Array((good + "MSH|^~\\&|A|B\r\r\n\r\n").utf8)], port: port)
      let text = String(decoding: both, as: UTF8.self)
      let first = try #require(text.range(of: "HTTP/1.1 200"))
      let second = try #require(text.range(of: "HTTP/1.1 501"))
      #expect(first.lowerBound < second.lowerBound)
      #expect(text[second.upperBound...].contains("OperationOutcome"))
    }
    #expect(tests.intake.taken.count == 1)
  }

  @Test func `any bytes at all are answered, or the connection is closed`() async throws {
    var random = SeededGenerator(seed: 7)
    let noise = (0..<60).map { _ in
      (0..<Int.random(in: 1...200, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      } + Array("\r\n\r\n".utf8)
    }
    try await tests.listening { port, _ in
      for bytes in noise {
        let answer = try await RawHTTP.send(bytes, port: port)
        #expect((400...599).contains(answer.status))
        #expect(try answer.json()["resourceType"] as? String == "OperationOutcome")
      }
    }
    #expect(tests.intake.taken.isEmpty)
  }
}
