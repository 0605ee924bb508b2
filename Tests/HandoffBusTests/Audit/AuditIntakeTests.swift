import HandoffCore
import HandoffStores
import KafkaClient
import Testing

@testable import HandoffBus

private let log = AuditLogName(topic: "handoff.events.v1", partition: 2)

private func partition(
  next: Int64, beginning: Int64 = 0, end: Int64, isCompacted: Bool = false
) -> AuditIntake.Partition {
  AuditIntake.Partition(
    log: log, nextOffset: next, beginning: beginning, end: end, isCompacted: isCompacted)
}

private func batch(_ offsets: [Int64], truncations: [KafkaTruncation] = []) -> KafkaBatch {
  KafkaBatch(
    records: offsets.map {
      KafkaRecord(
        topic: log.topic, partition: log.partition, offset: $0, timestampMilliseconds: 5,
        key: [1], value: [2], headers: [KafkaHeader("a", nil), KafkaHeader("b", "x")])
    }, truncations: truncations)
}

@Suite struct AuditIntakeTests {
  @Test(
    arguments: [
      (next: 0, beginning: 0, end: 0, start: 0), (next: 0, beginning: 40, end: 90, start: 40),
      (next: 10, beginning: 0, end: 10, start: 9), (next: 10, beginning: 9, end: 50, start: 9),
      (next: 10, beginning: 10, end: 50, start: 10),
    ] as [(next: Int64, beginning: Int64, end: Int64, start: Int64)])
  func `reading begins at the last logged record, or where the topic does`(
    next: Int64, beginning: Int64, end: Int64, start: Int64
  ) throws {
    let intake = try AuditIntake([partition(next: next, beginning: beginning, end: end)])
    #expect(
      intake.start == [KafkaPartitionOffset(topic: log.topic, partition: 2, offset: start)])
  }

  @Test func `a topic that ends before what was logged is truncated`() {
    #expect {
      try AuditIntake([partition(next: 10, end: 9)])
    } throws: { error in
      guard case AuditServiceError.truncated(log, 10, 9) = error else { return false }
      return "\(error)".contains("handoff.events.v1, partition 2")
    }
  }

  @Test func `records deleted before they were logged are not passed over`() throws {
    #expect(throws: AuditServiceError.self) {
      try AuditIntake([partition(next: 10, beginning: 11, end: 50)])
    }
    // Compaction deletes what newer records replace: that is not loss.
    let intake = try AuditIntake([partition(next: 10, beginning: 11, end: 50, isCompacted: true)])
    #expect(intake.start.map(\.offset) == [11])
  }

  @Test func `the last logged record must come first when reading is taken up again`() throws {
    var intake = try AuditIntake([partition(next: 10, end: 50)])
    #expect(try intake.records(of: batch([9, 10, 12])).map(\.offset) == [9, 10, 12])
    #expect(try intake.records(of: batch([20])).map(\.offset) == [20])
    var other = try AuditIntake([partition(next: 10, end: 50)])
    #expect(throws: AuditServiceError.self) { try other.records(of: batch([10])) }
  }

  @Test func `a log that goes back while it is read stops the intake`() throws {
    var intake = try AuditIntake([partition(next: 0, end: 50)])
    let truncation = KafkaTruncation(
      KafkaTopicPartition(topic: log.topic, partition: 2), expected: 30, found: 12)
    #expect {
      try intake.records(of: batch([12], truncations: [truncation]))
    } throws: { error in
      guard case AuditServiceError.truncated(log, 30, 12) = error else { return false }
      return true
    }
  }

  @Test func `every part of a record is taken as it is`() throws {
    var intake = try AuditIntake([partition(next: 0, end: 1)])
    #expect(
      try intake.records(of: batch([0])) == [
        AuditRecord(
          log: log, offset: 0, brokerTimeMs: 5, key: [1],
          headers: [
            LoggedHeader(name: "a", value: nil), LoggedHeader(name: "b", value: Array("x".utf8)),
          ], value: [2])
      ])
  }

  @Test func `a checkpoint is due after the interval or after enough records`() {
    var configuration = AuditServiceConfiguration(kafka: KafkaConfiguration(bootstrapServers: []))
    configuration.checkpointInterval = .seconds(10)
    configuration.checkpointRecordCountMax = 100
    let start = ContinuousClock.now
    var pace = CheckpointPace(configuration, now: start)
    pace.count(99)
    #expect(!pace.isDue(at: start + .seconds(9)))
    #expect(pace.isDue(at: start + .seconds(10)))
    pace.count(1)
    #expect(pace.isDue(at: start))
    pace.signed(at: start + .seconds(1))
    #expect(!pace.isDue(at: start + .seconds(10)))
  }
}
