import HandoffCore
import Testing

@testable import HandoffCodecs

struct FHIRResourceTests {
  @Test func `every status of a Task becomes what the reviewed table says`() {
    for row in FHIRStates.task {
      let summary = FHIRFixture.summary(FHIRFixture.task(row.status))
      switch row.meaning {
      case .says(let said):
        #expect(
          summary
            == said.map { "\($0.speaker.rawValue):\($0.type.rawValue)" }
            .joined(separator: " "), "\(row.status)")
      case .nothing(let reason): #expect(summary == "none \(reason)", "\(row.status)")
      }
    }
  }

  @Test func `every status of a ServiceRequest alone becomes what the reviewed table says`() {
    for row in FHIRStates.serviceRequest {
      let summary = FHIRFixture.summary(
        #"{"resourceType":"ServiceRequest","id":"sr-1","status":"\#(row.status)","#
          + #""intent":"order","subject":{"reference":"Patient/p-1"}}"#)
      switch row.meaning {
      case .says(let said):
        #expect(summary == "\(said[0].speaker.rawValue):\(said[0].type.rawValue)", "\(row.status)")
      case .nothing(let reason): #expect(summary == "none \(reason)", "\(row.status)")
      }
    }
  }

  @Test func `every status of an Appointment becomes what the reviewed table says`() {
    for row in FHIRStates.appointment {
      let summary = FHIRFixture.summary(
        #"{"resourceType":"Appointment","id":"a-1","status":"\#(row.status)","#
          + #""start":"2026-12-01T09:00:00Z","basedOn":[{"reference":"ServiceRequest/sr-1"}]}"#)
      switch row.meaning {
      case .says(let said):
        #expect(summary == "\(said[0].speaker.rawValue):\(said[0].type.rawValue)", "\(row.status)")
      case .nothing(let reason): #expect(summary == "none \(reason)", "\(row.status)")
      }
    }
  }

  @Test func `a Task hands over what its focus asks for, from its requester to its owner`() throws {
    let message = try #require(FHIRFixture.outcome(FHIRFixture.task("requested")).message)
    let fact = message.facts[0]
    #expect(fact.handoff == RawReference(system: code("ServiceRequest.id"), value: "sr-1"))
    #expect(fact.references.map(\.value) == ["t-1"])
    #expect(fact.from?.odsCode?.description == "RTH" && fact.to?.organisation == "food-bank")
    #expect(fact.occurredAt?.hl7Text == "20261123090000+0000")
    #expect(message.person?.nhsNumber?.digits == "9990500002")
    let accepted = try #require(FHIRFixture.facts(FHIRFixture.task("accepted")).first)
    #expect(accepted.occurredAt?.hl7Text == "20261123100000+0000")
  }

  @Test func `a Task that is part of another names the handoff above it`() throws {
    let part = #""partOf":[{"reference":"Task/t-0"}],"#
    let alone = try #require(FHIRFixture.facts(FHIRFixture.task("accepted", part)).first)
    #expect(alone.parentHandoff == RawReference(system: code("Task.id"), value: "t-0"))
    let above =
      #"{"resourceType":"Task","id":"t-0","status":"draft","#
      + #""focus":{"reference":"ServiceRequest/sr-0"}}"#
    let together = FHIRFixture.facts(
      FHIRFixture.transaction([
        #"{"resource":\#(above)}"#, #"{"resource":\#(FHIRFixture.task("accepted", part))}"#,
      ]))
    #expect(together.map(\.type) == [.accepted])
    #expect(
      together.first?.parentHandoff
        == RawReference(system: code("ServiceRequest.id"), value: "sr-0"))
  }

  @Test func `what a completed Task puts out goes back to who asked`() {
    let output = #""output":[{"type":{"coding":[{"code":"resulting-activity"}]}}],"#
    #expect(
      FHIRFixture.summary(FHIRFixture.task("completed", output))
        == "receiver:Completed receiver:FeedbackSent")
    #expect(
      FHIRFixture.summary(FHIRFixture.task("in-progress", output))
        == "receiver:Started receiver:Interim")
    #expect(
      FHIRFixture.facts(FHIRFixture.task("completed", output))[0].outcome
        == code("resulting-activity"))
  }

  @Test func `a Task that asks for something else than to fulfil a request is no handoff`() {
    let text = FHIRFixture.task("requested").replacing("fulfill", with: "complete-questionnaire")
    #expect(FHIRFixture.summary(text) == "none task.not-fulfilment")
  }

  @Test func `a request beside the Task that asks for it is told once`() {
    let request =
      #"{"resourceType":"ServiceRequest","id":"sr-1","status":"active","intent":"order","#
      + #""identifier":[{"system":"urn:x","value":"R1"}],"#
      + #""category":[{"coding":[{"code":"410606002"}]}],"code":{"coding":[{"code":"4677"}]},"#
      + #""subject":{"reference":"Patient/p-1"}}"#
    let facts = FHIRFixture.facts(
      FHIRFixture.transaction([
        #"{"resource":\#(request)}"#, #"{"resource":\#(FHIRFixture.task("requested"))}"#,
      ]))
    #expect(facts.count == 1)
    #expect(facts.first?.handoff?.value == "R1" && facts.first?.handoff?.assigner == "urn:x")
    #expect(facts.first?.references.map(\.value) == ["sr-1", "t-1"])
    #expect(facts.first?.kind?.description == "social-prescribing")
    #expect(facts.first?.needCode == code("4677"))
  }

  @Test func `a search tells each of its resources, about its own person and under its own id`()
    throws
  {
    let one = FHIRFixture.task("accepted")
    let two = one.replacing("t-1", with: "t-2").replacing("sr-1", with: "sr-2")
      .replacing("9990500002", with: "9990548609")
    let text = FHIRFixture.transaction([#"{"resource":\#(one)}"#, #"{"resource":\#(two)}"#])
      .replacing("transaction", with: "searchset")
    let message = try #require(FHIRFixture.outcome(text).message)
    #expect(message.person == nil)
    #expect(
      message.facts.map { $0.person?.nhsNumber?.digits } == ["9990500002", "9990548609"])
    #expect(
      message.facts.map(\.messageID) == [
        "Task/t-1/_history/accepted/2026-11-23T10:00:00Z#Accepted",
        "Task/t-2/_history/accepted/2026-11-23T10:00:00Z#Accepted",
      ])
  }

  @Test func `a booking that names no referral is found by its own id and by nothing else`() throws
  {
    let text =
      #"{"resourceType":"Appointment","id":"a-1","status":"booked","participant":[{"actor":"#
      + #"{"reference":"Patient/p-1"}}]}"#
    let message = try #require(FHIRFixture.outcome(text).message)
    #expect(message.person == nil && message.facts[0].handoff == nil)
    #expect(message.facts[0].references.map(\.value) == ["a-1"])
  }

  @Test func `resources that carry no handoff are named as such and refuse nothing`() {
    for type in FHIRTypes.withoutHandoffs {
      #expect(
        FHIRFixture.summary(#"{"resourceType":"\#(type)","id":"1"}"#)
          == "none fhir.no-handoff-meaning", "\(type)")
    }
  }
}
