/// A25 and A26: what a source has sent, by its own numbers and totals.
extension Source {
  /// Takes what a heartbeat says of numbers and totals.
  mutating func claim(
    _ heartbeat: SourceHeartbeat, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    if let number = heartbeat.lastSequence, let evidence = moment.evidence {
      sequence.claimed(number, at: moment.now, evidence)
      dropForgottenGaps()
    }
    let more = counts.take(
      CountTrack.Statement(
        frames: heartbeat.framesTotal, madeAt: heartbeat.at, completeUpTo: completeUpTo),
      at: moment.now, moment.policy)
    if more > 0 {
      book.note(
        EpisodeBook.Happening(
          rule: .a26, cause: Self.surplus, beginning: moment.evidence?.hash.bytes ?? [],
          count: UInt32(clamping: more)),
        of: subject, moment, into: &verdicts)
    }
    // A source that begins anew has nothing missing of what it was before.
    if counts.judged == nil { healCounts(moment, into: &verdicts) }
    // Of what it was behind with until now.
    judgeCounts(moment, into: &verdicts)
  }

  // MARK: A25

  mutating func arrived(
    _ number: UInt64, _ moment: SourceMoment, into verdicts: inout [Verdict]
  ) {
    guard let evidence = moment.evidence else { return }
    sequence.arrived(number, at: moment.now, evidence)
    for gap in sequence.gaps where gap.missing.isEmpty && gap.isSaid {
      if let known = book.index(.a25, reference: gap.reference) {
        book.end(at: known, of: subject, moment, into: &verdicts)
      }
    }
    sequence.gaps.removeAll(where: \.missing.isEmpty)
    dropForgottenGaps()
  }

  func gapDue(_ windows: RuleWindows) -> Timestamp? {
    sequence.gaps.map { gap in
      gap.seenAt.advanced(by: gap.isSaid ? windows.memory : windows.reorder)
    }.min()
  }

  /// Says the gaps that nothing has filled in time, and forgets those that nothing will.
  mutating func judgeGaps(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    for index in sequence.gaps.indices where !sequence.gaps[index].isSaid {
      let gap = sequence.gaps[index]
      let due = gap.seenAt.advanced(by: moment.windows.reorder)
      guard due <= moment.now else { continue }
      sequence.gaps[index].isSaid = true
      var moment = moment
      moment.evidence = gap.evidence
      book.note(
        EpisodeBook.Happening(
          rule: .a25, reference: gap.reference,
          beginning: gap.reference.bytes + gap.evidence.hash.bytes, count: gap.count,
          opened: due),
        of: subject, moment, into: &verdicts)
    }
    sequence.gaps.removeAll {
      $0.isSaid && $0.seenAt.advanced(by: moment.windows.memory) <= moment.now
    }
    dropForgottenGaps()
  }

  /// The alert of a gap that is forgotten stays as it was last said.
  private mutating func dropForgottenGaps() {
    book.episodes.removeAll { episode in
      episode.rule == .a25 && !sequence.gaps.contains { $0.reference == episode.reference }
    }
  }

  // MARK: A26

  mutating func judgeCounts(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    let window = moment.policy.countWindow
    guard let due = counts.nextDue(window, completeUpTo: completeUpTo), due <= moment.now else {
      return
    }
    let missing = counts.settle(at: moment.now, window: window, completeUpTo: completeUpTo)
    guard missing > 0 else { return }
    let count = UInt32(clamping: missing)
    if let known = book.index(.a26, cause: Self.shortfall) {
      guard count > book.episodes[known].count else { return }
      book.setCount(count, at: known, of: subject, moment, into: &verdicts)
      return
    }
    var moment = moment
    moment.evidence = heardIn
    book.note(
      EpisodeBook.Happening(
        rule: .a26, cause: Self.shortfall, beginning: heardIn?.hash.bytes ?? [], count: count,
        opened: due),
      of: subject, moment, into: &verdicts)
  }

  /// Ends a shortfall that has been made up for.
  mutating func healCounts(_ moment: SourceMoment, into verdicts: inout [Verdict]) {
    guard let known = book.index(.a26, cause: Self.shortfall) else { return }
    if let judged = counts.judged, counts.shortfall(of: judged) > 0 { return }
    book.end(at: known, of: subject, moment, into: &verdicts)
  }
}
