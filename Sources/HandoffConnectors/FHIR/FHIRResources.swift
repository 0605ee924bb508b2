import HandoffCodecs
import HandoffCore

/// The few FHIR resources that a listener writes itself.
enum FHIRResources {
  /// The system of the codes by which BaRS tells its errors apart.
  static let errorCodes = "https://fhir.nhs.uk/Codesystem/http-error-codes"

  static func outcome(of refusal: FHIRRefusal) -> FHIRElement {
    var diagnostics = refusal.explanation
    if let reason = refusal.reason { diagnostics += " (\(reason))" }
    let coding = FHIRElement.group([.init("system", errorCodes), .init("code", refusal.barsCode)])
    return .resource(
      "OperationOutcome",
      [
        issue(
          severity: "error", code: refusal.issue, details: .init("coding", .list([coding])),
          diagnostics: diagnostics, field: refusal.field)
      ])
  }

  /// What a good answer says in words, and what it does not say.
  static let acknowledgement = FHIRElement.resource(
    "OperationOutcome",
    [
      .init("id", "transport"),
      issue(
        severity: "information", code: "informational",
        details: .init("text", "transport acknowledgement"),
        diagnostics: "The message is stored and will be published. This is no receipt by the "
          + "service that it is for, and no acceptance of the work.", field: nil),
    ])

  private static func issue(
    severity: String, code: String, details: FHIRElement.Member, diagnostics: String, field: String?
  ) -> FHIRElement.Member {
    let issue = FHIRElement.group([
      .init("severity", severity), .init("code", code), .init("details", .group([details])),
      .init("diagnostics", diagnostics),
      .init("expression", field.map { .list([.text($0)]) }),
    ])
    return .init("issue", .list([issue]))
  }

  /// A message of transport alone: its header answers the request, and its outcome says how little
  /// that means.
  static func response(to glance: FHIRGlance, id: String, at time: Timestamp) -> FHIRElement {
    let details = "urn:uuid:" + detailsID(of: id)
    // The event of what is answered, as FHIR messaging asks; never a business answer's.
    let event: FHIRElement.Member =
      if let eventCode = glance.eventCode {
        .init(
          "eventCoding",
          .group([.init("system", glance.eventSystem), .init("code", eventCode)]))
      } else {
        .init("eventUri", glance.eventURI ?? "urn:baton:transport-acknowledgement")
      }
    // `ok` says in FHIR that the message was processed; what that is worth is in the details.
    let response = FHIRElement.group([
      .init("identifier", glance.id ?? ""), .init("code", "ok"),
      .init("details", .group([.init("reference", details)])),
    ])
    let header = FHIRElement.resource(
      "MessageHeader",
      [
        .init("id", id), event,
        .init("source", .group([.init("name", "Baton"), .init("endpoint", "urn:baton:fhir")])),
        .init("response", response),
      ])
    return .resource(
      "Bundle",
      [
        .init("id", id), .init("type", "message"), .init("timestamp", RFC3339.text(time)),
        .init(
          "entry",
          .list([
            .group([.init("fullUrl", "urn:uuid:" + id), .init("resource", header)]),
            .group([.init("fullUrl", details), .init("resource", acknowledgement)]),
          ])),
      ])
  }

  /// Another UUID of the same answer: the last digit is turned.
  private static func detailsID(of id: String) -> String {
    String(id.dropLast()) + (id.last == "0" ? "1" : "0")
  }
}
