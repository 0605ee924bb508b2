import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores

/// What correlation learns of a message, and what it must not.
extension MessageDraft {
  // MARK: Of people

  /// Remembers the person's record numbers, and says so where one had a key of its own before.
  ///
  /// Two NHS numbers are never linked here: a record number that was one's and comes with another
  /// stays where it is, and is evidence for A16.
  mutating func identify(_ person: ClearPerson, as key: PatientKey, fact: MappedFact) {
    let current = correlation.resolve(key)
    let isUntraced =
      person.nhsNumber == nil
      && (correlation.isUntraced(current)
        || person.localIDs.contains { untracedKey($0) == current })
    let own = CorrelationTable.Known(
      patientKey: current, handoffID: nil, kind: .person, isUntraced: isUntraced)
    for (index, id) in person.localIDs.filter(Self.isRecordNumber).enumerated() {
      let tokens = tokens(id)
      let before = known(id)
      let old = before?.patientKey ?? untracedKey(id)
      if let old, old != current, !isUntraced, isLinkable(old, by: id, before) {
        addLink(from: old, to: current, fact: fact, index: index)
        for token in tokens { move(token, to: own, by: hashes.eventID(of: sent, part: "0")) }
      } else if let before, before.patientKey != current, isUntraced {
        // Both people are known by local ids alone: nothing is proved yet.
        continue
      } else {
        for token in tokens {
          record(
            token, own, by: hashes.eventID(of: sent, part: "0"),
            reporting: Code(IdentifierRules.personField(of: message)))
        }
      }
    }
  }

  /// Whether `old` is the key that a local id has only for want of an NHS number.
  private func isLinkable(
    _ old: PatientKey, by id: ClearPerson.LocalID, _ before: CorrelationTable.Known?
  ) -> Bool {
    guard let before else { return false }
    return before.isUntraced || untracedKey(id) == old
  }

  /// `IdentityLinked` goes to the old key: its reducer moves what is open there.
  private mutating func addLink(
    from old: PatientKey, to new: PatientKey, fact: MappedFact, index: Int
  ) {
    var event = HandoffEvent(
      id: hashes.eventID(of: sent, part: "linked-\(index)"), receptionID: frame.receptionID,
      type: .identityLinked, patientKey: old, handoffID: nil, contentMac: Token(rawValue: 0),
      speaker: .platform, spokenBy: nil, occurredAt: fact.occurredAt ?? frame.receivedAt,
      source: frame.source, rail: frame.rail)
    event.newPatientKey = new
    event.messageKey = hashes.messageKey(of: sent)
    event.recordedAt = message.recordedAt
    event.contentMac = hashes.contentMac(event)
    drafts.append(DraftEvent(event: event, identity: identity(of: fact)))
    link(old, to: new, by: event.id)
  }

  /// From now on everything of the given-up key finds the survivor.
  private mutating func learnMerge(_ fact: MappedFact, event: HandoffEvent) {
    guard let named = event.newPatientKey else { return }
    let survivor = correlation.resolve(named)
    let old = event.patientKey
    if correlation.resolve(old) == old {
      link(old, to: survivor, by: event.id)
    } else if correlation.resolve(old) != survivor {
      // Given up before, to somebody else: the bus does not choose between the two.
      conflict(
        hashes.correlation(link: old), code: Code("MRG-1"), known: correlation.resolve(old),
        named: survivor)
      return
    }
    let own = CorrelationTable.Known(
      patientKey: survivor, handoffID: nil, kind: .person,
      isUntraced: correlation.isUntraced(survivor))
    let given = (fact.person ?? message.person)?.localIDs ?? []
    for id in ((fact.priorPerson?.localIDs ?? []) + given).filter(Self.isRecordNumber) {
      let isPrior = known(id).map { $0.patientKey == survivor } ?? true
      guard isPrior else { continue }
      for token in tokens(id) { move(token, to: own, by: event.id) }
    }
  }

  private mutating func link(_ old: PatientKey, to new: PatientKey, by event: EventID) {
    let token = hashes.correlation(link: old)
    guard let made = correlation.link(old, to: new, token: token, day: day) else { return }
    var entry = CorrelationEntry(
      token: token, patientKey: made.old, handoffID: nil, eventID: event)
    entry.newPatientKey = made.new
    entry.isUntraced = made.isUntraced
    entry.kind = .link
    entry.seenDay = day
    entries.append(entry)
  }

  // MARK: Of handoffs

