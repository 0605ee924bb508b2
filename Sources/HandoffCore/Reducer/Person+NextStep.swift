extension Person {
  /// Whether another handoff takes up where the one at `index` ended (A11).
  ///
  /// That is one named by it or naming it, a new one of the same need or journey, or a sibling
  /// offer of the same need: alive, or ended later, whose own clock then speaks for both.
  func hasNextStep(at index: Int) -> Bool {
    guard handoffs.count > 1, let ended = handoffs[index].current.witness(of: .ended) else {
      return false
    }
    let this = handoffs[index]
    return handoffs.contains { other in
      guard other.id != this.id, let requested = other.current.witness(of: .requested) else {
        return false
      }
      if other.id == this.current.newHandoffID { return true }
      if this.current.state == .redirected, this.current.newHandoffID != nil {
        return other.current.parentHandoffID == this.id
      }
      let isNew = requested.occurredAt >= ended.occurredAt
      if other.current.parentHandoffID == this.id { return isNew || other.isAlive }
      if isSame(other.current.journeyID, this.current.journeyID), isNew { return true }
      guard other.isSameNeed(as: this) else { return false }
      return isNew || other.isAlive || other.speaksAfter(this, endedAt: ended.occurredAt)
    }
  }

}

private func isSame(_ left: Token?, _ right: Token?) -> Bool {
  left != nil && left == right
}

extension Handoff {
  /// Whether one of the two could be the next step of the other.
  func isLinked(with other: Handoff) -> Bool {
    guard id != other.id else { return false }
    let (mine, theirs) = (current, other.current)
    return mine.newHandoffID == other.id || theirs.newHandoffID == id
      || mine.parentHandoffID == other.id || theirs.parentHandoffID == id
      || isSameNeed(as: other) || isSame(mine.journeyID, theirs.journeyID)
  }

  /// Still under way, or done.
  fileprivate var isAlive: Bool {
    switch current.state {
    case .requested, .inTransit, .delivered, .received, .onHold, .accepted, .booked, .started,
      .completed, .closed:
      true
    case .rejected, .redirected, .cancelled, .voided, .failed, .expired: false
    }
  }

  /// Whether its own clock of the next step began after that of `other`; ties go by the id.
  fileprivate func speaksAfter(_ other: Handoff, endedAt: Timestamp) -> Bool {
    switch current.state {
    case .rejected, .redirected, .failed, .expired:
      guard let ended = current.witness(of: .ended) else { return false }
      return (ended.occurredAt, id) > (endedAt, other.id)
    default: return false
    }
  }
}
