import HandoffBus
import HandoffCodecs
import HandoffCore

/// The person reducer over a year of handoffs that begin, end and are forgotten: its memory must
/// stay what it is once the first of them are forgotten.
struct YearBench {
  let sizes: BenchSizes

  private static let dayCount = 365
  /// Each handoff takes so many days from its request to the feedback's acknowledgement.
  private static let wholeDays = BenchEvent.wholeCount

  func run() throws -> [BenchResult] {
    var reducer = PersonReducer(policy: .default, topic: "handoff.events.v1", partition: 0)
    let before = BenchMeter.residentBytes()
    var after: [Int: Double] = [:]
    var offset = 0
    for day in 0..<Self.dayCount {
      reducer.beginBatch()
      // Of those that began `step` days ago the next step.
      for step in 0..<Self.wholeDays where day >= step {
        for handoff in 0..<sizes.handoffsPerDay {
          let person = (day - step) * sizes.handoffsPerDay + handoff
          let event = BenchEvent.step(step, of: person, at: Self.time(day, step, handoff))
          offset += 1
          _ = reducer.apply(
            try WireCodec.eventRecord(BenchEvent.stored(event, offset: offset)))
        }
      }
      reducer.commitBatch()
      if day == 120 || day == Self.dayCount - 1 {
        after[day] = Double(max(0, BenchMeter.residentBytes() - before)) / 1e6
      }
    }
    guard let early = after[120], let late = after[Self.dayCount - 1],
      reducer.state.books.total.isBalanced
    else { throw BenchFault.wrongCount }
    return [
      BenchResult("a year, \(offset) events: memory after 4 months", "MB", [early]),
      BenchResult("a year: memory after 12 months", "MB", [late]),
      BenchResult("a year: people remembered at its end", "people", [Double(reducer.personCount)]),
    ]
  }

  /// Steps of one day follow each other, none of two at one moment.
  private static func time(_ day: Int, _ step: Int, _ handoff: Int) -> Timestamp {
    BenchEvent.time(0).advanced(by: .hours(24 * Int64(day))).advanced(by: .hours(Int64(step)))
      .advanced(by: Elapsed(nanoseconds: Int64(handoff) * 1_000_000))
  }
}
