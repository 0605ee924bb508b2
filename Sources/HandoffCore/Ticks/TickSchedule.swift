/// When the owner of a partition writes a tick, so that time moves without traffic.
///
/// Silence is judged by partition time, and partition time moves with records only. A value of
/// times in and a decision out, so that tests need no clock.
package struct TickSchedule: Hashable, Sendable {
  /// The shortest time between two ticks: a deadline a microsecond does not fill a topic.
  package var intervalMin: Elapsed
  /// The longest time that partition time stands still while somebody owns the partition.
  package var intervalMax: Elapsed
  /// From here on a clock is not to be trusted with deadlines.
  package var skewMax: Elapsed

  package init(
    intervalMin: Elapsed = .seconds(1), intervalMax: Elapsed = .seconds(60),
    skewMax: Elapsed = .minutes(5)
  ) {
    self.intervalMin = intervalMin
    self.intervalMax = intervalMax
    self.skewMax = skewMax
  }

  /// What is known when the owner asks.
  ///
  /// All times are of the owner's clock, put right by the offset that it measured from the
  /// broker's stamps; only `skew` says how far that was.
  package struct Situation: Hashable, Sendable {
    package var now: Timestamp
    /// The earliest deadline of the partition; `nil` where none is armed.
    package var nextDue: Timestamp?
    /// When a record of the partition last arrived or a tick was last written, whichever is later.
    package var lastMoved: Timestamp
    /// Broker's clock less the owner's, as last measured; `nil` before the first measurement.
    package var skew: Elapsed?

    package init(
      now: Timestamp, nextDue: Timestamp?, lastMoved: Timestamp, skew: Elapsed? = nil
    ) {
      self.now = now
      self.nextDue = nextDue
      self.lastMoved = lastMoved
      self.skew = skew
    }
  }

  /// What to do, and when to ask again.
  package enum Decision: Hashable, Sendable {
    /// Write a tick now.
    case tick
    /// Nothing before this moment, unless a record arrives.
    case wait(until: Timestamp)
  }

  /// Decides whether a tick is due.
  ///
  /// A clock that is further off than ``skewMax`` says nothing about deadlines: its owner writes
  /// the one tick a minute only. The broker stamps it, so even that moves nothing wrongly, and
  /// reading its stamp is how the owner learns that its clock has been put right.
  package func decision(in situation: Situation) -> Decision {
    let heartbeat = situation.lastMoved.advanced(by: intervalMax)
    let soonest = situation.lastMoved.advanced(by: intervalMin)
    var wake = heartbeat
    if let due = situation.nextDue, !isSkewed(situation.skew) {
      wake = min(heartbeat, max(due, soonest))
    }
    // A clock that was put back would otherwise wait until it has caught up with its own past.
    if situation.lastMoved > situation.now.advanced(by: intervalMax) { return .tick }
    return wake <= situation.now ? .tick : .wait(until: wake)
  }

  /// Whether a measured offset is beyond what a clock may be off.
  package func isSkewed(_ skew: Elapsed?) -> Bool {
    guard let skew else { return false }
    return skew > skewMax || skew < Elapsed(nanoseconds: -skewMax.nanoseconds)
  }
}
