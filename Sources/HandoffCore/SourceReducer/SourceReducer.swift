/// The source reducer of one partition of the sources topic: records and partition time in, verdicts
/// about sources out.
///
/// A value without clock, I/O or hash-order dependence, under the same rules as ``PersonReducer``: a
/// deadline fires before the record that passes it, the same records give the same verdicts however
/// they are batched, and with or without ticks. What it remembers of a source is a ``Source``, and
/// bounded: about 7 MB for one that sends without end, most of it the messages it knows again.
///
/// ``states`` is what the events topic is to be told of the sources (``SourceStateCopies``).
public struct SourceReducer: Sendable {
  public let topic: String
  public let partition: Int32
  public internal(set) var state: SourcePartitionState
  var policy: Policy
  /// Policies whose bytes are known, by hash.
  var known: [RecordHash: Policy]
  var sources: [Code: Source] = [:]
  /// When something is next due, by source; a source that is not in it has nothing due.
  var due: [Code: Timestamp] = [:]
  /// The earliest of ``due`` and of the partition's own.
  private var soonest: Timestamp?
  var journal: Journal?
  /// A policy that was activated without having been provided: judged by the one before.
  public internal(set) var missingPolicies: [RecordHash] = []

  struct Journal: Sendable {
    var state: SourcePartitionState
    var policy: Policy
    /// Each source touched as it was before; `nil` where there was none.
    var sources: [Code: Source?] = [:]
  }

  /// Makes an empty reducer, with the policy in force until a record activates another.
  public init(policy: Policy, topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
    self.policy = policy
    known = [policy.hash: policy]
    state = SourcePartitionState(
      activation: RulesActivation(
        rulesVersion: PersonReducer.rulesVersion, policyHash: policy.hash))
  }

  /// Makes a policy known before the record that activates it is applied.
  public mutating func provide(_ policy: Policy) { known[policy.hash] = policy }

  /// Applies one record of the partition; the next in offset order.
  public mutating func apply(_ record: SourceTopicRecord) -> [Verdict] {
    var verdicts: [Verdict] = []
    if record.isOurs || state.time == .distantPast {
      advance(to: record.brokerAt, into: &verdicts)
    }
    // An offline line may claim any offset; the sum must not trap.
    state.nextOffset = max(record.coordinates.offset, record.coordinates.offset &+ 1)
    switch record.content {
    case .tick: break
    case .rulesActivation(let activation): activate(activation, of: record, into: &verdicts)
    case .unusable(let rule, let cause): noteDefect(rule, cause, record, into: &verdicts)
    case .statement(let statement): take(statement, of: record, into: &verdicts)
    }
    return verdicts
  }

  /// Moves partition time on, and fires every deadline due by then, each at its own moment.
  public mutating func advance(to time: Timestamp) -> [Verdict] {
    var verdicts: [Verdict] = []
    advance(to: time, into: &verdicts)
    return verdicts
  }

  /// When the next deadline falls due; `nil` when nothing is armed.
  public var nextDue: Timestamp? { soonest }

  /// What is known of each source that has ever beaten, by code.
  public var states: [SourceState] {
    sources.values.compactMap(\.state).sorted { $0.source < $1.source }
  }

  /// The alerts that are open here, about sources and about the bus itself, by rule.
  public var openAlerts: [Rule: Int] {
    var open: [Rule: Int] = [:]
    for episode in state.book.episodes { open[episode.rule, default: 0] += 1 }
    for source in sources.values {
      for episode in source.book.episodes { open[episode.rule, default: 0] += 1 }
    }
    return open
  }
}

// MARK: Records

extension SourceReducer {
  private mutating func take(
    _ statement: SourceRecord, of record: SourceTopicRecord, into verdicts: inout [Verdict]
  ) {
    let code = statement.source
    touch(code)
    // Moved out and in: a second reference would copy what is remembered.
    var source = sources.removeValue(forKey: code) ?? Source(code: code)
    source.take(
      statement, moment(of: code, record), brokerAt: record.brokerAt, into: &verdicts)
    sources[code] = source
    arm(code)
  }

  private mutating func activate(
    _ activation: RulesActivation, of record: SourceTopicRecord, into verdicts: inout [Verdict]
  ) {
    guard activation != state.activation else { return }
    if let policy = known[activation.policyHash] {
      self.policy = policy.under(activation)
    } else {
      missingPolicies.append(activation.policyHash)
      noteDefect(.s05, nil, record, into: &verdicts)
    }
    state.activation = activation
    for code in sources.keys { arm(code) }
  }

  private mutating func noteDefect(
    _ rule: Rule, _ cause: Code?, _ record: SourceTopicRecord, into verdicts: inout [Verdict]
  ) {
    // The same bytes may be wrong twice: the moment tells the two episodes apart.
    let moment = moment(of: nil, record)
    let time = Token(rawValue: UInt128(state.time.nanoseconds.magnitude))
    state.book.note(
      EpisodeBook.Happening(
        rule: rule, cause: cause, beginning: time.bytes + record.hash.bytes),
      of: .bus, moment, into: &verdicts)
    armAll()
  }

  private func moment(of code: Code?, _ record: SourceTopicRecord?) -> SourceMoment {
    SourceMoment(
      now: state.time,
      evidence: record.map {
        Evidence(eventID: nil, hash: $0.hash, coordinates: $0.coordinates)
      },
      windows: policy.windows, policy: code.map { policy.source($0) } ?? policy.sourceDefaults,
      policyHash: policy.hash, profile: policy.profile,
      readUpTo: state.nextOffset - 1)
  }

  /// Remembers a source as it is before the batch changes it for the first time.
  private mutating func touch(_ code: Code) {
    guard journal != nil, journal?.sources.index(forKey: code) == nil else { return }
    journal?.sources.updateValue(sources[code], forKey: code)
  }
}

// MARK: Time

extension SourceReducer {
  private mutating func advance(to time: Timestamp, into verdicts: inout [Verdict]) {
    while let next = soonest, next <= time {
      state.time = max(state.time, next)
      state.book.settle(of: .bus, moment(of: nil, nil).at(next), into: &verdicts)
      for code in due.filter({ $0.value <= next }).map(\.key).sorted() {
        touch(code)
        guard var source = sources.removeValue(forKey: code) else { continue }
        source.settle(moment(of: code, nil).at(next), into: &verdicts)
        sources[code] = source
        // Whatever was due has been said; what is still due by now would be said for ever.
        due[code] = source.nextDue(policy.source(code), policy.windows).flatMap {
          $0 > next ? $0 : nil
        }
      }
      armAll()
      if let after = soonest, after <= next { soonest = nil }
    }
    state.time = max(state.time, time)
  }

  /// Notes when something of a source is next due.
  mutating func arm(_ code: Code) {
    due[code] = sources[code]?.nextDue(policy.source(code), policy.windows)
    armAll()
  }

  private mutating func armAll() {
    soonest = due.values.min()
    if let end = state.book.nextEnd(policy.windows) { soonest = min(soonest ?? end, end) }
  }
}
