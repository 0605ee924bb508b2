import HandoffCore

/// NHS e-Referral Service: ReferralRequests of STU3, worklists and the answers of its operations.
///
/// Nothing is sent: who wants to know polls. What is read is a state, so each fact is named by
/// UBRN, version and state.
struct ERSMapper: Sendable {
  let scope: FHIRScope
  private var context: MappingContext { scope.context }
  private var reader: FHIRReader { scope.reader }

  init(_ scope: FHIRScope) { self.scope = scope }

  static let ubrnSystem = "https://fhir.nhs.uk/Id/UBRN"

  static func ubrn(_ value: String) -> RawReference {
    RawReference(system: code("UBRN"), value: value, assigner: ubrnSystem)
  }

  /// The UBRN in `ReferralRequest/000000070000/_history/9`; an id of another server elsewhere.
  static func referral(_ reference: FHIRNode) -> Found<RawReference>? {
    guard let text = reference["reference"]?.found else { return nil }
    let (type, id) = FHIRDocument.typeAndID(text.value)
    guard type == "ReferralRequest" || type == nil, !id.isEmpty, id.utf8.count <= 256 else {
      return nil
    }
    return Found(named(id), text.path)
  }

  private static func named(_ id: String) -> RawReference {
    id.utf8.count == 12 && id.utf8.allSatisfy { (0x30...0x39).contains($0) }
      ? ubrn(id) : RawReference(system: code("ReferralRequest.id"), value: id)
  }

  // MARK: Parameters

  /// Whether Parameters carry the state of something, as the answers of the operations do.
  static func isAnswer(_ parameters: FHIRNode) -> Bool {
    parameters.all("parameter").contains {
      ["ReferralRequest", "ServiceRequest", "Appointment", "Task"]
        .contains($0["resource"]?["resourceType"]?.text)
    }
  }

  /// A request to create a referral has no number yet: the answer to it has, and is the fact.
  static func reason(_ parameters: FHIRNode) -> Code {
    let profiles = parameters["meta"]?.all("profile").compactMap(\.text) ?? []
    return profiles.contains { $0.contains("eRS-CreateReferral") }
      ? code("ers.awaiting-ubrn") : code("fhir.no-handoff-meaning")
  }

  // MARK: ReferralRequest

  func referralRequest(_ request: FHIRDocument.Resource) throws(MappingError) -> Reading {
    let extended = request.node.extending("eRS-ReferralState-1")
    let state = extended.flatMap { Self.value($0, "state", "valueCoding")?["code"] }
    let word = extended.flatMap { Self.value($0, "reason", "valueCoding")?["code"]?.found }
    let source = state ?? request["status"]
    let rows = state == nil ? ERSStates.referralRequest : nil
    guard
      let meaning = rows?.meaning(of: source?.text)
        ?? ERSStates.meaning(of: state?.text, reason: word?.value)
    else { throw FHIRResourceMapper.unknownStatus(request) }
    guard case .says(let said) = meaning else { return .nothing(of: meaning) }
    guard let id = request.id else { throw FHIRResourceMapper.missingID(request) }
    let booking = request.node.all("contained").first {
      $0["resourceType"]?.text == "Appointment"
    }
    var facts: [Told] = []
    for said in said {
      var fact = MappedFact(type: said.type, speaker: said.speaker)
      fact.provenance["type"] = source?.path
      fact.take(\.handoff, "handoff", id.map { Self.named($0) })
      fact.refer(scope.ids(of: request))
      fact.take(
        \.messageID, "messageID",
        FHIRResourceMapper.version(of: request)?.map { "\($0)#\(said.type.rawValue)" })
      addParties(of: request, booking: booking, to: &fact)
      fact.take(\.parentHandoff, "parentHandoff", related(to: request, id: fact.handoff))
      addNeed(
        of: request,
        priority: request.node.extending("eRS-ReferralPriority-1")?.code("valueCodeableConcept")
          ?? request["priority"]?.found, to: &fact)
      try setTime(of: &fact, request: request, booking: booking)
      if [.rejected, .cancelled, .voided, .infoRequested, .redirected].contains(said.type) {
        fact.take(\.reason, "reason", scope.word(word ?? state?.found))
      } else if said.type == .completed {
        fact.take(\.outcome, "outcome", scope.word(word ?? state?.found))
      }
      if said.type == .booked {
        fact.take(
          \.bookedFor, "bookedFor", try reader.time(booking?["start"])?.map { $0.timestamp })
      }
      let person = try reader.person(
        request["subject"], from: request, owner: context.ownOrganisation?.description)
      facts.append(Told(fact: fact, person: person))
    }
    return .told(facts)
  }

