import HandoffCore

/// OMG, ORM, OSU, ORG and ORR: orders as handoffs, as IHE 360X uses them for referrals.
///
/// One handoff an order: ORC-2 is its id, ORC-1 says who speaks and what they ask (HL7 table 0119),
/// ORC-5 where the order stands (HL7 table 0038).
struct HL7OrderMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }
  private var context: MappingContext { envelope.context }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  /// What one order says: a fact of the placer or of the filler, or none and why.
  private enum Meaning {
    case placer(EventType, field: String)
    case filler([EventType], field: String)
    case nothing(Code)
  }

  func map() throws(MappingError) -> MappingOutcome {
    guard Self.events[envelope.type] == envelope.trigger else {
      throw HL7Envelope.unsupportedEvent(
        "of orders, OMG^O19, ORM^O01, OSU^O51, ORG^O20 and ORR^O02 are taken here")
    }
    var result = try envelope.message(requiringPerson: false)
    let answer = HL7AnswerMapper(envelope)
    if message.first("MSA") != nil, var refusal = answer.refusal() {
      refusal.set(handoff: envelope.reference("ORC", 2, owner: envelope.addresseeName))
      result.facts = [refusal]
      return .mapped(result)
    }
    let orders = message.groups(startingWith: "ORC")
    guard !orders.isEmpty else { throw HL7Envelope.missing("ORC") }
    var nothing = code("order.no-order-number")
    for order in orders {
      let order = Order(segments: order)
      switch meaning(of: order) {
      case .nothing(let reason): nothing = reason
      case .placer(let type, let field):
        guard var fact = fact(envelope.factFromSender(type), order, field, envelope.senderName)
        else { continue }
        addNeed(to: &fact, order)
        result.facts.append(fact)
      case .filler(let types, let field):
        for type in types {
          let base = envelope.factFromReceiver(type)
          guard var fact = fact(base, order, field, envelope.addresseeName) else { continue }
          try addAnswer(to: &fact, order)
          fact.set(answers: answer.reference)
          result.facts.append(fact)
        }
      }
    }
    guard !result.facts.isEmpty else { return .noHandoffFact(result, reason: nothing) }
    let asks = result.facts.contains { $0.type == .handoffRequested }
    if asks, result.person == nil { throw HL7Envelope.missing("PID") }
    return .mapped(result)
  }

  private static let events = [
    "OMG": "O19", "ORM": "O01", "OSU": "O51", "ORG": "O20", "ORR": "O02",
  ]

  private func meaning(of order: Order) -> Meaning {
    let status = order.status
    switch order.control {
    case "NW"? where status != "CM": return .placer(.handoffRequested, field: "ORC-1")
    case "XO"?, "RP"?: return .placer(.handoffAmended, field: "ORC-1")
    case "CA"?, "DC"?: return .placer(.cancelled, field: "ORC-1")
    case "UA"?: return .filler([.rejected], field: "ORC-1")
    case "OK"? where status == nil: return .filler([.accepted], field: "ORC-1")
    case "OC"?: return .filler([.rejected], field: "ORC-1")
    case "OD"?: return .filler([.couldNotComplete], field: "ORC-1")
    case "OH"?: return .filler([.infoRequested], field: "ORC-1")
    case "CR"?, "DR"?: return .nothing(code("order.cancellation-confirmed"))
    case "UC"?, "UD"?: return .nothing(code("order.cancellation-refused"))
    case "HD"?, "RL"?: return .nothing(code("order.hold-request"))
    default: return statusMeaning(of: order)
    }
  }

  /// A change of status is the filler's, unless the order number is the sender's own: then it is
  /// the initiator, who confirms one receiver or withdraws (IHE 360X, one-to-many and PCC-58).
  private func statusMeaning(of order: Order) -> Meaning {
    if envelope.isSenders(order.segment.value(2, 2)) {
      return ["CA", "DC"].contains(order.status)
        ? .placer(.cancelled, field: "ORC-5") : .nothing(code("order.confirmed-by-placer"))
    }
    switch order.status {
    case "IP"?: return .filler([.accepted], field: "ORC-5")
    case "SC"?: return .filler([.booked], field: "ORC-5")
    case "HD"?: return .filler([.infoRequested], field: "ORC-5")
    case "A"?: return .filler([.interim], field: "ORC-5")
    // A status message declines; in a message of the order's content the work had begun.
    case "CA"?:
      return .filler([envelope.type == "OSU" ? .rejected : .couldNotComplete], field: "ORC-5")
    case "DC"?: return .filler([.couldNotComplete], field: "ORC-5")
    case "ER"?: return .filler([.rejected], field: "ORC-5")
    // PCC-57: the outcome goes to the initiator with this very message.
    case "CM"?:
      return .filler(
        envelope.type == "OMG" ? [.completed, .feedbackSent] : [.completed], field: "ORC-5")
    default: return .nothing(code("order.no-request"))
    }
  }

  /// The fact with the order's ids; `nil` where nothing names the order.
  private func fact(
    _ base: MappedFact, _ order: Order, _ field: String, _ owner: String?
  ) -> MappedFact? {
    var fact = base
    fact.provenance["type"] = field
    let number =
      envelope.reference(order.segment, 2, owner: owner)
      ?? envelope.reference(order.observation, 2, owner: owner)
    fact.set(handoff: number)
    fact.set(conversation: number)
    fact.set(references: [
      envelope.reference(order.observation, 2, owner: owner),
      envelope.reference(order.segment, 3), envelope.reference(order.observation, 3),
    ])
    guard number != nil || !fact.references.isEmpty else { return nil }
    if fact.type == .cancelled || fact.type == .rejected || fact.type == .couldNotComplete
      || fact.type == .infoRequested
    {
      fact.set(reason: order.segment.value(16), field: "ORC-16")
    }
    return fact
  }

  private func addNeed(to fact: inout MappedFact, _ order: Order) {
    let service = order.observation?.value(4)
    fact.needCode = service.flatMap { Code($0) }
    fact.provenance["needCode"] = fact.needCode == nil ? nil : "OBR-4"
    let kind = service.flatMap { context.kinds["OBR-4:\($0)"] ?? context.kinds[$0] }
    fact.kind = kind ?? context.defaultKind
    fact.provenance["kind"] = kind == nil ? connectorProvenance : "OBR-4"
    let urgency = order.urgency.flatMap { urgency in
      context.priorities[urgency.text.lowercased()].map { ($0, urgency.field) }
    }
    fact.priority = urgency?.0 ?? context.defaultPriority
    fact.provenance["priority"] = urgency?.1 ?? connectorProvenance
    if let parent = order.segment.value(8, 1, 1) {
      fact.parentHandoff = RawReference(
        system: code("ORC-8"), value: parent,
        assigner: order.segment.value(8, 1, 2) ?? envelope.senderName)
      fact.provenance["parentHandoff"] = "ORC-8"
    }
  }

  private func addAnswer(to fact: inout MappedFact, _ order: Order) throws(MappingError) {
    switch fact.type {
    case .booked:
      fact.bookedFor = try envelope.time(order.timing, 7)?.timestamp
      fact.provenance["bookedFor"] = fact.bookedFor == nil ? nil : "TQ1-7"
    case .completed: fact.set(outcome: order.status.map { "ORC-5:\($0)" }, field: "ORC-5")
    default: break
    }
  }

  /// One ORC with what follows it.
  private struct Order {
    let segment: HL7Segment
    let observation: HL7Segment?
    let timing: HL7Segment?

    init(segments: [HL7Segment]) {
      segment = segments[0]
      observation = segments.first { $0.name == "OBR" }
      timing = segments.first { $0.name == "TQ1" }
    }

    var control: String? { segment.value(1)?.uppercased() }
    var status: String? { segment.value(5)?.uppercased() }

    /// TQ1-9, and where versions before 2.5 put it.
    var urgency: (text: String, field: String)? {
      timing?.value(9).map { ($0, "TQ1-9") } ?? segment.value(7, 6).map { ($0, "ORC-7") }
        ?? observation?.value(27, 6).map { ($0, "OBR-27") }
        ?? observation?.value(5).map { ($0, "OBR-5") }
    }
  }
}
