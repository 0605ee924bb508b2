internal import HandoffCodecs
internal import HandoffCore

/// The events partition of a simulated region, as a campaign judges it.
///
/// With heartbeats, what the source reducer says of the sources stands among the events, as in
/// service. In every second seed all sources are at last complete for good, so that everything is
/// judged; in the others they fall silent, and what they were to answer stays undetermined.
struct Recording {
  /// A record as it is stored, and what it says.
  struct Entry {
    var stored: StoredRecord
    var read: EventRecord
    /// `nil` of what is about nobody: a switch of the policy, a word on a source.
    var person: PatientKey?
  }

  private(set) var entries: [Entry] = []
  /// By key, where a person moved to or came from.
  private(set) var moved: [PatientKey: Set<PatientKey>] = [:]
  private(set) var switchCount = 0
  private(set) var faultCounts: [Fault: Int] = [:]
  /// What it is to be judged by, and up to when.
  let policy: Policy
  let end: Timestamp

  private let placing = Placing(partitionCount: 1)
  private var log = SimulatedLog(topic: eventsTopic, partition: 0)

  init(seed: UInt64, _ size: Campaign.Size, heartbeat: Elapsed?) {
    var simulation = Simulation(
      seed: seed, days: size.days, scale: size.scale, faults: size.faults, placing: placing,
      heartbeat: heartbeat)
    policy = Simulation.policy(Campaign.policy, from: simulation.start, heartbeat: heartbeat)
    let isSilentAtLast = heartbeat != nil && seed % 2 == 1
    // Where sources fall silent nothing is forgotten before the end: the oracle forgets nothing.
    end = simulation.end.advanced(by: isSilentAtLast ? min(size.rest, .hours(240)) : size.rest)
    var switches =
      Campaign.isSwitched(seed)
      ? PolicySwitches(policy, from: simulation.start, to: simulation.end)?.records ?? [] : []
    var sources = heartbeat.map { _ in SourceWatch(policy: policy) }
    var isOver = false
    while !isOver {
      let next = simulation.next()
      isOver = next == nil
      for word in sources?.take(simulation.takeSources()) ?? [] {
        append(WireCodec().encode(word.state, at: word.at), at: word.at)
      }
      guard let next else { break }
      while let (at, record) = switches.first, at <= next.at {
        append(record, at: at)
        switches.removeFirst()
        switchCount += 1
      }
      append(next.record, at: next.at, isEvent: true)
    }
    if let sources, !isSilentAtLast {
      for var state in sources.states {
        (state.condition, state.completeUpTo) = (.running, end)
        append(WireCodec().encode(state, at: simulation.end), at: simulation.end)
      }
    }
    faultCounts = simulation.faultCounts
  }

  /// What is about people who kept their key, and about nobody.
  var ofThoseWhoStay: [Entry] {
    entries.filter { entry in entry.person.map { moved[$0] == nil } ?? true }
  }

  private mutating func append(_ record: WireRecord, at time: Timestamp, isEvent: Bool = false) {
    let stored = log.append(record, at: time)
    log.trim(before: stored.coordinates.offset)
    let read = SimulatedOwner.record(stored, placing)
    guard let event = read.content.event else {
      // What was broken on its way says nothing of anybody.
      if !isEvent { entries.append(Entry(stored: stored, read: read)) }
      return
    }
    if let target = event.movesTo {
      moved[event.patientKey, default: []].insert(target)
      moved[target, default: []].insert(event.patientKey)
    }
    entries.append(Entry(stored: stored, read: read, person: event.patientKey))
  }
}

/// The source reducer over what connectors say of themselves.
private struct SourceWatch {
  private var reducer: SourceReducer
  private var copies = SourceStateCopies()
  private var log = SimulatedLog(topic: sourcesTopic, partition: 0)

  init(policy: Policy) {
    reducer = SourceReducer(policy: policy, topic: sourcesTopic, partition: 0)
  }

  var states: [SourceState] { reducer.states }

  /// What the events topic is to be told of the sources.
  mutating func take(_ arrivals: [SourceArrival]) -> [(at: Timestamp, state: SourceState)] {
    arrivals.filter { !$0.isBroken }.flatMap { arrival in
      let stored = log.append(WireCodec().encode(arrival.statement), at: arrival.at)
      log.trim(before: stored.coordinates.offset)
      _ = reducer.apply(SimulatedSources.record(stored))
      return copies.take(reducer.states, at: arrival.at).map { (arrival.at, $0) }
    }
  }
}
