import HandoffCore

/// ORU and MDM: what came back on an order, on its way or as its outcome.
struct HL7ResultMapper: Sendable {
  private let envelope: HL7Envelope
  private var message: HL7Message { envelope.message }

  init(_ envelope: HL7Envelope) { self.envelope = envelope }

  /// ORU^R01: each order's results, final ones as its outcome that reached the referrer.
  func mapResults() throws(MappingError) -> MappingOutcome {
    guard envelope.trigger == "R01" else {
      throw HL7Envelope.unsupportedEvent("of results, the event ORU^R01 is taken here")
    }
    var result = try envelope.message(requiringPerson: true)
    for order in orders() {
      for type in meaning(of: order) {
        var fact = envelope.factFromReceiver(type.event)
        fact.provenance["type"] = type.field
        fact.set(handoff: order.number)
        fact.set(references: order.references + [envelope.reference("PV1", 19)])
        if type.event == .completed { fact.set(outcome: type.outcome, field: type.field) }
        result.facts.append(fact)
      }
    }
    guard !result.facts.isEmpty else {
      return .noHandoffFact(result, reason: code("result.no-order-reference"))
    }
    return .mapped(result)
  }

  /// MDM with content (T02, T04, T06, T08, T10): a document to the referrer.
  func mapDocument() throws(MappingError) -> MappingOutcome {
    guard let number = Int(envelope.trigger.dropFirst()), envelope.trigger.hasPrefix("T"),
      (1...11).contains(number)
    else {
      throw HL7Envelope.unsupportedEvent("of documents, the events MDM^T01 to T11 are taken here")
    }
    var result = try envelope.message(requiringPerson: true)
    guard number.isMultiple(of: 2) else {
      return .noHandoffFact(result, reason: code("mdm.no-document"))
    }
    let owner = envelope.addresseeName
    // TXA-17: only what its author has signed is feedback; a draft may still change.
    let isSigned = ["AU", "LA"].contains(message.value("TXA", 17)?.uppercased())
    let isComplete = message.value("ORC", 5)?.uppercased() == "CM"
    let types: [EventType] =
      (isComplete ? [.completed] : []) + [isSigned || isComplete ? .feedbackSent : .interim]
    for type in types {
      var fact = envelope.factFromReceiver(type)
      fact.provenance["type"] =
        isComplete ? "MSH-9, ORC-5" : isSigned ? "MSH-9, TXA-17" : "MSH-9"
      fact.set(
        handoff: envelope.reference("ORC", 2, owner: owner)
          ?? envelope.reference("OBR", 2, owner: owner)
          ?? envelope.reference("TXA", 14, owner: owner))
      fact.set(references: [
        envelope.reference("ORC", 3), envelope.reference("OBR", 3), envelope.reference("TXA", 12),
        envelope.reference("PV1", 19), envelope.reference("PV1", 50),
      ])
      if let replaced = envelope.reference("TXA", 13) {
        fact.supersedes = replaced
        fact.provenance["supersedes"] = "TXA-13"
      }
      if type == .completed { fact.set(outcome: "ORC-5:CM", field: "ORC-5") }
      guard fact.handoff != nil || !fact.references.isEmpty else {
        return .noHandoffFact(result, reason: code("result.no-order-reference"))
      }
      result.facts.append(fact)
    }
    return .mapped(result)
  }

  /// The results of one order number.
  private struct Order {
    var number: RawReference?
    var references: [RawReference?] = []
    /// ORC-5.
    var status: String?
    /// OBR-25 of every battery of the order.
    var results: [String?] = []
  }

  /// One fact's type, the field that says so, and the outcome where it is one.
  private typealias Meaning = (event: EventType, field: String, outcome: String?)

  private func meaning(of order: Order) -> [Meaning] {
    guard order.number != nil || order.references.contains(where: { $0 != nil }) else { return [] }
    if order.status == "CM" {
      return [(.completed, "ORC-5", "ORC-5:CM"), (.feedbackSent, "MSH-9, ORC-5", nil)]
    }
    if order.status == "CA" || order.status == "DC" { return [(.couldNotComplete, "ORC-5", nil)] }
    // HL7 table 0123: F and C are final, X is that nothing can be had.
    let finals: Set = ["F", "C"]
    if !order.results.isEmpty, order.results.allSatisfy({ $0 == "X" }) {
      return [(.couldNotComplete, "OBR-25", nil)]
    }
    if !order.results.isEmpty, order.results.allSatisfy({ finals.contains($0 ?? "") }) {
      return [(.completed, "OBR-25", "OBR-25:F"), (.feedbackSent, "MSH-9, OBR-25", nil)]
    }
    return [(.interim, "MSH-9", nil)]
  }

  /// The orders in the order they stand; an OBR without an ORC before it is of its own OBR-2.
  private func orders() -> [Order] {
    let owner = envelope.addresseeName
    var orders: [Order] = []
    var common: HL7Segment?
    for segment in message.segments {
      switch segment.name {
      case "ORC":
        common = segment
        if let number = envelope.reference(segment, 2, owner: owner) {
          merge(number, segment, envelope.reference(segment, 3), into: &orders)
        }
      case "OBR":
        let number =
          envelope.reference(common, 2, owner: owner)
          ?? envelope.reference(segment, 2, owner: owner)
        merge(
          number, common, envelope.reference(common, 3) ?? envelope.reference(segment, 3),
          into: &orders)
        orders[orders.count - 1].results.append(segment.value(25)?.uppercased())
        common = nil
      default: break
      }
    }
    return orders
  }

  /// Adds to the order of that number where it is the one before, else begins another.
  private func merge(
    _ number: RawReference?, _ common: HL7Segment?, _ filler: RawReference?,
    into orders: inout [Order]
  ) {
    let isSame =
      orders.last.map { last in
        number == nil
          ? last.number == nil && last.references == [filler]
          : last.number?.value == number?.value && last.number?.assigner == number?.assigner
      } ?? false
    if !isSame { orders.append(Order(number: number, references: [filler])) }
    if let status = common?.value(5) { orders[orders.count - 1].status = status.uppercased() }
  }
}
