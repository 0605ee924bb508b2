package import HandoffCodecs
package import HandoffCore
package import KafkaClient

/// The alerts topic as people and programs read it: committed verdicts, each revision once.
package struct AlertFeed: Sendable {
  /// Where to begin.
  package enum Start: Hashable, Sendable {
    /// With every verdict there is.
    case beginning
    /// With the next one.
    case now
  }

  private let scan: TopicScan

  package init(_ kafka: KafkaConfiguration) {
    scan = TopicScan(kafka, topic: .alerts)
  }

  /// Whether there is a topic to read: where there is none nobody judges.
  package func exists() async throws(KafkaError) -> Bool {
    try await !scan.partitions().isEmpty
  }

  /// The alerts as they are committed now.
  package func read() async throws -> AlertBook {
    var book = AlertBook()
    try await scan.readToEnd { record in
      do throws(WireError) {
        book.take(try WireCodec.verdict(record.wire))
      } catch {
        book.passOver(error)
      }
    }
    return book
  }

  /// Hands over each new revision as it is committed, until the task is cancelled.
  ///
  /// The alert comes with all its revisions known so far. A record that cannot be read is told to
  /// `unreadable`: nobody is to think that they see everything when they do not.
  package func watch(
    from start: Start, unreadable: (WireError) -> Void = { _ in },
    forEach body: (Verdict, Alert) async throws -> Void
  ) async throws {
    let starts: [KafkaPartitionOffset] =
      switch start {
      case .now: try await scan.committedEnds()
      case .beginning:
        try await scan.partitions().map {
          KafkaPartitionOffset($0, offset: KafkaPartitionOffset.beginning)
        }
      }
    var book = AlertBook()
    try await scan.follow(from: starts) { record in
      let verdict: Verdict
      do throws(WireError) {
        verdict = try WireCodec.verdict(record.wire)
      } catch {
        book.passOver(error)
        return unreadable(error)
      }
      guard book.take(verdict), let alert = book.byID[verdict.alertID] else { return }
      try await body(verdict, alert)
    }
  }
}
