import HandoffCore
import Yams

extension PolicyLoader {
  /// The register; what it holds counts only where ``faults`` stayed empty.
  mutating func register(_ root: YAMLMapping, hash: RecordHash) -> OrganisationRegister? {
    var root = root
    if let format = mandatory("format", of: &root), text(format) != RegisterDocument.format {
      fault(format, "must be \(RegisterDocument.format)")
    }
    let version = version(of: &root)
    let isComplete = root.take("complete").flatMap { flag($0) } ?? false
    let organisations = mandatory("organisations", of: &root)
      .map { self.organisations($0, isComplete: isComplete) }
    let parts = root.take("parts").map { self.parts($0) }
    refuseRest(of: root)
    guard let version, let organisations else { return nil }
    return OrganisationRegister(
      version: version, hash: hash, isComplete: isComplete, organisations: organisations,
      parts: parts ?? OrganisationRegister.defaultParts)
  }

  private mutating func organisations(
    _ entry: YAMLMapping.Entry, isComplete: Bool
  ) -> [OrganisationID: RegisteredOrganisation] {
    guard let list = entry.node.sequence, !list.isEmpty,
      list.count <= RegisterDocument.organisationsMax
    else {
      fault(entry, "must be a list of 1 to \(RegisterDocument.organisationsMax) organisations")
      return [:]
    }
    var organisations: [OrganisationID: RegisteredOrganisation] = [:]
    var places: [OrganisationID: (line: Int, path: String)] = [:]
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be an organisation")
        continue
      }
      let code = mandatory("code", of: &mapping).flatMap { entry in
        parsed(entry, "an organisation such as ods:RTH") { OrganisationID($0) }
      }
      let organisation = organisation(&mapping)
      refuseRest(of: mapping)
      guard let code else { continue }
      if let first = places[code] {
        fault(mapping.line, path, "the same code as in line \(first.line)")
        continue
      }
      places[code] = (mapping.line, path)
      organisations[code] = organisation
    }
    for (code, place) in places {
      judge(code, organisations, isComplete: isComplete, place.line, place.path)
    }
    return organisations
  }

  private mutating func organisation(_ mapping: inout YAMLMapping) -> RegisteredOrganisation {
    // For people: what stands in the register of the bus is codes only.
    for key in ["name", "source"] { _ = mapping.take(key).flatMap { note($0) } }
    let from = mapping.take("from").flatMap { day($0) }
    let end = mapping.take("to")
    let to = end.flatMap { day($0) }
    if let end, let from, let to, to < from { fault(end, "is before from") }
    let successors = organisations(mapping.take("successors"))
    if to == nil, !successors.isEmpty {
      fault(mapping.line, "\(mapping.path).to", "missing: what has a successor is closed")
    }
    return RegisteredOrganisation(
      validFrom: from, validTo: to, successors: successors, roles: roles(mapping.take("roles")),
      agents: Set(organisations(mapping.take("agents"))),
      network: mapping.take("network").flatMap { code($0) },
      place: mapping.take("place").flatMap { code($0) },
      catchment: Set(codes(mapping.take("catchment"))))
  }

  /// What can only be told once all are known: lines of successors that end somewhere.
  private mutating func judge(
    _ code: OrganisationID, _ all: [OrganisationID: RegisteredOrganisation], isComplete: Bool,
    _ line: Int, _ path: String
  ) {
    var seen: Set<OrganisationID> = []
    var next = all[code]?.successors ?? []
    while let heir = next.popLast() {
      if heir == code { return fault(line, "\(path).successors", "lead back to \(code)") }
      guard seen.insert(heir).inserted else { continue }
      next += all[heir]?.successors ?? []
    }
    guard isComplete, let entry = all[code] else { return }
    for other in entry.successors + entry.agents.sorted() where all[other] == nil {
      fault(line, path, "\(other) is not in this register, which says that it is complete")
    }
  }

  private mutating func parts(_ entry: YAMLMapping.Entry) -> [HandoffKind: KindParts] {
    guard let list = entry.node.sequence, list.count <= PolicyDocument.rowsMax else {
      fault(entry, "must be a list of at most \(PolicyDocument.rowsMax) kinds")
      return [:]
    }
    var parts: [HandoffKind: KindParts] = [:]
    for (index, node) in list.enumerated() {
      let path = "\(entry.path)[\(index)]"
      guard var mapping = YAMLMapping(node, path: path) else {
        fault(node.mark?.line ?? entry.line, path, "must be a kind and who takes part in it")
        continue
      }
      let kind = mandatory("kind", of: &mapping).flatMap { entry in
        parsed(entry, "1 to 40 lower-case letters, digits and hyphens") { HandoffKind($0) }
      }
      let senders = roles(mapping.take("senders"))
      let receivers = roles(mapping.take("receivers"))
      refuseRest(of: mapping)
      guard let kind else { continue }
      if parts.updateValue(KindParts(senders: senders, receivers: receivers), forKey: kind) != nil {
        fault(mapping.line, path, "the same kind twice")
      }
    }
    return parts
  }

  // MARK: Values

  private mutating func roles(_ entry: YAMLMapping.Entry?) -> Set<OrganisationRole> {
    let known = OrganisationRole.allCases.map(\.rawValue).sorted().joined(separator: ", ")
    var roles: Set<OrganisationRole> = []
    for (line, path, text) in texts(entry) {
      if let role = OrganisationRole(rawValue: text) {
        roles.insert(role)
      } else {
        fault(line, path, "must be one of \(known)")
      }
    }
    return roles
  }

  private mutating func organisations(_ entry: YAMLMapping.Entry?) -> [OrganisationID] {
    var organisations: [OrganisationID] = []
    for (line, path, text) in texts(entry) {
      if let organisation = OrganisationID(text) {
        organisations.append(organisation)
      } else {
        fault(line, path, "must be an organisation such as ods:RTH")
      }
    }
    return organisations
  }

  private mutating func codes(_ entry: YAMLMapping.Entry?) -> [Code] {
    var codes: [Code] = []
    for (line, path, text) in texts(entry) {
      if let code = Code(text) {
        codes.append(code)
      } else {
        fault(line, path, "must be a code such as oxfordshire")
      }
    }
    return codes
  }

  private mutating func code(_ entry: YAMLMapping.Entry) -> Code? {
    parsed(entry, "a code such as oxfordshire") { Code($0) }
  }

  private mutating func day(_ entry: YAMLMapping.Entry) -> CivilDate? {
    parsed(entry, "a day such as 2026-04-01") { CivilDate($0) }
  }
}
