import HandoffCore

/// A25 and A26: the numbers and totals of a source, against what came.
extension SourceView {
  // MARK: A25

  private struct Gap {
    var seenAt: Timestamp
    /// The numbers that were jumped over, which may be any number of them.
    let numbers: ClosedRange<UInt64>
    /// Which of them have come.
    var come: Set<UInt64> = []
    var filledAt: Timestamp?

    func lacks(_ number: UInt64) -> Bool { numbers.contains(number) && !come.contains(number) }
    var isFilled: Bool { UInt64(come.count) > numbers.upperBound - numbers.lowerBound }
  }

  /// Numbers that were jumped over, W_reorder after that was seen, until all of them have come.
  var gaps: [Episode] {
    var said = arrived.filter { !$0.isRepeat }.compactMap { message in
      message.number.map { (index: message.index, number: $0, at: message.at, isClaim: false) }
    }
    for (beat, word, index) in heartbeats {
      guard let number = beat.lastSequence else { continue }
      said.append((index, number, word.at, true))
    }
    said.sort { $0.index < $1.index }
    var highest: UInt64?
    var gaps: [Gap] = []
    for (_, number, at, isClaim) in said {
      guard let high = highest else {
        highest = number
        continue
      }
      if number > high {
        let last = isClaim ? number : number - 1
        if last > high { gaps.append(Gap(seenAt: at, numbers: (high + 1)...last)) }
        highest = number
      } else if !isClaim {
        let place = gaps.lastIndex {
          $0.lacks(number) && at < $0.seenAt.advanced(by: windows.memory)
        }
        if let place {
          gaps[place].come.insert(number)
          if gaps[place].isFilled { gaps[place].filledAt = at }
        } else if number <= 1 {
          highest = number
        }
      }
    }
    return gaps.compactMap { gap in
      let due = gap.seenAt.advanced(by: windows.reorder)
      guard due <= gap.filledAt ?? end else { return nil }
      return Episode(rule: .a25, cause: "", opened: due, resolved: gap.filledAt)
    }
  }

  // MARK: A26

  /// A total, and what it speaks of.
  private struct Total {
    var frames: Int64
    var saidAt: Timestamp
    /// By the source's clock; nil where that clock is not believed.
    var upTo: Timestamp?
    /// Its place among the words.
    var index: Int
    /// When it is held against what came, where the source is complete by then.
    var due: Timestamp
    /// Where what is beyond the count is learned still.
    var isLearning = false
    /// What totals count beyond what came when nothing is missing, as far as it was known then.
    var base: Int64 = 0
    /// Nothing was missing when it was said, for certain.
    var isWhole = false
  }

  /// How many came up to a word that the source took in by a moment.
  private func count(through index: Int, takenBy moment: Timestamp?) -> Int64 {
    Int64(
      arrived.count { message in
        message.index <= index && (moment.map { taken(message) <= $0 } ?? true)
      })
  }

  /// When the source took a message in: not after it came, as far as clocks may differ.
  private func taken(_ message: Arrived) -> Timestamp {
    message.takenAt <= message.at.advanced(by: policy.skew) ? message.takenAt : message.at
  }