  private func addParties(
    of request: FHIRDocument.Resource, booking: FHIRNode?, to fact: inout MappedFact
  ) {
    let requester = request["requester"]
    fact.take(
      \.from, "from",
      reader.party(requester?["onBehalfOf"], from: request)
        ?? reader.party(requester?["agent"] ?? requester, from: request))
    let services = (booking?.all("participant") ?? []).compactMap { $0["actor"] }.filter {
      $0["identifier"]?["system"]?.text?.hasSuffix("ers-service") ?? false
    }
    let shortlist = request.node.all("contained").first { $0["resourceType"]?.text == "List" }
    let listed = (shortlist?.all("entry") ?? []).compactMap { $0["item"] }
    fact.take(
      \.to, "to",
      reader.party(services.first, from: request)
        ?? reader.party(request["recipient"], from: request)
        ?? (listed.count == 1 ? reader.party(listed[0], from: request) : nil))
  }

  /// The referral that this one belongs to, where another one is named beside it.
  private func related(
    to request: FHIRDocument.Resource, id: RawReference?
  ) -> Found<RawReference>? {
    (request.node.all("basedOn") + request.node.all("supportingInfo")).lazy
      .filter { FHIRDocument.type(of: $0) == "ReferralRequest" }
      .compactMap { Self.referral($0) }.first { $0.value != id }
  }

  private func addNeed(
    of request: FHIRDocument.Resource?, priority: Found<String>?, to fact: inout MappedFact
  ) {
    scope.addNeed(of: request, to: &fact)
    let known = priority.map { [Found("ers:\($0.value.lowercased())", $0.path)] } ?? []
    if fact.provenance["kind"] == "connector" {
      scope.addKind(known + [Found("ers", "connector")], to: &fact)
    }
    scope.addPriority(priority, to: &fact)
  }

  private func setTime(
    of fact: inout MappedFact, request: FHIRDocument.Resource, booking: FHIRNode?
  ) throws(MappingError) {
    let start = request.node.extending("eRS-eReferralPathwayStart-1")
    let nodes: [FHIRNode?] =
      switch fact.type {
      case .handoffRequested, .received:
        [request["authoredOn"], start?["valueInstant"] ?? start?["valueDateTime"]]
      case .booked, .accepted: [booking?["created"]]
      default: []
      }
    try scope.setTime(of: &fact, from: nodes, resource: request)
  }

  // MARK: Worklists

  func worklist(_ list: FHIRDocument.Resource) throws(MappingError) -> Reading {
    var told: [Told] = []
    for entry in list.node.all("entry") {
      guard
        let item = entry.all("extension").first(where: {
          $0["url"]?.text?.contains("WorkListItem") ?? false
        }), let referral = entry["item"].flatMap({ Self.referral($0) })
      else { continue }
      told += try workItem(item, referral: referral, list: list)
    }
    return told.isEmpty ? .nothing(code("fhir.no-handoff-meaning")) : .told(told)
  }

  private func workItem(
    _ item: FHIRNode, referral: Found<RawReference>, list: FHIRDocument.Resource
  ) throws(MappingError) -> [Told] {
    let status = Self.value(item, "status", "valueCodeableConcept")?.codings.first?["code"]
    let reason = Self.value(item, "reason", "valueCodeableConcept")?.codings.first?["code"]
    let url = item["url"]
    let listed = url.flatMap { ERSStates.state(ofWorklist: $0.text ?? "") }
    guard
      let meaning = ERSStates.meaning(of: status?.text ?? listed, reason: reason?.text)
    else {
      throw MappingError(
        code("fhir.code-unknown"), field: status?.path ?? item.path,
        explanation: "the state is none that e-RS publishes")
    }
    guard case .says(let said) = meaning else { return [] }
    let person = try reader.person(
      Self.value(item, "patient", "valueReference"), from: list,
      owner: context.ownOrganisation?.description)
    let changed = [
      "referralLastUpdated", "clinicalInfoLastUpdated", "clinicalInfoFirstSubmitted",
      "ubrnReceived", "eReferralPathwayStart",
    ].lazy
      .compactMap { Self.value(item, $0, "valueDateTime") }.first
    return try said.map { said throws(MappingError) in
      var fact = MappedFact(type: said.type, speaker: said.speaker)
      fact.provenance["type"] = status?.path ?? url?.path
      fact.take(\.handoff, "handoff", referral)
      let state = status?.text ?? listed ?? ""
      fact.take(
        \.messageID, "messageID",
        referral.map { "\($0.value)/\(state)/\(changed?.text ?? "")#\(said.type.rawValue)" })
      fact.take(
        \.to, "to", reader.party(Self.value(item, "service", "valueReference"), from: list))
      addNeed(
        of: nil,
        priority: Self.value(item, "priority", "valueCodeableConcept")?.codings.first?["code"]?
          .found, to: &fact)
      try scope.setTime(of: &fact, from: [changed], resource: nil)
      fact.take(\.reason, "reason", said.type == .received ? nil : scope.word(reason?.found))
      return Told(fact: fact, person: person)
    }
  }

  /// The value of an extension inside an extension, by the name of its URL.
  private static func value(_ extended: FHIRNode, _ name: String, _ type: String) -> FHIRNode? {
    extended.all("extension").first { $0["url"]?.text == name }?[type]
  }
}
