/// What an arrival is, compared with what is remembered of the person.
enum Recognition {
  case new
  /// The bus's own second delivery.
  case redelivery
  /// The sender's repeat of a message.
  case repetition(of: SeenEvent)
  /// A message id that came before with other content.
  case reuse(of: SeenEvent)
  /// The same business content under another message id.
  case resend(of: SeenEvent)
}

extension Person {
  /// Forgets what the policy no longer asks to remember.
  mutating func forgetSeen(at now: Timestamp, _ windows: RuleWindows) {
    let expired = seen.prefix { $0.arrivedAt.advanced(by: windows.memory) <= now }
    if !expired.isEmpty { seen.removeFirst(expired.count) }
  }

  /// Compares an arrival with everything remembered, of which ids are short (decision 0126).
  ///
  /// Events of one message share its reception and its key; they are no repeats of each other. The
  /// type is part of the key of A03 (domain.md §8), so a message id on a request and on its
  /// cancellation is legal, as is a message that says what it supersedes.
  func recognise(_ event: HandoffEvent, at now: Timestamp, _ windows: RuleWindows) -> Recognition {
    var repeated: SeenEvent?
    var reused: SeenEvent?
    var resent: SeenEvent?
    for known in seen {
      if known.eventID == event.id {
        if known.receptionID.tail == event.receptionID.tail { return .redelivery }
        repeated = repeated ?? known
      } else if let key = event.messageKey, known.messageKey?.tail == key.tail,
        known.type == event.type,
        known.receptionID.tail != event.receptionID.tail
      {
        if known.contentMac.tail == event.contentMac.tail {
          repeated = repeated ?? known
        } else if event.supersedes == nil {
          reused = reused ?? known
        }
      } else if event.handoffID != nil, known.contentMac.tail == event.contentMac.tail,
        known.type == event.type, known.receptionID.tail != event.receptionID.tail,
        isOneSpeaker(event, known), !isOfNewVersion(event, known, at: now, windows)
      {
        resent = resent ?? known
      }
    }
    if let repeated { return .repetition(of: repeated) }
    if let reused { return .reuse(of: reused) }
    if let resent { return .resend(of: resent) }
    return .new
  }

  /// Whether what came before was said by the same service, as far as that is known.
  ///
  /// The content code does not cover who speaks (domain.md §2.1): two services that accept a
  /// handoff in one minute have one code, and are two (A05).
  private func isOneSpeaker(_ event: HandoffEvent, _ known: SeenEvent) -> Bool {
    if let speaker = known.spokenBy { return speaker == event.spokenBy }
    let handoff = handoffs.first { $0.id == event.handoffID }
    let fact = handoff?.window.first { $0.witness.eventID == known.eventID }
    return fact.map { $0.spokenBy == event.spokenBy } ?? true
  }

  /// Whether the receiver says the same in one minute of the request and then of its amendment: the
  /// content code does not cover which of the two it is about.
  private func isOfNewVersion(
    _ event: HandoffEvent, _ known: SeenEvent, at now: Timestamp, _ windows: RuleWindows
  ) -> Bool {
    guard event.speaker == .receiver,
      let handoff = handoffs.first(where: { $0.id == event.handoffID }),
      !handoff.current.state.isTerminal
    else { return false }
    // What came long ago has settled, and is not asked any more when it happened.
    let isRecent = known.arrivedAt.advanced(by: windows.reorder) >= now
    let fact = isRecent ? handoff.window.first { $0.witness.eventID == known.eventID } : nil
    return handoff.current.marks.contains { mark in
      guard mark.step == .amended || mark.step == .released,
        event.occurredAt >= mark.witness.occurredAt
      else { return false }
      let isKnownBefore = fact.map { $0.witness.occurredAt < mark.witness.occurredAt } ?? false
      return isKnownBefore || known.arrivedAt < mark.witness.arrivedAt
    }
  }

  /// A02, or A01 where it is a repeat like any other: within a day, and nothing came in between.
  func rule(
    ofResend event: HandoffEvent, _ known: SeenEvent, _ witness: Witness, _ windows: RuleWindows
  ) -> Rule {
    guard witness.arrivedAt <= known.arrivedAt.advanced(by: windows.resend) else { return .a02 }
    let handoff = handoffs.first { $0.id == event.handoffID }
    let hasMovedOn = handoff?.current.marks.contains { mark in
      mark.witness.arrivedAt > known.arrivedAt
        && mark.witness.arrivedAt.advanced(by: windows.reorder) < witness.arrivedAt
    }
    return hasMovedOn == true ? .a02 : .a01
  }

  mutating func remember(_ event: HandoffEvent, _ witness: Witness) {
    seen.append(SeenEvent(event, witness))
  }

  /// Counts a repeat, or begins its episode.
  ///
  /// An episode of A01 is a message, not an event: a message of three events that is sent twice is
  /// one repeat. An episode of A03 is the message id, whichever content came first.
  mutating func note(
    _ rule: Rule, of known: SeenEvent, _ event: HandoffEvent, _ witness: Witness,
    _ windows: RuleWindows
  ) {
    // Of a re-send the content is what came twice; its message ids differ.
    let isResend =
      known.eventID != event.id
      && (event.messageKey == nil || known.messageKey?.tail != event.messageKey?.tail)
    let subject =
      isResend ? event.contentMac : event.messageKey ?? Token(rawValue: event.id.rawValue)
    let handoffID = event.handoffID
    let position = repetitions.firstIndex {
      $0.rule == rule && $0.subject == subject && (rule == .a03 || $0.handoffID == handoffID)
    }
    guard let position else {
      let first = Witness(
        eventID: known.eventID, hash: known.hash, arrivedAt: known.arrivedAt,
        occurredAt: known.arrivedAt, offset: known.offset, partition: known.partition)
      repetitions.append(
        Repetition(
          rule: rule, subject: subject, handoffID: handoffID, beganWith: known.eventID,
          lastReceptionID: event.receptionID, count: 1, opened: witness.arrivedAt,
          lastAt: witness.arrivedAt, first: first, latest: witness))
      return
    }
    count(at: position, event, witness, windows)
  }

  /// Counts one more of an episode; several events of one arrival count once.
  mutating func count(
    at position: Int, _ event: HandoffEvent, _ witness: Witness, _ windows: RuleWindows
  ) {
    guard repetitions[position].lastReceptionID != event.receptionID else { return }
    repetitions[position].lastReceptionID = event.receptionID
    if witness.arrivedAt >= repetitions[position].end(windows) {
      repetitions[position].opened = witness.arrivedAt
      repetitions[position].count = 0
    }
    repetitions[position].count += 1
    repetitions[position].lastAt = witness.arrivedAt
    repetitions[position].latest = witness
  }
}

extension SeenEvent {
  init(_ event: borrowing HandoffEvent, _ witness: Witness) {
    self.init(
      eventID: event.id, receptionID: event.receptionID, messageKey: event.messageKey,
      contentMac: event.contentMac, type: event.type, arrivedAt: witness.arrivedAt,
      hash: witness.hash, offset: witness.offset, spokenBy: event.spokenBy)
  }
}

extension Repetition {
  /// When the episode ends if nothing comes again: for A01 the sliding hour; a reused id stays open
  /// for as long as the ids that it collides with are remembered.
  func end(_ windows: RuleWindows) -> Timestamp {
    lastAt.advanced(by: rule == .a01 || rule == .a02 ? windows.repeats : windows.memory)
  }
}
