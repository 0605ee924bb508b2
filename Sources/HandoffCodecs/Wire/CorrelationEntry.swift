package import HandoffCore

/// What an id of a correlation entry names; how long it is remembered hangs on it.
package enum CorrelationKind: String, CaseIterable, Hashable, Sendable {
  /// One message: MSH-10, `Bundle.id`, X-Request-ID.
  case message
  /// A request and its answers: X-Correlation-ID.
  case conversation
  /// The handoff itself: RF1-6, UBRN, `ServiceRequest.identifier`.
  case business
  /// A pathway over several handoffs: EpisodeOfCare, PV1-50.
  case journey
  /// A person, by the record number that one organisation gave them.
  case person
  /// A person's old key: see ``CorrelationEntry/newPatientKey``.
  case link
  /// Another thing of the handoff or the stay: a visit number, `Appointment.id`.
  case reference
}

extension CorrelationKind: WireNumbered {
  package var wireNumber: UInt32 {
    switch self {
    case .message: 1
    case .conversation: 2
    case .business: 3
    case .journey: 4
    case .person: 5
    case .link: 6
    case .reference: 7
    }
  }
}

/// Whom an id belongs to: how an answer that names no patient finds its handoff.
package struct CorrelationEntry: Hashable, WireMessage {
  package static var wireName: StaticString { "baton.handoff.v1.CorrelationEntry" }

  /// HMAC of system and id.
  package var token: Token
  package var patientKey: PatientKey
  /// The handoff, where the id belongs to one.
  package var handoffID: HandoffID?
  /// The event that made the entry.
  package var eventID: EventID
  package var occurredAt: Timestamp?
  /// Who sent the handoff: an answer that names no parties takes them from here.
  package var from: OrganisationID?
  package var to: OrganisationID?
  /// Everything of ``patientKey`` belongs to this person now; the token is that of the old key.
  package var newPatientKey: PatientKey?
  /// The key is that of a local id: nobody has sent an NHS number with it yet.
  package var isUntraced = false
  /// `nil` in entries of before it was written, and of kinds that this version does not know.
  package var kind: CorrelationKind?
  /// The day on which the id was last seen, in days since 1970, to within a month; 0 where the
  /// entry does not say.
  package var seenDay: UInt16 = 0

  package init(
    token: Token, patientKey: PatientKey, handoffID: HandoffID?, eventID: EventID,
    occurredAt: Timestamp? = nil, from: OrganisationID? = nil, to: OrganisationID? = nil
  ) {
    self.token = token
    self.patientKey = patientKey
    self.handoffID = handoffID
    self.eventID = eventID
    self.occurredAt = occurredAt
    self.from = from
    self.to = to
  }

  package func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, token)
    writer.patientKey(2, patientKey)
    writer.identifier(3, handoffID)
    writer.identifier(4, eventID)
    writer.timestamp(5, occurredAt)
    writer.organisation(6, from)
    writer.organisation(7, to)
    writer.patientKey(8, newPatientKey)
    writer.flag(9, isUntraced)
    writer.unsigned(10, kind?.wireNumber ?? 0)
    writer.unsigned(11, seenDay)
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var token: Token?
    var patientKey: PatientKey?
    var eventID: EventID?
    var entry = CorrelationEntry(
      token: Token(rawValue: 0), patientKey: .nobody, handoffID: nil,
      eventID: EventID(rawValue: 0))
    while let number = try reader.nextField() {
      switch number {
      case 1: token = try reader.identifier("token")
      case 2: patientKey = try reader.patientKey("patient_key")
      case 3: entry.handoffID = try reader.identifier("handoff_id")
      case 4: eventID = try reader.identifier("event_id")
      case 5: entry.occurredAt = try reader.timestamp("occurred_at")
      case 6: entry.from = try reader.organisation("from")
      case 7: entry.to = try reader.organisation("to")
      case 8: entry.newPatientKey = try reader.patientKey("new_patient_key")
      case 9: entry.isUntraced = try reader.flag()
      // A kind that a later version adds is read as none: it is kept, and aged as any other.
      case 10: entry.kind = CorrelationKind.numbered(try reader.unsigned())
      case 11: entry.seenDay = try reader.unsigned(UInt16.self, "seen_day")
      default: try reader.skip()
      }
    }
    guard let token else { throw reader.missing("token") }
    guard let patientKey else { throw reader.missing("patient_key") }
    guard let eventID else { throw reader.missing("event_id") }
    entry.token = token
    entry.patientKey = patientKey
    entry.eventID = eventID
    self = entry
  }
}

extension PatientKey {
  /// Stands where an id was seen with two people: it must never find one of them.
  ///
  /// No HMAC is all zeros, so this is nobody's key.
  package static let nobody: PatientKey = {
    guard let key = PatientKey(epoch: .max, hash: Array(repeating: 0, count: 32)) else {
      preconditionFailure("the key of nobody is well-formed")
    }
    return key
  }()
}
