import HandoffCore

/// One fact of a resource and who it is about.
struct Told: Sendable {
  var fact: MappedFact
  var person: Found<ClearPerson>?
}

/// What one resource says.
enum Reading: Sendable {
  case told([Told])
  case nothing(Code)
}

/// Resources that stand for themselves: alone, in a transaction, a collection or a search.
///
/// A search or a worklist reports the state of many things; each becomes facts of its own, whose
/// ids hang on the thing, its version and its state and not on the place in the list, so that the
/// next poll says nothing new.
struct FHIRResourceMapper: Sendable {
  let scope: FHIRScope
  var document: FHIRDocument { scope.document }
  var context: MappingContext { scope.context }

  init(_ scope: FHIRScope) { self.scope = scope }

  func map() throws(MappingError) -> MappingOutcome {
    var told: [Told] = []
    var reason: Code?
    for resource in resources {
      switch try read(resource) {
      case .told(let some): told += some
      case .nothing(let why):
        // What is nearest to a handoff says why there is none.
        if reason == nil || FHIRTypes.withHandoffs.contains(resource.type) { reason = why }
      }
    }
    var result = MappedMessage(messageType: document.root["resourceType"]?.text ?? "Bundle")
    result.provenance["messageType"] = "\(document.root.path).resourceType"
    result.take(\.messageID, "messageID", messageID)
    let made = try scope.reader.firstTime([
      document.root["timestamp"], document.root["meta"]?["lastUpdated"],
    ])
    result.take(\.recordedAt, "recordedAt", made?.map { $0.timestamp })
    guard !told.isEmpty else {
      return .noHandoffFact(result, reason: reason ?? code("fhir.no-handoff-meaning"))
    }
    let people = Set(told.map { $0.person?.value })
    if people.count == 1 {
      result.take(\.person, "person", told[0].person)
    }
    result.facts = told.map { told in
      var fact = told.fact
      if people.count > 1 { fact.take(\.person, "person", told.person) }
      if fact.occurredAt == nil, document.root.path == "Bundle", told.fact.messageID == nil {
        fact.take(\.occurredAt, "occurredAt", made?.map { $0.timestamp })
      }
      return fact
    }
    return .mapped(result)
  }

  /// The resources, and those that Parameters carry.
  private var resources: [FHIRDocument.Resource] {
    document.resources.flatMap { resource in
      guard resource.type == "Parameters" else { return [resource] }
      let carried = resource.node.all("parameter").compactMap { $0["resource"] }
        .map { FHIRDocument.Resource(node: $0) }
      // The booking of a referral that is told here as well goes with it.
      let isReferral = carried.contains { $0.type == "ReferralRequest" }
      return carried.filter { !isReferral || $0.type != "Appointment" }
    }
  }

  private func read(_ resource: FHIRDocument.Resource) throws(MappingError) -> Reading {
    // Of a list that holds test data among the rest, only that is left out.
    if context.processing == .production, resource.node.testMark != nil {
      return .nothing(code("fhir.test-data"))
    }
    switch resource.type {
    case "Task": return try task(resource)
    case "ServiceRequest":
      // A Task that asks to fulfil it says more of it.
      if isFocus(resource) { return .nothing(code("fhir.no-handoff-meaning")) }
      return try serviceRequest(resource)
    case "Appointment": return try appointment(resource)
    case "ReferralRequest": return try ERSMapper(scope).referralRequest(resource)
    case "List": return try ERSMapper(scope).worklist(resource)
    case let type where FHIRTypes.all.contains(type) || document.root.path == "Bundle":
      return .nothing(code("fhir.no-handoff-meaning"))
    default:
      throw MappingError(
        code("fhir.unsupported-resource"), field: "\(resource.path).resourceType",
        explanation: "this is no resource of FHIR R4 or STU3 that is known here",
        acknowledgement: .reject)
    }
  }

  private func isFocus(_ request: FHIRDocument.Resource) -> Bool {
    document.all("Task").contains {
      document.resource($0["focus"], from: $0)?.path == request.path
    }
  }

  /// Whose local ids they are where nobody says it.
  private var owner: String? { context.ownOrganisation?.description }

