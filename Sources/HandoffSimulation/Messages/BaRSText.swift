internal import HandoffCodecs
internal import HandoffCore

/// An event as a BaRS message: a Bundle on one line.
struct BaRSText {
  let event: HandoffEvent
  let person: String

  /// The Bundle; `nil` where no message says this.
  var text: String? {
    switch event.type {
    case .handoffRequested: request("new", "active")
    case .handoffAmended: request("update", "active")
    case .cancelled: request("update", "revoked")
    case .voided: request("delete", "entered-in-error")
    case .received: answer("planned")
    case .accepted: answer("in-progress")
    case .started: answer("arrived")
    case .completed: answer("finished")
    case .rejected: answer("cancelled")
    case .notAttended: answer(nil)
    default: nil
    }
  }

  private func request(_ reason: String, _ status: String) -> String {
    bundle(
      "servicerequest-request", reason,
      [serviceRequest(status, authoredAt: RFC3339.text(event.occurredAt))], focus: "sr")
  }

  /// The receiver's Encounter says what it does; without one the request came back revoked.
  private func answer(_ status: String?) -> String {
    let request = serviceRequest(status == nil ? "revoked" : "active", authoredAt: nil)
    guard let status else {
      return bundle("servicerequest-response", "update", [request], focus: "sr")
    }
    let reason = event.type == .rejected ? event.reason?.description ?? "bars:OTH" : nil
    let coded =
      reason.map {
        """
        ,"reasonCode":[{"coding":[{"system":"https://fhir.nhs.uk/CodeSystem/rejected-reasons-bars",\
        "code":"\($0.split(separator: ":").last.map(String.init) ?? "OTH")"}]}]
        """
      } ?? ""
    let encounter = """
      {"fullUrl":"urn:uuid:encounter","resource":{"resourceType":"Encounter","id":"encounter",\
      "status":"\(status)","class":{"code":"AMB"},"subject":{"reference":"urn:uuid:patient"}\(coded)}}
      """
    return bundle("servicerequest-response", "update", [request, encounter], focus: "encounter")
  }

  private func serviceRequest(_ status: String, authoredAt: String?) -> String {
    let id = event.handoffID?.description ?? ""
    let authored = authoredAt.map { ",\"authoredOn\":\"\($0)\"" } ?? ""
    return """
      {"fullUrl":"urn:uuid:sr","resource":{"resourceType":"ServiceRequest","id":"sr",\
      "identifier":[{"system":"https://baton.example/handoffs","value":"\(id)"}],\
      "status":"\(status)","intent":"order","subject":{"reference":"urn:uuid:patient"}\(authored)}}
      """
  }

  private func bundle(
    _ name: String, _ reason: String, _ entries: [String], focus: String
  ) -> String {
    let (from, to) = event.ends
    let test = """
      "meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0103","code":"T"}]}
      """
    let header = """
      {"fullUrl":"urn:uuid:header","resource":{"resourceType":"MessageHeader","id":"header",\(test),\
      "eventCoding":{"system":"https://fhir.nhs.uk/CodeSystem/message-events-bars","code":"\(name)"},\
      "destination":[{"endpoint":"urn:nhs-uk:addressing:ods:\(to)"}],\
      "source":{"endpoint":"urn:nhs-uk:addressing:ods:\(from)"},\
      "reason":{"coding":[{"system":"https://fhir.nhs.uk/CodeSystem/message-reason-bars",\
      "code":"\(reason)"}]},"focus":[{"reference":"urn:uuid:\(focus)"}]}}
      """
    let patient = """
      {"fullUrl":"urn:uuid:patient","resource":{"resourceType":"Patient","id":"patient",\
      "identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"\(person)"}]}}
      """
    let recorded = RFC3339.text(event.recordedAt ?? event.occurredAt)
    return """
      {"resourceType":"Bundle","id":"\(event.messageName)",\(test),"type":"message",\
      "timestamp":"\(recorded)","entry":[\(([header] + entries + [patient]).joined(separator: ","))]}
      """
  }
}
