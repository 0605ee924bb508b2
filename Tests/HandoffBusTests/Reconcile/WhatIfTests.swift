import HandoffBus
import HandoffCodecs
import HandoffCore
import TestSupport
import Testing

/// Another policy over a recorded history in which policies and profiles were switched.
@Suite struct `What if another policy had been in force` {
  private func policy(_ version: UInt32, accept: String) throws -> Policy {
    let text = """
      format: baton.policy.v1
      version: \(version)
      clocks:
        - {kind: gp-hospital, acknowledge: 4h, accept: 48h, start: none, complete: 18wk, feedback: 7d}
      profiles:
        - name: winter
          clocks: [{kind: gp-hospital, accept: \(accept)}]

      """
    return try PolicyDocument(Array(text.utf8)).policy
  }

  /// A request in each of five hours, nobody answers; the profile is on from the second to the
  /// fourth.
  private func history(_ policy: Policy) throws -> [NDJSONRecord] {
    var journeys = JourneyGenerator(seed: 1)
    var request = try #require(
      journeys.events(count: 200).first { $0.type == .handoffRequested })
    (request.kind, request.priority) = (HandoffKind("gp-hospital"), nil)
    request.isBackfill = false
    let codec = WireCodec()
    var lines: [NDJSONRecord] = []
    func add(_ record: WireRecord, _ hour: Int64) {
      lines.append(
        NDJSONRecord(
          record: record,
          coordinates: RecordCoordinates(
            topic: "handoff.events.v1", partition: 0, offset: Int64(lines.count)),
          brokerAt: JourneyGenerator.start.advanced(by: .hours(hour))))
    }
    func activate(_ profile: String?, _ hour: Int64) {
      add(
        codec.encode(
          RulesActivation(
            rulesVersion: 1, policyHash: policy.hash, profile: profile.flatMap { Code($0) },
            isCommanded: true), at: JourneyGenerator.start.advanced(by: .hours(hour))), hour)
    }
    activate(nil, 0)
    for hour in 0..<5 as Range<Int64> {
      if hour == 1 { activate("winter", hour) }
      if hour == 4 { activate(nil, hour) }
      var event = request
      event.id = EventID(rawValue: request.id.rawValue &+ UInt128(hour))
      event.receptionID = ReceptionID(rawValue: request.receptionID.rawValue &+ UInt128(hour))
      event.messageKey = Token(rawValue: UInt128(hour) + 1)
      event.contentMac = Token(rawValue: UInt128(hour) + 1)
      event.handoffID = HandoffID(rawValue: UInt128(hour) + 1)
      event.needKey = nil
      event.occurredAt = JourneyGenerator.start.advanced(by: .hours(hour))
      add(codec.encode(event), hour)
      var received = event
      received.id = EventID(rawValue: event.id.rawValue &+ 100)
      received.receptionID = ReceptionID(rawValue: event.receptionID.rawValue &+ 100)
      received.messageKey = Token(rawValue: UInt128(hour) + 101)
      received.contentMac = Token(rawValue: UInt128(hour) + 101)
      received.type = .received
      received.speaker = .receiver
      received.spokenBy = event.to?.organisation
      add(codec.encode(received), hour)
    }
    return lines
  }

  private func run(
    _ lines: [NDJSONRecord], _ policies: [Policy], instead: Policy? = nil
  ) throws -> OfflineReconciler {
    var reconciler = OfflineReconciler(policies: policies, instead: instead)
    for line in lines { try reconciler.take(line) }
    reconciler.advance(to: JourneyGenerator.start.advanced(by: .hours(24 * 10)))
    return reconciler
  }

  @Test func `a profile is judged for whom was requested under it, and the difference says so`()
    throws
  {
    let (old, new) = (try policy(1, accept: "12h"), try policy(2, accept: "6h"))
    let lines = try history(old)
    let before = try run(lines, [old])
    #expect(before.selfAlerts.isEmpty)
    let accepts = before.verdicts.filter { $0.rule == .a08 && $0.action == .opened }
    let hours = accepts.map {
      $0.opened.since(JourneyGenerator.start).nanoseconds / 3_600_000_000_000
    }
    #expect(hours.sorted() == [13, 14, 15, 48, 52])
    #expect(accepts.count { $0.profile == Code("winter") } == 3)
    let same = try run(lines, [old], instead: old)
    #expect(VerdictDifference(before: before.verdicts, after: same.verdicts).isEmpty)
    let after = try run(lines, [old], instead: new)
    #expect(after.selfAlerts.isEmpty)
    let difference = VerdictDifference(before: before.verdicts, after: after.verdicts)
    #expect(difference.entries.map(\.change) == [.moves, .moves, .moves])
    for entry in difference.entries {
      let (old, new) = (try #require(entry.before?.opened), try #require(entry.after?.opened))
      #expect(old.since(new) == .hours(6))
    }
  }

  @Test func `a profile that the other policy does not have ends where it would have begun`() throws
  {
    let old = try policy(1, accept: "12h")
    let lines = try history(old)
    var plain = old
    plain.profiles = []
    let after = try run(lines, [old], instead: plain)
    #expect(after.selfAlerts.isEmpty)
    #expect(after.verdicts.allSatisfy { $0.profile == nil && $0.rule != .s05 })
    let winter = try #require(old.under(try winterName()))
    let always = try run(lines, [old], instead: winter)
    #expect(
      always.verdicts.count { $0.rule == .a08 && $0.action == .opened && $0.profile != nil } == 5)
  }

  private func winterName() throws -> Code { try #require(Code("winter")) }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `a generated history with people who move is the same under the same policy`(seed: UInt64)
    throws
  {
    let lines = OfflineReconcilerTests.lines(seed: seed)
    let before = try run(lines, [.default])
    let after = try run(lines, [.default], instead: .default)
    #expect(VerdictDifference(before: before.verdicts, after: after.verdicts).isEmpty)
  }

  @Test func `the policy that ships is at hand where a record switches to it`() throws {
    let old = try policy(1, accept: "12h")
    let activation = RulesActivation(rulesVersion: 1, policyHash: Policy.default.hash)
    let line = NDJSONRecord(
      record: WireCodec().encode(activation, at: JourneyGenerator.start),
      coordinates: RecordCoordinates(topic: "handoff.events.v1", partition: 0, offset: 0),
      brokerAt: JourneyGenerator.start)
    let after = try run([line], [old])
    #expect(after.selfAlerts.isEmpty)
    #expect(after.unknownRules == nil)
    #expect(after.verdicts.isEmpty)
  }

  @Test func `a switch to rules that nobody gave is told with its moment`() throws {
    let (old, new) = (try policy(1, accept: "12h"), try policy(2, accept: "6h"))
    let lines = try history(new)
    let unknown = try #require(try run(lines, [old]).unknownRules)
    #expect(unknown.at == JourneyGenerator.start)
    #expect(unknown.policyHash == new.hash && unknown.registerHash == nil)
    #expect(try run(lines, [old, new]).unknownRules == nil)
  }
}
