internal import HandoffCodecs
package import HandoffCore
package import HandoffStores
package import KafkaClient

/// What organisations outside are told: one sealed notice for each of them that is a party.
///
/// Nothing goes to anybody else. The record's key is a hash for that organisation alone, so that two
/// of them cannot find that they know the same person, and nobody learns a key of the bus.
package struct NoticeMaker: Sendable {
  private let organisations: [ODSCode: BoundaryOrganisation]
  private let hashes: KeyedHashes
  private let codec = WireCodec()

  package init(_ organisations: [BoundaryOrganisation], secrets: Secrets) {
    self.organisations = Dictionary(
      organisations.filter(\.hasOutbox).map { ($0.code, $0) },
      uniquingKeysWith: { first, _ in first })
    hashes = KeyedHashes(secrets)
  }

  /// Whether nobody is told anything.
  package var isEmpty: Bool { organisations.isEmpty }

  /// The notices of an event, with who it is about.
  package func messages(
    of event: HandoffEvent, _ identity: @autoclosure () -> SealedIdentity
  ) -> [KafkaMessage] {
    let parties = [event.from, event.to].compactMap(\.self) + event.cc
    let told = addressees(parties.map(\.organisation))
    guard !told.isEmpty else { return [] }
    let clear = Notice.Identity(identity())
    return told.map { organisation in
      let id = noticeID(organisation, event.id.bytes + event.receptionID.bytes)
      return message(
        Notice(id: id, of: event, clear), id, organisation, about: event.patientKey.description)
    }
  }

  /// The notices of a verdict; who it is about, earlier notices of the same handoff tell.
  package func messages(of verdict: Verdict) -> [KafkaMessage] {
    guard verdict.handoffID != nil, let person = verdict.patientKey else { return [] }
    return addressees([verdict.from, verdict.to].compactMap(\.self)).map { organisation in
      let revision = (0..<4).map { UInt8(truncatingIfNeeded: verdict.revision >> (24 - 8 * $0)) }
      let id = noticeID(organisation, verdict.alertID.bytes + revision)
      return message(
        Notice(id: id, of: verdict), id, organisation, about: person.description)
    }
  }

  /// Those of `parties` that are registered, each once, in one order.
  private func addressees(_ parties: [OrganisationID]) -> [BoundaryOrganisation] {
    let codes = parties.compactMap { party -> ODSCode? in
      let parts = party.description.split(separator: ":", maxSplits: 1)
      return parts.count == 2 && parts[0] == "ods" ? ODSCode(parts[1]) : nil
    }
    return Set(codes).sorted().compactMap { organisations[$0] }
  }

  private func message(
    _ notice: Notice, _ id: Token, _ organisation: BoundaryOrganisation, about person: String
  ) -> KafkaMessage {
    let key = hashes.outboxKey(organisation.code, person)
    let record = codec.encode(
      SealedNotice(notice, id: id, for: organisation.code, by: organisation.outbox), key: key)
    return KafkaMessage(
      topic: organisation.outboxTopic, key: record.key, value: record.value,
      headers: record.headers.map { KafkaHeader($0.name, $0.value) })
  }

  private func noticeID(_ organisation: BoundaryOrganisation, _ subject: [UInt8]) -> Token {
    hashes.noticeID(organisation.code, subject)
  }
}

extension KeyedHashes {
  /// Equal for one person's notices to one organisation, and for nothing else.
  func outboxKey(_ organisation: ODSCode, _ person: String) -> Token {
    outbox([Array("key".utf8), Array(organisation.description.utf8), Array(person.utf8)])
  }

  /// The same for the same thing told again to the same organisation.
  func noticeID(_ organisation: ODSCode, _ subject: [UInt8]) -> Token {
    outbox([Array("notice".utf8), Array(organisation.description.utf8), subject])
  }
}

extension Notice.Identity {
  init(_ identity: SealedIdentity) {
    self.init(
      person: identity.person.map(Notice.Person.init),
      priorPerson: identity.priorPerson.map(Notice.Person.init), messageID: identity.messageID,
      references: identity.ids.map {
        .init(role: $0.role, system: $0.system, value: $0.value, assigner: $0.assigner)
      })
  }
}

extension Notice.Person {
  init(_ person: SealedIdentity.Person) {
    self.init(
      nhsNumber: person.nhsNumber, nhsNumberStatus: person.nhsNumberStatus,
      localIDs: person.localIDs.map { ($0.value, $0.assigner, $0.type) },
      familyName: person.familyName, givenName: person.givenName, birthDate: person.birthDate,
      postcode: person.postcode)
  }
}
