/// One time that something was wrong with a source, or with the bus as the sources topic shows it:
/// about 250 bytes.
///
/// What is wrong with a source comes in swarms, so an episode counts: it speaks when it begins, when
/// its number has doubled, and when it ends.
public struct Episode: Hashable, Sendable {
  public var rule: Rule
  /// The limb of the rule, such as `silent`, or the reason of a refusal.
  public var cause: Code?
  /// The one message or id it is about, where it is about one.
  public var reference: Token?
  public var id: AlertID
  public var revision: UInt32
  public var severity: Severity
  public var count: UInt32
  public var opened: Timestamp
  public var lastAt: Timestamp
  /// The first record and the latest.
  public var evidence: [Evidence]

  public init(
    rule: Rule, cause: Code?, reference: Token?, id: AlertID, revision: UInt32,
    severity: Severity, count: UInt32, opened: Timestamp, lastAt: Timestamp, evidence: [Evidence]
  ) {
    self.rule = rule
    self.cause = cause
    self.reference = reference
    self.id = id
    self.revision = revision
    self.severity = severity
    self.count = count
    self.opened = opened
    self.lastAt = lastAt
    self.evidence = evidence
  }
}

/// What one statement of the source reducer rests on, and by which rules it is made.
struct SourceMoment {
  var now: Timestamp
  /// The record that is being applied; `nil` where a deadline fires.
  var evidence: Evidence?
  var windows: RuleWindows
  var policy: SourcePolicy
  var policyHash: RecordHash
  var profile: Code?
  var readUpTo: Int64

  /// What an episode about `reference` that begins now begins with: the record too, because after it
  /// ended another may begin about the same.
  func beginning(_ reference: Token) -> [UInt8] {
    reference.bytes + (evidence?.hash.bytes ?? [])
  }

  /// The same at another time.
  func at(_ time: Timestamp) -> SourceMoment {
    var moment = self
    moment.now = time
    return moment
  }
}

/// The episodes that are going on of one subject, in the order in which they began.
public struct EpisodeBook: Hashable, Sendable {
  /// The most that are told apart of one rule; more are counted with the first of their rule.
  public static let countMax = 64

  public var episodes: [Episode] = []

  public init(_ episodes: [Episode] = []) { self.episodes = episodes }

  /// What happened, in the terms of ``EpisodeBook/note(_:of:_:into:)``.
  struct Happening {
    var rule: Rule
    var cause: Code?
    var reference: Token?
    /// What tells this episode from every other of the same rule and cause, on any replay.
    var beginning: [UInt8]
    var severity: Severity?
    var count: UInt32 = 1
    /// When it was due, where that is not now.
    var opened: Timestamp?
    /// A record of before that it rests on too.
    var earlier: Evidence?
  }

  func index(_ rule: Rule, cause: Code? = nil, reference: Token? = nil) -> Int? {
    episodes.firstIndex {
      $0.rule == rule && $0.cause == cause && $0.reference == reference
    }
  }

  /// Counts it with its episode, or begins one.
  mutating func note(
    _ happening: Happening, of subject: Verdict.Subject, _ moment: SourceMoment,
    into verdicts: inout [Verdict]
  ) {
    let known =
      index(happening.rule, cause: happening.cause, reference: happening.reference)
      ?? (episodes.count { $0.rule == happening.rule } < Self.countMax
        ? nil : episodes.firstIndex { $0.rule == happening.rule })
    guard let known else {
      begin(happening, of: subject, moment, into: &verdicts)
      return
    }
    let (sum, overflow) = episodes[known].count.addingReportingOverflow(happening.count)
    setCount(overflow ? .max : sum, at: known, of: subject, moment, into: &verdicts)
  }

  /// Sets how many records an episode rests on; says so when that has doubled.
  mutating func setCount(
    _ count: UInt32, at index: Int, of subject: Verdict.Subject, _ moment: SourceMoment,
    into verdicts: inout [Verdict]
  ) {
    let before = episodes[index].count
    episodes[index].count = count
    episodes[index].lastAt = moment.now
    if let evidence = moment.evidence {
      episodes[index].evidence = episodes[index].evidence.prefix(1) + [evidence]
    }
    guard count.leadingZeroBitCount < before.leadingZeroBitCount else { return }
    episodes[index].revision += 1
    verdicts.append(Self.verdict(.changed, episodes[index], of: subject, moment))
  }

