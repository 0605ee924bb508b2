import HandoffCore

/// Maps one FHIR resource or Bundle (R4, in the shape of NHS BaRS).
struct FHIRMapper: Sendable {
  let context: MappingContext

  /// What the document says; `answered` is the message that it is the HTTP answer to.
  ///
  /// Only the connector may know that: an OperationOutcome names neither patient nor message.
  func map(_ json: JSONValue, answering answered: RawReference? = nil) -> MappingOutcome {
    let resourceType = json["resourceType"]?.text
    do throws(MappingError) {
      switch resourceType {
      case "Bundle"?: return try mapBundle(json)
      case "OperationOutcome"?:
        return try FHIROutcomeMapper(context: context).map(json, answering: answered)
      case let type? where Self.typesWithoutHandoffs.contains(type):
        return .noHandoffFact(
          MappedMessage(messageType: type), reason: code("fhir.no-handoff-meaning"))
      default: throw Self.unsupportedResource(resourceType)
      }
    } catch {
      return .refused(error.about(messageID: json["id"]?.text, messageType: resourceType))
    }
  }

  private func mapBundle(_ json: JSONValue) throws(MappingError) -> MappingOutcome {
    guard json["type"]?.text == "message" else {
      throw MappingError(
        code("fhir.unsupported-bundle"), field: "Bundle.type",
        explanation: "taken here are Bundles of type message", acknowledgement: .reject)
    }
    let bundle = FHIRBundle(json)
    let event = FHIRMessage.event(of: bundle)
    do {
      return try BaRSMapper(FHIRMessage(bundle, context: context)).map()
    } catch {
      throw error.about(messageID: bundle.id, messageType: event)
    }
  }

  private static func unsupportedResource(_ resourceType: String?) -> MappingError {
    // A type of the standard may be named; anything else in that place is the sender's text.
    let named = resourceType.flatMap { knownTypes.contains($0) ? " \($0)" : nil } ?? ""
    return MappingError(
      code("fhir.unsupported-resource"), field: "resourceType",
      explanation: "a resource\(named) alone is not taken here; send a message Bundle",
      acknowledgement: .reject)
  }

  /// Registers and documents: a handoff may refer to them, and they are none.
  private static let typesWithoutHandoffs: Set = [
    "CapabilityStatement", "CodeSystem", "Consent", "Endpoint", "HealthcareService", "Location",
    "MessageDefinition", "Organization", "Patient", "Practitioner", "PractitionerRole",
    "Procedure", "RelatedPerson", "ValueSet",
  ]

  private static let knownTypes: Set = [
    "Appointment", "AuditEvent", "CarePlan", "CareTeam", "Communication", "CommunicationRequest",
    "Composition", "Condition", "DocumentReference", "Encounter", "EpisodeOfCare", "Flag", "Group",
    "List", "MessageHeader", "Observation", "Parameters", "Provenance", "Questionnaire",
    "QuestionnaireResponse", "ReferralRequest", "RequestGroup", "Schedule", "ServiceRequest",
    "Slot", "Subscription", "Task",
  ]
}

/// A message Bundle with its MessageHeader.
struct FHIRMessage: Sendable {
  let bundle: FHIRBundle
  let header: FHIRBundle.Entry
  let context: MappingContext
  /// Such as `servicerequest-request`.
  let event: String
  /// `new`, `update` or `delete`.
  let reason: String?
  /// The message without facts.
  let base: MappedMessage

  init(_ bundle: FHIRBundle, context: MappingContext) throws(MappingError) {
    self.bundle = bundle
    self.context = context
    guard let header = bundle.all("MessageHeader").first else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a message Bundle begins with its MessageHeader", acknowledgement: .reject)
    }
    self.header = header
    guard let event = Self.event(of: bundle) else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(header.path).eventCoding",
        explanation: "the message names no event", acknowledgement: .reject)
    }
    guard let id = bundle.id, id.utf8.count <= context.limits.identifierMax else {
      throw MappingError(
        code("fhir.field-missing"), field: "Bundle.id",
        explanation: "an answer names a message by its Bundle.id; it is missing or too long")
    }
    self.event = event
    reason = FHIRCoding.codings(header.resource["reason"]).first?["code"]?.text
    let reader = FHIRReader(context: context)
    var base = MappedMessage(messageType: event)
    base.messageID = id
    base.reference = RawReference(system: code("Bundle.id"), value: id)
    let sender = reader.party(header.resource["sender"], in: bundle)
    base.sendingOrganisation = sender?.organisation ?? header.resource["source"]?["name"]?.text
    base.sendingSystem = header.resource["source"]?["endpoint"]?.text
    let destination = header.resource["destination"]?[0]
    base.receivingSystem = destination?["endpoint"]?.text
    base.receivingOrganisation =
      reader.party(destination?["receiver"], in: bundle)?.organisation
    let made = try reader.time(bundle.timestamp.map { .string($0) }, field: "Bundle.timestamp")
    base.recordedAt = made?.timestamp
    base.isTimeDoubtful = made?.isDoubtful ?? false
    self.base = base
  }

  var reader: FHIRReader { FHIRReader(context: context) }

  /// Who sends the message.
  var sender: RawParty? {
    let system = base.sendingSystem
    if let party = reader.party(header.resource["sender"], in: bundle, system: system) {
      return party
    }
    guard let name = base.sendingOrganisation ?? system else { return nil }
    return RawParty(organisation: name, odsCode: context.odsCode(name), system: system)
  }

  /// Whom it is sent to.
  var addressee: RawParty? {
    let receiver = header.resource["destination"]?[0]?["receiver"]
    let system = base.receivingSystem
    if let party = reader.party(receiver, in: bundle, system: system) { return party }
    return system.map { RawParty(organisation: $0, odsCode: context.odsCode($0), system: $0) }
  }

  /// The patient: the one the message is about, or the only one it holds.
  func person(subject: JSONValue?) throws(MappingError) -> ClearPerson? {
    let patients = bundle.all("Patient")
    let named = bundle.entry(subject)
    let patient = named?.resourceType == "Patient" ? named : nil
    guard let patient = patient ?? (patients.count == 1 ? patients[0] : nil) else { return nil }
    return try reader.person(patient, owner: base.sendingOrganisation ?? base.sendingSystem)
  }

  static func event(of bundle: FHIRBundle) -> String? {
    let header = bundle.all("MessageHeader").first?.resource
    return header?["eventCoding"]?["code"]?.text
      ?? header?["eventUri"]?.text.map(FHIRBundle.bareID)
  }
}
