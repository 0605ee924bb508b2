extension HandoffEvent {
  /// What an event consists of, under the names of its properties: what a reader fills in place, field
  /// by field.
  package struct Fields: Hashable, Sendable {
    package var id: EventID
    package var receptionID: ReceptionID
    package var type: EventType
    package var patientKey: PatientKey
    package var handoffID: HandoffID?
    package var messageKey: Token?
    package var contentMac: Token
    package var externalReferences: [ExternalReference] = []
    package var conversationID: Token?
    package var journeyID: Token?
    package var causationID: EventID?
    package var supersedes: Token?
    package var version: Token?
    package var answers: Token?
    package var parentHandoffID: HandoffID?
    package var newHandoffID: HandoffID?
    package var newPatientKey: PatientKey?
    package var speaker: SpeakerRole
    package var spokenBy: OrganisationID?
    package var from: Party?
    package var to: Party?
    package var cc: [Party] = []
    package var kind: HandoffKind?
    package var priority: Priority?
    package var needCode: Code?
    package var needKey: Token?
    package var occurredAt: Timestamp
    package var recordedAt: Timestamp?
    package var sequence: UInt64?
    package var isBackfill: Bool = false
    package var reason: Code?
    package var outcome: Code?
    package var bookedFor: Timestamp?
    package var dischargeReadyAt: Timestamp?
    package var dischargePathway: UInt8?
    package var isFeedbackOwed: Bool?
    package var source: Code
    package var rail: Code
    package var payloadReference: Token?
    package var classification: Code?
    package var sealedIdentity: [UInt8] = []
    package var original: RecordCoordinates?
    package var originalAt: Timestamp?

    package init(
      id: EventID, receptionID: ReceptionID, type: EventType, patientKey: PatientKey,
      handoffID: HandoffID?, contentMac: Token, speaker: SpeakerRole, spokenBy: OrganisationID?,
      occurredAt: Timestamp, source: Code, rail: Code
    ) {
      self.id = id
      self.receptionID = receptionID
      self.type = type
      self.patientKey = patientKey
      self.handoffID = handoffID
      self.contentMac = contentMac
      self.speaker = speaker
      self.spokenBy = spokenBy
      self.occurredAt = occurredAt
      self.source = source
      self.rail = rail
    }
  }
}
