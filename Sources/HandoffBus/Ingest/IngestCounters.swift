package import HandoffCore
import Synchronization

/// What became of the messages of one source in this process; the parts add up to `messages`.
package struct IngestCount: Hashable, Sendable {
  /// Messages that are settled: everything but what is still in the outbox.
  package var messages: UInt64 { mapped + withoutFact + refused }
  package var mapped: UInt64 = 0
  /// Understood, and nothing a handoff rests on.
  package var withoutFact: UInt64 = 0
  package var refused: UInt64 = 0
  package var events: UInt64 = 0
  /// Times an answer was put aside to wait for its request.
  package var parked: UInt64 = 0
  /// Answers whose request did not come in the time that A13 grants.
  package var orphaned: UInt64 = 0
  /// Refusals by reason.
  package var reasons: [Code: UInt64] = [:]

  package init() {}
}

/// Counts of all sources, for whoever shows them.
package final class IngestCounters: Sendable {
  private let counts = Mutex<[Code: IngestCount]>([:])

  package init() {}

  package var all: [Code: IngestCount] { counts.withLock { $0 } }

  func add(_ delta: [Code: IngestCount]) {
    counts.withLock { counts in
      for (source, more) in delta {
        var count = counts[source] ?? IngestCount()
        count.mapped += more.mapped
        count.withoutFact += more.withoutFact
        count.refused += more.refused
        count.events += more.events
        count.parked += more.parked
        count.orphaned += more.orphaned
        count.reasons.merge(more.reasons, uniquingKeysWith: +)
        counts[source] = count
      }
    }
  }
}
