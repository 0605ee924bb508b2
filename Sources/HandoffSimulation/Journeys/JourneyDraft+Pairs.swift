internal import HandoffCore

/// Journeys of more than one handoff.
extension JourneyDraft {
  mutating func pair(_ first: Script, _ fault: Fault) {
    switch fault {
    case .reenteredNeed: reenter(first)
    case .parallelReferral, .parallelAccepted: parallel(first, fault)
    case .pingPong: bounce(first)
    case .rejectedAndRerouted: reroute(first)
    case .choiceAfterCancel, .correctedSend: replace(first, fault)
    case .oneToMany: offer(first)
    case .stagedReviews:
      send(first, fault: nil)
      benign(fault, first)
      for minutes in [7, 95] as [Int64] {
        let at = first.steps[0].at.advanced(by: .minutes(minutes))
        send(script(at: at, to: first.to, from: first.from, need: code("need:review-\(minutes)")))
      }
    case .motherAndBaby:
      send(first)
      benign(fault, first)
      person = writer.names.patientKey(person: 40_000_000 + occasion.number)
      let baby = script(
        at: first.steps[0].at, to: first.to, from: first.from, need: code("need:newborn"))
      send(baby)
    default: stepUpAndDown(first)
    }
  }

  private func other(than script: Script) -> Service? {
    var chance = chance
    let role = writer.region.role(of: script.to)
    let other = writer.region.other(than: script.to, role, &chance)
    return other.organisation == script.to.organisation
      || other.organisation == script.from.organisation ? nil : other
  }

  /// Within which a second request of one need is the same need still.
  private func needWindow(_ script: Script) -> Elapsed {
    script.priority.isUrgent ? policy.windows.needUrgent : policy.windows.need
  }

  /// Sent by e-RS, and by letter too.
  private mutating func reenter(_ first: Script) {
    send(first)
    guard let started = first.step(.started) else { return }
    let request = first.steps[0].at
    let until = min(started.at, request.advanced(by: needWindow(first)))
    let at = chance.moment(from: request, to: until, between: 0.05, and: 0.5)
    let second = script(at: at, to: first.to, from: first.from, need: first.need)
    send(second)
    expect(
      .a04, .reenteredNeed, second, happened: at,
      knowable: hearing.reach(second.steps[0], of: second))
  }

  /// One need, two services.
  private mutating func parallel(_ first: Script, _ fault: Fault) {
    send(first)
    guard let other = other(than: first), let started = first.step(.started) else { return }
    let request = first.steps[0].at
    let until = min(started.at, request.advanced(by: needWindow(first)))
    let at = chance.moment(from: request, to: until, between: 0.05, and: 0.4)
    var second = script(at: at, to: other, from: first.from, need: first.need)
    guard let accepted = second.step(.accepted), let earlier = first.step(.accepted) else { return }
    expect(
      .a06, fault, second, happened: at, knowable: hearing.reach(second.steps[0], of: second))
    if fault == .parallelReferral {
      second.end(with: step(.cancelled, .sender, first.from, at: accepted.at))
    } else {
      let both = max(hearing.reach(accepted, of: second), hearing.reach(earlier, of: first))
      let due = policy.windows.confirmation.due(from: both, in: policy.calendar, for: nil)
      let ends = [first, second].compactMap { script in
        script.step(.completed).map { hearing.reach($0, of: script) }
      }
      if ends.allSatisfy({ $0 > due }) {
        expect(.a05, fault, second, happened: accepted.at, knowable: due)
      }
    }
    send(second)
  }

  /// Refused there, sent elsewhere, refused there too, and sent back to the first.
  private mutating func bounce(_ intact: Script) {
    guard let other = other(than: intact) else {
      send(intact)
      return
    }
    var first = intact
    reject(&first)
    var second = script(
      at: rerouting(first), to: other, from: first.from, need: first.need, parent: first.id)
    reject(&second)
    let third = script(
      at: rerouting(second), to: first.to, from: first.from, need: first.need, parent: second.id)
    send(first, nextStepAt: second.steps[0].arrivesAt)
    send(second, nextStepAt: third.steps[0].arrivesAt)
    send(third)
    let visit = third.steps[0]
    expect(
      .a15, .pingPong, third, happened: visit.at, knowable: hearing.reach(visit, of: third))
  }

  private mutating func reroute(_ intact: Script) {
    var first = intact
    reject(&first)
    guard let other = other(than: intact) else {
      send(intact)
      return
    }
    let second = script(
      at: rerouting(first), to: other, from: first.from, need: first.need, parent: first.id)
    send(first, fault: .rejectedAndRerouted, nextStepAt: second.steps[0].arrivesAt)
    send(second)
  }

  /// Taken back, and sent anew: to another service, or put right.
  private mutating func replace(_ intact: Script, _ fault: Fault) {
    var first = intact
    let to = fault == .correctedSend ? first.to : other(than: first) ?? first.to
    let at: Timestamp
    if fault == .correctedSend {
      at = first.steps[0].at.advanced(by: Elapsed(nanoseconds: 400_000_000))
      first.end(with: step(.voided, .sender, first.from, at: at))
    } else {
      at = first.steps[2].at.advanced(by: .seconds(1))
      first.end(with: step(.cancelled, .sender, first.from, at: at))
    }
    send(first, fault: fault)
    let again = at.advanced(by: chance.span(.seconds(2), .minutes(9)))
    send(script(at: again, to: to, from: first.from, need: first.need))
  }

  /// One request to three, of whom the first to accept has it; the others are told in time.
  private mutating func offer(_ intact: Script) {
    guard intact.clocks.accept == .hours(24) || intact.clocks.accept == .days(7),
      let accepted = intact.step(.accepted)
    else {
      send(intact)
      return
    }
    let group = HandoffID(rawValue: writer.names.token("offer", intact.name).rawValue)
    var offers = [intact]
    for _ in 0..<2 {
      let known = Set(offers.map(\.to.organisation))
      guard let other = other(than: intact), !known.contains(other.organisation) else { break }
      offers.append(
        script(at: intact.steps[0].at, to: other, from: intact.from, need: intact.need))
    }
    for index in offers.indices {
      offers[index].parent = group
      if index > 0 {
        let at = accepted.at.advanced(by: chance.span(.minutes(20), .minutes(90)))
        offers[index].steps.removeAll { $0.type == .accepted || $0.at >= at }
        offers[index].cut(from: .booked)
        offers[index].cut(from: .started)
        offers[index].end(with: step(.cancelled, .sender, intact.from, at: at))
      }
      sendBenign(offers[index], instead: offers[index], .oneToMany)
    }
  }

  /// Up to a ward, down again, and up: each begun before the next is asked for.
  private mutating func stepUpAndDown(_ first: Script) {
    guard let other = other(than: first), let completed = first.step(.completed) else {
      send(first)
      return
    }
    let down = script(
      at: completed.at.advanced(by: .minutes(30)), to: other, from: first.from, need: first.need)
    send(first)
    send(down)
    benign(.stepUpStepDown, first)
    guard let ended = down.step(.completed) else { return }
    send(
      script(
        at: ended.at.advanced(by: .minutes(30)), to: first.to, from: first.from, need: first.need))
  }
}
