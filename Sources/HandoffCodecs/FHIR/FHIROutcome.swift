import HandoffCore

/// OperationOutcome: how an HTTP request ended.
struct FHIROutcomeMapper: Sendable {
  let context: MappingContext

  /// What the outcome says of `answered`, the message that the request carried.
  func map(
    _ json: JSONValue, answering answered: RawReference?
  ) throws(MappingError) -> MappingOutcome {
    var result = MappedMessage(messageType: "OperationOutcome")
    result.messageID = json["id"]?.text
    let issues = json["issue"]?.elements ?? []
    guard !issues.isEmpty else {
      throw MappingError(
        code("fhir.field-missing"), field: "OperationOutcome.issue",
        explanation: "the outcome names no issue")
    }
    let isProblem = issues.contains {
      ["error", "fatal"].contains($0["severity"]?.text ?? "error")
    }
    guard isProblem else {
      return .noHandoffFact(result, reason: code("fhir.informational"))
    }
    guard let answered else {
      throw MappingError(
        code("correlation.none"), field: "OperationOutcome",
        explanation: "the outcome names neither a patient nor the message it answers")
    }
    guard let (type, reason) = verdict(json, fallback: "error") else {
      return .noHandoffFact(result, reason: code("bars.conflict"))
    }
    var fact = MappedFact(type: type, speaker: .platform)
    fact.reason = reason
    fact.answers = answered
    fact.conversation = answered
    fact.provenance["type"] = "OperationOutcome.issue.code"
    result.facts = [fact]
    return .mapped(result)
  }

  /// What an outcome proves; `nil` where it proves nothing of delivery.
  ///
  /// `duplicate` says that the message was already processed: proof that it arrived. `conflict`
  /// says that the receiver's newer data refuse it. 408 and 425 say nothing of the message's fate
  /// (``Lifecycle/isUnknownOutcome(_:)``); 429 and 503 are failures that the sender tries again.
  func verdict(_ outcome: JSONValue?, fallback: String) -> (EventType, Code?)? {
    let issue = outcome?["issue"]?[0]
    let issueCode = issue?["code"]?.text
    switch issueCode {
    case "duplicate"?: return (.delivered, Code("409:duplicate"))
    case "conflict"?: return nil
    case "timeout"?: return (.transportFailed, Code("408"))
    case "throttled"?: return (.transportFailed, Code("429"))
    case "transient"?: return (.transportFailed, Code("503"))
    default:
      let detail = FHIRCoding.codings(issue?["details"]).first?["code"]?.text
      if detail == "REC_TOO_EARLY" { return (.transportFailed, Code("425")) }
      let word = detail ?? issueCode ?? fallback
      return (.transportFailed, Code("fhir:\(word)"))
    }
  }
}
