import HandoffCodecs
import HandoffConnectors
import HandoffCore
import HandoffStores

extension MessageDraft {
  /// Whether a connector outside the boundary may say this, by who speaks in the end: also where the
  /// message names nobody, and who it is follows from the handoff that it answers.
  ///
  /// A carrier's word is taken about handoffs that one of its own organisations is a party of.
  func isSpeakerAllowed(_ fact: MappedFact, of key: PatientKey) -> Bool {
    guard let principals = source.principals else { return true }
    let allowed = Set(principals.map { OrganisationID.ods($0) })
    var event = HandoffEvent(
      id: EventID(rawValue: 0), receptionID: frame.receptionID, type: fact.type, patientKey: key,
      handoffID: nil, contentMac: Token(rawValue: 0), speaker: fact.speaker, spokenBy: nil,
      occurredAt: frame.receivedAt, source: frame.source, rail: frame.rail)
    fill(&event, from: fact, known: known(fact, of: key))
    let named = party(fact.spokenBy)
    switch fact.speaker {
    case .sender, .receiver:
      let speaker = named ?? (fact.speaker == .sender ? event.from : event.to)
      return (speaker?.organisation).map(allowed.contains) ?? false
    case .platform:
      let parties = [event.from, event.to].compactMap { $0?.organisation }
      return parties.contains(where: allowed.contains)
    }
  }
}