  // MARK: Ids of messages

  /// Of one resource its version, of a Bundle its id.
  private var messageID: Found<String>? {
    guard document.root.path != "Bundle" else { return document.root["id"]?.found }
    return document.resources.first.flatMap { Self.version(of: $0) }
  }

  /// What makes one state of a resource the same wherever it is read again.
  static func version(of resource: FHIRDocument.Resource) -> Found<String>? {
    guard let id = resource.id else { return nil }
    let version = resource["meta"]?["versionId"]?.text
    let changed = resource["lastModified"]?.text ?? resource["meta"]?["lastUpdated"]?.text
    let state =
      version
      ?? [resource["status"]?.text, changed].compactMap(\.self)
      .joined(separator: "/")
    let text = "\(resource.type)/\(id.value)/_history/\(state)"
    return text.utf8.count <= 512 ? Found(text, id.path) : nil
  }

  /// The same facts when the same state is polled again.
  private func identified(_ fact: MappedFact, of resource: FHIRDocument.Resource) -> MappedFact {
    var fact = fact
    if document.root.path == "Bundle", let version = Self.version(of: resource) {
      fact.take(
        \.messageID, "messageID", version.map { "\($0)#\(fact.type.rawValue)" })
    }
    return fact
  }

  // MARK: ServiceRequest

  private func serviceRequest(
    _ request: FHIRDocument.Resource
  ) throws(MappingError) -> Reading {
    let status = request["status"]
    guard let meaning = FHIRStates.serviceRequest.meaning(of: status?.text) else {
      throw Self.unknownStatus(request)
    }
    guard case .says(let said) = meaning, let said = said.first else {
      return .nothing(of: meaning)
    }
    guard request["intent"]?.text != "proposal", request["intent"]?.text != "option" else {
      return .nothing(code("fhir.not-asked-for"))
    }
    guard let handoff = scope.ownID(of: request) else { throw Self.missingID(request) }
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = status?.path
    fact.take(\.handoff, "handoff", handoff)
    fact.refer(scope.ids(of: request))
    fact.take(\.from, "from", scope.reader.party(request["requester"], from: request))
    fact.take(\.to, "to", scope.reader.party(request["performer"], from: request))
    fact.take(
      \.parentHandoff, "parentHandoff",
      request.node.all("basedOn").lazy
        .compactMap { scope.id($0, from: request, type: "ServiceRequest") }
        .first { $0.value != fact.handoff })
    if request["encounter"] != nil {
      fact.take(\.journey, "journey", scope.journey(of: request["encounter"], from: request))
    }
    scope.addNeed(
      of: request,
      useCase: request.node.code("category", systemEnding: ["usecases-categories-bars"]), to: &fact)
    let isFirst = said.type == .handoffRequested
    try scope.setTime(
      of: &fact, from: [isFirst ? request["authoredOn"] : nil], resource: request)
    if isFirst == false {
      fact.take(\.reason, "reason", scope.word(request.node.code("reasonCode")))
    }
    let person = try scope.reader.person(request["subject"], from: request, owner: owner)
    return .told([Told(fact: identified(fact, of: request), person: person)])
  }

  // MARK: Appointment

  /// Alone it is the record of whoever keeps the slot: the receiver.
  ///
  /// One that names no referral is found by its own id only, so it names nobody either.
  private func appointment(_ resource: FHIRDocument.Resource) throws(MappingError) -> Reading {
    let booking = FHIRBooking(resource, scope: scope)
    guard var fact = try booking.fact(speaker: .receiver) else {
      return .nothing(code("fhir.booking-proposed"))
    }
    guard fact.handoff != nil || !fact.references.isEmpty else { throw Self.missingID(resource) }
    try scope.setTime(of: &fact, from: [], resource: resource)
    let patient = fact.handoff == nil ? nil : booking.patient
    let person = try scope.reader.person(patient, from: resource, owner: owner)
    return .told([Told(fact: identified(fact, of: resource), person: person)])
  }

  // MARK: Task

