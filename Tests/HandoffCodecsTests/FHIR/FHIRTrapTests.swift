import HandoffCore
import Testing

@testable import HandoffCodecs

/// The traps of domain.md §0 and §5 that FHIR, ITK3, MESH and e-RS set, each by its own name.
struct FHIRTrapTests {
  @Test(arguments: ["rejected-reasons-bars", "rejection-reason-bars"])
  func `trap: a BaRS rejection stands in the Encounter while the request stays active`(
    system: String
  ) throws {
    let reason =
      #""reasonCode":[{"coding":[{"system":"https://fhir.nhs.uk/CodeSystem/\#(system)","#
      + #""code":"FC"}]}],"#
    let fact = try #require(BaRSFixture.answer("cancelled", members: reason).map().fact)
    #expect(fact.type == .rejected && fact.reason == code("FC"))
    #expect(fact.provenance["type"] == "Bundle.entry[6].resource.status")
    #expect(
      fact.provenance["reason"] == "Bundle.entry[6].resource.reasonCode[0].coding[0].code")
  }

  @Test func `trap: of two Encounters the one with a history is the sender's`() {
    var fixture = BaRSFixture.answer("cancelled")
    fixture.focus = "urn:uuid:sr"
    #expect(fixture.map().fact?.type == .rejected)
  }

  @Test func `trap: 409 duplicate proves receipt, 409 conflict proves nothing`() {
    #expect(envelope(409, issue: "duplicate") == "platform:Delivered")
    #expect(envelope(409, issue: "conflict") == "none fhir.conflict")
  }

  @Test(arguments: [("timeout", "408"), ("transient", "503"), ("throttled", "429")])
  func `trap: a timeout leaves the message's fate unknown`(issue: String, reason: String) throws {
    let fact = try #require(outcomeFact(408, issue: issue))
    #expect(fact.type == .transportFailed && fact.reason?.description == reason)
    #expect(Lifecycle.isUnknownOutcome(fact.reason) == (reason == "408"))
  }

  @Test(arguments: [(408, true), (425, true), (500, false), (404, false)])
  func `trap: a status without a body says no more than it does`(status: Int, isUnknown: Bool) {
    let outcome = FrameMapper().map(
      FrameEnvelope.encode([("X-Request-ID", "r-1")], status: status, body: []))[0].outcome
    #expect(outcome.fact?.type == .transportFailed)
    #expect(Lifecycle.isUnknownOutcome(outcome.fact?.reason) == isUnknown)
    #expect(outcome.fact?.answers == RawReference(system: code("X-Request-ID"), value: "r-1"))
  }

  @Test func `trap: one Bundle id over two referrals keeps them apart`() throws {
    let first = try #require(BaRSFixture().map().message)
    var other = BaRSFixture()
    other.nhsNumber = "9990548609"
    other.requestMembers = #""identifier":[{"system":"urn:x","value":"2"}],"#
    let second = try #require(other.map().message)
    #expect(first.messageID == second.messageID)
    #expect(first.facts[0].handoff != second.facts[0].handoff)
    // Neither may find the other by the id that they share.
    #expect(first.facts[0].conversation == nil && first.facts[0].answers == nil)
  }

  @Test func `trap: with X-Request-ID a repeated Bundle id is no repeated message`() throws {
    func mapped(_ request: String) throws -> MappedMessage {
      let bytes = FrameEnvelope.encode(
        [("x-request-id", request), ("X-Correlation-ID", "c-1"), ("Authorization", "secret")],
        body: Array(BaRSFixture().text.utf8))
      return try #require(FrameMapper().map(bytes)[0].outcome.message)
    }
    let (one, two) = (try mapped("r-1"), try mapped("r-2"))
    #expect(one.messageID == "r-1" && two.messageID == "r-2")
    #expect(one.reference == two.reference && one.reference?.value == "b-1")
    #expect(one.facts[0].conversation?.value == "c-1")
    #expect(one.facts[0].references.contains { $0.value == "r-1" })
  }

  @Test func `trap: an onward referral names the one it goes on from`() throws {
    var fixture = BaRSFixture()
    fixture.requestMembers =
      #""basedOn":[{"reference":"urn:uuid:cp"},{"reference":"ServiceRequest/old"}],"#
    #expect(fixture.map().fact?.parentHandoff?.value == "old")
  }

  @Test func `trap: advice converted, advice returned and acceptance share one e-RS state`() {
    for (reason, expected) in [
      ("ACCEPT_REFER_BOOK_LATER", "receiver:Accepted"),
      ("RETURN_TO_REFERRER_WITH_ADVICE", "receiver:InfoRequested"),
      ("PROVIDER_REJECT", "receiver:Rejected"),
      ("PROVIDER_CONVERTED_ADVICE_AND_GUIDANCE_ADMIN_TO_REFER", "receiver:Redirected"),
    ] {
      #expect(
        FHIRFixture.summary(
          FHIRFixture.referral("TRIAGED_PROVIDER_TO_ACTION", reason: reason)) == expected)
    }
  }

  @Test(arguments: [
    "APPT_CANCELLED_BY_PROVIDER", "APP_CANCELLED_BY_PROVIDER", "Appt cancelled by provider",
    "app-cancelled-by-provider",
  ])
  func `trap: a state of e-RS is known however it is spelt`(state: String) {
    #expect(FHIRFixture.summary(FHIRFixture.referral(state)) == "receiver:Rejected")
  }

  @Test func `trap: a referral raised in error is void and not cancelled`() {
    #expect(
      FHIRFixture.summary(FHIRFixture.referral("CANCELLED_REFERRAL", reason: "RAISED_IN_ERROR"))
        == "sender:Voided")
    #expect(
      FHIRFixture.summary(FHIRFixture.referral("CANCELLED_REFERRAL", reason: "INTEND_PRIVATE"))
        == "sender:Cancelled")
  }

  @Test(arguments: ["20007", "20008"])
  func `trap: an ITK3 duplicate closes the loop and is no fault`(code: String) {
    #expect(ITK3Fixture.response(code, "fatal-error") == "platform:Delivered")
  }

  @Test(arguments: ["30002", "30003", "30004"])
  func `trap: a negative business response names the reason and no patient`(word: String) throws {
    let bytes = Array(ITK3Fixture.responseText(word, "ok").utf8)
    let message = try #require(FrameMapper().map(bytes)[0].outcome.message)
    #expect(message.facts.map(\.type) == [.recipientRefusedPatient])
    #expect(message.facts[0].reason?.description == "itk:\(word)" && message.person == nil)
    #expect(message.facts[0].answers?.value == "m-1")
  }

  @Test func `trap: a MESH report of an unread message is Expired, of any other fault a failure`() {
    #expect(report("14") == "platform:Expired")
    #expect(report("12") == "platform:TransportFailed")
    #expect(report("EPL-153") == "platform:TransportFailed")
  }

  private func report(_ status: String) -> String {
    Samples.summary(
      FrameMapper().map(
        FrameEnvelope.encode(
          [
            ("Mex-MessageType", "REPORT"), ("Mex-StatusCode", status),
            ("Mex-LinkedMsgID", "20261123_1"), ("Mex-LocalID", "l-1"),
          ], body: [])))
  }

  private func mapped(_ status: Int, issue: String) -> [MappedFrame] {
    let body =
      #"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"value"},"#
      + #"{"severity":"error","code":"\#(issue)"}]}"#
    return FrameMapper().map(
      FrameEnvelope.encode([("X-Request-ID", "r-1")], status: status, body: Array(body.utf8)))
  }

  private func envelope(_ status: Int, issue: String) -> String {
    Samples.summary(mapped(status, issue: issue))
  }

  private func outcomeFact(_ status: Int, issue: String) -> MappedFact? {
    mapped(status, issue: issue)[0].outcome.fact
  }
}

