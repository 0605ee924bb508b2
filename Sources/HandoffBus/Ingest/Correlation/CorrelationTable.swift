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
    package var kind: CorrelationKind?
    /// The key is that of a local id, with which nobody has sent an NHS number yet.
    package var isUntraced: Bool

    package init(
      patientKey: PatientKey, handoffID: HandoffID?, from: OrganisationID? = nil,
      to: OrganisationID? = nil, kind: CorrelationKind? = nil, isUntraced: Bool = false
    ) {
      self.patientKey = patientKey
      self.handoffID = handoffID
      self.from = from
      self.to = to
      self.kind = kind
      self.isUntraced = isUntraced
    }
  }

  /// What came of learning an id.
  package struct Learned: Hashable, Sendable {
    /// What must be written to the topic; `nil` where it says so already.
    package var entry: Known?
    /// The other person that the id belongs to: evidence for A16.
    package var conflict: PatientKey?
  }

  /// Days between two notes of when an id was last seen.
  static let dayGranularity = 30

  /// Ids that may be held; beyond it ingest stops, the outboxes fill and senders are told.
  package let countMax: Int
  private var committed = CorrelationStore()
  private var pending: [Token: CorrelationStore.Entry] = [:]
  /// Old key to new, of links that the open transaction makes.
  private var pendingLinks: [PatientKey: (new: PatientKey, token: Token)] = [:]
  private var pendingRemovals: [Token] = []
  private var pendingUntraced: Set<PatientKey> = []

  package init(countMax: Int = 20_000_000) {
    self.countMax = countMax
  }

  package var count: Int { committed.count }
  package var isFull: Bool { committed.count + pending.count >= countMax }
  package var personCount: Int { committed.personCount }
  package var linkCount: Int { committed.linkCount }
  /// Bytes of memory that the committed entries take, as far as they can tell.
  package var byteCount: Int { committed.byteCount }
  /// Committed entries of each kind; walks all of them.
  package var countByKind: [CorrelationKind?: Int] { committed.countByKind() }

  // MARK: Restoring

  /// Takes a record of the topic; `today` dates entries that bear no day.
  package mutating func restore(_ change: CorrelationChange, today: UInt16 = 0) {
    switch change {
    case .entry(let entry): restore(entry, today: today)
    case .forgotten(let token): restoreTombstone(token)
    }
  }

  /// Takes an entry that the topic holds; `today` dates those that bear no day.
  package mutating func restore(_ entry: CorrelationEntry, today: UInt16 = 0) {
    let day = entry.seenDay == 0 ? today : entry.seenDay
    if let new = entry.newPatientKey {
      committed.link(
        entry.token, entry.patientKey, to: new, isUntraced: entry.isUntraced, seenDay: day)
      return
    }
    committed.put(
      entry.token,
      CorrelationStore.Entry(
        patientKey: entry.patientKey, handoffID: entry.handoffID, from: entry.from, to: entry.to,
        kind: entry.kind, isUntraced: entry.isUntraced, seenDay: day))
  }

  /// Takes the tombstone of an entry that was forgotten.
  package mutating func restoreTombstone(_ token: Token) {
    committed.remove(token)
  }

  // MARK: Looking up

  /// What is known of `token`, under the key that stands for its person now; `nil` also where it
  /// is ambiguous.
  package subscript(token: Token) -> Known? {
    guard let entry = entry(token), entry.patientKey != .nobody, entry.kind != .link
    else { return nil }
    let key = resolve(entry.patientKey)
    return Known(
      patientKey: key, handoffID: entry.handoffID, from: entry.from, to: entry.to,
      kind: entry.kind, isUntraced: key == entry.patientKey ? entry.isUntraced : isUntraced(key))
  }

  /// Whether `token` was seen with two people, so that it finds neither.
  package func isAmbiguous(_ token: Token) -> Bool { entry(token)?.patientKey == .nobody }

  /// The key that stands for `key` after every merge and link.
  package func resolve(_ key: PatientKey) -> PatientKey {
    var key = committed.resolve(key)
    for _ in 0..<pendingLinks.count {
      guard let link = pendingLinks[key] else { break }
      key = committed.resolve(link.new)
    }
    return key
  }

  /// Whether `key` is known as that of a local id.
  package func isUntraced(_ key: PatientKey) -> Bool {
    committed.isUntraced(key) || pendingUntraced.contains(key)
  }

  private func entry(_ token: Token) -> CorrelationStore.Entry? {
    if let entry = pending[token] { return entry }
    return committed[token]
  }

  // MARK: Learning

  /// Learns that `token` belongs to `known`.
  ///
  /// - The same person again only notes the day; a second handoff of the person leaves the person.
  ///   With `isDefining` the message is the one that gave the id to this handoff: it says which
  ///   handoff it is, but only the organisation that gave the id before may say it anew.
  /// - A second person makes an id ambiguous. But a person's record number stays with the first,
  ///   and a handoff's own id too unless its sender gives it twice: nobody else moves it.
  package mutating func learn(
    _ token: Token, _ known: Known, isDefining: Bool = false, day: UInt16 = 0
  ) -> Learned {
    guard let old = entry(token) else {
      return Learned(entry: write(token, known, day: day))
    }
    guard old.patientKey != .nobody else { return Learned() }
    var new = known
    var conflict: PatientKey?
    if resolve(old.patientKey) != resolve(known.patientKey) {
      if old.kind == .person || old.kind == .business { conflict = resolve(old.patientKey) }
      let isGivenTwice = isDefining && old.from == known.from
      guard old.kind != .person, old.kind != .business || isGivenTwice else {
        return Learned(conflict: conflict)
      }
      new = Known(patientKey: .nobody, handoffID: nil, kind: old.kind ?? known.kind)
    } else if isDefining, old.from == nil || old.from == known.from {
      new.kind = known.kind ?? old.kind
    } else {
      new = Known(
        patientKey: known.patientKey, handoffID: old.handoffID, from: old.from, to: old.to,
        kind: old.kind ?? known.kind, isUntraced: known.isUntraced)
      if let handoff = known.handoffID, handoff != old.handoffID, !isDefining {
        new.handoffID = nil
      }
    }
    let isSame =
      new.handoffID == old.handoffID && new.from == old.from && new.to == old.to
      && (new.patientKey == old.patientKey || resolve(old.patientKey) == new.patientKey)
      && new.kind == old.kind
    let isNoted = Int(day) < Int(old.seenDay) + Self.dayGranularity
    guard !isSame || !isNoted else { return Learned() }
    return Learned(entry: write(token, new, day: day), conflict: conflict)
  }

  /// Learns that `token` belongs to another person from now on, because a message says so.
  @discardableResult
  package mutating func move(_ token: Token, to known: Known, day: UInt16 = 0) -> Known {
    write(token, known, day: day)
  }

  /// Everything of `old`, whatever its tokens, belongs to `new` from now on.
  ///
  /// One record in the topic moves them all, in whatever order the topic is read again. `token`
  /// must be the old key's own.
  ///
  /// - Returns: what must be written to the topic; `nil` where it would close a circle, or `old`
  ///   has given up its place before.
  package mutating func link(
    _ old: PatientKey, to new: PatientKey, token: Token, day: UInt16 = 0
  ) -> (old: PatientKey, new: PatientKey, isUntraced: Bool)? {
    guard resolve(old) == old, resolve(new) != old else { return nil }
    let isUntraced = isUntraced(old)
    pendingLinks[old] = (new, token)
    pending[token] = CorrelationStore.Entry(
      patientKey: old, kind: .link, isUntraced: isUntraced, seenDay: day)
    return (old, new, isUntraced)
  }

  private mutating func write(_ token: Token, _ known: Known, day: UInt16) -> Known {
    pending[token] = CorrelationStore.Entry(
      patientKey: known.patientKey, handoffID: known.handoffID, from: known.from, to: known.to,
      kind: known.kind, isUntraced: known.isUntraced, seenDay: day)
    if known.isUntraced { pendingUntraced.insert(known.patientKey) }
    return known
  }

  // MARK: Forgetting

  /// Takes out what was last seen before its day, as part of a transaction of its own.
  ///
  /// - Returns: the tokens whose tombstones must be written to the topic.
  package mutating func forget(
    below position: inout Int, scanMax: Int, countMax: Int,
    before day: (CorrelationKind?) -> UInt16
  ) -> [Token] {
    pendingRemovals = committed.expired(
      below: &position, scanMax: scanMax, countMax: countMax, before: day)
    return pendingRemovals
  }

  // MARK: The end of a transaction

  /// The transaction is committed; gives the tokens that it learned.
  package mutating func commit() -> [Token] {
    let tokens = pending.keys.sorted()
    for token in tokens {
      guard let entry = pending[token], entry.kind != .link else { continue }
      committed.put(token, entry)
    }
    for (old, link) in pendingLinks {
      let entry = pending[link.token]
      // Looked at when it was made.
      committed.link(
        link.token, old, to: link.new, isUntraced: entry?.isUntraced ?? false,
        seenDay: entry?.seenDay ?? 0)
    }
    for token in pendingRemovals { committed.remove(token) }
    drop()
    return tokens
  }

  /// The transaction is aborted: nothing of it was learned.
  package mutating func rollBack() { drop() }

  /// Forgets everything, to be restored again.
  package mutating func reset() {
    committed = CorrelationStore()
    drop()
  }

  private mutating func drop() {
    pending.removeAll(keepingCapacity: true)
    pendingLinks.removeAll(keepingCapacity: true)
    pendingUntraced.removeAll(keepingCapacity: true)
    pendingRemovals = []
  }
}
