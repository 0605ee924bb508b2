import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores

/// What a message says: one event a fact, and who says it.
extension MessageDraft {
  mutating func add(_ fact: MappedFact, of key: PatientKey, index: Int) {
    var newKey: PatientKey?
    if fact.type.givesUpKey {
      newKey = survivorKey(of: fact)
      // Two local ids of one NHS number: nothing moves.
      guard newKey != key else { return }
      let given = fact.priorPerson?.localIDs ?? []
      if fact.type == .identityLinked, !correlation.isUntraced(key),
        !given.contains(where: { untracedKey($0) == key })
      {
        wouldLinkTwo = true
        return
      }
    }
    if let person = fact.person ?? message.person, !fact.type.givesUpKey {
      identify(person, as: key, fact: fact)
    }
    let handoff = handoffID(of: fact, key: key)
    var event = HandoffEvent(
      id: hashes.eventID(
        of: origin(of: fact), part: fact.messageID == nil ? String(index) : "0"),
      receptionID: frame.receptionID, type: fact.type, patientKey: key, handoffID: handoff,
      contentMac: Token(rawValue: 0),
      speaker: fact.speaker, spokenBy: nil,
      occurredAt: fact.occurredAt ?? frame.receivedAt, source: frame.source, rail: frame.rail)
    event.newPatientKey = newKey
    let known = known(fact, of: key)
    fill(&event, from: fact, known: known)
    attribute(&event, fact, known: known)
    event.contentMac = hashes.contentMac(event)
    drafts.append(DraftEvent(event: event, identity: identity(of: fact)))
    learn(fact, event: event, known: known)
  }

  private func survivorKey(of fact: MappedFact) -> PatientKey? {
    guard let person = fact.person ?? message.person else { return nil }
    if let number = person.nhsNumber { return hashes.patientKey(number) }
    let ids = Self.ordered(person.localIDs)
    return knownPerson(ids) ?? ids.lazy.compactMap(ownKey).first
  }

  /// What is known of a fact's handoff, where that is the person's who `key` stands for.
  func known(_ fact: MappedFact, of key: PatientKey) -> CorrelationTable.Known? {
    [known(fact), knownAnswered(fact)].compactMap(\.self).first { isOwn($0, key) }
  }

  func fill(
    _ event: inout HandoffEvent, from fact: MappedFact, known: CorrelationTable.Known?
  ) {
    event.messageKey = hashes.messageKey(of: origin(of: fact))
    event.externalReferences = fact.references.compactMap { reference in
      guard let canonical = rules.spellings(reference).first else { return nil }
      return ExternalReference(
        system: reference.system, token: hashes.token(canonical),
        assigner: reference.assigner.flatMap(organisation))
    }
    event.conversationID = fact.conversation.flatMap(token)
    event.journeyID = fact.journey.flatMap(token)
    event.supersedes = fact.supersedes.flatMap(token)
    event.answers = fact.answers.map(hashes.messageName)
    if fact.type == .handoffRequested || fact.type == .handoffAmended {
      event.version = message.reference.map(hashes.messageName)
    }
    // A part may name the Task above it, which is known by what it asks for.
    event.parentHandoffID = fact.parentHandoff.flatMap { self.known($0)?.handoffID ?? hashed($0) }
    event.newHandoffID = fact.newHandoff.flatMap(hashed)
    event.from = party(fact.from) ?? known?.from.map { Party(organisation: $0) }
    event.to = party(fact.to) ?? known?.to.map { Party(organisation: $0) }
    event.cc = fact.cc.compactMap(party)
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

  private func token(_ reference: RawReference) -> Token? {
    rules.spellings(reference).first.map(hashes.token)
  }

  func party(_ raw: RawParty?) -> Party? {
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

  // MARK: Who says it

  /// Names the speaker, and never one that the connector may not speak for.
  ///
  /// What the message names was checked when it arrived. What it leaves out is taken from the
  /// request, and must not put a stranger's word into a party's mouth: then the connector's own
  /// organisation has said it, and the reducer hears it as evidence.
  private func attribute(
    _ event: inout HandoffEvent, _ fact: MappedFact, known: CorrelationTable.Known?
  ) {
    let named: RawParty? =
      switch fact.speaker {
      case .sender: fact.spokenBy ?? fact.from
      case .receiver: fact.spokenBy ?? fact.to
      case .platform: fact.spokenBy
      }
    if let speaker = party(named)?.organisation {
      event.spokenBy = speaker
      return
    }
    switch fact.speaker {
    case .sender: event.spokenBy = known?.from.map(vouched)
    case .receiver: event.spokenBy = known?.to.map(vouched)
    case .platform:
      let parties = [known?.from, known?.to].compactMap(\.self)
      guard !parties.isEmpty, !parties.contains(where: mayName) else { return }
      // The transport of neither side: a third party, which may say nothing of it.
      event.speaker = .receiver
      event.spokenBy = own
    }
  }

  private func vouched(_ organisation: OrganisationID) -> OrganisationID {
    mayName(organisation) ? organisation : own
  }

  private func mayName(_ organisation: OrganisationID) -> Bool {
    guard case .only(let allowed) = source.speaksFor else { return true }
    return allowed.contains { OrganisationID.ods($0) == organisation }
  }

  /// Whoever is behind the connector, where its messages do not say.
  private var own: OrganisationID {
    if let organisation = source.mapping.ownOrganisation { return .ods(organisation) }
    if case .only(let allowed) = source.speaksFor, let least = allowed.min() { return .ods(least) }
    return .local(hashes.organisation("connector \(source.name)"))
  }

  // MARK: What is sealed

  func identity(of fact: MappedFact) -> SealedIdentity {
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
  /// Whether an event of this type goes to the key that gives its place to another.
  var givesUpKey: Bool { self == .patientMerged || self == .identityLinked }

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
