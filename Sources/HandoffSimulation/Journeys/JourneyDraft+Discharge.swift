internal import HandoffCore

/// Stays in hospital that end with help at home or in another bed.
extension JourneyDraft {
  private static let faults: [Fault] = [
    .noReceiver, .readyNotRequested, .readyNotAccepted, .stagedDischarge, .dischargeCancelled,
    .doubled, .requestUndelivered, .neverFedBack, .lateFeedback, .oneToMany,
  ]

  mutating func writeDischarge(pathway: UInt8) {
    let fault = writer.plan.draw(among: Self.faults, &chance)
    let hospital = writer.region.service(.acute, in: place, &chance)
    var ready = occasion.at
    if fault == .stagedDischarge {
      tell(.readyForDischarge, at: ready, hospital, pathway)
      let withdrawn = ready.advanced(by: chance.span(.minutes(20), .minutes(90)))
      tell(.dischargeReadinessWithdrawn, at: withdrawn, hospital, pathway)
      ready = withdrawn.advanced(by: chance.span(.hours(12), .hours(60)))
    }
    tell(.readyForDischarge, at: ready, hospital, pathway)
    var request = ready.advanced(by: chance.span(.minutes(5), .minutes(100)))
    if fault == .readyNotRequested {
      request = ready.advanced(by: policy.windows.readyRequest)
        .advanced(by: chance.span(.minutes(20), .hours(6)))
    }
    var script = script(at: request, from: hospital, readyAt: ready)
    if fault == .readyNotAccepted {
      let due = ready.advanced(by: policy.windows.readyAccept)
      script.delay(from: .accepted, to: max(later(than: due), later(than: acceptDue(script))))
    }
    leave(&script, hospital, pathway, fault)
    judge(script, ready: ready, fault)
    switch fault {
    case .doubled: disturb(script, .doubled)
    case .requestUndelivered, .neverFedBack, .lateFeedback:
      if let fault { drop(script, fault) }
    default: send(script, fault: fault)
    }
    if fault == .oneToMany { benign(.oneToMany, script) }
  }

  private mutating func tell(
    _ type: EventType, at time: Timestamp, _ hospital: Service, _ pathway: UInt8
  ) {
    stay(type, at: time, by: hospital) { event in
      event.dischargePathway = pathway
      if type == .readyForDischarge { event.dischargeReadyAt = time }
    }
  }

  /// Leaves the hospital shortly before the help begins; of the fault, long before.
  private mutating func leave(
    _ script: inout Script, _ hospital: Service, _ pathway: UInt8, _ fault: Fault?
  ) {
    guard let accepted = script.step(.accepted), let started = script.step(.started) else { return }
    let grace = pathway == 1 ? policy.windows.dischargeHome : policy.windows.dischargeBed
    var left = max(
      accepted.at.advanced(by: .seconds(30)),
      started.at.advanced(by: chance.span(.minutes(-100), .minutes(-10))))
    if fault == .noReceiver {
      left = accepted.at.advanced(by: .minutes(5))
      let due = left.advanced(by: grace)
      script.delay(from: .started, to: later(than: due))
      journey.truths.append(
        Truth(
          fault: .noReceiver, rule: .a20, subject: .person(person), kind: script.kind,
          happenedAt: left,
          knowableAt: hearing.judged(due, by: [hospital, script.to]).roundedUp))
    }
    if fault == .dischargeCancelled {
      tell(.discharged, at: left, hospital, pathway)
      tell(.dischargeCancelled, at: left.advanced(by: .minutes(30)), hospital, pathway)
      left = max(left.advanced(by: .hours(3)), started.at.advanced(by: .minutes(-30)))
      script.delay(from: .started, to: max(started.at, left.advanced(by: .minutes(20))))
    }
    tell(.discharged, at: left, hospital, pathway)
  }

  /// A21: the two limbs, from what is told.
  private mutating func judge(_ script: Script, ready: Timestamp, _ fault: Fault?) {
    guard let fault, let request = script.steps.first, let accepted = script.step(.accepted) else {
      return
    }
    let limbs = [
      (policy.windows.readyRequest, request, [script.from]),
      (policy.windows.readyAccept, accepted, [script.from, script.to]),
    ]
    for (grace, answer, services) in limbs {
      let answers = [
        Hearing.Answer(
          at: answer.at, reachedAt: hearing.reach(answer, of: script),
          service: answer.by ?? script.from)
      ]
      let due = ready.advanced(by: grace)
      let from = hearing.reach(ready.advanced(by: Self.lag), by: script.from)
      guard
        let known = hearing.silence(due: due, from: from, until: answers, by: services)
      else { continue }
      journey.truths.append(
        Truth(
          fault: fault, rule: .a21, subject: .person(person), kind: script.kind,
          happenedAt: ready, knowableAt: known.roundedUp))
    }
  }
}
