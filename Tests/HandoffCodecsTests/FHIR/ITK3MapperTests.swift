import HandoffCore
import Testing

@testable import HandoffCodecs

struct ITK3MapperTests {
  @Test func `a document sent is a handoff of that document to who shall act on it`() throws {
    let message = try #require(FHIRFixture.outcome(ITK3Fixture.document()).message)
    let fact = message.facts[0]
    #expect(fact.type == .handoffRequested && fact.speaker == .sender)
    #expect(fact.handoff?.value == "D1" && fact.handoff?.assigner == "urn:docs")
    #expect(Set(fact.references.map(\.value)).isSuperset(of: ["s-1", "c-1", "m-1"]))
    #expect(fact.kind?.description == "discharge-summary")
    #expect(fact.from?.odsCode?.description == "RTH" && fact.isFeedbackOwed == nil)
    #expect(fact.occurredAt?.hl7Text == "20261123100000+0000")
    #expect(message.person?.nhsNumber?.digits == "9990500002")
  }

  @Test func `a document for information owes nothing back`() {
    let text = ITK3Fixture.document(recipient: "FI")
    #expect(FHIRFixture.facts(text).first?.isFeedbackOwed == false)
  }

  @Test func `a document that replaces another amends its handoff`() throws {
    let relates =
      #"<relatesTo><code value="replaces"/><targetIdentifier><system value="urn:docs"/>"#
      + #"<value value="D0"/></targetIdentifier></relatesTo>"#
    let fact = try #require(FHIRFixture.facts(ITK3Fixture.document(relates: relates)).first)
    #expect(fact.type == .handoffAmended)
    #expect(fact.handoff?.value == "D0" && fact.supersedes?.value == "D0")
    #expect(fact.references.contains { $0.value == "D1" })
  }

  @Test func `every response code becomes what the reviewed table says`() {
    for row in ITK3Codes.rows {
      let summary = ITK3Fixture.response(row.status, "ok")
      switch row.meaning {
      case .says(let said):
        #expect(summary == "\(said[0].speaker.rawValue):\(said[0].type.rawValue)", "\(row.status)")
      case .nothing(let reason): #expect(summary == "none \(reason)", "\(row.status)")
      }
    }
  }

  @Test func `a code of a later list fails only where it is fatal`() {
    #expect(ITK3Fixture.response("29999", "fatal-error") == "platform:TransportFailed")
    #expect(ITK3Fixture.response("39999", "ok") == "none itk3.code-unknown")
  }

  @Test func `a death is told by its code, whatever else is wrong with the patient`() {
    let text = ITK3Fixture.responseText("30003", "ok").replacing(
      "</details>", with: #"<coding><code value="30004"/></coding></details>"#)
    let facts = FHIRFixture.facts(text)
    #expect(facts.map(\.type) == [.recipientRefusedPatient])
    #expect(facts.first?.reason == Code("itk:30004"))
  }
}
