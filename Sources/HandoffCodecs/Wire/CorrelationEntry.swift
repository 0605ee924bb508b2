package import HandoffCore

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
  }

  package init(reading reader: inout ProtobufReader) throws(WireError) {
    var token: Token?
    var patientKey: PatientKey?
    var handoffID: HandoffID?
    var eventID: EventID?
    var occurredAt: Timestamp?
    var from: OrganisationID?
    var to: OrganisationID?
    while let number = try reader.nextField() {
      switch number {
      case 1: token = try reader.identifier("token")
      case 2: patientKey = try reader.patientKey("patient_key")
      case 3: handoffID = try reader.identifier("handoff_id")
      case 4: eventID = try reader.identifier("event_id")
      case 5: occurredAt = try reader.timestamp("occurred_at")
      case 6: from = try reader.organisation("from")
      case 7: to = try reader.organisation("to")
      default: try reader.skip()
      }
    }
    guard let token else { throw reader.missing("token") }
    guard let patientKey else { throw reader.missing("patient_key") }
    guard let eventID else { throw reader.missing("event_id") }
    self.init(
      token: token, patientKey: patientKey, handoffID: handoffID, eventID: eventID,
      occurredAt: occurredAt, from: from, to: to)
  }
}
