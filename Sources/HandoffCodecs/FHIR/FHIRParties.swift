import HandoffCore

/// Reads people, organisations and times out of FHIR resources.
struct FHIRReader: Sendable {
  let document: FHIRDocument
  let context: MappingContext

  // MARK: People

  /// Who a reference names, by a resource of the document or by an identifier alone; `owner` is
  /// whose local ids they are where no system says it.
  func person(
    _ subject: FHIRNode?, from source: FHIRDocument.Resource, owner: String?
  ) throws(MappingError) -> Found<ClearPerson>? {
    guard let subject else { return nil }
    if let patient = document.resource(subject, from: source) {
      return patient.type == "Patient" ? try person(patient, owner: owner) : nil
    }
    if let identifier = subject["identifier"] {
      var person = ClearPerson()
      var fields: [String] = []
      try read(identifier, into: &person, fields: &fields, owner: owner)
      return person.isIdentified ? Found(person, fields.joined(separator: ", ")) : nil
    }
    guard let reference = subject["reference"], let text = reference.text, !text.hasPrefix("#"),
      (FHIRDocument.type(of: subject) ?? "Patient") == "Patient",
      !text.lowercased().hasPrefix("urn:")
    else { return nil }
    return try person(named: text, at: reference.path, owner: owner)
  }

  /// A patient who is elsewhere: on the national register by NHS number, on any other server by
  /// an id that is that server's own.
  private func person(
    named text: String, at path: String, owner: String?
  ) throws(MappingError) -> Found<ClearPerson>? {
    var person = ClearPerson()
    let id = FHIRDocument.bareID(text)
    guard id.utf8.count <= context.limits.identifierMax else { throw tooLong(path) }
    if text.lowercased().contains("/personal-demographics/") {
      try NHSNumberReader(context: context, field: path, assigner: owner).read(id, into: &person)
    } else {
      person.localIDs.append(.init(value: id, assigner: owner, type: "Patient.id"))
    }
    return Found(person, path)
  }

  func person(
    _ resource: FHIRDocument.Resource, owner: String?
  ) throws(MappingError) -> Found<ClearPerson> {
    var person = ClearPerson()
    var fields: [String] = []
    for identifier in resource.node.all("identifier") {
      try read(identifier, into: &person, fields: &fields, owner: owner)
    }
    if !person.isIdentified, let id = resource.id,
      id.value.utf8.count <= context.limits.identifierMax
    {
      // Someone found unconscious has no number yet; the sender's own record tells them apart.
      person.localIDs.append(.init(value: id.value, assigner: owner, type: "Patient.id"))
      fields.append(id.path)
    }
    let names = resource.node.all("name")
    let name = names.first { $0["use"]?.text == "official" } ?? names.first
    let address = resource.node.all("address").first { $0["postalCode"]?.text != nil }
    let values = [
      name?["family"], name?["given"], resource.node["birthDate"], address?["postalCode"],
    ]
    person.familyName = values[0]?.text
    person.givenName = values[1]?.text
    person.birthDate = values[2]?.text
    person.postcode = values[3]?.text
    fields += values.compactMap { $0?.found?.path }
    return Found(person, fields.joined(separator: ", "))
  }

  private func read(
    _ identifier: FHIRNode, into person: inout ClearPerson, fields: inout [String], owner: String?
  ) throws(MappingError) {
    guard let value = identifier["value"]?.found else { return }
    guard value.value.utf8.count <= context.limits.identifierMax else {
      throw tooLong(value.path)
    }
    let system = identifier["system"]?.text
    if Self.isNHSNumber(system) {
      // A number that was superseded is not this person's any more.
      guard identifier["use"]?.text != "old" else { return }
      try NHSNumberReader(context: context, field: value.path, assigner: owner)
        .read(value.value, into: &person)
      setStatus(of: identifier, on: &person)
    } else {
      let type = identifier.code("type")?.value
      let assigner = system ?? identifier["assigner"]?["display"]?.text ?? owner
      person.localIDs.append(.init(value: value.value, assigner: assigner, type: type))
    }
    fields.append(value.path)
  }

  private func tooLong(_ field: String) -> MappingError {
    MappingError(
      code("fhir.value-too-long"), field: field,
      explanation: "the identifier is longer than identifierMax"
        + " (\(context.limits.identifierMax)) bytes")
  }

  /// R4, STU3 and DSTU2 as the NHS publishes them, and the OID of HL7 v2 and v3.
  static func isNHSNumber(_ system: String?) -> Bool {
    [
      "https://fhir.nhs.uk/id/nhs-number", "http://fhir.nhs.uk/id/nhs-number",
      "http://fhir.nhs.net/id/nhs-number", "https://fhir.nhs.net/id/nhs-number",
      "urn:oid:2.16.840.1.113883.2.1.4.1", "2.16.840.1.113883.2.1.4.1",
    ].contains(system?.lowercased())
  }

  private func setStatus(of identifier: FHIRNode, on person: inout ClearPerson) {
    guard person.nhsNumberStatus == .present else { return }
    let status = identifier.all("extension").first {
      $0["url"]?.text?.contains("NHSNumberVerificationStatus") ?? false
    }
    person.nhsNumberStatus = NHSNumberStatusCode.status(
      status?.code("valueCodeableConcept")?.value)
  }

  // MARK: Organisations

  /// Types of resource that stand for a person: their names are no organisation's.
  private static let people: Set = [
    "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person",
  ]

