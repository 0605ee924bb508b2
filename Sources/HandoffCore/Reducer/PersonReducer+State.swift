/// A policy or register that stored state was judged by is not known: provide it first.
public struct MissingPolicy: Error, Hashable, Sendable {
  public var hash: RecordHash
}

// MARK: Batches

extension PersonReducer {
  /// Begins a batch that can be taken back whole.
  public mutating func beginBatch() {
    precondition(journal == nil, "a batch is open already")
    journal = Journal(state: state, policies: policies, hanging: hanging)
    // 0 and the last are taken: of no batch, and of nobody. Far from the end, so that the parts of
    // one batch have numbers that follow each other.
    batchNumber = batchNumber < UInt32.max - 1_000_000 ? batchNumber + 1 : 1
    firstPartNumber = batchNumber
    outgoing = []
  }

  /// Gives whom the open batch changed since this was asked last, in the order of keys, as they are
  /// now: what can be handed on of the changelog while the batch goes on.
  ///
  /// Who changes again afterwards is given again; `nil` is somebody of whom nothing is left.
  public mutating func takeTouched(_ body: (PatientKey, Person?) -> Void) {
    guard let entries = journal?.entries, let start = journal?.partStart else { return }
    journal?.partStart = entries.count
    if batchNumber < UInt32.max - 1 { batchNumber += 1 }
    let keys = Journal.keys(of: entries[start...])
    guard let first = keys.first else { return }
    var lent = Person(key: first)
    var slots: [UInt32?] = []
    for start in stride(from: 0, to: keys.count, by: Self.aheadCount) {
      let end = min(start + Self.aheadCount, keys.count)
      slots.removeAll(keepingCapacity: true)
      for index in start..<end { slots.append(persons.slot(of: keys[index])) }
      fetched ^= persons.touch(slots.compactMap(\.self))
      for index in start..<end {
        body(
          keys[index], slots[index - start].map { persons.person(at: $0, lending: &lent) })
      }
    }
  }

  /// The keys whose person the open batch changed, in order: the changelog goes out before the
  /// batch is kept.
  public var touched: [PatientKey] { journal?.touched ?? [] }

  /// Keeps what the batch did.
  public mutating func commitBatch() {
    precondition(journal != nil, "no batch is open")
    journal = nil
  }

  /// Takes the batch back: nothing of it is left.
  public mutating func rollBackBatch() {
    guard let journal else { preconditionFailure("no batch is open") }
    self.journal = nil
    outgoing = []
    state = journal.state
    policies = journal.policies
    hanging = journal.hanging
    declared = Completeness.declared(by: policies[Int(state.inForce)])
    missingPolicies.removeAll { hash in
      !state.activations.contains { $0.policyHash == hash }
    }
    // The last first: somebody noted twice is at the end what it was before the first time.
    for entry in journal.entries.reversed() {
      let slot = persons.slot(of: entry.key)
      if let packed = entry.packed {
        persons.restore(packed, entry.nextDue, at: slot ?? persons.insert(entry.key))
      } else if let slot {
        persons.remove(slot)
      }
    }
  }

  /// Remembers a person as it is before the batch changes it for the first time.
  mutating func note(_ slot: UInt32) {
    guard journal != nil, persons.mark(slot, by: batchNumber) else { return }
    journal?.entries.append(
      Journal.Entry(
        key: persons.key(at: slot), packed: persons.packed(at: slot),
        nextDue: persons.nextDue(at: slot)))
  }
}

extension PersonReducer.Journal {
  /// Each key once, in order.
  fileprivate var touched: [PatientKey] { Self.keys(of: entries[...]) }

  fileprivate static func keys(of entries: ArraySlice<Entry>) -> [PatientKey] {
    var keys: [PatientKey] = []
    keys.reserveCapacity(entries.count)
    for key in entries.map(\.key).sorted() where key != keys.last { keys.append(key) }
    return keys
  }
}

