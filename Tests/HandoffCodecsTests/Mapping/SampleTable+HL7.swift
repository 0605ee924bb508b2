extension SampleTable {
  /// The HL7 v2 samples, reviewed against domain.md §2.2 and the HL7 chapters named in the notes.
  ///
  /// All but four name another event in EVN-1 than in MSH-9, which decides.
  static let hl7: [SampleRow] = [
    .init(
      "ADT-A01-01.hl7", "sender:BedAssigned receiver:Started", .handoff,
      "RF1-6 names the referral that this admission starts"),
    .init("ADT-A01-02.hl7", "sender:BedAssigned", .handoff, "no referral: a bed, F3"),
    .init("ADT-A02-01.hl7", "sender:BedMoved", .handoff, "transfer, F3"),
    .init("ADT-A02-02.hl7", "sender:BedMoved", .handoff, "transfer, F3"),
    .init(
      "ADT-A03-01.hl7", "sender:Discharged receiver:Completed sender:PatientDied", .handoff,
      "F2; the stay under the referral of RF1-6 is over; PID-30 is Y"),
    .init(
      "ADT-A03-02.hl7", "sender:Discharged sender:PatientDied", .handoff, "F2; PID-30 is Y"),
    .init(
      "ADT-A04-01.hl7", "receiver:Started", .handoff, "registered under the referral of RF1-6"),
    .init("ADT-A04-02.hl7", "receiver:Started", .handoff, "registered under the visit of PV1-19"),
    .init(
      "ADT-A05-01.hl7", "none adt.pre-admission", .nothing,
      "a plan of one hospital; a request for a bed where the connector's kinds name A05"),
    .init("ADT-A05-02.hl7", "none adt.pre-admission", .nothing, "as ADT-A05-01"),
    .init("ADT-A06-01.hl7", "sender:BedAssigned", .handoff, "an outpatient gets a bed, F3"),
    .init("ADT-A06-02.hl7", "sender:BedAssigned", .handoff, "an outpatient gets a bed, F3"),
    .init("ADT-A07-01.hl7", "sender:BedFreed", .handoff, "an inpatient leaves theirs, F3"),
    .init("ADT-A07-02.hl7", "sender:BedFreed", .handoff, "an inpatient leaves theirs, F3"),
    .init(
      "ADT-A08-01.hl7", "sender:PatientDied", .handoff,
      "PID-30 is Y; the referral of RF1-6 is not the sender's own, so nothing is amended"),
    .init("ADT-A08-02.hl7", "sender:PatientDied", .handoff, "PID-30 is Y"),
    .init("ADT-A11-01.hl7", "sender:BedFreed", .handoff, "admission called off"),
    .init("ADT-A13-01.hl7", "sender:DischargeCancelled", .handoff, "F2"),
    .init("ADT-A15-01.hl7", "sender:BedAssigned", .handoff, "a bed is kept: pending transfer"),
    .init("ADT-A16-01.hl7", "sender:ReadyForDischarge", .handoff, "F1, dated by EVN-2"),
    .init("ADT-A25-01.hl7", "sender:DischargeReadinessWithdrawn", .handoff, "F1"),
    .init("ADT-A28-01.hl7", "sender:PatientDied", .handoff, "a new record that says PID-30 Y"),
    .init("ADT-A31-01.hl7", "sender:PatientDied", .handoff, "an update that says PID-30 Y"),
    .init("ADT-A40-01.hl7", "sender:PatientMerged", .handoff, "PID-3 survives MRG-1"),
    .init(
      "ADT-A40-02.hl7", "sender:PatientMerged sender:PatientMerged", .handoff,
      "two pairs of PID and MRG"),
    .init(
      "ADT-A45-01.hl7", "sender:PatientMoved", .handoff,
      "MRG-5 is the visit; MRG-1 does not say whose it was"),
    .init("ADT-A47-01.hl7", "sender:PatientMerged", .handoff, "an identifier is replaced"),
    .init("ADT01-23.hl7", "sender:BedAssigned", .handoff, "version 2.3, byte order mark, LF"),
    .init(
      "ADT04-251.hl7", "receiver:Started", .handoff,
      "no EVN and no visit; PID-18, the account, is its journey"),
    .init(
      "MDM-T02-01.hl7", "receiver:FeedbackSent", .handoff,
      "a signed document (TXA-17 AU) on the order of ORC-2"),
    .init(
      "OMG-O19-01.hl7", "none order.no-order-number", .nothing,
      "two changes of status, and neither ORC-2, ORC-3, OBR-2 nor OBR-3 says of which order"),
    .init(
      "OMG-O19-02.hl7", "receiver:Completed receiver:FeedbackSent sender:Cancelled", .handoff,
      "six orders: one done (ORC-5 CM), one called off (ORC-1 CA), four without a number"),
    .init(
      "ORU-R01-01.hl7", "receiver:Completed receiver:FeedbackSent", .handoff,
      "ORC-5 is CM and OBR-25 F: the order's results are final"),
    .init(
      "ORU-R01-RMGEAD.hl7", "receiver:Completed receiver:FeedbackSent", .handoff,
      "no ORC; OBR-25 of the only battery is F"),
    .init("REF-I12-01.hl7", "sender:HandoffRequested", .handoff, "RF1-6"),
    .init("REF-I12-02.hl7", "sender:HandoffRequested", .handoff, "RF1-6"),
    .init(
      "REF-I14-01.hl7", "sender:Cancelled", .handoff, "RF1-1 is P still, MSH-10 that of I12-01"),
    .init(
      "REF-I14-02.hl7", "sender:Cancelled", .handoff,
      "RF1-1 is a code of the sender's own, MSH-9.3 that of I12"),
    .init("SIU-S12-01.hl7", "receiver:Booked", .handoff, "SCH-1, SCH-2 and PV1-19 name it"),
    .init("SIU-S13-01.hl7", "receiver:Booked", .handoff, "rescheduled, SCH-1 and SCH-2"),
    .init("SIU-S14-01.hl7", "receiver:Booked", .handoff, "changed, SCH-1 and SCH-2"),
    .init(
      "SIU-S15-01.hl7", "receiver:Booked", .handoff,
      "given up: a booking without a time any more (domain.md §2.2, row 12)"),
    .init("SIU-S26-01.hl7", "receiver:NotAttended", .handoff, "SCH-1 and SCH-2"),
  ]

  /// The pipe message of the v2-to-FHIR pairs.
  static let hl7Pairs: [SampleRow] = [
    .init(
      "messages__Message.hl7_MDM_T02.txt", "receiver:Completed receiver:FeedbackSent", .handoff,
      "ORC-5 is CM: the document is the outcome")
  ]

  static func summaries(_ rows: [SampleRow]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: rows.map { ($0.file, $0.summary) })
  }
}
