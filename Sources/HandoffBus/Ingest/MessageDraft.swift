import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores

/// How far a frame has come when it is mapped.
package enum DraftStage: Sendable {
  /// For the first time, or again because its request may have come.
  case arriving
  /// It has waited as long as A13 grants: whether it is an orphan is said now.
  case judging
  /// It has been kept as long as an orphan is.
  case givingUp
}

/// The work on one message: whom it is about, which handoffs, which events.
struct MessageDraft {
  let frame: StoredFrame
  let message: MappedMessage
  let source: ConnectorConfiguration
  let hashes: KeyedHashes
  let rules: IdentifierRules
  var correlation = CorrelationTable(countMax: 0)

  var drafts: [DraftEvent] = []
  var entries: [CorrelationEntry] = []
  var conflicts: [SourceConflict] = []
  /// A link was asked for of a person who has an NHS number already: that is a merge, or a mistake.
  var wouldLinkTwo = false

  init(
    frame: StoredFrame, message: MappedMessage, source: ConnectorConfiguration,
    hashes: KeyedHashes
  ) {
    self.frame = frame
    self.message = message
    self.source = source
    self.hashes = hashes
    rules = IdentifierRules(source.mapping)
  }

  var sent: SourceMessage {
    SourceMessage(
      organisation: message.sendingOrganisation
        ?? source.mapping.ownOrganisation?.description ?? "",
      system: message.sendingSystem ?? "", id: message.messageID, type: message.messageType,
      bytes: frame.bytes)
  }

  /// What makes the ids of a fact: its own where it has one, since a poll is a new message each
  /// time and what it reports is not.
  func origin(of fact: MappedFact) -> SourceMessage {
    guard let id = fact.messageID else { return sent }
    return SourceMessage(
      organisation: sent.organisation, system: sent.system, id: id, type: sent.type, bytes: [])
  }

  /// The day of reception, in days since 1970: when its ids were last seen.
  var day: UInt16 { Self.day(frame.receivedAt) }

  static func day(_ time: Timestamp) -> UInt16 {
    UInt16(clamping: time.milliseconds / 86_400_000)
  }

  mutating func make(_ stage: DraftStage) -> IngestResult {
    // Resolved before anything is learned: a parked message must leave no trace.
    var keys: [PatientKey] = []
    var orphan: ParkedAnswer?
    for fact in message.facts {
      guard let key = patientKey(of: fact) else { return unresolved(fact, stage) }
      if lacksRequest(fact, of: key), let answer = waiting(fact) {
        switch stage {
        case .arriving: return .parked(answer)
        case .judging: return .orphaned(answer)
        // With its patient it is evidence, although of no handoff.
        case .givingUp: orphan = orphan ?? answer
        }
      }
      keys.append(key)
    }
    for (fact, key) in zip(message.facts, keys) where !isSpeakerAllowed(fact, of: key) {
      return .deadLetter(
        .refused, reason: ingestCode("organisation.not-allowed"), field: "spokenBy",
        messageType: message.messageType)
    }
    for (index, (fact, key)) in zip(message.facts, keys).enumerated() {
      add(fact, of: key, index: index)
    }
    guard let first = drafts.first else {
      guard !wouldLinkTwo else {
        return .deadLetter(
          .refused, reason: ingestCode("identity.two-numbers"), field: "priorPerson",
          messageType: message.messageType)
      }
      return .deadLetter(
        .noHandoffFact, reason: ingestCode("merge.same-person"), field: nil,
        messageType: message.messageType)
    }
    var reception = self.reception
    reception.messageKey = first.event.messageKey
    reception.eventMac = first.event.contentMac
    reception.subject = Token(rawValue: first.event.patientKey.spread)
    return .events(
      IngestedMessage(
        drafts: drafts, entries: entries, conflicts: conflicts, reception: reception,
        orphan: orphan,
        answers: message.facts.lazy.compactMap { $0.answers ?? $0.handoff }.first?.system))
  }

  // MARK: Whom it is about

  /// The NHS number's key; else the key that a local id or a reference is known under; else the
  /// local id's own; `nil` where only an unknown reference is left.
  private func patientKey(of fact: MappedFact) -> PatientKey? {
    let person = fact.type.givesUpKey ? fact.priorPerson : fact.person ?? message.person
    if let number = person?.nhsNumber { return hashes.patientKey(number) }
    let ids = Self.ordered(person?.localIDs ?? [])
    if let known = knownPerson(ids) { return known }
    // A merge names its people itself: what its message refers to is the other's.
    guard !fact.type.givesUpKey else { return ids.lazy.compactMap(ownKey).first }
    // Message ids are repeated over people: where the sender names the person they say nothing.
    let known = ids.isEmpty ? self.known(fact) : fact.handoff.flatMap { self.known($0) }
    if let known { return known.patientKey }
    return ids.lazy.compactMap(ownKey).first
  }

  /// The person that one of the record numbers is known to name; one with an NHS number first.
  func knownPerson(_ ids: [ClearPerson.LocalID]) -> PatientKey? {
    let known = ids.filter(Self.isRecordNumber).compactMap { self.known($0) }
    return (known.first { !$0.isUntraced } ?? known.first)?.patientKey
  }

  /// The key that a local id has of its own, or what stands for it by now; `nil` for a blank one.
  func ownKey(_ id: ClearPerson.LocalID) -> PatientKey? {
    untracedKey(id).map { correlation.resolve($0) }
  }

  func untracedKey(_ id: ClearPerson.LocalID) -> PatientKey? {
    rules.spellings(id).first.map(hashes.patientKey)
  }

