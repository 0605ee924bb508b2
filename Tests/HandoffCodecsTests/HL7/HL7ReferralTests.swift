import HandoffCore
import Testing

@testable import HandoffCodecs

struct HL7ReferralTests {
  private func request(_ event: String, _ referral: String = HL7Fixture.referral) -> MappingOutcome
  {
    HL7Fixture.map(HL7Fixture.header("REF^\(event)") + referral + HL7Fixture.patient)
  }

  private func answer(
    _ event: String, _ status: String, extra: String = "MSA|AA|M1\r"
  ) -> MappingOutcome {
    HL7Fixture.map(
      HL7Fixture.header("RRI^\(event)", id: "M2", from: "CASE|RNU", to: "PAS|RTH") + extra
        + "RF1|\(status)|R|Med||O|R-100^RTH|||20261122|CAP\r")
  }

  @Test(arguments: [
    ("I12", EventType.handoffRequested), ("I13", .handoffAmended), ("I14", .cancelled),
  ])
  func `the event of a REF is in MSH-9`(event: String, expected: EventType) throws {
    let fact = try #require(request(event).fact)
    #expect(fact.type == expected && fact.speaker == .sender)
    #expect(fact.handoff == RawReference(system: code("RF1-6"), value: "R-100", assigner: "RTH"))
    #expect(fact.from?.organisation == "RTH" && fact.to?.organisation == "RNU")
    #expect(fact.provenance["handoff"] == "RF1-6")
  }

  @Test func `a cancellation whose RF1-1 still says P is a cancellation`() {
    #expect(request("I14", "RF1|P^Pending^HL70283|R|Med||O|R-100^RTH\r").fact?.type == .cancelled)
  }

  @Test func `a status of the sender's own and the structure of another event are no obstacle`() {
    let text = HL7Fixture.header("REF^I14^REF_I12") + "RF1|C^Cancelled^Local|R|Med||O|R-100^RTH\r"
    let fact = HL7Fixture.map(text + HL7Fixture.patient).fact
    #expect(fact?.type == .cancelled && fact?.reason?.description == "RF1-1:C")
  }

  @Test func `a referral onwards names the one it comes from, and ends it as redirected`() throws {
    var context = MappingContext()
    context.organisations = ["GP1": ODSCode("A12345")].compactMapValues(\.self)
    let text =
      HL7Fixture.header("REF^I12") + HL7Fixture.patient
      + "RF1|P|R|Med||O|R-2^RTH|||||R-1^GP1\r"
    let facts = try #require(HL7Fixture.map(text, context).message?.facts)
    #expect(facts.map(\.type) == [.handoffRequested, .redirected])
    #expect(facts[0].parentHandoff?.value == "R-1" && facts[1].handoff?.value == "R-1")
    #expect(facts[1].newHandoff?.value == "R-2" && facts[1].to?.organisation == "RTH")
  }

  @Test func `an external id of a word that looks like an ODS code redirects nothing`() {
    var context = MappingContext()
    context.namesAreODSCodes = true
    let text =
      HL7Fixture.header("REF^I12") + HL7Fixture.patient
      + "RF1|P|R|Med||O|226839^EPIC|||||11001^EXTID\r"
    #expect(HL7Fixture.map(text, context).fact?.type == .handoffRequested)
  }

  @Test func `a status request states no fact`() {
    #expect(request("I15").reason == "hl7.status-request")
  }

  @Test func `segments may come in any order`() {
    let text = HL7Fixture.header("REF^I12") + HL7Fixture.patient + "PV1|1\r" + HL7Fixture.referral
    #expect(HL7Fixture.map(text).fact?.handoff?.value == "R-100")
  }

