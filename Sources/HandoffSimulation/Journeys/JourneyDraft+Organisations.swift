internal import HandoffCore

/// Codes of organisations that are closed, or that nobody has.
extension JourneyDraft {
  mutating func misdirect(_ intact: Script, _ fault: Fault) {
    let closed = writer.region.closed.filter { $0.successor.place == place }
    let former = closed.first { $0.isOfLate == (fault == .closedSender) }
    switch (fault, former) {
    case (.unknownOrganisation, _): sendToNobody(intact)
    case (.closedOrganisation, let former?) where occasion.demand.to == .practice:
      var script = script(at: occasion.at, to: former.successor)
      script.to.organisation = former.organisation
      sendWrongly(script, fault)
    case (.closedSender, let former?) where occasion.demand.from == .practice:
      var script = script(at: occasion.at, from: former.successor)
      script.from.organisation = former.organisation
      sendWrongly(script, fault)
    case (.successorSpeaks, let former?) where occasion.demand.to == .practice:
      // Its systems know the old code still.
      var script = script(at: occasion.at, to: former.successor)
      for index in script.steps.indices where script.steps[index].speaker == .receiver {
        script.steps[index].by?.organisation = former.organisation
      }
      send(script, fault: fault)
    default: send(intact)
    }
  }

  private mutating func sendWrongly(_ script: Script, _ fault: Fault) {
    let request = script.steps[0]
    expect(
      .a17, fault, script, happened: request.at, knowable: hearing.reach(request, of: script))
    send(script, fault: fault)
  }

  /// No such code, and so nobody who could answer.
  private mutating func sendToNobody(_ intact: Script) {
    var script = intact
    script.to = intact.from
    script.to.organisation = Region.unknown
    script.cut(from: .delivered)
    sendWrongly(script, .unknownOrganisation)
  }

  // MARK: More than one fault

  private static let canHaveMore: Set<Fault> = [
    .neverAccepted, .neverStarted, .neverCompleted, .neverFedBack, .lateAcceptance, .lateStart,
    .lateFeedback, .lostStart, .lostFeedback, .lostDelivery, .lostTransportAck, .lostAcceptance,
    .holdForgotten, .illegalStep, .strangerSpeaks, .wrongRole, .amendmentUnseen,
    .closedOrganisation, .closedSender, .conflictingEnds,
  ]
  static let repeatable: Set<EventType> = [
    .handoffRequested, .received, .accepted, .started, .completed, .transportAccepted, .delivered,
  ]

  /// Sends one word twice of a journey that has another fault already.
  mutating func disturbMore(_ script: Script, besides fault: Fault) {
    let rate = writer.plan.rates[.doubledBesides, default: 0]
    // Of journeys with a fault, and not of all.
    guard Self.canHaveMore.contains(fault), chance.happens(min(0.3, rate * 20)) else { return }
    let able = journey.arrivals.indices.filter { index in
      let arrival = journey.arrivals[index]
      return Self.repeatable.contains(arrival.event.type) && arrival.mishap == nil
        && arrival.event.handoffID == script.id
    }
    guard !able.isEmpty else { return }
    var again = journey.arrivals[chance.pick(able)]
    again.at = again.at.advanced(by: chance.span(.seconds(1), .hours(3))).roundedUp
    again.again = .sender
    again.event.receptionID = Pseudonyms.receptionID(at: again.at, &chance)
    let source = again.event.source
    let reached = hearing.calendar?.arrival(source, at: again.at) ?? again.at
    journey.arrivals.append(again)
    for index in journey.arrivals.indices { journey.arrivals[index].isAlone = false }
    expect(.a01, .doubledBesides, script, happened: again.at, knowable: reached)
  }
}
