/// What goes wrong in a simulation, or only looks as if it did.
///
/// Each case is one way in which handoffs fail in practice, at one hop. What a fault should lead to
/// is in the truth file, from what happened and not from what a reconciler says of it.
package enum Fault: String, CaseIterable, Hashable, Sendable, Codable {
  // Dropped by people: nothing more happens, or it happens too late.
  case requestUndelivered = "request-undelivered"
  case neverAccepted = "never-accepted"
  case neverStarted = "never-started"
  case neverCompleted = "never-completed"
  case neverFedBack = "never-fed-back"
  case lateAcceptance = "late-acceptance"
  case lateStart = "late-start"
  case lateFeedback = "late-feedback"
  case holdForgotten = "hold-forgotten"
  case rejectionDropped = "rejection-dropped"
  case expiryDropped = "expiry-dropped"
  case withdrawnAfterAcceptance = "withdrawn-after-acceptance"
  case transportFailedDropped = "transport-failed-dropped"

  // Lost on the way to the bus: it happened, and nobody was told.
  case lostRequest = "lost-request"
  case lostTransportAck = "lost-transport-ack"
  case lostDelivery = "lost-delivery"
  case lostAcceptance = "lost-acceptance"
  case lostStart = "lost-start"
  case lostOutcome = "lost-outcome"
  case lostFeedback = "lost-feedback"

  // Doubled, reordered, late.
  case doubled
  case doubledBesides = "doubled-besides-another-fault"
  case resentSoon = "resent-soon"
  case resentLater = "resent-later"
  case idReused = "id-reused"
  case reorderedBeyond = "reordered-beyond"
  case illegalStep = "illegal-step"
  case conflictingEnds = "conflicting-ends"
  case startedAfterCancel = "started-after-cancel"

  // Of people and services.
  case strangerAccepts = "stranger-accepts"
  case strangerSpeaks = "stranger-speaks"
  case wrongRole = "wrong-role"
  case reenteredNeed = "re-entered-need"
  case parallelReferral = "parallel-referral"
  case parallelAccepted = "parallel-accepted"
  case pingPong = "ping-pong"
  case mergedWithOpen = "merged-with-open"
  case noReceiver = "discharged-to-nobody"
  case readyNotRequested = "ready-not-requested"
  case readyNotAccepted = "ready-not-accepted"
  case refusedPatient = "refused-patient"
  case refusedDeceased = "refused-deceased"
  case bookedAfterDeath = "booked-after-death"
  case amendmentUnseen = "amendment-unseen"
  case amendedAfterStart = "amended-after-start"
  case closedOrganisation = "closed-organisation"
  case closedSender = "closed-sender-in-grace"
  case unknownOrganisation = "unknown-organisation"

  // Of connectors, for each of them and day.
  case sourceSilent = "source-silent"
  case sourceBehind = "source-behind"
  case sequenceGap = "sequence-gap"
  case resendStorm = "resend-storm"
  case idReusedAcross = "id-reused-across-persons"
  case countMismatch = "count-mismatch"
  case countSurplus = "count-surplus"
  case payloadRefused = "payload-refused"
  case frameRefused = "frame-refused"
  case orphanAnswer = "orphan-answer"
  case idOfTwoPersons = "id-of-two-persons"
  case clockSkewed = "clock-skewed"
  case clockAhead = "connector-clock-ahead"
  case happenedAhead = "happened-in-the-future"
  case certificateEnding = "certificate-ending"
  case tableFilling = "table-filling"
  case brokenStatement = "broken-statement"

  // Of records on the bus.
  case brokenRecord = "broken-record"
  case misplacedRecord = "misplaced-record"

  // Benign: expect nothing.
  case lateButLegal = "late-but-legal"
  case redelivered = "redelivered"
  case reorderedWithin = "reordered-within"
  case retriedTransport = "retried-transport"
  case duplicateIsProof = "duplicate-is-proof"
  case correctedSend = "corrected-send"
  case amended
  case cancelUnderSameId = "cancel-under-same-id"
  case heldAndAnswered = "held-and-answered"
  case missedAndRebooked = "missed-and-rebooked"
  case bookedBeyondClock = "booked-beyond-clock"
  case twoNoes = "two-noes"
  case rejectedAndRerouted = "rejected-and-rerouted"
  case rejectedNoNeed = "rejected-no-need"
  case choiceAfterCancel = "choice-after-cancel"
  case oneToMany = "one-to-many"
  case sharedCare = "shared-care"
  case stagedReviews = "staged-reviews"
  case motherAndBaby = "mother-and-baby"
  case stepUpStepDown = "step-up-step-down"
  case stagedDischarge = "staged-discharge"
  case dischargeCancelled = "discharge-cancelled"
  case mergedWithoutOpen = "merged-without-open"
  case cancelledBeforeDeath = "cancelled-before-death"
  case successorSpeaks = "successor-speaks"
  case sourceRestarted = "source-restarted"
  case sourceMaintained = "source-maintained"
  case clockNearlyRight = "clock-nearly-right"
  case certificateRenewed = "certificate-renewed"
  case sequenceGapFilled = "sequence-gap-filled"
  case sequenceBegunAnew = "sequence-begun-anew"
  case policySwitched = "policy-switched"

  /// Whether it only looks like a fault.
  package var isBenign: Bool { Self.benign.contains(self) }

  /// Those of connectors: a simulation without sources has none of them.
  package static let ofSources: [Fault] = [
    .sourceSilent, .sourceBehind, .sequenceGap, .resendStorm, .idReusedAcross, .countMismatch,
    .countSurplus, .payloadRefused, .frameRefused, .orphanAnswer, .idOfTwoPersons, .clockSkewed,
    .clockAhead, .happenedAhead, .certificateEnding, .tableFilling, .brokenStatement,
    .sourceRestarted, .sequenceGapFilled, .sequenceBegunAnew, .clockNearlyRight,
    .certificateRenewed, .sourceMaintained,
  ]

  private static let benign: Set<Fault> = {
    let all = Self.allCases
    guard let first = all.firstIndex(of: .lateButLegal) else { return [] }
    return Set(all[first...])
  }()
}

