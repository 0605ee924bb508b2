// A handoff as packed bytes. Facts are written as what differs from other facts: those now from
// nothing, those settled and those of single events from those now, which they mostly repeat.

/// What the byte behind a handoff's id says.
private enum HandoffPart {
  static let isTransferred: UInt8 = 1
  static let settled: UInt8 = 2
  static let window: UInt8 = 4
  /// The latest event of the window is not the person's latest.
  static let latest: UInt8 = 8
}

extension PackedWriter {
  mutating func handoff(_ value: borrowing Handoff) {
    whole(value.id.rawValue)
    let isSettled = value.settled == nil
    let latest = value.window.isEmpty ? lastArrivedAt : value.window.latestArrival
    byte(
      (value.isTransferred ? HandoffPart.isTransferred : 0)
        | (isSettled ? 0 : HandoffPart.settled)
        | (value.window.isEmpty ? 0 : HandoffPart.window)
        | (latest == lastArrivedAt ? 0 : HandoffPart.latest))
    facts(value.current, unlike: .blank)
    if latest != lastArrivedAt { moment(latest, near: lastArrivedAt) }
    if let settled = value.settled { facts(settled, unlike: value.current) }
    guard !value.window.isEmpty else { return }
    number(UInt64(value.window.count))
    for index in value.window.indices { fact(value.window[index], unlike: value.current) }
  }

  /// A handoff with one event in its window, from its parts: a copy of it costs as much as this.
  ///
  /// `written` are the marks of `settled` as they stand written.
  mutating func handoff(
    _ id: HandoffID, isTransferred: Bool, _ current: borrowing HandoffFacts,
    settled: borrowing HandoffFacts, window only: borrowing Fact, marks written: WrittenMarks?
  ) {
    whole(id.rawValue)
    let isLatest = only.witness.arrivedAt == lastArrivedAt
    byte(
      (isTransferred ? HandoffPart.isTransferred : 0) | HandoffPart.settled | HandoffPart.window
        | (isLatest ? 0 : HandoffPart.latest))
    facts(current, unlike: .blank, marks: written)
    if !isLatest { moment(only.witness.arrivedAt, near: lastArrivedAt) }
    facts(settled, unlike: current)
    number(1)
    fact(only, unlike: current)
  }

  private mutating func facts(
    _ value: borrowing HandoffFacts, unlike base: borrowing HandoffFacts,
    marks written: WrittenMarks? = nil
  ) {
    let fields = value.fields(unlike: base)
    number(UInt64(fields.rawValue))
    if fields.contains(.state) { ordinal(value.state) }
    if fields.contains(.stateBefore) {
      ordinal(value.stateBeforeHold)
      ordinal(value.stateBeforeEnd)
    }
    byte(value.flags)
    if fields.contains(.policy) { number(UInt64(value.policy)) }
    if fields.contains(.rail) { text(value.rail) }
    if fields.contains(.from) { text(value.from) }
    if fields.contains(.to) { text(value.to) }
    if fields.contains(.acceptedBy) { text(value.acceptedBy) }
    if fields.contains(.kind) { text(value.kind) }
    if fields.contains(.priority) { text(value.priority) }
    if fields.contains(.needKey) { optional(value.needKey) }
    if fields.contains(.needCode) { text(value.needCode) }
    if fields.contains(.journeyID) { optional(value.journeyID) }
    if fields.contains(.parentHandoffID) { optional(value.parentHandoffID) }
    if fields.contains(.newHandoffID) { optional(value.newHandoffID) }
    if fields.contains(.endReason) { text(value.endReason) }
    if fields.contains(.cc) { list(value.cc) { $0.text($1) } }
    if fields.contains(.requestHash) { contentHash(value.requestHash) }
    if fields.contains(.bookedFor) { optional(value.bookedFor, near: lastArrivedAt) }
    if fields.contains(.dischargeReadyAt) { optional(value.dischargeReadyAt) }
    if fields.contains(.paused) { whole(value.paused.nanoseconds) }
    if fields.contains(.marks) {
      if let written {
        marks(value.marks, behind: written)
      } else {
        marks(value.marks, unlike: base.marks)
      }
    }
    if fields.contains(.findings) { list(value.findings) { $0.finding($1) } }
    if fields.contains(.pending) { list(value.pending) { $0.fact($1, unlike: .blank) } }
    if fields.contains(.version) { number(UInt64(value.version)) }
    if fields.contains(.oldVersions) { list(value.oldVersions) { $0.number(UInt64($1)) } }
    if fields.contains(.counts) {
      number(UInt64(value.sameCount))
      number(UInt64(value.lateCount))
      number(UInt64(value.duplicateCount))
    }
  }

