package import HandoffCodecs
package import HandoffCore

/// The bus on simulated time: the events of a ``Simulation``, a broker, and the reconciler's own
/// code with everything that can happen to it.
///
/// It runs as fast as it can, and holds no more than the reducers do.
package struct SimulatedBus: Sendable {
  /// What a run gives, as it comes.
  package enum Output: Sendable {
    /// A record of the events topic that is there for readers of committed records.
    case record(StoredRecord)
    /// A verdict that readers of committed records see.
    case verdict(Verdict, at: Timestamp)
    case truth(Truth)
    /// A record of the topic of sources.
    case source(StoredRecord)
  }

  package private(set) var simulation: Simulation
  package private(set) var outcomes: [BusFaults.Outcome: Int] = [:]
  package private(set) var tickCount = 0
  package private(set) var recordCount = 0
  private let faults: BusFaults
  private let schedule: TickSchedule
  private var chance: Chance
  private var logs: [SimulatedLog]
  private var owners: [SimulatedOwner]
  /// Who had a partition, and has not been told that another has it now.
  private var zombies: [Int: SimulatedOwner] = [:]
  /// Transactions of zombies, of which nobody sees anything.
  package private(set) var fencedCount = 0
  private var transactionCount = 0
  private var now: Timestamp
  /// The topic of sources and its owner; `nil` where connectors say nothing of themselves.
  private var sources: SimulatedSources?
  private var sourceLog = SimulatedLog(topic: sourcesTopic, partition: 0)
  private var isOver = false
  /// What switches the policy, still to come.
  private var switches: [(at: Timestamp, record: WireRecord)]
  /// How much memory holds, once a simulated week, or as often as was asked for.
  package private(set) var samples: [Sample] = []
  private let sampling: Elapsed

  /// What the reducers hold at a moment.
  package struct Sample: Codable, Hashable, Sendable {
    /// Since the beginning.
    package var days: Double
    package var persons: Int
    /// Encoded, as the changelogs hold it.
    package var personBytes: Int
    package var sourceBytes: Int
  }

  /// How long the owner of a partition gathers records into a batch.
  private static let gathering = Elapsed(nanoseconds: 100_000_000)

  package init(
    _ simulation: Simulation, seed: UInt64, faults: BusFaults = .none,
    schedule: TickSchedule = TickSchedule(intervalMax: .minutes(10)),
    sampling: Elapsed = .hours(168)
  ) {
    self.sampling = sampling
    self.simulation = simulation
    self.faults = faults
    self.schedule = schedule
    chance = Chance(seed: seed, 3)
    now = simulation.start
    switches = simulation.switches?.records ?? []
    let partitions = 0..<simulation.placing.partitionCount
    logs = partitions.map { SimulatedLog(topic: eventsTopic, partition: $0) }
    owners = partitions.map {
      SimulatedOwner(partition: $0, policy: simulation.policy, at: simulation.start)
    }
    if simulation.heartbeat != nil {
      sources = SimulatedSources(policy: simulation.policy, at: simulation.start)
    }
  }

  /// Runs to the end, and gives everything to `sink` as it comes.
  package mutating func run(_ sink: (Output) throws -> Void) throws {
    var next = simulation.next()
    while let record = next {
      try speak(sink)
      try switchPolicy(until: record.at, sink)
      try pass(until: record.at, sink)
      now = max(now, record.at)
      sample()
      let stored = logs[Int(record.partition)].append(record.record, at: now)
      try sink(.record(stored))
      arrive(at: Int(record.partition))
      try simulation.takeTruths().forEach { try sink(.truth($0)) }
      next = simulation.next()
    }
    try speak(sink)
    try simulation.takeTruths().forEach { try sink(.truth($0)) }
    try switchPolicy(until: simulation.end, sink)
    try pass(until: simulation.end, sink)
    now = simulation.end
    isOver = true
    if sources != nil {
      tickSources()
      try flushSources(sink)
    }
    for partition in owners.indices {
      tick(partition)
      try flush(partition, sink)
    }
  }

  /// Writes what an administrator switches, onto every partition.
  private mutating func switchPolicy(
    until time: Timestamp, _ sink: (Output) throws -> Void
  ) throws {
    while let (at, record) = switches.first, at <= time {
      try pass(until: at, sink)
      now = max(now, at)
      for index in logs.indices {
        try sink(.record(logs[index].append(record, at: now)))
        arrive(at: index)
      }
      switches.removeFirst()
    }
  }

  /// Whether the books of every partition balance.
  package var areBooksBalanced: Bool {
    owners.allSatisfy { $0.reducer.state.books.isBalanced }
  }

  /// Persons held in memory, of all partitions.
  package var personCount: Int { owners.reduce(0) { $0 + $1.reducer.personCount } }

  /// The reducer of a partition, to be looked at.
  package func reducer(of partition: Int32) -> PersonReducer {
    owners[Int(partition)].reducer
  }

  private mutating func sample() {
    let passed = now.since(simulation.start)
    guard passed.nanoseconds / sampling.nanoseconds > Int64(samples.count) else { return }
    samples.append(
      Sample(
        days: (Double(passed.nanoseconds) / 86_400_000_000_000 * 100).rounded() / 100,
        persons: personCount, personBytes: owners.reduce(0) { $0 + $1.stateBytes },
        sourceBytes: sources?.stateBytes ?? 0))
  }

  /// What connectors say of themselves, each at its time.
  private mutating func speak(_ sink: (Output) throws -> Void) throws {
    for arrival in simulation.takeSources() {
      try pass(until: arrival.at, sink)
      now = max(now, arrival.at)
      var record = WireCodec().encode(arrival.statement)
      // Cut inside its last field, and a field that does not end.
      if arrival.isBroken { record.value = record.value.map { $0.dropLast(3) + [0xff] } }
      try sink(.source(sourceLog.append(record, at: now)))
      moveSources()
    }
  }

  // MARK: Time

  /// Takes batches and writes ticks as they fall due before `time`.
  private mutating func pass(until time: Timestamp, _ sink: (Output) throws -> Void) throws {
    while true {
      var first: (at: Timestamp, partition: Int?)?
      if let sources { first = (sources.flushAt ?? wake(sources.situation(at: now)), nil) }
      for partition in owners.indices {
        let at = owners[partition].flushAt ?? wake(owners[partition].situation(at: now))
        if first.map({ at < $0.at }) ?? true { first = (at, partition) }
      }
      guard let first, first.at < time else { return }
      now = max(now, first.at)
      switch first.partition {
      case nil where sources?.flushAt != nil: try flushSources(sink)
      case nil: tickSources()
      case let partition? where owners[partition].flushAt != nil: try flush(partition, sink)
      case let partition?: tick(partition)
      }
    }
  }

  /// When the tick writer of a partition writes next.
  private func wake(_ situation: TickSchedule.Situation) -> Timestamp {
    switch schedule.decision(in: situation) {
    case .tick: now
    case .wait(let until): until
    }
  }

  private mutating func tick(_ partition: Int) {
    for _ in 0..<(faults.isTickedTwice ? 2 : 1) {
      tickCount += 1
      logs[partition].append(WireCodec().encodeTick(at: now), at: now.roundedUp)
    }
    arrive(at: partition)
  }

  private mutating func tickSources() {
    tickCount += 1
    sourceLog.append(WireCodec().encodeTick(at: now), at: now.roundedUp)
    moveSources()
  }

  private mutating func moveSources() {
    sources?.lastMoved = now
    if sources?.flushAt == nil { sources?.flushAt = now.advanced(by: Self.gathering) }
  }

  private mutating func arrive(at partition: Int) {
    owners[partition].lastMoved = now
    if owners[partition].flushAt == nil {
      owners[partition].flushAt = now.advanced(by: Self.gathering)
    }
  }

  // MARK: Batches

  private mutating func flush(_ partition: Int, _ sink: (Output) throws -> Void) throws {
    while true {
      let limit = faults.batchMax == 1 ? 1 : 1 + chance.below(faults.batchMax)
      let read = logs[partition].read(from: owners[partition].committedOffset, limit: limit)
      guard !read.records.isEmpty else { break }
      recordCount += read.records.count
      let placing = simulation.placing
      live(zombieOf: partition, read)
      let batch = owners[partition].apply(read.records, next: read.next, placing)
      let outcome = faults.draw(&chance)
      outcomes[outcome, default: 0] += 1
      try end(batch, of: partition, outcome, sink)
      logs[partition].trim(before: owners[partition].committedOffset)
    }
    owners[partition].flushAt = nil
  }

  private mutating func end(
    _ batch: SimulatedOwner.Batch, of partition: Int, _ outcome: BusFaults.Outcome,
    _ sink: (Output) throws -> Void
  ) throws {
    transactionCount += 1
    let written = write(batch.outgoing)
    let seen = end(outcome)
    switch outcome {
    case .committed: owners[partition].keep(batch)
    case .aborted: owners[partition].undo()
    case .crashedBeforeCommit, .torn: try owners[partition].restart(after: nil)
    case .crashedAfterCommit: try owners[partition].restart(after: batch)
    case .handedOver:
      // What it had applied and never committed it takes for committed.
      var zombie = owners[partition]
      zombie.keep(batch)
      zombies[partition] = zombie
      try owners[partition].restart(after: nil)
    }
    guard outcome.isSeen else { return }
    for verdict in batch.verdicts { try sink(.verdict(verdict, at: now)) }
    for stored in written where seen.contains(Int(stored.coordinates.partition)) {
      try sink(.record(stored))
      if Int(stored.coordinates.partition) != partition {
        arrive(at: Int(stored.coordinates.partition))
      }
    }
  }

  /// Ends the transaction on every partition; returns where readers of committed records see it.
  ///
  /// A torn one is seen on some of them, and aborted on the others.
  private mutating func end(_ outcome: BusFaults.Outcome) -> Set<Int> {
    var seen: Set<Int> = []
    for index in logs.indices {
      let isSeen = outcome == .torn ? chance.happens(0.5) : outcome.isSeen
      logs[index].end(transactionCount, commit: isSeen)
      if isSeen { seen.insert(index) }
    }
    return seen
  }

  /// The former owner takes one more batch; the broker refuses its transaction, and so it learns that
  /// it is none any more.
  private mutating func live(
    zombieOf partition: Int, _ read: (records: [StoredRecord], next: Int64, isAll: Bool)
  ) {
    guard var zombie = zombies[partition] else { return }
    let news = read.records.filter { $0.coordinates.offset >= zombie.committedOffset }
    guard !news.isEmpty else { return }
    zombies[partition] = nil
    let batch = zombie.apply(news, next: read.next, simulation.placing)
    transactionCount += 1
    _ = write(batch.outgoing)
    fencedCount += 1
    for index in logs.indices { logs[index].end(transactionCount, commit: false) }
  }

  /// What a reducer wants written to the events topic, in its transaction.
  private mutating func write(_ outgoing: [Outgoing]) -> [StoredRecord] {
    outgoing.map { outgoing in
      let record = WireCodec().encode(outgoing)
      let partition = Int(simulation.placing.partition(of: record.key ?? []))
      return logs[partition].append(record, at: now.roundedUp, in: transactionCount)
    }
  }
}

