public import HandoffCore

/// A naive judge of what must be said about sources: everything anew from all that a source ever
/// said, and without a type of the reducer.
///
/// When a source has been silent for too long is the policy's own word (`silenceDue`), as it is for
/// the reducer: there the two agree about when that is asked, and not about the answer.
///
/// Written from domain.md §3.1 (A01, A03, A13, A16, A18, A19, A25 to A27) and §8.
public struct SourceOracle: Sendable {
  /// An alert about a source, from its opening to its end.
  public struct Episode: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rule: Rule
    /// The limb of the rule, where it has several.
    public var cause: String
    public var opened: Timestamp
    public var resolved: Timestamp?

    public init(rule: Rule, cause: String, opened: Timestamp, resolved: Timestamp?) {
      (self.rule, self.cause, self.opened, self.resolved) = (rule, cause, opened, resolved)
    }

    public var description: String {
      "\(rule.rawValue) \(cause) from \(opened.nanoseconds) to "
        + (resolved.map { "\($0.nanoseconds)" } ?? "open")
    }

    public static func < (left: Self, right: Self) -> Bool {
      (left.rule, left.cause, left.opened, left.resolved ?? .distantFuture)
        < (right.rule, right.cause, right.opened, right.resolved ?? .distantFuture)
    }
  }

  private let policy: Policy

  public init(policy: Policy = .default) { self.policy = policy }

  /// Every alert about every source over the records of one partition, up to `end`.
  public func episodes(
    of records: some Sequence<SourceTopicRecord>, until end: Timestamp
  ) -> [Code: [Episode]] {
    var time = Timestamp.distantPast
    var words: [Code: [SourceView.Word]] = [:]
    for record in records {
      time = max(time, record.brokerAt)
      guard case .statement(let statement) = record.content else { continue }
      words[statement.source, default: []].append(
        SourceView.Word(statement: statement, at: time, brokerAt: record.brokerAt))
    }
    let last = max(time, end)
    return Dictionary(
      uniqueKeysWithValues: words.map { code, words in
        let view = SourceView(
          words: words, policy: policy.source(code), windows: policy.windows, end: last)
        return (code, view.episodes.sorted())
      })
  }
}

/// All that one source said, and what follows from it.
struct SourceView {
  typealias Episode = SourceOracle.Episode

  /// A statement, and when it was taken in.
  struct Word {
    var statement: SourceRecord
    /// Partition time.
    var at: Timestamp
    var brokerAt: Timestamp
  }

  /// A message that came for the first time.
  struct Arrived {
    var at: Timestamp
    /// By the source's own clock.
    var takenAt: Timestamp
    var number: UInt64?
    var isRepeat = false
    /// Its place among the words.
    var index: Int
    var reception: SourceReception?
  }

  let words: [Word]
  let policy: SourcePolicy
  let windows: RuleWindows
  let end: Timestamp
  let arrived: [Arrived]
  /// Of A03: when one id came with another person.
  private let reuses: [(key: Token, at: Timestamp)]

  init(words: [Word], policy: SourcePolicy, windows: RuleWindows, end: Timestamp) {
    (self.words, self.policy, self.windows, self.end) = (words, policy, windows, end)
    (arrived, reuses) = Self.recognise(words)
  }

  var episodes: [Episode] {
    silences + backlogs + clocks + refusals + rates + reused + orphans + conflicts + gaps
      + totals
  }

  /// Messages that are told of once, and which of them their sender sent again within a day.
  private static func recognise(
    _ words: [Word]
  ) -> (arrived: [Arrived], reuses: [(key: Token, at: Timestamp)]) {
    var all: [Arrived] = []
    var reuses: [(key: Token, at: Timestamp)] = []
    var ids: [ReceptionID: Timestamp] = [:]
    var known: [Token: [(content: Token?, subject: Token?, at: Timestamp)]] = [:]
    func isKnown(_ id: ReceptionID, at time: Timestamp) -> Bool {
      defer { ids[id] = time }
      return ids[id].map { time.since($0) < .hours(24) } ?? false
    }
    for (index, word) in words.enumerated() {
      switch word.statement {
      case .reception(let reception):
        guard !isKnown(reception.receptionID, at: word.at) else { continue }
        var one = Arrived(
          at: word.at, takenAt: reception.at, number: reception.sequence, index: index,
          reception: reception)
        if let key = reception.messageKey {
          let content = reception.eventMac ?? reception.contentMac
          let before = known[key, default: []].filter { word.at.since($0.at) <= .hours(24) }
          one.isRepeat = before.contains {
            $0.content == content && $0.subject == reception.subject
          }
          if !one.isRepeat, let last = before.last?.subject, let subject = reception.subject,
            last != subject
          {
            reuses.append((key, word.at))
          }
          known[key, default: []].append((content, reception.subject, word.at))
        }
        all.append(one)
      case .refusal(let refusal):
        guard isArrival(refusal), !isKnown(refusal.receptionID, at: word.at) else { continue }
        all.append(
          Arrived(at: word.at, takenAt: refusal.at, number: refusal.sequence, index: index))
      case .heartbeat, .orphan, .conflict, .condition: break
      }
    }
    return (all, reuses)
  }

