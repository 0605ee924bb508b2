import HandoffCore

extension Source {
  func write(to writer: inout ProtobufWriter) {
    writer.code(1, code)
    writer.moment(2, present: heardAt)
    if let heardIn { writer.nested(3) { heardIn.write(to: &$0) } }
    writer.moment(4, present: completeUpTo)
    writer.moment(5, present: completeAt)
    writer.moment(6, present: since)
    for minute in rate.minutes {
      writer.nested(7) { writer in
        writer.signed(1, minute.number)
        writer.unsigned(2, minute.messages)
        writer.unsigned(3, minute.repeats)
      }
    }
    if let highest = sequence.highest { writer.present(8, highest) }
    for gap in sequence.gaps { writer.nested(9) { gap.write(to: &$0) } }
    writer.nested(10) { counts.write(to: &$0) }
    for episode in book.episodes { writer.nested(11) { episode.write(to: &$0) } }
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var code: Code?
    var source = Source(code: SourceCondition.ingest)
    while let number = try reader.nextField() {
      switch number {
      case 1: code = try reader.code("source")
      case 2: source.heardAt = try reader.moment()
      case 3:
        var nested = try reader.nested("Evidence")
        source.heardIn = try Evidence(reading: &nested)
      case 4: source.completeUpTo = try reader.moment()
      case 5: source.completeAt = try reader.moment()
      case 6: source.since = try reader.moment()
      case 7:
        var nested = try reader.nested("SourceMinute")
        source.rate.minutes.append(try RepeatRate.Minute(reading: &nested))
      case 8: source.sequence.highest = try reader.unsigned()
      case 9:
        var nested = try reader.nested("SequenceGap")
        source.sequence.gaps.append(try SequenceTrack.Gap(reading: &nested))
      case 10:
        var nested = try reader.nested("SourceTotals")
        source.counts = try CountTrack(reading: &nested)
      case 11:
        var nested = try reader.nested("Episode")
        source.book.episodes.append(try Episode(reading: &nested))
      default: try reader.skip()
      }
    }
    guard let code else { throw reader.missing("source") }
    self.init(code: code)
    heardAt = source.heardAt
    heardIn = source.heardIn
    completeUpTo = source.completeUpTo
    completeAt = source.completeAt
    since = source.since
    rate = source.rate
    sequence = source.sequence
    counts = source.counts
    book = source.book
  }
}

extension RepeatRate.Minute {
  init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init(number: 0, messages: 0, repeats: 0)
    while let number = try reader.nextField() {
      switch number {
      case 1: self.number = try reader.signed(Int64.self, "number")
      case 2: messages = try reader.unsigned(UInt32.self, "messages")
      case 3: repeats = try reader.unsigned(UInt32.self, "repeats")
      default: try reader.skip()
      }
    }
  }
}

extension SequenceTrack.Gap {
  func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, from)
    writer.unsigned(2, to)
    for part in missing {
      writer.nested(3) { writer in
        writer.unsigned(1, part.lowerBound)
        writer.unsigned(2, part.upperBound)
      }
    }
    writer.moment(4, seenAt)
    writer.nested(5) { evidence.write(to: &$0) }
    writer.flag(6, isSaid)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var gap = (from: UInt64(0), to: UInt64(0), seenAt: Timestamp(nanoseconds: 0), isSaid: false)
    var missing: [ClosedRange<UInt64>] = []
    var evidence: Evidence?
    while let number = try reader.nextField() {
      switch number {
      case 1: gap.from = try reader.unsigned()
      case 2: gap.to = try reader.unsigned()
      case 3:
        var nested = try reader.nested("NumberRange")
        missing.append(try Self.range(&nested))
      case 4: gap.seenAt = try reader.moment()
      case 5:
        var nested = try reader.nested("Evidence")
        evidence = try Evidence(reading: &nested)
      case 6: gap.isSaid = try reader.flag()
      default: try reader.skip()
      }
    }
    guard let evidence else { throw reader.missing("evidence") }
    self.init(
      from: gap.from, to: gap.to, missing: missing, seenAt: gap.seenAt, evidence: evidence,
      isSaid: gap.isSaid)
  }

  private static func range(
    _ reader: inout ProtobufReader
  ) throws(WireError) -> ClosedRange<UInt64> {
    var bounds: (UInt64, UInt64) = (0, 0)
    while let number = try reader.nextField() {
      switch number {
      case 1: bounds.0 = try reader.unsigned()
      case 2: bounds.1 = try reader.unsigned()
      default: try reader.skip()
      }
    }
    // A range the wrong way round would trap.
    return min(bounds.0, bounds.1)...max(bounds.0, bounds.1)
  }
}

