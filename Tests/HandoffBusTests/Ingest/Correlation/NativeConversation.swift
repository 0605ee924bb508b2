import HandoffCodecs

/// Conversations in each standard's own messages: a request, and what bears one of its ids.
struct NativeConversation {
  /// In order; the last bears the id that is tried.
  var messages: [String]
  /// As it stands in the last message, so that another can be put in its place.
  var id: String

  init(_ id: String, _ messages: String...) {
    self.id = id
    self.messages = messages
  }

  /// The last message with an id that nobody knows.
  var stranger: String { messages[messages.count - 1].replacing(id, with: Self.unknown(like: id)) }

  /// As long and of the same characters: digits stay digits.
  private static func unknown(like id: String) -> String {
    String(id.map { $0.isNumber ? "7" : $0 == "-" || $0 == "_" ? $0 : "q" })
  }

  // MARK: BaRS

  static let bundle = "9f3e1d0a-0000-4000-8000-00000000abcd"
  static let conversation = "1b2c3d4e-0000-4000-8000-000000001234"

  /// A message with the headers of its transport.
  static func framed(_ headers: [(name: String, value: String)], _ text: String) -> String {
    String(decoding: FrameEnvelope.encode(headers, body: Array(text.utf8)), as: UTF8.self)
  }

  static func barsRequest(bundle: String = bundle, members: String = "") -> String {
    Conversation.bars(
      bundle: bundle, identifier: ("urn:rth", "own-77"), nhs: Conversation.person, members: members)
  }

  static func barsAnswer(to request: String, identifier: (String, String)? = nil) -> String {
    Conversation.bars(
      bundle: "b-9", identifier: identifier, nhs: nil, answers: request, encounter: "in-progress")
  }

