import HandoffCore

/// Maps one FHIR resource or Bundle: R4, and STU3 where the NHS still speaks it.
struct FHIRMapper: Sendable {
  let context: MappingContext

  /// What the document says; `answered` is the message that it is the HTTP answer to.
  ///
  /// Only the connector may know that: an OperationOutcome names neither patient nor message.
  func map(_ json: JSONValue, answering answered: RawReference? = nil) -> MappingOutcome {
    let resourceType = json["resourceType"]?.text
    do throws(MappingError) {
      guard let resourceType else {
        throw MappingError(
          code("fhir.field-missing"), field: "resourceType",
          explanation: "a resource says what type it is", acknowledgement: .reject)
      }
      let scope = FHIRScope(document: FHIRDocument(json), context: context)
      try checkProcessing(scope.document)
      switch resourceType {
      case "Bundle": return try mapBundle(scope, answering: answered)
      case "OperationOutcome":
        return try FHIROutcomeMapper(context: context).map(
          scope.document.root, answering: answered)
      case "Parameters" where !ERSMapper.isAnswer(scope.document.root):
        return .noHandoffFact(
          MappedMessage(messageType: resourceType), reason: ERSMapper.reason(scope.document.root))
      default: return try FHIRResourceMapper(scope).map()
      }
    } catch {
      // A type of the standard may be named; anything else in that place is the sender's text.
      let known = resourceType.flatMap { FHIRTypes.all.contains($0) ? $0 : nil }
      return .refused(error.about(messageID: json["id"]?.text, messageType: known))
    }
  }

  /// The label of the document, or of the message's header.
  private func checkProcessing(_ document: FHIRDocument) throws(MappingError) {
    let header = document.first("MessageHeader")
    let mark = document.root.testMark ?? header?.node.testMark
    let field = mark?.path ?? "\(header?.path ?? document.root.path).meta.tag"
    try context.processing.check(isTest: mark != nil, field: field, code("fhir.test-data"))
  }

  private func mapBundle(
    _ scope: FHIRScope, answering answered: RawReference?
  ) throws(MappingError) -> MappingOutcome {
    let type = scope.document.root["type"]?.text
    switch type {
    case "message"?: return try mapMessage(scope, answering: answered)
    case "transaction"?, "batch"?, "collection"?, "searchset"?, "history"?,
      "subscription-notification"?:
      if let message = try? FHIRMessage(scope), V2BundleMapper.isV2(message) {
        return try V2BundleMapper(message).map()
      }
      return try FHIRResourceMapper(scope).map()
    case "transaction-response"?, "batch-response"?, "document"?:
      return .noHandoffFact(
        MappedMessage(messageType: "Bundle"), reason: code("fhir.no-handoff-meaning"))
    default:
      throw MappingError(
        code("fhir.unsupported-bundle"), field: "Bundle.type",
        explanation: "the Bundle has none of the types of FHIR", acknowledgement: .reject)
    }
  }

  private func mapMessage(
    _ scope: FHIRScope, answering answered: RawReference?
  ) throws(MappingError) -> MappingOutcome {
    let message = try FHIRMessage(scope)
    do {
      if V2BundleMapper.isV2(message) { return try V2BundleMapper(message).map() }
      if ITK3Mapper.isITK3(message) { return try ITK3Mapper(message).map() }
      if message.event == Report111Mapper.event { return try Report111Mapper(message).map() }
      if let answered, message.answers == nil {
        return Self.echo(message, answering: answered)
      }
      return try BaRSMapper(message).map()
    } catch {
      throw error.about(messageID: message.base.messageID, messageType: message.event)
    }
  }

  /// A server that gives a message back as the answer to it has taken it.
  private static func echo(
    _ message: FHIRMessage, answering answered: RawReference
  ) -> MappingOutcome {
    var result = message.base
    result.reference = nil
    result.provenance["reference"] = nil
    var fact = MappedFact(type: .transportAccepted, speaker: .platform)
    fact.provenance["type"] = "connector"
    fact.take(\.answers, "answers", Found(answered, "connector"))
    fact.take(\.conversation, "conversation", Found(answered, "connector"))
    result.facts = [fact]
    return .mapped(result)
  }
}

/// Types of FHIR resources, R4 and STU3, that may arrive.
enum FHIRTypes {
  /// Those whose status says something of a handoff.
  static let withHandoffs: Set = [
    "Appointment", "List", "Parameters", "ReferralRequest", "ServiceRequest", "Task",
  ]

  /// Registers, documents and records: a handoff may refer to them, and they are none.
  static let withoutHandoffs: Set = [
    "Account", "ActivityDefinition", "AllergyIntolerance", "AppointmentResponse", "AuditEvent",
    "Basic", "Binary", "CapabilityStatement", "CarePlan", "CareTeam", "ChargeItem", "Claim",
    "ClinicalImpression", "CodeSystem", "Communication", "CommunicationRequest", "Composition",
    "ConceptMap", "Condition", "Consent", "Contract", "Coverage", "DetectedIssue", "Device",
    "DeviceRequest", "DiagnosticReport", "DocumentManifest", "DocumentReference", "Encounter",
    "Endpoint", "EpisodeOfCare", "FamilyMemberHistory", "Flag", "Goal", "Group",
    "HealthcareService", "ImagingStudy", "Immunization", "Library", "Location", "Media",
    "Medication", "MedicationAdministration", "MedicationDispense", "MedicationRequest",
    "MedicationStatement", "MessageDefinition", "MessageHeader", "NamingSystem",
    "NutritionOrder", "Observation", "OperationDefinition", "Organization",
    "OrganizationAffiliation", "Patient", "Person", "PlanDefinition", "Practitioner",
    "PractitionerRole", "Procedure", "ProcedureRequest", "Provenance", "Questionnaire",
    "QuestionnaireResponse", "RelatedPerson", "RequestGroup", "RiskAssessment", "Schedule",
    "SearchParameter", "Slot", "Specimen", "StructureDefinition", "Subscription", "Substance",
    "ValueSet",
  ]

  static let all = withHandoffs.union(withoutHandoffs).union(["Bundle", "OperationOutcome"])
}