/// ITK3 messages in XML for tests.
enum ITK3Fixture {
  static func responseText(_ code: String, _ status: String) -> String {
    """
    <Bundle xmlns="http://hl7.org/fhir"><id value="b-9"/><type value="message"/>
     <entry><fullUrl value="urn:uuid:h"/><resource><MessageHeader><id value="m-9"/>
      <event><system value="https://fhir.nhs.uk/STU3/CodeSystem/ITK-MessageEvent-2"/>
       <code value="ITK008M"/></event>
      <timestamp value="2026-11-23T10:00:00Z"/>
      <response><identifier value="m-1"/><code value="\(status)"/></response>
     </MessageHeader></resource></entry>
     <entry><resource><OperationOutcome><issue><severity value="fatal"/>
      <code value="processing"/><details><coding>
       <system value="https://fhir.nhs.uk/STU3/CodeSystem/ITK-ResponseCodes-1"/>
       <code value="\(code)"/></coding></details></issue></OperationOutcome></resource></entry>
    </Bundle>
    """
  }

  static func response(_ code: String, _ status: String) -> String {
    FHIRFixture.summary(responseText(code, status))
  }

  /// A document for a GP; `relates` is a part of its Composition.
  static func document(relates: String = "", recipient: String = "FA") -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <Bundle xmlns="http://hl7.org/fhir"><id value="b-1"/><type value="message"/>
     <entry><fullUrl value="urn:uuid:h"/><resource><MessageHeader><id value="m-1"/>
      <extension url="https://fhir.nhs.uk/STU3/StructureDefinition/\
    Extension-ITK-MessageHandling-2"><extension url="RecipientType"><valueCoding>
       <code value="\(recipient)"/></valueCoding></extension>
       <extension url="SenderReference"><valueString value="s-1"/></extension></extension>
      <event><system value="https://fhir.nhs.uk/STU3/CodeSystem/ITK-MessageEvent-2"/>
       <code value="ITK007C"/></event>
      <sender><reference value="urn:uuid:o"/></sender>
      <timestamp value="2026-11-23T10:00:00Z"/>
      <focus><reference value="urn:uuid:d"/></focus></MessageHeader></resource></entry>
     <entry><fullUrl value="urn:uuid:o"/><resource><Organization><identifier>
      <system value="https://fhir.nhs.uk/Id/ods-organization-code"/><value value="RTH"/>
      </identifier></Organization></resource></entry>
     <entry><fullUrl value="urn:uuid:d"/><resource><Bundle><type value="document"/>
      <entry><fullUrl value="urn:uuid:c"/><resource><Composition><id value="c-1"/>
       <identifier><system value="urn:docs"/><value value="D1"/></identifier>\(relates)
       <type><coding><code value="373942005"/></coding></type>
       <subject><reference value="urn:uuid:p"/></subject></Composition></resource></entry>
      <entry><fullUrl value="urn:uuid:p"/><resource><Patient><identifier>
       <system value="https://fhir.nhs.uk/Id/nhs-number"/><value value="9990500002"/>
       </identifier></Patient></resource></entry></Bundle></resource></entry>
    </Bundle>
    """
  }
}
