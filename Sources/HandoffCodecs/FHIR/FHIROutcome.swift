import HandoffCore

/// OperationOutcome: how an HTTP request ended.
struct FHIROutcomeMapper: Sendable {
  let context: MappingContext

  /// What an outcome proves.
  struct Verdict: Sendable {
    var type: EventType
    var reason: Found<Code>?
  }

  /// What the outcome says of `answered`, the message that the request carried.
  func map(
    _ outcome: FHIRNode, answering answered: RawReference?
  ) throws(MappingError) -> MappingOutcome {
    var result = MappedMessage(messageType: "OperationOutcome")
    result.provenance["messageType"] = "OperationOutcome.resourceType"
    result.take(\.messageID, "messageID", outcome["id"]?.found)
    let issues = outcome.all("issue")
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
    guard let verdict = verdict(outcome, fallback: Found("error", outcome.path)) else {
      return .noHandoffFact(result, reason: code("fhir.conflict"))
    }
    result.facts = [fact(verdict, path: issues[0].path, answering: answered)]
    return .mapped(result)
  }

  private func fact(
    _ verdict: Verdict, path: String, answering answered: RawReference
  ) -> MappedFact {
    var fact = MappedFact(type: verdict.type, speaker: .platform)
    fact.take(\.reason, "reason", verdict.reason)
    fact.take(\.answers, "answers", Found(answered, "connector"))
    fact.take(\.conversation, "conversation", Found(answered, "connector"))
    fact.provenance["type"] = path
    return fact
  }

  /// An answer without a body: its status is all it says.
  func bare(_ headers: FrameHeaders, answering answered: RawReference?) -> MappingOutcome {
    let result = MappedMessage(messageType: "HTTP")
    guard let status = headers.status, let answered else {
      return .refused(
        MappingError(
          code("correlation.none"), field: "X-Request-ID",
          explanation: "the answer names neither a patient nor the message it answers"))
    }
    var verdict = Verdict(type: .transportAccepted)
    switch status {
    case 200..<300: break
    // Which of the two kinds of conflict it is, only the body says.
    case 409: return .noHandoffFact(result, reason: code("fhir.conflict"))
    case 408, 425, 429, 503:
      verdict = Verdict(
        type: .transportFailed, reason: Code("\(status)").map { Found($0, "status") })
    default:
      verdict = Verdict(
        type: .transportFailed, reason: Code("http:\(status)").map { Found($0, "status") })
    }
    var mapped = result
    mapped.provenance["messageType"] = "status"
    mapped.facts = [fact(verdict, path: "status", answering: answered)]
    return .mapped(mapped)
  }

  /// Issue codes and what they prove (domain.md §0, finding 5; §8, transport).
  ///
  /// `duplicate` says that the message was already processed: proof that it arrived. `conflict`
  /// says that the receiver's newer data refuse it. 408 and 425 say nothing of the message's fate
  /// (``Lifecycle/isUnknownOutcome(_:)``); 429 and 503 are failures that the sender tries again.
  static let issueCodes: [(code: String, type: EventType?, reason: String)] = [
    ("duplicate", .delivered, "409:duplicate"), ("conflict", nil, ""),
    ("timeout", .transportFailed, "408"), ("throttled", .transportFailed, "429"),
    ("transient", .transportFailed, "503"),
  ]

  /// What an outcome proves; `nil` where it proves nothing of delivery.
  func verdict(_ outcome: FHIRNode?, fallback: Found<String>) -> Verdict? {
    let issues = outcome?.all("issue") ?? []
    // The first problem counts: a warning beside it explains and decides nothing.
    let issue =
      issues.first { ["error", "fatal"].contains($0["severity"]?.text ?? "error") }
      ?? issues.first
    let issueCode = issue?["code"]?.found
    let detail = issue?.code("details")
    if detail?.value == "REC_TOO_EARLY", let detail {
      return Verdict(type: .transportFailed, reason: Found(code("425"), detail.path))
    }
    if let row = Self.issueCodes.first(where: { $0.code == issueCode?.value }) {
      guard let type = row.type else { return nil }
      return Verdict(
        type: type, reason: issueCode.flatMap { found in found.map { _ in Code(row.reason) } })
    }
    let word = detail ?? issueCode ?? fallback
    return Verdict(type: .transportFailed, reason: word.map { Code("fhir:\($0)") })
  }
}
