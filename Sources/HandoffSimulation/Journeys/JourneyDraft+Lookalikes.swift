internal import HandoffCore

/// What only looks like a fault, in one handoff.
extension JourneyDraft {
  mutating func soothe(_ intact: Script, _ fault: Fault) {
    var script = intact
    switch fault {
    case .lateButLegal: answerLate(&script)
    case .retriedTransport: retry(&script)
    case .duplicateIsProof:
      // In another minute: within one the two words would be the same.
      let delivered = script.steps[2]
      let at = delivered.at.advanced(by: chance.span(.seconds(61), .minutes(4)))
      script.insert(step(.delivered, .platform, nil, at: at))
    case .amended: amend(&script)
    case .cancelUnderSameId:
      guard let received = script.step(.received) else { break }
      let message = message()
      script.steps[0].message = message
      var cancelled = step(
        .cancelled, .sender, script.from, at: received.at.advanced(by: .seconds(2)))
      cancelled.message = message
      script.end(with: cancelled)
    case .heldAndAnswered: hold(&script)
    case .missedAndRebooked: miss(&script)
    case .bookedBeyondClock: bookLate(&script)
    case .twoNoes:
      guard let accepted = script.step(.accepted) else { break }
      let cancelled = step(.cancelled, .sender, script.from, at: accepted.at)
      reject(&script)
      var rejected = script.steps.removeLast()
      rejected.at = accepted.at.advanced(by: .seconds(90))
      script.end(with: cancelled)
      script.steps.append(rejected)
    case .rejectedNoNeed:
      reject(&script, "dos:26")
      dispose(&script, at: rerouting(script))
    default: share(&script)
    }
    sendBenign(script, instead: intact, fault)
  }

  private mutating func answerLate(_ script: inout Script) {
    let type: EventType = script.clocks.isDocument ? .received : .accepted
    guard let answer = script.step(type) else { return }
    let at = chance.moment(from: answer.at, to: acceptDue(script), between: 0.9, and: 0.985)
    script.delay(from: type, to: at)
  }

  /// Failed, and the same request again: a retry of the sender.
  private mutating func retry(_ script: inout Script) {
    let request = script.steps[0]
    let length = script.steps[1].at.since(request.at).nanoseconds
    var failed = step(
      .transportFailed, .platform, nil,
      at: request.at.advanced(by: Elapsed(nanoseconds: length / 3)))
    failed.reason = code("http:503")
    failed.lag = Elapsed(nanoseconds: 1_000_000)
    let message = message()
    script.steps[0].message = message
    script.steps[0].lag = Elapsed(nanoseconds: 1_000_000)
    var again = script.steps[0]
    again.lag = Elapsed(nanoseconds: length * 2 / 3)
    again.isRetry = true
    // Where its connector keeps one and not the next, it is no retry to anybody.
    guard hearing.isInOrder([script.steps[0], failed, again], of: script) else { return }
    script.steps.insert(contentsOf: [failed, again], at: 1)
  }

  private mutating func amend(_ script: inout Script) {
    guard let received = script.step(.received), let accepted = script.step(.accepted) else {
      return
    }
    let at = chance.moment(from: received.at, to: accepted.at, between: 0.1, and: 0.6)
    let amended = step(.handoffAmended, .sender, script.from, at: at)
    let seen = min(
      due(script.clocks.acknowledge, at, script).advanced(by: .seconds(-2)), accepted.at)
    script.insert(amended)
    let again = chance.moment(from: at, to: seen, between: 0.1, and: 0.8)
    script.insert(step(.received, .receiver, script.to, at: again))
  }

  /// A question to the sender, answered well within T_hold and what is left of T_start.
  private mutating func hold(_ script: inout Script) {
    guard let accepted = script.step(.accepted) else { return }
    let holdDue = due(policy.windows.hold, accepted.at, script)
    let until = min(holdDue, acceptDue(script))
    let answered = chance.moment(from: accepted.at, to: until, between: 0.1, and: 0.5)
    let held = step(.infoRequested, .receiver, script.to, at: accepted.at)
    script.delay(from: .accepted, to: answered.advanced(by: .seconds(30)))
    script.insert(held)
    script.insert(step(.handoffAmended, .sender, script.from, at: answered))
  }

  /// Not attended, and booked again.
  private mutating func miss(_ script: inout Script) {
    guard let booked = script.step(.booked), let bookedFor = booked.bookedFor,
      let missed = script.index(of: .started)
    else { return }
    let at = bookedFor.advanced(by: .minutes(20))
    let again = at.advanced(by: chance.span(.hours(50), .hours(200)))
    script.delay(from: .started, to: again)
    var second = step(.booked, .receiver, script.to, at: at.advanced(by: .hours(2)))
    second.bookedFor = again
    script.steps.insert(
      contentsOf: [step(.notAttended, .receiver, script.to, at: at), second], at: missed)
  }

  /// Booked, before T_start is over, for a day after it.
  private mutating func bookLate(_ script: inout Script) {
    guard let accepted = script.step(.accepted), script.clocks.start != nil else { return }
    let due = startDue(script)
    let day = due.advanced(by: chance.span(.hours(3), .hours(90)))
    script.steps.removeAll { $0.type == .booked }
    script.delay(from: .started, to: day)
    var booked = step(
      .booked, .receiver, script.to,
      at: chance.moment(from: accepted.at, to: due, between: 0.02, and: 0.3))
    booked.bookedFor = day
    script.insert(booked)
  }

  /// A second service takes part by agreement, and says so.
  private mutating func share(_ script: inout Script) {
    guard let accepted = script.step(.accepted) else { return }
    let role = writer.region.role(of: script.to)
    let partner = writer.region.other(than: script.to, role, &chance)
    guard partner.organisation != script.to.organisation,
      partner.organisation != script.from.organisation
    else { return }
    script.cc = [partner]
    var also = step(.accepted, .receiver, partner, at: accepted.at.advanced(by: .minutes(3)))
    also.isVoid = true
    script.insert(also)
  }
}
