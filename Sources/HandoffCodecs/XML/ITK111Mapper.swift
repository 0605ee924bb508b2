import HandoffCore

/// NHS 111 reports: CDA documents in the ITK's distribution envelope.
///
/// The envelope says who hands over to whom; the document who it is about. A set of documents (the
/// repeat caller's) is one handoff of the newest; the earlier ones are its history.
struct ITK111Mapper: Sendable {
  let context: MappingContext

  func map(_ envelope: XMLPlace, soap: XMLPlace?) throws(MappingError) -> MappingOutcome {
    guard let header = envelope["header"] else {
      throw MappingError(
        code("itk.field-missing"), field: "DistributionEnvelope/header",
        explanation: "the envelope has no header")
    }
    var result = base(header, soap: soap)
    do {
      let payloads = envelope["payloads"]?.all("payload") ?? []
      if let response = payloads.lazy.compactMap({ $0["InfrastructureResponse"] }).first {
        return infrastructure(response, result: result)
      }
      let documents = payloads.compactMap { $0["ClinicalDocument"] }
      guard let document = try newest(of: documents) else {
        return .noHandoffFact(result, reason: code("itk.no-document"))
      }
      let person = try CDAPerson(context: context, owner: result.sendingOrganisation)
        .person(of: document)
      result.take(\.person, "person", person)
      result.facts = [try fact(document, header: header, message: result)]
      return .mapped(result)
    } catch {
      throw error.about(messageID: result.messageID, messageType: result.messageType)
    }
  }

  private func base(_ header: XMLPlace, soap: XMLPlace?) -> MappedMessage {
    var result = MappedMessage(messageType: "ITK111")
    let service = header.attribute("service")
    result.provenance["messageType"] = service?.path ?? header.path
    let id = header.attribute("trackingid") ?? soap?["MessageID"]?.found
    let bounded = id.flatMap { $0.value.utf8.count <= context.limits.identifierMax ? $0 : nil }
    result.take(\.messageID, "messageID", bounded)
    result.take(
      \.reference, "reference",
      bounded?.map { RawReference(system: code("ITK.trackingid"), value: $0) })
    let sender = header["senderAddress"]?.attribute("uri")
    result.take(\.sendingSystem, "sendingSystem", sender)
    result.take(
      \.sendingOrganisation, "sendingOrganisation", party(sender)?.map { $0.organisation })
    let addressee = header.at("addresslist", "address")?.attribute("uri")
    result.take(\.receivingSystem, "receivingSystem", addressee)
    result.take(
      \.receivingOrganisation, "receivingOrganisation", party(addressee)?.map { $0.organisation })
    return result
  }

  private func party(_ address: Found<String>?) -> Found<RawParty>? {
    address?.map { ITKAddress.party($0) }
  }

  // MARK: The document

  private func newest(of documents: [XMLPlace]) throws(MappingError) -> XMLPlace? {
    var newest: (document: XMLPlace, time: Timestamp?)?
    for document in documents {
      let time = try time(document["effectiveTime"])?.value
      if let known = newest?.time, time.map({ $0 <= known }) ?? true { continue }
      if newest == nil || time != nil { newest = (document, time) }
    }
    return newest?.document
  }

  private func fact(
    _ document: XMLPlace, header: XMLPlace, message: MappedMessage
  ) throws(MappingError) -> MappedFact {
    let replaced = document.all("relatedDocument").first {
      $0.attribute("typeCode")?.value == "RPLC"
    }
    var fact = MappedFact(
      type: replaced == nil ? .handoffRequested : .handoffAmended, speaker: .sender)
    fact.provenance["type"] = replaced?.path ?? message.provenance["messageType"]
    guard let handoff = id(document["setId"]) ?? id(document["id"]) else {
      throw MappingError(
        code("cda.field-missing"), field: "\(document.path)/setId",
        explanation: "the document has neither a set nor an id")
    }
    fact.take(\.handoff, "handoff", handoff)
    fact.take(\.supersedes, "supersedes", id(replaced?.at("parentDocument", "id")))
    let encounter = document.at("componentOf", "encompassingEncounter")
    fact.refer(
      [id(document["id"])] + (encounter?.all("id") ?? []).map { id($0) },
      limit: context.limits.identifierMax)
    fact.take(
      \.from, "from",
      party(header["senderAddress"]?.attribute("uri"))
        ?? party(header.at("auditIdentity", "id")?.attribute("uri")))
    let addresses = (header["addresslist"]?.all("address") ?? []).map { $0.attribute("uri") }
    var to = addresses.lazy.compactMap { party($0) }.first
    // The second address names the service of that organisation by its id in the DoS.
    if to?.value.system == nil {
      to?.value.system = addresses.dropFirst().compactMap { $0?.value }.first
    }
    fact.take(\.to, "to", to)
    let interaction = header.at("handlingSpecification", "spec")?.attribute("value")
    let codes = [interaction, document["code"]?.attribute("code")].compactMap(\.self)
    let known = codes.lazy.compactMap { found in found.map { context.kinds[$0] } }.first
    fact.take(\.kind, "kind", known ?? Found(context.defaultKind, "connector"))
    fact.take(\.priority, "priority", Found(context.defaultPriority, "connector"))
    fact.take(\.occurredAt, "occurredAt", try time(document["effectiveTime"]))
    return fact
  }

