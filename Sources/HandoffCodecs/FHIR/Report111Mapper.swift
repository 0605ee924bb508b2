import HandoffCore

/// The referral of NHS 111 as FHIR (STU3 event `referral-1`).
///
/// It is the same document as the one in CDA (``ITK111Mapper``): what names the handoff is the
/// document's set, so that both rails speak of one handoff.
struct Report111Mapper: Sendable {
  static let event = "referral-1"
  private let message: FHIRMessage
  private var document: FHIRDocument { message.document }
  private var scope: FHIRScope { message.scope }

  init(_ message: FHIRMessage) { self.message = message }

  func map() throws(MappingError) -> MappingOutcome {
    let request = document.first("ReferralRequest")
    let composition = document.first("Composition")
    let encounter = document.first("Encounter")
    let subject = request?["subject"] ?? composition?["subject"] ?? encounter?["subject"]
    var result = message.base
    result.take(
      \.person, "person",
      try message.person(subject: subject, of: request ?? composition ?? encounter))
    guard result.person != nil else {
      throw MappingError(
        code("identity.patient-missing"), field: "Bundle.entry",
        explanation: "the referral names no patient that the Bundle holds")
    }
    guard
      let handoff = composition.flatMap({ scope.ownID(of: $0, requiresIdentifier: true) })
        ?? request.flatMap({ scope.ownID(of: $0) })
    else {
      throw MappingError(
        code("fhir.resource-missing"), field: "Bundle.entry",
        explanation: "the referral has neither a Composition nor a ReferralRequest")
    }
    var fact = MappedFact(type: .handoffRequested, speaker: .sender)
    fact.provenance["type"] = message.base.provenance["messageType"]
    fact.take(\.handoff, "handoff", handoff)
    fact.refer(
      scope.ids(of: composition) + scope.ids(of: request) + scope.ids(of: encounter),
      limit: message.context.limits.identifierMax)
    let requester = request?["requester"]
    let source = request ?? message.header
    fact.take(
      \.from, "from",
      scope.reader.party(requester?["onBehalfOf"], from: source)
        ?? scope.reader.party(requester?["agent"], from: source)
        ?? scope.reader.party(encounter?["serviceProvider"], from: encounter ?? source)
        ?? message.sender)
    fact.take(
      \.to, "to", message.addressee ?? scope.reader.party(request?["recipient"], from: source))
    let interaction = message.reason
    scope.addNeed(of: request, useCase: interaction, to: &fact)
    try scope.setTime(
      of: &fact, from: [request?["authoredOn"], composition?["date"]], resource: nil,
      else: message.recordedAt)
    result.facts = [fact]
    return .mapped(result)
  }
}
