import HandoffCore
import Testing

@testable import HandoffCodecs

struct BaRSMapperTests {
  @Test(arguments: [
    ("new", "active", EventType.handoffRequested), ("update", "active", .handoffAmended),
    ("update", "revoked", .cancelled), ("update", "entered-in-error", .voided),
    ("delete", "entered-in-error", .voided), ("delete", "active", .voided),
  ])
  func `a request is read from its reason and status`(
    reason: String, status: String, expected: EventType
  ) throws {
    var fixture = BaRSFixture()
    fixture.reason = reason
    fixture.status = status
    let fact = try #require(fixture.map().fact)
    #expect(fact.type == expected && fact.speaker == .sender)
    #expect(fact.from?.odsCode?.description == "RTH" && fact.to?.odsCode?.description == "RNU")
    #expect(fact.handoff == RawReference(system: code("ServiceRequest.id"), value: "sr"))
    #expect(fact.journey?.value == "journey-1")
  }

  @Test func `a request carries kind, priority, times and identity`() throws {
    let message = try #require(BaRSFixture().map().message)
    let fact = message.facts[0]
    #expect(fact.kind?.description == "111-ucr" && fact.priority == .urgent)
    #expect(fact.occurredAt?.hl7Text == "20261123090000+0000")
    #expect(message.recordedAt?.hl7Text == "20261123100000+0000")
    #expect(message.person?.nhsNumber?.digits == "9990500002")
    #expect(message.person?.nhsNumberStatus == .verified)
  }

  @Test func `an update happened when the request last changed and not when it was authored`() {
    var fixture = BaRSFixture()
    fixture.reason = "update"
    #expect(fixture.map().fact?.occurredAt?.hl7Text == "20261123093000+0000")
  }

  @Test func `an identifier of the request comes before its id`() {
    var fixture = BaRSFixture()
    fixture.requestMembers =
      #""identifier":[{"system":"https://fhir.nhs.uk/Id/UBRN","value":"1"}],"#
    let fact = fixture.map().fact
    #expect(fact?.handoff?.system.description == "ServiceRequest.identifier")
    #expect(fact?.handoff?.assigner == "https://fhir.nhs.uk/Id/UBRN")
    #expect(fact?.references.map(\.value) == ["sr"])
  }

  @Test(arguments: [
    ("planned", EventType.received), ("triaged", .received), ("in-progress", .accepted),
    ("arrived", .started), ("finished", .completed), ("cancelled", .rejected),
  ])
  func `an answer is read from the receiver's Encounter`(
    status: String, expected: EventType
  ) throws {
    let fact = try #require(BaRSFixture.answer(status).map().fact)
    #expect(fact.type == expected && fact.speaker == .receiver)
    #expect(fact.answers == BaRSFixture().map().message?.reference)
    // The answer is sent by the fixture's `from`, which is the receiver of the handoff.
    #expect(fact.to?.odsCode?.description == "RTH" && fact.from?.odsCode?.description == "RNU")
  }

  @Test(arguments: ["rejected-reasons-bars", "rejection-reason-bars"])
  func `a rejection is a cancelled Encounter while the request stays active and the response ok`(
    system: String
  ) {
    let reason =
      #""reasonCode":[{"coding":[{"system":"https://fhir.nhs.uk/CodeSystem/\#(system)","#
      + #""code":"RRNA"}]}],"#
    let fixture = BaRSFixture.answer("cancelled", members: reason)
    #expect(fixture.status == "active")
    #expect(fixture.map().fact?.type == .rejected)
    #expect(fixture.map().fact?.reason?.description == "RRNA")
  }

  @Test func `the sender's Encounter in an answer is ignored, focus or no focus`() {
    var fixture = BaRSFixture.answer("in-progress")
    fixture.focus = "urn:uuid:elsewhere"
    #expect(fixture.map().fact?.type == .accepted)
    fixture.extra = []
    #expect(fixture.map().fact?.type == .received)
  }

