// A17, wrong or closed organisation: what the register says of the two parties of a request, and what
// the transport says of where it sent it. Guards: no register, or one that is not whole; successors
// and registered agents, who count as the party; for 90 local days after a closing it is a warning.

extension HandoffFacts {
  /// Compares the parties with the register in force when the request or amendment arrived.
  ///
  /// What an amendment puts right stands no longer; what it leaves goes on as the same episode.
  mutating func judgeParties(_ fact: Fact, in policies: [Policy]) {
    let causes = partyCauses(fact, policies.span[Int(fact.policy)])
    findings.removeAll { finding in
      guard finding.rule == .a17, let cause = finding.cause, Code.ofParties.contains(cause) else {
        return false
      }
      return !causes.contains(cause)
    }
    for cause in causes where !findings.contains(where: { $0.rule == .a17 && $0.cause == cause }) {
      findings.append(
        Finding(
          rule: .a17, cause: cause, witness: fact.witness, due: fact.witness.arrivedAt,
          wasTerminal: false))
    }
  }

  private func partyCauses(_ fact: Fact, _ policy: Policy) -> [Code] {
    // The code of a practice that nobody knows: there is no way to it, whatever the register says.
    var causes: [Code] = to == .unknownPractice ? [.noPractice] : []
    guard let register = policy.register else { return causes }
    let moment = fact.witness.occurredAt
    let parts = kind.flatMap { register.parts[$0] }
    if let from, let cause = register.cause(from, at: moment, policy, PartyCauses.sender) {
      causes.append(cause)
    } else if let from, !register.may(from, parts?.senders) {
      causes.append(.senderRole)
    }
    guard let to, to != .unknownPractice else { return causes }
    if let cause = register.cause(to, at: moment, policy, PartyCauses.receiver) {
      causes.append(cause)
    } else if !register.may(to, parts?.receivers) {
      causes.append(.receiverRole)
    } else if let from, !register.isInCatchment(from, of: to) {
      causes.append(.outsideCatchment)
    }
    return causes
  }

  /// The limb of A17 where the transport gave it back because of where it was to go, or who sent it.
  var misdirection: Code? {
    guard state == .failed, let reason = endReason?.description else { return nil }
    if reason.hasSuffix("20002") { return .receiverUnrecognised }
    if reason.hasSuffix("20003") { return .senderUnrecognised }
    if reason.hasSuffix("20012") { return .senderUnauthorised }
    switch reason {
    case "mesh:12": return .mailboxUnregistered
    case "mesh:17": return .workflowUnregistered
    default: return nil
    }
  }
}

extension Verdict {
  /// Names the register that it rests on, and who took over from a party that is closed.
  mutating func nameRegister(_ register: OrganisationRegister?) {
    guard rule == .a17, let register, let cause else { return }
    registerHash = register.hash
    let closed: OrganisationID? =
      switch cause {
      case .senderClosed, .senderClosedInGrace: from
      case .receiverClosed, .receiverClosedInGrace: to
      default: nil
      }
    successor = closed.flatMap { register.successor(of: $0, on: LondonTime(opened).date) }
  }
}

extension Rule {
  /// How much harm one limb of the rule can do if nobody acts.
  ///
  /// A code within its 90 days of grace is put right by whoever routes it on (domain.md §8).
  func severity(cause: Code?) -> Severity {
    switch (self, cause) {
    case (.a17, .senderClosedInGrace?), (.a17, .receiverClosedInGrace?): .low
    default: severity
    }
  }
}

// MARK: Who counts as whom

extension HandoffFacts {
  /// Whether `speaker` is `party`, of one line with it by succession, or its registered agent.
  ///
  /// The register is asked for where the two are not the same: nearly always they are.
  func speaks(
    _ speaker: OrganisationID, for party: OrganisationID?,
    _ register: @autoclosure () -> OrganisationRegister?
  ) -> Bool {
    guard let party else { return false }
    if speaker == party { return true }
    guard let register = register() else { return false }
    return register.isOneLine(speaker, party) || register.isAgent(speaker, of: party)
  }

