import HandoffCore
import Testing

@testable import HandoffCodecs

struct SubmissionMapperTests {
  private static let person = #""person":{"nhsNumber":"999 050 0002","familyName":"Roe"}"#
  private static let parties = #""from":{"odsCode":"RTH"},"to":{"name":"Age Well"}"#
  private static let handoff = #""handoff":{"system":"UBRN","value":"1","assigner":"RTH"}"#
  private static let time = #""occurredAt":"2026-11-23T09:00:00Z""#

  private func map(_ members: String..., envelope: String = "") -> MappingOutcome {
    let data = members.joined(separator: ",")
    let text =
      #"{"specversion":"1.0","id":"s-1","source":"/council","#
      + #""type":"baton.handoff.v1.HandoffSubmission",\#(envelope)"data":{\#(data)}}"#
    return FrameMapper().map(Array(text.utf8))[0].outcome
  }

  private func request(_ members: String...) -> MappingOutcome {
    let all = [#""type":"HandoffRequested""#, Self.person, Self.parties, Self.handoff, Self.time]
    return map((all + members).joined(separator: ","))
  }

  @Test func `every value of a submission names the member it was read from`() throws {
    let message = try #require(
      request(
        #""priority":"urgent","reason":"r","bookedFor":"2026-12-01T09:00:00Z","sequence":"4""#
      ).message)
    #expect(message.unproven == [] && message.facts[0].unproven == [])
    #expect(message.provenance["messageID"] == "$.id")
    #expect(message.provenance["sendingOrganisation"] == "$.data.from")
    let places = message.facts[0].provenance
    #expect(places["kind"] == "connector" && places["priority"] == "$.data.priority")
    #expect(places["bookedFor"] == "$.data.bookedFor")
  }

  @Test func `a request of a thin client is a request`() throws {
    let message = try #require(request(#""kind":"hospital-council","priority":"urgent""#).message)
    let fact = message.facts[0]
    #expect(fact.type == .handoffRequested && fact.speaker == .sender)
    #expect(fact.kind?.description == "hospital-council" && fact.priority == .urgent)
    #expect(fact.from?.odsCode?.description == "RTH" && fact.to?.organisation == "Age Well")
    #expect(fact.handoff == RawReference(system: code("UBRN"), value: "1", assigner: "RTH"))
    #expect(message.messageID == "s-1" && message.sendingSystem == "/council")
    #expect(message.sendingOrganisation == "RTH")
    #expect(message.person?.nhsNumber?.digits == "9990500002")
    #expect(fact.occurredAt?.hl7Text == "20261123090000+0000")
  }

  @Test(arguments: EventType.allCases)
  func `every type but Baton's own may be submitted, with its usual speaker`(type: EventType) {
    let outcome = map(
      #""type":"\#(type.rawValue)""#, Self.person, Self.parties, Self.handoff, Self.time,
      #""newHandoff":{"value":"2"},"priorPerson":{"localIds":[{"value":"7"}]}"#)
    switch type {
    case .handoffTransferred, .orgChanged, .wardClosed, .wardOpened:
      #expect(outcome.reason == "submission.field-invalid $.data.type")
    default:
      #expect(outcome.fact?.type == type)
    }
  }

  @Test func `an answer needs no person where it names the handoff or the message`() {
    #expect(map(#""type":"Accepted""#, Self.handoff, Self.time).fact?.speaker == .receiver)
    let answer = map(#""type":"Accepted","answers":{"value":"m-1"}"#, Self.time)
    #expect(answer.fact?.answers?.value == "m-1" && answer.message?.person == nil)
    #expect(
      map(#""type":"Accepted""#, Self.time).reason == "submission.field-missing $.data.handoff")
  }

  @Test func `names may be spelt as in the schema file`() {
    let outcome = map(
      #""type":"Accepted","occurred_at":"2026-11-23T09:00:00Z","message_id":"m""#, Self.handoff)
    #expect(outcome.message?.messageID == "m")
  }

  @Test(arguments: [
    (#""kind":"Not A Slug""#, "$.data.kind"), (#""needCode":"free text""#, "$.data.needCode"),
    (#""reason":"9990500002""#, "$.data.reason"),
    (#""dischargePathway":4"#, "$.data.dischargePathway"),
    (#""sequence":"x""#, "$.data.sequence"), (#""isBackfill":"yes""#, "$.data.isBackfill"),
    (#""bookedFor":"tomorrow""#, "$.data.bookedFor"), (#""speaker":"nobody""#, "$.data.speaker"),
    (#""cc":{}"#, "$.data.cc"), (#""cc":[{"odsCode":"!"}]"#, "$.data.cc[0].odsCode"),
    (#""journey":"x""#, "$.data.journey"),
  ])
  func `a value that is none is refused by its path`(member: String, path: String) {
    #expect(request(member).reason == "submission.field-invalid \(path)")
  }

  @Test func `what is mandatory and missing is refused by its path`() {
    #expect(map(Self.handoff).reason == "submission.field-missing $.data.type")
    #expect(
      map(#""type":"Accepted""#, Self.handoff).reason
        == "submission.field-missing $.data.occurredAt"
    )
    #expect(
      map(#""type":"HandoffRequested""#, Self.handoff, Self.parties, Self.time).reason
        == "submission.field-missing $.data.person")
    #expect(
      map(#""type":"HandoffRequested""#, Self.handoff, Self.person, Self.time).reason
        == "submission.field-missing $.data.from")
    #expect(
      map(#""type":"Redirected""#, Self.handoff, Self.time).reason
        == "submission.field-missing $.data.newHandoff")
    #expect(
      map(#""type":"Discharged""#, Self.time).reason == "submission.field-missing $.data.person")
  }

  @Test func `a misspelt member is refused and not left out`() {
    #expect(request(#""bookedfor":"x""#).reason == "submission.unknown-field $.data")
    #expect(
      request(#""cc":[{"odsCode":"RTH","nmae":"x"}]"#).reason
        == "submission.unknown-field $.data.cc[0]")
  }

  @Test func `a bad check digit is refused at its path`() {
    let outcome = map(
      #""type":"Discharged","person":{"nhsNumber":"0000255355"}"#, Self.time)
    #expect(outcome.reason == "identity.nhs-number-check-digit $.data.person.nhsNumber")
  }

  @Test func `another CloudEvent is refused`() {
    func reason(_ text: String) -> String? { FrameMapper().map(Array(text.utf8))[0].outcome.reason }
    #expect(reason(#"{"specversion":"1.0","id":"1","type":"x"}"#) == "submission.type $.type")
    let type = #""type":"baton.handoff.v1.HandoffSubmission""#
    #expect(
      reason(#"{"specversion":"0.3","id":"1",\#(type)}"#)
        == "submission.specversion $.specversion")
    #expect(
      reason(#"{"specversion":"1.0",\#(type)}"#) == "submission.field-missing $.id")
    #expect(
      reason(#"{"specversion":"1.0","id":"1","source":"s",\#(type)}"#)
        == "submission.field-missing $.data")
  }
}