  private func task(_ task: FHIRDocument.Resource) throws(MappingError) -> Reading {
    let codes = task.node.codings("code").compactMap { $0["code"]?.text }
    guard codes.isEmpty || codes.contains("fulfill") else {
      return .nothing(code("task.not-fulfilment"))
    }
    let status = task["status"]
    guard let meaning = FHIRStates.task.meaning(of: status?.text) else {
      throw Self.unknownStatus(task)
    }
    guard case .says(let said) = meaning, let said = said.first else {
      return .nothing(of: meaning)
    }
    let person = try scope.reader.person(task["for"], from: task, owner: owner)
    let main = try fact(said, of: task)
    var facts = [main]
    if let output = task.node.all("output").first {
      let second: EventType? =
        switch said.type {
        case .completed: .feedbackSent
        case .started: .interim
        default: nil
        }
      if let second {
        // The output is what goes back to who asked (domain.md §2.2, rows 15 and 18).
        var fact = main
        fact.type = second
        fact.outcome = nil
        fact.provenance["outcome"] = nil
        fact.provenance["type"] = output.path
        facts.append(fact)
      }
    }
    return .told(facts.map { Told(fact: identified($0, of: task), person: person) })
  }

  private func fact(
    _ said: Said, of task: FHIRDocument.Resource
  ) throws(MappingError) -> MappedFact {
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = "\(task.path).status"
    let request = document.resource(task["focus"], from: task)
    let asked =
      scope.id(task["focus"], from: task, type: "ServiceRequest")
      ?? task.node.all("basedOn").lazy
      .compactMap { scope.id($0, from: task, type: "ServiceRequest") }.first
    guard let handoff = asked ?? scope.ownID(of: task) else { throw Self.missingID(task) }
    fact.take(\.handoff, "handoff", handoff)
    fact.refer(
      scope.ids(of: request?.type == "ServiceRequest" ? request : nil) + scope.ids(of: task),
      limit: context.limits.identifierMax)
    fact.take(\.parentHandoff, "parentHandoff", parent(of: task))
    fact.take(\.from, "from", scope.reader.party(task["requester"], from: task))
    fact.take(\.to, "to", scope.reader.party(task["owner"], from: task))
    scope.addNeed(of: request, to: &fact)
    if let priority = task["priority"]?.found { scope.addPriority(priority, to: &fact) }
    let times: [FHIRNode?] =
      switch said.type {
      case .handoffRequested: [task["authoredOn"], task["lastModified"]]
      case .started: [task["executionPeriod"]?["start"], task["lastModified"]]
      case .completed, .couldNotComplete:
        [task["executionPeriod"]?["end"], task["lastModified"]]
      default: [task["lastModified"]]
      }
    try scope.setTime(of: &fact, from: times, resource: task)
    if said.type == .completed {
      fact.take(
        \.outcome, "outcome",
        scope.word(
          task.node.code("businessStatus") ?? task.node.all("output").first?.code("type")))
    } else {
      fact.take(
        \.reason, "reason",
        scope.word(task.node.code("statusReason") ?? task.node.code("businessStatus")))
    }
    return fact
  }

  /// The request that this Task is a part of: by the Task above it, else as that Task is called.
  private func parent(of task: FHIRDocument.Resource) -> Found<RawReference>? {
    guard let partOf = task["partOf"] else { return nil }
    if let above = document.resource(partOf, from: task), above.type == "Task",
      let request = scope.id(above["focus"], from: above, type: "ServiceRequest")
    {
      return request
    }
    return scope.id(partOf, from: task, type: "Task")
  }

  // MARK: Refusals

  static func unknownStatus(_ resource: FHIRDocument.Resource) -> MappingError {
    MappingError(
      code("fhir.code-unknown"), field: "\(resource.path).status",
      explanation: "the status is missing or none of the standard's")
  }

  static func missingID(_ resource: FHIRDocument.Resource) -> MappingError {
    MappingError(
      code("fhir.field-missing"), field: "\(resource.path).id",
      explanation: "the resource has neither an identifier nor an id")
  }
}

extension Reading {
  /// Nothing, for the reason of the reviewed row.
  static func nothing(of meaning: Meaning) -> Reading {
    if case .nothing(let reason) = meaning { return .nothing(reason) }
    return .nothing(code("fhir.no-handoff-meaning"))
  }
}
