/// When the events topic is told of sources: of each change, at most once a minute a source.
///
/// What is copied is the state as it is then, and not every change on the way: a copy says how
/// things stand, so one that is written twice, or not at all because the next one follows, changes
/// nothing.
public struct SourceStateCopies: Sendable {
  /// The least time between two copies of one source.
  public let interval: Elapsed
  private var last: [Code: (state: SourceState, at: Timestamp)] = [:]

  public init(interval: Elapsed = .minutes(1)) { self.interval = interval }

  /// The states that are to be copied now; they count as copied with this.
  public mutating func take(_ states: [SourceState], at now: Timestamp) -> [SourceState] {
    states.filter { state in
      if let known = last[state.source] {
        guard known.state != state else { return false }
        guard now >= known.at.advanced(by: interval) else { return false }
      }
      last[state.source] = (state, now)
      return true
    }
  }

  /// Forgets that they were copied: the transaction that was to hold them is gone.
  public mutating func takeBack(_ states: [SourceState]) {
    for state in states { last[state.source] = nil }
  }
}
