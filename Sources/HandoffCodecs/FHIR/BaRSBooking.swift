import HandoffCore

extension BaRSMapper {
  /// A booking, in either direction.
  ///
  /// Only the answer proves that the receiver keeps the slot. A request for it is the sender's
  /// word, which the reducer keeps as evidence.
  func mapBooking() throws(MappingError) -> MappingOutcome {
    guard let appointment = message.focus("Appointment") ?? document.first("Appointment") else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "a booking message holds an Appointment")
    }
    let booking = FHIRBooking(appointment, scope: scope)
    var result = message.base
    result.take(
      \.person, "person", try message.person(subject: booking.patient, of: appointment))
    let answers = message.answers
    let isAnswer = message.event == "booking-response" || answers != nil
    guard var fact = try booking.fact(speaker: isAnswer ? .receiver : .sender) else {
      return .noHandoffFact(result, reason: code("bars.booking-proposed"))
    }
    if fact.handoff == nil, let request = document.first("ServiceRequest") {
      fact.take(\.handoff, "handoff", try handoff(of: request))
    }
    guard fact.handoff != nil || answers != nil else {
      return .noHandoffFact(result, reason: code("bars.no-handoff-reference"))
    }
    guard result.person != nil || isAnswer else { throw missingPatient }
    fact.take(\.from, "from", isAnswer ? message.addressee : message.sender)
    fact.take(\.to, "to", isAnswer ? message.sender : message.addressee)
    fact.take(\.answers, "answers", answers)
    fact.take(\.conversation, "conversation", answers)
    try scope.setTime(
      of: &fact, from: [isAnswer ? nil : appointment["created"]], resource: appointment,
      else: message.recordedAt)
    result.facts = [fact]
    return .mapped(result)
  }
}

/// What an Appointment says, of R4 and STU3, in a message or alone.
struct FHIRBooking: Sendable {
  let appointment: FHIRDocument.Resource
  let scope: FHIRScope

  init(_ appointment: FHIRDocument.Resource, scope: FHIRScope) {
    self.appointment = appointment
    self.scope = scope
  }

  /// The participant who is a patient.
  var patient: FHIRNode? { patients.first }

  /// The same, where a group is booked together.
  var patients: [FHIRNode] {
    let actors = appointment.node.all("participant").compactMap { $0["actor"] }
    return actors.filter { actor in
      scope.document.resource(actor, from: appointment)?.type == "Patient"
        || FHIRDocument.type(of: actor) == "Patient"
        || FHIRReader.isNHSNumber(actor["identifier"]?["system"]?.text)
    }
  }

  /// The referral that it is a booking of.
  var handoff: Found<RawReference>? {
    let referrals =
      appointment.node.all("basedOn").map {
        scope.id($0, from: appointment, type: "ServiceRequest")
      }
      + appointment.node.all("incomingReferral").map { ERSMapper.referral($0) }
    return referrals.compactMap(\.self).first
  }

  /// Without parties and time; `nil` where nothing is booked yet.
  ///
  /// A booking given up leaves the handoff as it was, without the slot: there is no event for that,
  /// so it is `Booked` with a reason and no time (domain.md §2.2, row 12).
  func fact(speaker: SpeakerRole) throws(MappingError) -> MappedFact? {
    let status = appointment["status"]
    guard let meaning = FHIRStates.appointment.meaning(of: status?.text) else {
      throw MappingError(
        code("fhir.code-unknown"), field: "\(appointment.path).status",
        explanation: "an Appointment has none of the statuses of FHIR")
    }
    guard case .says(let said) = meaning, let said = said.first else { return nil }
    var fact = MappedFact(type: said.type, speaker: speaker)
    fact.provenance["type"] = status?.path
    fact.take(\.handoff, "handoff", handoff)
    fact.refer(scope.ids(of: appointment))
    let isGivenUp = ["cancelled", "entered-in-error"].contains(status?.text)
    if isGivenUp {
      fact.take(
        \.reason, "reason", status.map { Found(code("booking-cancelled"), $0.path) })
    } else if said.type == .booked {
      fact.take(
        \.bookedFor, "bookedFor",
        try scope.reader.time(appointment["start"])?.map { $0.timestamp })
    }
    return fact
  }
}
