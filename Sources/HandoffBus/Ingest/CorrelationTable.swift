package import HandoffCodecs
package import HandoffCore

/// Whom every id belongs to, as the correlation topic says, with the open transaction on top.
///
/// A value: what a transaction adds is kept aside until it is committed, and dropped when it is
/// aborted, so that memory never says what the topic does not.
package struct CorrelationTable: Sendable {
  /// What is known of an id.
  package struct Known: Hashable, Sendable {
    package var patientKey: PatientKey
    /// `nil` where the id belongs to several handoffs of the person, or to none.
    package var handoffID: HandoffID?
    package var from: OrganisationID?
    package var to: OrganisationID?

    package init(
      patientKey: PatientKey, handoffID: HandoffID?, from: OrganisationID? = nil,
      to: OrganisationID? = nil
    ) {
      self.patientKey = patientKey
      self.handoffID = handoffID
      self.from = from
      self.to = to
    }
  }

  /// Stands in the topic where an id was seen with two people: it must never find one of them.
  ///
  /// No HMAC is all zeros, so this is nobody's key; readers refuse the epoch 0.
  package static let ambiguous: PatientKey = {
    guard let key = PatientKey(epoch: .max, hash: Array(repeating: 0, count: 32)) else {
      preconditionFailure("the key of nobody is well-formed")
    }
    return key
  }()

  /// Ids that may be held; beyond it ingest stops, the outboxes fill and senders are told.
  package let countMax: Int
  private var committed: [Token: Known] = [:]
  private var pending: [Token: Known] = [:]

  package init(countMax: Int = 20_000_000) {
    self.countMax = countMax
  }

  package var count: Int { committed.count }
  package var isFull: Bool { committed.count + pending.count >= countMax }

  /// Takes an entry that the topic holds.
  package mutating func restore(_ entry: CorrelationEntry) {
    committed[entry.token] = Known(
      patientKey: entry.patientKey, handoffID: entry.handoffID, from: entry.from, to: entry.to)
  }

  /// What is known of `token`; `nil` also where it is ambiguous.
  package subscript(token: Token) -> Known? {
    guard let known = pending[token] ?? committed[token], known.patientKey != Self.ambiguous
    else { return nil }
    return known
  }

  /// Learns that `token` belongs to `known`.
  ///
  /// A second person makes it ambiguous, a second handoff of the same person leaves the person.
  /// With `isDefining` the message is the one that gave the id to this handoff.
  ///
  /// - Returns: what must be written to the topic; `nil` where it says so already.
  package mutating func learn(
    _ token: Token, _ known: Known, isDefining: Bool = false
  ) -> Known? {
    var new = known
    if let old = pending[token] ?? committed[token] {
      if old.patientKey != known.patientKey {
        new = Known(patientKey: Self.ambiguous, handoffID: nil)
      } else if !isDefining {
        if known.handoffID == nil || old.handoffID == known.handoffID { return nil }
        new.handoffID = nil
      }
      guard new != old else { return nil }
    }
    pending[token] = new
    return new
  }

  /// Learns that `token` belongs to another key of the same person from now on.
  package mutating func move(_ token: Token, to known: Known) {
    pending[token] = known
  }

  /// The transaction is committed; gives the tokens that it learned.
  package mutating func commit() -> [Token] {
    let tokens = pending.keys.sorted()
    committed.merge(pending) { $1 }
    pending.removeAll(keepingCapacity: true)
    return tokens
  }

  /// The transaction is aborted: nothing of it was learned.
  package mutating func rollBack() {
    pending.removeAll(keepingCapacity: true)
  }

  /// Forgets everything, to be restored again.
  package mutating func reset() {
    committed.removeAll(keepingCapacity: true)
    pending.removeAll(keepingCapacity: true)
  }
}