  mutating func learn(
    _ fact: MappedFact, event: HandoffEvent, known: CorrelationTable.Known?
  ) {
    if fact.type.givesUpKey {
      learnMerge(fact, event: event)
      return
    }
    let key = correlation.resolve(event.patientKey)
    let isUntraced = correlation.isUntraced(key)
    let person = CorrelationTable.Known(
      patientKey: key, handoffID: nil, kind: .message, isUntraced: isUntraced)
    if fact.type == .patientMoved { return learnMove(fact, to: person, by: event.id) }
    // Who is no party to a handoff is heard, and teaches nothing of it.
    if isStranger(event, to: known) {
      learnMessage(person, by: event.id)
      return
    }
    var whole = CorrelationTable.Known(
      patientKey: key, handoffID: event.handoffID, from: event.from?.organisation,
      to: event.to?.organisation, kind: .business, isUntraced: isUntraced)
    if let own = fact.handoff {
      for token in tokens(own) {
        record(
          token, whole, by: event.id, isDefining: fact.type == .handoffRequested,
          reporting: own.system)
      }
    }
    for reference in fact.references {
      var part = event.handoffID == nil ? person : whole
      part.kind = CorrelationMap.kind(of: reference.system)
      for token in tokens(reference) { record(token, part, by: event.id) }
    }
    // What answers an unknown message must not tell that message's handoff before it comes.
    if let conversation = fact.conversation, event.handoffID != nil {
      whole.kind = CorrelationMap.kind(of: conversation.system)
      for token in tokens(conversation) { record(token, whole, by: event.id) }
    }
    whole.kind = .message
    learnMessage(whole, by: event.id)
  }

  /// A visit that was one person's is another's from now on (A45).
  private mutating func learnMove(
    _ fact: MappedFact, to person: CorrelationTable.Known, by event: EventID
  ) {
    let prior = Self.ordered(fact.priorPerson?.localIDs ?? [])
    let old =
      fact.priorPerson?.nhsNumber.map { correlation.resolve(hashes.patientKey($0)) }
      ?? knownPerson(prior) ?? prior.lazy.compactMap(ownKey).first
    var visit = person
    visit.kind = .reference
    for reference in fact.references {
      for token in tokens(reference) {
        if let old, correlation[token]?.patientKey == old {
          move(token, to: visit, by: event)
        } else {
          record(token, visit, by: event)
        }
      }
    }
    learnMessage(person, by: event)
  }

  private mutating func learnMessage(_ known: CorrelationTable.Known, by event: EventID) {
    guard let reference = message.reference else { return }
    for token in tokens(reference) { record(token, known, by: event) }
    if reference.assigner != nil {
      for token in sourceTokens(reference) { record(token, known, by: event) }
    }
  }

  /// Whether the speaker is neither of the two whom the handoff is known to be between.
  private func isStranger(_ event: HandoffEvent, to known: CorrelationTable.Known?) -> Bool {
    guard let known, known.handoffID != nil, let speaker = event.spokenBy,
      speaker != known.from, speaker != known.to
    else { return false }
    return switch event.speaker {
    case .sender: known.from != nil
    case .receiver: known.to != nil
    case .platform: false
    }
  }

  // MARK: Entries

  private mutating func record(
    _ token: Token, _ known: CorrelationTable.Known, by event: EventID, isDefining: Bool = false,
    reporting system: Code? = nil
  ) {
    let learned = correlation.learn(token, known, isDefining: isDefining, day: day)
    if let other = learned.conflict {
      conflict(token, code: system, known: other, named: known.patientKey)
    }
    guard let new = learned.entry else { return }
    entries.append(entry(token, new, by: event))
  }

  private mutating func move(
    _ token: Token, to known: CorrelationTable.Known, by event: EventID
  ) {
    entries.append(entry(token, correlation.move(token, to: known, day: day), by: event))
  }

  private func entry(
    _ token: Token, _ known: CorrelationTable.Known, by event: EventID
  ) -> CorrelationEntry {
    var entry = CorrelationEntry(
      token: token, patientKey: known.patientKey, handoffID: known.handoffID, eventID: event,
      from: known.from, to: known.to)
    entry.kind = known.kind
    entry.isUntraced = known.isUntraced
    entry.seenDay = day
    return entry
  }

  private mutating func conflict(
    _ token: Token, code: Code?, known: PatientKey, named: PatientKey
  ) {
    guard let code, !conflicts.contains(where: { $0.knownKey == known && $0.namedKey == named })
    else { return }
    conflicts.append(
      SourceConflict(
        source: frame.source, receptionID: frame.receptionID, reference: token, system: code,
        knownKey: known, namedKey: named, at: frame.receivedAt))
  }
}
