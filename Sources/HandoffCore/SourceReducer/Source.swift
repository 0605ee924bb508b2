/// Everything the reducer holds of one source; nothing else of its past matters for the future.
public struct Source: Hashable, Sendable {
  public let code: Code
  /// When it was last heard of, by partition time; `nil` before its first heartbeat, from which on
  /// silence can be told.
  public var heardAt: Timestamp?
  /// The record in which it was.
  public var heardIn: Evidence?
  /// Everything that happened up to here has been published, by the source's own clock.
  public var completeUpTo: Timestamp?
  /// The same by the broker's clock, as far as it can be known.
  public var completeAt: Timestamp?
  /// Since when it is as it is: running, silent or behind.
  public var since: Timestamp?
  public var rate = RepeatRate()
  public var sequence = SequenceTrack()
  public var counts = CountTrack()
  public var book = EpisodeBook()
  public var memory = MessageMemory()

  public init(code: Code) { self.code = code }

  var subject: Verdict.Subject { .source(code) }

  /// Whether anything is heard of it.
  public var condition: SourceState.Condition {
    if book.index(.a18, cause: Self.silent) != nil { return .silent }
    return book.index(.a18, cause: Self.behind) != nil ? .behind : .running
  }

  /// What the events topic is told of it; `nil` before its first heartbeat.
  public var state: SourceState? {
    guard heardAt != nil else { return nil }
    return SourceState(
      source: code, condition: condition, completeUpTo: completeUpTo, since: since)
  }

  static let silent = Code(known: "silent")
  static let behind = Code(known: "behind")
  static let surplus = Code(known: "surplus")
  static let shortfall = Code(known: "shortfall")
  static let more = Code(known: "more")

  // MARK: Records

  /// Takes in one statement; every deadline up to it has fired.
  mutating func take(
    _ statement: SourceRecord, _ moment: SourceMoment, brokerAt: Timestamp,
    into verdicts: inout [Verdict]
  ) {
    switch statement {
    case .heartbeat(let heartbeat):
      hear(moment, into: &verdicts)
      beat(heartbeat, moment, brokerAt: brokerAt, into: &verdicts)
      claim(heartbeat, moment, into: &verdicts)
    case .reception(let reception):
      if heardAt != nil { hear(moment, into: &verdicts) }
      receive(reception, moment, into: &verdicts)
    case .refusal(let refusal):
      if heardAt != nil { hear(moment, into: &verdicts) }
      refuse(refusal, moment, into: &verdicts)
    // Said by ingest about what waits in it: no word of the source.
    case .orphan(let orphan): orphaned(orphan, moment, into: &verdicts)
    case .conflict(let conflict): conflicted(conflict, moment, into: &verdicts)
    case .condition(let condition): read(condition, moment, into: &verdicts)
    }
  }

  // MARK: Time

  /// When something about it may next be different.
  func nextDue(_ policy: SourcePolicy, _ windows: RuleWindows) -> Timestamp? {
    [
      silenceDue(policy), gapDue(windows), rateDue(policy), book.nextEnd(windows),
      counts.nextDue(policy.countWindow, completeUpTo: completeUpTo),
    ].compactMap(\.self).min()
  }

  /// Fires everything that is due at `moment`.
  mutating func settle(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    book.settle(of: subject, moment, into: &verdicts)
    judgeGaps(moment, into: &verdicts)
    judgeCounts(moment, into: &verdicts)
    rate.expire(at: moment.now)
    judgeRate(moment, into: &verdicts)
    judgeSilence(moment, into: &verdicts)
  }
}
