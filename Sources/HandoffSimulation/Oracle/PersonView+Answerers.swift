import HandoffCore

/// Whose word could show that a silence is none.
extension PersonView {
  /// The organisations that could speak; `nil` of what is no silence, or is said at once.
  ///
  /// The receiver answers what is asked of the receiver, the sender what is asked of the sender (a
  /// question, the next step); of what the transport or a letter may show, any of them.
  func answerers(to key: Claim.Key) -> Set<OrganisationID>? {
    if key.rule == .a20 || key.rule == .a21 { return answerersOfStay(key) }
    guard let life = key.handoff.flatMap({ lives[$0] }) else { return nil }
    let from = life.content?.from?.organisation
    let receivers = [life.receiver, taker(of: life)]
    let able: [OrganisationID?]
    switch (key.rule, key.cause) {
    case (.a11, "withdrawn"), (.a22, "deceased"), (.a24, "older-version"): return nil
    case (.a08, "hold"): able = [from]
    case (.a08, _), (.a09, _), (.a24, _): able = receivers
    case (.a07, _), (.a10, _), (.a14, _): able = [from] + receivers
    case (.a11, _), (.a22, _): able = [from, life.receiver]
    case (.a13, _):
      able = life.orphans.flatMap { [$0.event.from?.organisation, $0.event.to?.organisation] }
    default: return nil
    }
    return Set(able.compactMap(\.self))
  }

  /// Who took it up: an agent takes it for the party.
  private func taker(of life: Life) -> OrganisationID? {
    guard let by = life.acceptance?.event.spokenBy else { return life.receiver }
    guard let receiver = life.receiver, let register = life.request?.policy.register,
      !register.isOneLine(by, receiver), register.isAgent(by, of: receiver)
    else { return by }
    return receiver
  }

  private func answerersOfStay(_ key: Claim.Key) -> Set<OrganisationID>? {
    guard let said = stay.first(where: { $0.event.id == key.event }) else { return nil }
    let hospital = said.event.spokenBy ?? said.event.from?.organisation
    let theirs = requested.filter { handsOn($0, said) }.flatMap { [$0.receiver, taker(of: $0)] }
    return Set(([hospital] + theirs).compactMap(\.self))
  }
}
