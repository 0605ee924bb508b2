internal import HandoffCore

/// Wrong people, wrong services, wrong versions.
extension JourneyDraft {
  mutating func confuse(_ intact: Script, _ fault: Fault) {
    var script = intact
    switch fault {
    case .strangerAccepts: acceptElsewhere(&script)
    case .strangerSpeaks, .wrongRole: speakOutOfTurn(&script, fault)
    case .amendmentUnseen: amendUnseen(&script)
    case .amendedAfterStart:
      guard let started = script.step(.started) else { break }
      var amended = step(
        .handoffAmended, .sender, script.from, at: started.at.advanced(by: .seconds(20)))
      amended.isVoid = true
      script.insert(amended)
      expect(
        .a24, fault, script, happened: amended.at, knowable: hearing.reach(amended, of: script))
    case .bookedAfterDeath, .cancelledBeforeDeath: return die(script, fault)
    default: return merge(script, fault)
    }
    send(script, fault: fault)
  }

  private mutating func acceptElsewhere(_ script: inout Script) {
    guard let accepted = script.step(.accepted) else { return }
    let role = writer.region.role(of: script.to)
    let other = writer.region.other(than: script.to, role, &chance)
    guard other.organisation != script.to.organisation,
      other.organisation != script.from.organisation
    else { return }
    var also = step(.accepted, .receiver, other, at: accepted.at.advanced(by: .seconds(50)))
    also.isVoid = true
    script.insert(also)
    let due = policy.windows.confirmation.due(
      from: hearing.reach(also, of: script), in: policy.calendar, for: script.to.organisation)
    expect(.a05, .strangerAccepts, script, happened: also.at, knowable: due)
  }

  /// A service that is no party refuses; or the receiver acts as if it were the sender.
  private mutating func speakOutOfTurn(_ script: inout Script, _ fault: Fault) {
    guard let delivered = script.step(.delivered) else { return }
    let at = delivered.at.advanced(by: Elapsed(nanoseconds: 300_000_000))
    var word = step(.cancelled, .sender, script.to, at: at)
    if fault == .strangerSpeaks {
      let stranger = writer.region.service(.voluntary, in: (place + 1) % 3, &chance)
      guard stranger.organisation != script.to.organisation else { return }
      word = step(.rejected, .receiver, stranger, at: at)
      word.reason = code("bars:OTH")
    }
    word.isVoid = true
    script.insert(word)
    expect(.a17, fault, script, happened: word.at, knowable: hearing.reach(word, of: script))
  }

  /// Nothing from the receiver shows within T_ack that it has the new version.
  private mutating func amendUnseen(_ script: inout Script) {
    guard let received = script.step(.received), let accepted = script.step(.accepted) else {
      return
    }
    let amended = step(
      .handoffAmended, .sender, script.from, at: received.at.advanced(by: .seconds(1)))
    let due = due(script.clocks.acknowledge, hearing.reach(amended, of: script), script)
    guard due < accepted.at else { return }
    script.insert(amended)
    expect(
      .a24, .amendmentUnseen, script, happened: amended.at,
      knowable: hearing.judged(due, by: [script.to]))
  }

  // MARK: Deaths

  /// The person dies before the appointment, and it still stands; or it is called off first.
  private mutating func die(_ intact: Script, _ fault: Fault) {
    var script = intact
    guard let booked = script.step(.booked), let bookedFor = booked.bookedFor,
      bookedFor.since(booked.at) > .hours(72)
    else {
      send(intact)
      return
    }
    person = writer.names.patientKey(person: 10_000_000 + occasion.number)
    script.person = person
    let died = chance.moment(
      from: booked.at, to: bookedFor.advanced(by: .hours(-48)), between: 0.1, and: 0.9)
    script.diedAt = died
    let reported = died.advanced(by: chance.span(.hours(1), .hours(12)))
    script.cut(from: .started)
    if fault == .cancelledBeforeDeath {
      let at = reported.advanced(by: .minutes(-5))
      var cancelled = step(.cancelled, .sender, script.from, at: at)
      cancelled.reason = code("deceased")
      script.end(with: cancelled)
    }
    let message = message()
    let at = reported.advanced(by: Elapsed(nanoseconds: 150_000_000)).roundedUp
    var event = HandoffEvent(
      id: writer.names.eventID(message, part: 0),
      receptionID: Pseudonyms.receptionID(at: at, &chance), type: .patientDied,
      patientKey: person, handoffID: nil, contentMac: Token(rawValue: 0), speaker: .sender,
      spokenBy: script.from.organisation, occurredAt: died, source: script.from.source,
      rail: script.from.rail)
    event.recordedAt = reported
    event.from = Party(organisation: script.from.organisation)
    event.messageKey = writer.names.messageKey(message)
    event.contentMac = writer.names.contentMac(event)
    journey.arrivals.append(Arrival(event: event, at: at))
    if fault == .bookedAfterDeath {
      let known = max(
        hearing.reach(at, by: script.from), hearing.reach(booked, of: script))
      expect(.a23, fault, script, happened: died, knowable: known)
    }
    send(script, fault: fault)
  }

  // MARK: Merges

  /// Two records of one person become one, while something is open under both, or under one only.
  private mutating func merge(_ intact: Script, _ fault: Fault) {
    let survivor = writer.names.patientKey(person: 20_000_000 + occasion.number)
    let given = writer.names.patientKey(person: 30_000_000 + occasion.number)
    var kept = intact
    kept.person = survivor
    guard let agreed = kept.step(.accepted), let begun = kept.step(.started) else { return }
    var at = chance.moment(from: agreed.at, to: begun.at, between: 0.1, and: 0.3)
    if fault == .mergedWithOpen {
      person = given
      var moved = script(
        at: intact.steps[0].at.advanced(by: .minutes(30)), need: code("need:other"))
      guard let started = moved.step(.started), let accepted = moved.step(.accepted),
        max(at, accepted.at).advanced(by: .hours(2)) < min(started.at, begun.at)
      else {
        send(intact)
        return
      }
      at = max(at, accepted.at).advanced(by: .hours(1))
      moved.moved = (at, survivor)
      send(moved, fault: fault)
    } else {
      person = given
    }
    send(kept, fault: fault)
    stay(.patientMerged, at: at, by: kept.from, of: given) { $0.newPatientKey = survivor }
    guard fault == .mergedWithOpen else { return }
    let arrival = at.advanced(by: Elapsed(nanoseconds: 150_000_000)).roundedUp
    journey.truths.append(
      Truth(
        fault: fault, rule: .a16, subject: .person(survivor), kind: kept.kind, happenedAt: at,
        knowableAt: hearing.reach(arrival, by: kept.from)))
  }
}