  /// Whether a refusal is of something that came: not of the boundary, and no mere warning.
  private static func isArrival(_ refusal: SourceRefusal) -> Bool {
    !refusal.isWarning && !isOfBoundary(refusal) && !isOrphan(refusal)
  }

  private static func isOfBoundary(_ refusal: SourceRefusal) -> Bool {
    refusal.reason.description.hasPrefix("inbox.")
  }

  private static func isOrphan(_ refusal: SourceRefusal) -> Bool {
    refusal.reason.description == "correlation.orphan"
  }

  var heartbeats: [(beat: SourceHeartbeat, word: Word, index: Int)] {
    words.enumerated().compactMap { index, word in
      guard case .heartbeat(let beat) = word.statement else { return nil }
      return (beat, word, index)
    }
  }

  // MARK: What is counted while it lasts

  /// One alert for what follows one another within `length`.
  private func swarms(
    _ rule: Rule, _ cause: String, _ moments: [Timestamp], lasting length: Elapsed
  ) -> [Episode] {
    var swarms: [(first: Timestamp, last: Timestamp)] = []
    for moment in moments {
      if let last = swarms.last?.last, moment < last.advanced(by: length) {
        swarms[swarms.count - 1].last = moment
      } else {
        swarms.append((moment, moment))
      }
    }
    return swarms.map { first, last in
      let over = last.advanced(by: length)
      return Episode(rule: rule, cause: cause, opened: first, resolved: over <= end ? over : nil)
    }
  }

  /// A19.
  private var clocks: [Episode] {
    var moments: [String: [Timestamp]] = [:]
    for message in arrived where !message.isRepeat {
      guard let reception = message.reception, !reception.isBackfill else { continue }
      if let made = reception.recordedAt,
        made > reception.at.advanced(by: policy.skew)
          || reception.at > made.advanced(by: policy.skew)
      {
        moments["sender-clock", default: []].append(message.at)
      }
      if let happened = reception.occurredAt,
        happened > reception.at.advanced(by: policy.ahead)
      {
        moments["future", default: []].append(message.at)
      }
      if reception.isTimeDoubtful { moments["zone", default: []].append(message.at) }
    }
    for (beat, word, _) in heartbeats where beat.at > word.brokerAt.advanced(by: policy.skew) {
      moments["connector-clock", default: []].append(word.at)
    }
    return moments.flatMap { swarms(.a19, $0, $1, lasting: windows.repeats) }
  }

  /// A27, and S11 of what the boundary refuses.
  private var refusals: [Episode] {
    var moments: [String: [Timestamp]] = [:]
    let first = Set(arrived.map(\.index))
    for (index, word) in words.enumerated() {
      guard case .refusal(let refusal) = word.statement, !Self.isOrphan(refusal),
        !Self.isArrival(refusal) || first.contains(index)
      else { continue }
      moments[refusal.reason.description, default: []].append(word.at)
    }
    return moments.flatMap { reason, moments in
      swarms(
        reason.hasPrefix("inbox.") ? .s11 : .a27, reason, moments, lasting: windows.repeats)
    }
  }

  /// A03: one message id of two persons.
  private var reused: [Episode] {
    Dictionary(grouping: reuses, by: \.key).values.flatMap {
      swarms(.a03, "", $0.map(\.at), lasting: windows.memory)
    }
  }

  /// A16: one number of two persons.
  private var conflicts: [Episode] {
    var moments: [Token: [Timestamp]] = [:]
    for word in words {
      guard case .conflict(let conflict) = word.statement else { continue }
      moments[conflict.reference, default: []].append(word.at)
    }
    return moments.values.flatMap {
      swarms(.a16, "two-persons", $0, lasting: windows.memory)
    }
  }