  /// Whether `speaker` shares the care, itself or for one that does.
  func isCopied(
    _ speaker: OrganisationID, _ register: @autoclosure () -> OrganisationRegister?
  ) -> Bool {
    cc.contains { speaks(speaker, for: $0, register()) }
  }
}

extension OrganisationRegister? {
  /// Whether two codes are of one line; without a register only the same code is.
  func isOneLine(_ left: OrganisationID, _ right: OrganisationID) -> Bool {
    left == right || self?.isOneLine(left, right) == true
  }
}

private struct PartyCauses {
  var unknown: Code
  var notOpen: Code
  var closed: Code
  var closedInGrace: Code

  static let sender = PartyCauses(
    unknown: .senderUnknown, notOpen: .senderNotOpen, closed: .senderClosed,
    closedInGrace: .senderClosedInGrace)
  static let receiver = PartyCauses(
    unknown: .receiverUnknown, notOpen: .receiverNotOpen, closed: .receiverClosed,
    closedInGrace: .receiverClosedInGrace)
}

extension OrganisationRegister {
  fileprivate func cause(
    _ id: OrganisationID, at moment: Timestamp, _ policy: Policy, _ causes: PartyCauses
  ) -> Code? {
    switch presence(of: id, on: LondonTime(moment).date) {
    case .open: return nil
    case .unknown: return causes.unknown
    case .notYetOpen: return causes.notOpen
    case .closed(let last):
      let end = policy.windows.closedGrace.due(
        from: LondonTime(date: last.advanced(byDays: 1)).timestamp, in: policy.calendar, for: id)
      return moment < end ? causes.closedInGrace : causes.closed
    }
  }

  /// Whether the roles of an organisation let it take part; what is not said is allowed.
  fileprivate func may(_ id: OrganisationID, _ roles: Set<OrganisationRole>?) -> Bool {
    guard let roles, !roles.isEmpty, let own = self[id]?.roles, !own.isEmpty else { return true }
    return !own.isDisjoint(with: roles)
  }

  /// Whether `receiver` takes people from the place of `sender`; what is not said is allowed.
  fileprivate func isInCatchment(_ sender: OrganisationID, of receiver: OrganisationID) -> Bool {
    guard let catchment = self[receiver]?.catchment, !catchment.isEmpty,
      let place = self[sender]?.place
    else { return true }
    return catchment.contains(place)
  }
}

extension Code {
  static let senderUnknown = Code(known: "sender-unknown")
  static let receiverUnknown = Code(known: "receiver-unknown")
  static let senderNotOpen = Code(known: "sender-not-open")
  static let receiverNotOpen = Code(known: "receiver-not-open")
  static let senderClosed = Code(known: "sender-closed")
  static let receiverClosed = Code(known: "receiver-closed")
  static let senderClosedInGrace = Code(known: "sender-closed-in-grace")
  static let receiverClosedInGrace = Code(known: "receiver-closed-in-grace")
  static let senderRole = Code(known: "sender-role")
  static let receiverRole = Code(known: "receiver-role")
  static let outsideCatchment = Code(known: "outside-catchment")
  static let noPractice = Code(known: "no-practice")
  static let receiverUnrecognised = Code(known: "receiver-unrecognised")
  static let senderUnrecognised = Code(known: "sender-unrecognised")
  static let senderUnauthorised = Code(known: "sender-unauthorised")
  static let mailboxUnregistered = Code(known: "mailbox-unregistered")
  static let workflowUnregistered = Code(known: "workflow-unregistered")

  /// The limbs of A17 that a request or an amendment brings with it.
  fileprivate static let ofParties: Set<Code> = [
    senderUnknown, receiverUnknown, senderNotOpen, receiverNotOpen, senderClosed, receiverClosed,
    senderClosedInGrace, receiverClosedInGrace, senderRole, receiverRole, outsideCatchment,
    noPractice,
  ]
}
