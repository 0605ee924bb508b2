import HandoffCore

@testable import HandoffCodecs

extension EventGenerator {
  mutating func sourceReducerState() -> SourceReducerState {
    switch number(0...2) {
    case 0:
      .partition(
        SourcePartitionState(
          time: time(), nextOffset: Int64(number(0...99)),
          activation: RulesActivation(rulesVersion: 1, policyHash: hash()),
          book: EpisodeBook(list(2) { $0.episode() })))
    case 1: .source(sourceMemory())
    default:
      .messages(
        of: code(),
        MessageMemory.Segment(
          number: UInt64(number(1...9)),
          entries: list(3) {
            MessageMemory.Entry(
              receptionID: $0.id(), key: $0.maybe { $0.id() }, content: $0.maybe { $0.id() },
              subject: $0.maybe { $0.id() }, at: $0.time(), evidence: $0.evidence())
          }))
    }
  }

  mutating func evidence() -> Evidence {
    Evidence(
      eventID: nil, hash: hash(),
      coordinates: maybe {
        RecordCoordinates(
          topic: "handoff.sources.v1", partition: Int32($0.number(0...9)),
          offset: Int64($0.number(0...9)))
      })
  }

  mutating func episode() -> Episode {
    Episode(
      rule: one(), cause: maybe { $0.code() }, reference: maybe { $0.id() }, id: id(),
      revision: UInt32(number(1...9)), severity: one(), count: UInt32(number(1...9)),
      opened: time(), lastAt: time(), evidence: list(2) { $0.evidence() })
  }

  mutating func sourceMemory() -> Source {
    var source = Source(code: code())
    source.heardAt = maybe { $0.time() }
    source.heardIn = maybe { $0.evidence() }
    source.completeUpTo = maybe { $0.time() }
    source.completeAt = maybe { $0.time() }
    source.since = maybe { $0.time() }
    source.rate = RepeatRate(
      list(3) {
        RepeatRate.Minute(
          number: Int64($0.number(0...9)), messages: UInt32($0.number(0...9)),
          repeats: UInt32($0.number(0...9)))
      })
    source.sequence = SequenceTrack(
      highest: maybe { UInt64($0.number(0...9)) },
      gaps: list(2) {
        SequenceTrack.Gap(
          from: UInt64($0.number(0...9)), to: UInt64($0.number(10...19)),
          missing: $0.list(2) { UInt64($0.number(0...4))...UInt64($0.number(5...9)) },
          seenAt: $0.time(), evidence: $0.evidence(), isSaid: $0.chance())
      })
    source.counts.counted = UInt64(number(0...9))
    source.counts.base = maybe { Int64($0.number(-9...9)) }
    source.counts.learningUntil = maybe { $0.time() }
    source.counts.latest = maybe { UInt64($0.number(0...9)) }
    source.counts.judged = maybe { $0.total() }
    source.counts.waiting = list(2) { $0.total() }
    source.counts.floor = maybe { Int64($0.number(-9...9)) }
    source.counts.first = maybe { $0.total() }
    source.counts.latestAt = maybe { $0.time() }
    source.counts.recent.seconds = (0..<number(0...3)).map {
      RecentArrivals.Second(number: Int64($0), count: UInt32(number(0...9)))
    }
    source.book = EpisodeBook(list(2) { $0.episode() })
    return source
  }

  private mutating func total() -> CountTrack.Total {
    CountTrack.Total(
      frames: UInt64(number(0...9)), saidAt: time(), takenUpTo: time(),
      counted: UInt64(number(0...9)))
  }
}