  static func appointment(_ id: String, status: String, basedOn: String? = nil) -> String {
    let referral = basedOn.map { #""basedOn":[{"reference":"ServiceRequest/\#($0)"}],"# } ?? ""
    return """
      {"resourceType":"Appointment","id":"\(id)","status":"\(status)",\(referral)\
      "start":"2023-12-01T10:30:00Z","meta":{"lastUpdated":"2023-11-14T22:05:00Z"}}
      """
  }

  // MARK: IHE 360X

  static func order(_ control: String, _ orc: String, message: String, patient: Bool = true)
    -> String
  {
    let isAnswer = message.hasPrefix("OSU")
    let parties = isAnswer ? "EPR|RXQ|PAS|RTH" : "PAS|RTH|EPR|RXQ"
    return
      ([
        "MSH|^~\\&|\(parties)|20231114220000||\(message)|\(isAnswer ? "R1" : "M1")|P|2.5",
        patient ? "PID|1||\(Conversation.person)^^^NHS^NH~PAT77^^^RTH^MR||N^G" : "",
        "ORC|\(control)|\(orc)", isAnswer ? "" : "OBR|1|own-77^RTH||306206005",
      ].filter { !$0.isEmpty }).joined(separator: "\r") + "\r"
  }

  // MARK: ITK3, MESH, ebXML

  static func document(
    bundle: String = bundle, header: String = "mh-1", composition: String = "c-1",
    replaces: String? = nil
  ) -> String {
    let relates = replaces.map {
      #""relatesTo":[{"code":"replaces","targetIdentifier":{"system":"urn:doc","value":"\#($0)"}}],"#
    }
    return """
      {"resourceType":"Bundle","id":"\(bundle)","type":"message","entry":[{"resource":\
      {"resourceType":"MessageHeader","id":"\(header)","event":{"system":\
      "https://fhir.nhs.uk/STU3/CodeSystem/ITK-MessageEvent-2","code":"ITK007C"},"sender":\
      {"reference":"urn:uuid:o"},"timestamp":"2023-11-14T22:00:00Z"}},{"fullUrl":"urn:uuid:o",\
      "resource":{"resourceType":"Organization","identifier":[{"system":\
      "https://fhir.nhs.uk/Id/ods-organization-code","value":"RTH"}]}},{"resource":\
      {"resourceType":"Composition","id":"x-\(composition)",\(relates ?? "")"identifier":\
      {"system":"urn:doc","value":"\(composition)"},"subject":{"reference":"Patient/p"}}},\
      {"resource":{"resourceType":"Patient","id":"p","identifier":[{"system":\
      "https://fhir.nhs.uk/Id/nhs-number","value":"\(Conversation.person)"},{"system":"RTH",\
      "value":"PAT77"}]}}]}
      """
  }

  static func response(_ code: String, to message: String, id: String = "b-2") -> String {
    """
    {"resourceType":"Bundle","id":"\(id)","type":"message","entry":[{"resource":{"resourceType":\
    "MessageHeader","id":"h-\(id)","event":{"code":"ITK008M"},"timestamp":"2023-11-14T22:05:00Z",\
    "response":{"identifier":"\(message)","code":"ok"}}},{"resource":{"resourceType":\
    "OperationOutcome","issue":[{"details":{"coding":[{"code":"\(code)"}]}}]}}]}
    """
  }

  // MARK: e-RS

  static func referral(_ ubrn: String, _ state: String) -> String {
    """
    {"resourceType":"ReferralRequest","id":"\(ubrn)","meta":{"versionId":"\(state.count)"},\
    "status":"active","subject":{"identifier":{"system":"http://fhir.nhs.net/Id/nhs-number",\
    "value":"\(Conversation.person)"}},"extension":[{"url":"https://fhir.nhs.uk/STU3/\
    StructureDefinition/Extension-eRS-ReferralState-1","extension":[{"url":"state",\
    "valueCoding":{"code":"\(state)"}}]}]}
    """
  }

  static func worklist(_ ubrn: String, _ state: String) -> String {
    """
    {"resourceType":"List","status":"current","mode":"snapshot","entry":[{"extension":[{"url":\
    "https://x/Extension-eRS-RejectedTriageResponse-WorkListItem-1","extension":[{"url":"status",\
    "valueCodeableConcept":{"coding":[{"code":"\(state)"}]}}]}],"item":{"reference":\
    "ReferralRequest/\(ubrn)"}}]}
    """
  }

  // MARK: Gravity

  static func task(
    _ id: String, _ status: String, _ members: String, patient: String? = nil
  ) -> String {
    let subject = patient.map { #""for":\#($0),"# } ?? ""
    return """
      {"resourceType":"Task","id":"\(id)","status":"\(status)","intent":"order",\(subject)\
      \(members)"code":{"coding":[{"code":"fulfill"}]},"authoredOn":"2023-11-14T22:00:00Z",\
      "lastModified":"2023-11-14T22:05:00Z","requester":{"identifier":{"system":\
      "https://fhir.nhs.uk/Id/ods-organization-code","value":"RTH"}},"owner":{"identifier":\
      {"system":"https://fhir.nhs.uk/Id/ods-organization-code","value":"RXQ"}}}
      """
  }

  static let patient =
    #"{"identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"\#(Conversation.person)"}}"#

  static func request(_ id: String, _ status: String, identifier: String) -> String {
    """
    {"resourceType":"ServiceRequest","id":"\(id)","status":"\(status)","intent":"order",\
    "identifier":[{"system":"https://fhir.nhs.uk/Id/UBRN","value":"\(identifier)"}],"subject":\
    \(patient),"authoredOn":"2023-11-14T22:00:00Z","meta":{"lastUpdated":"2023-11-14T22:05:00Z"},\
    "requester":{"identifier":{"system":"https://fhir.nhs.uk/Id/ods-organization-code","value":\
    "RTH"}}}
    """
  }

  static func collection(_ resources: String...) -> String {
    let entries = resources.map { #"{"resource":\#($0)}"# }.joined(separator: ",")
    return #"{"resourceType":"Bundle","type":"collection","entry":[\#(entries)]}"#
  }
}
