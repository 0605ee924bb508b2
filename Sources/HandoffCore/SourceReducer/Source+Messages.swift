/// What single messages of a source show: A01 and A03 over all its persons, A13, A16, A19 and A27.
extension Source {
  static let senderClock = Code(known: "sender-clock")
  static let connectorClock = Code(known: "connector-clock")
  static let future = Code(known: "future")
  static let zone = Code(known: "zone")
  static let twoPersons = Code(known: "two-persons")
  static let orphanReason = Code(known: "correlation.orphan")

  mutating func receive(
    _ reception: SourceReception, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    memory.forget(at: moment.now)
    guard !memory.contains(reception.receptionID) else { return }
    counts.count(takenInAt: reception.at, at: moment.now, moment.policy)
    healCounts(moment, into: &verdicts)
    let isRepeat = recognise(reception, moment, into: &verdicts)
    // A repeat bears the times of the first: they say nothing of the clock now.
    if !isRepeat { judgeClock(reception, moment, into: &verdicts) }
    // The number of a repeat has been counted with the first.
    if let number = reception.sequence, !isRepeat {
      arrived(number, moment, into: &verdicts)
    }
    rate.note(isRepeat: isRepeat, at: moment.now)
    if isRepeat, let known = book.index(.a01) {
      book.setCount(
        book.episodes[known].count &+ 1, at: known, of: subject, moment, into: &verdicts)
    }
    judgeRate(moment, into: &verdicts)
  }

  /// Whether the message is known; one whose id is, with another content about another person, is
  /// A03.
  ///
  /// Of one person the person reducer tells a reuse from a legal update; a source is asked only
  /// for what no person can see.
  private mutating func recognise(
    _ reception: SourceReception, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) -> Bool {
    guard let evidence = moment.evidence else { return false }
    let message = MessageMemory.Entry(
      receptionID: reception.receptionID, key: reception.messageKey,
      content: reception.eventMac ?? reception.contentMac, subject: reception.subject,
      at: moment.now, evidence: evidence)
    let known = reception.messageKey.flatMap { memory[$0] }
    let isRepeat = memory.isRepeat(message)
    memory.insert(message)
    guard !isRepeat, let key = reception.messageKey, let known, let before = known.subject,
      let subject = reception.subject, before != subject
    else { return isRepeat }
    book.note(
      EpisodeBook.Happening(
        rule: .a03, reference: key, beginning: moment.beginning(key),
        earlier: known.evidence),
      of: self.subject, moment, into: &verdicts)
    return false
  }

  /// A01: more than a few repeats within the hour.
  func rateDue(_ policy: SourcePolicy) -> Timestamp? {
    guard book.index(.a01) != nil || rate.repeats >= UInt64(policy.repeatsLeast) else {
      return nil
    }
    return rate.nextMove
  }

  mutating func judgeRate(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    let known = book.index(.a01)
    if rate.isMany(moment.policy) {
      guard known == nil else { return }
      var moment = moment
      // Where the hour moved on it is the last repeat that shows it.
      moment.evidence = moment.evidence ?? memory.segments.last?.entries.last?.evidence
      let minute = Token(rawValue: UInt128(moment.now.minute.magnitude))
      book.note(
        EpisodeBook.Happening(
          rule: .a01, beginning: (moment.evidence?.hash.bytes ?? []) + minute.bytes,
          count: UInt32(clamping: rate.repeats)),
        of: subject, moment, into: &verdicts)
    } else if let known {
      book.end(at: known, of: subject, moment, into: &verdicts)
    }
  }

  /// A19: a sender's clock, or what it reports, is off by the time of reception.
  private mutating func judgeClock(
    _ reception: SourceReception, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    guard !reception.isBackfill else { return }
    if let recordedAt = reception.recordedAt {
      let off = recordedAt.since(reception.at)
      if max(off, Elapsed(nanoseconds: 0 &- off.nanoseconds)) > moment.policy.skew {
        noteClock(Self.senderClock, moment, into: &verdicts)
      }
    }
    if let occurredAt = reception.occurredAt,
      occurredAt > reception.at.advanced(by: moment.policy.ahead)
    {
      noteClock(Self.future, moment, into: &verdicts)
    }
    if reception.isTimeDoubtful { noteClock(Self.zone, moment, into: &verdicts) }
  }

