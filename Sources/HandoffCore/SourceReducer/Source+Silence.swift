/// A18: a source is silent, or beats and stays behind.
extension Source {
  /// Any word of the source ends its silence.
  mutating func hear(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    heardAt = moment.now
    heardIn = moment.evidence
    if since == nil { since = moment.now }
    guard let silence = book.index(.a18, cause: Self.silent) else { return }
    book.end(at: silence, of: subject, moment, into: &verdicts)
    since = moment.now
  }

  /// Judges by a heartbeat how far the source is behind, and whether its clock is ahead.
  ///
  /// How far is told by the two times of the heartbeat itself, which are of one clock, so that a
  /// wrong clock does not look like a backlog.
  mutating func beat(
    _ heartbeat: SourceHeartbeat, _ moment: SourceMoment, brokerAt: Timestamp,
    into verdicts: inout [Verdict]
  ) {
    if heartbeat.at.since(brokerAt) > moment.policy.skew {
      noteClock(Self.connectorClock, moment, into: &verdicts)
    }
    if let complete = heartbeat.completeUpTo {
      completeUpTo = max(completeUpTo ?? complete, complete)
      let lag = max(.zero, heartbeat.at.since(complete))
      let at = moment.now.advanced(by: Elapsed(nanoseconds: -lag.nanoseconds))
      completeAt = max(completeAt ?? at, at)
    } else if completeAt == nil {
      // It has never said how far it is: counted from its first word.
      completeAt = moment.now
    }
    guard let completeAt else { return }
    let due = moment.policy.silenceDue(since: completeAt)
    let known = book.index(.a18, cause: Self.behind)
    if due <= moment.now, known == nil {
      book.note(
        EpisodeBook.Happening(
          rule: .a18, cause: Self.behind, beginning: moment.evidence?.hash.bytes ?? [],
          opened: due),
        of: subject, moment, into: &verdicts)
      since = due
    } else if due > moment.now, let known {
      book.end(at: known, of: subject, moment, into: &verdicts)
      since = moment.now
    }
  }

  /// When its silence becomes an alert; `nil` where it is one already, or cannot be told.
  func silenceDue(_ policy: SourcePolicy) -> Timestamp? {
    guard let heardAt, book.index(.a18, cause: Self.silent) == nil else { return nil }
    let due = policy.silenceDue(since: heardAt)
    return due == .distantFuture ? nil : due
  }

  mutating func judgeSilence(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    guard let due = silenceDue(moment.policy), due <= moment.now else { return }
    var moment = moment
    // What shows it is the last word before it.
    moment.evidence = heardIn
    book.note(
      EpisodeBook.Happening(
        rule: .a18, cause: Self.silent, beginning: heardIn?.hash.bytes ?? [], opened: due),
      of: subject, moment, into: &verdicts)
    since = due
  }
}
