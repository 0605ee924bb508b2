extension HL7Meaning {
  /// Every trigger that is taken, in the order of message types: reviewed data.
  static let table: [HL7Meaning] = stay + identity + referrals + orders + results + answers

  private static let visit = "PV1-19, PV1-50"
  private static let stayIDs = "RF1-6, RF1-11, PV1-19, PV1-50"

  private static let stay: [HL7Meaning] = [
    .init("ADT", "A01", "sender:BedAssigned", references: stayIDs),
    .init(
      "ADT", "A01", when: "names its referral", "sender:BedAssigned receiver:Started",
      handoff: "RF1-6, RF1-11", references: stayIDs),
    .init("ADT", "A02", "sender:BedMoved", references: stayIDs),
    .init(
      "ADT", "A02", when: "names its referral", "sender:BedMoved receiver:Started",
      handoff: "RF1-6, RF1-11", references: stayIDs),
    .init("ADT", "A03", "sender:Discharged", references: stayIDs),
    .init(
      "ADT", "A03", when: "names its referral", "sender:Discharged receiver:Completed",
      handoff: "RF1-6, RF1-11", references: stayIDs),
    .init(
      "ADT", "A04 A10", when: "names a referral, a visit or an account", "receiver:Started",
      handoff: "RF1-6, RF1-11", references: "RF1-11, " + visit),
    .none("ADT", "A04 A10", "adt.no-visit-reference"),
    .none("ADT", "A05 A14 A27 A38", "adt.pre-admission"),
    .init(
      "ADT", "A05 A14", when: "the connector's kinds name the event", "sender:HandoffRequested",
      handoff: "RF1-6, RF1-11, PV1-50, PV1-19", references: "RF1-11, " + visit),
    .init(
      "ADT", "A27 A38", when: "the connector's kinds name A14 or A05", "sender:Cancelled",
      handoff: "RF1-6, RF1-11, PV1-50, PV1-19", references: "RF1-11, " + visit),
    .init(
      "ADT", "A06", "sender:BedAssigned", reason: "became-inpatient",
      references: stayIDs + ", MRG-3, MRG-5"),
    .init(
      "ADT", "A07", "sender:BedFreed", reason: "became-outpatient",
      references: stayIDs + ", MRG-3, MRG-5"),
    .none("ADT", "A08 A23 A28 A29 A31", "adt.person-record"),
    .init(
      "ADT", "A08", when: "names a referral that MSH-4 assigned (RF1-6.2)",
      "sender:HandoffAmended", handoff: "RF1-6", references: "RF1-11, " + visit),
    .init(
      "ADT", "A08 A28 A31", when: "PID-30 is Y, or PID-29 alone is there", "sender:PatientDied",
      references: stayIDs),
    .init(
      "ADT", "A08 A28 A31", when: "PID-30 or PID-29 is deleted (two quotes)", "sender:PatientDied",
      reason: "retracted", references: stayIDs),
    .init(
      "ADT", "A03", when: "PID-30 is Y, or PID-29 alone is there",
      "sender:Discharged sender:PatientDied", references: stayIDs),
    .none("ADT", "A09 A21 A22 A32 A33 A52 A53", "adt.leave-or-tracking"),
    .init("ADT", "A11", "sender:BedFreed", reason: "admission-cancelled", references: stayIDs),
    .init("ADT", "A12", "sender:BedMoved", reason: "transfer-cancelled", references: stayIDs),
    .init("ADT", "A13", "sender:DischargeCancelled", references: stayIDs),
    .init("ADT", "A15", "sender:BedAssigned", reason: "transfer-pending", references: stayIDs),
    .init(
      "ADT", "A15", when: "the connector's kinds name A15",
      "sender:BedAssigned sender:HandoffRequested",
      handoff: "RF1-6, RF1-11, PV1-50, PV1-19", references: stayIDs),
    .init("ADT", "A16", "sender:ReadyForDischarge", references: stayIDs),
    .init(
      "ADT", "A17", when: "two patients", "sender:BedMoved sender:BedMoved",
      reason: "beds-swapped", references: visit),
    .none("ADT", "A20", "adt.bed-status"),
    .init("ADT", "A25", "sender:DischargeReadinessWithdrawn", references: stayIDs),
    .init(
      "ADT", "A26", "sender:BedFreed", reason: "transfer-pending-cancelled", references: stayIDs),
    .init(
      "ADT", "A26", when: "the connector's kinds name A15", "sender:BedFreed sender:Cancelled",
      handoff: "RF1-6, RF1-11, PV1-50, PV1-19", references: stayIDs),
  ]

  private static let identity: [HL7Meaning] = [
    .init("ADT", "A18 A30 A34 A36 A39 A40 A46 A47", when: "PID and MRG", "sender:PatientMerged"),
    .init(
      "ADT", "A43 A44 A45", when: "MRG", "sender:PatientMoved",
      references: stayIDs + ", MRG-5, MRG-3"),
    .none("ADT", "A24 A37", "adt.person-link"),
    .none(
      "ADT",
      "A19 A35 A41 A42 A48 A49 A50 A51 A54 A55 A56 A57 A58 A59 A60 A61 A62",
      "adt.no-handoff-meaning"),
  ]

  private static let referralID = "RF1-6, RF1-11, ORC-2"
  private static let referralIDs = "RF1-11, ORC-2, ORC-3, PV1-19, PV1-50"

  private static let referrals: [HL7Meaning] = [
    .init(
      "REF", "I12", "sender:HandoffRequested", handoff: referralID, references: referralIDs),
    .init(
      "REF", "I12", when: "RF1-11 is of an organisation that is neither end",
      "sender:HandoffRequested receiver:Redirected", handoff: referralID,
      references: referralIDs),
    .init("REF", "I13", "sender:HandoffAmended", handoff: referralID, references: referralIDs),
    .init("REF", "I14", "sender:Cancelled", handoff: referralID, references: referralIDs),
    .init(
      "REF", "I14", when: "RF1-1 or RF1-10 says entered in error", "sender:Voided",
      handoff: referralID, references: referralIDs),
    .none("REF", "I15", "hl7.status-request"),
    .init(
      "RRI", "I12 I13", when: "RF1-1 is P or empty", "receiver:Received", handoff: referralID,
      references: referralIDs),
    .init(
      "RRI", "I12 I13 I15", when: "RF1-1 is A", "receiver:Accepted", handoff: referralID,
      references: referralIDs),
    .init(
      "RRI", "I12 I13 I15", when: "RF1-1 is R, or C as some write", "receiver:Rejected",
      handoff: referralID, references: referralIDs),
    .init(
      "RRI", "I15", when: "RF1-1 is P", "receiver:InfoRequested", handoff: referralID,
      references: referralIDs),
    .init(
      "RRI", "I12 I13 I15", when: "RF1-1 is E", "platform:Expired", handoff: referralID,
      references: referralIDs),
    .init(
      "RRI", "I12 I13 I15", when: "MSA-1 is AE, AR, CE or CR", "platform:TransportFailed",
      handoff: referralID, references: referralIDs),
    .none("RRI", "I14", "hl7.cancellation-confirmed"),
    .none("RRI", "I14", when: "MSA-1 is AE, AR, CE or CR", "hl7.cancellation-refused"),
  ]

  private static let order = "ORC-2, OBR-2"
  private static let orderIDs = "OBR-2, ORC-3, OBR-3"

  private static func orders(
    _ types: [(String, String)], when: String, _ facts: String
  ) -> [HL7Meaning] {
    types.map {
      .init($0.0, $0.1, when: when, facts, handoff: order, references: orderIDs)
    }
  }

  private static let asked = [("OMG", "O19"), ("ORM", "O01")]
  private static let every = asked + [("OSU", "O51"), ("ORG", "O20"), ("ORR", "O02")]

  private static let orders: [HL7Meaning] =
    orders(asked, when: "ORC-1 is NW", "sender:HandoffRequested")
    + orders(asked, when: "ORC-1 is XO or RP", "sender:HandoffAmended")
    + orders(
      asked + [("OSU", "O51")],
      when: "ORC-1 is CA or DC, or ORC-5 is CA of an order number of the sender's own (ORC-2.2)",
      "sender:Cancelled")
    + orders(
      every, when: "ORC-5 is IP, or ORC-1 is OK and ORC-5 empty", "receiver:Accepted")
    + orders(every, when: "ORC-1 is UA or OC, or ORC-5 is ER", "receiver:Rejected")
    + orders([("OSU", "O51")], when: "ORC-5 is CA", "receiver:Rejected")
    + orders(asked, when: "ORC-1 is OD, or ORC-5 is CA or DC", "receiver:CouldNotComplete")
    + orders(every, when: "ORC-1 is OH, or ORC-5 is HD", "receiver:InfoRequested")
    + orders(every, when: "ORC-5 is SC", "receiver:Booked")
    + orders(every, when: "ORC-5 is A", "receiver:Interim")
    + orders(
      [("OMG", "O19")], when: "ORC-5 is CM", "receiver:Completed receiver:FeedbackSent")
    + orders(
      [("OSU", "O51"), ("ORM", "O01")], when: "ORC-5 is CM", "receiver:Completed")
    + [
      .none("OMG", "O19", when: "nothing names the order", "order.no-order-number"),
      .none("OMG", "O19", when: "ORC-1 and ORC-5 say nothing of it", "order.no-request"),
      .none(
        "OSU", "O51", when: "ORC-5 is SC of an order number of the sender's own",
        "order.confirmed-by-placer"),
      .none("ORR", "O02", when: "ORC-1 is CR or DR", "order.cancellation-confirmed"),
      .none("ORR", "O02", when: "ORC-1 is UC or UD", "order.cancellation-refused"),
      .none("OMG", "O19", when: "ORC-1 is HD or RL", "order.hold-request"),
      .init(
        "ORR", "O02", when: "MSA-1 is AE, AR, CE or CR", "platform:TransportFailed",
        handoff: "ORC-2"),
    ]

  private static let appointment = "SCH-1, SCH-2, SCH-27, PV1-19"

  private static let results: [HL7Meaning] = [
    .init(
      "SIU", "S12 S13 S14", "receiver:Booked", handoff: "SCH-26, ORC-2",
      references: appointment),
    .init(
      "SIU", "S15 S17", "receiver:Booked", reason: "booking-cancelled", handoff: "SCH-26, ORC-2",
      references: appointment),
    .init("SIU", "S26", "receiver:NotAttended", handoff: "SCH-26, ORC-2", references: appointment),
    .none("SIU", "S16 S18 S19 S20 S21 S22 S23 S24 S25", "siu.no-handoff-meaning"),
    .none("SIU", "S12", when: "names neither order nor appointment", "siu.no-handoff-reference"),
    .init(
      "ORU", "R01", when: "ORC-5 is CM, or every OBR-25 of the order is F or C",
      "receiver:Completed receiver:FeedbackSent", handoff: order,
      references: "ORC-3, OBR-3, PV1-19"),
    .init(
      "ORU", "R01", when: "results are still to come", "receiver:Interim", handoff: order,
      references: "ORC-3, OBR-3, PV1-19"),
    .init(
      "ORU", "R01", when: "ORC-5 is CA or DC, or every OBR-25 is X", "receiver:CouldNotComplete",
      handoff: order, references: "ORC-3, OBR-3, PV1-19"),
    .none("ORU", "R01", when: "nothing names the order", "result.no-order-reference"),
    .init(
      "MDM", "T02 T04 T06 T08 T10", when: "TXA-17 is AU or LA", "receiver:FeedbackSent",
      handoff: "ORC-2, OBR-2, TXA-14", references: "ORC-3, OBR-3, TXA-12, PV1-19, PV1-50"),
    .init(
      "MDM", "T02 T04 T06 T08 T10", when: "ORC-5 is CM",
      "receiver:Completed receiver:FeedbackSent", handoff: "ORC-2, OBR-2, TXA-14",
      references: "ORC-3, OBR-3, TXA-12, PV1-19, PV1-50"),
    .init(
      "MDM", "T02 T04 T06 T08 T10", when: "the document is a draft", "receiver:Interim",
      handoff: "ORC-2, OBR-2, TXA-14", references: "ORC-3, OBR-3, TXA-12, PV1-19, PV1-50"),
    .none("MDM", "T01 T03 T05 T07 T09 T11", "mdm.no-document"),
  ]

  private static let answers: [HL7Meaning] = [
    .init("ACK", "I12 A01 O19", when: "MSA-1 is AA", "receiver:Received"),
    .init(
      "ACK", "R01 T02 T04 T06 T08 T10", when: "MSA-1 is AA", "sender:FeedbackAcknowledged"),
    .none("ACK", "S12 S13 S14 S15 S17 S26", when: "MSA-1 is AA", "hl7.booking-acknowledged"),
    .init("ACK", "I12 A01 O19 R01 S12", when: "MSA-1 is CA", "platform:TransportAccepted"),
    .init(
      "ACK", "I12 A01 O19 R01 S12", when: "MSA-1 is AE, AR, CE or CR",
      "platform:TransportFailed"),
    .init(
      "ACK", "I12 A01 O19", when: "MSA-1 is AE or AR, and ERR-3 is 204 of PID",
      "receiver:RecipientRefusedPatient"),
  ]
}
