import HandoffCore

/// ebXML Message Service 2.0 as Spine speaks it: acknowledgements and errors.
struct EbXMLMapper: Sendable {
  let context: MappingContext

  /// `toPartyMSH` is the receiver's own message handler; an acknowledgement of any other node on
  /// the way says only that the message is on its way (ebMS 2.0 §2.3.11).
  private static let receiversActor = "urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH"

  func map(_ header: XMLPlace, envelope: XMLPlace) throws(MappingError) -> MappingOutcome {
    let data = header["MessageData"]
    var result = MappedMessage(messageType: "ebXML")
    let action = header["Action"]?.found
    result.provenance["messageType"] = action?.path ?? header.path
    if let action, Code(action.value) != nil { result.messageType = "ebXML \(action.value)" }
    result.take(\.messageID, "messageID", data?["MessageId"]?.found)
    result.take(\.sendingSystem, "sendingSystem", header.at("From", "PartyId")?.found)
    result.take(\.receivingSystem, "receivingSystem", header.at("To", "PartyId")?.found)
    result.take(\.recordedAt, "recordedAt", try time(data?["Timestamp"]))
    let soapHeader = envelope["Header"]
    if let errors = soapHeader?["ErrorList"] {
      return try failure(errors, data: data, header: header, result: result)
    }
    if let acknowledgement = soapHeader?["Acknowledgment"] {
      return try receipt(acknowledgement, data: data, header: header, result: result)
    }
    return .noHandoffFact(result, reason: code("ebxml.no-handoff-meaning"))
  }

  private func receipt(
    _ acknowledgement: XMLPlace, data: XMLPlace?, header: XMLPlace, result: MappedMessage
  ) throws(MappingError) -> MappingOutcome {
    let actor = acknowledgement.attribute("actor")
    let isReceivers = actor?.value == Self.receiversActor
    var fact = try answer(
      isReceivers ? .delivered : .transportAccepted,
      to: acknowledgement["RefToMessageId"]?.found ?? data?["RefToMessageId"]?.found, header: header
    )
    fact.provenance["type"] = actor?.path ?? acknowledgement.path
    var when = try time(acknowledgement["Timestamp"])
    if when == nil { when = try time(data?["Timestamp"]) }
    fact.take(\.occurredAt, "occurredAt", when)
    var result = result
    result.facts = [fact]
    return .mapped(result)
  }

  private func failure(
    _ errors: XMLPlace, data: XMLPlace?, header: XMLPlace, result: MappedMessage
  ) throws(MappingError) -> MappingOutcome {
    let worst = errors.attribute("highestSeverity")
    guard worst?.value != "Warning" else {
      return .noHandoffFact(result, reason: code("ebxml.warning"))
    }
    var fact = try answer(.transportFailed, to: data?["RefToMessageId"]?.found, header: header)
    fact.provenance["type"] = worst?.path ?? errors.path
    let error =
      errors.all("Error").first { $0.attribute("severity")?.value != "Warning" }
    fact.take(
      \.reason, "reason", error?.attribute("errorCode")?.map { Code("ebxml:\($0)") })
    fact.take(\.occurredAt, "occurredAt", try time(data?["Timestamp"]))
    var result = result
    result.facts = [fact]
    return .mapped(result)
  }

  private func answer(
    _ type: EventType, to message: Found<String>?, header: XMLPlace
  ) throws(MappingError) -> MappedFact {
    guard let message, message.value.utf8.count <= context.limits.identifierMax else {
      throw MappingError(
        code("ebxml.field-missing"), field: "MessageData/RefToMessageId",
        explanation: "nothing names the message that this answers, or its id is too long")
    }
    var fact = MappedFact(type: type, speaker: .platform)
    let reference = message.map { RawReference(system: code("ebXML"), value: $0) }
    fact.take(\.answers, "answers", reference)
    let conversation = header["ConversationId"]?.found.flatMap { found in
      found.value.utf8.count <= context.limits.identifierMax
        ? found.map { RawReference(system: code("ebXML.ConversationId"), value: $0) } : nil
    }
    fact.take(\.conversation, "conversation", conversation ?? reference)
    return fact
  }

  private func time(_ place: XMLPlace?) throws(MappingError) -> Found<Timestamp>? {
    guard let found = place?.found else { return nil }
    guard let time = ISOTime(found.value, localTime: context.localTime) else {
      throw MappingError(
        code("ebxml.timestamp"), field: found.path,
        explanation: "a time is YYYY-MM-DDThh:mm:ss with a zone")
    }
    return Found(time.timestamp, found.path)
  }
}
