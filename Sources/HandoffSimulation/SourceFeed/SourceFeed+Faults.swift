internal import HandoffCore

/// What goes wrong with a connector's own words, and what only looks so.
extension SourceFeed {
  /// The first message after the moment of a fault bears it; of a wrong clock, every one while it
  /// lasts.
  mutating func disturb(
    _ reception: inout SourceReception, of person: PatientKey, _ day: SourceDay,
    _ connector: inout Connector, at time: Timestamp
  ) {
    if reception.at < day.to { setClock(&reception, day, &connector, at: time) }
    guard !connector.done.contains(day.from) else { return }
    let source = reception.source
    switch day.fault {
    case .sequenceGap:
      // Before its first message there is nothing that a number could jump from.
      guard connector.sequence > 1 else { return }
      connector.sequence += 3
      reception.sequence = connector.sequence
      tell(
        day.fault, .a25, source, happened: time, knowable: time.advanced(by: .minutes(15)))
    case .sequenceBegunAnew:
      connector.sequence = 1
      reception.sequence = 1
      tell(day.fault, nil, source, happened: time, knowable: time)
    case .sequenceGapFilled:
      guard connector.sequence > 2 else { return }
      connector.held = reception
      tell(day.fault, nil, source, happened: time, knowable: time)
    case .idReusedAcross:
      guard let latest = connector.latest, latest.of != person,
        time.since(latest.at) < .hours(20)
      else { return }
      (connector.disguised, reception.messageKey) = (reception.messageKey, latest.key)
      tell(day.fault, .a03, source, happened: time, knowable: time)
    default: return
    }
    connector.done.insert(day.from)
  }

  /// What was told of under another's id is new to its source when it comes again: no repeat, and
  /// its stamp may be older than a clock may be.
  mutating func unmask(
    _ reception: SourceReception, _ connector: inout Connector, at time: Timestamp
  ) {
    guard let disguised = connector.disguised, reception.messageKey == disguised else { return }
    connector.disguised = nil
    guard let recordedAt = reception.recordedAt,
      reception.at.since(recordedAt) > SourcePolicy().skew
    else { return }
    note(.idReusedAcross, .a19, "sender-clock", &connector, at: time)
  }

  /// Of a sender whose clock is off, or who writes a time that has not come.
  private mutating func setClock(
    _ reception: inout SourceReception, _ day: SourceDay, _ connector: inout Connector,
    at time: Timestamp
  ) {
    switch day.fault {
    case .clockSkewed:
      reception.recordedAt = reception.at.advanced(by: .minutes(-22))
      note(day.fault, .a19, "sender-clock", &connector, at: time)
    case .happenedAhead:
      reception.occurredAt = reception.at.advanced(by: .minutes(9))
      note(day.fault, .a19, "future", &connector, at: time)
    case .clockNearlyRight:
      reception.recordedAt = reception.at.advanced(by: .minutes(4))
      if connector.done.insert(day.from).inserted {
        tell(day.fault, nil, connector.source, happened: time, knowable: time)
      }
    default: return
    }
  }

  /// Tells of something that an alert stands for until an hour has passed without it.
  private mutating func note(
    _ fault: Fault, _ rule: Rule, _ limb: String, _ connector: inout Connector, at time: Timestamp
  ) {
    let last = connector.episodes.updateValue(time, forKey: "\(rule.rawValue) \(limb)")
    if let last, time.since(last) < .hours(1) { return }
    tell(fault, rule, connector.source, happened: time, knowable: time)
  }

  /// Faults that show in a heartbeat, or beside it.
  mutating func happen(_ day: SourceDay, _ connector: inout Connector, at time: Timestamp) {
    let source = connector.source
    if day.fault == .clockAhead, time < day.to {
      note(day.fault, .a19, "connector-clock", &connector, at: time)
    }
    guard !connector.done.contains(day.from) else { return }
    var chance = Chance(seed: calendar.seed, 6, UInt64(bitPattern: time.nanoseconds))
    switch day.fault {
    case .payloadRefused, .frameRefused:
      let isInside = day.fault == .payloadRefused
      let reason = isInside ? "hl7.segment-missing" : "inbox.replay"
      if isInside {
        connector.refusals += 1
        connector.frames += 1
      }
      let reception = Pseudonyms.receptionID(at: time, &chance)
      let refusal = SourceRefusal(
        source: source, receptionID: reception, reason: code(reason),
        field: isInside ? "PID" : nil, at: time)
      say(.refusal(refusal), at: time)
      note(day.fault, isInside ? .a27 : .s11, reason, &connector, at: time)
    case .countMismatch, .countSurplus:
      // What is missing stays missing: a second time would change the first alert.
      guard connector.uncounted == 0, connector.frames > 2 else { return }
      guard miscount(day.fault, &connector, at: time) else { return }
    case .orphanAnswer: answerUnknown(&connector, at: time, &chance)
    case .idOfTwoPersons:
      let number = chance.next()
      let conflict = SourceConflict(
        source: source, receptionID: Pseudonyms.receptionID(at: time, &chance),
        reference: names.token("two", "\(number)"), system: code("PID-3"),
        knownKey: names.patientKey(person: 50_000_000 + number % 1_000_000),
        namedKey: names.patientKey(person: 60_000_000 + number % 1_000_000), at: time)
      say(.conflict(conflict), at: time)
      tell(day.fault, .a16, source, happened: time, knowable: time)
    case .certificateEnding, .certificateRenewed, .tableFilling:
      guard read(day.fault, &connector, at: time) else { return }
    case .brokenStatement:
      say(.heartbeat(heartbeat(of: connector, at: time)), at: time, isBroken: true)
      tell(day.fault, .s01, source, happened: time, knowable: time)
    default: return
    }
    connector.done.insert(day.from)
  }

