import HandoffCore
import TestSupport
import Testing

@Suite struct `Alerts of one cause` {
  private static let hospital = JourneyGenerator.organisation("RTH")
  private static let practice = JourneyGenerator.organisation("K81001")

  private var policy: Policy {
    var policy = Policy.default
    var source = SourcePolicy()
    source.organisations = [Self.hospital]
    policy.sources[SourceScene.code] = source
    return policy
  }

  private func alert(
    _ number: UInt128, _ rule: Rule = .a07, opened minute: Int64,
    to receiver: OrganisationID = hospital, resolved: Int64? = nil
  ) throws -> Verdict {
    let key = try #require(
      PatientKey(epoch: 1, hash: [UInt8](repeating: UInt8(number % 250), count: 32)))
    var verdict = Verdict(
      alertID: AlertID(rawValue: number), revision: resolved == nil ? 1 : 2, rule: rule,
      action: resolved == nil ? .opened : .resolved, severity: rule.severity,
      subject: .handoff(HandoffID(rawValue: number), of: key),
      beganWith: EventID(rawValue: number), opened: Scene.minutes(minute),
      knownAt: Scene.minutes(minute), evidence: [], rulesVersion: 1,
      policyHash: policy.hash, readUpTo: 0)
    verdict.from = Self.practice
    verdict.to = receiver
    verdict.resolvedAt = resolved.map(Scene.minutes)
    return verdict
  }

  private func silence(opened minute: Int64, resolved: Int64? = nil) -> Verdict {
    var verdict = Verdict(
      alertID: AlertID(rawValue: 1 << 100), revision: resolved == nil ? 1 : 2, rule: .a18,
      action: resolved == nil ? .opened : .resolved, severity: .critical,
      subject: .source(SourceScene.code), beganWith: nil, opened: Scene.minutes(minute),
      knownAt: Scene.minutes(minute), evidence: [], rulesVersion: 1, policyHash: policy.hash,
      readUpTo: 0)
    verdict.resolvedAt = resolved.map(Scene.minutes)
    return verdict
  }

  @Test func `are one line behind a silent source, however many, in whatever order`() throws {
    let alerts = try (1...300).map { try alert(UInt128($0), opened: Int64(10 + $0 % 200)) }
    let grouping = AlertGrouping(policy: policy)
    let groups = grouping.groups(of: alerts + [silence(opened: 12)])
    #expect(groups.count == 1)
    let group = try #require(groups.first)
    #expect(group.lead.rule == .a18 && group.count == 301 && group.isOpen)
    #expect(group.hanging.map(\.rule) == [.a07] && group.hanging.map(\.count) == [300])
    #expect(grouping.groups(of: [silence(opened: 12)] + alerts.reversed()) == groups)
  }

  @Test func `hang on no source that could not have carried the answer, or was back by then`()
    throws
  {
    let grouping = AlertGrouping(policy: policy)
    let elsewhere = try alert(1, opened: 20, to: JourneyGenerator.organisation("RXQ"))
    let before = try alert(2, opened: 8)
    let after = try alert(3, opened: 41)
    let reported = try alert(4, .a12, opened: 20)
    let groups = grouping.groups(
      of: [elsewhere, before, after, reported, silence(opened: 12, resolved: 40)])
    let hanging = try #require(groups.first { $0.key.rule == .a18 })
    #expect(hanging.count == 1)
    #expect(try grouping.groups(of: [alert(5, opened: 9), silence(opened: 12)]).count == 1)
  }

  @Test func `say how many are open and how many are over`() throws {
    let grouping = AlertGrouping(policy: .default)
    let groups = try grouping.groups(of: [
      alert(1, opened: 0), alert(2, opened: 1), alert(3, opened: 2, resolved: 9),
      alert(4, opened: 3, resolved: 9), alert(5, opened: 4),
    ])
    let group = try #require(groups.first)
    #expect(group.count == 5 && group.openCount == 3)
    // The one that stands for it is told of by itself.
    #expect(group.hanging.map(\.rule) == [.a07] && group.hanging.map(\.count) == [2])
    #expect(group.resolvedCount == 2)
    let over = try grouping.groups(of: [
      alert(1, opened: 0, resolved: 5), alert(2, opened: 1, resolved: 6),
    ])
    #expect(over.first?.hanging.isEmpty == true && over.first?.resolvedCount == 1)
  }

  @Test func `are one line a sender, rule and hour`() throws {
    let grouping = AlertGrouping(policy: .default)
    let groups = try grouping.groups(of: [
      alert(1, opened: 0), alert(2, opened: 59), alert(3, opened: 60), alert(4, .a08, opened: 1),
    ])
    #expect(groups.map(\.count).sorted() == [1, 1, 2])
  }

  @Test func `fire once and resolve once, and say nothing again after a restart`() throws {
    var notices = AlertNotices(AlertGrouping(policy: .default))
    #expect(try notices.take([alert(1, opened: 0)]).count == 1)
    #expect(try notices.take([alert(1, opened: 0), alert(2, opened: 1)]).isEmpty)
    #expect(try notices.take([alert(1, opened: 0, resolved: 30)]).isEmpty)
    let last = try notices.take([alert(2, opened: 1, resolved: 31)])
    guard case .resolved(let group)? = last.first, last.count == 1 else {
      Issue.record("not one that resolves")
      return
    }
    #expect(group.count == 2)
    var again = AlertNotices(AlertGrouping(policy: .default))
    try again.remember([alert(1, opened: 0), alert(2, opened: 1)])
    #expect(try again.take([alert(1, opened: 0), alert(2, opened: 1)]).isEmpty)
    #expect(try again.take([alert(3, opened: 2)]).isEmpty)
    #expect(try again.take([alert(3, opened: 200)]).isEmpty)
    #expect(try again.take([alert(4, opened: 200)]).count == 1)
  }

  @Test func `end with the alert that ended last, and not with one that was over before`() throws {
    var notices = AlertNotices(AlertGrouping(policy: .default))
    _ = try notices.take([alert(1, opened: 0)])
    let first = try notices.take([alert(1, opened: 0, resolved: 3)])
    #expect(first.map(\.group.lead.alertID.rawValue) == [1])
    let fired = try notices.take([alert(2, opened: 5)])
    #expect(fired.map(\.group.lead.alertID.rawValue) == [2])
    let last = try notices.take([alert(2, opened: 5, resolved: 9)])
    #expect(last.map(\.group.lead.alertID.rawValue) == [2])
  }

  @Test func `over before anybody was told of them are told of once`() throws {
    var notices = AlertNotices(AlertGrouping(policy: .default))
    let said = try notices.take([alert(1, opened: 0, resolved: 3)])
    guard case .resolved? = said.first, said.count == 1 else {
      Issue.record("not one that resolves")
      return
    }
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `three hundred drops and their source are told in two lines at most`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var verdicts = try (1...300).map { try alert(UInt128($0), opened: Int64(11 + $0 % 40)) }
    verdicts += try (1...300).map {
      try alert(UInt128($0), opened: Int64(11 + $0 % 40), resolved: 90)
    }
    verdicts += [silence(opened: 12), silence(opened: 12, resolved: 80)]
    verdicts.shuffle(using: &random)
    // The source is told of first, as it is judged by a shorter clock.
    var notices = AlertNotices(AlertGrouping(policy: policy))
    var said = notices.take([silence(opened: 12)])
    for verdict in verdicts { said += notices.take([verdict]) }
    #expect(said.count { if case .fired = $0 { true } else { false } } <= 1 + 1)
    #expect(said.allSatisfy { $0.group.lead.rule == .a18 })
    #expect(said.last.map { if case .resolved = $0 { true } else { false } } == true)
  }
}
