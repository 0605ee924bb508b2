import HandoffCore
import Testing

@testable import HandoffCodecs

/// HL7 v2 that a converter turned into FHIR says what it said before.
@Suite struct `HL7 v2 turned into FHIR` {
  private static let patient = """
    {"resourceType":"Patient","id":"p1","identifier":[{"system":\
    "https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}]}
    """
  private static let prior = """
    {"resourceType":"Patient","id":"p2","identifier":[{"system":"urn:rth","value":"PAT9"}]}
    """

  private static func linked(_ patient: String, _ type: String, _ other: String) -> String {
    String(patient.dropLast())
      + #","link":[{"type":"\#(type)","other":{"reference":"Patient/\#(other)"}}]}"#
  }

  private static func request(_ status: String, _ more: String = "") -> String {
    """
    {"resourceType":"ServiceRequest","id":"sr","status":"\(status)","intent":"order",\(more)
     "identifier":[{"system":"urn:rth","value":"REF1"},{"system":"RWX","value":"OLD1"}],
     "priority":"urgent","code":{"coding":[{"code":"MED"}]},
     "subject":{"reference":"Patient/p1"},"authoredOn":"2026-11-23T09:00:00Z"}
    """
  }

  private static func table0283(_ letter: String) -> String {
    """
    "extension":[{"url":"urn:rf1-1","valueCodeableConcept":{"coding":[{"system":\
    "http://terminology.hl7.org/CodeSystem/v2-0283","code":"\(letter)"}]}}],
    """
  }

  private static let appointment = """
    {"resourceType":"Appointment","id":"ap","status":"booked","start":"2026-12-01T10:30:00Z",
     "identifier":[{"system":"urn:slots","value":"S77"}],"basedOn":[{"reference":\
    "ServiceRequest/sr"}],"participant":[{"actor":{"reference":"Patient/p1"}}]}
    """

  private static func encounter(_ patient: String = "p1", _ visit: String = "V1") -> String {
    """
    {"resourceType":"Encounter","id":"e-\(visit)","status":"in-progress","subject":{"reference":\
    "Patient/\(patient)"},"identifier":[{"value":"\(visit)"}]}
    """
  }