  /// HL7 v3's II: a root that is unique by itself, or an extension within it.
  private func id(_ place: XMLPlace?) -> Found<RawReference>? {
    guard let place, let root = place.attribute("root"),
      let system = Code(
        place.path.split(separator: "/").last.map { "CDA.\($0.prefix { $0 != "[" })" } ?? "CDA")
    else { return nil }
    guard let extended = place.attribute("extension") else {
      return root.map { RawReference(system: system, value: $0) }
    }
    guard extended.value.utf8.count <= context.limits.identifierMax else { return nil }
    return extended.map { RawReference(system: system, value: $0, assigner: root.value) }
  }

  private func time(_ place: XMLPlace?) throws(MappingError) -> Found<Timestamp>? {
    guard let value = place?.attribute("value") else { return nil }
    guard let time = CDATime.read(value.value, localTime: context.localTime) else {
      throw MappingError(
        code("cda.timestamp"), field: value.path,
        explanation: "a time is YYYYMMDDhhmmss with a zone of two or four digits")
    }
    return Found(time, value.path)
  }

  // MARK: Responses

  /// The receiver's answer at transport level: it took the message, or could not.
  private func infrastructure(_ response: XMLPlace, result: MappedMessage) -> MappingOutcome {
    guard let tracked = response.attribute("trackingIdRef") else {
      return .noHandoffFact(result, reason: code("itk.no-reference"))
    }
    let outcome = response.attribute("result")
    var fact = MappedFact(
      type: outcome?.value == "OK" ? .delivered : .transportFailed, speaker: .platform)
    fact.provenance["type"] = outcome?.path ?? response.path
    let answers = tracked.map { RawReference(system: code("ITK.trackingid"), value: $0) }
    fact.take(\.answers, "answers", answers)
    fact.take(\.conversation, "conversation", answers)
    let error = response.at("errors", "errorInfo", "ErrorCode")?.found
    fact.take(\.reason, "reason", error?.map { Code("itk:\($0)") })
    var result = result
    result.facts = [fact]
    return .mapped(result)
  }

  /// `OK:` and the tracking id.
  func simpleResponse(_ response: XMLPlace) -> MappingOutcome {
    var result = MappedMessage(messageType: "ITK111")
    result.provenance["messageType"] = response.path
    let parts = response.element.text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[0] == "OK", parts[1].utf8.count <= context.limits.identifierMax
    else { return .noHandoffFact(result, reason: code("itk.no-reference")) }
    var fact = MappedFact(type: .transportAccepted, speaker: .platform)
    fact.provenance["type"] = response.path
    let answers = Found(
      RawReference(system: code("ITK.trackingid"), value: String(parts[1])), response.path)
    fact.take(\.answers, "answers", answers)
    fact.take(\.conversation, "conversation", answers)
    result.facts = [fact]
    return .mapped(result)
  }
}

/// Times of HL7 v3, whose zone may be of two digits.
enum CDATime {
  static func read(_ text: String, localTime: MappingContext.LocalTime) -> Timestamp? {
    let zone = text.lastIndex { $0 == "+" || $0 == "-" }
    let digits = zone.map { text.distance(from: $0, to: text.endIndex) - 1 }
    let full = digits == 2 ? text + "00" : text
    return HL7Time(full, localTime: localTime)?.timestamp
  }
}

/// Who a CDA document is about.
struct CDAPerson: Sendable {
  let context: MappingContext
  /// Whose local ids they are where the document names nobody.
  let owner: String?

  /// NHS numbers, traced and not, and the local ids of `recordTarget`.
  private static let tracedRoot = "2.16.840.1.113883.2.1.4.1"
  private static let untracedRoot = "2.16.840.1.113883.2.1.3.2.4.18.23"

  func person(of document: XMLPlace) throws(MappingError) -> Found<ClearPerson> {
    guard let role = document.at("recordTarget", "patientRole") else {
      throw missing("\(document.path)/recordTarget/patientRole")
    }
    var person = ClearPerson()
    var fields: [String] = []
    for id in role.all("id") {
      guard let value = id.attribute("extension") else { continue }
      guard value.value.utf8.count <= context.limits.identifierMax else {
        throw MappingError(
          code("cda.value-too-long"), field: value.path,
          explanation: "the identifier is longer than identifierMax"
            + " (\(context.limits.identifierMax)) bytes")
      }
      fields.append(value.path)
      let root = id.attribute("root")?.value
      if root == Self.tracedRoot || root == Self.untracedRoot {
        try NHSNumberReader(context: context, field: value.path, assigner: owner)
          .read(value.value, into: &person)
        if person.nhsNumberStatus == .present {
          person.nhsNumberStatus = root == Self.tracedRoot ? .verified : .untraced
        }
      } else {
        let assigner = id.attribute("assigningAuthorityName")?.value ?? owner ?? root
        person.localIDs.append(.init(value: value.value, assigner: assigner))
      }
    }
    guard person.isIdentified else { throw missing("\(role.path)/id") }
    let patient = role["patient"]
    let values: [Found<String>?] = [
      patient?.at("name", "family")?.found, patient?.at("name", "given")?.found,
      patient?["birthTime"]?.attribute("value"), role.at("addr", "postalCode")?.found,
    ]
    person.familyName = values[0]?.value
    person.givenName = values[1]?.value
    person.birthDate = values[2].flatMap { Self.date($0.value) }
    person.postcode = values[3]?.value
    fields += values.compactMap { $0?.path }
    return Found(person, fields.joined(separator: ", "))
  }

  private static func date(_ text: String) -> String? {
    let digits = text.prefix(8)
    guard digits.utf8.count == 8, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
  }

  private func missing(_ field: String) -> MappingError {
    MappingError(
      code("identity.patient-missing"), field: field,
      explanation: "the document names no patient with an id")
  }
}
