import HandoffCore

/// ITK3 over MESH: documents sent (GP Connect Send Document, ITK007C), and the responses to them.
struct ITK3Mapper: Sendable {
  private let message: FHIRMessage
  private var document: FHIRDocument { message.document }
  private var scope: FHIRScope { message.scope }

  init(_ message: FHIRMessage) { self.message = message }

  static func isITK3(_ message: FHIRMessage) -> Bool {
    message.eventSystem?.contains("ITK-MessageEvent") ?? false
      || message.event.hasPrefix("ITK0") || handling(message.header) != nil
  }

  /// The handling specification, of any version.
  private static func handling(_ header: FHIRDocument.Resource) -> FHIRNode? {
    header.node.all("extension").first {
      $0["url"]?.text?.contains("Extension-ITK-MessageHandling") ?? false
    }
  }

  func map() throws(MappingError) -> MappingOutcome {
    message.header["response"] == nil ? try mapDocument() : try mapResponse()
  }

  // MARK: Documents

  private func mapDocument() throws(MappingError) -> MappingOutcome {
    var result = message.base
    guard let composition = document.first("Composition") else {
      return .noHandoffFact(result, reason: code("itk3.no-document"))
    }
    result.take(
      \.person, "person", try message.person(subject: composition["subject"], of: composition))
    guard result.person != nil else {
      throw MappingError(
        code("identity.patient-missing"), field: "\(composition.path).subject",
        explanation: "the document names no patient that the message holds")
    }
    let replaced = composition.node.all("relatesTo").first { $0["code"]?.text == "replaces" }
    let earlier = replaced.flatMap {
      scope.id($0["targetReference"], from: composition, type: "Composition")
        ?? $0["targetIdentifier"].flatMap { scope.identifier($0, of: "Composition") }
    }
    let ids = documentIDs(composition)
    guard let own = ids.compactMap(\.self).first else {
      throw FHIRResourceMapper.missingID(composition)
    }
    var fact = MappedFact(
      type: earlier == nil ? .handoffRequested : .handoffAmended, speaker: .sender)
    fact.provenance["type"] =
      [message.base.provenance["messageType"], replaced?["code"]?.path].compactMap(\.self)
      .joined(separator: ", ")
    fact.take(\.handoff, "handoff", earlier ?? own)
    fact.take(\.supersedes, "supersedes", earlier)
    fact.refer(ids, limit: message.context.limits.identifierMax)
    fact.take(\.from, "from", message.sender)
    fact.take(\.to, "to", message.addressee)
    let handling = Self.handling(message.header)
    let local = handling?.extension(named: "LocalExtension")?["valueString"]?.found
    let kinds = composition.node.codings("type").compactMap { $0["code"]?.found }
    scope.addKind([local].compactMap(\.self) + kinds, to: &fact)
    scope.addPriority(nil, to: &fact)
    let recipient = handling?.extension(named: "RecipientType")?["valueCoding"]?["code"]
    if recipient?.text == "FI" {
      // For information: nobody is asked to do anything, so nothing has to come back.
      fact.take(\.isFeedbackOwed, "isFeedbackOwed", recipient.map { Found(false, $0.path) })
    }
    try scope.setTime(
      of: &fact, from: [message.header["timestamp"], composition["date"]], resource: nil,
      else: message.recordedAt)
    result.facts = [fact]
    return .mapped(result)
  }

  /// Composition.identifier, else what the document's Bundle is called, else the Composition's id.
  private func documentIDs(_ composition: FHIRDocument.Resource) -> [Found<RawReference>?] {
    let bundles = document.root.all("entry").compactMap { $0["resource"] }.filter {
      $0["resourceType"]?.text == "Bundle"
    }
    let handling = Self.handling(message.header)
    let sender = handling?.extension(named: "SenderReference")?["valueString"]?.found
    return composition.node.all("identifier").map { scope.identifier($0, of: "Composition") }
      + (bundles + [document.root]).map { bundle in
        bundle["identifier"].flatMap { scope.identifier($0, of: "Bundle") }
      }
      + [sender?.map { RawReference(system: code("ITK.SenderReference"), value: $0) }]
      + scope.ids(of: composition) + scope.ids(of: message.header)
  }

  // MARK: Responses