  @Test func `two Encounters that could both be the receiver's are refused`() {
    var fixture = BaRSFixture.answer("in-progress")
    fixture.focus = "urn:uuid:elsewhere"
    fixture.extra.append(fixture.entry("other", fixture.encounter("cancelled")))
    #expect(
      fixture.map().reason == "bars.encounter-ambiguous Bundle.entry[0].resource.focus")
  }

  @Test func `a request that comes back revoked is a patient who did not attend`() {
    var fixture = BaRSFixture.answer("cancelled")
    fixture.status = "revoked"
    #expect(fixture.map().fact?.type == .notAttended)
  }

  @Test func `a validation is a handoff to who validates, and comes back completed`() throws {
    var fixture = BaRSFixture()
    fixture.category = "validation"
    fixture.useCase = "none"
    let asked = try #require(fixture.map().fact)
    #expect(asked.type == .handoffRequested && asked.kind?.description == "clinical-validation")
    var answer = BaRSFixture.answer("finished")
    answer.category = "validation"
    #expect(answer.map().fact?.type == .completed && answer.map().fact?.speaker == .receiver)
  }

  @Test(arguments: [
    ("duplicate", EventType.delivered, "409:duplicate"), ("timeout", .transportFailed, "408"),
    ("transient", .transportFailed, "503"), ("throttled", .transportFailed, "429"),
    ("invalid", .transportFailed, "fhir:invalid"),
  ])
  func `an answer that is not ok says how the transport ended`(
    issue: String, expected: EventType, reason: String
  ) {
    var fixture = BaRSFixture.answer("planned")
    fixture.response = #"{"identifier":"b-1","code":"fatal-error"}"#
    fixture.extra = [
      fixture.entry("o", #"{"resourceType":"OperationOutcome","issue":[{"code":"\#(issue)"}]}"#)
    ]
    let fact = fixture.map().fact
    #expect(fact?.type == expected && fact?.reason?.description == reason)
    #expect(fact?.speaker == .platform)
  }

  @Test func `a conflict proves nothing`() {
    var fixture = BaRSFixture.answer("planned")
    fixture.response = #"{"identifier":"b-1","code":"fatal-error"}"#
    fixture.extra = [
      fixture.entry("o", #"{"resourceType":"OperationOutcome","issue":[{"code":"conflict"}]}"#)
    ]
    #expect(fixture.map().reason == "bars.no-handoff-meaning")
  }

  @Test func `an outcome alone is refused, and with what it answers it is a fact`() {
    let text =
      #"{"resourceType":"OperationOutcome","issue":[{"severity":"error","#
      + #""code":"duplicate"}]}"#
    let bytes = Array(text.utf8)
    #expect(
      FrameMapper().map(bytes)[0].outcome.reason == "correlation.none OperationOutcome")
    let request = RawReference(system: code("Bundle.id"), value: "b-1")
    let fact = FrameMapper().map(bytes, answering: request)[0].outcome.fact
    #expect(fact?.type == .delivered && fact?.answers == request)
  }

  @Test func `a booking is Booked by the receiver only in the answer to it`() throws {
    var fixture = BaRSFixture()
    fixture.event = "booking-request"
    fixture.extra = [
      fixture.entry(
        "a", #"{"resourceType":"Appointment","status":"booked","start":"2026-12-01T09:30:00Z"}"#)
    ]
    let asked = try #require(fixture.map().fact)
    #expect(asked.type == .booked && asked.speaker == .sender)
    #expect(asked.bookedFor?.hl7Text == "20261201093000+0000")
    fixture.event = "booking-response"
    fixture.response = #"{"identifier":"b-1","code":"ok"}"#
    #expect(fixture.map().fact?.speaker == .receiver)
    fixture.extra = [
      fixture.entry("a", #"{"resourceType":"Appointment","status":"cancelled"}"#)
    ]
    let givenUp = try #require(fixture.map().fact)
    #expect(givenUp.type == .booked && givenUp.reason == code("booking-cancelled"))
    #expect(givenUp.bookedFor == nil)
  }

  @Test func `a bad check digit is refused at its place in the Bundle`() {
    var fixture = BaRSFixture()
    fixture.nhsNumber = "3478526985"
    #expect(
      fixture.map().reason
        == "identity.nhs-number-check-digit Bundle.entry[2].resource.identifier[0].value")
    var context = MappingContext()
    context.checkDigit = .treatAsUntraced
    #expect(fixture.map(context).message?.person?.nhsNumberStatus == .checkDigitFailed)
  }

  @Test func `resources and Bundles that are no message are refused, registers state no fact`() {
    func reason(_ text: String) -> String? {
      FrameMapper().map(Array(text.utf8))[0].outcome.reason
    }
    #expect(reason(#"{"resourceType":"Task","id":"1"}"#) == "fhir.code-unknown Task.status")
    #expect(
      reason(#"{"resourceType":"Weather"}"#)
        == "fhir.unsupported-resource Resource.resourceType")
    #expect(reason(#"{"resourceType":"Organization"}"#) == "fhir.no-handoff-meaning")
    #expect(
      reason(#"{"resourceType":"Bundle","type":"searchset"}"#) == "fhir.no-handoff-meaning")
    #expect(
      reason(#"{"resourceType":"Bundle","type":"pile"}"#)
        == "fhir.unsupported-bundle Bundle.type")
    #expect(
      reason(#"{"resourceType":"Bundle","type":"message"}"#)
        == "fhir.resource-missing Bundle.entry")
  }

  @Test func `an unknown status, event or time is refused by its place`() {
    #expect(
      BaRSFixture.answer("sleeping").map().reason
        == "fhir.code-unknown Bundle.entry[6].resource.status")
    var fixture = BaRSFixture()
    fixture.status = "draft"
    #expect(fixture.map().reason == "fhir.code-unknown Bundle.entry[1].resource.status")
    fixture = BaRSFixture()
    fixture.event = "weather-report"
    #expect(
      fixture.map().reason
        == "fhir.unsupported-event Bundle.entry[0].resource.eventCoding.code")
  }

  @Test func `a Bundle cut short at any byte is refused and never crashes`() {
    let bytes = Array(BaRSFixture().text.utf8)
    for length in stride(from: 0, to: bytes.count, by: 7) {
      #expect(FrameMapper().map(Array(bytes[..<length]))[0].outcome.error != nil)
    }
  }
}
