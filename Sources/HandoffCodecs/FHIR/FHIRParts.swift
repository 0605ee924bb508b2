import HandoffCore

/// A document with what reading it needs: the parts that all mappings of FHIR share.
struct FHIRScope: Sendable {
  let document: FHIRDocument
  let context: MappingContext

  var reader: FHIRReader { FHIRReader(document: document, context: context) }
  private var limit: Int { context.limits.identifierMax }

  // MARK: Ids

  // An id that is too long is refused by IdentifierRules, with its field: never left out here.

  /// ServiceRequest.identifier, else its id; the same of a Task, a ReferralRequest and others.
  func ownID(
    of resource: FHIRDocument.Resource, requiresIdentifier: Bool = false
  ) -> Found<RawReference>? {
    for identifier in resource.node.all("identifier") {
      guard let reference = self.identifier(identifier, of: resource.type) else { continue }
      return reference
    }
    guard !requiresIdentifier, let id = resource.id,
      let system = Code("\(resource.type).id")
    else { return nil }
    return Found(RawReference(system: system, value: id.value), id.path)
  }

  /// Every id of a resource, its `id` last.
  func ids(of resource: FHIRDocument.Resource?) -> [Found<RawReference>?] {
    guard let resource else { return [] }
    let identifiers = resource.node.all("identifier").map { identifier($0, of: resource.type) }
    let own = resource.id.flatMap { id in
      Code("\(resource.type).id").map { Found(RawReference(system: $0, value: id.value), id.path) }
    }
    return identifiers + [own]
  }

  func identifier(_ node: FHIRNode, of type: String) -> Found<RawReference>? {
    guard let value = node["value"]?.found,
      let system = Code("\(type).identifier")
    else { return nil }
    var assigner = node["system"]?.text
    // However it is spelt, so that every resource that names a UBRN names the same one.
    if assigner?.lowercased() == ERSMapper.ubrnSystem.lowercased() {
      assigner = ERSMapper.ubrnSystem
    }
    return Found(RawReference(system: system, value: value.value, assigner: assigner), value.path)
  }

  /// The id that a reference names: of the resource if the document holds it, else as written.
  func id(
    _ reference: FHIRNode?, from source: FHIRDocument.Resource, type: String
  ) -> Found<RawReference>? {
    guard let reference else { return nil }
    if let resource = document.resource(reference, from: source) {
      guard resource.type == type else { return nil }
      return ownID(of: resource).map { Found($0.value, reference["reference"]?.path ?? $0.path) }
    }
    if let identifier = reference["identifier"] {
      return self.identifier(identifier, of: FHIRDocument.type(of: reference) ?? type)
    }
    guard let text = reference["reference"]?.found, !text.value.hasPrefix("#") else { return nil }
    // What no resource and no type stands behind may be anything.
    let id = FHIRDocument.bareID(text.value)
    guard let named = FHIRDocument.type(of: reference), named == type, !id.isEmpty,
      id.utf8.count <= limit, let system = Code("\(named).id")
    else { return nil }
    return Found(RawReference(system: system, value: id), text.path)
  }

  /// `Encounter.episodeOfCare`, of that encounter first.
  func journey(
    of encounter: FHIRNode?, from source: FHIRDocument.Resource
  ) -> Found<RawReference>? {
    let own = document.resource(encounter, from: source)
    for resource in [own].compactMap(\.self) + document.all("Encounter") {
      guard let text = resource["episodeOfCare"]?["reference"]?.found else { continue }
      return Found(
        RawReference(
          system: code("EpisodeOfCare"), value: FHIRDocument.bareID(text.value)), text.path)
    }
    return nil
  }

  // MARK: What is asked for

  /// Kind, priority and need of a request; `useCase` comes before its codes.
  func addNeed(
    of request: FHIRDocument.Resource?, useCase: Found<String>? = nil, to fact: inout MappedFact
  ) {
    let concepts = ["code", "category", "serviceRequested", "specialty"]
    let codings = concepts.flatMap { request?.node.codings($0) ?? [] }
    let codes = [useCase].compactMap(\.self) + codings.compactMap { $0["code"]?.found }
    addKind(codes, to: &fact)
    addPriority(request?["priority"]?.found, to: &fact)
    let needs = ["code", "serviceRequested"].flatMap { request?.node.codings($0) ?? [] }
    fact.take(
      \.needCode, "needCode",
      needs.lazy.compactMap { $0["code"]?.found?.map { Code($0) } }.first)
  }

  /// The first code that the connector knows; its default else.
  func addKind(_ codes: [Found<String>], to fact: inout MappedFact) {
    let known = codes.lazy.compactMap { found in found.map { context.kinds[$0] } }.first
    fact.take(\.kind, "kind", known ?? Found(context.defaultKind, "connector"))
  }

  func addPriority(_ found: Found<String>?, to fact: inout MappedFact) {
    let known = found?.map { context.priorities[$0.lowercased()] }
    fact.take(\.priority, "priority", known ?? Found(context.defaultPriority, "connector"))
  }

  // MARK: Time

  /// Sets the first time that is stated; when the resource last changed stands behind them all.
  func setTime(
    of fact: inout MappedFact, from nodes: [FHIRNode?], resource: FHIRDocument.Resource?,
    else fallback: Found<Timestamp>? = nil
  ) throws(MappingError) {
    for node in nodes + [resource?["meta"]?["lastUpdated"]] {
      guard let time = try reader.time(node) else { continue }
      fact.take(\.occurredAt, "occurredAt", time.map { $0.timestamp })
      return
    }
    fact.take(\.occurredAt, "occurredAt", fallback)
  }

  /// A code as a reason or outcome; one that holds an id or blanks is none.
  func word(_ found: Found<String>?) -> Found<Code>? { found?.map { Code($0) } }
}
