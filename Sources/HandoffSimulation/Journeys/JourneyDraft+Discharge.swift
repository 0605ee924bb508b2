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
      let window = Self.most(of: windows(saidAt: ready, by: hospital).readyRequest)
      let withdrawn = ready.advanced(by: chance.span(.minutes(20), min(.minutes(90), window)))
      tell(.dischargeReadinessWithdrawn, at: withdrawn, hospital, pathway)
      ready = withdrawn.advanced(by: chance.span(.hours(12), .hours(60)))
    }
    tell(.readyForDischarge, at: ready, hospital, pathway)
    let windows = windows(saidAt: ready, by: hospital)
    var request = ready.advanced(
      by: chance.span(.minutes(5), Self.most(of: windows.readyRequest)))
    if fault == .readyNotRequested {
      request = ready.advanced(by: windows.readyRequest)
        .advanced(by: chance.span(.minutes(20), .hours(6)))
    }
    var script = script(at: request, from: hospital, readyAt: ready)
    if fault == .readyNotAccepted {
      let due = ready.advanced(by: windows.readyAccept)
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

  /// What a stay is judged by that is spoken of at `time`.
  private func windows(saidAt time: Timestamp, by hospital: Service) -> RuleWindows {
    let arrival = hearing.reach(time.advanced(by: Self.lag), by: hospital)
    return (writer.switches?.policy(at: arrival) ?? policy).windows
  }

  /// Most of a window, in which whoever is in time does what is waited for.
  private static func most(of window: Elapsed) -> Elapsed {
    .minutes(window.nanoseconds / 60_000_000_000 * 5 / 6)
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
    func grace(at time: Timestamp) -> Elapsed {
      let windows = windows(saidAt: time, by: hospital)
      return pathway == 1 ? windows.dischargeHome : windows.dischargeBed
    }
    // A profile may be switched between leaving and the start.
    let before = min(
      .minutes(100), Self.most(of: grace(at: started.at)),
      Self.most(of: grace(at: started.at.advanced(by: .hours(-2)))))
    var left = max(
      accepted.at.advanced(by: .seconds(30)),
      started.at.advanced(
        by: chance.span(Elapsed(nanoseconds: -before.nanoseconds), .minutes(-10))))
    if fault == .noReceiver {
      left = accepted.at.advanced(by: .minutes(5))
      script.delay(from: .started, to: later(than: left.advanced(by: grace(at: left))))
    }
    if fault == .dischargeCancelled {
      tell(.discharged, at: left, hospital, pathway)
      tell(.dischargeCancelled, at: left.advanced(by: .minutes(30)), hospital, pathway)
      left = max(left.advanced(by: .hours(3)), started.at.advanced(by: .minutes(-30)))
      script.delay(from: .started, to: max(started.at, left.advanced(by: .minutes(20))))
    }
    tell(.discharged, at: left, hospital, pathway)
    script.leaving = (left, due: left.advanced(by: grace(at: left)))
  }

  /// A21: the two limbs, from what is told.
  private mutating func judge(_ script: Script, ready: Timestamp, _ fault: Fault?) {
    guard let fault, let request = script.steps.first, let accepted = script.step(.accepted) else {
      return
    }
    let windows = windows(saidAt: ready, by: script.from)
    let limbs = [
      (windows.readyRequest, request, [script.from]),
      (windows.readyAccept, accepted, [script.from, script.to]),
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
