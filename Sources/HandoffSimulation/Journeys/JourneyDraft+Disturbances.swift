internal import HandoffCore

/// Doubled, re-sent, reordered, and out of turn.
extension JourneyDraft {
  mutating func disturb(_ intact: Script, _ fault: Fault) {
    var script = intact
    switch fault {
    case .doubled, .redelivered, .resentSoon, .resentLater: return again(script, fault)
    case .idReused: return reuse(script)
    case .reorderedWithin:
      swapWithin(&script)
      return sendBenign(script, instead: intact, fault)
    case .reorderedBeyond: swapBeyond(&script)
    case .illegalStep:
      guard let received = script.step(.received) else { break }
      var failed = step(.transportFailed, .platform, nil, at: received.at.advanced(by: .seconds(1)))
      failed.reason = code("http:500")
      failed.isVoid = true
      let isInOrder = hearing.isInOrder([script.steps[0], received, failed], of: script)
      guard isInOrder else { break }
      script.insert(failed)
      let due = hearing.reach(failed, of: script).advanced(by: policy.windows.reorder)
      expect(
        .a14, fault, script, happened: failed.at,
        knowable: hearing.judged(due, by: [script.from, script.to]))
    case .conflictingEnds:
      guard let completed = script.step(.completed) else { break }
      var cancelled = step(
        .cancelled, .sender, script.from,
        at: completed.at.advanced(by: chance.pick([.hours(1), .hours(20)])))
      cancelled.isVoid = true
      script.insert(cancelled)
      expect(
        .a12, fault, script, happened: cancelled.at,
        knowable: hearing.reach(cancelled, of: script))
    default: startAfterCancel(&script, fault)
    }
    send(script, fault: fault)
  }

  /// The same words again: as the bus's redelivery, the sender's repeat, or under another id.
  private mutating func again(_ script: Script, _ fault: Fault) {
    let events = send(script)
    let able = events.indices.filter { Self.repeatable.contains(events[$0].type) }
    guard !able.isEmpty else { return }
    let index = chance.pick(able)
    let told = script.steps.filter { !$0.isLost }[index]
    var event = events[index]
    let gap: Elapsed =
      switch fault {
      case .resentSoon: chance.span(.seconds(10), .minutes(5))
      case .resentLater: chance.span(.hours(25), .hours(72))
      case .redelivered: chance.span(.seconds(1), .minutes(20))
      default: chance.span(.seconds(1), .hours(3))
      }
    let at = told.arrivesAt.advanced(by: gap).roundedUp
    if fault != .redelivered { event.receptionID = Pseudonyms.receptionID(at: at, &chance) }
    if fault == .resentSoon || fault == .resentLater {
      let message = message()
      event.id = writer.names.eventID(message, part: 0)
      event.messageKey = writer.names.messageKey("\(message) \(event.type.rawValue)")
      // Stamped anew, as a new message is.
      event.recordedAt = at
    }
    let same: Arrival.Again? =
      fault == .redelivered ? .bus : fault == .doubled ? .sender : nil
    journey.arrivals.append(Arrival(event: event, at: at, again: same))
    for index in journey.arrivals.indices { journey.arrivals[index].isAlone = false }
    let reached = hearing.reach(at, by: told.by ?? script.from)
    switch fault {
    case .redelivered: benign(fault, script)
    case .resentLater: expect(.a02, fault, script, happened: at, knowable: reached)
    default: expect(.a01, fault, script, happened: at, knowable: reached)
    }
  }

  /// The next request bears the message id of the first, as where a vendor writes it into the code.
  private mutating func reuse(_ first: Script) {
    var first = first
    let message = message()
    first.steps[0].message = message
    send(first)
    let at = first.steps[0].at.advanced(by: chance.span(.minutes(20), .hours(40)))
    var second = script(at: at, from: first.from, need: code("need:review"))
    second.steps[0].message = message
    send(second)
    let request = second.steps[0]
    expect(
      .a03, .idReused, second, happened: request.at,
      knowable: hearing.reach(request, of: second))
  }

  /// One word overtakes another, within the window in which order is restored.
  private mutating func swapWithin(_ script: inout Script) {
    guard script.steps.count > 3 else { return }
    let index = 1 + chance.below(script.steps.count - 2)
    let gap = script.steps[index + 1].at.since(script.steps[index].at)
    let extra = chance.span(.minutes(1), .minutes(9))
    script.steps[index].lag = Elapsed(nanoseconds: gap.nanoseconds + extra.nanoseconds)
  }

  /// The word of the acceptance comes long after that of the outcome.
  private mutating func swapBeyond(_ script: inout Script) {
    guard let completed = script.step(.completed), let told = script.step(.feedbackSent),
      told.at.since(completed.at) > .minutes(45)
    else { return }
    script.steps.removeAll { $0.type == .started || $0.type == .booked }
    guard let index = script.index(of: .accepted) else { return }
    let arrival = completed.at.advanced(by: .minutes(40))
    let intact = script.steps[index].lag
    script.steps[index].lag = arrival.since(script.steps[index].at)
    // From a connector that was behind the two come together, and can be put in order.
    let isFar =
      hearing.reach(script.steps[index], of: script).since(hearing.reach(completed, of: script))
      > policy.windows.reorder
    guard isFar, hearing.isInOrder([script.steps[0], completed, told], of: script) else {
      script.steps[index].lag = intact
      return
    }
    let due = hearing.reach(completed, of: script).advanced(by: policy.windows.reorder)
    expect(
      .a14, .reorderedBeyond, script, happened: completed.at,
      knowable: hearing.judged(due, by: [script.from, script.to]))
  }

  private mutating func startAfterCancel(_ script: inout Script, _ fault: Fault) {
    guard let accepted = script.step(.accepted), let started = script.step(.started) else { return }
    let at = chance.moment(from: accepted.at, to: started.at, between: 0.1, and: 0.6)
    script.end(with: step(.cancelled, .sender, script.from, at: at))
    var late = started
    late.isVoid = true
    script.steps.append(late)
    expect(.a12, fault, script, happened: late.at, knowable: hearing.reach(late, of: script))
  }

  /// Sends what looks like a fault, where it stays within every clock; the intact script otherwise.
  mutating func sendBenign(
    _ script: Script, instead intact: Script, _ fault: Fault, nextStepAt: Timestamp? = nil
  ) {
    guard Expectation(script, policy, hearing).silences(nextStepAt: nextStepAt).isEmpty else {
      send(intact)
      return
    }
    send(script, fault: fault, nextStepAt: nextStepAt)
  }
}
