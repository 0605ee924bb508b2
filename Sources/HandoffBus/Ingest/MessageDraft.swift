import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores

/// The work on one message: whom it is about, which handoffs, which events.
struct MessageDraft {
  let frame: StoredFrame
  let message: MappedMessage
  let source: ConnectorConfiguration
  let hashes: KeyedHashes
  var correlation = CorrelationTable(countMax: 0)

  private var drafts: [DraftEvent] = []
  private var entries: [CorrelationEntry] = []

  init(
    frame: StoredFrame, message: MappedMessage, source: ConnectorConfiguration,
    hashes: KeyedHashes
  ) {
    self.frame = frame
    self.message = message
    self.source = source
    self.hashes = hashes
  }

  private var sent: SourceMessage {
    SourceMessage(
      organisation: message.sendingOrganisation
        ?? source.mapping.ownOrganisation?.description ?? "",
      system: message.sendingSystem ?? "", id: message.messageID, type: message.messageType,
      bytes: frame.bytes)
  }

  /// What makes the ids of a fact: its own where it has one, since a poll is a new message each
  /// time and what it reports is not.
  private func origin(of fact: MappedFact) -> SourceMessage {
    guard let id = fact.messageID else { return sent }
    return SourceMessage(
      organisation: sent.organisation, system: sent.system, id: id, type: sent.type, bytes: [])
  }

