import HandoffCore
import TestSupport

@testable import HandoffCodecs

/// FHIR resources for tests, of made-up people.
enum FHIRFixture {
  static func outcome(_ text: String, _ context: MappingContext = .init()) -> MappingOutcome {
    FrameMapper(context).map(Array(text.utf8))[0].outcome
  }

  static func facts(_ text: String) -> [MappedFact] { outcome(text).message?.facts ?? [] }

  /// `speaker:Type` of every fact, or why there is none.
  static func summary(_ text: String) -> String {
    Samples.summary(FrameMapper().map(Array(text.utf8)))
  }

  static func task(_ status: String, _ members: String = "") -> String {
    """
    {"resourceType":"Task","id":"t-1","status":"\(status)","intent":"order",\(members)
     "code":{"coding":[{"code":"fulfill"}]},"focus":{"reference":"ServiceRequest/sr-1"},
     "for":{"identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990500002"}},
     "requester":{"identifier":{"system":"https://fhir.nhs.uk/Id/ods-organization-code",\
    "value":"RTH"}},
     "owner":{"reference":"Organization/food-bank"},
     "authoredOn":"2026-11-23T09:00:00Z","lastModified":"2026-11-23T10:00:00Z"}
    """
  }

  /// A transaction: a Task, its request, the patient and the two organisations.
  static func transaction(_ entries: [String]) -> String {
    #"{"resourceType":"Bundle","type":"transaction","entry":["#
      + entries.joined(separator: ",") + "]}"
  }

  static func referral(
    _ state: String, reason: String? = nil, members: String = ""
  ) -> String {
    let why = reason.map { #",{"url":"reason","valueCoding":{"code":"\#($0)"}}"# } ?? ""
    return """
      {"resourceType":"ReferralRequest","id":"000000070000","meta":{"versionId":"4"},
       "status":"active",\(members)
       "subject":{"identifier":{"system":"http://fhir.nhs.net/Id/nhs-number",\
      "value":"9990500002"}},
       "extension":[{"url":"https://fhir.nhs.uk/STU3/StructureDefinition/\
      Extension-eRS-ReferralState-1","extension":[{"url":"state","valueCoding":\
      {"code":"\(state)"}}\(why)]}]}
      """
  }
}