/// How often each thing goes wrong: a probability for each handoff.
package struct FaultPlan: Hashable, Sendable {
  /// By fault; what is not named never happens.
  package var rates: [Fault: Double]

  package init(rates: [Fault: Double]) { self.rates = rates }

  /// Nothing goes wrong; what only looks so still happens.
  package static let none = FaultPlan(rates: rates { $0.isBenign ? 0.004 : 0 })

  /// The rates of an ordinary bad year: one handoff in twelve is touched by something.
  package static let standard = FaultPlan(rates: rates { $0.isBenign ? 0.004 : 0.001 })

  /// Everything goes wrong often: for tests, and for training.
  package static let dense = FaultPlan(
    rates: rates { fault in
      // Stays in hospital are few, and so are connectors.
      if Fault.ofSources.contains(fault) { return 0.04 }
      return ofDischarges.contains(fault) ? 0.16 : fault.isBenign ? 0.008 : 0.012
    })

  private static let ofDischarges: Set<Fault> = [
    .noReceiver, .readyNotRequested, .readyNotAccepted, .stagedDischarge, .dischargeCancelled,
  ]

  private static func rates(_ rate: (Fault) -> Double) -> [Fault: Double] {
    Dictionary(uniqueKeysWithValues: Fault.allCases.map { ($0, rate($0)) })
  }

  /// One fault for a handoff, or none: those of `able`, each by its rate.
  func draw(among able: [Fault], _ chance: inout Chance) -> Fault? {
    var point = chance.unit()
    for fault in able {
      let rate = rates[fault, default: 0]
      if point < rate { return fault }
      point -= rate
    }
    return nil
  }
}
