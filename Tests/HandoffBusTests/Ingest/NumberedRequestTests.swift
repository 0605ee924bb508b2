import HandoffCodecs
import HandoffConnectors
import HandoffCore
import Testing

@testable import HandoffBus

/// Requests with a number and headers of their own, from the intake to the event.
struct NumberedRequestTests {
  private static func arrival(
    _ text: String, id: String = "r-1", conversation: String? = nil, principal: ODSCode? = nil
  ) -> Arrival {
    var arrival = Arrival(bytes: Array(text.utf8), principal: principal)
    arrival.transport = TransportHeaders(requestID: id, correlationID: conversation)
    arrival.request = RequestIdentity(id: id, target: "POST $process-message")
    return arrival
  }

  private static func outcome(_ reception: Reception?) -> String {
    switch reception?.outcome {
    case .refused(let error)?: "refused \(error.code)"
    case .mapped?: reception?.repeated.map { "repeated \($0)" } ?? "taken"
    default: "nothing"
    }
  }

  @Test func `a repeat is known after a restart, and by its sender, target and content`()
    async throws
  {
    let bench = try IngestBench()
    func take(_ arrival: Arrival) async throws -> String {
      Self.outcome(try await bench.intake.take([arrival], of: nil).first)
    }
    let request = Self.arrival(Sample.request())
    #expect(try await take(request) == "taken")
    #expect(try await take(request) == "repeated same")
    try await bench.pass()
    try await bench.restart()
    #expect(try await take(request) == "repeated same")
    #expect(try await take(Self.arrival(Sample.request(id: "M2"))) == "repeated other")
    var elsewhere = request
    elsewhere.request?.target = "POST Task"
    #expect(try await take(elsewhere) == "repeated other")
    // Another sender counts for itself.
    let other = Self.arrival(Sample.request(), principal: ODSCode("RTH"))
    #expect(try await take(other) == "taken")
    try await bench.pass()
    #expect(try bench.publisher.events().count == 2)
    await bench.close()
  }

  @Test func `a refused request leaves its number free`() async throws {
    let bench = try IngestBench { $0.speaksFor = .only([]) }
    let request = Self.arrival(Sample.request())
    for _ in 0..<2 {
      let reception = try await bench.intake.take([request], of: nil).first
      #expect(Self.outcome(reception) == "refused organisation.not-allowed")
    }
    await bench.close()
  }

  @Test func `the headers of a request are the message's id and its conversation`() async throws {
    let bench = try IngestBench()
    let receptions = try await bench.intake.take(
      [Self.arrival(Sample.request(), conversation: "c-1")], of: nil)
    #expect(receptions.count == 1)
    _ = try await bench.intake.take(
      [Self.arrival(Sample.request(), id: "r-2", conversation: "c-1")], of: nil)
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.count == 2)
    #expect(events[0].conversationID != nil)
    #expect(events[0].conversationID == events[1].conversationID)
    // The same bytes under another number are another message with the same content.
    #expect(events[0].id != events[1].id)
    #expect(events[0].contentMac == events[1].contentMac)
    await bench.close()
  }

  @Test func `a connection speaks for its principal, whatever else the connector may`() async throws
  {
    let bench = try IngestBench { $0.speaksFor = .any }
    let message = Sample.request()
    for (code, expected) in [("RTH", "taken"), ("RXQ", "refused organisation.not-allowed")] {
      let arrival = Self.arrival(message, id: code, principal: ODSCode(code))
      #expect(Self.outcome(try await bench.intake.take([arrival], of: nil).first) == expected)
    }
    await bench.close()
  }
}