// MARK: - Sources

extension SimulatedBus {
  private mutating func flushSources(_ sink: (Output) throws -> Void) throws {
    while let owner = sources {
      let limit = faults.batchMax == 1 ? 1 : 1 + chance.below(faults.batchMax)
      let read = sourceLog.read(from: owner.committedOffset, limit: limit)
      guard !read.records.isEmpty,
        let batch = sources?.apply(
          read.records, next: read.next, at: now, isLast: isOver && read.isAll)
      else { break }
      recordCount += read.records.count
      let outcome = faults.draw(&chance)
      outcomes[outcome, default: 0] += 1
      try end(batch, outcome, sink)
      sourceLog.trim(before: sources?.committedOffset ?? 0)
    }
    sources?.flushAt = nil
  }

  private mutating func end(
    _ batch: SimulatedSources.Batch, _ outcome: BusFaults.Outcome,
    _ sink: (Output) throws -> Void
  ) throws {
    transactionCount += 1
    var written: [StoredRecord] = []
    for state in batch.copied {
      let record = WireCodec().encode(state, at: now)
      for index in logs.indices {
        written.append(logs[index].append(record, at: now.roundedUp, in: transactionCount))
      }
    }
    let seen = end(outcome)
    switch outcome {
    case .committed: sources?.keep(batch)
    case .aborted: sources?.undo(batch)
    case .crashedBeforeCommit, .torn, .handedOver: try sources?.restart(after: nil)
    case .crashedAfterCommit: try sources?.restart(after: batch)
    }
    guard outcome.isSeen else { return }
    for verdict in batch.verdicts { try sink(.verdict(verdict, at: now)) }
    for stored in written where seen.contains(Int(stored.coordinates.partition)) {
      try sink(.record(stored))
      arrive(at: Int(stored.coordinates.partition))
    }
  }
}
