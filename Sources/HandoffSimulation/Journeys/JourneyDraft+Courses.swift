internal import HandoffCore

extension JourneyDraft {
  /// Draws what befalls this journey, and writes it.
  mutating func write() {
    switch occasion.demand.course {
    case .discharge(let pathway): writeDischarge(pathway: pathway)
    case .document: writeHandoff(among: Self.ofDocuments)
    case .referral: writeHandoff(among: isLong ? Self.ofLong + Self.ofReferrals : Self.ofReferrals)
    }
  }

  /// Whether weeks pass from the request to the start.
  private var isLong: Bool {
    ["gp-hospital", "gp-suspected-cancer", "diagnostics", "gp-community-mh"]
      .contains(occasion.demand.kind)
  }

  private mutating func writeHandoff(among able: [Fault]) {
    let script = script(at: occasion.at)
    guard let fault = writer.plan.draw(among: able, &chance) else {
      send(script)
      return
    }
    switch fault {
    case .requestUndelivered, .neverAccepted, .neverStarted, .neverCompleted, .neverFedBack,
      .lateAcceptance, .lateStart, .lateFeedback, .holdForgotten, .rejectionDropped,
      .expiryDropped, .withdrawnAfterAcceptance, .transportFailedDropped, .refusedPatient,
      .refusedDeceased:
      drop(script, fault)
    case .lostRequest, .lostTransportAck, .lostDelivery, .lostAcceptance, .lostStart,
      .lostOutcome, .lostFeedback, .brokenRecord, .misplacedRecord:
      lose(script, fault)
    case .doubled, .redelivered, .resentSoon, .resentLater, .idReused, .reorderedBeyond,
      .reorderedWithin, .illegalStep, .conflictingEnds, .startedAfterCancel:
      disturb(script, fault)
    case .strangerAccepts, .strangerSpeaks, .wrongRole, .amendmentUnseen, .amendedAfterStart,
      .bookedAfterDeath, .cancelledBeforeDeath, .mergedWithOpen, .mergedWithoutOpen:
      confuse(script, fault)
    case .reenteredNeed, .parallelReferral, .parallelAccepted, .pingPong, .rejectedAndRerouted,
      .choiceAfterCancel, .correctedSend, .oneToMany, .stagedReviews, .motherAndBaby,
      .stepUpStepDown:
      pair(script, fault)
    case .closedOrganisation, .closedSender, .unknownOrganisation, .successorSpeaks:
      misdirect(script, fault)
    default: soothe(script, fault)
    }
    disturbMore(script, besides: fault)
  }

  private static let ofDocuments: [Fault] = [
    .requestUndelivered, .neverAccepted, .lateAcceptance, .expiryDropped,
    .transportFailedDropped, .refusedPatient, .refusedDeceased, .lostRequest, .lostTransportAck,
    .lostDelivery, .lostAcceptance, .brokenRecord, .misplacedRecord, .doubled, .resentSoon,
    .resentLater, .idReused, .illegalStep, .strangerSpeaks, .redelivered, .reorderedWithin,
    .retriedTransport, .duplicateIsProof, .correctedSend, .lateButLegal, .motherAndBaby,
    .closedOrganisation, .unknownOrganisation, .successorSpeaks,
  ]

  private static let ofReferrals: [Fault] = [
    .requestUndelivered, .neverAccepted, .neverStarted, .neverCompleted, .neverFedBack,
    .lateAcceptance, .lateStart, .lateFeedback, .holdForgotten, .rejectionDropped,
    .expiryDropped, .withdrawnAfterAcceptance, .transportFailedDropped, .refusedPatient,
    .refusedDeceased, .lostRequest, .lostTransportAck, .lostDelivery, .lostAcceptance, .lostStart,
    .lostOutcome, .lostFeedback, .brokenRecord, .misplacedRecord, .doubled, .resentSoon,
    .resentLater, .idReused, .reorderedBeyond, .illegalStep, .conflictingEnds,
    .startedAfterCancel, .strangerAccepts, .strangerSpeaks, .wrongRole, .amendmentUnseen,
    .amendedAfterStart, .pingPong, .redelivered, .reorderedWithin, .retriedTransport,
    .duplicateIsProof, .correctedSend, .amended, .cancelUnderSameId, .heldAndAnswered,
    .bookedBeyondClock, .twoNoes, .rejectedAndRerouted, .rejectedNoNeed, .choiceAfterCancel,
    .oneToMany, .sharedCare, .stagedReviews, .motherAndBaby, .stepUpStepDown, .lateButLegal,
    .closedSender, .unknownOrganisation,
  ]

  private static let ofLong: [Fault] = [
    .reenteredNeed, .parallelReferral, .parallelAccepted, .mergedWithOpen, .bookedAfterDeath,
    .missedAndRebooked, .mergedWithoutOpen, .cancelledBeforeDeath,
  ]

  // MARK: Small things that many need

  /// Some time after `moment`: from a quarter of an hour to a day.
  mutating func later(than moment: Timestamp) -> Timestamp {
    moment.advanced(by: chance.span(.minutes(16), .hours(chance.pick([1, 4, 24]))))
  }

  func acceptDue(_ script: Script) -> Timestamp {
    due(script.clocks.accept, script.steps[0].at, script)
  }

  /// When T_start of a script ends; of those that it does not time, two weeks.
  func startDue(_ script: Script) -> Timestamp {
    var anchor = script.steps[0].at
    if script.clocks.startAnchor == .dischargeReady { anchor = script.readyAt ?? anchor }
    return due(script.clocks.start ?? .days(14), anchor, script)
  }

  /// A refusal at the moment at which the receiver would have accepted.
  mutating func reject(_ script: inout Script, _ reason: String = "bars:RRNA") {
    guard let accepted = script.step(.accepted) else { return }
    var rejected = step(.rejected, .receiver, script.to, at: accepted.at)
    rejected.reason = code(reason)
    script.end(with: rejected)
  }

  /// The moment part of the way to T_reroute.
  mutating func rerouting(_ script: Script) -> Timestamp {
    guard let ended = script.steps.last else { return occasion.at }
    let windows = policy.windows
    let length = script.priority.isUrgent ? windows.rerouteUrgent : windows.reroute
    return chance.moment(
      from: ended.at, to: due(length, ended.at, script), between: 0.05, and: 0.6)
  }

  /// An event of the person that is no step of a handoff.
  mutating func stay(
    _ type: EventType, at time: Timestamp, by service: Service, of key: PatientKey? = nil,
    _ fill: (inout HandoffEvent) -> Void = { _ in }
  ) {
    let message = message()
    let at = time.advanced(by: Elapsed(nanoseconds: 150_000_000)).roundedUp
    var event = HandoffEvent(
      id: writer.names.eventID(message, part: 0),
      receptionID: Pseudonyms.receptionID(at: at, &chance), type: type,
      patientKey: key ?? person, handoffID: nil, contentMac: Token(rawValue: 0),
      speaker: .sender, spokenBy: service.organisation, occurredAt: time, source: service.source,
      rail: service.rail)
    event.messageKey = writer.names.messageKey("\(message) \(type.rawValue)")
    event.recordedAt = time
    event.from = Party(organisation: service.organisation)
    fill(&event)
    event.contentMac = writer.names.contentMac(event)
    journey.arrivals.append(Arrival(event: event, at: at))
  }
}
