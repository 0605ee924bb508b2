import HandoffCore

/// ADT: where a person stays (F1 to F4), and who they are.
struct HL7AdmissionMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }
  private var context: MappingContext { envelope.context }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  func map() throws(MappingError) -> MappingOutcome {
    var result = envelope.base
    result.person = try envelope.requiredPerson()
    result.facts = try facts()
    if Self.triggersReportingDeath.contains(envelope.trigger), let death = try death() {
      result.facts.append(death)
    }
    guard result.facts.isEmpty else { return .mapped(result) }
    return .noHandoffFact(result, reason: try reasonForNothing())
  }

  private func facts() throws(MappingError) -> [MappedFact] {
    switch envelope.trigger {
    case "A01": [stay(.bedAssigned)] + started(requiresReferral: true)
    case "A02": [stay(.bedMoved)]
    case "A03": [discharged()]
    case "A04", "A10": started(requiresReferral: false)
    case "A11": [stay(.bedFreed, because: code("admission-cancelled"))]
    case "A12": [stay(.bedMoved, because: code("transfer-cancelled"))]
    case "A13": [stay(.dischargeCancelled)]
    // A bed is kept for someone who is still elsewhere: it is taken and freed again like any other.
    case "A15": [stay(.bedAssigned, because: code("transfer-pending"))]
    case "A26": [stay(.bedFreed, because: code("transfer-pending-cancelled"))]
    case "A16": [readyForDischarge()]
    case "A25": [stay(.dischargeReadinessWithdrawn)]
    case "A17": try swap()
    case "A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47": try merges()
    case "A43", "A45": [try moved()]
    default: []
    }
  }

  /// Events of a person's stay name no handoff; their referral and visit are kept beside them.
  private func stay(_ type: EventType, because reason: Code? = nil) -> MappedFact {
    var fact = envelope.fact(type, .sender)
    fact.from = envelope.sender
    fact.reason = reason
    fact.references = references
    return fact
  }

  private var references: [RawReference] {
    [
      envelope.reference("RF1", 6), envelope.reference("RF1", 11), envelope.reference("PV1", 19),
      envelope.reference("PV1", 50),
    ].compactMap(\.self)
  }

  /// The first contact of a referral: the hospital speaks as the receiver of somebody's request.
  ///
  /// A registration proves it only where a referral or at least a visit is named. An admission is
  /// the start of a referral only where it names that referral.
  private func started(requiresReferral: Bool) -> [MappedFact] {
    var fact = envelope.fact(.started, .receiver)
    let referral = envelope.reference("RF1", 6) ?? envelope.reference("RF1", 11)
    let visit = envelope.reference("PV1", 19) ?? envelope.reference("PV1", 50)
    guard referral != nil || (!requiresReferral && visit != nil) else { return [] }
    fact.to = envelope.sender
    fact.handoff = referral
    fact.provenance["handoff"] = referral?.system.description
    fact.references = references.filter { $0 != referral }
    return [fact]
  }

  private func discharged() -> MappedFact {
    var fact = stay(.discharged)
    guard let disposition = message.value("PV1", 36) else { return fact }
    fact.outcome = Code(disposition)
    fact.dischargePathway = context.dischargePathways[disposition]
    fact.provenance["outcome"] = "PV1-36"
    fact.provenance["dischargePathway"] = fact.dischargePathway == nil ? nil : "PV1-36"
    return fact
  }

  private func readyForDischarge() -> MappedFact {
    var fact = stay(.readyForDischarge)
    fact.dischargeReadyAt = fact.occurredAt
    fact.provenance["dischargeReadyAt"] = fact.provenance["occurredAt"]
    fact.dischargePathway = message.value("PV1", 36).flatMap { context.dischargePathways[$0] }
    return fact
  }

  /// A17 exchanges the beds of two patients: each has a PID and a PV1 of their own.
  private func swap() throws(MappingError) -> [MappedFact] {
    let patients = message.all("PID")
    guard patients.count == 2 else {
      throw MappingError(
        code("hl7.segment-missing"), field: "PID",
        explanation: "a swap of beds names two patients")
    }
    var facts: [MappedFact] = []
    for patient in patients {
      var fact = stay(.bedMoved, because: code("beds-swapped"))
      fact.person = try envelope.personReader.person(from: patient)
      // The visit segments of both patients would be read as the first one's.
      fact.references = []
      fact.journey = nil
      facts.append(fact)
    }
    return facts
  }

  /// Every PID of a merge is followed by the MRG it takes the place of.
  private func merges() throws(MappingError) -> [MappedFact] {
    var facts: [MappedFact] = []
    var survivor: ClearPerson?
    for segment in message.segments {
      switch segment.name {
      case "PID": survivor = try envelope.personReader.person(from: segment)
      case "MRG":
        guard let prior = try envelope.personReader.priorPerson(from: segment) else {
          throw MappingError(
            code("hl7.field-missing"), field: "MRG-1",
            explanation: "a merge names the identity that is given up")
        }
        var fact = envelope.fact(.patientMerged, .sender)
        fact.from = envelope.sender
        fact.person = survivor
        fact.priorPerson = prior
        fact.provenance["priorPerson"] = "MRG-1"
        facts.append(fact)
      default: break
      }
    }
    guard !facts.isEmpty else { throw HL7Envelope.missing("MRG") }
    return facts
  }

  /// A45 moves a visit from one patient to another: MRG names where it came from.
  private func moved() throws(MappingError) -> MappedFact {
    guard let merge = message.first("MRG") else { throw HL7Envelope.missing("MRG") }
    var fact = stay(.patientMoved)
    fact.priorPerson = try envelope.personReader.priorPerson(from: merge)
    fact.references += [
      envelope.reference("MRG", 5), envelope.reference("MRG", 3),
    ].compactMap(\.self)
    return fact
  }

  private func death() throws(MappingError) -> MappedFact? {
    guard let patient = message.first("PID") else { return nil }
    let indicator = patient.value(30)?.uppercased()
    guard indicator == "Y" || (indicator == nil && patient.value(29) != nil) else { return nil }
    var fact = stay(.patientDied)
    fact.provenance["type"] = "PID-30"
    if let died = try envelope.time(patient, 29) {
      fact.occurredAt = died.timestamp
      fact.provenance["occurredAt"] = "PID-29"
    }
    return fact
  }

  private static let triggersReportingDeath: Set = ["A03", "A08", "A28", "A31"]

  private func reasonForNothing() throws(MappingError) -> Code {
    switch envelope.trigger {
    case "A04", "A10": return code("adt.no-visit-reference")
    case "A05", "A14", "A27", "A38": return code("adt.pre-admission")
    case "A06", "A07": return code("adt.class-change")
    case "A08", "A28", "A31", "A29", "A23": return code("adt.person-record")
    case "A09", "A21", "A22", "A32", "A33", "A52", "A53": return code("adt.leave-or-tracking")
    case "A24", "A37": return code("adt.person-link")
    case "A20": return code("adt.bed-status")
    case "A19", "A35", "A41", "A42", "A44", "A48", "A49", "A50", "A51", "A54", "A55", "A56", "A57",
      "A58", "A59", "A60", "A61", "A62":
      return code("adt.no-handoff-meaning")
    default:
      throw MappingError(
        code("hl7.unsupported-event"), field: "MSH-9",
        explanation: "ADT knows the events A01 to A62", acknowledgement: .reject)
    }
  }
}