  /// Medical record numbers first: others, such as visit numbers, may be short-lived.
  static func ordered(_ ids: [ClearPerson.LocalID]) -> [ClearPerson.LocalID] {
    let rank = ["MR": 0, "PI": 1]
    return ids.enumerated().sorted { left, right in
      let (one, two) = (rank[left.element.type ?? ""] ?? 2, rank[right.element.type ?? ""] ?? 2)
      return (one, left.offset) < (two, right.offset)
    }.map(\.element)
  }

  /// Whether an id is one person's alone: a family may share an account or an insurance number.
  static func isRecordNumber(_ id: ClearPerson.LocalID) -> Bool {
    ["MR", "PI", "PT", "U", nil].contains(id.type)
  }

  // MARK: What it belongs to

  /// Under what an id is looked up, the best first.
  func tokens(_ reference: RawReference) -> [Token] {
    rules.spellings(reference).map(hashes.correlation)
  }

  func tokens(_ id: ClearPerson.LocalID) -> [Token] {
    rules.spellings(id).map(hashes.correlation)
  }

  /// The same for a message's id by the source alone: an answer may not repeat its namespace.
  private func sourceToken(_ reference: RawReference) -> Token? {
    rules.spellings(reference).first.map { hashes.correlation($0, of: frame.source) }
  }

  func sourceTokens(_ reference: RawReference) -> [Token] {
    [sourceToken(reference)].compactMap(\.self)
  }

  func known(_ reference: RawReference) -> CorrelationTable.Known? {
    tokens(reference).lazy.compactMap { correlation[$0] }.first
  }

  func known(_ id: ClearPerson.LocalID) -> CorrelationTable.Known? {
    tokens(id).lazy.compactMap { correlation[$0] }.first
  }

  /// The message that a fact answers; where its namespace is unknown, that of the same source.
  func knownAnswered(_ fact: MappedFact) -> CorrelationTable.Known? {
    guard let answers = fact.answers else { return nil }
    return known(answers) ?? sourceToken(answers).flatMap { correlation[$0] }
  }

  /// The first that is known of the ids of a fact, the strongest first: a business id is its
  /// owner's alone, a message id may be repeated.
  func known(_ fact: MappedFact) -> CorrelationTable.Known? {
    fact.handoff.flatMap { known($0) } ?? knownAnswered(fact)
      ?? fact.references.lazy.compactMap { self.known($0) }.first
      ?? fact.conversation.flatMap { known($0) }
  }

  /// Whether `known` is about the person that `key` stands for.
  func isOwn(_ known: CorrelationTable.Known?, _ key: PatientKey) -> Bool {
    known?.patientKey == correlation.resolve(key)
  }

  /// The request's own id; for an answer the handoff that its ids are known to belong to.
  func handoffID(of fact: MappedFact, key: PatientKey) -> HandoffID? {
    guard fact.type.isOfHandoff else { return nil }
    func own(_ known: CorrelationTable.Known?) -> HandoffID? {
      isOwn(known, key) ? known?.handoffID : nil
    }
    if let named = fact.handoff {
      if fact.type == .handoffRequested { return hashed(named) }
      return own(known(named)) ?? own(knownAnswered(fact)) ?? hashed(named)
    }
    if let answered = own(knownAnswered(fact)) { return answered }
    return fact.references.lazy.compactMap { own(self.known($0)) }.first
      ?? fact.conversation.flatMap { own(known($0)) }
  }

  /// The handoff that an id names.
  func hashed(_ reference: RawReference) -> HandoffID? {
    rules.spellings(reference).first.map(hashes.handoff)
  }

  // MARK: What it waits for

  /// The ids by which a fact may come to be known, the strongest first.
  private func references(of fact: MappedFact) -> [RawReference] {
    ([fact.handoff, fact.answers].compactMap(\.self) + fact.references
      + [fact.conversation].compactMap(\.self)).filter { !tokens($0).isEmpty }
  }

  /// Whether a fact names its person and the message it answers, and nobody knows that message.
  ///
  /// Of no handoff it would be heard by nobody: it waits like an answer without a person.
  private func lacksRequest(_ fact: MappedFact, of key: PatientKey) -> Bool {
    guard fact.type.isOfHandoff, fact.handoff == nil, let answers = fact.answers,
      knownAnswered(fact) == nil, handoffID(of: fact, key: key) == nil
    else { return false }
    // Two messages have this id: neither will ever be the one.
    return !(tokens(answers) + sourceTokens(answers)).contains { correlation.isAmbiguous($0) }
  }

  /// `nil` where nothing is named that could come.
  private func waiting(_ fact: MappedFact) -> ParkedAnswer? {
    let references = references(of: fact)
    guard let first = references.first, let token = tokens(first).first else { return nil }
    return ParkedAnswer(
      sequence: frame.sequence, source: frame.source, token: token,
      waitsFor: Set(references.flatMap(tokens) + (fact.answers.map(sourceTokens) ?? [])),
      own: Set(message.reference.map(tokens) ?? []), system: first.system)
  }

  private func unresolved(_ fact: MappedFact, _ stage: DraftStage) -> IngestResult {
    guard let answer = waiting(fact) else {
      return .deadLetter(
        .refused, reason: ingestCode("identity.patient-missing"), field: nil,
        messageType: message.messageType)
    }
    switch stage {
    case .arriving: return .parked(answer)
    case .judging: return .orphaned(answer)
    case .givingUp:
      return .deadLetter(
        .refused, reason: ingestCode("correlation.orphan"),
        field: answer.system.description, messageType: message.messageType)
    }
  }
}
