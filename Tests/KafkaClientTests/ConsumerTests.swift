import Testing

@testable import KafkaClient

@Suite struct ConsumerTests {
  @Test func `a batch ends at its count, its bytes or its time, and an idle one is empty`()
    async throws
  {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(10))
    let reader = try KafkaReader(mock.configuration())
    try await reader.assign(beginnings("events"))
    var sizes: [Int] = []
    let limits = KafkaBatchLimits(
      countMax: 4, waitMax: .milliseconds(500), idleMax: .milliseconds(100))
    for try await batch in reader.batches(limits) {
      // Until the first fetch, batches may be empty too.
      if !batch.records.isEmpty || !sizes.isEmpty { sizes.append(batch.records.count) }
      if sizes.last == 0 { break }
    }
    #expect(sizes == [4, 4, 2, 0])

    try await reader.assign(beginnings("events"))
    for try await batch in reader.batches(.init(byteCountMax: 9)) {
      // Four bytes a record: the third one goes over the limit.
      #expect(batch.records.count == 3)
      break
    }
    #expect(await reader.close() == .closed)
    #expect(await producer.close() == .closed)
  }

  @Test func `who does not ask for batches stops the flow into memory`() async throws {
    let mock = try Mock()
    // The mock answers with whole batches: one of forty messages would be no overflow of ours.
    let producer = try KafkaProducer(
      mock.configuration(["compression.type": "none", "batch.num.messages": "1"]))
    let large = [UInt8](repeating: 1, count: 20_000)
    _ = try await producer.send(
      (0..<40).map { _ in
        KafkaMessage(topic: "events", partition: 0, key: nil, value: large)
      })
    var configuration = mock.configuration([
      "queued.max.messages.kbytes": "100", "fetch.message.max.bytes": "40000",
    ])
    configuration.statisticsInterval = .milliseconds(50)
    let reader = try KafkaReader(configuration)
    try await reader.assign(beginnings("events"))
    var records = try await take(1, from: reader.batches(.init(countMax: 1))).count
    // While nobody asks, another reads everything twice: time enough to fetch it all.
    let other = try KafkaReader(mock.configuration())
    for _ in 0..<2 {
      try await other.assign(beginnings("events"))
      #expect(try await take(40, from: other.batches()).count >= 40)
    }
    var byteCountMax = Int64(0)
    for try await batch in reader.batches(.init(countMax: 1)) {
      records += batch.records.count
      let held = reader.statistics?.partitions.first?.fetchedByteCount ?? 0
      byteCountMax = max(byteCountMax, held)
      if records >= 40 { break }
    }
    #expect(records == 40)
    // As much as is allowed, and the fetch that went over it.
    #expect(byteCountMax > 0)
    #expect(byteCountMax <= 100 * 1024 + 40_000)
    #expect(await other.close() == .closed)
    #expect(await reader.close() == .closed)
    #expect(await producer.close() == .closed)
  }

  @Test func `no partition moves to a second member before the revoke hook has returned`()
    async throws
  {
    let mock = try Mock(partitions: 2)
    let journal = Journal()
    let first = try mock.consumer(
      hooks: .init(
        onAssigned: { partitions in
          journal.add("first has \(partitions.count)")
          return []
        },
        onRevoked: { partitions in
          journal.add("first gives up \(partitions.count)")
          // Long enough for the second member to take over, were it allowed to.
          for _ in 0..<1000 { await Task.yield() }
          journal.add("first has given up")
        }))
    for try await _ in first.batches(.init(idleMax: .milliseconds(20)))
    where first.assignment.count == 2 { break }
    let second = try mock.consumer(
      hooks: .init(onAssigned: { partitions in
        journal.add("second has \(partitions.count)")
        return []
      }))
    let limits = KafkaBatchLimits(idleMax: .milliseconds(20))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for member in [first, second] {
        group.addTask {
          for try await _ in member.batches(limits)
          where first.assignment.count == 1 && second.assignment.count == 1 { return }
        }
      }
      try await group.waitForAll()
    }
    let entries = journal.entries
    let givenUp = try #require(entries.firstIndex(of: "first has given up"))
    let taken = try #require(entries.firstIndex(of: "second has 1"))
    #expect(entries.first == "first has 2")
    #expect(givenUp < taken)
    #expect(await first.close() == .closed)
    #expect(await second.close() == .closed)
  }

  @Test func `an assignment starts where the hook says, and commits are kept for the next member`()
    async throws
  {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(10))
    let consumer = try mock.consumer(
      instance: "one",
      hooks: .init(onAssigned: { $0.map { KafkaPartitionOffset($0, offset: 4) } }))
    let records = try await take(6, from: consumer.batches())
    #expect(records.map(\.offset) == Array(4...9))
    let partition = KafkaTopicPartition(topic: "events", partition: 0)
    #expect(try await consumer.committed([partition]).isEmpty)
    try await consumer.commit([KafkaPartitionOffset(partition, offset: 7)])
    #expect(try await consumer.committed([partition]).map(\.offset) == [7])
    #expect(try consumer.position([partition]).map(\.offset) == [10])
    #expect(
      try await consumer.watermarks([partition]) == [partition: KafkaWatermarks(low: 0, high: 10)])
    #expect(await consumer.close() == .closed)

    let next = try mock.consumer(instance: "one")
    #expect(try await take(3, from: next.batches()).map(\.offset) == [7, 8, 9])
    #expect(await next.close() == .closed)
    #expect(await producer.close() == .closed)
  }

  @Test func `rewinding reads the same records again and is no truncation`() async throws {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(20))
    let consumer = try mock.consumer()
    #expect(try await take(20, from: consumer.batches()).count == 20)
    try await consumer.rewind(to: [KafkaPartitionOffset(topic: "events", partition: 0, offset: 15)])
    var again: [Int64] = []
    for try await batch in consumer.batches() {
      #expect(batch.truncations.isEmpty)
      again += batch.records.map(\.offset)
      if again.count >= 5 { break }
    }
    #expect(again == [15, 16, 17, 18, 19])
    #expect(await consumer.close() == .closed)
    #expect(await producer.close() == .closed)
  }

  @Test func `a paused partition yields nothing until it is resumed, and nothing twice`()
    async throws
  {
    let mock = try Mock(partitions: 2)
    let producer = try KafkaProducer(mock.configuration())
    let paused = KafkaTopicPartition(topic: "events", partition: 1)
    let consumer = try mock.consumer()
    for try await _ in consumer.batches(.init(idleMax: .milliseconds(20)))
    where consumer.assignment.count == 2 { break }
    try consumer.pause([paused])
    _ = try await producer.send(messages(5, partition: 0) + messages(5, partition: 1))
    #expect(try await take(5, from: consumer.batches()).map(\.partition) == [0, 0, 0, 0, 0])
    // Trap 6: resuming partition 0, which is not paused, must not repeat its records.
    try consumer.resume([paused, KafkaTopicPartition(topic: "events", partition: 0)])
    var rest: [KafkaRecord] = []
    for try await batch in consumer.batches(.init(idleMax: .milliseconds(1500))) {
      rest += batch.records
      if batch.isEmpty { break }
    }
    #expect(rest.map(\.partition) == [1, 1, 1, 1, 1])
    #expect(await consumer.close() == .closed)
    #expect(await producer.close() == .closed)
  }

  @Test func `a hook that fails ends the batches with its error and leaves nothing assigned`()
    async throws
  {
    struct Refused: Error {}
    let mock = try Mock()
    let consumer = try mock.consumer(hooks: .init(onAssigned: { _ in throw Refused() }))
    let error = await #expect(throws: KafkaError.self) {
      _ = try await take(1, from: consumer.batches())
    }
    #expect(error?.code == .hookFailed)
    #expect(error?.underlying is Refused)
    #expect(consumer.assignment.isEmpty)
    #expect(await consumer.close() == .closed)
  }

  @Test func `errors the broker answers to Fetch are survived`() async throws {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(50))
    try mock.cluster.pushRequestErrors([.notLeader, .requestTimedOut], into: .fetch, broker: 1)
    let reader = try KafkaReader(mock.configuration())
    try await reader.assign(beginnings("events"))
    #expect(try await take(50, from: reader.batches()).map(\.offset) == Array(0..<50))
    #expect(try mock.cluster.pendingRequestErrors(.fetch, broker: 1) == 0)
    #expect(await reader.close() == .closed)
    #expect(await producer.close() == .closed)
  }

  @Test
  func `closing ends the batches, runs the revoke hook and is bounded with every broker down`()
    async throws
  {
    let mock = try Mock()
    let journal = Journal()
    let consumer = try mock.consumer(
      hooks: .init(onRevoked: { _ in journal.add("revoked") }, onLost: { _ in journal.add("lost") })
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
      let (assigned, signal) = AsyncStream.makeStream(of: Void.self)
      group.addTask {
        for try await _ in consumer.batches(.init(idleMax: .milliseconds(20)))
        where !consumer.assignment.isEmpty { signal.finish() }
        journal.add("ended")
      }
      for await _ in assigned {}
      try mock.cluster.setBroker(1, isUp: false)
      let start = ContinuousClock.now
      #expect(await consumer.close(within: .seconds(3)) == .closed)
      #expect(ContinuousClock.now - start < .seconds(30))
      try await group.waitForAll()
    }
    #expect(journal.entries.sorted() == ["ended", "lost"])
    let late = await #expect(throws: KafkaError.self) {
      try await consumer.commit([KafkaPartitionOffset(topic: "events", partition: 0, offset: 1)])
    }
    #expect(late?.disposition == .close)
  }

  @Test func `closing with a broker up hands the partitions back through the revoke hook`()
    async throws
  {
    let mock = try Mock()
    let journal = Journal()
    let consumer = try mock.consumer(
      hooks: .init(onRevoked: { _ in journal.add("revoked") }, onLost: { _ in journal.add("lost") })
    )
    for try await _ in consumer.batches(.init(idleMax: .milliseconds(20)))
    where !consumer.assignment.isEmpty { break }
    #expect(await consumer.close() == .closed)
    #expect(journal.entries == ["revoked"])
  }

  @Test func `statistics tell the lag of each partition`() async throws {
    let mock = try Mock()
    let producer = try KafkaProducer(mock.configuration())
    _ = try await producer.send(messages(10))
    var settings = KafkaConsumerConfiguration(
      kafka: mock.configuration(), groupID: "group", topics: ["events"],
      sessionTimeout: .seconds(6))
    settings.kafka.statisticsInterval = .milliseconds(50)
    let consumer = try KafkaConsumer(settings)
    #expect(try await take(10, from: consumer.batches(.init(countMax: 10))).count == 10)
    try await consumer.commit([KafkaPartitionOffset(topic: "events", partition: 0, offset: 4)])
    for try await _ in consumer.batches(.init(idleMax: .milliseconds(50)))
    where consumer.statistics?.lag == 6 { break }
    let partition = try #require(consumer.statistics?.partitions.first)
    #expect(partition.topicPartition == KafkaTopicPartition(topic: "events", partition: 0))
    #expect(partition.highOffset == 10)
    #expect(partition.committedOffset == 4)
    #expect(consumer.statistics?.brokers.contains { $0.isUp } == true)
    #expect(await consumer.close(within: .seconds(60)) == .closed)
    #expect(await producer.close(within: .seconds(60)) == .closed)
  }
}