  /// Those that the other list begins with are only counted: of a fold and the one before it, nearly
  /// all.
  private mutating func marks(_ value: [Mark], unlike base: [Mark]) {
    var shared = 0
    while shared < min(value.count, base.count), value[shared] == base[shared] { shared += 1 }
    if !base.isEmpty { number(UInt64(shared)) }
    number(UInt64(value.count - shared))
    marks(value, from: shared)
  }

  private mutating func marks(_ value: [Mark], from start: Int) {
    for index in start..<value.count {
      ordinal(value[index].step)
      witness(value[index].witness)
    }
  }

  /// Those that came to others, which are copied as they stand written.
  private mutating func marks(_ value: [Mark], behind written: WrittenMarks) {
    number(UInt64(value.count))
    copy(written.range, of: written.bytes)
    marks(value, from: written.count)
  }

  private mutating func finding(_ value: Finding) {
    ordinal(value.rule)
    text(value.cause)
    witness(value.witness)
    whole(value.due.nanoseconds)
    byte(value.wasTerminal ? 1 : 0)
  }

  private mutating func fact(_ value: borrowing Fact, unlike base: borrowing HandoffFacts) {
    let fields = value.fields(unlike: base)
    number(UInt64(fields.rawValue))
    witness(value.witness)
    ordinal(value.type)
    byte(value.flags)
    text(value.spokenBy)
    if fields.contains(.policy) { number(UInt64(value.policy)) }
    if fields.contains(.rail) { text(value.rail) }
    if fields.contains(.from) { text(value.from) }
    if fields.contains(.to) { text(value.to) }
    if fields.contains(.kind) { text(value.kind) }
    if fields.contains(.priority) { text(value.priority) }
    if fields.contains(.needKey) { optional(value.needKey) }
    if fields.contains(.needCode) { text(value.needCode) }
    if fields.contains(.journeyID) { optional(value.journeyID) }
    if fields.contains(.parentHandoffID) { optional(value.parentHandoffID) }
    if fields.contains(.newHandoffID) { optional(value.newHandoffID) }
    if fields.contains(.endReason) { text(value.reason) }
    if fields.contains(.cc) { list(value.cc) { $0.text($1) } }
    if fields.contains(.requestHash) { contentHash(value.contentHash) }
    if fields.contains(.bookedFor) { optional(value.bookedFor, near: lastArrivedAt) }
    if fields.contains(.dischargeReadyAt) { optional(value.dischargeReadyAt) }
    if fields.contains(.version) { number(UInt64(value.version)) }
  }
}

/// The marks of a handoff as they stand written, without their count.
struct WrittenMarks {
  let bytes: [UInt8]
  let range: Range<Int>
  let count: Int
}

extension HandoffFacts {
  /// What facts are written beside where there are no others.
  fileprivate static let blank = HandoffFacts()
}

/// From when on nothing overtakes what arrived before, by the policy that judges a handoff.
struct SettlingPoint {
  let now: Timestamp
  let policies: [Policy]

  func isAfter(_ arrival: Timestamp, by policy: UInt16) -> Bool {
    arrival.advanced(by: policies.span[Int(policy)].windows.reorder) < now
  }
}

/// What stands before the facts of a handoff.
struct LastHandoff {
  let id: HandoffID
  fileprivate let flags: UInt8

  var isTransferred: Bool { flags & HandoffPart.isTransferred != 0 }
}

extension PackedReader {
  /// Begins to read a handoff that nothing is read behind; its facts are read next.
  mutating func lastHandoff() -> LastHandoff { LastHandoff(id: identifier(), flags: byte()) }

