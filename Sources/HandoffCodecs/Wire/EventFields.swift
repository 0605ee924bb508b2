import HandoffCore

/// Where one reader puts the fields of a `HandoffEvent` message: into the whole event, or into the
/// brief that reducers judge by.
///
/// What a brief has no place for is read and checked for it all the same: the two accept the same bytes
/// and refuse the others alike.
protocol EventFields {
  var id: EventID { get set }
  var receptionID: ReceptionID { get set }
  var type: EventType { get set }
  var patientKey: PatientKey { get set }
  var handoffID: HandoffID? { get set }
  var messageKey: Token? { get set }
  var contentMac: Token { get set }
  var conversationID: Token? { get set }
  var journeyID: Token? { get set }
  var causationID: EventID? { get set }
  var supersedes: Token? { get set }
  var version: Token? { get set }
  var answers: Token? { get set }
  var parentHandoffID: HandoffID? { get set }
  var newHandoffID: HandoffID? { get set }
  var newPatientKey: PatientKey? { get set }
  var speaker: SpeakerRole { get set }
  var spokenBy: OrganisationID? { get set }
  var kind: HandoffKind? { get set }
  var priority: Priority? { get set }
  var needCode: Code? { get set }
  var needKey: Token? { get set }
  var occurredAt: Timestamp { get set }
  var recordedAt: Timestamp? { get set }
  var sequence: UInt64? { get set }
  var isBackfill: Bool { get set }
  var reason: Code? { get set }
  var outcome: Code? { get set }
  var bookedFor: Timestamp? { get set }
  var dischargeReadyAt: Timestamp? { get set }
  var dischargePathway: UInt8? { get set }
  var isFeedbackOwed: Bool? { get set }
  var source: Code { get set }
  var rail: Code { get set }
  var payloadReference: Token? { get set }
  var classification: Code? { get set }
  var originalAt: Timestamp? { get set }

  mutating func setFrom(_ party: Party)
  mutating func setTo(_ party: Party)
  mutating func addCopy(to party: Party)
  mutating func add(_ reference: ExternalReference)
  mutating func setOriginal(_ place: RecordCoordinates)
  mutating func setSealedIdentity(_ bytes: ArraySlice<UInt8>)
}

extension HandoffEvent: EventFields {
  mutating func setFrom(_ party: Party) { from = party }
  mutating func setTo(_ party: Party) { to = party }
  mutating func addCopy(to party: Party) { cc.append(party) }
  mutating func add(_ reference: ExternalReference) {
    if externalReferences.isEmpty { externalReferences.reserveCapacity(2) }
    externalReferences.append(reference)
  }
  mutating func setOriginal(_ place: RecordCoordinates) { original = place }
  mutating func setSealedIdentity(_ bytes: ArraySlice<UInt8>) { sealedIdentity = Array(bytes) }
}

extension EventBrief: EventFields {
  // What it says of its handoff.
  var journeyID: Token? {
    get { said.journeyID }
    set { said.journeyID = newValue }
  }
  var parentHandoffID: HandoffID? {
    get { said.parentHandoffID }
    set { said.parentHandoffID = newValue }
  }
  var newHandoffID: HandoffID? {
    get { said.newHandoffID }
    set { said.newHandoffID = newValue }
  }
  var speaker: SpeakerRole {
    get { said.speaker }
    set { said.speaker = newValue }
  }
  var spokenBy: OrganisationID? {
    get { said.spokenBy }
    set { said.spokenBy = newValue }
  }
  var kind: HandoffKind? {
    get { said.kind }
    set { said.kind = newValue }
  }
  var priority: Priority? {
    get { said.priority }
    set { said.priority = newValue }
  }
  var needCode: Code? {
    get { said.needCode }
    set { said.needCode = newValue }
  }
  var needKey: Token? {
    get { said.needKey }
    set { said.needKey = newValue }
  }
  var isBackfill: Bool {
    get { said.isBackfill }
    set { said.isBackfill = newValue }
  }
  var reason: Code? {
    get { said.reason }
    set { said.reason = newValue }
  }
  var bookedFor: Timestamp? {
    get { said.bookedFor }
    set { said.bookedFor = newValue }
  }
  var dischargeReadyAt: Timestamp? {
    get { said.dischargeReadyAt }
    set { said.dischargeReadyAt = newValue }
  }
  var isFeedbackOwed: Bool? {
    get { said.isFeedbackOwed }
    set { said.isFeedbackOwed = newValue }
  }
  var rail: Code {
    get { said.rail }
    set { said.rail = newValue }
  }

  mutating func setFrom(_ party: Party) { said.from = party.organisation }
  mutating func setTo(_ party: Party) { said.to = party.organisation }
  mutating func addCopy(to party: Party) {
    if said.cc.count < Fact.ccMax { said.cc.append(party.organisation) }
  }
  mutating func setOriginal(_ place: RecordCoordinates) { isForwarded = true }

  // Left in the bytes.
  var conversationID: Token? {
    get { nil }
    set {}
  }
  var causationID: EventID? {
    get { nil }
    set {}
  }
  var supersedes: Token? {
    get { nil }
    set {}
  }
  var recordedAt: Timestamp? {
    get { nil }
    set {}
  }
  var sequence: UInt64? {
    get { nil }
    set {}
  }
  var outcome: Code? {
    get { nil }
    set {}
  }
  var dischargePathway: UInt8? {
    get { nil }
    set {}
  }
  var payloadReference: Token? {
    get { nil }
    set {}
  }
  var classification: Code? {
    get { nil }
    set {}
  }
  mutating func add(_ reference: ExternalReference) {}
  mutating func setSealedIdentity(_ bytes: ArraySlice<UInt8>) {}
}

/// An event in the Protobuf form that was read before, and accepted.
struct EncodedEvent: WholeEvent {
  let bytes: [UInt8]

  var event: HandoffEvent {
    do {
      return try HandoffEvent(protobuf: bytes)
    } catch {
      preconditionFailure("what was read into a brief is read into an event: \(error)")
    }
  }
}
