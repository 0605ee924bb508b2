internal import HandoffCore

/// What people let fall, and what is lost on its way to the bus.
extension JourneyDraft {
  mutating func drop(_ intact: Script, _ fault: Fault) {
    var script = intact
    switch fault {
    case .requestUndelivered: undeliver(&script)
    case .neverAccepted:
      script.cut(from: script.clocks.isDocument ? .received : .accepted)
    case .lateAcceptance:
      script.delay(
        from: script.clocks.isDocument ? .received : .accepted,
        to: later(than: acceptDue(script)))
    case .neverStarted: script.cut(from: .started)
    case .lateStart: script.delay(from: .started, to: later(than: startDue(script)))
    case .neverCompleted: script.cut(from: .completed)
    case .neverFedBack: script.cut(from: .feedbackSent)
    case .lateFeedback:
      if let completed = script.step(.completed) {
        let told = due(script.clocks.feedback, completed.at, script)
        script.delay(from: .feedbackAcknowledged, to: later(than: told))
      }
    case .holdForgotten:
      if let accepted = script.step(.accepted) {
        script.end(with: step(.infoRequested, .receiver, script.to, at: accepted.at))
      }
    case .rejectionDropped:
      reject(&script)
      if chance.happens(0.4) { dispose(&script, at: later(than: deadlineOfNextStep(script))) }
    case .expiryDropped: expire(&script)
    case .withdrawnAfterAcceptance:
      if let started = script.step(.started), let index = script.index(of: .started) {
        let at = chance.moment(
          from: script.steps[index - 1].at, to: started.at, between: 0.1, and: 0.8)
        var withdrawn = step(.rejected, .receiver, script.to, at: at)
        withdrawn.reason = code("dos:21")
        script.end(with: withdrawn)
      }
    case .transportFailedDropped: failTransport(&script)
    default: refuse(&script, fault)
    }
    send(script, fault: fault)
  }

  /// The word of the transport may come; the receiver has nothing, until somebody asks.
  private mutating func undeliver(_ script: inout Script) {
    if chance.happens(0.3) { script.steps[1].isLost = true }
    guard chance.happens(0.5) else { return script.cut(from: .delivered) }
    let request = script.steps[0].arrivesAt
    var due = due(script.clocks.acknowledge, request, script)
    if !script.steps[1].isLost {
      let rail = policy.railDelivery[script.from.rail] ?? script.clocks.acknowledge
      due = max(due, self.due(rail, script.steps[1].arrivesAt, script))
    }
    script.steps.removeAll { $0.type == .delivered }
    script.delay(from: .received, to: later(than: due))
  }

  /// Unread for five days, the mailbox gives it back (MESH report 14).
  private mutating func expire(_ script: inout Script) {
    script.cut(from: .delivered)
    var expired = step(.expired, .platform, nil, at: script.steps[0].at.advanced(by: .hours(120)))
    expired.reason = code("mesh:14")
    script.steps.append(expired)
  }

  private mutating func failTransport(_ script: inout Script) {
    var failed = step(.transportFailed, .platform, nil, at: script.steps[1].at)
    failed.reason = code("http:500")
    script.end(with: failed)
  }

  /// The receiver does not know this person, or knows of their death (ITK3 30002, 30004).
  private mutating func refuse(_ script: inout Script, _ fault: Fault) {
    guard let received = script.step(.received) else { return }
    var refused = step(.recipientRefusedPatient, .receiver, script.to, at: received.at)
    refused.reason = code(fault == .refusedDeceased ? "itk3:30004" : "itk3:30002")
    script.end(with: refused)
    var at = refused.at
    if fault == .refusedPatient {
      at = policy.windows.negative.due(
        from: at, in: policy.calendar, for: script.from.organisation)
    }
    let reached = max(at, hearing.reach(refused, of: script))
    expect(
      .a22, fault, script, happened: at,
      knowable: fault == .refusedPatient
        ? max(reached, hearing.judged(at, by: [script.from, script.to])) : reached)
  }

  private func deadlineOfNextStep(_ script: Script) -> Timestamp {
    guard let ended = script.steps.last else { return occasion.at }
    let windows = policy.windows
    return due(
      script.priority.isUrgent ? windows.rerouteUrgent : windows.reroute, ended.at, script)
  }

  mutating func dispose(_ script: inout Script, at time: Timestamp) {
    var disposition = step(.disposition, .sender, script.from, at: time)
    disposition.reason = code("closed-no-need")
    script.steps.append(disposition)
  }

  // MARK: Lost

  /// It happened, and the bus is not told.
  mutating func lose(_ intact: Script, _ fault: Fault) {
    var script = intact
    let lost: EventType =
      switch fault {
      case .lostRequest: .handoffRequested
      case .lostTransportAck: .transportAccepted
      case .lostDelivery: .delivered
      case .lostAcceptance: script.clocks.isDocument ? .received : .accepted
      case .lostStart: .started
      case .lostOutcome: .completed
      case .lostFeedback: .feedbackAcknowledged
      default: .received
      }
    guard let index = script.index(of: lost) else {
      send(script)
      return
    }
    if fault == .brokenRecord || fault == .misplacedRecord {
      script.steps[index].mishap = fault == .brokenRecord ? .broken : .misplaced
      journey.truths.append(
        Truth(
          fault: fault, rule: fault == .brokenRecord ? .s01 : .s02, subject: .bus,
          kind: script.kind, happenedAt: script.steps[index].at,
          knowableAt: hearing.reach(script.steps[index], of: script)))
    } else {
      script.steps[index].isLost = true
    }
    if fault == .lostRequest,
      let first = script.steps.filter({ !$0.isLost }).map({ hearing.reach($0, of: script) }).min()
    {
      let windows = policy.windows
      let due = first.advanced(by: windows.reorder).advanced(by: windows.orphan)
      expect(
        .a13, fault, script, happened: script.steps[0].at,
        knowable: hearing.judged(due, by: [script.from, script.to]))
      journey.arrivals += script.steps.dropFirst().map { step in
        Arrival(event: event(step, of: script), at: step.arrivesAt)
      }
      return
    }
    if fault == .lostOutcome, let told = script.step(.feedbackAcknowledged) {
      let due = hearing.reach(told, of: script).advanced(by: policy.windows.reorder)
      expect(
        .a14, fault, script, happened: told.at,
        knowable: hearing.judged(due, by: [script.from, script.to]))
    }
    send(script, fault: fault)
  }
}