  /// Reads its facts; says whether all that is in its window has settled, which is nearly always,
  /// because steps are hours apart, and where its marks stand.
  ///
  /// Marks can be copied where ``witnesses`` are theirs alone: of findings there are records, too.
  mutating func facts(
    _ value: inout HandoffFacts, of handoff: LastHandoff, _ texts: TextTable,
    settledBy point: SettlingPoint
  ) -> (isSettled: Bool, marks: WrittenMarks?) {
    let marksAt = facts(&value, texts)
    let marks =
      value.findings.isEmpty && value.pending.isEmpty
      ? WrittenMarks(bytes: bytes, range: marksAt, count: value.marks.count) : nil
    guard handoff.flags & HandoffPart.window != 0 else {
      return (handoff.flags & HandoffPart.settled == 0, marks)
    }
    return (point.isAfter(latestArrival(handoff.flags), by: value.policy), marks)
  }

  /// Reads its window.
  mutating func handoff(
    _ handoff: LastHandoff, _ current: HandoffFacts, _ texts: TextTable
  ) -> Handoff {
    var whole = Handoff(id: handoff.id, current: current, isTransferred: handoff.isTransferred)
    readWindow(of: &whole, handoff.flags, texts)
    return whole
  }

  mutating func handoff(_ texts: TextTable) -> Handoff {
    let id: HandoffID = identifier()
    let flags = byte()
    var handoff = Handoff(
      id: id, current: HandoffFacts(), isTransferred: flags & HandoffPart.isTransferred != 0)
    facts(&handoff.current, texts)
    _ = latestArrival(flags)
    readWindow(of: &handoff, flags, texts)
    return handoff
  }

  /// Of the events in the window.
  private mutating func latestArrival(_ flags: UInt8) -> Timestamp {
    flags & HandoffPart.latest == 0 ? lastArrivedAt : moment(near: lastArrivedAt)
  }

  private mutating func readWindow(of handoff: inout Handoff, _ flags: UInt8, _ texts: TextTable) {
    if flags & HandoffPart.settled != 0 {
      var facts = handoff.current
      self.facts(&facts, texts)
      handoff.settled = consume facts
    }
    guard flags & HandoffPart.window != 0 else { return }
    let count = count()
    handoff.window.reserveCapacity(count + 1)
    for _ in 0..<count { handoff.window.append(fact(unlike: handoff.current, texts)) }
  }

  private var lastArrivedAt: Timestamp { arrivals.last?.arrivedAt ?? Timestamp(nanoseconds: 0) }

  /// Reads what differs into facts that are as those it was compared with; says where marks stand.
  @discardableResult
  private mutating func facts(_ value: inout HandoffFacts, _ texts: TextTable) -> Range<Int> {
    var marksAt = position..<position
    let fields = FactFields(rawValue: UInt32(number()))
    if fields.contains(.state) { value.state = ordinal(HandoffState.self) }
    if fields.contains(.stateBefore) {
      value.stateBeforeHold = ordinal(HandoffState.self)
      value.stateBeforeEnd = ordinal(HandoffState.self)
    }
    value.flags = byte()
    if fields.contains(.policy) { value.policy = UInt16(number()) }
    if fields.contains(.rail) { value.rail = text(texts) }
    if fields.contains(.from) { value.from = text(texts) }
    if fields.contains(.to) { value.to = text(texts) }
    if fields.contains(.acceptedBy) { value.acceptedBy = text(texts) }
    if fields.contains(.kind) { value.kind = text(texts) }
    if fields.contains(.priority) { value.priority = text(texts) }
    if fields.contains(.needKey) { value.needKey = optional() }
    if fields.contains(.needCode) { value.needCode = text(texts) }
    if fields.contains(.journeyID) { value.journeyID = optional() }
    if fields.contains(.parentHandoffID) { value.parentHandoffID = optional() }
    if fields.contains(.newHandoffID) { value.newHandoffID = optional() }
    if fields.contains(.endReason) { value.endReason = text(texts) }
    if fields.contains(.cc) { value.cc = organisations(texts) }
    if fields.contains(.requestHash) { value.requestHash = contentHash() }
    if fields.contains(.bookedFor) { value.bookedFor = optionalMoment(near: lastArrivedAt) }
    if fields.contains(.dischargeReadyAt) { value.dischargeReadyAt = optionalMoment() }
    if fields.contains(.paused) { value.paused = Elapsed(nanoseconds: whole(Int64.self)) }
    if fields.contains(.marks) { marksAt = marks(&value.marks) }
    if fields.contains(.findings) { value.findings = list { $0.finding(texts) } }
    if fields.contains(.pending) {
      value.pending = list { $0.fact(unlike: .blank, texts) }
    }
    if fields.contains(.version) { value.version = UInt32(number()) }
    if fields.contains(.oldVersions) { value.oldVersions = list { UInt32($0.number()) } }
    if fields.contains(.counts) {
      value.sameCount = UInt32(number())
      value.lateCount = UInt32(number())
      value.duplicateCount = UInt32(number())
    }
    return marksAt
  }

