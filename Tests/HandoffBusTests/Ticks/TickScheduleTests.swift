import HandoffBus
import HandoffCore
import TestSupport
import Testing

struct TickScheduleTests {
  let schedule = TickSchedule()

  func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: second * 1000) }

  @Test func `an idle partition is ticked once a minute`() {
    let idle = TickSchedule.Situation(now: at(100), nextDue: nil, lastMoved: at(41))
    #expect(schedule.decision(in: idle) == .wait(until: at(101)))
    let minute = TickSchedule.Situation(now: at(101), nextDue: nil, lastMoved: at(41))
    #expect(schedule.decision(in: minute) == .tick)
  }

  @Test func `a deadline that falls due is ticked at once`() {
    let due = TickSchedule.Situation(now: at(100), nextDue: at(100), lastMoved: at(90))
    #expect(schedule.decision(in: due) == .tick)
  }

  @Test func `a deadline that is not due yet waits for its moment`() {
    let early = TickSchedule.Situation(now: at(99), nextDue: at(100), lastMoved: at(90))
    #expect(schedule.decision(in: early) == .wait(until: at(100)))
  }

  @Test func `a deadline beyond the next minute waits for the minute`() {
    let far = TickSchedule.Situation(now: at(99), nextDue: at(10_000), lastMoved: at(90))
    #expect(schedule.decision(in: far) == .wait(until: at(150)))
  }

  @Test func `there is never more than one tick a second`() {
    let again = TickSchedule.Situation(now: at(100), nextDue: at(10), lastMoved: at(100))
    #expect(schedule.decision(in: again) == .wait(until: at(101)))
  }

  @Test func `a clock that is off says nothing about deadlines but still beats`() {
    for skew in [Elapsed.seconds(301), .seconds(-301)] {
      let due = TickSchedule.Situation(now: at(100), nextDue: at(50), lastMoved: at(90), skew: skew)
      #expect(schedule.decision(in: due) == .wait(until: at(150)))
    }
    let within = TickSchedule.Situation(
      now: at(100), nextDue: at(50), lastMoved: at(90), skew: .seconds(300))
    #expect(schedule.decision(in: within) == .tick)
  }

  @Test func `a clock that was put back does not stop the ticks`() {
    let back = TickSchedule.Situation(now: at(100), nextDue: nil, lastMoved: at(90_000))
    #expect(schedule.decision(in: back) == .tick)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func
    `an owner who follows the schedule ticks at most once a second, at least once a minute, and soon after each deadline`(
      seed: UInt64
    )
  {
    var generator = SeededGenerator(seed: seed)
    var now = at(1000)
    var lastMoved = now
    var due: Timestamp? = nil
    for _ in 0..<500 {
      if due == nil, Bool.random(using: &generator) {
        due = now.advanced(by: .seconds(.random(in: 0...200, using: &generator)))
      }
      switch schedule.decision(in: .init(now: now, nextDue: due, lastMoved: lastMoved)) {
      case .tick:
        #expect(now.since(lastMoved) >= .seconds(1))
        if let reached = due, reached <= now { due = nil }
        lastMoved = now
      case .wait(let until):
        #expect(until > now)
        #expect(until.since(lastMoved) <= .seconds(60))
        if let due { #expect(until <= max(due, lastMoved.advanced(by: .seconds(1)))) }
        now = until
      }
    }
  }
}
