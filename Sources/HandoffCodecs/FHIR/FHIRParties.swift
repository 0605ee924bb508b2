import HandoffCore

/// Reads people and organisations out of FHIR resources.
struct FHIRReader: Sendable {
  let context: MappingContext

  static let nhsNumberSystem = "https://fhir.nhs.uk/id/nhs-number"

  /// The patient of a resource; `owner` is whose local ids they are where no system says it.
  func person(_ entry: FHIRBundle.Entry, owner: String?) throws(MappingError) -> ClearPerson {
    let patient = entry.resource
    var person = ClearPerson()
    for (index, identifier) in (patient["identifier"]?.elements ?? []).enumerated() {
      guard let value = identifier["value"]?.text else { continue }
      let field = "\(entry.path).identifier[\(index)].value"
      guard value.utf8.count <= context.limits.identifierMax else {
        throw MappingError(
          code("fhir.value-too-long"), field: field,
          explanation: "the identifier is longer than identifierMax"
            + " (\(context.limits.identifierMax)) bytes")
      }
      let system = identifier["system"]?.text
      if system?.lowercased() == Self.nhsNumberSystem {
        try NHSNumberReader(context: context, field: field, assigner: owner)
          .read(value, into: &person)
        setStatus(of: identifier, on: &person)
      } else {
        let type = FHIRCoding.codings(identifier["type"]).first?["code"]?.text
        person.localIDs.append(.init(value: value, assigner: system ?? owner, type: type))
      }
    }
    if !person.isIdentified, let id = entry.id, id.utf8.count <= context.limits.identifierMax {
      // Someone found unconscious has no number yet; the sender's own record still tells them apart.
      person.localIDs.append(.init(value: id, assigner: owner, type: "Patient.id"))
    }
    let names = patient["name"]?.elements ?? []
    let name = names.first { $0["use"]?.text == "official" } ?? names.first
    person.familyName = name?["family"]?.text
    person.givenName = name?["given"]?[0]?.text
    person.birthDate = patient["birthDate"]?.text
    person.postcode = patient["address"]?[0]?["postalCode"]?.text
    return person
  }

  /// UKCore-NHSNumberVerificationStatus.
  private func setStatus(of identifier: JSONValue, on person: inout ClearPerson) {
    guard person.nhsNumberStatus == .present else { return }
    let status = (identifier["extension"]?.elements ?? []).first {
      $0["url"]?.text?.contains("NHSNumberVerificationStatus") ?? false
    }
    let word = FHIRCoding.codings(status?["valueCodeableConcept"]).first?["code"]?.text
    person.nhsNumberStatus = NHSNumberStatusCode.status(word)
  }

  /// The organisation behind a reference, through roles and services where it names one of those.
  func party(_ reference: JSONValue?, in bundle: FHIRBundle, system: String? = nil) -> RawParty? {
    var next = bundle.entry(reference)
    // Role to service to organisation is the longest way there is.
    for _ in 0..<3 {
      guard let entry = next else { break }
      switch entry.resourceType {
      case "Organization": return organisation(entry.resource, system: system)
      case "HealthcareService": next = bundle.entry(entry.resource["providedBy"])
      case "PractitionerRole": next = bundle.entry(entry.resource["organization"])
      default: return nil
      }
    }
    if let identifier = reference?["identifier"], let value = identifier["value"]?.text,
      Self.isODSSystem(identifier["system"]?.text)
    {
      return RawParty(organisation: value, odsCode: ODSCode(value), system: system)
    }
    return nil
  }

  private func organisation(_ resource: JSONValue, system: String?) -> RawParty {
    let identifiers = resource["identifier"]?.elements ?? []
    let code = identifiers.first { Self.isODSSystem($0["system"]?.text) }?["value"]?.text
    let name = resource["name"]?.text
    return RawParty(
      organisation: code ?? name, odsCode: code.flatMap { ODSCode($0) } ?? context.odsCode(name),
      system: system)
  }

  /// Written with `Id` and with `id` in the field.
  private static func isODSSystem(_ system: String?) -> Bool {
    system?.lowercased() == "https://fhir.nhs.uk/id/ods-organization-code"
  }

  /// A time; refused where it is none.
  func time(_ value: JSONValue?, field: String) throws(MappingError) -> ISOTime? {
    guard let value else { return nil }
    guard let text = value.text, let time = ISOTime(text, localTime: context.localTime) else {
      throw MappingError(
        code("fhir.timestamp"), field: field,
        explanation: "a time is YYYY-MM-DDThh:mm:ss with a zone, or a date")
    }
    return time
  }
}

/// UKCore-NHSNumberVerificationStatus.
enum NHSNumberStatusCode {
  static func status(_ code: String?) -> ClearPerson.NHSNumberStatus {
    switch code {
    case "number-present-and-verified"?: .verified
    case nil: .present
    default: .untraced
    }
  }
}
