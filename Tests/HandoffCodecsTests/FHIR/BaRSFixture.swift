import HandoffCore

@testable import HandoffCodecs

/// BaRS message Bundles for tests, of made-up people.
struct BaRSFixture {
  var event = "servicerequest-request"
  var reason = "new"
  var bundleID = "b-1"
  var status = "active"
  var category = "referral"
  var useCase = "a4t3"
  var nhsNumber = "9990500002"
  /// MessageHeader.response, where this is an answer.
  var response: String?
  var focus = "urn:uuid:sr"
  /// More entries, each an object.
  var extra: [String] = []
  /// Members of the ServiceRequest beside the fixture's own.
  var requestMembers = ""

  var text: String {
    let header = """
      {"resourceType":"MessageHeader",
       "eventCoding":{"system":"https://fhir.nhs.uk/CodeSystem/message-events-bars",\
      "code":"\(event)"},
       "destination":[{"endpoint":"https://fhir.nhs.uk/Id/dos-service-id|1",\
      "receiver":{"reference":"urn:uuid:to"}}],
       "sender":{"reference":"urn:uuid:from"},
       "source":{"endpoint":"https://fhir.nhs.uk/Id/dos-service-id|2"},
       "reason":{"coding":[{"code":"\(reason)"}]},
       \(response.map { "\"response\":\($0)," } ?? "")
       "focus":[{"reference":"\(focus)"}]}
      """
    let request = """
      {"resourceType":"ServiceRequest","meta":{"lastUpdated":"2026-11-23T09:30:00+00:00"},
       "status":"\(status)","authoredOn":"2026-11-23T09:00:00+00:00",\(requestMembers)
       "category":[{"coding":[{"code":"\(category)"},\
      {"system":"https://fhir.nhs.uk/CodeSystem/usecases-categories-bars","code":"\(useCase)"}]}],
       "priority":"urgent","subject":{"reference":"urn:uuid:p"},
       "encounter":{"reference":"urn:uuid:enc-sender"}}
      """
    let patient = """
      {"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number",\
      "value":"\(nhsNumber)","extension":[{"url":"x/Extension-UKCore-NHSNumberVerificationStatus",\
      "valueCodeableConcept":{"coding":[{"code":"number-present-and-verified"}]}}]}],
       "name":[{"family":"Roe","given":["Jane"]}]}
      """
    let entries =
      [
        entry("m", header), entry("sr", request), entry("p", patient),
        entry("from", organisation("RTH")), entry("to", organisation("RNU")),
        entry("enc-sender", encounter("triaged", extra: #""statusHistory":[{}],"#)),
      ] + extra
    return """
      {"resourceType":"Bundle","id":"\(bundleID)","type":"message",
       "timestamp":"2026-11-23T10:00:00+00:00","entry":[\(entries.joined(separator: ","))]}
      """
  }

  func map(_ context: MappingContext = .init()) -> MappingOutcome {
    FrameMapper(context).map(Array(text.utf8))[0].outcome
  }

  func entry(_ id: String, _ resource: String) -> String {
    #"{"fullUrl":"urn:uuid:\#(id)","resource":\#(resource)}"#
  }

  func encounter(_ status: String, extra: String = "") -> String {
    """
    {"resourceType":"Encounter","status":"\(status)",\(extra)
     "meta":{"lastUpdated":"2026-11-23T11:00:00Z"},
     "episodeOfCare":[{"reference":"EpisodeOfCare/journey-1"}]}
    """
  }

  private func organisation(_ code: String) -> String {
    #"{"resourceType":"Organization","identifier":[{"system":"#
      + #""https://fhir.nhs.uk/id/ods-organization-code","value":"\#(code)"}]}"#
  }

  /// An answer whose receiver's Encounter has that status.
  static func answer(_ status: String, members: String = "") -> BaRSFixture {
    var fixture = BaRSFixture()
    fixture.event = "servicerequest-response"
    fixture.bundleID = "b-2"
    fixture.response = #"{"identifier":"b-1","code":"ok"}"#
    fixture.focus = "urn:uuid:enc-receiver"
    fixture.extra = [
      fixture.entry("enc-receiver", fixture.encounter(status, extra: members))
    ]
    return fixture
  }
}