  mutating func make(isLast: Bool) -> IngestResult {
    // Resolved before anything is learned: a parked message must leave no trace.
    var keys: [PatientKey] = []
    for fact in message.facts {
      guard let key = patientKey(of: fact) else {
        return unresolved(fact, isLast: isLast)
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
      return .deadLetter(
        .noHandoffFact, reason: ingestCode("merge.same-person"), field: nil,
        messageType: message.messageType)
    }
    let reception = SourceReception(
      source: frame.source, receptionID: frame.receptionID,
      messageKey: first.event.messageKey, contentMac: hashes.frameMac(frame.bytes),
      sequence: message.sequence, at: frame.receivedAt)
    return .events(IngestedMessage(drafts: drafts, entries: entries, reception: reception))
  }

  // MARK: Whom it is about

  /// The NHS number's key; else the key that a local id or a reference is known under; else the
  /// local id's own; `nil` where only an unknown reference is left.
  private func patientKey(of fact: MappedFact) -> PatientKey? {
    let person = fact.type == .patientMerged ? fact.priorPerson : fact.person ?? message.person
    if let number = person?.nhsNumber { return hashes.patientKey(number) }
    let ids = Self.ordered(person?.localIDs ?? [])
    let records = ids.filter(Self.isRecordNumber)
    if let known = records.lazy.compactMap({ correlation[hashes.correlation($0)] }).first {
      return known.patientKey
    }
    // A merge names its people itself: what its message refers to is the other's.
    guard fact.type != .patientMerged else { return ids.first.map(hashes.patientKey) }
    // Message ids are repeated over people: where the sender names the person they say nothing.
    let known = ids.isEmpty ? self.known(fact) : fact.handoff.flatMap { self.known($0) }
    if let known { return known.patientKey }
    return ids.first.map(hashes.patientKey)
  }

  /// Medical record numbers first: others, such as visit numbers, may be short-lived.
  private static func ordered(_ ids: [ClearPerson.LocalID]) -> [ClearPerson.LocalID] {
    let rank = ["MR": 0, "PI": 1]
    return ids.enumerated().sorted { left, right in
      let (one, two) = (rank[left.element.type ?? ""] ?? 2, rank[right.element.type ?? ""] ?? 2)
      return (one, left.offset) < (two, right.offset)
    }.map(\.element)
  }

  /// Whether an id is one person's alone: a family may share an account or an insurance number.
  private static func isRecordNumber(_ id: ClearPerson.LocalID) -> Bool {
    ["MR", "PI", "PT", "U", nil].contains(id.type)
  }

  /// The ids by which a fact may come to be known, the strongest first.
  private func references(of fact: MappedFact) -> [RawReference] {
    [fact.handoff, fact.answers].compactMap(\.self) + fact.references
  }

  private func known(_ reference: RawReference) -> CorrelationTable.Known? {
    correlation[hashes.correlation(reference)]
  }

  /// The message that a fact answers; where its namespace is unknown, that of the same source.
  private func knownAnswered(_ fact: MappedFact) -> CorrelationTable.Known? {
    guard let answers = fact.answers else { return nil }
    return known(answers) ?? correlation[hashes.correlation(answers, of: frame.source)]
  }

  /// The first that is known of the ids of a fact, the strongest first: a business id is its
  /// owner's alone, a message id may be repeated.
  private func known(_ fact: MappedFact) -> CorrelationTable.Known? {
    fact.handoff.flatMap { known($0) } ?? knownAnswered(fact)
      ?? fact.references.lazy.compactMap { self.known($0) }.first
  }

  private func unresolved(_ fact: MappedFact, isLast: Bool) -> IngestResult {
    guard let reference = references(of: fact).first else {
      return .deadLetter(
        .refused, reason: ingestCode("identity.patient-missing"), field: nil,
        messageType: message.messageType)
    }
    guard !isLast else {
      return .deadLetter(
        .refused, reason: ingestCode("correlation.orphan"),
        field: reference.system.description, messageType: message.messageType)
    }
    return .parked(hashes.correlation(reference))
  }

  // MARK: What it says

  private mutating func add(_ fact: MappedFact, of key: PatientKey, index: Int) {
    var newKey: PatientKey?
    if fact.type == .patientMerged {
      newKey = survivorKey(of: fact)
      // Two local ids of one NHS number: nothing moves.
      guard newKey != key else { return }
    }
    if let person = fact.person ?? message.person, fact.type != .patientMerged {
      link(person, to: key, fact: fact)
    }
    let handoff = handoffID(of: fact, key: key)
    var event = HandoffEvent(
      id: hashes.eventID(
        of: origin(of: fact), part: fact.messageID == nil ? String(index) : "0"),
      receptionID: frame.receptionID,
      type: fact.type, patientKey: key, handoffID: handoff, contentMac: Token(rawValue: 0),
      speaker: fact.speaker, spokenBy: nil,
      occurredAt: fact.occurredAt ?? frame.receivedAt, source: frame.source, rail: frame.rail)
    event.newPatientKey = newKey
    fill(&event, from: fact)
    event.contentMac = hashes.contentMac(event)
    drafts.append(DraftEvent(event: event, identity: identity(of: fact)))
    learn(fact, event: event)
  }

  private func survivorKey(of fact: MappedFact) -> PatientKey? {
    guard let person = fact.person ?? message.person else { return nil }
    if let number = person.nhsNumber { return hashes.patientKey(number) }
    let ids = Self.ordered(person.localIDs)
    return ids.filter(Self.isRecordNumber).lazy
      .compactMap { correlation[hashes.correlation($0)]?.patientKey }.first
      ?? ids.first.map(hashes.patientKey)
  }

  /// The request's own id; for an answer the handoff that its ids are known to belong to.
  private func handoffID(of fact: MappedFact, key: PatientKey) -> HandoffID? {
    guard fact.type.isOfHandoff else { return nil }
    func own(_ known: CorrelationTable.Known?) -> HandoffID? {
      known?.patientKey == key ? known?.handoffID : nil
    }
    if let named = fact.handoff {
      if fact.type == .handoffRequested { return hashes.handoff(named) }
      return own(known(named)) ?? own(knownAnswered(fact)) ?? hashes.handoff(named)
    }
    if let answered = own(knownAnswered(fact)) { return answered }
    return fact.references.lazy.compactMap { own(self.known($0)) }.first
      ?? fact.conversation.flatMap { own(known($0)) }
  }

  func fill(_ event: inout HandoffEvent, from fact: MappedFact) {
    event.messageKey = hashes.messageKey(of: origin(of: fact))
    event.externalReferences = fact.references.map { reference in
      ExternalReference(
        system: reference.system, token: hashes.token(reference),
        assigner: reference.assigner.flatMap(organisation))
    }
    event.conversationID = fact.conversation.map(hashes.token)
    event.journeyID = fact.journey.map(hashes.token)
    event.supersedes = fact.supersedes.map(hashes.token)
    // A part may name the Task above it, which is known by what it asks for.
    event.parentHandoffID = fact.parentHandoff.map {
      self.known($0)?.handoffID ?? hashes.handoff($0)
    }
    event.newHandoffID = fact.newHandoff.map(hashes.handoff)
    let known = [self.known(fact), knownAnswered(fact)].compactMap(\.self)
      .first { $0.patientKey == event.patientKey }
    event.from = party(fact.from) ?? known?.from.map { Party(organisation: $0) }
    event.to = party(fact.to) ?? known?.to.map { Party(organisation: $0) }
    event.cc = fact.cc.compactMap(party)
    let ofRole =
      switch fact.speaker {
      case .sender: event.from
      case .receiver: event.to
      case .platform: Party?.none
      }
    event.spokenBy = (party(fact.spokenBy) ?? ofRole)?.organisation
    event.kind = fact.kind
    event.priority = fact.priority
    event.needCode = fact.needCode
    event.needKey = fact.needCode.map { hashes.needKey(event.patientKey, need: $0) }
    event.recordedAt = message.recordedAt
    event.sequence = message.sequence
    event.isBackfill = fact.isBackfill
    event.reason = fact.reason
    event.outcome = fact.outcome
    event.bookedFor = fact.bookedFor
    event.dischargeReadyAt = fact.dischargeReadyAt
    event.dischargePathway = fact.dischargePathway
    event.isFeedbackOwed = fact.isFeedbackOwed
  }

  private func party(_ raw: RawParty?) -> Party? {
    guard let raw else { return nil }
    let id: OrganisationID? =
      raw.odsCode.map(OrganisationID.ods) ?? raw.openReferral.map(OrganisationID.openReferral)
      ?? raw.organisation.flatMap(organisation)
    return id.map {
      Party(organisation: $0, system: raw.system.flatMap { Code($0) }, role: raw.role)
    }
  }

  private func organisation(_ name: String) -> OrganisationID? {
    if let code = source.mapping.organisations[name] { return .ods(code) }
    return name.isEmpty ? nil : .local(hashes.organisation(name))
  }

  // MARK: What is learned

  /// Remembers the person's local ids, and says so where one was taken for another person before.
  private mutating func link(_ person: ClearPerson, to key: PatientKey, fact: MappedFact) {
    for (index, id) in person.localIDs.filter(Self.isRecordNumber).enumerated() {
      let token = hashes.correlation(id)
      let untraced = hashes.patientKey(id)
      let before = correlation[token]?.patientKey
      // Seen before under its own hash only, because nobody had sent the NHS number with it.
      if person.nhsNumber != nil, before == untraced, untraced != key {
        correlation.move(token, to: .init(patientKey: key, handoffID: nil))
        addLink(from: untraced, to: key, fact: fact, index: index, token: token)
      } else {
        record(
          token, .init(patientKey: key, handoffID: nil), by: hashes.eventID(of: sent, part: "0"))
      }
    }
  }

  /// `IdentityLinked` goes to the old key: its reducer moves what is open there.
  private mutating func addLink(
    from old: PatientKey, to new: PatientKey, fact: MappedFact, index: Int, token: Token
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
    entries.append(
      CorrelationEntry(token: token, patientKey: new, handoffID: nil, eventID: event.id))
  }

  private mutating func learn(_ fact: MappedFact, event: HandoffEvent) {
    if fact.type == .patientMerged {
      learnMerge(fact, event: event)
      return
    }
    let known = CorrelationTable.Known(
      patientKey: event.patientKey, handoffID: event.handoffID,
      from: event.from?.organisation, to: event.to?.organisation)
    let person = CorrelationTable.Known(patientKey: event.patientKey, handoffID: nil)
    if let own = fact.handoff {
      record(
        hashes.correlation(own), known, by: event.id,
        isDefining: fact.type == .handoffRequested)
    }
    for reference in fact.references {
      record(hashes.correlation(reference), event.handoffID == nil ? person : known, by: event.id)
    }
    if let conversation = fact.conversation {
      record(hashes.correlation(conversation), known, by: event.id)
    }
    if let reference = message.reference {
      record(hashes.correlation(reference), known, by: event.id)
      if reference.assigner != nil {
        record(hashes.correlation(reference, of: frame.source), known, by: event.id)
      }
    }
  }

  /// From now on the given-up ids find the survivor.
  private mutating func learnMerge(_ fact: MappedFact, event: HandoffEvent) {
    guard let key = event.newPatientKey else { return }
    for id in (fact.priorPerson?.localIDs ?? []).filter(Self.isRecordNumber) {
      let token = hashes.correlation(id)
      correlation.move(token, to: .init(patientKey: key, handoffID: nil))
      entries.append(
        CorrelationEntry(token: token, patientKey: key, handoffID: nil, eventID: event.id))
    }
  }

  private mutating func record(
    _ token: Token, _ known: CorrelationTable.Known, by event: EventID, isDefining: Bool = false
  ) {
    guard let new = correlation.learn(token, known, isDefining: isDefining) else { return }
    entries.append(
      CorrelationEntry(
        token: token, patientKey: new.patientKey, handoffID: new.handoffID, eventID: event,
        from: new.from, to: new.to))
  }

  // MARK: What is sealed

  private func identity(of fact: MappedFact) -> SealedIdentity {
    let roles: [(String, RawReference?)] =
      [
        ("handoff", fact.handoff), ("conversation", fact.conversation),
        ("journey", fact.journey), ("supersedes", fact.supersedes),
        ("parentHandoff", fact.parentHandoff), ("newHandoff", fact.newHandoff),
        ("answers", fact.answers),
      ] + fact.references.map { ("reference", Optional($0)) }
    let names = ([fact.from, fact.to, fact.spokenBy] + fact.cc).compactMap { $0?.organisation }
    return SealedIdentity(
      person: (fact.person ?? message.person).map(SealedIdentity.Person.init),
      priorPerson: fact.priorPerson.map(SealedIdentity.Person.init),
      messageID: message.messageID,
      ids: roles.compactMap { role, reference in
        reference.map {
          .init(
            role: role, system: $0.system.description, value: $0.value, assigner: $0.assigner)
        }
      },
      organisations: Set(names).sorted())
  }
}

extension EventType {
  /// Whether events of this type belong to one handoff, not to the person's stay.
  var isOfHandoff: Bool {
    switch self {
    case .handoffRequested, .handoffAmended, .transportAccepted, .delivered, .transportFailed,
      .received, .recipientRefusedPatient, .accepted, .rejected, .infoRequested, .redirected,
      .booked, .notAttended, .started, .interim, .completed, .couldNotComplete, .feedbackSent,
      .feedbackAcknowledged, .cancelled, .voided, .expired, .disposition, .handoffTransferred,
      .feedbackReceived, .patientChased:
      true
    case .readyForDischarge, .dischargeReadinessWithdrawn, .discharged, .dischargeCancelled,
      .bedAssigned, .bedFreed, .bedMoved, .patientMerged, .patientMoved, .patientDied,
      .identityLinked, .orgChanged, .wardClosed, .wardOpened:
      false
    }
  }
}
