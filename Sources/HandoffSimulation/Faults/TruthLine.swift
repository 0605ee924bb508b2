internal import HandoffCodecs
internal import HandoffCore

/// A truth as one line of JSON: what a truth file holds.
package struct TruthLine: Codable, Hashable, Sendable {
  package var fault: Fault
  /// The rule that should speak; absent where nothing should.
  package var rule: String?
  /// `handoff`, `person`, `source` or `bus`.
  package var subject: String
  package var patientKey: String?
  package var handoffId: String?
  package var source: String?
  package var kind: String?
  /// RFC 3339, in UTC.
  package var happenedAt: String
  package var knowableAt: String

  package init(_ truth: Truth) {
    fault = truth.fault
    rule = truth.rule?.rawValue
    patientKey = truth.subject.patientKey?.description
    handoffId = truth.subject.handoffID?.description
    kind = truth.kind?.description
    happenedAt = RFC3339.text(truth.happenedAt)
    knowableAt = RFC3339.text(truth.knowableAt)
    switch truth.subject {
    case .handoff: subject = "handoff"
    case .person: subject = "person"
    case .source(let code):
      subject = "source"
      source = code.description
    case .bus: subject = "bus"
    }
  }

  /// The truth; `nil` where a member is not what it should be.
  package var truth: Truth? {
    guard let happened = RFC3339.parse(happenedAt), let knowable = RFC3339.parse(knowableAt),
      let subject = verdictSubject
    else { return nil }
    let rule = rule.map { Rule(rawValue: $0) }
    if case .some(nil) = rule { return nil }
    return Truth(
      fault: fault, rule: rule ?? nil, subject: subject, kind: kind.flatMap { HandoffKind($0) },
      happenedAt: happened, knowableAt: knowable)
  }

  private var verdictSubject: Verdict.Subject? {
    switch subject {
    case "handoff":
      guard let key = patientKey.flatMap({ PatientKey($0) }),
        let id = handoffId.flatMap({ HandoffID($0) })
      else { return nil }
      return .handoff(id, of: key)
    case "person": return patientKey.flatMap { PatientKey($0) }.map { .person($0) }
    case "source": return source.flatMap { Code($0) }.map { .source($0) }
    case "bus": return .bus
    default: return nil
    }
  }
}