extension CountTrack {
  func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, counted)
    writer.signed(2, present: base)
    writer.moment(3, present: learningUntil)
    if let latest { writer.present(4, latest) }
    if let judged { writer.present(5, judged.frames) }
    for total in waiting { writer.nested(6) { total.write(to: &$0) } }
    writer.signed(170, present: floor)
    if let first { writer.nested(171) { first.write(to: &$0) } }
    writer.moment(172, present: latestAt)
    if let judged {
      writer.moment(173, present: judged.takenUpTo)
      writer.present(174, judged.counted)
      writer.moment(175, present: judged.saidAt)
    }
    for second in recent.seconds {
      writer.nested(176) { writer in
        writer.signed(1, second.number)
        writer.unsigned(2, second.count)
      }
    }
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init()
    var judged: UInt64?
    var said: (upTo: Timestamp?, counted: UInt64?, at: Timestamp?) = (nil, nil, nil)
    var totals: [StoredTotal] = []
    var first: StoredTotal?
    while let number = try reader.nextField() {
      switch number {
      case 1: counted = try reader.unsigned()
      case 2: base = try reader.signed(Int64.self, "base")
      case 3: learningUntil = try reader.moment()
      case 4: latest = try reader.unsigned()
      case 5: judged = try reader.unsigned()
      case 6:
        var nested = try reader.nested("SaidTotal")
        totals.append(try StoredTotal(reading: &nested))
      case 170: floor = try reader.signed(Int64.self, "floor")
      case 171:
        var nested = try reader.nested("SaidTotal")
        first = try StoredTotal(reading: &nested)
      case 172: latestAt = try reader.moment()
      case 173: said.upTo = try reader.moment()
      case 174: said.counted = try reader.unsigned()
      case 175: said.at = try reader.moment()
      case 176:
        guard recent.seconds.count < RecentArrivals.countMax else {
          throw reader.invalid("seconds")
        }
        var nested = try reader.nested("SourceSecond")
        recent.seconds.append(try RecentArrivals.Second(reading: &nested))
      default: try reader.skip()
      }
    }
    // The state of an earlier version: whatever comes counts.
    waiting = totals.map { $0.total(counted) }
    self.first = first?.total(counted)
    if let judged {
      self.judged = Total(
        frames: judged, saidAt: said.at ?? Timestamp(nanoseconds: 0),
        takenUpTo: said.upTo ?? .distantFuture, counted: said.counted ?? counted)
    }
    recent.seconds.sort { $0.number < $1.number }
  }
}

extension CountTrack.Total {
  fileprivate func write(to writer: inout ProtobufWriter) {
    writer.unsigned(1, frames)
    writer.moment(2, saidAt)
    writer.moment(170, present: takenUpTo)
    writer.present(171, counted)
  }
}

/// A total as it is stored, by this version or an earlier one.
private struct StoredTotal {
  var frames: UInt64 = 0
  var saidAt = Timestamp(nanoseconds: 0)
  var takenUpTo: Timestamp?
  var counted: UInt64?

  init(reading reader: inout ProtobufReader) throws(WireError) {
    while let number = try reader.nextField() {
      switch number {
      case 1: frames = try reader.unsigned()
      case 2: saidAt = try reader.moment()
      case 170: takenUpTo = try reader.moment()
      case 171: counted = try reader.unsigned()
      default: try reader.skip()
      }
    }
  }

  func total(_ all: UInt64) -> CountTrack.Total {
    CountTrack.Total(
      frames: frames, saidAt: saidAt, takenUpTo: takenUpTo ?? .distantFuture,
      counted: counted ?? all)
  }
}

extension RecentArrivals.Second {
  fileprivate init(reading reader: inout ProtobufReader) throws(WireError) {
    self.init(number: 0, count: 0)
    while let number = try reader.nextField() {
      switch number {
      case 1: self.number = try reader.signed(Int64.self, "number")
      case 2: count = try reader.unsigned(UInt32.self, "count")
      default: try reader.skip()
      }
    }
  }
}

extension Episode {
  func write(to writer: inout ProtobufWriter) {
    writer.identifier(1, id)
    writer.numbered(2, rule)
    writer.code(3, cause)
    writer.identifier(4, reference)
    writer.unsigned(5, revision)
    writer.unsigned(6, count)
    writer.moment(7, opened)
    writer.moment(8, lastAt)
    for item in evidence { writer.nested(9) { item.write(to: &$0) } }
    writer.numbered(10, severity)
  }

  init(reading reader: inout ProtobufReader) throws(WireError) {
    var (id, rule, severity): (AlertID?, Rule?, Severity?) = (nil, nil, nil)
    var (cause, reference): (Code?, Token?) = (nil, nil)
    var (revision, count): (UInt32, UInt32) = (0, 0)
    var (opened, lastAt) = (Timestamp(nanoseconds: 0), Timestamp(nanoseconds: 0))
    var evidence: [Evidence] = []
    while let number = try reader.nextField() {
      switch number {
      case 1: id = try reader.identifier("alert_id")
      case 2: rule = try reader.numbered("rule")
      case 3: cause = try reader.code("cause")
      case 4: reference = try reader.identifier("reference")
      case 5: revision = try reader.unsigned(UInt32.self, "revision")
      case 6: count = try reader.unsigned(UInt32.self, "count")
      case 7: opened = try reader.moment()
      case 8: lastAt = try reader.moment()
      case 9:
        guard evidence.count < 2 else { throw reader.invalid("evidence") }
        var nested = try reader.nested("Evidence")
        evidence.append(try Evidence(reading: &nested))
      case 10: severity = try reader.numbered("severity")
      default: try reader.skip()
      }
    }
    guard let id else { throw reader.missing("alert_id") }
    guard let rule else { throw reader.missing("rule") }
    guard let severity else { throw reader.missing("severity") }
    self.init(
      rule: rule, cause: cause, reference: reference, id: id, revision: revision,
      severity: severity, count: count, opened: opened, lastAt: lastAt, evidence: evidence)
  }
}