  /// A13: an answer whose request does not come, from the end of its wait until it comes.
  private var orphans: [Episode] {
    var open: [Token: Timestamp] = [:]
    var episodes: [Episode] = []
    for word in words {
      guard case .orphan(let orphan) = word.statement else { continue }
      if orphan.isResolved {
        guard let opened = open.removeValue(forKey: orphan.reference) else { continue }
        episodes.append(
          Episode(rule: .a13, cause: "", opened: opened, resolved: max(opened, word.at)))
      } else if open[orphan.reference] == nil,
        orphan.receivedAt >= policy.onboardedAt ?? .distantPast
      {
        let due = orphan.receivedAt.advanced(by: windows.reorder).advanced(by: windows.orphan)
        open[orphan.reference] = min(due, word.at)
      }
    }
    return episodes
      + open.values.map { Episode(rule: .a13, cause: "", opened: $0, resolved: nil) }
  }

  // MARK: A18

  /// Three intervals without a word, maintenance considered.
  private var silences: [Episode] {
    guard let first = heartbeats.first?.index else { return [] }
    let heard = words[first...].filter { word in
      switch word.statement {
      case .heartbeat, .reception, .refusal: true
      case .orphan, .conflict, .condition: false
      }
    }.map(\.at)
    return heard.indices.compactMap { index in
      let next = index + 1 < heard.count ? heard[index + 1] : nil
      let due = policy.silenceDue(since: heard[index])
      guard due != .distantFuture, due <= next ?? end else { return nil }
      return Episode(rule: .a18, cause: "silent", opened: due, resolved: next)
    }
  }

  /// It beats, and what it has handed over ends three intervals ago.
  private var backlogs: [Episode] {
    var episodes: [Episode] = []
    var opened: Timestamp?
    var complete: Timestamp?
    for (beat, word, _) in heartbeats {
      if let upTo = beat.completeUpTo {
        let lag = max(.zero, beat.at.since(upTo))
        let by = word.at.advanced(by: Elapsed(nanoseconds: -lag.nanoseconds))
        complete = complete.map { max($0, by) } ?? by
      }
      let since = complete ?? word.at
      complete = since
      let due = policy.silenceDue(since: since)
      if due <= word.at {
        opened = opened ?? due
      } else if let began = opened {
        episodes.append(Episode(rule: .a18, cause: "behind", opened: began, resolved: word.at))
        opened = nil
      }
    }
    if let opened {
      episodes.append(Episode(rule: .a18, cause: "behind", opened: opened, resolved: nil))
    }
    return episodes
  }

  // MARK: A01

  /// More than a few repeats within this minute and the 59 before it.
  private var rates: [Episode] {
    var moments = Set(arrived.map(\.at))
    for message in arrived {
      let (passed, overflow) = (Self.minute(message.at) + 60)
        .multipliedReportingOverflow(by: 60_000_000_000)
      let moved = Timestamp(nanoseconds: passed)
      if !overflow, moved <= end { moments.insert(moved) }
    }
    guard arrived.contains(where: \.isRepeat) else { return [] }
    var episodes: [Episode] = []
    var opened: Timestamp?
    for moment in moments.sorted() {
      for count in Self.steps(at: moment, arrived) {
        let seen = arrived[..<count].filter { Self.minute($0.at) > Self.minute(moment) - 60 }
        let repeats = seen.count { $0.isRepeat }
        let isMany =
          repeats >= Int(policy.repeatsLeast)
          && repeats * 100 >= seen.count * Int(policy.repeatsPercent)
        if isMany {
          opened = opened ?? moment
        } else if let began = opened {
          episodes.append(Episode(rule: .a01, cause: "", opened: began, resolved: moment))
          opened = nil
        }
      }
    }
    if let opened {
      episodes.append(Episode(rule: .a01, cause: "", opened: opened, resolved: nil))
    }
    return episodes
  }

  private static func minute(_ time: Timestamp) -> Int64 {
    let (number, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 60_000_000_000)
    return rest < 0 ? number - 1 : number
  }

  /// How many had come at a moment: before it, and after each that came at it.
  private static func steps(at moment: Timestamp, _ arrived: [Arrived]) -> ClosedRange<Int> {
    let before = arrived.prefix { $0.at < moment }.count
    return before...(before + arrived[before...].prefix { $0.at == moment }.count)
  }
}
