import HandoffCore

/// What stands as time passes, claims are made anew and sources speak.
struct Standing {
  private struct Open {
    var due: Timestamp
    var known: Timestamp
  }

  /// A silence that cannot be judged: a source that could carry the answer is behind.
  private struct Wait {
    var due: Timestamp
    var source: Code
    /// From when on it is this source that is waited for.
    var since: Timestamp
    var isSaid = false
    /// When it was answered, as far as is known: too late, unless another source knows better.
    var answered: Timestamp?
  }

  private var claims: [Claim.Key: Claim] = [:]
  private var open: [Claim.Key: Open] = [:]
  private var waiting: [Claim.Key: Wait] = [:]
  private var ended: [Episode] = []
  private var words: SourceWords
  private var now = Timestamp.distantPast

  init(_ words: SourceWords) { self.words = words }

  var episodes: [Episode] {
    ended
      + open.map {
        Episode(key: $0.key, opened: $0.value.due, resolved: nil, known: $0.value.known)
      }
  }

  /// What falls due opens, and what ends by itself is resolved.
  mutating func advance(to time: Timestamp) {
    for (key, claim) in claims {
      let isAnother = waiting[key].map { $0.answered != nil && $0.due != claim.due } ?? true
      if claim.due <= time, open[key] == nil, isAnother,
        claim.until.map({ $0 > claim.due }) ?? true
      {
        waiting[key] = nil
        judge(claim, at: max(claim.due, now))
      }
      sayWaiting(key, upTo: min(time, claim.until ?? time))
      guard let until = claim.until, until <= time else { continue }
      if let alert = open.removeValue(forKey: key) { end(key, alert, at: until) }
      waiting[key] = nil
      claims[key] = nil
    }
    now = max(now, time)
  }

  /// Something is learned of the sources: what they were waited for is judged.
  mutating func hear(_ change: SourceWords.Change) {
    if !claims.isEmpty { advance(to: change.at) }
    words.take(change)
    for (key, wait) in waiting {
      if let source = behind(for: key, wait) {
        waitOn(source, key, wait, at: change.at)
      } else if let answered = wait.answered {
        waiting[key] = nil
        judge(key, wait, answered: answered, at: change.at)
      } else {
        waiting[key] = nil
        open[key] = Open(due: wait.due, known: change.at)
      }
    }
  }

  /// A record was taken in: what is not claimed any more is resolved by it.
  ///
  /// Our own redelivery of a record answers nothing (`isNews`).
  mutating func replace(with view: PersonView, by arrival: Oracle.Arrival, isNews: Bool) {
    let time = arrival.at
    claims = [:]
    answerers = [:]
    for claim in view.claims where claim.until.map({ $0 > time }) ?? true {
      let key = claim.key
      if let known = claims[key], known.due <= claim.due { continue }
      if let forgotten = claim.forgotten, forgotten <= time, open[key] == nil, waiting[key] == nil {
        continue
      }
      claims[key] = claim
    }
    for key in waiting.keys { answerers[key] = view.answerers(to: key) }
    for (key, alert) in open {
      if let claim = claims[key], claim.due <= time {
        // Put in order anew it may have been due at another moment, which is the one that counts.
        if !claim.keepsOpening { open[key]?.due = claim.due }
      } else {
        open[key] = nil
        end(key, alert, at: time)
      }
    }
    if isNews { for (key, wait) in waiting { judgeAgain(key, wait, by: arrival) } }
    advance(to: time)
  }

  // MARK: Silence that waits for its sources

  /// Whose word could answer what is waited for.
  private var answerers: [Claim.Key: Set<OrganisationID>] = [:]

  private func behind(
    for key: Claim.Key, _ wait: Wait, besides answered: Code? = nil
  ) -> Code? {
    let able = claims[key]?.answerers ?? answerers[key] ?? []
    return words.behind(for: able, upTo: wait.due, before: wait.source, besides: answered)
  }

  private mutating func judge(_ claim: Claim, at moment: Timestamp) {
    guard let able = claim.answerers, let source = words.behind(for: able, upTo: claim.due) else {
      open[claim.key] = Open(due: claim.due, known: moment)
      return
    }
    waiting[claim.key] = Wait(due: claim.due, source: source, since: moment)
    answerers[claim.key] = able
  }

  private mutating func waitOn(
    _ source: Code, _ key: Claim.Key, _ wait: Wait, at moment: Timestamp
  ) {
    var wait = wait
    if wait.source != source { (wait.source, wait.since) = (source, moment) }
    waiting[key] = wait
    sayWaiting(key, upTo: moment)
  }

  /// Once the source has had its time, that nothing can be said is said.
  private mutating func sayWaiting(_ key: Claim.Key, upTo time: Timestamp) {
    guard let wait = waiting[key], !wait.isSaid, wait.answered == nil else { return }
    let moment = max(words.patienceEnds(of: wait.source, since: wait.due), wait.since)
    guard moment <= time else { return }
    waiting[key]?.isSaid = true
    ended.append(
      Episode(
        key: key, opened: wait.due, resolved: nil, known: moment, waitsFor: wait.source))
  }

  /// A record was taken in while something waits: it may be the answer.
  private mutating func judgeAgain(_ key: Claim.Key, _ wait: Wait, by arrival: Oracle.Arrival) {
    var wait = wait
    if let claim = claims[key], claim.due <= arrival.at {
      if claim.due != wait.due {
        wait = Wait(due: claim.due, source: wait.source, since: arrival.at)
      }
      // What answered it was refuted.
      if wait.answered != nil { (wait.answered, wait.since) = (nil, arrival.at) }
      guard let source = behind(for: key, wait) else {
        waiting[key] = nil
        open[key] = Open(due: claim.due, known: arrival.at)
        return
      }
      return waitOn(source, key, wait, at: arrival.at)
    }
    let happened = min(arrival.event.occurredAt, arrival.at)
    let answers = OracleTable.answers(arrival.event.type, key)
    let isAnswer = answers == true && arrival.event.handoffID == key.handoff
    // In time after all.
    if isAnswer, happened < wait.due { wait.answered = nil }
    if answers != nil, isAnswer || wait.answered == nil ? happened >= wait.due : true {
      // Answered or put off too late, as far as is known: what another source keeps may have been in
      // time.
      let isNoted = isAnswer || wait.answered == nil
      if isNoted { wait.answered = min(wait.answered ?? happened, happened) }
      if let source = behind(for: key, wait, besides: isNoted ? arrival.event.source : nil) {
        return waitOn(source, key, wait, at: arrival.at)
      }
    }
    waiting[key] = nil
    judge(key, wait, answered: wait.answered ?? happened, at: arrival.at)
  }

  /// What was answered is an alert that was resolved, if it was answered too late.
  private mutating func judge(
    _ key: Claim.Key, _ wait: Wait, answered: Timestamp, at moment: Timestamp
  ) {
    guard answered >= wait.due else { return }
    ended.append(Episode(key: key, opened: wait.due, resolved: answered, known: moment))
  }

  private mutating func end(_ key: Claim.Key, _ alert: Open, at moment: Timestamp) {
    ended.append(
      Episode(key: key, opened: alert.due, resolved: moment, known: alert.known))
  }
}
