import HandoffCore

/// SIU, OMG, ORM, ORU and MDM, as far as they say something of a handoff they name.
struct HL7OrderMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }
  private var context: MappingContext { envelope.context }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  /// SIU: the receiver books, and names the order it books for in SCH-26 or ORC-2.
  func mapSchedule() throws(MappingError) -> MappingOutcome {
    var result = envelope.base
    result.person = try envelope.requiredPerson()
    let type: EventType
    switch envelope.trigger {
    case "S12", "S13", "S14": type = .booked
    case "S26": type = .notAttended
    case "S15", "S17":
      // The lifecycle has no event for a booking given up: A09 finds that nothing followed it.
      return .noHandoffFact(result, reason: code("siu.booking-cancelled"))
    case "S16", "S18", "S19", "S20", "S21", "S22", "S23", "S24", "S25":
      return .noHandoffFact(result, reason: code("siu.no-handoff-meaning"))
    default: throw unsupportedEvent("of schedules, the events S12 to S26 are taken here")
    }
    let owner = envelope.base.receivingOrganisation ?? envelope.base.receivingSystem
    guard
      let handoff = envelope.reference("SCH", 26, owner: owner)
        ?? envelope.reference("ORC", 2, owner: owner)
    else { return .noHandoffFact(result, reason: code("siu.no-handoff-reference")) }
    var fact = envelope.fact(type, .receiver)
    fact.from = envelope.addressee
    fact.to = envelope.sender
    fact.handoff = handoff
    fact.provenance["handoff"] = handoff.system.description
    fact.references = [
      envelope.reference("SCH", 1), envelope.reference("SCH", 2), envelope.reference("PV1", 19),
    ].compactMap(\.self)
    if type == .booked {
      fact.bookedFor = try appointmentStart()
      fact.provenance["bookedFor"] = fact.bookedFor == nil ? nil : "TQ1-7"
    }
    result.facts = [fact]
    return .mapped(result)
  }

  /// OMG and ORM: one handoff an order; only a new order and its cancellation are the sender's word.
  func mapOrder() throws(MappingError) -> MappingOutcome {
    guard envelope.type == "OMG" ? envelope.trigger == "O19" : envelope.trigger == "O01" else {
      throw unsupportedEvent("of orders, the events OMG^O19 and ORM^O01 are taken here")
    }
    var result = envelope.base
    result.person = try envelope.requiredPerson()
    guard message.first("ORC") != nil else { throw HL7Envelope.missing("ORC") }
    for (index, order) in message.segments.enumerated() where order.name == "ORC" {
      guard let handoff = envelope.reference(order, 2) else { continue }
      let type: EventType
      switch order.value(1)?.uppercased() {
      case "NW"?: type = .handoffRequested
      case "XO"?, "RP"?: type = .handoffAmended
      case "CA"?, "DC"?: type = .cancelled
      default: continue
      }
      var fact = envelope.fact(type, .sender)
      fact.provenance["type"] = "ORC-1"
      fact.from = envelope.sender
      fact.to = envelope.addressee
      fact.handoff = handoff
      fact.provenance["handoff"] = "ORC-2"
      fact.references = [envelope.reference(order, 3)].compactMap(\.self)
      let service = message.segments[index...].first { $0.name == "OBR" }?.value(4)
      fact.needCode = service.flatMap { Code($0) }
      fact.kind = service.flatMap { context.kinds[$0] } ?? context.defaultKind
      fact.priority = context.defaultPriority
      result.facts.append(fact)
    }
    guard result.facts.isEmpty else { return .mapped(result) }
    return .noHandoffFact(result, reason: code("order.no-request"))
  }

  /// ORU^R01 and MDM^T02: something came back on an order, which is no outcome yet.
  func mapResult() throws(MappingError) -> MappingOutcome {
    let isResult = envelope.type == "ORU" && envelope.trigger == "R01"
    let isDocument =
      envelope.type == "MDM"
      && envelope.trigger.hasPrefix("T") && envelope.trigger.dropFirst().allSatisfy(\.isNumber)
    guard isResult || isDocument else {
      throw unsupportedEvent("of results, the events ORU^R01 and MDM^T01 to T11 are taken here")
    }
    var result = envelope.base
    result.person = try envelope.requiredPerson()
    guard isResult || ["T02", "T06", "T10"].contains(envelope.trigger) else {
      return .noHandoffFact(result, reason: code("mdm.no-document"))
    }
    let owner = envelope.base.receivingOrganisation ?? envelope.base.receivingSystem
    guard
      let handoff = envelope.reference("ORC", 2, owner: owner)
        ?? envelope.reference("OBR", 2, owner: owner)
    else { return .noHandoffFact(result, reason: code("result.no-order-reference")) }
    var fact = envelope.fact(.interim, .receiver)
    fact.from = envelope.addressee
    fact.to = envelope.sender
    fact.handoff = handoff
    fact.provenance["handoff"] = handoff.system.description
    fact.references = [
      envelope.reference("ORC", 3), envelope.reference("PV1", 19),
    ].compactMap(\.self)
    result.facts = [fact]
    return .mapped(result)
  }

  /// TQ1-7, else the resource segments' start, else SCH-11.4.
  private func appointmentStart() throws(MappingError) -> Timestamp? {
    for (name, field) in [("TQ1", 7), ("AIS", 4), ("AIL", 6), ("AIP", 6)] {
      if let time = try envelope.time(message.first(name), field) { return time.timestamp }
    }
    return message.value("SCH", 11, 4)
      .flatMap { HL7Time($0, localTime: context.localTime) }?.timestamp
  }

  private func unsupportedEvent(_ explanation: String) -> MappingError {
    MappingError(
      code("hl7.unsupported-event"), field: "MSH-9", explanation: explanation,
      acknowledgement: .reject)
  }
}
