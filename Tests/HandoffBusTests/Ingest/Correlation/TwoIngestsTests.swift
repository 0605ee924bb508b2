import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores
import KafkaClient
import TestSupport
import Testing

@testable import HandoffBus

/// Two processes that ingest into one bus, each with an outbox and keys of its own.
struct TwoIngestsTests {
  /// Two ingests with the same secrets, both open.
  private static func open() async throws -> (IngestBench, IngestBench) {
    let (log, secrets) = (FakeLog(), Secrets.generate())
    let first = try IngestBench(secrets: secrets, log: log)
    let second = try IngestBench(secrets: secrets, log: log)
    try await first.pass()
    try await second.pass()
    return (first, second)
  }

  @Test func `an answer finds the request that the other ingest took in meanwhile`() async throws {
    let (first, second) = try await Self.open()
    try await first.take(Conversation.referral())
    try await first.pass()
    try await second.take(Conversation.answer())
    try await second.pass()
    let events = try second.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted])
    #expect(events[1].patientKey == events[0].patientKey)
    #expect(events[1].handoffID == events[0].handoffID)
    await first.close()
    await second.close()
  }

  @Test func `an answer that waits goes on when the other ingest takes in its request`()
    async throws
  {
    let (first, second) = try await Self.open()
    try await second.take(Conversation.answer())
    try await second.pass()
    #expect(second.outbox.level.parkedCount == 1)
    try await first.take(Conversation.referral())
    try await first.pass()
    try await second.pass()
    #expect(second.outbox.level.parkedCount == 0)
    let events = try second.publisher.events()
    #expect(events.map(\.type) == [.handoffRequested, .accepted])
    #expect(events[1].handoffID == events[0].handoffID)
    await first.close()
    await second.close()
  }

  @Test func `what the other ingest forgets is forgotten`() async throws {
    let (first, second) = try await Self.open()
    try await first.take(Conversation.referral())
    try await first.pass()
    try await second.pass()
    let known = second.session.table.count
    #expect(known > 0)
    // By then every id is too old for the first, which says so on the topic.
    try await first.restart(later: .hours(24 * 4_000))
    try await first.pass()
    #expect(first.session.table.count == 0)
    try await second.pass()
    #expect(second.session.table.count == 0)
    await first.close()
    await second.close()
  }
}

/// What two writers of one topic leave out of what they read back.
struct OwnRecordsTests {
  private static func message(_ key: UInt8) -> KafkaMessage {
    KafkaMessage(topic: Topic.correlation.name, key: [key], value: [0])
  }

  private static func record(_ key: UInt8, offset: Int64) -> KafkaRecord {
    KafkaRecord(
      topic: Topic.correlation.name, partition: 0, offset: offset, timestampMilliseconds: 0,
      key: [key], value: [0], headers: [])
  }

  @Test func `as many records of a key are left out as were written, and no other`() {
    var own = OwnRecords()
    own.note([Self.message(1), Self.message(1), Self.message(2)])
    let read = [(1, 0), (3, 1), (1, 2), (2, 3), (1, 4), (2, 5)].map {
      Self.record($0.0, offset: $0.1)
    }
    #expect(own.others(among: read).map(\.offset) == [1, 4, 5])
    #expect(own.others(among: read).map(\.offset) == [0, 1, 2, 3, 4, 5])
  }

  /// Two writers, any interleaving on the log, any pieces in which it is read: both end with the
  /// last record of each key.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `whoever applies its own at once and then the rest ends as the log does`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var log: [KafkaRecord] = []
    var own = [OwnRecords(), OwnRecords()]
    var states: [[UInt8: Int64]] = [[:], [:]]
    var read = [0, 0]
    func follow(_ writer: Int, to end: Int) {
      for record in own[writer].others(among: Array(log[read[writer]..<end])) {
        states[writer][record.key?.first ?? 0] = record.offset
      }
      read[writer] = end
    }
    for _ in 0..<60 {
      let writer = Int.random(in: 0...1, using: &generator)
      if Bool.random(using: &generator) {
        follow(writer, to: Int.random(in: read[writer]...log.count, using: &generator))
      } else {
        let key = UInt8.random(in: 0..<4, using: &generator)
        states[writer][key] = Int64(log.count)
        own[writer].note([Self.message(key)])
        log.append(Self.record(key, offset: Int64(log.count)))
      }
    }
    var last: [UInt8: Int64] = [:]
    for record in log { last[record.key?.first ?? 0] = record.offset }
    for writer in 0...1 {
      follow(writer, to: log.count)
      #expect(states[writer] == last)
    }
  }
}
