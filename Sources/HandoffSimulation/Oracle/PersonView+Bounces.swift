import HandoffCore

/// A15: one need, journey or line of handoffs that goes to and fro.
extension PersonView {
  private enum Turn {
    case start, hop(OrganisationID?), disposition, visit(OrganisationID?)

    /// Of what happened at one moment an end comes before the request that follows from it.
    var rank: Int {
      switch self {
      case .start: 0
      case .hop: 1
      case .disposition: 2
      case .visit: 3
      }
    }
  }

  private struct Happening {
    var turn: Turn
    var step: Step
    var handoff: HandoffID
  }

  var bounceClaims: [Claim] {
    var rest = requested
    var claims: [Claim] = []
    while let first = rest.popLast() {
      var line = [first]
      while let next = rest.firstIndex(where: { other in line.contains { areLinked($0, other) } }) {
        line.append(rest.remove(at: next))
      }
      claims += bounce(line)
    }
    return claims
  }

  private func areLinked(_ left: Life, _ right: Life) -> Bool {
    guard let one = left.content, let two = right.content else { return false }
    if let need = one.needKey, need == two.needKey { return true }
    if let journey = one.journeyID, journey == two.journeyID { return true }
    return one.parentHandoffID == right.id || two.parentHandoffID == left.id
      || left.redirectedTo == right.id || right.redirectedTo == left.id
  }

  private func bounce(_ line: [Life]) -> [Claim] {
    let happenings = line.flatMap(happenings(of:)).sorted {
      ($0.step.event.occurredAt, $0.turn.rank, $0.handoff)
        < ($1.step.event.occurredAt, $1.turn.rank, $1.handoff)
    }
    var hops: [Step] = []
    var left: [(service: OrganisationID, step: Step)] = []
    var found: Claim?
    for happening in happenings {
      let step = happening.step
      func isLongAgo(_ other: Step) -> Bool {
        step.event.occurredAt.since(other.event.occurredAt) > step.policy.windows.bounce
      }
      hops.removeAll(where: isLongAgo)
      left.removeAll { isLongAgo($0.step) }
      var isBounce = false
      switch happening.turn {
      case .start, .disposition: (hops, left, found) = ([], [], nil)
      case .hop(let service):
        hops.append(step)
        if let service { left.append((service, step)) }
        isBounce = hops.count >= 3
      case .visit(let service):
        isBounce = left.contains { $0.service == service }
      }
      if isBounce {
        found = found ?? Claim(.a15, happening.handoff, event: step.event.id, due: step.at)
      }
    }
    return found.map { [$0] } ?? []
  }

  private func happenings(of life: Life) -> [Happening] {
    guard let request = life.request else { return [] }
    var all = [Happening(turn: .visit(life.receiver), step: request, handoff: life.id)]
    if let end = life.end, life.state == .rejected || life.state == .redirected {
      let reason = end.event.reason?.description ?? ""
      // Asked to complete it and to send it again: no bounce.
      if reason != "03", !reason.hasSuffix(":03") {
        all.append(Happening(turn: .hop(life.receiver), step: end, handoff: life.id))
      }
    }
    if let said = life.disposition {
      all.append(Happening(turn: .disposition, step: said, handoff: life.id))
    }
    // What was done was begun; a letter is done with when it is read.
    if let start = life.start ?? life.completion ?? (life.state == .closed ? life.end : nil) {
      all.append(Happening(turn: .start, step: start, handoff: life.id))
    }
    return all
  }
}
