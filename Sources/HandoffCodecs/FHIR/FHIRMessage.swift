import HandoffCore

/// A message Bundle with its MessageHeader.
struct FHIRMessage: Sendable {
  let scope: FHIRScope
  let header: FHIRDocument.Resource
  /// Such as `servicerequest-request`.
  let event: String
  /// The namespace of ``event``.
  let eventSystem: String?
  /// `new`, `update` or `delete`.
  let reason: Found<String>?
  /// The message without facts.
  let base: MappedMessage

  var document: FHIRDocument { scope.document }
  var context: MappingContext { scope.context }
  var reader: FHIRReader { scope.reader }

  init(_ scope: FHIRScope) throws(MappingError) {
    self.scope = scope
    let document = scope.document
    guard let header = document.first("MessageHeader") else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a message Bundle begins with its MessageHeader", acknowledgement: .reject)
    }
    self.header = header
    // `eventCoding` of R4 is `event` in STU3.
    let coding = header["eventCoding"] ?? header["event"]
    guard let event = coding?["code"]?.found ?? header["eventUri"]?.found else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(header.path).eventCoding",
        explanation: "the message names no event", acknowledgement: .reject)
    }
    self.event = FHIRDocument.bareID(event.value)
    eventSystem = coding?["system"]?.text
    reason = header.node.code("reason")
    var base = MappedMessage(messageType: self.event)
    base.provenance["messageType"] = event.path
    try Self.addIDs(to: &base, header: header, scope: scope)
    try Self.addParties(to: &base, header: header, scope: scope)
    let made = try scope.reader.firstTime([
      document.root["timestamp"], header["timestamp"], document.root["meta"]?["lastUpdated"],
    ])
    base.take(\.recordedAt, "recordedAt", made?.map { $0.timestamp })
    base.isTimeDoubtful = made?.value.isDoubtful ?? false
    self.base = base
  }

  /// An answer names the message by its Bundle.id in BaRS, and by the header's elsewhere.
  private static func addIDs(
    to base: inout MappedMessage, header: FHIRDocument.Resource, scope: FHIRScope
  ) throws(MappingError) {
    let bundle = scope.document.root
    let ids = [
      bundle["id"]?.found, header["id"]?.found, bundle["identifier"]?["value"]?.found,
    ].compactMap(\.self)
    guard let id = ids.first, id.value.utf8.count <= scope.context.limits.identifierMax else {
      throw MappingError(
        code("fhir.field-missing"), field: "Bundle.id",
        explanation: "an answer names a message by its Bundle.id; it is missing or too long")
    }
    base.take(\.messageID, "messageID", id)
    let system = id.path == "Bundle.id" ? code("Bundle.id") : code("MessageHeader.id")
    base.take(
      \.reference, "reference", id.map { RawReference(system: system, value: $0) })
  }

  private static func addParties(
    to base: inout MappedMessage, header: FHIRDocument.Resource, scope: FHIRScope
  ) throws(MappingError) {
    let reader = scope.reader
    base.take(
      \.sendingOrganisation, "sendingOrganisation",
      reader.party(header["sender"], from: header)?.map { $0.organisation }
        ?? header["source"]?["name"]?.found)
    base.take(\.sendingSystem, "sendingSystem", header["source"]?["endpoint"]?.found)
    let destination = header["destination"]
    base.take(\.receivingSystem, "receivingSystem", destination?["endpoint"]?.found)
    base.take(
      \.receivingOrganisation, "receivingOrganisation",
      reader.party(destination?["receiver"] ?? header["receiver"], from: header)?
        .map { $0.organisation })
  }

  // MARK: Who

  /// Who sends the message.
  var sender: Found<RawParty>? {
    let system = base.sendingSystem
    if let party = reader.party(header["sender"], from: header, system: system) { return party }
    if let party = Self.addressed(header["source"]?["endpoint"]) { return party }
    return (header["source"]?["name"]?.found ?? header["source"]?["endpoint"]?.found)
      .map { named($0, system: system) }
  }

  /// Whom it is sent to.
  var addressee: Found<RawParty>? {
    let destination = header["destination"]
    let system = base.receivingSystem
    let receiver = destination?["receiver"] ?? header["receiver"]
    if let party = reader.party(receiver, from: header, system: system) { return party }
    if let party = Self.addressed(destination?["endpoint"]) { return party }
    return (destination?["endpoint"]?.found ?? destination?["name"]?.found)
      .map { named($0, system: system) }
  }

  private func named(_ found: Found<String>, system: String?) -> Found<RawParty> {
    Found(
      RawParty(
        organisation: found.value, odsCode: context.odsCode(found.value), system: system),
      found.path)
  }

  /// `urn:nhs-uk:addressing:ods:RTH`, with more behind another colon or not.
  static func addressed(_ endpoint: FHIRNode?) -> Found<RawParty>? {
    endpoint?.found?.map(ITKAddress.party)
  }

  /// The patient: the one the message is about, or the only one it holds.
  func person(subject: FHIRNode?, of source: FHIRDocument.Resource?) throws(MappingError)
    -> Found<ClearPerson>?
  {
    let owner = base.sendingOrganisation ?? base.sendingSystem
    let source = source ?? header
    let patients = document.all("Patient")
    // A reference that leads nowhere says less than the one patient who is there.
    if patients.count == 1, subject?["identifier"] == nil,
      subject.flatMap({ document.resource($0, from: source) }) == nil
    {
      return try reader.person(patients[0], owner: owner)
    }
    return try reader.person(subject, from: source, owner: owner)
  }

  /// The resource that the header's focus names, of that type.
  func focus(_ type: String) -> FHIRDocument.Resource? {
    header.node.all("focus").lazy.compactMap { document.resource($0, from: header) }
      .first { $0.type == type }
  }

  /// The message that this one answers.
  var answers: Found<RawReference>? {
    header["response"]?["identifier"]?.found.flatMap { id in
      guard id.value.utf8.count <= context.limits.identifierMax else { return nil }
      return id.map { RawReference(system: code("Bundle.id"), value: $0) }
    }
  }

  /// When the message was made.
  var recordedAt: Found<Timestamp>? {
    base.recordedAt.map { Found($0, base.provenance["recordedAt"] ?? "Bundle.timestamp") }
  }
}

/// Addresses of the ITK and of MESH.
enum ITKAddress {
  private static let prefixes = ["urn:nhs-uk:addressing:ods:", "urn:nhs-uk:identity:ods:"]

  /// The organisation that an address names; what stands behind its code is the system.
  static func party(_ address: String) -> RawParty? {
    guard let prefix = prefixes.first(where: { address.lowercased().hasPrefix($0) }) else {
      return nil
    }
    let parts = address.dropFirst(prefix.count).split(separator: ":", maxSplits: 1)
    guard let first = parts.first, let code = ODSCode(String(first)) else { return nil }
    return RawParty(
      organisation: String(first), odsCode: code,
      system: parts.count == 2 ? String(parts[1]) : nil)
  }
}