  private static func bundle(
    _ trigger: String, _ resources: String..., header: String = "", type: String = "message"
  ) -> String {
    let entries = resources.map { #"{"resource":\#($0)}"# }
    let first = """
      {"resource":{"resourceType":"MessageHeader","id":"h","eventCoding":{"system":\
      "http://terminology.hl7.org/CodeSystem/v2-0003","code":"\(trigger.suffix(3))","display":\
      "\(trigger)"},\(header)"sender":{"identifier":{"system":\
      "https://fhir.nhs.uk/Id/ods-organization-code","value":"RTH"}},"source":{"endpoint":"urn:pas"},
       "destination":[{"endpoint":"urn:epr","receiver":{"identifier":{"system":\
      "https://fhir.nhs.uk/Id/ods-organization-code","value":"RXQ"}}}]}}
      """
    return #"{"resourceType":"Bundle","id":"b","type":"\#(type)","#
      + #""timestamp":"2026-11-23T10:00:00Z","entry":[\#(([first] + entries).joined(separator: ","))]}"#
  }

  private static let fatal = #""response":{"identifier":"M1","code":"fatal-error"},"#
  private static let ok = #""response":{"identifier":"M1","code":"ok"},"#

  /// What is sent, and what it says.
  static let messages: [(String, String, String)] = [
    ("REF I12", bundle("REF^I12", request("active"), patient), "sender:HandoffRequested"),
    ("REF I13", bundle("REF^I13", request("active"), patient), "sender:HandoffAmended"),
    // As in HL7 v2 the trigger decides: the status may still say active.
    ("REF I14", bundle("REF^I14", request("active"), patient), "sender:Cancelled"),
    (
      "REF I14 in error", bundle("REF^I14", request("entered-in-error"), patient),
      "sender:Voided"
    ),
    ("REF I15", bundle("REF^I15", request("active"), patient), "none hl7.status-request"),
    (
      "RRI I12 A", bundle("RRI^I12", request("active", table0283("A")), header: ok),
      "receiver:Accepted"
    ),
    (
      "RRI I12 P", bundle("RRI^I12", request("active", table0283("P")), header: ok),
      "receiver:Received"
    ),
    (
      "RRI I12 R whose status stays active",
      bundle("RRI^I12", request("active", table0283("R")), header: ok), "receiver:Rejected"
    ),
    (
      "RRI I13 E", bundle("RRI^I13", request("active", table0283("E"))), "platform:Expired"
    ),
    ("RRI I12 active", bundle("RRI^I12", request("active"), header: ok), "receiver:Received"),
    ("RRI I12 revoked", bundle("RRI^I12", request("revoked"), header: ok), "receiver:Rejected"),
    (
      "RRI I15 P", bundle("RRI^I15", request("active", table0283("P")), header: ok),
      "receiver:InfoRequested"
    ),
    ("RRI told by its response", bundle("I12", request("active"), header: ok), "receiver:Received"),
    ("RRI with nothing but MSA", bundle("RRI^I12", header: ok), "receiver:Received"),
    (
      "RRI refused", bundle("RRI^I12", request("active"), header: fatal),
      "platform:TransportFailed"
    ),
    (
      "RRI I14", bundle("RRI^I14", request("active"), header: ok),
      "none hl7.cancellation-confirmed"
    ),
    (
      "RRI I14 refused", bundle("RRI^I14", request("active"), header: fatal),
      "none hl7.cancellation-refused"
    ),
    ("RRI unclear", bundle("RRI^I12", request("completed")), "none v2.status-unclear"),
    (
      "RRI of no table", bundle("RRI^I12", request("active", table0283("Q"))),
      "refused fhir.code-unknown Bundle.entry[1].resource.status"
    ),
    (
      "REF without request", bundle("REF^I12", patient),
      "refused fhir.resource-missing Bundle.entry"
    ),
    (
      "REF without patient",
      bundle("REF^I12", request("active").replacing("\"subject\"", with: "\"about\"")),
      "refused identity.patient-missing Bundle.entry"
    ),
    ("SIU S12", bundle("SIU^S12", appointment, request("active"), patient), "receiver:Booked"),
    ("SIU S13", bundle("SIU^S13", appointment, request("active"), patient), "receiver:Booked"),
    ("SIU S15", bundle("SIU^S15", appointment, request("active"), patient), "receiver:Booked"),
    ("SIU S26", bundle("SIU^S26", appointment, request("active"), patient), "receiver:NotAttended"),
    (
      "SIU in a transaction", bundle("SIU^S12", appointment, patient, type: "transaction"),
      "receiver:Booked"
    ),
    (
      "SIU S12 without Appointment", bundle("SIU^S12", patient),
      "refused fhir.resource-missing Bundle.entry"
    ),
    (
      "A40 by the one given up", bundle("ADT^A40", patient, linked(prior, "replaced-by", "p1")),
      "sender:PatientMerged"
    ),
    (
      "A47 by both",
      bundle("ADT^A47", linked(patient, "replaces", "p2"), linked(prior, "replaced-by", "p1")),
      "sender:PatientMerged"
    ),
    (
      "A40 without a link", bundle("ADT^A40", patient, prior),
      "refused fhir.field-missing Patient.link"
    ),
    ("A45", bundle("ADT^A45", encounter(), patient, prior), "sender:PatientMoved"),
    (
      "A17", bundle("ADT^A17", encounter(), patient, encounter("p2", "V2"), prior),
      "sender:BedMoved sender:BedMoved"
    ),
    ("A06", bundle("ADT^A06", encounter(), patient), "sender:BedAssigned"),
    ("A31", bundle("ADT^A31", patient), "none adt.person-record"),
    (
      "A31 of a death",
      bundle("ADT^A31", String(patient.dropLast()) + #","deceasedDateTime":"2026-11-22"}"#),
      "sender:PatientDied"
    ),
    ("A99", bundle("ADT^A99", patient), "none adt.no-handoff-meaning"),
  ]

  @Test(arguments: messages.map(\.0))
  func `says what the HL7 says`(name: String) throws {
    let (_, text, summary) = try #require(Self.messages.first { $0.0 == name })
    #expect(FHIRFixture.summary(text) == summary)
  }

  @Test func `a referral keeps its ids, ends, need and time`() throws {
    let fact = try #require(
      FHIRFixture.facts(Self.bundle("REF^I12", Self.request("active"), Self.patient)).first)
    #expect(fact.handoff?.value == "REF1" && fact.handoff?.assigner == "urn:rth")
    #expect(fact.references.map(\.value) == ["OLD1"])
    #expect(fact.from?.odsCode?.description == "RTH" && fact.to?.odsCode?.description == "RXQ")
    #expect(fact.priority == .urgent && fact.needCode == Code("MED"))
    #expect(fact.occurredAt?.hl7Text == "20261123090000+0000")
    #expect(fact.unproven.isEmpty)
  }

  @Test func `an answer turns the ends round, and names what it answers`() throws {
    let fact = try #require(
      FHIRFixture.facts(
        Self.bundle("RRI^I12", Self.request("active", Self.table0283("A")), header: Self.ok)
      ).first)
    #expect(fact.from?.odsCode?.description == "RXQ" && fact.to?.odsCode?.description == "RTH")
    #expect(fact.answers?.value == "M1" && fact.handoff?.value == "REF1")
    #expect(fact.unproven.isEmpty)
  }