  /// From here on its totals are not what came; false where that cannot be told from a beginning
  /// anew.
  private mutating func miscount(
    _ fault: Fault, _ connector: inout Connector, at time: Timestamp
  ) -> Bool {
    let isSurplus = fault == .countSurplus
    guard !isSurplus || connector.frames > connector.framesSaid else { return false }
    connector.uncounted = isSurplus ? -1 : 4
    tell(
      fault, .a26, connector.source, happened: time,
      knowable: isSurplus ? time : time.advanced(by: .hours(2)))
    return true
  }

  /// An answer to a request that nobody has sent waits a day for it.
  private mutating func answerUnknown(
    _ connector: inout Connector, at time: Timestamp, _ chance: inout Chance
  ) {
    connector.frames += 1
    connector.sequence += 1
    let reception = Pseudonyms.receptionID(at: time, &chance)
    var arrival = SourceReception(
      source: connector.source, receptionID: reception,
      messageKey: names.token("answer", "\(time.nanoseconds)", "\(connector.source)"),
      contentMac: names.token("content", "\(time.nanoseconds)"), sequence: connector.sequence,
      at: time)
    arrival.recordedAt = time
    say(.reception(arrival), at: time)
    let judged = time.advanced(by: .hours(24)).advanced(by: .minutes(15))
    var orphan = SourceOrphan(
      source: connector.source, receptionID: reception,
      reference: names.token("unknown", "\(time.nanoseconds)", "\(connector.source)"),
      system: code("MSH-10"), receivedAt: time, isResolved: false, at: judged)
    later.append(SourceArrival(statement: .orphan(orphan), at: judged))
    tell(.orphanAnswer, .a13, connector.source, happened: time, knowable: judged)
    guard chance.happens(0.5) else { return }
    // The request comes after all.
    orphan.isResolved = true
    orphan.at = judged.advanced(by: .hours(20))
    later.append(SourceArrival(statement: .orphan(orphan), at: orphan.at))
  }

  /// Something that will one day stop the connector is read, and a day later it is put right.
  ///
  /// False where the last one is not put right yet.
  private mutating func read(
    _ fault: Fault, _ connector: inout Connector, at time: Timestamp
  ) -> Bool {
    let isTable = fault == .tableFilling
    let source = isTable ? SourceCondition.ingest : connector.source
    let subject = code(isTable ? "correlation" : "certificate")
    guard !later.contains(where: { $0.statement.isReading(of: source, subject) }) else {
      return false
    }
    func reading(isBad: Bool, at moment: Timestamp) -> SourceArrival {
      let reading: SourceCondition.Reading =
        isTable
        ? .fill(entries: isBad ? 85_000 : 40_000, entriesMax: 100_000)
        : .certificate(endsAt: moment.advanced(by: .hours(24 * (isBad ? 20 : 390))), fault: nil)
      return SourceArrival(
        statement: .condition(
          SourceCondition(source: source, subject: subject, reading: reading, at: moment)),
        at: moment)
    }
    let isBad = fault != .certificateRenewed
    arrivals.append(reading(isBad: isBad, at: time))
    let rule: Rule? = isBad ? (isTable ? .s10 : .s09) : nil
    tell(fault, rule, connector.source, happened: time, knowable: time)
    later.append(reading(isBad: false, at: time.advanced(by: .hours(22))))
    return true
  }
}

extension SourceRecord {
  fileprivate func isReading(of source: Code, _ subject: Code) -> Bool {
    guard case .condition(let condition) = self else { return false }
    return condition.source == source && condition.subject == subject
  }
}
