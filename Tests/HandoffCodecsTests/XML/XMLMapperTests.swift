import HandoffCore
import Testing

@testable import HandoffCodecs

struct XMLMapperTests {
  private func ebXML(_ inner: String) -> String {
    """
    <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
      xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd">
     <s:Header><eb:MessageHeader><eb:From><eb:PartyId>A-1</eb:PartyId></eb:From>
      <eb:To><eb:PartyId>B-1</eb:PartyId></eb:To><eb:ConversationId>C-1</eb:ConversationId>
      <eb:Action>Acknowledgment</eb:Action><eb:MessageData><eb:MessageId>M-2</eb:MessageId>
      <eb:Timestamp>2026-11-23T10:00:00Z</eb:Timestamp><eb:RefToMessageId>M-1</eb:RefToMessageId>
      </eb:MessageData></eb:MessageHeader>\(inner)</s:Header><s:Body/></s:Envelope>
    """
  }

  @Test
  func `an ebXML acknowledgement of the receiver's handler is delivery, of a node on the way not`()
    throws
  {
    let end = "urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH"
    let text = ebXML(
      "<eb:Acknowledgment s:actor='\(end)'><eb:RefToMessageId>M-1</eb:RefToMessageId>"
        + "</eb:Acknowledgment>")
    let fact = try #require(FHIRFixture.facts(text).first)
    #expect(fact.type == .delivered && fact.speaker == .platform)
    #expect(fact.answers?.value == "M-1" && fact.conversation?.value == "C-1")
    #expect(fact.occurredAt?.hl7Text == "20261123100000+0000")
    #expect(
      FHIRFixture.summary(text.replacing("toPartyMSH", with: "nextMSH"))
        == "platform:TransportAccepted")
  }

  @Test func `an ebXML error is a failure, and a warning is none`() throws {
    let text = ebXML(
      "<eb:ErrorList eb:highestSeverity='Error'><eb:Error eb:errorCode='ValueNotRecognized'"
        + " eb:severity='Error'/></eb:ErrorList>")
    let fact = try #require(FHIRFixture.facts(text).first)
    #expect(fact.type == .transportFailed)
    #expect(fact.reason?.description == "ebxml:ValueNotRecognized")
    #expect(
      FHIRFixture.summary(text.replacing("='Error'", with: "='Warning'")) == "none ebxml.warning")
  }

  @Test func `an ebXML message that answers nothing is refused by its field`() {
    let text = ebXML("<eb:Acknowledgment/>")
      .replacing("<eb:RefToMessageId>M-1</eb:RefToMessageId>", with: "")
    #expect(
      FHIRFixture.summary(text) == "refused ebxml.field-missing MessageData/RefToMessageId")
  }

  private func report(
    id: String = #"<id root="2.16.840.1.113883.2.1.4.1" extension="9990500002"/>"#,
    related: String = "", time: String = "20261123100000+00"
  ) -> String {
    """
    <itk:DistributionEnvelope xmlns:itk="urn:nhs-itk:ns:201005"><itk:header trackingid="T-1"
      service="urn:nhs-itk:services:201005:SendNHS111Report-v2-0"><itk:addresslist>
      <itk:address uri="urn:nhs-uk:addressing:ods:RTH:x"/></itk:addresslist>
      <itk:senderAddress uri="urn:nhs-uk:addressing:ods:RYE"/><itk:handlingSpecification>
      <itk:spec key="k" value="urn:nhs-itk:interaction:\
    primaryEmergencyDepartmentRecipientNHS111CDADocument-v2-0"/></itk:handlingSpecification>
     </itk:header><itk:payloads><itk:payload><ClinicalDocument xmlns="urn:hl7-org:v3">
      <id root="D-1"/><effectiveTime value="\(time)"/><setId root="S-1"/>\(related)
      <recordTarget><patientRole>\(id)<patient><name><family>Roe</family></name>
       <birthTime value="19800102"/></patient></patientRole></recordTarget>
      <componentOf><encompassingEncounter><id root="2.16.1" extension="CASE"/>
      </encompassingEncounter></componentOf></ClinicalDocument></itk:payload></itk:payloads>
    </itk:DistributionEnvelope>
    """
  }

  @Test func `a 111 report is a handoff of its set of documents, as its FHIR is`() throws {
    let message = try #require(FHIRFixture.outcome(report()).message)
    let fact = message.facts[0]
    #expect(fact.type == .handoffRequested && fact.handoff?.value == "S-1")
    #expect(fact.from?.odsCode?.description == "RYE" && fact.to?.odsCode?.description == "RTH")
    #expect(fact.kind?.description == "111-ed" && message.messageID == "T-1")
    #expect(Set(fact.references.map(\.value)) == ["D-1", "CASE"])
    #expect(fact.occurredAt?.hl7Text == "20261123100000+0000")
    #expect(message.person?.nhsNumberStatus == .verified)
    #expect(message.person?.birthDate == "1980-01-02")
    let json =
      #"{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"#
      + #""MessageHeader","id":"h","event":{"code":"referral-1"},"destination":[{"endpoint":"#
      + #""urn:nhs-uk:addressing:ods:RTH"}]}},{"resource":{"resourceType":"Composition","#
      + #""identifier":{"value":"S-1"}}},{"resource":{"resourceType":"Patient","identifier":"#
      + #"[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}]}}]}"#
    let other = try #require(FHIRFixture.facts(json).first)
    #expect(other.handoff?.value == "S-1" && other.handoff?.assigner == fact.handoff?.assigner)
    #expect(other.to?.odsCode == fact.to?.odsCode)
  }

  @Test func `a report that replaces another amends it`() throws {
    let related =
      #"<relatedDocument typeCode="RPLC"><parentDocument><id root="D-0"/></parentDocument>"#
      + "</relatedDocument>"
    let fact = try #require(FHIRFixture.facts(report(related: related)).first)
    #expect(fact.type == .handoffAmended && fact.supersedes?.value == "D-0")
  }

  @Test func `an NHS number that nobody traced is said to be so, and a bad one refused`() {
    let untraced = #"<id root="2.16.840.1.113883.2.1.3.2.4.18.23" extension="9990500002"/>"#
    #expect(
      FHIRFixture.outcome(report(id: untraced)).message?.person?.nhsNumberStatus == .untraced)
    let bad = untraced.replacing("9990500002", with: "993254128")
    #expect(FHIRFixture.summary(report(id: bad)).hasPrefix("refused identity.nhs-number-format"))
  }

  @Test func `MESH tracking and control files say what a report says`() {
    func tracking(_ status: String) -> String {
      FHIRFixture.summary(#"{"message_id":"1","local_id":"l","status":"\#(status)"}"#)
    }
    #expect(tracking("Accepted") == "platform:TransportAccepted")
    #expect(tracking("acknowledged") == "platform:Delivered")
    #expect(tracking("undeliverable") == "platform:TransportFailed")
    #expect(tracking("asleep") == "refused mesh.status-unknown $.status")
    let control =
      "<DTSControl><LocalId>l</LocalId><DTSId>1</DTSId><MessageType>Report</MessageType>"
      + "<StatusRecord><Status>ERROR</Status><StatusCode>14</StatusCode></StatusRecord></DTSControl>"
    #expect(FHIRFixture.summary(control) == "platform:Expired")
    #expect(
      FHIRFixture.summary(control.replacing("Report", with: "Data")) == "none mesh.control-of-data")
  }
}
