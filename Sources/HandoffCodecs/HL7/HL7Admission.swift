import HandoffCore

/// ADT: where a person stays (F1 to F4), who they are, and which referral that starts or ends.
struct HL7AdmissionMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }
  private var context: MappingContext { envelope.context }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  func map() throws(MappingError) -> MappingOutcome {
    var result = try envelope.message(requiringPerson: true)
    result.facts = try facts()
    if Self.triggersReportingDeath.contains(envelope.trigger), let death = try death() {
      result.facts.append(death)
    }
    guard result.facts.isEmpty else { return .mapped(result) }
    return .noHandoffFact(result, reason: try reasonForNothing())
  }

  private func facts() throws(MappingError) -> [MappedFact] {
    switch envelope.trigger {
    case "A01": [stay(.bedAssigned)] + started(byVisit: takesBedRequests)
    case "A02": [stay(.bedMoved)] + started(byVisit: takesBedRequests)
    case "A03": [discharged()] + completed()
    case "A04", "A10": started(byVisit: true)
    case "A05", "A14": bedRequest(.handoffRequested)
    case "A06": [classChange(.bedAssigned, because: code("became-inpatient"))]
    case "A07": [classChange(.bedFreed, because: code("became-outpatient"))]
    case "A08": amended()
    case "A11": [stay(.bedFreed, because: code("admission-cancelled"))]
    case "A12": [stay(.bedMoved, because: code("transfer-cancelled"))]
    case "A13": [stay(.dischargeCancelled)]
    // A bed is kept for someone who is still elsewhere: it is taken and freed again like any other.
    case "A15":
      [stay(.bedAssigned, because: code("transfer-pending"))]
        + bedRequest(.handoffRequested)
    case "A26":
      [stay(.bedFreed, because: code("transfer-pending-cancelled"))]
        + bedRequest(.cancelled)
    case "A27", "A38": bedRequest(.cancelled)
    case "A16": [readyForDischarge()]
    case "A25": [stay(.dischargeReadinessWithdrawn)]
    case "A17": try swap()
    case "A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47": try merges()
    case "A43", "A44", "A45": try moves()
    default: []
    }
  }

  // MARK: The stay

  /// Events of a person's stay name no handoff; their referral and visit are kept beside them.
  private func stay(_ type: EventType, because reason: Code? = nil) -> MappedFact {
    var fact = envelope.fact(type, .sender)
    fact.set(from: envelope.sender)
    fact.reason = reason
    fact.provenance["reason"] = reason == nil ? nil : fact.provenance["type"]
    fact.set(references: [referral] + visits(of: message.first("PV1")))
    return fact
  }

  /// An outpatient who gets a bed, or an inpatient who leaves theirs; the account may change.
  private func classChange(_ type: EventType, because reason: Code) -> MappedFact {
    var fact = stay(type, because: reason)
    fact.set(
      references: fact.references + [envelope.reference("MRG", 3), envelope.reference("MRG", 5)])
    return fact
  }

  private func discharged() -> MappedFact {
    var fact = stay(.discharged)
    let disposition = message.value("PV1", 36)
    fact.set(outcome: disposition, field: "PV1-36")
    addPathway(to: &fact)
    return fact
  }

  private func readyForDischarge() -> MappedFact {
    var fact = stay(.readyForDischarge)
    fact.dischargeReadyAt = fact.occurredAt
    fact.provenance["dischargeReadyAt"] = fact.provenance["occurredAt"]
    addPathway(to: &fact)
    return fact
  }

  /// PV1-36 by the connector's table, else another field that a key of the table names.
  private func addPathway(to fact: inout MappedFact) {
    let own = message.value("PV1", 36).flatMap { context.dischargePathways[$0] }
    let other = own == nil ? namedPathway : nil
    fact.dischargePathway = own ?? other?.pathway
    fact.provenance["dischargePathway"] = own == nil ? other?.field : "PV1-36"
  }

  /// By a key such as `ZPW-2:P1` or `PV2-3.1:REAB`, in the order of keys.
  private var namedPathway: (pathway: UInt8, field: String)? {
    for (key, pathway) in context.dischargePathways.sorted(by: { $0.key < $1.key }) {
      guard let place = HL7FieldName(key.prefix { $0 != ":" }), key.contains(":") else { continue }
      let wanted = key.drop { $0 != ":" }.dropFirst()
      if message.value(place.segment, place.field, place.component) == String(wanted) {
        return (pathway, "\(place.segment)-\(place.field)")
      }
    }
    return nil
  }

  /// A17 exchanges the beds of two patients: each has a PID and a PV1 of their own.
  private func swap() throws(MappingError) -> [MappedFact] {
    let groups = message.groups(startingWith: "PID")
    guard groups.count == 2 else {
      throw MappingError(
        code("hl7.segment-missing"), field: "PID",
        explanation: "a swap of beds names two patients")
    }
    var facts: [MappedFact] = []
    for group in groups {
      guard let patient = group.first else { continue }
      var fact = stay(.bedMoved, because: code("beds-swapped"))
      let person = try envelope.personReader.person(from: patient)
      fact.set(person: person, fields: HL7PersonReader.fields(of: patient))
      let visit = group.first { $0.name == "PV1" }
      fact.set(journey: envelope.reference(visit, 50) ?? envelope.reference(patient, 18))
      fact.set(references: visits(of: visit))
      facts.append(fact)
    }
    return facts
  }

  private func death() throws(MappingError) -> MappedFact? {
    guard let patient = message.first("PID") else { return nil }
    let indicator = patient.value(30)?.uppercased()
    let hasDied = ["Y", "YES"].contains(indicator ?? "")
    guard hasDied || (indicator == nil && patient.value(29) != nil) else {
      return takenBack(patient, hasDied: hasDied)
    }
    var fact = stay(.patientDied)
    fact.provenance["type"] = hasDied ? "PID-30" : "PID-29"
    if let died = try envelope.time(patient, 29) {
      fact.occurredAt = died.timestamp
      fact.provenance["occurredAt"] = "PID-29"
    }
    return fact
  }

  /// A death reported in error: date and indicator are deleted (`""`, HL7 v2.5.1 §2.5.3).
  ///
  /// PID-30 of N takes nothing back: many systems send it of everybody who lives, every time.
  private func takenBack(_ patient: HL7Segment, hasDied: Bool) -> MappedFact? {
    guard envelope.trigger != "A03", !hasDied, patient.isNull(30) || patient.isNull(29) else {
      return nil
    }
    var fact = stay(.patientDied, because: code("retracted"))
    let field = patient.isNull(30) ? "PID-30" : "PID-29"
    fact.provenance["type"] = field
    fact.provenance["reason"] = field
    return fact
  }

  private static let triggersReportingDeath: Set = ["A03", "A08", "A28", "A31"]

  // MARK: Who it is

  /// Every PID of a merge is followed by the MRG it takes the place of.
  private func merges() throws(MappingError) -> [MappedFact] {
    var facts: [MappedFact] = []
    var survivor: HL7Segment?
    for segment in message.segments {
      switch segment.name {
      case "PID": survivor = segment
      case "MRG":
        guard let prior = try envelope.personReader.priorPerson(from: segment) else {
          throw MappingError(
            code("hl7.field-missing"), field: "MRG-1",
            explanation: "a merge names the identity that is given up")
        }
        var fact = envelope.fact(.patientMerged, .sender)
        fact.set(from: envelope.sender)
        if let survivor {
          fact.set(
            person: try envelope.personReader.person(from: survivor),
            fields: HL7PersonReader.fields(of: survivor))
        }
        fact.priorPerson = prior.person
        fact.provenance["priorPerson"] = prior.fields
        facts.append(fact)
      default: break
      }
    }
    guard !facts.isEmpty else { throw HL7Envelope.missing("MRG") }
    return facts
  }

  /// A45 moves visits from one patient to another: each MRG names where one came from.
  private func moves() throws(MappingError) -> [MappedFact] {
    let groups = message.groups(startingWith: "MRG")
    guard !groups.isEmpty else { throw HL7Envelope.missing("MRG") }
    var facts: [MappedFact] = []
    for group in groups {
      guard let merge = group.first else { continue }
      var fact = stay(.patientMoved)
      let prior = try envelope.personReader.priorPerson(from: merge)
      fact.priorPerson = prior?.person
      fact.provenance["priorPerson"] = prior?.fields
      let visit = group.first { $0.name == "PV1" } ?? message.first("PV1")
      fact.set(
        references: [referral] + visits(of: visit)
          + [envelope.reference(merge, 5), envelope.reference(merge, 3)])
      facts.append(fact)
    }
    return facts
  }

  // MARK: Its referral

  private var referral: RawReference? {
    envelope.reference("RF1", 6) ?? envelope.reference("RF1", 11)
  }

  private func visits(of segment: HL7Segment?) -> [RawReference?] {
    [
      envelope.reference("RF1", 11), envelope.reference(segment, 19),
      envelope.reference(segment, 50),
    ]
  }

  /// The first contact of a referral: the hospital speaks as the receiver of somebody's request.
  ///
  /// A registration proves it where a referral, a visit or an account is named. An admission is the
  /// start of a referral only where it names that referral: the visit may be that of a sender's
  /// patient who is being handed on.
  private func started(byVisit: Bool) -> [MappedFact] {
    let hasVisit =
      envelope.reference("PV1", 19) ?? envelope.reference("PV1", 50)
      ?? envelope.reference("PID", 18)
    guard referral != nil || (byVisit && hasVisit != nil) else { return [] }
    return [ofReferral(.started)]
  }

  /// The end of the stay under a referral is what came of that referral.
  private func completed() -> [MappedFact] {
    guard referral != nil else { return [] }
    var fact = ofReferral(.completed)
    fact.set(outcome: message.value("PV1", 36), field: "PV1-36")
    return [fact]
  }

  private func ofReferral(_ type: EventType) -> MappedFact {
    var fact = envelope.fact(type, .receiver)
    fact.set(to: envelope.sender)
    fact.set(handoff: referral)
    fact.set(references: visits(of: message.first("PV1")))
    return fact
  }

  /// A08 amends a referral that it names as the sender's own; every other is a person's record.
  private func amended() -> [MappedFact] {
    guard let own = envelope.reference("RF1", 6), let owner = message.value("RF1", 6, 2),
      envelope.isSenders(owner)
    else { return [] }
    var fact = envelope.factFromSender(.handoffAmended)
    fact.set(handoff: own)
    fact.set(references: visits(of: message.first("PV1")))
    return [fact]
  }

  /// A bed asked for, where the connector's `kinds` say that this event asks for one.
  ///
  /// Most pre-admissions and pending transfers are plans inside one hospital. Taken for requests
  /// they would all be unanswered ones, so only the connector can say that its partner answers.
  private func bedRequest(_ type: EventType) -> [MappedFact] {
    let requesting = ["A26": "A15", "A27": "A14", "A38": "A05"][envelope.trigger]
    guard let kind = context.kinds[requesting ?? envelope.trigger] else { return [] }
    let handoff =
      referral ?? envelope.reference("PV1", 50) ?? envelope.reference("PV1", 19)
    guard let handoff else { return [] }
    var fact = envelope.factFromSender(type)
    fact.set(handoff: handoff)
    fact.set(references: visits(of: message.first("PV1")))
    guard type == .handoffRequested else { return [fact] }
    fact.kind = kind
    fact.provenance["kind"] = fact.provenance["type"]
    fact.priority = context.defaultPriority
    fact.provenance["priority"] = connectorProvenance
    return [fact]
  }

  /// Whether a visit may stand for a bed that was asked for.
  private var takesBedRequests: Bool {
    ["A05", "A14", "A15"].contains { context.kinds[$0] != nil }
  }

  // MARK: Nothing

  private func reasonForNothing() throws(MappingError) -> Code {
    switch envelope.trigger {
    case "A04", "A10": return code("adt.no-visit-reference")
    case "A05", "A14", "A27", "A38": return code("adt.pre-admission")
    case "A08", "A28", "A31", "A29", "A23": return code("adt.person-record")
    case "A09", "A21", "A22", "A32", "A33", "A52", "A53": return code("adt.leave-or-tracking")
    case "A24", "A37": return code("adt.person-link")
    case "A20": return code("adt.bed-status")
    case "A19", "A35", "A41", "A42", "A48", "A49", "A50", "A51", "A54", "A55", "A56", "A57",
      "A58", "A59", "A60", "A61", "A62":
      return code("adt.no-handoff-meaning")
    default: throw HL7Envelope.unsupportedEvent("ADT knows the events A01 to A62")
    }
  }
}
