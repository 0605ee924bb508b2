// A04, the same need referred again; A06, one need referred to two services; and the half of A05
// that is about two handoffs: one need accepted by two services. No verdict without a need.
// Guards: a handoff that is part of the other; one of them ended; one-to-many offers (the same
// parent), which are A06 only W_conf after one of them was accepted; W_need.

extension Person {
  func judgePairs(_ moment: Moment, _ open: inout [Condition], _ next: inout Timestamp?) {
    guard handoffs.count > 1 else { return }
    let requested = handoffs.filter(\.isOpen).sorted { $0.requestOrder < $1.requestOrder }
    guard requested.count > 1 else { return }
    for position in 1..<requested.count {
      // One alert of a rule for the later of the two: of several that came before, the first due.
      var said: [Condition] = []
      for earlier in requested[..<position] {
        let pair = HandoffPair(
          earlier: earlier, later: requested[position], register: moment.inForce.register)
        guard pair.isOneNeed else { continue }
        for (rule, due) in pair.due(moment, among: requested) {
          guard due <= moment.now else {
            next.lower(to: due)
            continue
          }
          let known = said.firstIndex { $0.rule == rule }
          guard known.map({ due < said[$0].opened }) ?? true else { continue }
          guard let condition = pair.condition(rule, due) else { continue }
          if let known { said[known] = condition } else { said.append(condition) }
        }
      }
      open += said
    }
  }
}

/// Two open handoffs of a person, in the order in which they were requested.
private struct HandoffPair {
  let earlier: Handoff
  let later: Handoff
  let register: OrganisationRegister?

  var isOneNeed: Bool {
    later.isSameNeed(as: earlier) && later.current.parentHandoffID != earlier.id
      && earlier.current.parentHandoffID != later.id
  }

  /// Offers of one request to several.
  private var isGroup: Bool {
    let parent = later.current.parentHandoffID
    return parent != nil && parent == earlier.current.parentHandoffID
  }

  /// What is wrong with the pair, and from when on.
  func due(_ moment: Moment, among open: [Handoff]) -> [(Rule, Timestamp)] {
    var due: [(Rule, Timestamp)] = []
    let policy = moment.policies[Int(later.current.policy)]
    if let both = acceptedByTwo {
      due.append(
        (.a05, policy.windows.confirmation.due(from: both, in: policy.calendar, for: nil)))
    }
    guard isWithinNeed(policy.windows), let mine = later.current.to,
      let theirs = earlier.current.to, let since = bothRequested
    else { return due }
    if register.isOneLine(mine, theirs) {
      if !isGroup { due.append((.a04, since)) }
    } else if !isGroup {
      due.append((.a06, since))
    } else if let confirmed = firstAcceptance(among: open) {
      due.append(
        (.a06, policy.windows.confirmation.due(from: confirmed, in: policy.calendar, for: nil)))
    }
    return due
  }

  func condition(_ rule: Rule, _ due: Timestamp) -> Condition? {
    let requests = [earlier, later].compactMap { $0.current.witness(of: .requested) }
    let step: Mark.Step = rule == .a05 ? .accepted : .requested
    guard let began = later.current.witness(of: step) else { return nil }
    let marks = [earlier, later].compactMap { $0.current.witness(of: step) }
    return Condition(
      rule, rule == .a05 ? .need : nil, of: later.id, began: began, opened: due,
      witnesses: requests + (rule == .a05 ? marks : []))
  }

  /// When the later of two acceptances by different services arrived.
  private var acceptedByTwo: Timestamp? {
    guard let mine = later.current.acceptedBy, let theirs = earlier.current.acceptedBy,
      !register.isOneLine(mine, theirs), !later.current.isCopied(theirs, register),
      !earlier.current.isCopied(mine, register),
      let one = later.current.witness(of: .accepted),
      let other = earlier.current.witness(of: .accepted)
    else { return nil }
    return max(one.arrivedAt, other.arrivedAt)
  }

  private var bothRequested: Timestamp? {
    guard let one = later.current.witness(of: .requested),
      let other = earlier.current.witness(of: .requested)
    else { return nil }
    return max(one.arrivedAt, other.arrivedAt)
  }

  private func isWithinNeed(_ windows: RuleWindows) -> Bool {
    guard let one = later.current.witness(of: .requested),
      let other = earlier.current.witness(of: .requested)
    else { return false }
    let window = later.current.priority?.isUrgent == true ? windows.needUrgent : windows.need
    return one.occurredAt.since(other.occurredAt) <= window
  }

  /// When the first offer of the group was accepted.
  private func firstAcceptance(among open: [Handoff]) -> Timestamp? {
    open.filter { $0.current.parentHandoffID == later.current.parentHandoffID }
      .compactMap { $0.current.witness(of: .accepted)?.arrivedAt }.min()
  }
}

extension Handoff {
  /// By when it was requested; ties go by id.
  fileprivate var requestOrder: RequestOrder {
    RequestOrder(
      at: current.witness(of: .requested)?.occurredAt ?? .distantPast, id: id)
  }
}

private struct RequestOrder: Comparable {
  var at: Timestamp
  var id: HandoffID

  static func < (left: RequestOrder, right: RequestOrder) -> Bool {
    (left.at, left.id) < (right.at, right.id)
  }
}

extension Code {
  static let need = Code(known: "need")
}