  private static func second(_ time: Timestamp) -> Int64 {
    let (number, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest < 0 ? number - 1 : number
  }

  /// How many came up to a word that are in a total of `moment` for certain: what was stamped within
  /// the last second may not be.
  private func settled(through index: Int, at moment: Timestamp) -> Int64 {
    let limit = Self.second(moment.advanced(by: .seconds(-1)))
    return Int64(arrived.count { $0.index <= index && Self.second(taken($0)) < limit })
  }

  /// Totals that were not reached in the window, and totals that were too small.
  var totals: [Episode] {
    let judged = judge()
    let surplus = judged.surplus.map {
      Episode(
        rule: .a26, cause: "surplus", opened: $0.first,
        resolved: $0.last.advanced(by: windows.repeats) <= end
          ? $0.last.advanced(by: windows.repeats) : nil)
    }
    return surplus + shortfalls(judged.totals)
  }

  private func judge() -> (
    totals: [Total], surplus: [(first: Timestamp, last: Timestamp)]
  ) {
    var totals: [Total] = []
    var surplus: [(first: Timestamp, last: Timestamp)] = []
    var (base, floor) = (Int64.max, Int64.max)
    var latest: (frames: Int64, upTo: Timestamp?)?
    var first: (total: Total, until: Timestamp)?
    var complete: Timestamp?
    for (beat, word, index) in heartbeats {
      if let upTo = beat.completeUpTo { complete = complete.map { max($0, upTo) } ?? upTo }
      let isBelieved = beat.at <= word.at.advanced(by: policy.skew)
      let moment = isBelieved ? max(beat.at, latest?.upTo ?? beat.at) : nil
      var total = Total(
        frames: Int64(clamping: beat.framesTotal), saidAt: word.at, upTo: moment, index: index,
        due: word.at.advanced(by: policy.countWindow))
      let most = moment == beat.at ? total.frames - settled(through: index, at: beat.at) : nil
      if latest == nil || total.frames < latest?.frames ?? 0 {
        let isKnown = total.frames == 0 && count(through: index, takenBy: nil) == 0
        base = most ?? total.frames
        floor = isKnown ? base : .max
        first = isKnown ? nil : (total, total.due)
        total.isWhole = true
      }
      latest = (total.frames, moment ?? latest?.upTo)
      if let most, first != nil { base = min(base, most) }
      if let (began, until) = first {
        let isComplete = began.upTo.map { complete ?? $0 >= $0 } ?? true
        if word.at > until, isComplete {
          floor = min(base, began.frames - count(through: index, takenBy: began.upTo))
          first = nil
        } else {
          total.isLearning = true
        }
      }
      if !total.isLearning, let most, most < base {
        if most < floor {
          if let last = surplus.last?.last, word.at < last.advanced(by: windows.repeats) {
            surplus[surplus.count - 1].last = word.at
          } else {
            surplus.append((word.at, word.at))
          }
          floor = most
        }
        base = most
      }
      // Nobody knows what a total of an unbelievable clock counts.
      if moment == nil { total.isLearning = true }
      total.base = base
      total.isWhole = total.isWhole || !total.isLearning && most == base && lacks(total, index) == 0
      totals.append(total)
    }
    return (totals, surplus)
  }

  /// What had not come of a total by a word.
  private func lacks(_ total: Total, _ index: Int) -> Int64 {
    max(0, total.frames - total.base - count(through: index, takenBy: total.upTo))
  }

  /// One alert from when the first total is due that lacks something, until what is due lacks
  /// nothing, or a later total lacks nothing.
  private func shortfalls(_ totals: [Total]) -> [Episode] {
    let lacking = totals.filter { !$0.isLearning && lacks($0, $0.index) > 0 }
    guard !lacking.isEmpty else { return [] }
    var episodes: [Episode] = []
    var opened: Timestamp?
    for index in words.indices {
      // What falls due before the word, as all stood after the one before it.
      if opened == nil, index > 0 {
        opened = due(lacking, totals, through: index - 1, by: words[index].at)
      }
      let standing = due(lacking, totals, through: index, by: words[index].at)
      if let began = opened, standing == nil {
        episodes.append(
          Episode(rule: .a26, cause: "shortfall", opened: began, resolved: words[index].at))
      }
      opened = standing == nil ? nil : opened ?? standing
    }
    if let last = words.indices.last, opened == nil {
      opened = due(lacking, totals, through: last, by: end)
    }
    if let opened {
      episodes.append(Episode(rule: .a26, cause: "shortfall", opened: opened, resolved: nil))
    }
    return episodes
  }

  /// When the first of the totals was due that lack something after a word; nil where none does.
  private func due(
    _ lacking: [Total], _ totals: [Total], through index: Int, by moment: Timestamp
  ) -> Timestamp? {
    let whole = totals.last { $0.index <= index && ($0.isWhole || isReached($0, index)) }
    let complete = words[...index].compactMap { word -> Timestamp? in
      guard case .heartbeat(let beat) = word.statement else { return nil }
      return beat.completeUpTo
    }.max()
    return lacking.first { total in
      guard total.index <= index, total.index > whole?.index ?? -1, total.due <= moment,
        lacks(total, index) > 0
      else { return false }
      guard let upTo = total.upTo, let complete else { return true }
      return complete >= upTo
    }?.due
  }

  /// Whether a total lacked something, and does not any more.
  private func isReached(_ total: Total, _ index: Int) -> Bool {
    !total.isLearning && lacks(total, total.index) > 0 && lacks(total, index) == 0
  }
}