  @Test func `a booking has its time, and one given up has none but a reason`() throws {
    func fact(_ trigger: String) throws -> MappedFact {
      try #require(
        FHIRFixture.facts(
          Self.bundle(trigger, Self.appointment, Self.request("active"), Self.patient)
        ).first)
    }
    let booked = try fact("SIU^S12")
    #expect(booked.handoff?.value == "REF1" && booked.references.map(\.value) == ["S77"])
    #expect(booked.bookedFor?.hl7Text == "20261201103000+0000" && booked.reason == nil)
    #expect(booked.to?.odsCode?.description == "RTH" && booked.unproven.isEmpty)
    let givenUp = try fact("SIU^S15")
    #expect(givenUp.bookedFor == nil && givenUp.reason == Code("booking-cancelled"))
  }

  @Test func `a merge names who is kept and who is given up, whichever end says so`() throws {
    for text in [
      Self.bundle("ADT^A40", Self.patient, Self.linked(Self.prior, "replaced-by", "p1")),
      Self.bundle("ADT^A40", Self.linked(Self.patient, "replaces", "p2"), Self.prior),
    ] {
      let fact = try #require(FHIRFixture.facts(text).first)
      #expect(fact.person?.nhsNumber?.digits == "9990500002")
      #expect(fact.priorPerson?.localIDs.map(\.value) == ["PAT9"])
      #expect(fact.unproven.isEmpty)
    }
  }

  @Test func `a visit that moved names the patient that it came from`() throws {
    let fact = try #require(
      FHIRFixture.facts(Self.bundle("ADT^A45", Self.encounter(), Self.patient, Self.prior)).first)
    #expect(fact.priorPerson?.localIDs.map(\.value) == ["PAT9"])
    #expect(fact.references.map(\.value) == ["V1"])
  }

  @Test func `a second id of a third organisation is the referral that it comes from`() throws {
    var context = MappingContext()
    context.organisations = ["RWX": try #require(ODSCode("RWX"))]
    let text = Self.bundle("REF^I12", Self.request("active"), Self.patient)
    let facts = try #require(FHIRFixture.outcome(text, context).message?.facts)
    #expect(facts.map(\.type) == [.handoffRequested, .redirected])
    #expect(facts[1].handoff?.value == "OLD1" && facts[1].newHandoff?.value == "REF1")
    #expect(facts[0].parentHandoff?.value == "OLD1" && facts.allSatisfy(\.unproven.isEmpty))
  }
}
