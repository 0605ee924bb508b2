import HandoffCore

extension V2BundleMapper {
  /// What the trigger events of HL7 v2 mean here, as the mapping of v2 itself has them.
  static let triggers: [StatusRow] = stays + identities + referrals + schedules

  private static let stays: [StatusRow] = [
    .init("A01", .sender(.bedAssigned)),
    .init("A02", .sender(.bedMoved)),
    .init("A03", .sender(.discharged)),
    .init("A04", .receiver(.started), note: "where a visit is named"),
    .init("A06", .sender(.bedAssigned)),
    .init("A07", .sender(.bedFreed)),
    .init("A08", nothing: "adt.person-record", note: "but a death is PatientDied"),
    .init("A10", .receiver(.started), note: "where a visit is named"),
    .init("A11", .sender(.bedFreed)),
    .init("A12", .sender(.bedMoved)),
    .init("A13", .sender(.dischargeCancelled)),
    .init("A15", .sender(.bedAssigned)),
    .init("A16", .sender(.readyForDischarge)),
    .init("A17", .sender(.bedMoved), note: "of each of the two patients"),
    .init("A25", .sender(.dischargeReadinessWithdrawn)),
    .init("A26", .sender(.bedFreed)),
    .init("A28", nothing: "adt.person-record", note: "but a death is PatientDied"),
    .init("A31", nothing: "adt.person-record", note: "but a death is PatientDied"),
    .init("R01", .receiver(.interim), note: "where an order or a visit is named"),
    .init("T02", .receiver(.interim), note: "where an order or a visit is named"),
    .init("T06", .receiver(.interim), note: "where an order or a visit is named"),
    .init("T10", .receiver(.interim), note: "where an order or a visit is named"),
  ]

  private static let identities: [StatusRow] =
    ["A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47"].map {
      StatusRow($0, .sender(.patientMerged), note: "of each Patient.link replaced-by or replaces")
    }
    + ["A43", "A44", "A45"].map {
      StatusRow($0, .sender(.patientMoved), note: "to the Encounter's subject")
    }

  private static let referrals: [StatusRow] = [
    .init("I12", .sender(.handoffRequested), note: "REF; an RRI says what its status says"),
    .init("I13", .sender(.handoffAmended), note: "REF"),
    .init("I14", .sender(.cancelled), note: "REF; Voided where it was entered in error"),
    .init("I15", nothing: "hl7.status-request", note: "REF"),
  ]

  private static let schedules: [StatusRow] =
    ["S12", "S13", "S14"].map { StatusRow($0, .receiver(.booked)) }
    + ["S15", "S17"].map { StatusRow($0, .receiver(.booked), note: "given up: without a time") }
    + [StatusRow("S26", .receiver(.notAttended))]

  /// The code of a fact where the trigger gives one, as in HL7 v2.
  static let reasons: [String: Code] = [
    "A06": code("became-inpatient"), "A07": code("became-outpatient"),
    "A11": code("admission-cancelled"), "A12": code("transfer-cancelled"),
    "A15": code("transfer-pending"), "A17": code("beds-swapped"),
    "A26": code("transfer-pending-cancelled"), "S15": code("booking-cancelled"),
    "S17": code("booking-cancelled"),
  ]

  /// What an RRI says: RF1-1 in its own code (HL7 table 0283) where the Bundle keeps it, else the
  /// request's status.
  ///
  /// Converters write `active` for every referral that is not over, so that it proves no acceptance.
  static let answers: [StatusRow] = [
    .init("A", .receiver(.accepted), note: "table 0283"),
    .init("P", .receiver(.received), note: "table 0283; of I15 InfoRequested"),
    .init("R", .receiver(.rejected), note: "table 0283"),
    .init("C", .receiver(.rejected), note: "in no table, and written all the same"),
    .init("E", .platform(.expired), note: "table 0283"),
    .init("active", .receiver(.received), note: "may stand for A and for P: only 0283 accepts"),
    .init("draft", .receiver(.received)),
    .init("on-hold", .receiver(.infoRequested)),
    .init("revoked", .receiver(.rejected)),
    .init("completed", nothing: "v2.status-unclear"),
    .init("entered-in-error", nothing: "v2.status-unclear"),
    .init("unknown", nothing: "v2.status-unclear"),
  ]
}
