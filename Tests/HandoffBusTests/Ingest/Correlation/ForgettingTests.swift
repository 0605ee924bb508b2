import HandoffCodecs
import HandoffCore
import HandoffStores
import KafkaClient
import Synchronization
import Testing

@testable import HandoffBus

/// Ids grow old: what is forgotten, what is not, and that a crash takes no part in it.
@Suite struct ForgettingTests {
  @Test func `old ids of handoffs go, the person's stay, and a restart agrees`() async throws {
    let bench = try IngestBench()
    try await bench.take(Conversation.referral(locals: ["PAT77^^^RTH^MR"]))
    try await bench.pass()
    let kinds = Set(try bench.publisher.entries().values.compactMap(\.kind))
    #expect(kinds == [.message, .business, .person])
    try await bench.restart(later: .hours(24 * 399))
    try await bench.pass()
    #expect(try bench.publisher.entries().count > 2)
    try await bench.restart(later: .hours(24 * 2))
    try await bench.pass()
    #expect(try bench.publisher.entries().values.allSatisfy { $0.kind == .person })
    #expect(bench.service.correlation.current.forgotten > 0)
    try await bench.restart()
    try await bench.take(Conversation.answer())
    try await bench.pass()
    #expect(bench.service.correlation.current.entries == 1)
    #expect(bench.outbox.level.parkedCount == 1)
    await bench.close()
  }

  @Test func `an id that is seen again within its time is kept`() async throws {
    let bench = try IngestBench()
    try await bench.take(Conversation.referral())
    try await bench.pass()
    try await bench.restart(later: .hours(24 * 300))
    try await bench.take(Conversation.answer(id: Conversation.ubrn + "^ERS"))
    try await bench.pass()
    try await bench.restart(later: .hours(24 * 300))
    try await bench.take(
      Conversation.submission(
        "Completed", id: "s-1",
        members: Conversation.reference("handoff", "UBRN", Conversation.ubrn)))
    try await bench.pass()
    let events = try bench.publisher.events()
    #expect(events.count == 3)
    #expect(events[2].handoffID == events[0].handoffID)
    await bench.close()
  }

  @Test func `an aborted forgetting forgets nothing`() async throws {
    let bench = try IngestBench()
    try await bench.take(Conversation.referral())
    try await bench.pass()
    try await bench.restart(later: .hours(24 * 500))
    let before = try bench.publisher.entries()
    bench.publisher.state.withLock {
      $0.failures = [KafkaError(.transport, disposition: .abortTransaction)]
    }
    await #expect(throws: KafkaError.self) { try await bench.pass() }
    #expect(try bench.publisher.entries() == before)
    #expect(bench.session.table.count == before.count)
    await bench.close()
  }

  @Test func `a full table stops ingest with its name and loses nothing, and room is made first`()
    async throws
  {
    var limits = IngestLimits()
    limits.correlation.entryCountMax = 10
    let bench = try IngestBench(limits: limits)
    var count = 0
    repeat {
      count += 1
      try await bench.take(Conversation.referral(message: "M\(count)", id: "\(count)^ERS"))
      try await bench.pass()
    } while !bench.session.table.isFull
    try await bench.take(Conversation.referral(message: "M0", id: "0^ERS"))
    let error = await #expect(throws: KafkaError.self) { try await bench.pass() }
    #expect(error?.code == .queueFull)
    #expect(bench.outbox.level.rowCount == 1)
    let warned = bench.logLines.all.withLock { $0.contains { $0.contains("correlation-filling") } }
    #expect(warned)
    // What is live is never pushed out; once it has grown old, it makes room.
    try await bench.restart(later: .hours(24 * 500))
    try await bench.pass()
    #expect(bench.outbox.level.rowCount == 0)
    #expect(try bench.publisher.events().count == count + 1)
    await bench.close()
  }
}
