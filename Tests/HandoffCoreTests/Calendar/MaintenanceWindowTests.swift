import HandoffCore
import Testing

@Suite struct `A source's silence` {
  /// 2026-11-22 was a Sunday; the wall shows UTC then.
  private func at(_ hour: Int, _ minute: Int = 0, day: Int = 22) throws -> Timestamp {
    let date = try #require(CivilDate(year: 2026, month: 11, day: day))
    return LondonTime(date: date, timeOfDay: .minutes(Int64(hour * 60 + minute))).timestamp
  }

  @Test func `is due three intervals after the last word`() throws {
    #expect(try SourcePolicy().silenceDue(since: at(12)) == at(12, 3))
  }

  @Test func `waits for the end of a window and three intervals more`() throws {
    var source = SourcePolicy()
    source.maintenance = [.once(from: try at(2), to: try at(4))]
    #expect(try source.silenceDue(since: at(1, 56)) == at(1, 59))
    #expect(try source.silenceDue(since: at(1, 57)) == at(4, 3))
    #expect(try source.silenceDue(since: at(3)) == at(4, 3))
    #expect(try source.silenceDue(since: at(4)) == at(4, 3))
  }

  @Test func `passes one window into the next`() throws {
    var source = SourcePolicy()
    source.maintenance = [
      .once(from: try at(4, 1), to: try at(5)),
      .weekly(weekday: 7, at: .hours(2), length: .hours(2)),
    ]
    #expect(try source.silenceDue(since: at(2)) == at(5, 3))
    #expect(try source.silenceDue(since: at(2, day: 29)) == at(4, 3, day: 29))
  }

  @Test func `a weekly window may reach into the next day`() throws {
    let window = MaintenanceWindow.weekly(weekday: 7, at: .hours(22), length: .hours(8))
    #expect(try window.end(covering: at(21, 59)) == nil)
    #expect(try window.end(covering: at(22)) == at(6, day: 23))
    #expect(try window.end(covering: at(6, day: 23)) == at(6, day: 23))
    #expect(try window.end(covering: at(6, 1, day: 23)) == nil)
  }

  @Test func `is never due where a window covers the whole week`() throws {
    var source = SourcePolicy()
    source.maintenance = [.weekly(weekday: 1, at: .zero, length: .hours(168))]
    #expect(try source.silenceDue(since: at(12)) == .distantFuture)
  }
}
