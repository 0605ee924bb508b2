/// One time that something was wrong with the bus itself in a partition.
///
/// Records that cannot be taken come in swarms: an episode counts them, speaks again only when
/// their number has doubled, and ends after an hour without another.
public struct Defect: Hashable, Sendable {
  public var rule: Rule
  public var cause: Code?
  public var id: AlertID
  public var revision: UInt32
  /// How many records.
  public var count: UInt32
  public var opened: Timestamp
  public var lastAt: Timestamp
  /// The first record and the latest; empty where no record is to blame.
  public var evidence: [Evidence]

  public init(
    rule: Rule, cause: Code?, id: AlertID, revision: UInt32, count: UInt32, opened: Timestamp,
    lastAt: Timestamp, evidence: [Evidence]
  ) {
    self.rule = rule
    self.cause = cause
    self.id = id
    self.revision = revision
    self.count = count
    self.opened = opened
    self.lastAt = lastAt
    self.evidence = evidence
  }
}

extension PersonReducer {
  /// The most causes that are told apart in a partition at a time; more are counted with the first
  /// of their rule.
  static let defectCountMax = 64

  /// Counts a record that is wrong with an episode, or begins one.
  mutating func noteDefect(
    _ rule: Rule, _ cause: Code?, _ record: EventRecord, into verdicts: inout [Verdict]
  ) {
    let evidence = Evidence(eventID: nil, hash: record.hash, coordinates: record.coordinates)
    let known =
      state.defects.firstIndex { $0.rule == rule && $0.cause == cause }
      ?? (state.defects.count < Self.defectCountMax
        ? nil : state.defects.firstIndex { $0.rule == rule })
    guard let known else {
      begin(rule, cause, [evidence], into: &verdicts)
      return
    }
    state.defects[known].count += 1
    state.defects[known].lastAt = state.time
    state.defects[known].evidence = state.defects[known].evidence.prefix(1) + [evidence]
    guard state.defects[known].count.nonzeroBitCount == 1 else { return }
    state.defects[known].revision += 1
    verdicts.append(verdict(.changed, state.defects[known]))
  }

  private mutating func begin(
    _ rule: Rule, _ cause: Code?, _ evidence: [Evidence], into verdicts: inout [Verdict]
  ) {
    // The same bytes may be wrong twice: the moment tells the two episodes apart.
    let moment = (0..<8).map {
      UInt8(truncatingIfNeeded: state.time.nanoseconds >> (8 * Int64($0)))
    }
    let defect = Defect(
      rule: rule, cause: cause,
      id: AlertID(
        rule: rule, partition: partition, episode: moment + evidence.flatMap(\.hash.bytes),
        cause: cause),
      revision: 1, count: 1, opened: state.time, lastAt: state.time, evidence: evidence)
    state.defects.append(defect)
    verdicts.append(verdict(.opened, defect))
  }

  /// Ends every episode of a rule: what was wrong is right again.
  mutating func endDefects(_ rule: Rule, at end: Timestamp, into verdicts: inout [Verdict]) {
    for index in state.defects.indices.reversed() where state.defects[index].rule == rule {
      endDefect(at: index, end, into: &verdicts)
    }
  }

  /// Ends, each at its own moment, the episodes that have been quiet for long enough by `time`.
  mutating func settleDefects(upTo time: Timestamp, into verdicts: inout [Verdict]) {
    for index in state.defects.indices.reversed() {
      guard let end = end(of: state.defects[index]), end <= time else { continue }
      endDefect(at: index, end, into: &verdicts)
    }
  }

  /// When the first of them ends if nothing comes again.
  var nextDefectEnd: Timestamp? { state.defects.compactMap(end).min() }

  /// Whether the books balance, asked once a minute of partition time and not after every record.
  mutating func checkBooks(into verdicts: inout [Verdict]) {
    let isWrong = state.defects.contains { $0.rule == .s06 }
    guard state.books.isBalanced == isWrong else { return }
    if isWrong { return endDefects(.s06, at: state.time, into: &verdicts) }
    begin(.s06, nil, [], into: &verdicts)
  }

  private mutating func endDefect(
    at index: Int, _ end: Timestamp, into verdicts: inout [Verdict]
  ) {
    var defect = state.defects.remove(at: index)
    defect.revision += 1
    var verdict = verdict(.resolved, defect)
    verdict.resolvedAt = end
    verdict.knownAt = max(state.time, end)
    verdicts.append(verdict)
  }

  /// A policy is unknown, and books are wrong, until they are not; the rest ends by itself.
  private func end(of defect: Defect) -> Timestamp? {
    switch defect.rule {
    case .s05, .s06: nil
    default: defect.lastAt.advanced(by: policies[Int(state.inForce)].windows.repeats)
    }
  }

  private func verdict(_ action: Verdict.Action, _ defect: Defect) -> Verdict {
    var verdict = Verdict(
      alertID: defect.id, revision: defect.revision, rule: defect.rule, action: action,
      severity: defect.rule.severity, subject: .bus, beganWith: nil, opened: defect.opened,
      knownAt: state.time,
      evidence: defect.evidence, rulesVersion: PersonReducer.rulesVersion,
      policyHash: policies[Int(state.inForce)].hash, readUpTo: state.nextOffset - 1,
      count: defect.count)
    verdict.profile = policies[Int(state.inForce)].profile
    verdict.cause = defect.cause
    return verdict
  }
}

extension Timestamp {
  /// Minutes since the Unix epoch, rounded down.
  var minute: Int64 { nanoseconds / 60_000_000_000 }
}

extension Code {
  /// The limb of S05 for a register of organisations.
  static let register = Code(known: "register")
}