  @Test func `an id in component 3 with component 1 empty is the id`() {
    let fact = request("I12", "RF1|P|R|Med||O|^^R-100\r").fact
    #expect(
      fact?.handoff == RawReference(system: code("RF1-6"), value: "R-100", assigner: "RTH"))
  }

  @Test func `without RF1-6 the handoff is RF1-11, and without that ORC-2`() {
    #expect(request("I12", "RF1|P|R|Med||O||||||X-1^EXT\r").fact?.handoff?.system == code("RF1-11"))
    #expect(request("I12", "RF1|P\rORC|NW|O-1^GP\r").fact?.handoff?.system == code("ORC-2"))
    #expect(request("I12", "RF1|P\r").reason == "hl7.field-missing RF1-6")
  }

  @Test func `every other id is kept beside the handoff`() {
    let fact = request("I12", "RF1|P|R|Med||O|R-100^RTH|||||X-1^EXT\rORC|NW|O-1|F-1\r").fact
    #expect(fact?.references.map(\.system.description) == ["RF1-11", "ORC-2", "ORC-3"])
  }

  @Test(arguments: [
    ("I12", "A", EventType.accepted, SpeakerRole.receiver), ("I12", "P", .received, .receiver),
    ("I15", "P", .infoRequested, .receiver), ("I12", "R", .rejected, .receiver),
    ("I13", "A", .accepted, .receiver), ("I15", "A", .accepted, .receiver),
    ("I12", "E", .expired, .platform), ("I12", "", .received, .receiver),
  ])
  func `an RRI says in RF1-1 what the receiver says`(
    event: String, status: String, expected: EventType, speaker: SpeakerRole
  ) throws {
    let fact = try #require(answer(event, status).fact)
    #expect(fact.type == expected && fact.speaker == speaker)
    // The parties keep their places: the answer comes from the one the handoff goes to.
    #expect(fact.from?.organisation == "RTH" && fact.to?.organisation == "RNU")
    #expect(fact.handoff?.value == "R-100" && fact.answers?.value == "M1")
  }

  @Test func `the answer names the request as the request names itself`() throws {
    let request = try #require(self.request("I12").message)
    let answer = try #require(answer("I12", "A").fact)
    #expect(answer.answers == request.reference)
    #expect(answer.handoff == request.facts[0].handoff)
  }

  @Test func `a request is not tied to others by an MSH-10 that its sender may repeat`() {
    #expect(request("I12").fact?.conversation == nil)
    #expect(answer("I12", "A").fact?.conversation?.value == "M1")
  }

  @Test func `an id without assigner is the referrer's in the request and in the answer`() {
    let request = request("I12", "RF1|P|R|Med||O|77\r").fact
    let answer = HL7Fixture.map(
      HL7Fixture.header("RRI^I12", from: "CASE|RNU", to: "PAS|RTH") + "RF1|A|R|Med||O|77\r"
    ).fact
    #expect(answer?.handoff == request?.handoff)
  }

  @Test func `a rejection carries its reason`() {
    #expect(answer("I12", "R").fact?.reason?.description == "CAP")
  }

  @Test(arguments: ["A", "P", "R", "C"])
  func `an RRI to a cancellation confirms it and never accepts what is cancelled`(status: String) {
    #expect(answer("I14", status).reason == "hl7.cancellation-confirmed")
  }

  @Test func `an RRI whose MSA-1 refuses the message is no acceptance, whatever RF1-1 says`() {
    let fact = answer("I12", "A", extra: "MSA|AE|M1\rERR||RF1^1^6|101\r").fact
    #expect(fact?.type == .transportFailed && fact?.reason?.description == "AE:101")
  }

  @Test func `an unknown status of an answer is refused by name`() {
    #expect(answer("I12", "Q").reason == "hl7.code-unknown RF1-1")
  }

  @Test func `kind and priority come from the connector's tables`() throws {
    var context = MappingContext()
    context.kinds = ["RF1-5:O": try #require(HandoffKind("gp-hospital"))]
    let text = HL7Fixture.header("REF^I12") + "RF1|P|S|Med||O|R-100\r" + HL7Fixture.patient
    let fact = HL7Fixture.map(text, context).fact
    #expect(fact?.kind?.description == "gp-hospital")
    #expect(fact?.priority?.description == "very-urgent")
    #expect(fact?.needCode?.description == "Med")
  }

  @Test func `ODS codes come from the connector's table, or where the connector is told so`() {
    let text = HL7Fixture.header("REF^I12") + HL7Fixture.referral + HL7Fixture.patient
    #expect(HL7Fixture.map(text).fact?.from?.odsCode == nil)
    var context = MappingContext()
    context.organisations = ["RTH": ODSCode("RXQ")].compactMapValues(\.self)
    #expect(HL7Fixture.map(text, context).fact?.from?.odsCode == ODSCode("RXQ"))
    context = MappingContext()
    context.namesAreODSCodes = true
    #expect(HL7Fixture.map(text, context).fact?.to?.odsCode == ODSCode("RNU"))
  }

  @Test(
    arguments: [
      ("AA", EventType.received, SpeakerRole.receiver, nil),
      ("CA", .transportAccepted, .platform, nil), ("AE", .transportFailed, .platform, "AE"),
      ("AR", .transportFailed, .platform, "AR"), ("CE", .transportFailed, .platform, "CE"),
      ("CR", .transportFailed, .platform, "CR"),
    ] as [(String, EventType, SpeakerRole, String?)])
  func `an observed ACK says what MSA-1 says, of the message in MSA-2, and of no patient`(
    verdict: String, expected: EventType, speaker: SpeakerRole, reason: String?
  ) throws {
    let text = HL7Fixture.header("ACK", from: "CASE|RNU", to: "PAS|RTH") + "MSA|\(verdict)|M1\r"
    let outcome = HL7Fixture.map(text)
    let fact = try #require(outcome.fact)
    #expect(fact.type == expected && fact.speaker == speaker)
    #expect(fact.reason?.description == reason)
    #expect(outcome.message?.person == nil)
    #expect(fact.answers == request("I12").message?.reference)
  }

  @Test func `an AE for an unknown patient is the recipient refusing the patient`() {
    let text =
      HL7Fixture.header("ACK", from: "CASE|RNU", to: "PAS|RTH") + "MSA|AE|M1\r"
      + "ERR||PID^1^3|204^Unknown key identifier^HL70357\r"
    #expect(HL7Fixture.map(text).fact?.type == .recipientRefusedPatient)
  }

  @Test func `an ACK that names no message is refused`() {
    let header = HL7Fixture.header("ACK")
    #expect(HL7Fixture.map(header).reason == "hl7.segment-missing MSA")
    #expect(HL7Fixture.map(header + "MSA|AA\r").reason == "hl7.field-missing MSA-2")
    #expect(HL7Fixture.map(header + "MSA|XX|M1\r").reason == "hl7.code-unknown MSA-1")
  }
}