// MARK: What is stored

extension PersonReducer {
  /// The keys of everybody remembered, in order.
  public var keys: [PatientKey] { persons.keys.sorted() }

  public var personCount: Int { persons.count }

  /// What is held of a person; `nil` where nothing is.
  public func person(for key: PatientKey) -> Person? {
    persons.slot(of: key).map { persons.person(at: $0) }
  }

  /// Puts back what a changelog holds of the partition itself; before its persons.
  public mutating func restore(_ state: PartitionState) throws(MissingPolicy) {
    var policies: [Policy] = []
    for activation in state.activations {
      guard let policy = effective(activation) else {
        let isPolicyKnown = known[activation.policyHash] != nil
        let register = isPolicyKnown ? activation.registerHash : nil
        throw MissingPolicy(hash: register ?? activation.policyHash)
      }
      policies.append(policy)
    }
    guard !policies.isEmpty else { return }
    self.state = state
    // A damaged ordinal must not trap later.
    self.state.inForce = min(state.inForce, UInt16(clamping: policies.count - 1))
    self.policies = policies
    declared = Completeness.declared(by: policies[Int(self.state.inForce)])
  }

  /// Puts back a person; the partition's own state comes first.
  ///
  /// A person judged by an activation that the partition's state does not hold is of another
  /// partition or of a damaged changelog, and is refused.
  public mutating func restore(_ person: Person) throws(UnknownActivation) {
    try check(person)
    place(person)
  }

  /// The register of organisations in force, where there is one.
  public var registerInForce: OrganisationRegister? { policies[Int(state.inForce)].register }

  /// Every armed deadline of a handoff, in the order of the rules; empty where it is unknown.
  public func deadlines(of handoffID: HandoffID, person key: PatientKey) -> [Deadline] {
    guard let person = person(for: key),
      let index = person.handoffs.firstIndex(where: { $0.id == handoffID })
    else { return [] }
    return person.handoffs[index].current
      .deadlines(person.clockContext(at: index, in: policies))
  }

  /// The state of a handoff as people see it at partition time.
  public func handoffState(_ handoffID: HandoffID, person key: PatientKey) -> HandoffState? {
    guard let handoff = person(for: key)?.handoffs.first(where: { $0.id == handoffID }),
      handoff.current.isRequested
    else { return nil }
    return handoff.state(at: state.time, in: policies[Int(handoff.current.policy)])
  }

  private mutating func place(_ person: Person) {
    let slot = persons.slot(of: person.key) ?? persons.insert(person.key)
    // Judged without a word: whatever is due by partition time has been said already.
    var judged = person
    var unsaid: [Verdict] = []
    var books = state.books
    let moment = Moment(
      now: state.time, readUpTo: state.nextOffset - 1, topic: topic, partition: partition,
      policies: policies, ordinal: Int(state.inForce),
      completeness: completeness, answer: nil)
    let nextDue = judged.evaluate(moment, books: &books, into: &unsaid)
    persons.put(person, nextDue, at: slot)
    noteHanging(of: person)
  }
}

/// A person refers to a policy that was never in force in this partition.
public struct UnknownActivation: Error, Hashable, Sendable {
  public var key: PatientKey
}

extension Code {
  /// The limb of S05 for a policy that is known and has no profile of that name.
  static let unknownProfile = Code(known: "profile")
}

extension Handoff {
  /// The ordinal of every activation that it refers to.
  var policies: [UInt16] {
    var policies = [current.policy]
    if let settled { policies.append(settled.policy) }
    policies += window.map(\.policy)
    policies += current.pending.map(\.policy)
    return policies
  }

  /// The greatest ordinal of an activation that it refers to.
  var latestPolicy: UInt16 {
    var latest = max(current.policy, settled?.policy ?? 0)
    for fact in window { latest = max(latest, fact.policy) }
    for wait in current.pending { latest = max(latest, wait.policy) }
    return latest
  }
}
