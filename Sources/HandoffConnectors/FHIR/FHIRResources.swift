import HandoffCodecs
import HandoffCore

/// The few FHIR resources that a listener writes itself.
enum FHIRResources {
  struct Coding: Encodable {
    var system: String?
    var code: String
  }

  struct Concept: Encodable {
    var coding: [Coding]?
    var text: String?
  }

  struct Issue: Encodable {
    var severity: String
    var code: String
    var details: Concept?
    var diagnostics: String
    var expression: [String]?
  }

  struct Outcome: Encodable {
    let resourceType = "OperationOutcome"
    var id: String?
    var issue: [Issue]
  }

  /// The system of the codes by which BaRS tells its errors apart.
  static let errorCodes = "https://fhir.nhs.uk/Codesystem/http-error-codes"

  static func outcome(of refusal: FHIRRefusal) -> Outcome {
    var diagnostics = refusal.explanation
    if let reason = refusal.reason { diagnostics += " (\(reason))" }
    let concept = Concept(coding: [Coding(system: errorCodes, code: refusal.barsCode)])
    return Outcome(
      issue: [
        Issue(
          severity: "error", code: refusal.issue, details: concept, diagnostics: diagnostics,
          expression: refusal.field.map { [$0] })
      ])
  }

  /// What a good answer says in words, and what it does not say.
  static let acknowledgement = Outcome(
    id: "transport",
    issue: [
      Issue(
        severity: "information", code: "informational",
        details: Concept(text: "transport acknowledgement"),
        diagnostics: "The message is stored and will be published. This is no receipt by the "
          + "service that it is for, and no acceptance of the work.")
    ])

  // MARK: The answer to a message

  struct Bundle: Encodable {
    let resourceType = "Bundle"
    let type = "message"
    var id: String
    var timestamp: String
    var entry: [Entry]
  }

  struct Entry: Encodable {
    var fullUrl: String
    var resource: Resource
  }

  enum Resource: Encodable {
    case header(Header)
    case outcome(Outcome)

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .header(let header): try header.encode(to: encoder)
      case .outcome(let outcome): try outcome.encode(to: encoder)
      }
    }
  }

  struct Header: Encodable {
    struct Source: Encodable {
      let name = "Baton"
      let endpoint = "urn:baton:fhir"
    }

    struct Response: Encodable {
      var identifier: String
      /// `ok` says in FHIR that the message was processed; what that is worth is in the details.
      let code = "ok"
      var details: Reference
    }

    struct Reference: Encodable {
      var reference: String
    }

    let resourceType = "MessageHeader"
    var id: String
    /// The event of what is answered, as FHIR messaging asks; never a business answer's.
    var eventCoding: Coding?
    var eventUri: String?
    let source = Source()
    var response: Response
  }

  /// A message of transport alone: its header answers the request, and its outcome says how little
  /// that means.
  static func response(
    to glance: FHIRGlance, id: String, at time: Timestamp, outcome: Outcome
  ) -> Bundle {
    let details = "urn:uuid:" + detailsID(of: id)
    let hasCoding = glance.eventCode != nil
    let header = Header(
      id: id,
      eventCoding: glance.eventCode.map { Coding(system: glance.eventSystem, code: $0) },
      eventUri: hasCoding ? nil : glance.eventURI ?? "urn:baton:transport-acknowledgement",
      response: .init(identifier: glance.id ?? "", details: .init(reference: details)))
    return Bundle(
      id: id, timestamp: RFC3339.text(time),
      entry: [
        Entry(fullUrl: "urn:uuid:" + id, resource: .header(header)),
        Entry(fullUrl: details, resource: .outcome(outcome)),
      ])
  }

  /// Another UUID of the same answer: the last digit is turned.
  private static func detailsID(of id: String) -> String {
    String(id.dropLast()) + (id.last == "0" ? "1" : "0")
  }
}