  mutating func noteClock(
    _ cause: Code, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    book.note(
      EpisodeBook.Happening(
        rule: .a19, cause: cause, beginning: moment.evidence?.hash.bytes ?? []),
      of: subject, moment, into: &verdicts)
  }

  /// A27: an episode a reason.
  mutating func refuse(
    _ refusal: SourceRefusal, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    // Told of when it arrived, and as an orphan when its request had not come (A13).
    if refusal.reason == Self.orphanReason { return }
    // What the boundary refuses is no arrival: the source that it names may not have sent it.
    if refusal.isWarning || refusal.isOfBoundary {
      guard isNews(refusal, moment) else { return }
    } else {
      memory.forget(at: moment.now)
      guard let evidence = moment.evidence, isNews(refusal, moment),
        !memory.contains(refusal.receptionID)
      else { return }
      memory.insert(
        MessageMemory.Entry(
          receptionID: refusal.receptionID, key: nil, content: nil, subject: nil, at: moment.now,
          evidence: evidence))
      counts.count(takenInAt: refusal.at, at: moment.now, moment.policy)
      healCounts(moment, into: &verdicts)
      if let number = refusal.sequence { arrived(number, moment, into: &verdicts) }
      rate.note(isRepeat: false, at: moment.now)
      judgeRate(moment, into: &verdicts)
    }
    book.note(
      EpisodeBook.Happening(
        rule: refusal.isOfBoundary ? .s11 : .a27, cause: refusal.reason,
        beginning: moment.evidence?.hash.bytes ?? [],
        severity: refusal.isWarning ? .low : nil),
      of: subject, moment, into: &verdicts)
  }

  /// Whether it is not the last that was counted: the same record again is our own redelivery.
  private func isNews(_ refusal: SourceRefusal, _ moment: SourceMoment) -> Bool {
    let rule = refusal.isOfBoundary ? Rule.s11 : .a27
    guard let known = book.index(rule, cause: refusal.reason), let hash = moment.evidence?.hash
    else { return true }
    return !book.episodes[known].evidence.contains { $0.hash == hash }
  }

  /// A13: an answer without its request, until the request comes.
  mutating func orphaned(
    _ orphan: SourceOrphan, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    let known = book.index(.a13, reference: orphan.reference)
    if orphan.isResolved {
      if let known { book.end(at: known, of: subject, moment, into: &verdicts) }
      return
    }
    if let onboardedAt = moment.policy.onboardedAt, orphan.receivedAt < onboardedAt { return }
    // Said once for each reference; the same again is our own redelivery.
    guard known == nil else { return }
    let isFull = book.episodes.count { $0.rule == .a13 } >= EpisodeBook.countMax - 1
    let due = orphan.receivedAt.advanced(by: moment.windows.reorder)
      .advanced(by: moment.windows.orphan)
    book.note(
      EpisodeBook.Happening(
        rule: .a13, cause: isFull ? Self.more : nil, reference: isFull ? nil : orphan.reference,
        beginning: moment.beginning(orphan.reference), opened: due),
      of: subject, moment, into: &verdicts)
  }

  /// A16: one id of two persons; one alert a number and source.
  mutating func conflicted(
    _ conflict: SourceConflict, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    if let known = book.index(.a16, cause: Self.twoPersons, reference: conflict.reference),
      let hash = moment.evidence?.hash,
      book.episodes[known].evidence.contains(where: { $0.hash == hash })
    {
      return  // Our own redelivery.
    }
    book.note(
      EpisodeBook.Happening(
        rule: .a16, cause: Self.twoPersons, reference: conflict.reference,
        beginning: moment.beginning(conflict.reference)),
      of: subject, moment, into: &verdicts)
  }
}

extension SourceRefusal {
  /// Refused at the boundary: nothing of it was believed, not even which source it is of.
  var isOfBoundary: Bool { reason.description.hasPrefix("inbox.") }
}
