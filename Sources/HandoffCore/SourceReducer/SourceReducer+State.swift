/// What a partition of the sources topic holds beside its sources.
public struct SourcePartitionState: Hashable, Sendable {
  /// The greatest broker timestamp seen.
  public var time: Timestamp
  /// The offset after the last record applied.
  public var nextOffset: Int64
  /// The policy in force.
  public var activation: RulesActivation
  /// What is wrong with the bus itself here.
  public var book: EpisodeBook

  public init(
    time: Timestamp = .distantPast, nextOffset: Int64 = 0, activation: RulesActivation,
    book: EpisodeBook = EpisodeBook()
  ) {
    self.time = time
    self.nextOffset = nextOffset
    self.activation = activation
    self.book = book
  }
}

// MARK: Batches

extension SourceReducer {
  /// Begins a batch that can be taken back whole.
  public mutating func beginBatch() {
    precondition(journal == nil, "a batch is open already")
    journal = Journal(state: state, policy: policy)
  }

  /// The sources that the open batch changed, in order: the changelog goes out before the batch is
  /// kept.
  public var touched: [Code] { journal?.sources.keys.sorted() ?? [] }

  /// The segments of a source's memory that the open batch added to or took away.
  public func changedSegments(of code: Code) -> [UInt64] {
    sources[code]?.memory.changes ?? []
  }

  /// Keeps what the batch did.
  public mutating func commitBatch() {
    guard let journal else { preconditionFailure("no batch is open") }
    self.journal = nil
    for code in journal.sources.keys { sources[code]?.memory.forgetChanges() }
  }

  /// Takes the batch back: nothing of it is left.
  public mutating func rollBackBatch() {
    guard let journal else { preconditionFailure("no batch is open") }
    self.journal = nil
    state = journal.state
    policy = journal.policy
    missingPolicies.removeAll { $0 != state.activation.policyHash }
    for (code, source) in journal.sources { sources[code] = source }
    for code in Set(due.keys).union(sources.keys) { arm(code) }
  }
}

// MARK: What is stored

extension Source {
  /// The source as it is stored: what messages it knows again is stored beside it.
  public var withoutMemory: Source {
    var source = self
    source.memory = MessageMemory()
    return source
  }
}

extension SourceReducer {
  /// What is held of a source; `nil` where nothing is.
  public func source(_ code: Code) -> Source? { sources[code] }

  /// Every source heard of, in order.
  public var codes: [Code] { sources.keys.sorted() }

  /// Puts back what a changelog holds of the partition itself; before its sources.
  public mutating func restore(_ state: SourcePartitionState) throws(MissingPolicy) {
    guard let policy = known[state.activation.policyHash] else {
      throw MissingPolicy(hash: state.activation.policyHash)
    }
    self.policy = policy.under(state.activation)
    self.state = state
  }

  /// Puts back a source with what was stored of its memory.
  public mutating func restore(_ source: Source, memory: [MessageMemory.Segment]) {
    var source = source
    source.memory.restore(memory)
    sources[source.code] = source
    arm(source.code)
  }
}
