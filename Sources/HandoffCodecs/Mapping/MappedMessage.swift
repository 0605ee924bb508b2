package import HandoffCore

/// What one message says, still in the sender's own ids: ingest hashes and seals it.
///
/// Everything here but codes is clear text from outside. It prints redacted, and goes nowhere but
/// into ingest.
package struct MappedMessage: Hashable, Sendable {
  /// MSH-10, `Bundle.id` or the CloudEvents `id`.
  package var messageID: String?
  /// Such as `REF^I12`, `servicerequest-request` or `HandoffSubmission`.
  package var messageType: String
  /// MSH-3, `MessageHeader.source`.
  package var sendingSystem: String?
  /// MSH-4, the sender's organisation as written.
  package var sendingOrganisation: String?
  package var receivingSystem: String?
  package var receivingOrganisation: String?
  /// MSH-13, where the source keeps one.
  package var sequence: UInt64?
  /// When the message was made (MSH-7, `Bundle.timestamp`).
  package var recordedAt: Timestamp?
  /// A time without a zone fell into the hour that the end of summer time repeats (A19).
  package var isTimeDoubtful = false
  /// The other side names this message by this in its answer.
  package var reference: RawReference?
  /// `nil` where only correlation can say who it is about (MSA, OperationOutcome).
  package var person: ClearPerson?
  package var facts: [MappedFact] = []
  /// Property name to the fields it was read from, as in ``MappedFact/provenance``.
  package var provenance: [String: String] = [:]

  package init(messageType: String) {
    self.messageType = messageType
  }
}

/// One fact of a message: what becomes one event.
package struct MappedFact: Hashable, Sendable {
  package var type: EventType
  package var speaker: SpeakerRole
  /// The business thing that must close (domain.md §2.1, `handoffId`).
  package var handoff: RawReference?
  /// The other ids of the message; the one of ``handoff`` is not repeated here.
  package var references: [RawReference] = []
  /// The source's own id of this fact, where one message reports the state of many things.
  ///
  /// A worklist or a search is polled again and again: what makes a fact the same one is then its
  /// thing, version and state, and not its place in a list.
  package var messageID: String?
  /// What ties an answer to its request.
  ///
  /// A request has none of its own: senders repeat MSH-10 and `Bundle.id` over messages about
  /// different people (domain.md §0, finding 3), so such an id must not find anybody.
  package var conversation: RawReference?
  package var journey: RawReference?
  /// The version this one replaces.
  package var supersedes: RawReference?
  package var parentHandoff: RawReference?
  /// Where a redirection went.
  package var newHandoff: RawReference?
  /// The message that this one answers (MSA-2, `MessageHeader.response.identifier`).
  package var answers: RawReference?

  /// Who hands over; the party an answer goes to.
  package var from: RawParty?
  /// Who takes over; the party an answer comes from.
  package var to: RawParty?
  package var cc: [RawParty] = []
  /// Who says it, where that is neither ``from`` (a sender) nor ``to`` (a receiver).
  package var spokenBy: RawParty?

  package var kind: HandoffKind?
  package var priority: Priority?
  package var needCode: Code?

  /// When it happened, as the source says; `nil` leaves it to the time of reception.
  package var occurredAt: Timestamp?
  package var reason: Code?
  package var outcome: Code?
  package var bookedFor: Timestamp?
  package var dischargeReadyAt: Timestamp?
  /// Discharge pathway 0 to 3.
  package var dischargePathway: UInt8?
  package var isFeedbackOwed: Bool?
  package var isBackfill = false
  /// Who this fact is about, where that is not the message's ``MappedMessage/person``.
  ///
  /// A swap of beds and a list of merges speak of several people.
  package var person: ClearPerson?
  /// The identity that a merge gives up (MRG).
  package var priorPerson: ClearPerson?
  /// Property name to the field it was read from, such as `occurredAt` to `EVN-2`.
  ///
  /// Several fields are separated by `, `; what comes from the connector's file says `connector`.
  package var provenance: [String: String] = [:]

  package init(type: EventType, speaker: SpeakerRole) {
    self.type = type
    self.speaker = speaker
  }
}

/// An id as another system wrote it.
///
/// The same id may travel in different fields, so ``system`` says where it was read and does not
/// tell two ids apart: ``assigner`` and ``value`` do.
package struct RawReference: Hashable, Sendable {
  /// Where it was read, such as `RF1-6` or `ServiceRequest.identifier`.
  package var system: Code
  package var value: String
  /// The namespace that makes the value unique.
  ///
  /// Where the field names none it is the organisation whose id it must be: the sender's own id in
  /// a request, and the addressee's in the answer.
  package var assigner: String?

  package init(system: Code, value: String, assigner: String? = nil) {
    self.system = system
    self.value = value
    self.assigner = assigner
  }
}

/// One end of a handoff as a message names it.
package struct RawParty: Hashable, Sendable {
  /// The name or code as written.
  package var organisation: String?
  /// The organisation's ODS code, where the message or the connector's settings give one.
  package var odsCode: ODSCode?
  /// The service id of an Open Referral directory.
  package var openReferral: Token?
  /// The sending or receiving system (MSH-3, MSH-5) as written.
  package var system: String?
  package var role: Code?

  package init(
    organisation: String?, odsCode: ODSCode? = nil, openReferral: Token? = nil,
    system: String? = nil, role: Code? = nil
  ) {
    self.organisation = organisation
    self.odsCode = odsCode
    self.openReferral = openReferral
    self.system = system
    self.role = role
  }
}

extension MappedMessage: CustomStringConvertible, CustomReflectable {
  package var description: String { "MappedMessage(\(facts))" }
  package var customMirror: Mirror { Mirror(self, children: ["facts": facts]) }
}

extension MappedFact: CustomStringConvertible, CustomReflectable {
  package var description: String { "\(speaker.rawValue):\(type.rawValue)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension RawReference: CustomStringConvertible, CustomReflectable {
  package var description: String { "RawReference(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension RawParty: CustomStringConvertible, CustomReflectable {
  package var description: String { "RawParty(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
