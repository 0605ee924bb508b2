import HandoffCore

/// SIU: the receiver books, changes or gives up an appointment, or saw nobody come.
struct HL7ScheduleMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  /// SCH-26 or ORC-2 names the order; a later message may name the appointment alone.
  func map() throws(MappingError) -> MappingOutcome {
    var result = try envelope.message(requiringPerson: false)
    let type: EventType
    switch envelope.trigger {
    case "S12", "S13", "S14", "S15", "S17": type = .booked
    case "S26": type = .notAttended
    case "S16", "S18", "S19", "S20", "S21", "S22", "S23", "S24", "S25":
      return .noHandoffFact(result, reason: code("siu.no-handoff-meaning"))
    default:
      throw HL7Envelope.unsupportedEvent("of schedules, the events S12 to S26 are taken here")
    }
    let owner = envelope.addresseeName
    var fact = envelope.factFromReceiver(type)
    fact.set(
      handoff: envelope.reference("SCH", 26, owner: owner)
        ?? envelope.reference("ORC", 2, owner: owner))
    fact.set(references: [
      envelope.reference("SCH", 1), envelope.reference("SCH", 2), envelope.reference("SCH", 27),
      envelope.reference("PV1", 19),
    ])
    guard fact.handoff != nil || !fact.references.isEmpty else {
      return .noHandoffFact(result, reason: code("siu.no-handoff-reference"))
    }
    if ["S15", "S17"].contains(envelope.trigger) {
      // No time any more: the start's clock counts from the request again.
      fact.reason = code("booking-cancelled")
      fact.provenance["reason"] = fact.provenance["type"]
    } else if type == .booked {
      let start = try appointmentStart()
      fact.bookedFor = start?.time
      fact.provenance["bookedFor"] = start?.field
    }
    result.facts = try each(fact)
    return .mapped(result)
  }

  /// A group's appointment is one for each of its patients.
  private func each(_ fact: MappedFact) throws(MappingError) -> [MappedFact] {
    let patients = message.all("PID")
    guard patients.count > 1 else { return [fact] }
    var facts: [MappedFact] = []
    for patient in patients {
      var own = fact
      let person = try envelope.personReader.person(from: patient)
      own.set(person: person, fields: HL7PersonReader.fields(of: patient))
      facts.append(own)
    }
    return facts
  }

  /// TQ1-7, else the resource segments' start, else SCH-11.4.
  private func appointmentStart() throws(MappingError) -> (time: Timestamp, field: String)? {
    for (name, field) in [("TQ1", 7), ("AIS", 4), ("AIL", 6), ("AIP", 6), ("AIG", 8)] {
      if let time = try envelope.time(message.first(name), field) {
        return (time.timestamp, "\(name)-\(field)")
      }
    }
    guard let text = message.value("SCH", 11, 4) else { return nil }
    guard let time = HL7Time(text, localTime: envelope.context.localTime) else {
      throw MappingError(
        code("hl7.timestamp"), field: "SCH-11", explanation: "the appointment's start is no time")
    }
    return (time.timestamp, "SCH-11")
  }
}