  /// The organisation behind a reference, through roles and services where it names one of those.
  func party(
    _ reference: FHIRNode?, from source: FHIRDocument.Resource, system: String? = nil
  ) -> Found<RawParty>? {
    guard let reference else { return nil }
    var from = source
    var next = document.resource(reference, from: source)
    // Role to service to organisation is the longest way there is.
    for _ in 0..<4 {
      guard let resource = next else { break }
      switch resource.type {
      case "Organization": return organisation(resource, system: system)
      case "HealthcareService":
        guard let provider = document.resource(resource["providedBy"], from: resource) else {
          return resource["providedBy"].flatMap { named($0, system: system) }
            ?? service(resource, system: system)
        }
        next = provider
      case "PractitionerRole": next = document.resource(resource["organization"], from: resource)
      case "CareTeam", "Location", "Endpoint":
        next = document.resource(resource["managingOrganization"], from: resource)
      case "Device": next = document.resource(resource["owner"], from: resource)
      default: return nil
      }
      from = resource
      if next == nil {
        let onward = from["organization"] ?? from["managingOrganization"] ?? from["owner"]
        return onward.flatMap { named($0, system: system) }
      }
    }
    return named(reference, system: system)
  }

  /// What a reference says by itself, of a resource that is elsewhere.
  private func named(_ reference: FHIRNode, system: String?) -> Found<RawParty>? {
    let type = FHIRDocument.type(of: reference)
    if let identifier = reference["identifier"], let value = identifier["value"]?.found,
      value.value.utf8.count <= context.limits.identifierMax
    {
      let namespace = identifier["system"]?.text
      if Self.isODSSystem(namespace) {
        return Found(
          RawParty(organisation: value.value, odsCode: ODSCode(value.value), system: system),
          value.path)
      }
      guard !Self.people.contains(type ?? ""), !(namespace?.contains("/sds-") ?? false) else {
        return nil
      }
      let name = namespace.map { "\($0)|\(value.value)" } ?? value.value
      return Found(
        RawParty(organisation: name, odsCode: context.odsCode(name), system: system), value.path)
    }
    guard !Self.people.contains(type ?? "") else { return nil }
    if type != nil, let text = reference["reference"]?.found {
      let id = FHIRDocument.bareID(text.value)
      let isDirectory = text.value.lowercased().contains("directory.spineservices.nhs.uk")
      return Found(
        RawParty(
          organisation: id, odsCode: isDirectory ? ODSCode(id) : context.odsCode(id),
          system: system), text.path)
    }
    guard reference["reference"] == nil, let name = reference["display"]?.found else { return nil }
    return Found(
      RawParty(organisation: name.value, odsCode: context.odsCode(name.value), system: system),
      name.path)
  }

  private func organisation(
    _ resource: FHIRDocument.Resource, system: String?
  ) -> Found<RawParty>? {
    let identifiers = resource.node.all("identifier")
    if let code = identifiers.first(where: { Self.isODSSystem($0["system"]?.text) })?["value"]?
      .found
    {
      return Found(
        RawParty(organisation: code.value, odsCode: ODSCode(code.value), system: system),
        code.path)
    }
    // Adaptors write the ODS code without the system that says so.
    let bare = identifiers.first { $0["system"] == nil }?["value"]?.found
    if let bare, let code = context.odsCode(bare.value) {
      return Found(
        RawParty(organisation: bare.value, odsCode: code, system: system), bare.path)
    }
    guard let name = resource["name"]?.found ?? bare ?? identifiers.first?["value"]?.found else {
      return nil
    }
    return Found(
      RawParty(organisation: name.value, odsCode: context.odsCode(name.value), system: system),
      name.path)
  }

  /// A service whose organisation is not named.
  private func service(_ resource: FHIRDocument.Resource, system: String?) -> Found<RawParty>? {
    guard let identifier = resource.node.all("identifier").first,
      let value = identifier["value"]?.found
    else { return nil }
    let name = identifier["system"]?.text.map { "\($0)|\(value.value)" } ?? value.value
    return Found(
      RawParty(organisation: name, odsCode: context.odsCode(name), system: system), value.path)
  }

  /// Written with `Id` and with `id` in the field.
  static func isODSSystem(_ system: String?) -> Bool {
    [
      "https://fhir.nhs.uk/id/ods-organization-code", "http://fhir.nhs.uk/id/ods-organization-code",
      "http://fhir.nhs.net/id/ods-organization-code", "https://fhir.nhs.uk/id/ods-site-code",
    ].contains(system?.lowercased())
  }

  // MARK: Times

  /// The first of several times that is stated.
  func firstTime(_ nodes: [FHIRNode?]) throws(MappingError) -> Found<ISOTime>? {
    for node in nodes {
      if let time = try time(node) { return time }
    }
    return nil
  }

  /// A time; refused where it is none.
  func time(_ node: FHIRNode?) throws(MappingError) -> Found<ISOTime>? {
    guard let node else { return nil }
    guard let text = node.text, let time = ISOTime(text, localTime: context.localTime) else {
      throw MappingError(
        code("fhir.timestamp"), field: node.path,
        explanation: "a time is YYYY-MM-DDThh:mm:ss with a zone, or a date")
    }
    return Found(time, node.path)
  }
}

/// UKCore-NHSNumberVerificationStatus, and the codes of its CareConnect forerunner.
enum NHSNumberStatusCode {
  static func status(_ code: String?) -> ClearPerson.NHSNumberStatus {
    switch code {
    case "number-present-and-verified"?, "01"?: .verified
    case nil: .present
    default: .untraced
    }
  }
}
