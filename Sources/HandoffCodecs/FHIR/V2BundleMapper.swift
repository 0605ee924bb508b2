import HandoffCore

/// HL7 v2 messages that somebody turned into FHIR: the trigger event says what happened.
struct V2BundleMapper: Sendable {
  private let message: FHIRMessage
  private var document: FHIRDocument { message.document }
  private var scope: FHIRScope { message.scope }

  init(_ message: FHIRMessage) { self.message = message }

  static func isV2(_ message: FHIRMessage) -> Bool {
    message.eventSystem?.hasSuffix("v2-0003") ?? false
  }

  /// What the trigger events of HL7 v2 mean here, as the mapping of v2 itself has them.
  static let triggers: [StatusRow] = [
    .init("A01", .sender(.bedAssigned)),
    .init("A02", .sender(.bedMoved)),
    .init("A03", .sender(.discharged)),
    .init("A04", .receiver(.started), note: "where a visit is named"),
    .init("A10", .receiver(.started), note: "where a visit is named"),
    .init("A11", .sender(.bedFreed)),
    .init("A12", .sender(.bedMoved)),
    .init("A13", .sender(.dischargeCancelled)),
    .init("A15", .sender(.bedAssigned)),
    .init("A16", .sender(.readyForDischarge)),
    .init("A25", .sender(.dischargeReadinessWithdrawn)),
    .init("A26", .sender(.bedFreed)),
    .init("R01", .receiver(.interim), note: "where an order or a visit is named"),
    .init("T02", .receiver(.interim), note: "where an order or a visit is named"),
    .init("T06", .receiver(.interim), note: "where an order or a visit is named"),
    .init("T10", .receiver(.interim), note: "where an order or a visit is named"),
  ]

  /// `A01`, wherever the converter put it: in the code, or in a display such as `ADT^A01^ADT_A01`.
  private var trigger: Found<String>? {
    let coding = message.header["eventCoding"] ?? message.header["event"]
    for node in [coding?["code"], coding?["display"]] {
      guard let text = node?.found else { continue }
      let words = text.value.split { !$0.isLetter && !$0.isNumber }
      if let word = words.first(where: { Self.isTrigger($0) }) {
        return Found(String(word), text.path)
      }
    }
    return nil
  }

  private static func isTrigger(_ word: Substring) -> Bool {
    let bytes = Array(word.utf8)
    return bytes.count == 3 && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[0])
      && bytes[1...].allSatisfy { (0x30...0x39).contains($0) }
  }

  func map() throws(MappingError) -> MappingOutcome {
    var result = message.base
    let encounter = document.first("Encounter")
    result.take(
      \.person, "person", try message.person(subject: encounter?["subject"], of: encounter))
    guard let trigger else {
      return .noHandoffFact(result, reason: code("fhir.no-handoff-meaning"))
    }
    result.messageType = trigger.value
    guard case .says(let said)? = Self.triggers.meaning(of: trigger.value), let said = said.first
    else { return .noHandoffFact(result, reason: code("adt.no-handoff-meaning")) }
    guard result.person != nil else {
      throw MappingError(
        code("identity.patient-missing"), field: "Bundle.entry",
        explanation: "the message names no patient that the Bundle holds")
    }
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = trigger.path
    let requests = document.all("ServiceRequest")
    let visits = (encounter?.node.all("identifier") ?? []).map { visit($0) }
    let limit = message.context.limits.identifierMax
    if said.speaker == .receiver {
      fact.take(\.handoff, "handoff", requests.lazy.compactMap { scope.ownID(of: $0) }.first)
      guard fact.handoff != nil || !visits.isEmpty else {
        return .noHandoffFact(result, reason: code("v2.no-handoff-reference"))
      }
      fact.take(\.to, "to", message.sender)
      fact.take(\.from, "from", said.type == .interim ? message.addressee : nil)
    } else {
      fact.take(\.from, "from", message.sender)
    }
    fact.refer(visits + requests.flatMap { scope.ids(of: $0) }, limit: limit)
    try setTime(of: &fact, encounter: encounter)
    if said.type == .readyForDischarge {
      fact.take(
        \.dischargeReadyAt, "dischargeReadyAt",
        fact.occurredAt.map { Found($0, fact.provenance["occurredAt"] ?? "") })
    }
    result.facts = [fact] + (try death(of: result))
    return .mapped(result)
  }

  /// A visit number is the sender's own where nothing says whose it is, as in PV1-19.
  private func visit(_ identifier: FHIRNode) -> Found<RawReference>? {
    var visit = scope.identifier(identifier, of: "Encounter")
    if visit?.value.assigner == nil {
      visit?.value.assigner = message.base.sendingOrganisation ?? message.base.sendingSystem
    }
    return visit
  }

  /// Provenance.occurred[x] is EVN-2, else the Encounter's own period, else the message's time.
  private func setTime(
    of fact: inout MappedFact, encounter: FHIRDocument.Resource?
  ) throws(MappingError) {
    let provenance = document.first("Provenance")
    let period = encounter?["period"]
    let isEnd = fact.type == .discharged
    try scope.setTime(
      of: &fact,
      from: [provenance?["occurredDateTime"], isEnd ? period?["end"] : period?["start"]],
      resource: nil, else: message.recordedAt)
  }

  private func death(of result: MappedMessage) throws(MappingError) -> [MappedFact] {
    guard let patient = document.first("Patient") else { return [] }
    let date = patient["deceasedDateTime"]
    guard date != nil || patient["deceasedBoolean"]?.isTrue == true else { return [] }
    var fact = MappedFact(type: .patientDied, speaker: .sender)
    fact.provenance["type"] = (date ?? patient["deceasedBoolean"])?.path
    fact.take(\.from, "from", message.sender)
    try scope.setTime(of: &fact, from: [date], resource: nil, else: message.recordedAt)
    return [fact]
  }
}
