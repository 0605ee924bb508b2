import HandoffCore
import HandoffSimulation
import Testing

@Suite struct `A score` {
  private static let now = Simulation.defaultStart
  private static let key: PatientKey = {
    guard let key = PatientKey(epoch: 1, hash: [UInt8](repeating: 1, count: 32)) else {
      preconditionFailure("32 bytes are a hash")
    }
    return key
  }()

  private static func subject(_ id: UInt128) -> Verdict.Subject {
    .handoff(HandoffID(rawValue: id), of: key)
  }

  private static func truth(_ rule: Rule?, _ id: UInt128, at minute: Int64 = 0) -> Truth {
    let time = now.advanced(by: .minutes(minute))
    return Truth(
      fault: .neverAccepted, rule: rule, subject: subject(id), happenedAt: time, knowableAt: time)
  }

  private static func alert(
    _ rule: Rule, _ subject: Verdict.Subject, _ id: UInt128, known minute: Int64 = 0
  ) -> Score.Raised {
    Score.Raised(
      alertID: AlertID(rawValue: id), rule: rule, subject: subject, kind: nil, opened: now,
      knownAt: now.advanced(by: .minutes(minute)))
  }

  @Test func `a truth and an alert of one rule and handoff match once`() throws {
    let score = Score(
      truths: [Self.truth(.a08, 1), Self.truth(.a08, 2), Self.truth(nil, 3)],
      alerts: [
        Self.alert(.a08, Self.subject(1), 1, known: 3), Self.alert(.a08, Self.subject(1), 2),
        Self.alert(.a07, Self.subject(3), 3),
      ])
    let row = try #require(score.rows[.a08])
    #expect((row.expected, row.found, row.raised, row.falseAlarms) == (2, 1, 2, 1))
    #expect(row.recall == 0.5)
    #expect(row.precision == 0.5)
    #expect(score.rows[.a07]?.falseAlarms == 1)
    #expect(score.missed.map(\.subject) == [Self.subject(2)])
    #expect(score.falseAlarms.count == 2)
  }

  @Test func `a miss and a false alarm about one handoff are a cell of the confusion matrix`() {
    let score = Score(
      truths: [Self.truth(.a08, 1)], alerts: [Self.alert(.a07, Self.subject(1), 1)])
    #expect(score.confusion.values.map(\.self) == [1])
    #expect(score.confusion.keys.first?.expected == .a08)
    #expect(score.confusion.keys.first?.raised == .a07)
  }

  @Test func `an alert about a person answers to a truth about a handoff of theirs by rule only`() {
    let person = Verdict.Subject.person(Self.key)
    let truth = Truth(
      fault: .noReceiver, rule: .a20, subject: person, happenedAt: Self.now, knowableAt: Self.now)
    #expect(Score(truths: [truth], alerts: [Self.alert(.a20, person, 1)]).missed.isEmpty)
    #expect(Score(truths: [truth], alerts: [Self.alert(.a21, person, 1)]).missed.count == 1)
  }

  @Test func `minutes count from when it could be known`() throws {
    let score = Score(
      truths: [Self.truth(.a09, 1, at: 5)],
      alerts: [Self.alert(.a09, Self.subject(1), 1, known: 12)])
    #expect(try #require(score.rows[.a09]).minutes == [7])
  }
}
