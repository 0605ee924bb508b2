import HandoffCore
import Testing

@testable import HandoffCodecs

struct ERSMapperTests {
  @Test func `every state of e-RS becomes what the reviewed table says`() {
    for row in ERSStates.states {
      guard case .says(let said) = row.meaning else { continue }
      #expect(
        FHIRFixture.summary(FHIRFixture.referral(row.status))
          == said.map { "\($0.speaker.rawValue):\($0.type.rawValue)" }.joined(separator: " "),
        "\(row.status)")
    }
  }

  @Test func `a referral is known by its UBRN on every resource that names it`() throws {
    let fact = try #require(FHIRFixture.facts(FHIRFixture.referral("REJECTED")).first)
    #expect(fact.handoff == ERSMapper.ubrn("000000070000"))
    let request =
      #"{"resourceType":"ServiceRequest","id":"r.1","status":"active","intent":"order","#
      + #""identifier":[{"system":"https://fhir.nhs.uk/Id/UBRN","value":"000000070000"}]}"#
    let other = FHIRFixture.facts(request).first?.handoff
    #expect(other?.value == fact.handoff?.value && other?.assigner == fact.handoff?.assigner)
    let booking =
      #"{"resourceType":"Appointment","id":"7","status":"booked","incomingReferral":"#
      + #"[{"reference":"ReferralRequest/000000070000/_history/9"}]}"#
    #expect(FHIRFixture.facts(booking).first?.handoff == fact.handoff)
  }

  @Test func `a state polled again is the same fact, and a new version another`() throws {
    let first = try #require(FHIRFixture.facts(FHIRFixture.referral("BOOKED")).first)
    #expect(first.messageID == "ReferralRequest/000000070000/_history/4#Accepted")
    let later = FHIRFixture.referral("BOOKED").replacing(
      #""versionId":"4""#, with: #""versionId":"5""#)
    #expect(FHIRFixture.facts(later).first?.messageID != first.messageID)
  }

  @Test func `two weeks' wait is suspected cancer`() throws {
    let priority =
      #""extension":[{"url":"https://fhir.nhs.uk/STU3/StructureDefinition/"#
      + #"Extension-eRS-ReferralPriority-1","valueCodeableConcept":{"coding":[{"code":"#
      + #""TWO_WEEK_WAIT"}]}},"#
    let text = FHIRFixture.referral("NOT_BOOKED").replacing(
      #""extension":[{"url":"https"#, with: priority + #"{"url":"https"#)
    let fact = try #require(FHIRFixture.facts(text).first)
    #expect(fact.kind?.description == "gp-suspected-cancer")
    #expect(fact.priority?.description == "urgent-suspected-cancer")
  }

  @Test func `a request to create a referral has no number yet`() {
    let text =
      #"{"resourceType":"Parameters","meta":{"profile":["https://x/eRS-CreateReferral-1"]},"#
      + #""parameter":[{"name":"patient"}]}"#
    #expect(FHIRFixture.summary(text) == "none ers.awaiting-ubrn")
  }

  @Test func `a state that e-RS does not publish is refused by its place`() {
    #expect(
      FHIRFixture.summary(FHIRFixture.referral("SLEEPING"))
        == "refused fhir.code-unknown ReferralRequest.status")
  }
}