  /// Sets how bad it is; says so where that is another than before.
  mutating func setSeverity(
    _ severity: Severity, count: UInt32, at index: Int, of subject: Verdict.Subject,
    _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    episodes[index].count = count
    episodes[index].lastAt = moment.now
    guard episodes[index].severity != severity else { return }
    episodes[index].severity = severity
    if let evidence = moment.evidence {
      episodes[index].evidence = episodes[index].evidence.prefix(1) + [evidence]
    }
    episodes[index].revision += 1
    verdicts.append(Self.verdict(.changed, episodes[index], of: subject, moment))
  }

  private mutating func begin(
    _ happening: Happening, of subject: Verdict.Subject, _ moment: SourceMoment,
    into verdicts: inout [Verdict]
  ) {
    let episode = Episode(
      rule: happening.rule, cause: happening.cause, reference: happening.reference,
      id: AlertID(
        rule: happening.rule, subject: subject, episode: happening.beginning,
        cause: happening.cause),
      revision: 1, severity: happening.severity ?? happening.rule.severity,
      count: happening.count, opened: min(happening.opened ?? moment.now, moment.now),
      lastAt: moment.now,
      evidence: [happening.earlier, moment.evidence].compactMap(\.self))
    episodes.append(episode)
    verdicts.append(Self.verdict(.opened, episode, of: subject, moment))
  }

  /// Ends one: what was wrong is right again, or has been quiet for long enough.
  mutating func end(
    at index: Int, of subject: Verdict.Subject, _ moment: SourceMoment,
    into verdicts: inout [Verdict]
  ) {
    var episode = episodes.remove(at: index)
    episode.revision += 1
    if let evidence = moment.evidence { episode.evidence = episode.evidence.prefix(1) + [evidence] }
    var verdict = Self.verdict(.resolved, episode, of: subject, moment)
    verdict.resolvedAt = max(moment.now, episode.opened)
    verdicts.append(verdict)
  }

  /// When an episode ends by itself; `nil` where only its opposite ends it.
  static func end(of episode: Episode, _ windows: RuleWindows) -> Timestamp? {
    switch (episode.rule, episode.cause?.description) {
    case (.a03, _), (.a16, _): episode.lastAt.advanced(by: windows.memory)
    // Those that stand for too many to be told apart cannot be healed by any one.
    case (.a13, "more"): episode.lastAt.advanced(by: windows.memory)
    case (.a19, _), (.a27, _), (.a26, "surplus"), (.a26, "batch"):
      episode.lastAt.advanced(by: windows.repeats)
    // What is read of a thing once a day holds until it is read otherwise.
    case (.s09, _), (.s10, _): nil
    default: episode.rule.isAboutOurselves ? episode.lastAt.advanced(by: windows.repeats) : nil
    }
  }

  /// When the first of them ends if nothing comes again.
  func nextEnd(_ windows: RuleWindows) -> Timestamp? {
    episodes.compactMap { Self.end(of: $0, windows) }.min()
  }

  /// Ends those whose time has come by now.
  mutating func settle(
    of subject: Verdict.Subject, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    for index in episodes.indices.reversed() {
      guard let end = Self.end(of: episodes[index], moment.windows), end <= moment.now else {
        continue
      }
      self.end(at: index, of: subject, moment.at(end), into: &verdicts)
    }
  }

  private static func verdict(
    _ action: Verdict.Action, _ episode: Episode, of subject: Verdict.Subject,
    _ moment: SourceMoment
  ) -> Verdict {
    var verdict = Verdict(
      alertID: episode.id, revision: episode.revision, rule: episode.rule, action: action,
      severity: episode.severity, subject: subject, beganWith: nil, opened: episode.opened,
      knownAt: moment.now, evidence: episode.evidence, rulesVersion: PersonReducer.rulesVersion,
      policyHash: moment.policyHash, readUpTo: moment.readUpTo, count: episode.count)
    verdict.cause = episode.cause
    verdict.profile = moment.profile
    return verdict
  }
}
