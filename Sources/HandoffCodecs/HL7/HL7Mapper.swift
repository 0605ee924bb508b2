import HandoffCore

/// Maps one HL7 v2 message to what it says of handoffs (domain.md §2.2).
///
/// What each trigger means is the reviewed table ``HL7Meaning/table``.
struct HL7Mapper: Sendable {
  let context: MappingContext

  func map(_ bytes: some Collection<UInt8>) -> MappingOutcome {
    // Enough for any MSH segment; the rest is not needed to name the message in a refusal.
    let header = HL7Header(bytes.prefix(16_384))
    do {
      let message = try HL7Message(bytes, limits: context.limits)
      try Self.refuseContinuation(message)
      return try map(HL7Envelope(message, context: context))
    } catch {
      return .refused(error.about(messageID: header?.controlID, messageType: header?.messageType))
    }
  }

  private func map(_ envelope: HL7Envelope) throws(MappingError) -> MappingOutcome {
    switch envelope.type {
    case "ADT": try HL7AdmissionMapper(envelope).map()
    case "REF": try HL7ReferralMapper(envelope).mapRequest()
    case "RRI": try HL7ReferralMapper(envelope).mapAnswer()
    case "ACK": try HL7AnswerMapper(envelope).map()
    case "SIU": try HL7ScheduleMapper(envelope).map()
    case "OMG", "ORM", "OSU", "ORG", "ORR": try HL7OrderMapper(envelope).map()
    case "ORU": try HL7ResultMapper(envelope).mapResults()
    case "MDM": try HL7ResultMapper(envelope).mapDocument()
    default:
      throw MappingError(
        code("hl7.unsupported-message"), field: "MSH-9",
        explanation: "taken here are ADT, REF, RRI, ACK, SIU, OMG, ORM, OSU, ORG, ORR, ORU and MDM",
        acknowledgement: .reject)
    }
  }

  /// A message in several pieces (chapter 2.10.2): half of it could say the opposite of the whole.
  private static func refuseContinuation(_ message: HL7Message) throws(MappingError) {
    let field: String? =
      message.value("MSH", 14) != nil
      ? "MSH-14" : message.first("ADD") != nil ? "ADD" : message.first("DSC") != nil ? "DSC-1" : nil
    guard let field else { return }
    throw MappingError(
      code("hl7.continuation-unsupported"), field: field,
      explanation: "a message that is continued in another is not put together here;"
        + " send it in one piece",
      acknowledgement: .reject)
  }
}