  /// One fact for each code: an infrastructure and a business response may come as one message.
  ///
  /// A response carries no identity (domain.md §1.2); what one holds in spite of that is not read.
  private func mapResponse() throws(MappingError) -> MappingOutcome {
    var result = message.base
    guard let answers = message.answers else {
      throw MappingError(
        code("fhir.field-missing"), field: "\(message.header.path).response.identifier",
        explanation: "nothing names the message that this answers")
    }
    let issues = document.all("OperationOutcome").flatMap { $0.node.all("issue") }
    let words = issues.flatMap { $0.codings("details").compactMap { $0["code"]?.found } }
    let status = message.header["response"]?["code"]?.found
    for word in words {
      let said: Said
      switch ITK3Codes.rows.meaning(of: ITK3Codes.normal(word.value)) {
      case .says(let row)?:
        guard let first = row.first else { continue }
        said = first
      case .nothing?: continue
      case nil:
        // A code of a later list; that it is fatal is said beside it.
        guard status?.value == "fatal-error" else { continue }
        said = .platform(.transportFailed)
      }
      let fact = try fact(said, word: word, answers: answers)
      guard let known = result.facts.firstIndex(where: { $0.type == said.type }) else {
        result.facts.append(fact)
        continue
      }
      // Of several reasons a death is the one by which clocks stop (A22, A23).
      if ITK3Codes.normal(word.value) == ITK3Codes.deceased { result.facts[known] = fact }
    }
    if result.facts.isEmpty, words.isEmpty, let status {
      let said: Said = .platform(status.value == "ok" ? .delivered : .transportFailed)
      result.facts = [try fact(said, word: status, answers: answers)]
    }
    guard !result.facts.isEmpty else {
      return .noHandoffFact(result, reason: code("itk3.code-unknown"))
    }
    return .mapped(result)
  }

  private func fact(
    _ said: Said, word: Found<String>, answers: Found<RawReference>
  ) throws(MappingError) -> MappedFact {
    var fact = MappedFact(type: said.type, speaker: said.speaker)
    fact.provenance["type"] = word.path
    fact.take(\.reason, "reason", word.map { Code("itk:\($0)") })
    fact.take(\.answers, "answers", answers)
    fact.take(\.conversation, "conversation", answers)
    fact.take(\.from, "from", message.addressee)
    fact.take(\.to, "to", message.sender)
    try scope.setTime(
      of: &fact, from: [message.header["timestamp"]], resource: nil, else: message.recordedAt)
    return fact
  }
}

extension FHIRNode {
  /// The extension inside this one that has that name for a URL.
  func `extension`(named name: String) -> FHIRNode? {
    all("extension").first { $0["url"]?.text == name }
  }
}

/// ITK-ResponseCodes-1 (domain.md §1.2).
enum ITK3Codes {
  static let rows: [StatusRow] =
    [
      .init("20013", .platform(.delivered), note: "success"),
      .init("20007", .platform(.delivered), note: "duplicate message: it was there already"),
      .init("20008", .platform(.delivered), note: "duplicate document: it was there already"),
      .init("30001", .receiver(.received), note: "the patient is known here"),
      .init("30002", .receiver(.recipientRefusedPatient), note: "not known"),
      .init("30003", .receiver(.recipientRefusedPatient), note: "no longer here"),
      .init("30004", .receiver(.recipientRefusedPatient), note: "recently deceased"),
      .init("30005", .receiver(.accepted), note: "referral open"),
      .init("30006", .receiver(.completed), note: "referral completed"),
      .init("30007", .receiver(.redirected), note: "escalated back to the GP, who must act on it"),
      .init(
        "30008", .receiver(.redirected),
        note: "the person was signposted elsewhere: nobody has taken the work until somebody does"),
    ]
    + [
      "10001", "10002", "10003", "10004", "10005", "10007", "10008", "10009", "10010", "20001",
      "20002", "20003", "20004", "20005", "20006", "20009", "20010", "20011", "20012", "20014",
      "20015",
    ].map { StatusRow($0, .platform(.transportFailed)) }

  /// The patient has died: nobody is asked to send it elsewhere.
  static let deceased = "30004"

  /// The specification itself prints `200001` once.
  static func normal(_ code: String) -> String { code == "200001" ? "20001" : code }
}