  /// Says where those stand that were read.
  private mutating func marks(_ value: inout [Mark]) -> Range<Int> {
    if !value.isEmpty {
      let shared = count()
      value.removeLast(value.count - shared)
    }
    let count = count()
    // With room for those that the next event may set.
    value.reserveCapacity(value.count + count + 2)
    let start = position
    for _ in 0..<count {
      let step = ordinal(Mark.Step.self)
      value.append(Mark(step: step, witness: witness()))
    }
    return start..<position
  }

  private mutating func organisations(_ texts: TextTable) -> [OrganisationID] {
    list { $0.text(texts) }.compactMap(\.self)
  }

  private mutating func finding(_ texts: TextTable) -> Finding {
    let rule = ordinal(Rule.self)
    let cause: Code? = text(texts)
    let witness = witness()
    let due = Timestamp(nanoseconds: whole(Int64.self))
    return Finding(rule: rule, cause: cause, witness: witness, due: due, wasTerminal: byte() == 1)
  }

  private mutating func fact(unlike base: borrowing HandoffFacts, _ texts: TextTable) -> Fact {
    let fields = FactFields(rawValue: UInt32(number()))
    let witness = witness()
    let type = ordinal(EventType.self)
    let flags = byte()
    let spokenBy: OrganisationID? = text(texts)
    let policy = fields.contains(.policy) ? UInt16(number()) : base.policy
    let rail: Code? = fields.contains(.rail) ? text(texts) : base.rail
    guard let rail else { preconditionFailure("a fact without a rail was never written") }
    var fact = Fact(witness: witness, type: type, speaker: .platform, rail: rail, policy: policy)
    fact.flags = flags
    fact.spokenBy = spokenBy
    fact.from = fields.contains(.from) ? text(texts) : base.from
    fact.to = fields.contains(.to) ? text(texts) : base.to
    fact.kind = fields.contains(.kind) ? text(texts) : base.kind
    fact.priority = fields.contains(.priority) ? text(texts) : base.priority
    fact.needKey = fields.contains(.needKey) ? optional() : base.needKey
    fact.needCode = fields.contains(.needCode) ? text(texts) : base.needCode
    fact.journeyID = fields.contains(.journeyID) ? optional() : base.journeyID
    fact.parentHandoffID = fields.contains(.parentHandoffID) ? optional() : base.parentHandoffID
    fact.newHandoffID = fields.contains(.newHandoffID) ? optional() : base.newHandoffID
    fact.reason = fields.contains(.endReason) ? text(texts) : base.endReason
    fact.cc = fields.contains(.cc) ? organisations(texts) : base.cc
    fact.contentHash = fields.contains(.requestHash) ? contentHash() : base.requestHash
    fact.bookedFor =
      fields.contains(.bookedFor) ? optionalMoment(near: lastArrivedAt) : base.bookedFor
    fact.dischargeReadyAt =
      fields.contains(.dischargeReadyAt) ? optionalMoment() : base.dischargeReadyAt
    fact.version = fields.contains(.version) ? UInt32(number()) : base.version
    return fact
  }
}

extension Array<Fact> {
  /// When the latest of them arrived; not asked of none.
  var latestArrival: Timestamp {
    var latest = Timestamp.distantPast
    for index in indices { latest = Swift.max(latest, self[index].witness.arrivedAt) }
    return latest
  }
}
